"""What people do about cases of returns: each action calls its service, in the person's name, or says why not."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User

from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import HistoryEntry, InboundEvent, ReturnAuthorisation, Waiver
from returnsops.planning.plan import APPROVAL_REFUSED
from returnsops.services import case_actions, replan
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def rma() -> ReturnAuthorisation:
    """A return with an order."""
    row: ReturnAuthorisation = make.ReturnFactory(number="RMA-1")
    return row


@pytest.fixture
def fiona() -> User:
    """A person of finance."""
    person: User = make.UserFactory(username="fiona")
    return person


ASKED = states.CASE_NEEDS_APPROVAL


def case_of(rma: ReturnAuthorisation, *, kind: str = states.CASE_OUTSIDE_WINDOW, subject: str = "") -> ExceptionCase:
    fingerprint = ":".join([kind, rma.ref, *([subject] if subject else [])])
    case: ExceptionCase = make.CaseFactory(rma=rma, kind_code=kind, fingerprint=fingerprint)
    return case


def run(action: Callable[..., str], case: ExceptionCase, by: User | str, /, **data: Any) -> str:
    return action(case=case, by=by, at=NOW, reason="Looked at it.", data=data)


def who_and_why(act: str) -> tuple[str, object, str]:
    entry = HistoryEntry.objects.get(act=act)
    return (entry.by, entry.at, entry.why)


# --- which return ----------------------------------------------------------------------------------------------------


def test_a_case_names_its_return(rma: ReturnAuthorisation) -> None:
    assert case_actions.rma_of(case_of(rma)) == rma


@pytest.mark.parametrize(("subject_type", "subject_id"), [("connection", "1"), ("return", "999999")])
def test_a_case_about_something_else_is_refused(subject_type: str, subject_id: str, rma: ReturnAuthorisation) -> None:
    case = make.CaseFactory(rma=rma, subject_type=subject_type, subject_id=subject_id)
    with pytest.raises(CaseError, match="not about one return"):
        case_actions.rma_of(case)


def test_a_case_that_names_no_refund_yet_is_to_be_checked_again_before_its_refund_is_given_up(
    rma: ReturnAuthorisation, fiona: User
) -> None:
    """Cases opened by an older version name none; looking again writes them anew."""
    case = case_of(rma, kind=states.CASE_PLATFORM_REFUND_MISSING)
    with pytest.raises(CaseError, match="before it named the refunds it waits for"):
        run(case_actions.give_up_refund, case, fiona)
    assert not Waiver.objects.exists()


# --- looking again ----------------------------------------------------------------------------------------------------


def test_looking_again_plans_the_return_and_leaves_a_known_order_alone(rma: ReturnAuthorisation, fiona: User) -> None:
    assert run(case_actions.look_again, case_of(rma), fiona) == "Looked at again."
    rma.refresh_from_db()
    assert (rma.planned_at, rma.order_next_read_at) == (NOW, None)


def test_looking_again_says_when_the_return_cannot_be_planned(
    rma: ReturnAuthorisation, fiona: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replan, "plan", mock.Mock(side_effect=LookupError("no such place")))
    assert run(case_actions.look_again, case_of(rma), fiona) == replan.NOT_PLANNED
    rma.refresh_from_db()
    assert (rma.planned_at, rma.is_dirty) == (None, True)


def test_looking_again_asks_the_shop_for_a_missing_order(fiona: User) -> None:
    rma = make.ReturnFactory(order=None, order_external_id="9001")
    text = run(case_actions.look_again, case_of(rma), fiona)
    assert text == "Looked at again; the shop is asked for the order within a minute."
    rma.refresh_from_db()
    assert (rma.planned_at, rma.order_next_read_at) == (NOW, NOW)


# --- decisions --------------------------------------------------------------------------------------------------------


def test_a_reason_is_classified(rma: ReturnAuthorisation, fiona: User) -> None:
    line = make.ReturnLineFactory(rma=rma, external_id="i1", reason=None)
    make.ReasonCodeFactory(code="broken")
    text = run(case_actions.classify_reason, case_of(rma), fiona, item="i1", reason_code="broken")
    assert text == "Reason of item i1 set to broken."
    line.refresh_from_db()
    assert (line.reason.code, line.reason_by) == ("broken", "fiona")
    assert who_and_why("reason_classified") == ("fiona", NOW, "Looked at it.")
    event = InboundEvent.objects.get()
    assert (event.topic, event.by, event.rma) == ("ReasonClassified", "fiona", rma)


@pytest.mark.parametrize(
    ("meaning", "text"),
    [
        ("this_return", "Refund 77 counts for this return."),
        ("unrelated", "Refund 77 is not for this return."),
    ],
)
def test_a_refund_made_outside_is_attributed(rma: ReturnAuthorisation, fiona: User, meaning: str, text: str) -> None:
    refund = make.RefundFactory(order=rma.order, external_id="77")
    assert run(case_actions.attribute_refund, case_of(rma), fiona, refund="77", meaning=meaning) == text
    refund.refresh_from_db()
    assert (refund.rma, refund.is_unrelated) == ((rma, False) if meaning == "this_return" else (None, True))
    assert who_and_why("refund_attributed") == ("fiona", NOW, "Looked at it.")


def test_who_pays_is_decided(rma: ReturnAuthorisation, fiona: User) -> None:
    payout = make.PlatformRefundFactory(rma=rma, external_id="p1", executed_by="")
    text = run(case_actions.decide_executor, case_of(rma), fiona, refund="p1", executed_by="commerce_platform")
    assert text == "Refund p1 is paid by: commerce platform."
    payout.refresh_from_db()
    assert (payout.executed_by, payout.executed_by_decided_by) == ("commerce_platform", "fiona")
    assert who_and_why("executor_decided") == ("fiona", NOW, "Looked at it.")


@pytest.mark.parametrize("subject", ["", "i1", "payout:7"])
def test_a_hold_is_released_for_what_the_case_is_about(rma: ReturnAuthorisation, fiona: User, subject: str) -> None:
    assert run(case_actions.waive_hold, case_of(rma, subject=subject), fiona) == "Accepted as it is."
    row = Waiver.objects.get()
    assert (row.hold_code, row.effect_key, row.subject) == (states.CASE_OUTSIDE_WINDOW, "", subject)
    assert (row.by, row.at, row.why) == ("fiona", NOW, "Looked at it.")
    assert who_and_why("hold_waived") == ("fiona", NOW, "Looked at it.")


@pytest.mark.parametrize(("units", "words"), [(1, "1 unit of the item counts as"), (3, "3 units of the item count as")])
def test_goods_done_by_hand_are_accepted_with_their_number(
    rma: ReturnAuthorisation, fiona: User, units: int, words: str
) -> None:
    case = case_of(rma, kind=states.CASE_RESTOCK_IMPOSSIBLE, subject="i1")
    case.evidence = {"by_hand_if_accepted": units}
    assert case_actions.words_for_units(case) == f"{words} seen to."
    assert run(case_actions.accept_units, case, fiona) == "Accepted as seen to."
    assert Waiver.objects.get().subject == f"{units} units of i1"


def test_a_case_that_names_no_units_yet_is_to_be_checked_again_before_it_is_accepted(
    rma: ReturnAuthorisation, fiona: User
) -> None:
    case = case_of(rma, kind=states.CASE_RESTOCK_IMPOSSIBLE, subject="i1")
    assert case_actions.words_for_units(case) == ""
    with pytest.raises(CaseError, match="before it named its units"):
        run(case_actions.accept_units, case, fiona)


@pytest.mark.parametrize(("at_risk", "subject"), [(Decimal("20.0000"), "20"), (Decimal("0.5"), "0.5"), (None, "")])
def test_as_much_money_is_accepted_as_the_case_names(
    rma: ReturnAuthorisation, fiona: User, at_risk: Decimal | None, subject: str
) -> None:
    case = case_of(rma, kind=states.CASE_OVER_REFUNDED)
    case.money_at_risk = at_risk
    assert run(case_actions.accept_at_risk, case, fiona) == "Accepted as it is."
    assert Waiver.objects.get().subject == subject


@pytest.mark.parametrize(("given", "subject"), [("42.50", "42.50"), (Decimal("0.01"), "0.01")])
def test_exactly_one_amount_is_accepted(rma: ReturnAuthorisation, fiona: User, given: object, subject: str) -> None:
    case = case_of(rma, kind=states.CASE_AMOUNT_MISMATCH, subject="p1")
    case.money_at_risk, case.currency = Decimal("50.00"), "GBP"
    text = run(case_actions.accept_amount, case, fiona, amount=given)
    assert text == f"£{Decimal(subject):.2f} accepted; it waits for a second person."
    assert (Waiver.objects.get().hold_code, Waiver.objects.get().subject) == (states.CASE_AMOUNT_MISMATCH, subject)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("much", "'much' is not an amount; write it like 42.50."),
        ("", "'' is not an amount; write it like 42.50."),
        ("0", "The amount must be more than zero."),
        ("-1", "The amount must be more than zero."),
        ("NaN", "The amount must be more than zero."),
        ("Infinity", "The amount must be more than zero."),
        ("1000000000", "The amount is too large to be right."),
        ("1e2", "'1e2' is not written in digits; write it like 42.50."),
        (Decimal("1E+2"), "'1E+2' is not written in digits; write it like 42.50."),
        ("1_000", "'1_000' is not written in digits; write it like 42.50."),
    ],
)
def test_what_is_no_amount_is_not_accepted(rma: ReturnAuthorisation, fiona: User, given: object, text: str) -> None:
    with pytest.raises(CaseError) as caught:
        run(case_actions.accept_amount, case_of(rma), fiona, amount=given)
    assert str(caught.value) == text
    assert (Waiver.objects.count(), InboundEvent.objects.count(), HistoryEntry.objects.count()) == (0, 0, 0)


def test_a_decision_that_does_not_fit_is_said_in_the_case(rma: ReturnAuthorisation, fiona: User) -> None:
    with pytest.raises(CaseError, match="Item i9 or active reason 'broken' does not exist"):
        run(case_actions.classify_reason, case_of(rma), fiona, item="i9", reason_code="broken")
    assert (InboundEvent.objects.count(), HistoryEntry.objects.count()) == (0, 0)


# --- approvals --------------------------------------------------------------------------------------------------------


def test_a_second_person_approves(rma: ReturnAuthorisation, fiona: User) -> None:
    effect = make.EffectFactory(rma=rma, state=states.AWAITING_APPROVAL, payload_revision=3)
    text = run(case_actions.approve, case_of(rma, kind=ASKED), fiona, effect=str(effect.pk))
    assert text == "Approved: refund of £30.00."
    effect.refresh_from_db()
    assert (effect.state, effect.approved_by, effect.approved_at, effect.approved_revision) == (
        states.READY,
        fiona,
        NOW,
        3,
    )


def test_a_second_person_refuses_with_a_reason(rma: ReturnAuthorisation, fiona: User) -> None:
    effect = make.EffectFactory(rma=rma, state=states.AWAITING_APPROVAL)
    text = run(case_actions.refuse_approval, case_of(rma, kind=ASKED), fiona, effect=str(effect.pk))
    assert text == "Refused: refund of £30.00."
    effect.refresh_from_db()
    assert (effect.state, effect.error_code, effect.error_text) == (
        states.EFFECT_CANCELLED,
        APPROVAL_REFUSED,
        "Looked at it.",
    )
    assert who_and_why("effect_refused") == ("fiona", NOW, "Looked at it.")


DECIDE = [case_actions.approve, case_actions.refuse_approval]


@pytest.mark.parametrize("action", DECIDE)
def test_an_effect_that_does_not_wait_cannot_be_decided(
    rma: ReturnAuthorisation, fiona: User, action: Callable[..., str]
) -> None:
    effect = make.EffectFactory(rma=rma, state=states.DONE)
    with pytest.raises(CaseError):
        run(action, case_of(rma, kind=ASKED), fiona, effect=str(effect.pk))
    effect.refresh_from_db()
    assert (effect.state, effect.approved_by) == (states.DONE, None)


@pytest.mark.parametrize("action", DECIDE)
@pytest.mark.parametrize("given", ["", "x", "²", "999999"])
def test_an_effect_that_is_not_there_cannot_be_decided(
    rma: ReturnAuthorisation, fiona: User, action: Callable[..., str], given: str
) -> None:
    with pytest.raises(CaseError, match="This return has no such effect"):
        run(action, case_of(rma, kind=ASKED), fiona, effect=given)


@pytest.mark.parametrize("action", DECIDE)
def test_the_case_of_one_return_decides_nothing_about_another(
    rma: ReturnAuthorisation, fiona: User, action: Callable[..., str]
) -> None:
    foreign = make.EffectFactory(state=states.AWAITING_APPROVAL)
    with pytest.raises(CaseError, match="This return has no such effect"):
        run(action, case_of(rma, kind=ASKED), fiona, effect=str(foreign.pk))
    foreign.refresh_from_db()
    assert (foreign.state, foreign.approved_by) == (states.AWAITING_APPROVAL, None)


@pytest.mark.parametrize("action", DECIDE)
def test_a_machine_approves_nothing(rma: ReturnAuthorisation, action: Callable[..., str]) -> None:
    effect = make.EffectFactory(rma=rma, state=states.AWAITING_APPROVAL)
    with pytest.raises(CaseError, match="Only a person can approve"):
        run(action, case_of(rma, kind=ASKED), "system", effect=str(effect.pk))
    effect.refresh_from_db()
    assert effect.state == states.AWAITING_APPROVAL


@pytest.mark.parametrize("action", DECIDE)
def test_the_case_of_one_team_decides_nothing_of_another(
    rma: ReturnAuthorisation, fiona: User, action: Callable[..., str]
) -> None:
    effect = make.EffectFactory(rma=rma, state=states.AWAITING_APPROVAL)
    for kind in (states.CASE_NEEDS_STOCK_APPROVAL, states.CASE_NEEDS_EXCHANGE_APPROVAL):
        with pytest.raises(CaseError, match="This return has no such effect"):
            run(action, case_of(rma, kind=kind), fiona, effect=str(effect.pk))
    effect.refresh_from_db()
    assert (effect.state, effect.approved_by) == (states.AWAITING_APPROVAL, None)


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_replacement_and_a_credit_are_settled_by_hand(rma: ReturnAuthorisation, fiona: User) -> None:
    exchange = make.ExchangeRequestFactory(rma=rma, external_id="ex_1")
    credit = make.CreditRequestFactory(rma=rma, external_id="cr_1")
    case = case_of(rma)
    assert run(case_actions.settle_exchange, case, fiona, exchange="ex_1", reference="9005") == (
        "Replacement ex_1 ordered by hand: 9005."
    )
    assert run(case_actions.settle_credit, case, fiona, credit="cr_1", reference="GIFT-1") == (
        "Store credit cr_1 issued by hand: GIFT-1."
    )
    exchange.refresh_from_db()
    credit.refresh_from_db()
    assert (exchange.commerce_order_id, exchange.settled_by) == ("9005", "fiona")
    assert (credit.settled_reference, credit.settled_by) == ("GIFT-1", "fiona")
    for act in ("exchange_settled", "credit_settled"):
        assert who_and_why(act) == ("fiona", NOW, "Looked at it.")


def test_what_was_entered_in_the_platform_is_kept_with_who_and_under_which_reference(
    rma: ReturnAuthorisation, fiona: User
) -> None:
    subject = "already_refunded/900/abcdef012345"
    case = case_of(rma, kind=states.CASE_TELL_ALREADY_REFUNDED, subject=subject)
    assert run(case_actions.platform_told, case, fiona, reference=" note 17 ") == "Done in the platform: note 17."
    waiver = Waiver.objects.get()
    assert (waiver.hold_code, waiver.subject, waiver.by) == (states.CASE_TELL_ALREADY_REFUNDED, subject, "fiona")
    assert who_and_why("hold_waived") == ("fiona", NOW, "Done in the platform: note 17. Looked at it.")
    entry = HistoryEntry.objects.get(act="hold_waived")
    assert entry.text == "Told the returns platform by hand: already refunded (900)."


def test_done_in_the_platform_wants_a_reference(rma: ReturnAuthorisation, fiona: User) -> None:
    case = case_of(rma, kind=states.CASE_PLATFORM_TO_DO, subject="exchange_order/ex_1/abcdef012345")
    with pytest.raises(CaseError, match="Say what you entered there"):
        run(case_actions.platform_told, case, fiona, reference="  ")
    assert not Waiver.objects.exists()


# --- choices ----------------------------------------------------------------------------------------------------------


def test_items_to_classify_are_those_without_a_reason(rma: ReturnAuthorisation) -> None:
    make.ReturnLineFactory(rma=rma, external_id="i1", reason=None, quantity=2)
    make.ReturnLineFactory(rma=rma, external_id="i2", reason=None, name="", sku="S-2", is_matched=False)
    make.ReturnLineFactory(rma=rma, external_id="i3")
    make.ReturnLineFactory(rma=rma, external_id="i4", reason=None, is_withdrawn=True)
    make.ReturnLineFactory(external_id="i5", reason=None)
    assert case_actions.unclassified_items(case_of(rma)) == [("i1", "2 x Blue shirt"), ("i2", "1 x S-2")]


def test_reasons_are_the_active_ones(rma: ReturnAuthorisation) -> None:
    make.ReasonCodeFactory(code="broken", title="Broken")
    make.ReasonCodeFactory(code="retired", is_active=False)
    assert case_actions.active_reasons(case_of(rma)) == [("broken", "Broken")]


def test_refunds_to_attribute_are_those_nobody_has_explained(rma: ReturnAuthorisation) -> None:
    make.RefundFactory(order=rma.order, external_id="1", amount=Decimal("30.00"))
    make.RefundFactory(order=rma.order, external_id="2", origin="ours")
    make.RefundFactory(order=rma.order, external_id="3", amount=Decimal(0))
    make.RefundFactory(order=rma.order, external_id="4", vanished_at=NOW)
    make.RefundFactory(order=rma.order, external_id="5", is_unrelated=True)
    make.RefundFactory(order=rma.order, external_id="6", rma=rma)
    make.RefundFactory(external_id="7")
    assert case_actions.outside_refunds(case_of(rma)) == [("1", "£30.00 of 02 Mar 2026")]


def test_what_is_open_is_offered_and_what_is_done_is_not(rma: ReturnAuthorisation) -> None:
    make.ExchangeRequestFactory(rma=rma, external_id="ex_1")
    make.ExchangeRequestFactory(rma=rma, external_id="ex_2", settled_at=NOW, settled_by="carla")
    make.ExchangeRequestFactory(rma=rma, external_id="ex_3", cancelled_at=NOW)
    make.CreditRequestFactory(rma=rma, external_id="cr_1", kind="gift_card", amount=Decimal("12.50"))
    make.CreditRequestFactory(rma=rma, external_id="cr_2", settled_at=NOW, settled_by="carla")
    waits = make.EffectFactory(rma=rma, state=states.AWAITING_APPROVAL)
    make.EffectFactory(rma=rma, state=states.READY)
    make.PlatformRefundFactory(rma=rma, external_id="p1", amount=Decimal("30.00"))
    case = case_of(rma)
    assert case_actions.open_exchanges(case) == [("ex_1", "1 x SHIRT-L")]
    assert case_actions.open_credits(case) == [("cr_1", "gift card of £12.50")]
    assert case_actions.waiting_money(case) == [(str(waits.pk), "refund of £30.00")]
    assert case_actions.payouts(case) == [("p1", "£30.00 (p1)"), ("cr_1", "£12.50 (cr_1)")]
    assert case_actions.standing_credits(case) == [
        ("gift_card|cr_1", "gift card of £12.50"),
        ("store_credit|cr_2", "store credit of £30.00"),
    ]


def test_fixed_choices_cover_what_the_services_know(rma: ReturnAuthorisation) -> None:
    case = case_of(rma)
    assert [value for value, _ in case_actions.meanings(case)] == ["this_return", "unrelated"]
    assert [value for value, _ in case_actions.executors(case)] == [
        "returns_platform",
        "commerce_platform",
        "merchant",
    ]
