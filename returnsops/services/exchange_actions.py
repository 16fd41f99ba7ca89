"""What people do about cases of exchanges: each action as one call of a service; see case_actions.py."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import Effect
from returnsops.planning.exchange_ends import EXCHANGE_KEPT, EXCHANGE_PAID, inverse_key
from returnsops.services import approvals
from returnsops.services.case_actions import Choices, decide, rma_of, waive
from returnsops.services.effect_rows import EffectError
from returnsops.services.exchange_keys import exchange_key

Data = Mapping[str, Any]


def choose_variation(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Send another variation of the same product; it is asked for as a new try."""
    refused, chosen = _refusal(case), str(data["variation"])
    other = next((one for one in refused.get("alternatives", ()) if one["variant_id"] == chosen), None)
    if other is None:
        raise CaseError("That variation is not in the list any more; load the page again.")
    line = refused["line"]
    decide(
        case,
        facts.ReplacementChosen,
        by=by,
        at=at,
        why=reason,
        exchange_id=_exchange_id(case),
        sku=line["sku"],
        variant_id=line["variant_id"],
        new_sku=other["sku"],
        new_variant_id=other["variant_id"],
    )
    return f"{other['name']} is sent instead."


def try_again(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Ask the shop again for the same, for instance because goods came in."""
    try:
        approvals.requeue(effect_id=_effect_of(case).pk, by=by, at=at, why=reason or "asked for again")
    except EffectError as error:
        raise CaseError(str(error)) from error
    return "Asked for again."


def refund_instead(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Give up sending it: customer service changes it on the platform."""
    waive(case, _exchange_id(case), by=by, at=at, why=reason, code=states.CASE_EXCHANGE_UNAVAILABLE)
    return "Not sent; customer service changes it to a refund on the platform."


def record_payment(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The shopper paid the difference."""
    why = f"Paid, reference {data['reference']}. {reason}".strip()
    waive(case, _subject_of(case), by=by, at=at, why=why, code=EXCHANGE_PAID)
    return f"The difference was paid: {data['reference']}."


def cancel_order(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Cancel the placed replacement order in the shop, if it has not left."""
    key = inverse_key(_key_of(case))
    if not rma_of(case).effects.filter(key=key, state=states.HELD).exists():
        raise CaseError("That order was placed by hand: cancel it in the shop, then record that it is dealt with.")
    waive(case, "", by=by, at=at, why=reason, code=states.CASE_EXCHANGE_WITHDRAWN, effect_key=key)
    return "The replacement order is being cancelled."


def keep_order(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The placed order stays, or was dealt with by hand."""
    waive(case, _exchange_id(case), by=by, at=at, why=reason, code=EXCHANGE_KEPT)
    return "Recorded; nothing is cancelled by itself."


def variations(case: ExceptionCase) -> Choices:
    """What the shop had in stock instead when it was asked."""
    found = _refusal(case).get("alternatives", ())
    return [(one["variant_id"], f"{one['name']} ({one['sku'] or 'no SKU'}, {one['stock']} left)") for one in found]


# --- small parts --------------------------------------------------------------------------------------------------


def _refusal(case: ExceptionCase) -> Mapping[str, Any]:
    """The shop's last refusal: the line and what else is in stock."""
    attempt = _effect_of(case).attempts.filter(outcome="rejected").order_by("-number").first()
    evidence: Mapping[str, Any] = attempt.evidence if attempt else {}
    return evidence


def _effect_of(case: ExceptionCase) -> Effect:
    effect = rma_of(case).effects.filter(key=_key_of(case)).first()
    if effect is None:
        raise CaseError("This return has no such replacement order; load the page again.")
    return effect


def _key_of(case: ExceptionCase) -> str:
    return exchange_key(rma_of(case), _exchange_id(case))


def _exchange_id(case: ExceptionCase) -> str:
    return str(case.evidence.get("exchange") or _subject_of(case))


def _subject_of(case: ExceptionCase) -> str:
    return case.fingerprint.partition(f":{rma_of(case).ref}:")[2]
