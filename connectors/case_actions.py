"""What people do about cases of the connectors: each action as one call of a service, and what a re-check asks.

Runners have the queue's signature. Raises CaseError in plain words.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from connectors.models import ConnectionBudget
from connectors.registry import connector_for
from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import CatalogueItem, Connection, Effect, InboundEvent
from returnsops.services import approvals, switches
from returnsops.services.effect_rows import EffectError


def requeue(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Try the effect of the case again."""
    _said(lambda: approvals.requeue(effect_id=int(case.subject_id), by=by, at=at, why=reason))
    return "To be tried again; it is looked up first, so nothing can happen twice."


def adopt(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """A person names the remote record."""
    remote_id = str(data["remote_id"])
    _said(lambda: approvals.adopt(effect_id=int(case.subject_id), remote_id=remote_id, by=by, at=at, why=reason))
    return f"Record {remote_id} adopted; it is verified by the next read-back."


def look_again(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Look now."""
    _said(lambda: approvals.look_again(effect_id=int(case.subject_id), by=by, at=at))
    return "To be looked up now."


def not_done(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """A person looked there and it did not happen; money needs a second one who says so."""
    if not isinstance(by, User):
        raise CaseError("Only a person can say that it did not happen.")
    person, effect_id = by, int(case.subject_id)
    vendor = Effect.objects.values_list("connection__vendor", flat=True).get(pk=effect_id)
    settle_s = connector_for(vendor).capabilities.settle_s
    effect = _said(lambda: approvals.say_not_done(effect_id=effect_id, settle_s=settle_s, by=person, at=at, why=reason))
    if effect.state == states.UNKNOWN:
        return "Kept. A second person of finance has to look and say the same; until then nothing is sent."
    return "To be sent again; it is looked up first."


def cancel(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Give it up."""
    _said(lambda: approvals.cancel(effect_id=int(case.subject_id), by=by, at=at, why=reason))
    return "Cancelled."


def resume(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Let the connection work again."""
    connection = Connection.objects.get(pk=int(case.subject_id))
    try:
        switches.resume_connection(
            connection=connection, reason=reason or "The credentials were put right.", by=_name(by), at=at
        )
    except switches.StopError as error:
        raise CaseError(str(error)) from None
    return f"{connection} works again; what waited goes on."


def read_catalogue(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Begin a new round now."""
    from connectors import catalogue  # it opens cases itself

    catalogue.begin_anew(connection=Connection.objects.get(pk=int(case.subject_id)), at=at)
    return "The catalogue is read again from the start."


def reprocess(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Put the event back in line."""
    from connectors import inbox  # it opens cases itself

    event = InboundEvent.objects.filter(pk=int(case.subject_id)).first()
    if event is None:
        raise CaseError("The event of this case is not stored any more.")
    inbox.reprocess(event=event, by=_name(by), at=at)
    return "The event is processed again."


def note(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Close it with what was done."""
    return reason


def _said(act: Any) -> Effect:
    try:
        effect: Effect = act()
    except EffectError as error:
        raise CaseError(str(error)) from None
    return effect


def _name(by: User | str) -> str:
    return by if isinstance(by, str) else by.get_username()


def is_resumed(case: ExceptionCase) -> bool:
    """Whether somebody resumed the connection."""
    return not Connection.objects.filter(pk=int(case.subject_id), is_paused=True).exists()


def is_catalogue_well(case: ExceptionCase) -> bool:
    """Whether the last reading found nothing; corrections show with the next one."""
    return not CatalogueItem.objects.filter(connection_id=int(case.subject_id)).exclude(problem="").exists()


def is_up(case: ExceptionCase) -> bool:
    """Whether the system answers again."""
    row = ConnectionBudget.objects.filter(connection_id=int(case.subject_id), open_until_at__isnull=False)
    return not row.exists()
