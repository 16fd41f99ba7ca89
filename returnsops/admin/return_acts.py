"""What people may do on a return: each act is one call of a service."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from returnsops import facts, states
from returnsops.models import ReturnAuthorisation
from returnsops.services import accepting, attribution_acts, notes, proposals, routes, settle_by_hand, warehouse
from returnsops.services.acts import act as decide
from returnsops.services.effect_rows import EffectError
from returnsops.services.replan import NOT_PLANNED, plan_or_open_case

from . import return_forms as forms
from .acts import Act, NoForm, Performed


def _decided(rma: ReturnAuthorisation, done: Performed, fact: Any, sentence: str, **fields: Any) -> str:
    about = {"return_id": rma.external_id, "occurred_at": done.at, "by": done.name, "why": done.data.get("why", "")}
    decide(rma=rma, fact=fact(**about, **fields), by=done.name, at=done.at)
    is_unplanned = ReturnAuthorisation.objects.filter(pk=rma.pk, is_dirty=True).exists()
    return f"Kept. {NOT_PLANNED}" if is_unplanned else sentence


def _classify(rma: ReturnAuthorisation, done: Performed) -> str:
    data = done.data
    return _decided(
        rma,
        done,
        facts.ReasonClassified,
        "The reason is set; the return goes on.",
        item_id=data["item"],
        reason_code=data["reason_code"],
    )


def _receive(rma: ReturnAuthorisation, done: Performed) -> str:
    return warehouse.receive_parcel(rma=rma, parcel_id=done.data["parcel"], by=done.name, at=done.at)


def _inspect(rma: ReturnAuthorisation, done: Performed) -> str:
    return warehouse.confirm_inspection(
        rma=rma, verdicts=done.data["verdicts"], decision_id=str(done.data["decision"]), by=done.name, at=done.at
    )


def _undo(rma: ReturnAuthorisation, done: Performed) -> str:
    return warehouse.undo_inspection(
        rma=rma, inspection_id=int(done.data["verdict"]), by=done.name, at=done.at, why=done.data["why"]
    )


def _propose(rma: ReturnAuthorisation, done: Performed) -> str:
    return _proposed(rma, done, executed_by="commerce_platform")


def _paid_outside(rma: ReturnAuthorisation, done: Performed) -> str:
    data = done.data
    return _proposed(rma, done, executed_by="merchant", reference=data["reference"], paid_on=data["paid_on"])


def _proposed(rma: ReturnAuthorisation, done: Performed, **fields: Any) -> str:
    if rma.order is None:
        raise EffectError("The order of this return is not known yet, so nothing can be refunded on it.")
    proposals.propose_manual(
        order=rma.order,
        rma=rma,
        request_id=str(done.data["request_id"]),
        amount=done.data["amount"],
        reason=f"Return {rma.label}: {done.data['ground']}",
        ground=done.data["ground"],
        why=done.data["why"],
        by=done.by,
        at=done.at,
        **fields,
    )
    plan_or_open_case(rma_id=rma.pk, at=done.at)
    return "Proposed; a second person has to approve it."


def _attribute(rma: ReturnAuthorisation, done: Performed) -> str:
    data = done.data
    return _decided(
        rma,
        done,
        facts.RefundAttributed,
        "The refund is attributed; the return is planned again.",
        remote_refund_id=data["refund"],
        is_for_return=data["meaning"] == "this_return",
    )


def _undo_attribution(rma: ReturnAuthorisation, done: Performed) -> str:
    data = done.data
    return attribution_acts.undo(rma=rma, refund_id=data["refund"], by=done.name, at=done.at, why=data["why"])


def _executor(rma: ReturnAuthorisation, done: Performed) -> str:
    data = done.data
    return _decided(
        rma,
        done,
        facts.ExecutionDecided,
        "It is settled who pays; the return goes on.",
        refund_id=data["refund"],
        executed_by=data["executed_by"],
    )


def _waive(rma: ReturnAuthorisation, done: Performed) -> str:
    data = done.data
    if data["hold_code"] in forms.WAIVED_BY_AMOUNT:
        accepting.require_acceptable(rma=rma, amount=Decimal(data["subject"]))
    return _decided(
        rma,
        done,
        facts.HoldWaived,
        "The hold is released; the return is planned again.",
        effect_key=data["effect_key"],
        hold_code=data["hold_code"],
        subject=data["subject"],
    )


def _look_again(rma: ReturnAuthorisation, done: Performed) -> str:
    is_planned = plan_or_open_case(rma_id=rma.pk, at=done.at)
    return "Planned again with what is known now." if is_planned else NOT_PLANNED


def _release(rma: ReturnAuthorisation, done: Performed) -> str:
    routes.release_return(rma=rma, by=done.name, at=done.at, why=done.data["why"])
    is_planned = plan_or_open_case(rma_id=rma.pk, at=done.at)
    return "Released: what is planned may be sent now." if is_planned else f"Released. {NOT_PLANNED}"


def _settle_exchange(rma: ReturnAuthorisation, done: Performed) -> str:
    data = done.data
    return settle_by_hand.settle_exchange(
        rma=rma,
        exchange_id=data["exchange"],
        order_reference=data["reference"],
        by=done.name,
        at=done.at,
        why=data["why"],
    )


def _settle_credit(rma: ReturnAuthorisation, done: Performed) -> str:
    data = done.data
    return settle_by_hand.settle_credit(
        rma=rma, credit_id=data["credit"], reference=data["reference"], by=done.name, at=done.at, why=data["why"]
    )


def _withdraw_credit(rma: ReturnAuthorisation, done: Performed) -> str:
    kind, _, credit_id = done.data["credit"].partition("|")
    return _decided(
        rma,
        done,
        facts.CreditWithdrawn,
        "The credit is withdrawn; the return is planned again.",
        credit_id=credit_id,
        kind=kind,
    )


def _note(rma: ReturnAuthorisation, done: Performed) -> str:
    notes.add_note(rma=rma, text=done.data["text"], by=done.name, at=done.at)
    return "The note is on the timeline."


# --- which fit a return -------------------------------------------------------------------------------------------


def _has(rows: str, **conditions: Any) -> Callable[[ReturnAuthorisation], bool]:
    return lambda rma: bool(getattr(rma, rows).filter(**conditions).exists())


def _has_no_executor(rma: ReturnAuthorisation) -> bool:
    return any(rows.filter(executed_by="").exists() for rows in (rma.platform_refunds, rma.credits))


def _may_be_received(rma: ReturnAuthorisation) -> bool:
    return rma.received_at is None or rma.parcels.filter(received_at__isnull=True).exists()


def has_goods_to_inspect(rma: ReturnAuthorisation) -> bool:
    """Whether our warehouse may still say something about the goods."""
    lines = rma.lines.filter(is_withdrawn=False)
    return rma.status not in states.RETURN_ENDED and any(warehouse.left_to_inspect(line) for line in lines)


CLASSIFY: Final = Act(
    code="classify_reason",
    label="Classify a reason",
    permission="returnsops.classify_reason",
    form=forms.ClassifyForm,
    run=_classify,
    is_offered=_has("lines", is_withdrawn=False),
    explain="Money and stock of an item wait for an approved reason. To map the platform's code for all returns, add a "
    "reason mapping.",
)
RECEIVE: Final = Act(
    code="receive_parcel",
    label="Receive a parcel",
    permission="returnsops.confirm_inspection",
    form=forms.ParcelForm,
    run=_receive,
    is_offered=_may_be_received,
    explain="The parcel is in your hands. This says nothing about the condition of the goods.",
)
INSPECT: Final = Act(
    code="confirm_inspection",
    label="Confirm inspection",
    permission="returnsops.confirm_inspection",
    form=forms.InspectionForm,
    run=_inspect,
    is_offered=has_goods_to_inspect,
    template="returnsops/inspect.html",
    explain="Sellable goods go back into the shop's stock, or wait for the returns platform's word where the policy of "
    "the route wants it. Whether the customer is paid is not decided here.",
)
UNDO: Final = Act(
    code="undo_inspection",
    label="Take a verdict back",
    permission="returnsops.confirm_inspection",
    form=forms.UndoForm,
    run=_undo,
    is_offered=_has("inspections", source__in=("warehouse", "wms"), is_superseded=False),
    explain="If the units are on sale again already, give the reason; they leave the stock as the policy says.",
)
PROPOSE: Final = Act(
    code="propose_refund",
    label="Propose a refund",
    permission="returnsops.propose_refund",
    form=forms.ProposeForm,
    run=_propose,
    is_offered=lambda rma: rma.order_id is not None,
    explain="Finance sees the proposal and approves or refuses it. Nothing is paid before that.",
)
PAID_OUTSIDE: Final = Act(
    code="paid_outside",
    label="Record: paid outside",
    permission="returnsops.record_paid_outside",
    form=forms.PaidOutsideForm,
    run=_paid_outside,
    is_offered=lambda rma: rma.order_id is not None,
    explain="The customer has the money already, by bank transfer for example. After a second person's approval the "
    "shop's order gets a record of it; no money moves.",
)
ATTRIBUTE: Final = Act(
    code="attribute_refund",
    label="Say what a refund was for",
    permission="returnsops.attribute_refund",
    form=forms.AttributeForm,
    run=_attribute,
    is_offered=lambda rma: bool(forms.outside_refunds(rma)),
    explain="Somebody refunded in the shop. If it pays for this return, only the difference is refunded.",
)
UNDO_ATTRIBUTION: Final = Act(
    code="undo_attribution",
    label="Take back what a refund was for",
    permission="returnsops.attribute_refund",
    form=forms.UndoAttributionForm,
    run=_undo_attribution,
    is_offered=lambda rma: bool(attribution_acts.answered_refunds(rma)),
    explain="The refund is a question again, which only people answer from then on, and money of the return waits for "
    "it. Possible until money of the order has gone since.",
)
EXECUTOR: Final = Act(
    code="decide_executor",
    label="Say who pays",
    permission="returnsops.decide_executor",
    form=forms.ExecutorForm,
    run=_executor,
    is_offered=_has_no_executor,
    explain="What the returns platform or you paid already is only recorded in the shop, never paid again.",
)
WAIVE: Final = Act(
    code="waive_hold",
    label="Release a hold",
    permission="returnsops.waive_hold",
    form=forms.WaiveForm,
    run=_waive,
    is_offered=lambda rma: bool(forms.waivable(rma)),
    is_grave=True,
    explain="The effect goes on without what it waited for. Money above the limit still waits for a second person.",
)
SETTLE_EXCHANGE: Final = Act(
    code="settle_exchange",
    label="Replacement ordered by hand",
    permission="returnsops.settle_by_hand",
    form=forms.SettleExchangeForm,
    run=_settle_exchange,
    is_offered=lambda rma: bool(settle_by_hand.open_exchanges(rma)),
    explain="Only for a replacement that we have not placed: ours, if it was planned, is given up.",
)
SETTLE_CREDIT: Final = Act(
    code="settle_credit",
    label="Credit issued by hand",
    permission="returnsops.settle_by_hand",
    form=forms.SettleCreditForm,
    run=_settle_credit,
    is_offered=lambda rma: bool(settle_by_hand.open_credits(rma)),
    explain="Only for a credit that we have not issued: ours, if it was planned, is given up.",
)
WITHDRAW_CREDIT: Final = Act(
    code="withdraw_credit",
    label="Withdraw a credit",
    permission="returnsops.withdraw_credit",
    form=forms.WithdrawCreditForm,
    run=_withdraw_credit,
    is_offered=_has("credits", withdrawn_at__isnull=True),
    is_grave=True,
    explain="It is not issued any more. Where it was issued, it is made worthless as long as it is not spent; the "
    "policy says whether that goes by itself, wants a second person, or is done by hand.",
)
RELEASE: Final = Act(
    code="release_return",
    label="Release this return",
    permission="returnsops.release_return",
    form=forms.ReleaseForm,
    run=_release,
    template="returnsops/release_one.html",
    is_offered=routes.needs_release,
    is_grave=True,
    explain="It began before its route went live, so nothing of it is sent until a person releases it. Check in the "
    "shop first what was done by hand.",
)
LOOK_AGAIN: Final = Act(
    code="look_again",
    label="Plan again now",
    permission="exceptions_queue.work_exceptioncase",
    form=NoForm,
    run=_look_again,
    explain="Works the plan out again from what is known now. Sends nothing by itself that was not due anyway.",
)
NOTE: Final = Act(
    code="note",
    label="Add a note",
    permission="exceptions_queue.work_exceptioncase",
    form=forms.NoteForm,
    run=_note,
)
RETURN_ACTS: Final = (
    RECEIVE,
    INSPECT,
    UNDO,
    CLASSIFY,
    ATTRIBUTE,
    UNDO_ATTRIBUTION,
    EXECUTOR,
    WAIVE,
    SETTLE_EXCHANGE,
    SETTLE_CREDIT,
    WITHDRAW_CREDIT,
    PROPOSE,
    PAID_OUTSIDE,
    RELEASE,
    LOOK_AGAIN,
    NOTE,
)
