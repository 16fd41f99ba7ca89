"""Decisions of people: each changes one thing and leaves who, when and why; a wrong one changes nothing."""

from datetime import timedelta
from typing import Any

import pytest

from returnsops import facts, states
from returnsops.models import HistoryEntry, ReturnAuthorisation, Waiver
from returnsops.services import decisions
from returnsops.services.decisions import DecisionError
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def said(kind: type[facts.HumanFact], rma: ReturnAuthorisation, **more: Any) -> facts.HumanFact:
    fields: dict[str, Any] = {"return_id": rma.external_id, "occurred_at": NOW, "by": "fiona", "why": "Looked at it."}
    return kind(**(fields | more))


def decide(kind: type[facts.HumanFact], rma: ReturnAuthorisation, **more: Any) -> None:
    decisions.apply_decision(rma=rma, fact=said(kind, rma, **more), at=LATER)


def refused(kind: type[facts.HumanFact], rma: ReturnAuthorisation, **more: Any) -> str:
    with pytest.raises(DecisionError) as caught:
        decide(kind, rma, **more)
    assert not HistoryEntry.objects.exists()
    return str(caught.value)


def entry(rma: ReturnAuthorisation) -> tuple[str, str, str]:
    """Act, subject and text of the one entry; who, when, why and about which return are the same for all."""
    row = HistoryEntry.objects.get()
    assert (row.by, row.at, row.why, row.rma) == ("fiona", LATER, "Looked at it.", rma)
    return (row.act, row.subject_type, row.text)


def test_a_decision_of_nobody_is_none() -> None:
    rma = make.ReturnFactory()
    assert refused(facts.HoldWaived, rma, by="", effect_key="", hold_code="x") == (
        "A decision needs the person who took it."
    )
    assert not Waiver.objects.exists()


# --- reasons -------------------------------------------------------------------------------------------------------


def test_a_person_chooses_the_reason_of_one_item() -> None:
    line = make.ReturnLineFactory(reason=None, external_id="i1")
    other = make.ReturnLineFactory(rma=line.rma, reason=None, external_id="i2")
    reason = make.ReasonCodeFactory(code="broken")
    decide(facts.ReasonClassified, line.rma, item_id="i1", reason_code="broken")
    line.refresh_from_db()
    other.refresh_from_db()
    assert (line.reason, line.reason_by) == (reason, "fiona")
    assert (other.reason, other.reason_by) == (None, "")
    assert entry(line.rma) == ("reason_classified", "returnline", f"Reason of {line.sku} classified as broken.")


@pytest.mark.parametrize(("item", "code"), [("i9", "broken"), ("i1", "unheard-of"), ("i1", "retired")])
def test_an_item_or_reason_that_does_not_exist_is_refused(item: str, code: str) -> None:
    line = make.ReturnLineFactory(reason=None, external_id="i1")
    make.ReturnLineFactory(reason=None, external_id="i9")
    make.ReasonCodeFactory(code="broken")
    make.ReasonCodeFactory(code="retired", is_active=False)
    text = refused(facts.ReasonClassified, line.rma, item_id=item, reason_code=code)
    assert text == f"Item {item} or active reason '{code}' does not exist."
    line.refresh_from_db()
    assert (line.reason, line.reason_by) == (None, "")


# --- holds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "text"),
    [("", "Hold outside_window released."), ("42.00", "Hold outside_window released for 42.00.")],
)
def test_a_released_hold_says_what_was_accepted(subject: str, text: str) -> None:
    rma = make.ReturnFactory()
    decide(facts.HoldWaived, rma, effect_key="", hold_code=states.CASE_OUTSIDE_WINDOW, subject=subject)
    row = Waiver.objects.get()
    assert (row.rma, row.hold_code, row.effect_key, row.subject) == (rma, "outside_window", "", subject)
    assert (row.by, row.at, row.why) == ("fiona", LATER, "Looked at it.")
    assert entry(rma) == ("hold_waived", "returnauthorisation", text)


def test_the_first_release_of_a_hold_stands() -> None:
    rma = make.ReturnFactory()
    decide(facts.HoldWaived, rma, effect_key="", hold_code="x")
    decide(facts.HoldWaived, rma, effect_key="", hold_code="x", by="oscar", why="Me too.")
    assert Waiver.objects.get().by == "fiona"
    assert list(HistoryEntry.objects.order_by("pk").values_list("by", flat=True)) == ["fiona", "oscar"]


def test_a_hold_is_not_released_without_a_reason() -> None:
    rma = make.ReturnFactory()
    assert refused(facts.HoldWaived, rma, effect_key="", hold_code="x", why="") == "Releasing a hold needs a reason."
    assert not Waiver.objects.exists()


# --- refunds made outside ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_for_return", "meaning"), [(True, "counts for this return"), (False, "has nothing to do with returns")]
)
def test_a_person_says_what_a_refund_made_outside_is_for(is_for_return: bool, meaning: str) -> None:
    rma = make.ReturnFactory(is_dirty=False)
    sibling = make.ReturnFactory(route=rma.route, order=rma.order, is_dirty=False)
    stranger = make.ReturnFactory(is_dirty=False)
    refund = make.RefundFactory(order=rma.order, external_id="77")
    decide(facts.RefundAttributed, rma, remote_refund_id="77", is_for_return=is_for_return)
    refund.refresh_from_db()
    assert (refund.rma, refund.is_unrelated) == (rma if is_for_return else None, not is_for_return)
    assert (refund.attributed_by, refund.attributed_at, refund.attributed_why) == ("fiona", LATER, "Looked at it.")
    dirty = set(ReturnAuthorisation.objects.filter(is_dirty=True).values_list("pk", flat=True))
    assert dirty == {rma.pk, sibling.pk}
    assert stranger.pk not in dirty
    act, subject, text = entry(rma)
    assert (act, subject) == ("refund_attributed", "refund")
    assert text == f"Refund 77 of £30.00 {meaning}."


def test_a_person_may_think_again() -> None:
    rma = make.ReturnFactory()
    refund = make.RefundFactory(order=rma.order, external_id="77")
    decide(facts.RefundAttributed, rma, remote_refund_id="77", is_for_return=True)
    decide(facts.RefundAttributed, rma, remote_refund_id="77", is_for_return=False)
    decide(facts.RefundAttributed, rma, remote_refund_id="77", is_for_return=True)
    refund.refresh_from_db()
    assert (refund.rma, refund.is_unrelated) == (rma, False)
    assert HistoryEntry.objects.count() == 3


@pytest.mark.parametrize("which", ["ours", "of another order", "unheard of", "no order"])
def test_only_a_refund_made_outside_on_this_order_can_be_attributed(which: str) -> None:
    rma = make.ReturnFactory(order=None) if which == "no order" else make.ReturnFactory()
    order = rma.order if which == "ours" else make.OrderFactory()
    refund = make.RefundFactory(order=order, external_id="77", origin="ours" if which == "ours" else "external")
    wanted = "78" if which == "unheard of" else "77"
    text = refused(facts.RefundAttributed, rma, remote_refund_id=wanted, is_for_return=True)
    assert text == f"Refund {wanted} is not a refund made outside on this return's order."
    refund.refresh_from_db()
    assert (refund.rma, refund.attributed_by) == (None, "")


def test_a_refund_counts_for_one_return_only() -> None:
    rma = make.ReturnFactory()
    first = make.ReturnFactory(route=rma.route, order=rma.order, number="RMA-7")
    refund = make.RefundFactory(
        order=rma.order, external_id="77", rma=first, attributed_by="fiona", attributed_at=NOW, attributed_why="x"
    )
    for is_for_return in (True, False):
        text = refused(facts.RefundAttributed, rma, remote_refund_id="77", is_for_return=is_for_return)
        assert text == "Refund 77 already counts for return RMA-7."
    refund.refresh_from_db()
    assert (refund.rma, refund.is_unrelated) == (first, False)


# --- who pays ---------------------------------------------------------------------------------------------------------


def test_a_person_says_who_pays_a_refund() -> None:
    payout = make.PlatformRefundFactory(external_id="payout_1", executed_by="")
    decide(facts.ExecutionDecided, payout.rma, refund_id="payout_1", executed_by="returns_platform")
    payout.refresh_from_db()
    assert (payout.executed_by, payout.executed_by_decided_by) == ("returns_platform", "fiona")
    text = "Refund payout_1 is paid by: returns platform."
    assert entry(payout.rma) == ("executor_decided", "platformrefund", text)


@pytest.mark.parametrize(("refund_id", "executed_by"), [("payout_9", "merchant"), ("payout_1", "")])
def test_who_pays_a_refund_that_is_not_there_cannot_be_said(refund_id: str, executed_by: str) -> None:
    payout = make.PlatformRefundFactory(external_id="payout_1", executed_by="")
    make.PlatformRefundFactory(external_id="payout_9", executed_by="")
    text = refused(facts.ExecutionDecided, payout.rma, refund_id=refund_id, executed_by=executed_by)
    assert text == f"Refund {refund_id} of this return does not exist, or nobody was named to pay it."
    payout.refresh_from_db()
    assert (payout.executed_by, payout.executed_by_decided_by) == ("", "")


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_on_line", [True, False])
def test_a_verdict_of_the_warehouse_can_be_taken_back_and_stays_on_record(is_on_line: bool) -> None:
    row = make.InspectionFactory(source="warehouse", identity="v1")
    name = str(row.line)
    if not is_on_line:
        row.line, name = None, row.item_external_id
        row.save()
    decide(facts.InspectionUndone, row.rma, item_id=row.item_external_id, identity="v1")
    row.refresh_from_db()
    assert (row.is_superseded, row.statement, row.quantity) == (True, "undone", 1)
    assert entry(row.rma) == ("inspection_undone", "inspection", f"Verdict taken back: 1 x {name}: sellable.")


@pytest.mark.parametrize("more", [{"source": "platform"}, {"is_superseded": True}, {"identity": "v2"}])
def test_only_a_warehouse_verdict_that_counts_can_be_taken_back(more: dict[str, Any]) -> None:
    row = make.InspectionFactory(**({"source": "warehouse", "identity": "v1"} | more))
    before = (row.is_superseded, row.statement)
    text = refused(facts.InspectionUndone, row.rma, item_id=row.item_external_id, identity="v1")
    assert "still counts" in text
    row.refresh_from_db()
    assert (row.is_superseded, row.statement) == before


@pytest.mark.parametrize("state", sorted(states.COMMITTED))
def test_a_verdict_whose_units_are_on_sale_is_taken_back_with_a_reason_only(state: str) -> None:
    row = make.InspectionFactory(source="warehouse", identity="v1")
    make.EffectFactory(rma=row.rma, restock=True, item_external_id=row.item_external_id, state=state)
    asked: dict[str, str] = {"item_id": row.item_external_id, "identity": "v1"}
    text = refused(facts.InspectionUndone, row.rma, why="", **asked)
    assert "give the reason" in text
    row.refresh_from_db()
    assert not row.is_superseded
    decide(facts.InspectionUndone, row.rma, **asked)
    row.refresh_from_db()
    assert row.is_superseded


@pytest.mark.parametrize(
    ("disposition", "state", "item"),
    [("damaged", states.DONE, None), ("sellable", states.READY, None), ("sellable", states.DONE, "another")],
)
def test_stock_that_did_not_move_because_of_it_keeps_no_verdict(disposition: str, state: str, item: str | None) -> None:
    row = make.InspectionFactory(source="warehouse", identity="v1", disposition=disposition)
    make.EffectFactory(rma=row.rma, restock=True, item_external_id=item or row.item_external_id, state=state)
    decide(facts.InspectionUndone, row.rma, item_id=row.item_external_id, identity="v1")
    row.refresh_from_db()
    assert row.is_superseded


# --- credits -------------------------------------------------------------------------------------------------------


def test_a_credit_is_taken_back_once_and_with_a_reason() -> None:
    row = make.CreditRequestFactory(external_id="cr_1", kind="gift_card")

    def withdraw(kind: str = "gift_card", why: str = "Looked at it.") -> None:
        about: dict[str, Any] = {"return_id": row.rma.external_id, "occurred_at": NOW, "by": "fiona"}
        fact = facts.CreditWithdrawn(**about, why=why, credit_id="cr_1", kind=kind)
        decisions.apply_decision(rma=row.rma, fact=fact, at=LATER)

    with pytest.raises(DecisionError, match="needs a reason"):
        withdraw(why="")
    with pytest.raises(DecisionError, match="does not exist"):
        withdraw("store_credit")
    withdraw()
    row.refresh_from_db()
    assert (row.withdrawn_by, row.withdrawn_at, row.withdrawn_why) == ("fiona", LATER, "Looked at it.")
    assert entry(row.rma) == ("credit_withdrawn", "creditrequest", "Gift card cr_1 withdrawn.")
    with pytest.raises(DecisionError, match="withdrawn already"):
        withdraw()


def test_who_issues_a_credit_is_decided_in_the_words_of_refunds() -> None:
    row = make.CreditRequestFactory(external_id="cr_1", executed_by="")
    decide(facts.ExecutionDecided, row.rma, refund_id="cr_1", executed_by="commerce_platform")
    row.refresh_from_db()
    assert (row.executed_by, row.executed_by_decided_by) == ("commerce_platform", "fiona")
    assert entry(row.rma)[2] == "Store credit cr_1 is paid by: commerce platform."
