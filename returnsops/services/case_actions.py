"""What people do about cases of returns: each action of a case kind, as one call of a service.

Runners have the queue's signature; ``data`` holds the fields the kind declares. Raises CaseError in plain words.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.auth.models import User

from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from exceptions_queue.services.opening import stored_key
from returnsops import facts, matters, money, states
from returnsops.models import Effect, ReasonCode, Refund, ReturnAuthorisation, Route
from returnsops.planning.covered import PAID_FOR_OTHER
from returnsops.planning.holds import IF_ACCEPTED, units_accepted
from returnsops.services import accepting, acts, approvals, attribution_acts, settle_by_hand, switches
from returnsops.services.cases import SUBJECT_RETURN, group_of
from returnsops.services.decisions import DecisionError
from returnsops.services.effect_rows import EffectError
from returnsops.services.replan import NOT_PLANNED, describe, plan_or_open_case

Data = Mapping[str, Any]
Choices = list[tuple[str, str]]
MAX_AMOUNT = Decimal(1_000_000_000)


def rma_of(case: ExceptionCase) -> ReturnAuthorisation:
    """The return a case is about. Raises CaseError for a case about something else.

    Cases that people raised once named what they had in hand; such a text is no row of ours, whatever it looks like.
    """
    is_linked = case.subject_type == SUBJECT_RETURN and case.subject_id.isdecimal()
    rma = ReturnAuthorisation.objects.filter(pk=int(case.subject_id)).first() if is_linked else None
    if case.is_raised_by_hand and rma is not None and case.group_key != stored_key(group_of(rma)):
        rma = None
    if rma is None and case.is_raised_by_hand and case.subject_type == SUBJECT_RETURN:
        said = case.subject_label or case.subject_id
        raise CaseError(f"This case is about {said!r}, which is linked to no return. Raise it anew, then close it.")
    if rma is None:
        raise CaseError("This case is not about one return.")
    return rma


def subject_of(case: ExceptionCase) -> str:
    """The part of the fingerprint behind kind and return: the item or refund the case is about."""
    _, _, subject = case.fingerprint.removeprefix(f"{case.kind_code}:").partition(f"{rma_of(case).ref}:")
    return subject


def look_again(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Plan the return again; where the order is missing, ask the shop for it at once."""
    rma = rma_of(case)
    if rma.order is None:
        rma.order_next_read_at = at
        rma.save(update_fields=["order_next_read_at"])
    if not plan_or_open_case(rma_id=rma.pk, at=at):
        return NOT_PLANNED
    return "Looked at again." if rma.order else "Looked at again; the shop is asked for the order within a minute."


def classify_reason(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Choose the approved reason of one item (S3-19)."""
    chosen = {"item_id": data["item"], "reason_code": data["reason_code"]}
    decide(case, facts.ReasonClassified, by=by, at=at, why=reason, **chosen)
    return f"Reason of item {data['item']} set to {data['reason_code']}."


def attribute_refund(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Say whether a refund made outside was for this return."""
    is_for_return = data["meaning"] == "this_return"
    said = {"remote_refund_id": data["refund"], "is_for_return": is_for_return}
    decide(case, facts.RefundAttributed, by=by, at=at, why=reason, **said)
    return f"Refund {data['refund']} {'counts for this return' if is_for_return else 'is not for this return'}."


def decide_executor(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Say who moves the money of a platform refund."""
    said = {"refund_id": data["refund"], "executed_by": data["executed_by"]}
    decide(case, facts.ExecutionDecided, by=by, at=at, why=reason, **said)
    return f"Refund {data['refund']} is paid by: {data['executed_by'].replace('_', ' ')}."


def waive_hold(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Release the hold this case stands for; money then still waits for a second person."""
    waive(case, subject_of(case), by=by, at=at, why=reason)
    return "Accepted as it is."


def accept_units(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """What was to be done with the units this case names was done by hand."""
    units = case.evidence.get(IF_ACCEPTED)
    if not isinstance(units, int):
        raise CaseError("This case was opened before it named its units. Check it again first, then accept it.")
    waive(case, units_accepted(units, subject_of(case)), by=by, at=at, why=reason)
    return "Accepted as seen to."


def words_for_units(case: ExceptionCase) -> str:
    """How many units count as seen to then; '' where the case does not name them yet."""
    units = case.evidence.get(IF_ACCEPTED)
    if not isinstance(units, int):
        return ""
    return f"{units} unit{'' if units == 1 else 's'} of the item {'counts' if units == 1 else 'count'} as seen to."


def accept_at_risk(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The money this case names was settled by people; should it become more, it is a case again."""
    at_risk = case.money_at_risk
    waive(case, f"{at_risk.normalize():f}" if at_risk else subject_of(case), by=by, at=at, why=reason)
    return "Accepted as it is."


def paid_for_other(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """What people paid is not counted against the refund of this case; a second person then approves all of it."""
    said = case.evidence
    if "effect" not in said:
        raise CaseError("This case was opened before it named what it keeps back. Check it again first.")
    # Of that money alone, not of what may be paid after it.
    waive(case, said["paid"], by=by, at=at, why=reason, code=PAID_FOR_OTHER, effect_key=said["effect"])
    return "Not counted against this refund; it waits for a second person."


def accept_amount(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Accept exactly one amount for the refund of this case, no more than the order still has."""
    amount = _decimal(data["amount"])
    accepting.require_acceptable(rma=rma_of(case), amount=amount, subject=subject_of(case))
    waive(case, format(amount, "f"), by=by, at=at, why=reason)
    shown = money.display(amount, currency=case.currency) if case.currency else f"{amount:f}"
    return f"{shown} accepted; it waits for a second person."


def give_up_refund(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """What the platform was to pay in the shop is not paid there: our effects that wait for it are wanted no more."""
    refunds = case.evidence.get("refunds")
    if not refunds:
        raise CaseError(
            "This case was opened before it named the refunds it waits for. Check it again first, then give them up."
        )
    for key in refunds:
        waive(case, "", by=by, at=at, why=reason, effect_key=key)
    return "Nothing more is paid here: our own refund is given up."


def approve(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Approve one effect of this return that waits for a second person."""
    effect = _effect(case, data["effect"])
    try:
        approvals.approve(effect_id=effect.pk, by=_person(by), at=at, revision=effect.payload_revision)
    except EffectError as error:
        raise CaseError(str(error)) from error
    return f"Approved: {describe(effect)}."


def refuse_approval(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Refuse one effect of this return that waits for a second person."""
    effect = _effect(case, data["effect"])
    try:
        approvals.reject_approval(effect_id=effect.pk, by=_person(by), at=at, why=reason)
    except EffectError as error:
        raise CaseError(str(error)) from error
    return f"Refused: {describe(effect)}."


def settle_exchange(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The replacement was ordered by hand in the shop."""
    return settle_by_hand.settle_exchange(
        rma=rma_of(case), exchange_id=data["exchange"], order_reference=data["reference"], by=str(by), at=at, why=reason
    )


def settle_credit(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The credit or card was issued by hand."""
    return settle_by_hand.settle_credit(
        rma=rma_of(case), credit_id=data["credit"], reference=data["reference"], by=str(by), at=at, why=reason
    )


def resume_route(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The refunds that reached the limit are right: the route sends again."""
    route = Route.objects.filter(pk=case.subject_id).first() if case.subject_type == "route" else None
    if route is None:
        raise CaseError("This case is not about a route.")
    try:
        switches.resume_route(route=route, reason=reason, by=str(by), at=at)
    except switches.StopError as error:
        raise CaseError(str(error)) from error
    return f"Route {route} sends again."


def withdraw_credit(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Take one credit back, issued or not."""
    kind, _, credit_id = str(data["credit"]).partition("|")
    decide(case, facts.CreditWithdrawn, by=by, at=at, why=reason, credit_id=credit_id, kind=kind)
    return f"Credit {credit_id} withdrawn."


def platform_told(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """A person entered in the platform what this case asks for; stands for exactly this content."""
    reference = str(data["reference"]).strip()
    if not reference:
        raise CaseError("Say what you entered there, or under which reference.")
    done = f"Done in the platform: {reference}."
    waive(case, subject_of(case), by=by, at=at, why=f"{done} {reason}".strip()[:500])
    return done


def waive(
    case: ExceptionCase,
    subject: str,
    *,
    by: User | str,
    at: datetime,
    why: str,
    code: str = "",
    effect_key: str = "",
) -> None:
    """Release a hold, or note a decision, of the case's return; ``code`` '' = the case's own kind."""
    wanted = {"effect_key": effect_key, "hold_code": code or case.kind_code, "subject": subject}
    decide(case, facts.HoldWaived, by=by, at=at, why=why, **wanted)


def decide(
    case: ExceptionCase,
    fact: Callable[..., facts.ReturnFact],
    *,
    by: User | str,
    at: datetime,
    why: str,
    **said: Any,
) -> None:
    """State one fact about the case's return in a person's name. Raises CaseError where it does not fit the rows."""
    rma = rma_of(case)
    stated = fact(return_id=rma.external_id, occurred_at=at, by=str(by), why=why, **said)
    try:
        acts.act(rma=rma, fact=stated, by=str(by), at=at)
    except DecisionError as error:
        raise CaseError(str(error)) from error


# --- choices ------------------------------------------------------------------------------------------------------


def unclassified_items(case: ExceptionCase) -> Choices:
    """Items of the return without an approved reason."""
    lines = rma_of(case).lines.filter(reason__isnull=True, is_withdrawn=False)
    return [(line.external_id, f"{line.quantity} x {line.name or line.sku}") for line in lines]


def active_reasons(case: ExceptionCase) -> Choices:
    """The approved reasons."""
    return [(reason.code, reason.title) for reason in ReasonCode.objects.filter(is_active=True)]


def outside_refunds(case: ExceptionCase) -> Choices:
    """Refunds on the order that nobody has attributed, or whose record was deleted since somebody did."""
    return [
        (
            row.external_id,
            f"{money.display(row.amount, currency=row.currency)} of {row.refunded_at:%d %b %Y}{_deleted(row)}",
        )
        for row in attribution_acts.open_refunds(rma_of(case))
    ]


def _deleted(row: Refund) -> str:
    return ", record deleted" if row.vanished_at else ""


def meanings(case: ExceptionCase) -> Choices:
    """What a refund made outside can be."""
    return [("this_return", "It pays for this return"), ("unrelated", "It has nothing to do with this return")]


def payouts(case: ExceptionCase) -> Choices:
    """Refunds and credits the platform named."""
    rma = rma_of(case)
    rows: list[Any] = [*rma.platform_refunds.all(), *rma.credits.filter(settled_at__isnull=True)]
    return [
        (row.external_id, f"{money.display(row.amount, currency=row.currency)} ({row.external_id})") for row in rows
    ]


def executors(case: ExceptionCase) -> Choices:
    """Who can move money."""
    return [
        ("returns_platform", "The returns platform paid or pays: only record it in the shop"),
        ("commerce_platform", "The shop pays: send the refund through its gateway"),
        ("merchant", "We paid or pay by other means: only record it in the shop"),
    ]


def waiting_money(case: ExceptionCase) -> Choices:
    """Money of the return that waits for finance's approval."""
    return _waiting(case, matters.OF_MONEY)


def waiting_stock(case: ExceptionCase) -> Choices:
    """Stock moves of the return that wait for the warehouse's approval."""
    return _waiting(case, matters.OF_STOCK)


def waiting_exchanges(case: ExceptionCase) -> Choices:
    """What of the return's exchanges waits for customer service's approval."""
    return _waiting(case, matters.OF_EXCHANGES)


def _waiting(case: ExceptionCase, matter: str) -> Choices:
    rows = rma_of(case).effects.filter(state=states.AWAITING_APPROVAL)
    return [(str(row.pk), describe(row)) for row in rows if matters.MATTERS[row.kind] == matter]


def open_exchanges(case: ExceptionCase) -> Choices:
    """Replacements not yet ordered."""
    return [(row.external_id, row.wanted) for row in settle_by_hand.open_exchanges(rma_of(case))]


def open_credits(case: ExceptionCase) -> Choices:
    """Credits not yet issued."""
    return [
        (row.external_id, f"{row.kind.replace('_', ' ')} of {money.display(row.amount, currency=row.currency)}")
        for row in settle_by_hand.open_credits(rma_of(case))
    ]


def standing_credits(case: ExceptionCase) -> Choices:
    """Credits that nobody took back."""
    rows = rma_of(case).credits.filter(withdrawn_at__isnull=True)
    return [
        (
            f"{row.kind}|{row.external_id}",
            f"{row.kind.replace('_', ' ')} of {money.display(row.amount, currency=row.currency)}",
        )
        for row in rows
    ]


# --- small parts --------------------------------------------------------------------------------------------------


def _effect(case: ExceptionCase, text: str) -> Effect:
    """An effect of the case's own return and of its own matter; the number comes from a browser."""
    effects = rma_of(case).effects
    effect = effects.filter(pk=text).first() if str(text).isdecimal() else None
    if effect is None or matters.APPROVAL_CASES.get(matters.MATTERS[effect.kind]) != case.kind_code:
        raise CaseError("This return has no such effect; load the page again.")
    return effect


def _person(by: User | str) -> User:
    if not isinstance(by, User):
        raise CaseError("Only a person can approve.")
    return by


def _decimal(text: object) -> Decimal:
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        raise CaseError(f"{text!r} is not an amount; write it like 42.50.") from None
    if not amount.is_finite() or amount <= 0:
        raise CaseError("The amount must be more than zero.")
    if amount >= MAX_AMOUNT:
        raise CaseError("The amount is too large to be right.")
    if not money.is_in_digits(str(text)):
        raise CaseError(f"{str(text)!r} is not written in digits; write it like 42.50.")
    return amount
