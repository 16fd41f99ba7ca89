"""Case kinds of the connectors: what cannot go on alone between us and another system (design section 8)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User

from connectors import delivery_cases
from connectors.models import ConnectionBudget
from connectors.registry import connector_for
from exceptions_queue import kinds
from exceptions_queue.errors import CaseError
from exceptions_queue.kinds import ActionField, CaseAction, CaseKind, Severity
from exceptions_queue.models import ExceptionCase
from returnsops import roles, states
from returnsops.models import CatalogueItem, Connection, Effect, InboundEvent
from returnsops.services import approvals, switches
from returnsops.services.effect_rows import EffectError


def register_all() -> None:
    """Register every kind with the queue. Teams too: the domain says the same, but Django starts it later."""
    for code, title in roles.TEAMS.items():
        kinds.register_team(code, title)
    for kind in (*_EFFECT_KINDS, *_CONNECTION_KINDS, *_INBOX_KINDS):
        kinds.register(kind)


# --- what people can do ------------------------------------------------------------------------------------------


def run_requeue(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Try the effect of the case again."""
    _said(lambda: approvals.requeue(effect_id=int(case.subject_id), by=by, at=at, why=reason))
    return "To be tried again; it is looked up first, so nothing can happen twice."


def run_adopt(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """A person names the remote record."""
    remote_id = str(data["remote_id"])
    _said(lambda: approvals.adopt(effect_id=int(case.subject_id), remote_id=remote_id, by=by, at=at, why=reason))
    return f"Record {remote_id} adopted; it is verified by the next read-back."


def run_look_again(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Look now."""
    _said(lambda: approvals.look_again(effect_id=int(case.subject_id), by=by, at=at))
    return "To be looked up now."


def run_not_done(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
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


def run_cancel(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Give it up."""
    _said(lambda: approvals.cancel(effect_id=int(case.subject_id), by=by, at=at, why=reason))
    return "Cancelled."


def run_resume(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Let the connection work again."""
    connection = Connection.objects.get(pk=int(case.subject_id))
    try:
        switches.resume_connection(
            connection=connection, reason=reason or "The credentials were put right.", by=_name(by), at=at
        )
    except switches.StopError as error:
        raise CaseError(str(error)) from None
    return f"{connection} works again; what waited goes on."


def run_read_catalogue(
    *, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]
) -> str:
    """Begin a new round now."""
    from connectors import catalogue  # it opens cases itself

    catalogue.begin_anew(connection=Connection.objects.get(pk=int(case.subject_id)), at=at)
    return "The catalogue is read again from the start."


def run_reprocess(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
    """Put the event back in line."""
    from connectors import inbox  # it opens cases itself

    event = InboundEvent.objects.filter(pk=int(case.subject_id)).first()
    if event is None:
        raise CaseError("The event of this case is not stored any more.")
    inbox.reprocess(event=event, by=_name(by), at=at)
    return "The event is processed again."


def run_note(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Mapping[str, Any]) -> str:
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


def _is_resumed(case: ExceptionCase) -> bool:
    return not Connection.objects.filter(pk=int(case.subject_id), is_paused=True).exists()


def _is_catalogue_well(case: ExceptionCase) -> bool:
    """Whether the last reading found nothing; corrections show with the next one."""
    return not CatalogueItem.objects.filter(connection_id=int(case.subject_id)).exclude(problem="").exists()


def _is_up(case: ExceptionCase) -> bool:
    row = ConnectionBudget.objects.filter(connection_id=int(case.subject_id), open_until_at__isnull=False)
    return not row.exists()


_REQUEUE = CaseAction(
    code="requeue",
    label="Try again",
    run=run_requeue,
    permission="returnsops.requeue_effect",
    needs_reason=True,
    help="After the cause was fixed in the other system. It is looked up there first.",
)
_ADOPT = CaseAction(
    code="adopt",
    label="Adopt a record",
    run=run_adopt,
    permission="returnsops.adopt_effect",
    needs_reason=True,
    fields=(ActionField(name="remote_id", label="Id of the record in the other system"),),
    help="Somebody did it by hand, or you found the record: give its id, it is verified.",
)
_LOOK_AGAIN = CaseAction(
    code="look_again", label="Look up again", run=run_look_again, permission="returnsops.requeue_effect"
)
_NOT_DONE = CaseAction(
    code="not_done",
    label="It did not happen: send again",
    run=run_not_done,
    permission="returnsops.approve_refund",
    needs_reason=True,
    help="Only after you looked in the other system and at its payment provider. Money needs two people.",
)
_CANCEL = CaseAction(
    code="cancel",
    label="Give up",
    run=run_cancel,
    permission="returnsops.cancel_effect",
    needs_reason=True,
    help="It is not needed. What the plan still wants comes back.",
)
_RESUME = CaseAction(code="resume", label="Resume the connection", run=run_resume, permission="returnsops.stop_sending")
_READ_CATALOGUE = CaseAction(
    code="read_catalogue",
    label="Read the catalogue again",
    run=run_read_catalogue,
    permission="returnsops.test_connection",
    help="Begins within a minute, a page a minute; the case closes when nothing is wrong any more.",
)
_REPROCESS = CaseAction(
    code="reprocess", label="Process again", run=run_reprocess, permission="returnsops.reprocess_event"
)
_DONE = CaseAction(
    code="settled",
    label="Settled",
    run=run_note,
    needs_reason=True,
    is_resolving=True,
    help="Say what was done; the case closes.",
)


# --- the kinds ---------------------------------------------------------------------------------------------------


_EFFECT_KINDS: Final = (
    CaseKind(
        code=states.CASE_REJECTED,
        title="The other system refused",
        owner_team=roles.FIN,
        severity=Severity.HIGH,
        sla_hours=8,
        meaning="A refund, restock or note was refused for good. Nothing happened there, and it is not sent again.",
        likely_cause="The order or its payment does not allow it: too much, a gateway that cannot refund, a lock.",
        how_to_fix=(
            "Read the vendor's answer in the evidence.",
            "Fix the cause there and try again, or do it by hand there and adopt the record.",
            "If the gateway cannot refund, propose a refund paid outside.",
        ),
        actions=(_REQUEUE, _ADOPT, _CANCEL),
        recheck=delivery_cases.is_gone,
    ),
    CaseKind(
        code=states.CASE_AMBIGUOUS_OUTCOME,
        title="Not clear whether it happened",
        owner_team=roles.FIN,
        severity=Severity.CRITICAL,
        sla_hours=4,
        meaning="We sent it and cannot tell whether the other system did it. It is not sent again.",
        likely_cause="The answer was lost, and the records there can be read in more than one way.",
        how_to_fix=(
            "Open the order in the other system and compare with the evidence.",
            "If the record is there, adopt it by its id.",
            "If you removed a wrong record there, look up again.",
            "If it did not happen, neither there nor at the payment provider, two of finance say so.",
        ),
        actions=(_ADOPT, _LOOK_AGAIN, _NOT_DONE),
        recheck=delivery_cases.is_gone,
        can_be_closed_by_hand=False,
    ),
    CaseKind(
        code=states.CASE_ATTEMPTS_EXHAUSTED,
        title="All tries failed",
        owner_team=roles.OPS,
        severity=Severity.HIGH,
        sla_hours=8,
        meaning="It was tried many times and the other system never took it. Nothing happened there.",
        likely_cause="The other system has a fault for this record, or has been down for long.",
        how_to_fix=("Read the last answer in the evidence.", "When the system is well again, try again."),
        actions=(_REQUEUE, _ADOPT, _CANCEL),
        recheck=delivery_cases.is_gone,
    ),
    CaseKind(
        code=states.CASE_NOT_SEEN_AFTER_DONE,
        title="Acknowledged, then not to be seen",
        owner_team=roles.FIN,
        severity=Severity.CRITICAL,
        sla_hours=4,
        meaning="The other system said yes, and now the record is not there. It is never sent again by itself.",
        likely_cause="Somebody deleted the record there, or the system lost it.",
        how_to_fix=(
            "Open the order there and look for the record.",
            "If it is there, look up again. If it was deleted on purpose, say so.",
            "If the customer still has to be paid, propose a new refund.",
        ),
        actions=(_LOOK_AGAIN, _DONE),
        recheck=delivery_cases.is_gone,
    ),
    CaseKind(
        code=states.CASE_FAILED_LATER,
        title="The payment failed after the shop took the refund",
        owner_team=roles.FIN,
        severity=Severity.CRITICAL,
        sla_hours=4,
        meaning="The shop has the refund, and its payment gateway did not pay it. It is never sent again by itself.",
        likely_cause="The card or account does not exist any more, or the gateway refused.",
        how_to_fix=(
            "Read the gateway's answer in the evidence.",
            "Pay the customer another way and propose a refund paid outside, or propose a new refund.",
            "If somebody paid it meanwhile, adopt that refund's id. Then close the case with what was done.",
        ),
        actions=(_ADOPT, _DONE),
        recheck=delivery_cases.is_gone,
    ),
)


_CONNECTION_KINDS: Final = (
    CaseKind(
        code=states.CASE_CONNECTION_AUTH,
        title="The other system does not accept our credentials",
        owner_team=roles.OPS,
        severity=Severity.CRITICAL,
        sla_minutes=60,
        meaning="The connection is paused. Nothing is lost; what waits goes on when it is resumed.",
        likely_cause="A key was revoked, has expired, or has too few rights.",
        how_to_fix=(
            "Make a new key there and store it with apply_config.",
            "Run check_connection with its name.",
            "Resume the connection.",
        ),
        actions=(_RESUME,),
        recheck=_is_resumed,
        can_be_closed_by_hand=False,
    ),
    CaseKind(
        code=states.CASE_CONNECTION_DOWN,
        title="The other system does not answer",
        owner_team=roles.OPS,
        severity=Severity.HIGH,
        sla_minutes=120,
        meaning="Several calls in a row failed. Only this connection waits; one call now and then probes it.",
        likely_cause="The system or the network to it is down.",
        how_to_fix=("See whether the system is up.", "The case closes by itself with the first answer."),
        actions=(_DONE,),
        recheck=_is_up,
    ),
    CaseKind(
        code=states.CASE_SKU_INTEGRITY,
        title="Articles that their SKU does not name",
        owner_team=roles.OPS,
        severity=Severity.LOW,
        sla_hours=24,
        meaning="Articles of the catalogue have no SKU of their own, none at all, or one that another article has too."
        " Orders name them by product and variation id all the same, but a return of one is not put back into stock by"
        " itself, because goods on the bench are told by their SKU.",
        likely_cause="A variation was made without a SKU: the shop then shows its parent's.",
        how_to_fix=(
            "Open the list behind this case, and give each article a SKU of its own in the shop.",
            "The catalogue is read again every day, and soon after you ask for it here.",
            "Held restocks of the article then go on by themselves.",
        ),
        actions=(_READ_CATALOGUE,),
        recheck=_is_catalogue_well,
        can_be_closed_by_hand=False,
    ),
    CaseKind(
        code=states.CASE_WEBHOOK_DISABLED,
        title="A webhook is switched off or gone",
        owner_team=roles.OPS,
        severity=Severity.MEDIUM,
        sla_hours=8,
        meaning="The other system stopped telling us of changes. Polling still finds them, later.",
        likely_cause="Our address could not be reached several times in a row, or somebody deleted it there.",
        how_to_fix=(
            "It is armed again by itself; where that failed, the case says why.",
            "If it goes off again, run check_connection with its name.",
        ),
        actions=(_DONE,),
    ),
    CaseKind(
        code=states.CASE_BAD_SIGNATURES,
        title="Many deliveries with a bad signature",
        owner_team=roles.OPS,
        severity=Severity.HIGH,
        sla_hours=4,
        meaning="Deliveries were refused because their signature is wrong. They are not stored.",
        likely_cause="The secret was changed at one end only, or somebody else is sending.",
        how_to_fix=("Compare the webhook secret at both ends.", "Store the right one with apply_config."),
        actions=(_DONE,),
    ),
)


_INBOX: Final[dict[str, Any]] = {
    "owner_team": roles.OPS,
    "severity": Severity.MEDIUM,
    "sla_hours": 8,
    "actions": (_REPROCESS, _DONE),
}
_INBOX_KINDS: Final = (
    CaseKind(
        code=states.CASE_UNREADABLE_EVENT,
        title="An event cannot be read",
        meaning="The signature was right and the content was not. It is kept as it came.",
        likely_cause="The sender changed its format, or sent something broken.",
        how_to_fix=("Compare the event with the sender's description.", "Ask the sender to send it again."),
        **_INBOX,
    ),
    CaseKind(
        code=states.CASE_UNMAPPED_EVENT,
        title="An event has no meaning here yet",
        meaning="The mapping of this connection says nothing about it, or not all that is needed.",
        likely_cause="A new event or a new value at the sender.",
        how_to_fix=("Add it to the connection's mapping.", "Process the event again."),
        **_INBOX,
    ),
    CaseKind(
        code=states.CASE_EVENT_PARKED,
        title="An event could not be processed",
        meaning="It was tried several times. Other events go on.",
        likely_cause="It names something that is not there, or the program has a fault.",
        how_to_fix=("Read the reason in the case.", "When it is fixed, process the event again."),
        **_INBOX,
    ),
    CaseKind(
        code=states.CASE_CONFIRM_SPLIT,
        title="Several units share one disposition",
        owner_team=roles.WH,
        severity=Severity.MEDIUM,
        sla_hours=8,
        meaning="The platform judged an item of several units with one word. Neither money nor stock follows from it.",
        likely_cause="The platform keeps the disposition with the item and cannot split it.",
        how_to_fix=("Judge each unit at the warehouse bench.", "Then close the case."),
        actions=(_DONE,),
    ),
)
