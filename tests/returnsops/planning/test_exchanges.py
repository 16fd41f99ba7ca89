"""Replacement orders: what is planned, what it waits for, what people decide, and what follows (S4-18, S4-19)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import ExchangeLine
from returnsops.planning.exchange_ends import EXCHANGE_KEPT, EXCHANGE_PAID, inverse_key
from returnsops.planning.keys import content_hash
from returnsops.planning.model import Plan, PlannedEffect
from returnsops.planning.policy import ExchangePolicy, Policy, ReversalPolicy, WriteBackPolicy
from returnsops.planning.view import CreditView, EffectView, ExchangeView, ReturnView, WaiverView
from tests.returnsops.planning import views as v

KEY = f"exchange:{v.REF}:ex_1"
LINE = ExchangeLine(sku="TSHIRT-L", quantity=1, variant_id="105", replaces_item_id="a")
WANTED = [{"sku": "TSHIRT-L", "variant_id": "105", "quantity": 1}]
QUIET = WriteBackPolicy(to_do=())  # what the platform is told is another rule's
OURS = Policy(exchange=ExchangePolicy(writer="us"), write_back=QUIET)
THEIRS = Policy(exchange=ExchangePolicy(writer="platform"), write_back=QUIET)


def exchange(**changes: Any) -> ExchangeView:
    """One T-shirt in L instead of the one that comes back, at once."""
    values: dict[str, Any] = {
        "exchange_id": "ex_1",
        "lines": (LINE,),
        "is_cancelled": False,
        "is_settled": False,
        "is_instant": True,
    }
    return ExchangeView(**(values | changes))


def view(*exchanges: ExchangeView, **changes: Any) -> ReturnView:
    line = v.shirt_item(resolution="exchange")
    return v.view(**{"resolution": "exchange", "lines": (line,), "exchanges": exchanges or (exchange(),), **changes})


def placed(state: str = "done", **changes: Any) -> EffectView:
    values = {"remote_id": "71", "lines_hash": content_hash(WANTED)} | changes
    return v.effect(KEY, states.EXCHANGE, state, **values)


def only(made: Plan, kind: str = states.EXCHANGE) -> PlannedEffect:
    (effect,) = v.of_kind(made, kind)
    return effect


def texts(effect: PlannedEffect) -> list[str]:
    return [hold.text for hold in effect.holds]


def waiver(code: str, subject: str = "ex_1", effect_key: str = "") -> WaiverView:
    return WaiverView(hold_code=code, subject=subject, effect_key=effect_key)


# --- what is planned -------------------------------------------------------------------------------------------------


def test_an_instant_exchange_of_ours_is_one_effect_that_may_go() -> None:
    effect = only(v.planned(view(), OURS))
    assert effect.key == KEY
    assert effect.payload == {"exchange_id": "ex_1", "lines": WANTED, "rma_number": "RMA-1"}
    assert (effect.serial_key, effect.quantity, effect.holds) == ("goods:105", 1, ())


@pytest.mark.parametrize("policy", [Policy(), OURS])
def test_by_a_person_or_without_a_shop_it_is_a_to_do(policy: Policy) -> None:
    made = v.planned(view(commerce="woo" if policy is not OURS else ""), policy)
    assert v.of_kind(made, states.EXCHANGE) == []
    assert v.case_kinds(made) == [states.CASE_MANUAL_EXCHANGE]
    (case,) = made.cases
    assert case.cause == "exchange ex_1 asks for 1 x TSHIRT-L. Place the replacement order, or record its number."


@pytest.mark.parametrize("lines", [(), (replace(LINE, sku="", variant_id=""),), (replace(LINE, quantity=0),)])
def test_goods_that_are_not_named_are_a_to_do(lines: tuple[ExchangeLine, ...]) -> None:
    made = v.planned(view(exchange(lines=lines)), OURS)
    assert v.of_kind(made, states.EXCHANGE) == []
    (case,) = made.cases
    assert case.kind == states.CASE_MANUAL_EXCHANGE
    assert case.cause.endswith("The platform does not say which goods.")


@pytest.mark.parametrize(
    "changes",
    [{"exchanges": (exchange(is_settled=True),)}, {"exchanges": (exchange(is_cancelled=True),)}]
    + [{"status": status} for status in (states.DECLINED, states.CANCELLED, states.EXPIRED)],
)
def test_what_is_settled_withdrawn_or_of_an_ended_return_is_not_placed(changes: dict[str, Any]) -> None:
    made = v.planned(view(**changes), OURS)
    assert v.of_kind(made, states.EXCHANGE) == []
    assert v.case_kinds(made) == []


# --- what it waits for -----------------------------------------------------------------------------------------------


def test_not_instant_it_waits_for_the_inspection_of_what_it_replaces() -> None:
    lines = (v.shirt_item(resolution="exchange"), v.mug_item())
    waits = view(exchange(is_instant=False), lines=lines)
    assert texts(only(v.planned(waits, OURS))) == ["waits for inspection of 1 of 1 item"]
    assert only(v.planned(replace(waits, verdicts=(v.verdict("a"),)), OURS)).holds == ()


def test_without_naming_items_it_waits_for_those_to_be_exchanged_or_all() -> None:
    unnamed = exchange(is_instant=False, lines=(replace(LINE, replaces_item_id=""),))
    lines = (v.shirt_item(resolution="exchange"), v.mug_item())
    assert texts(only(v.planned(view(unnamed, lines=lines), OURS))) == ["waits for inspection of 1 of 1 item"]
    lines = (v.shirt_item(), v.mug_item())
    assert texts(only(v.planned(view(unnamed, lines=lines), OURS))) == ["waits for inspection of 2 of 2 items"]


@pytest.mark.parametrize(("release", "words"), [("received", "received"), ("disposition_final", "inspected")])
def test_a_return_without_items_waits_for_its_own_progress(release: str, words: str) -> None:
    policy = Policy(exchange=ExchangePolicy(writer="us", release_instant=release))
    empty = view(lines=())
    assert texts(only(v.planned(empty, policy))) == [f"waits for the return to be {words}"]
    assert only(v.planned(replace(empty, status=states.INSPECTED), policy)).holds == ()


def test_a_person_may_release_the_waiting() -> None:
    released = view(exchange(is_instant=False), waivers=(waiver("waits_for_trigger", "", KEY),))
    assert only(v.planned(released, OURS)).holds == ()


def test_refused_goods_are_not_replaced_without_a_word() -> None:
    refused = view(exchange(is_instant=False), verdicts=(v.verdict("a", outcome="rejected"),))
    made = v.planned(refused, OURS)
    assert v.codes(only(made)) == [states.CASE_EXCHANGE_UNDECIDED]
    assert states.CASE_EXCHANGE_UNDECIDED in v.case_kinds(made)
    accepted = replace(refused, waivers=(waiver(states.CASE_EXCHANGE_UNDECIDED),))
    assert only(v.planned(accepted, OURS)).holds == ()
    assert only(v.planned(replace(refused, exchanges=(exchange(),)), OURS)).holds == ()


def test_a_difference_is_asked_for_and_paid_by_its_amount() -> None:
    dearer = view(exchange(price_difference=Decimal("10.0000")))
    made = v.planned(dearer, OURS)
    assert v.codes(only(made)) == [states.CASE_EXCHANGE_PRICE]
    (case,) = made.cases
    assert (case.fingerprint, case.money_at_risk) == (f"exchange_price:{v.REF}:ex_1=10", Decimal(10))
    paid = replace(dearer, waivers=(waiver(EXCHANGE_PAID, "ex_1=10"),))
    assert (only(v.planned(paid, OURS)).holds, only(v.planned(paid, OURS)).needs_approval) == ((), False)
    assert v.codes(only(v.planned(replace(paid, exchanges=(exchange(price_difference=Decimal(11)),)), OURS))) == [
        states.CASE_EXCHANGE_PRICE
    ]
    place = Policy(exchange=ExchangePolicy(writer="us", price_up="place"))
    assert only(v.planned(dearer, place)).holds == ()
    assert "10 more" in only(v.planned(replace(dearer, currency=""), OURS)).holds[0].text


def test_a_difference_that_nobody_pays_wants_a_second_person() -> None:
    given = view(
        exchange(price_difference=Decimal("10.0000")), waivers=(waiver(states.CASE_EXCHANGE_PRICE, "ex_1=10"),)
    )
    made = v.planned(given, OURS)
    assert only(made).payload["given_up"] == "ex_1=10", "an approval from before nobody paid it does not hold"
    assert (only(made).holds, only(made).needs_approval) == ((), True)
    (case,) = made.cases
    assert (case.kind, case.money_at_risk) == (states.CASE_NEEDS_EXCHANGE_APPROVAL, Decimal(10))
    assert case.cause == (
        "sending a replacement that costs €10.00 more, which nobody pays, waits for the approval of a second person."
    )
    paid_after_all = replace(given, waivers=(*given.waivers, waiver(EXCHANGE_PAID, "ex_1=10")))
    assert not only(v.planned(paid_after_all, OURS)).needs_approval
    place = Policy(exchange=ExchangePolicy(writer="us", price_up="place"))
    assert not only(v.planned(given, place)).needs_approval
    named = replace(given, exchanges=(exchange(price_difference=Decimal(10), commerce_order_id="71"),))
    assert not only(v.planned(named, OURS)).needs_approval


def test_a_risk_hold_freezes_it() -> None:
    assert v.codes(only(v.planned(view(is_on_risk_hold=True), OURS))) == [states.CASE_RISK_HOLD]


# --- the platform writes ---------------------------------------------------------------------------------------------


def test_the_platforms_order_is_waited_for_then_looked_for_by_whoever_was_to_place_it() -> None:
    effect = only(v.planned(view(), THEIRS))
    assert (v.codes(effect), effect.payload["adopt"]) == (["waits_for_platform_order"], "")
    named = view(exchange(commerce_order_id="88", lines=()))
    for policy in (THEIRS, OURS):
        effect = only(v.planned(named, policy))
        assert (effect.holds, effect.payload["adopt"], effect.serial_key) == ((), "88", "")


def test_a_platform_that_names_no_order_in_time_is_a_case() -> None:
    late = view(authorised_at=v.NOW - timedelta(hours=24))
    made = v.planned(late, THEIRS)
    assert v.case_kinds(made) == [states.CASE_EXCHANGE_UNDECIDED]
    early = v.planned(view(authorised_at=v.NOW - timedelta(hours=23)), THEIRS)
    assert (v.case_kinds(early), early.next_look_at) == ([], v.NOW + timedelta(hours=1))
    accepted = replace(late, waivers=(waiver(states.CASE_EXCHANGE_UNDECIDED),))
    assert v.case_kinds(v.planned(accepted, THEIRS)) == []
    final = Policy(exchange=ExchangePolicy(writer="platform", release_instant="disposition_final"))
    assert v.case_kinds(v.planned(late, final)) == []


# --- refused by the shop ---------------------------------------------------------------------------------------------


def refused(**changes: Any) -> EffectView:
    payload = {"exchange_id": "ex_1", "lines": WANTED, "rma_number": "RMA-1"}
    values = {"error_code": states.OUT_OF_STOCK, "error_text": "Only 0 left.", "payload_hash": content_hash(payload)}
    return v.effect(KEY, states.EXCHANGE, states.REJECTED, **(values | changes))


def test_goods_that_are_not_there_are_a_case_until_something_else_is_asked_for() -> None:
    made = v.planned(view(effects=(refused(),)), OURS)
    assert v.case_kinds(made) == [states.CASE_EXCHANGE_UNAVAILABLE]
    assert made.cases[0].cause == "exchange ex_1 was not placed: Only 0 left."
    assert only(made).key == KEY
    assert v.case_kinds(v.planned(view(effects=(refused(payload_hash="other"),)), OURS)) == []
    assert v.case_kinds(v.planned(view(effects=(refused(error_code="woo_said_no"),)), OURS)) == []


def test_refunded_instead_it_is_for_the_platform_to_change() -> None:
    given_up = view(effects=(refused(),), waivers=(waiver(states.CASE_EXCHANGE_UNAVAILABLE),))
    made = v.planned(given_up, OURS)
    assert v.of_kind(made, states.EXCHANGE) == []
    assert v.case_kinds(made) == [states.CASE_EXCHANGE_UNDECIDED]
    sent_all_the_same = replace(given_up, waivers=(*given_up.waivers, waiver(states.CASE_EXCHANGE_UNDECIDED)))
    assert v.case_kinds(v.planned(sent_all_the_same, OURS)) == [states.CASE_EXCHANGE_UNDECIDED]
    changed = waiver(states.CASE_EXCHANGE_UNDECIDED, "ex_1/instead")
    assert v.case_kinds(v.planned(replace(given_up, waivers=(*given_up.waivers, changed)), OURS)) == []


# --- once it is placed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", sorted(states.COMMITTED))
def test_what_is_sent_is_never_planned_again(state: str) -> None:
    made = v.planned(view(effects=(placed(state),)), OURS)
    assert v.of_kind(made, states.EXCHANGE) == []
    assert v.case_kinds(made) == []


def test_other_goods_or_another_order_afterwards_are_a_case() -> None:
    other = exchange(lines=(replace(LINE, sku="TSHIRT-M", variant_id="104"),), commerce_order_id="99")
    made = v.planned(view(other, effects=(placed(),)), OURS)
    (case,) = made.cases
    assert case.kind == states.CASE_EXCHANGE_CHANGED
    assert "it asks for other goods now and the platform names order 99 as its replacement" in case.cause
    for subject in ("ex_1", case.fingerprint.rpartition(":")[2]):
        accepted = view(other, effects=(placed(),), waivers=(waiver(states.CASE_EXCHANGE_CHANGED, subject),))
        assert v.case_kinds(v.planned(accepted, OURS)) == []
    once_more = replace(accepted, exchanges=(replace(other, commerce_order_id="98"),))
    assert v.case_kinds(v.planned(once_more, OURS)) == [states.CASE_EXCHANGE_CHANGED]
    assert v.case_kinds(v.planned(view(exchange(commerce_order_id="71"), effects=(placed(),)), OURS)) == []
    theirs = replace(other, commerce_order_id="71")
    assert v.case_kinds(v.planned(view(theirs, effects=(placed(),)), THEIRS)) == []


def test_a_cheaper_replacement_of_a_closed_return_without_a_refund_is_a_case() -> None:
    cheaper = exchange(price_difference=Decimal(-10))
    open_still = view(cheaper, effects=(placed(),), status=states.INSPECTED)
    assert v.case_kinds(v.planned(open_still, OURS)) == []
    closed = replace(open_still, status=states.CLOSED)
    made = v.planned(closed, OURS)
    assert v.case_kinds(made) == [states.CASE_EXCHANGE_UNDECIDED]
    assert made.cases[0].money_at_risk == Decimal(10)
    assert "10 less" in v.planned(replace(closed, currency=""), OURS).cases[0].cause
    accepted = replace(closed, waivers=(waiver(states.CASE_EXCHANGE_UNDECIDED, "ex_1/difference"),))
    assert v.case_kinds(v.planned(accepted, OURS)) == []
    assert states.CASE_EXCHANGE_UNDECIDED not in v.case_kinds(v.planned(replace(closed, payouts=(v.payout(),)), OURS))
    credit = CreditView(
        credit_id="c", kind="store_credit", amount=Decimal(10), currency="EUR", executed_by="", is_settled=True
    )
    assert v.case_kinds(v.planned(replace(closed, credits=(credit,)), OURS)) == []


def test_the_platforms_difference_is_refunded_as_it_says() -> None:
    cheaper = exchange(price_difference=Decimal("-10.00"))
    decided = view(cheaper, effects=(placed(),), payouts=(v.payout(amount="10.00"),), verdicts=(v.verdict(),))
    refund = only(v.planned(decided, OURS), states.REFUND)
    assert (refund.amount, refund.holds) == (Decimal("10.00"), ())
    other = replace(decided, payouts=(v.payout(amount="9.00"),))
    assert v.codes(only(v.planned(other, OURS), states.REFUND)) == [states.CASE_AMOUNT_MISMATCH]
    plain = replace(decided, lines=(v.shirt_item(),))
    assert v.codes(only(v.planned(plain, OURS), states.REFUND)) == [states.CASE_AMOUNT_MISMATCH]


# --- withdrawn -------------------------------------------------------------------------------------------------------


def policy_of(mode: str) -> Policy:
    return replace(OURS, reversal=ReversalPolicy(exchange=mode))


WITHDRAWN = exchange(is_cancelled=True)
INVERSE = inverse_key(KEY)


@pytest.mark.parametrize("changes", [{"exchanges": (WITHDRAWN,)}, {"status": states.CANCELLED}])
def test_withdrawn_after_it_was_placed_a_person_decides(changes: dict[str, Any]) -> None:
    made = v.planned(view(effects=(placed(),), **changes), policy_of("case"))
    effect = only(made, states.CANCEL_EXCHANGE)
    assert (effect.key, effect.payload) == (INVERSE, {"order_id": "71", "key": KEY, "exchange_id": "ex_1"})
    assert (v.codes(effect), v.case_kinds(made)) == (
        [states.CASE_EXCHANGE_WITHDRAWN],
        [states.CASE_EXCHANGE_WITHDRAWN],
    )
    released = view(effects=(placed(),), waivers=(waiver(states.CASE_EXCHANGE_WITHDRAWN, "", INVERSE),), **changes)
    made = v.planned(released, policy_of("case"))
    assert (only(made, states.CANCEL_EXCHANGE).holds, v.case_kinds(made)) == ((), [])


@pytest.mark.parametrize(("mode", "needs_approval"), [("approve", True), ("automatic", False)])
def test_withdrawn_it_goes_by_itself_or_wants_a_second_person(mode: str, needs_approval: bool) -> None:
    effect = only(v.planned(view(WITHDRAWN, effects=(placed(),)), policy_of(mode)), states.CANCEL_EXCHANGE)
    assert (effect.holds, effect.needs_approval) == ((), needs_approval)


def test_nothing_is_cancelled_while_the_order_is_on_its_way_kept_cancelled_already_or_the_platforms() -> None:
    policy = policy_of("automatic")
    on_its_way = view(WITHDRAWN, effects=(placed("unknown"),))
    kept = view(WITHDRAWN, effects=(placed(),), waivers=(waiver(EXCHANGE_KEPT),))
    cancelled = view(WITHDRAWN, effects=(placed(), v.effect(INVERSE, states.CANCEL_EXCHANGE, "done")))
    for seen in (on_its_way, kept, cancelled):
        made = v.planned(seen, policy)
        assert (v.of_kind(made, states.CANCEL_EXCHANGE), v.case_kinds(made)) == ([], [])
    assert v.of_kind(v.planned(view(WITHDRAWN, effects=(placed(),)), THEIRS), states.CANCEL_EXCHANGE) == []


def test_withdrawn_after_it_left_is_for_the_warehouse() -> None:
    gone = v.effect(INVERSE, states.CANCEL_EXCHANGE, states.REJECTED, error_code=states.ALREADY_SHIPPED)
    made = v.planned(view(WITHDRAWN, effects=(placed(), gone)), policy_of("automatic"))
    assert v.case_kinds(made) == [states.CASE_EXCHANGE_SHIPPED]
    other = replace(gone, error_code="not_our_order")
    assert v.case_kinds(v.planned(view(WITHDRAWN, effects=(placed(), other)), policy_of("automatic"))) == []


def test_withdrawn_after_it_was_placed_by_hand_is_work_of_a_person() -> None:
    by_hand = exchange(is_cancelled=True, is_settled=True, commerce_order_id="9001")
    made = v.planned(view(by_hand), Policy())
    assert v.case_kinds(made) == [states.CASE_EXCHANGE_WITHDRAWN]
    kept = view(by_hand, waivers=(waiver(EXCHANGE_KEPT),))
    assert v.case_kinds(v.planned(kept, Policy())) == []


# --- wished again ----------------------------------------------------------------------------------------------------

AGAIN = exchange(is_renewed=True)
SECOND = f"{KEY}:2"


def taken_back(state: str = "done", key: str = KEY) -> EffectView:
    return v.effect(inverse_key(key), states.CANCEL_EXCHANGE, state)


def test_wished_again_before_it_was_sent_it_is_planned_as_before() -> None:
    assert only(v.planned(view(AGAIN, effects=(placed(states.EFFECT_CANCELLED),)), OURS)).key == KEY


@pytest.mark.parametrize("effects", [(placed(),), (placed(), taken_back("held")), (placed(), taken_back("unknown"))])
def test_wished_again_while_its_order_stands_or_nobody_knows_no_other_is_placed(effects: Any) -> None:
    made = v.planned(view(AGAIN, effects=effects), policy_of("automatic"))
    assert (v.of_kind(made, states.EXCHANGE), v.of_kind(made, states.CANCEL_EXCHANGE)) == ([], [])
    assert v.case_kinds(made) == []


@pytest.mark.parametrize("state", ["done", "confirmed"])
def test_wished_again_after_its_order_was_taken_back_the_next_has_a_key_of_its_own(state: str) -> None:
    effects = (placed("confirmed"), taken_back(state))
    made = v.planned(view(AGAIN, effects=effects), policy_of("automatic"))
    assert (only(made).key, only(made).payload["lines"]) == (SECOND, WANTED)
    second = replace(placed(remote_id="72"), key=SECOND)
    made = v.planned(view(AGAIN, effects=(*effects, second)), policy_of("automatic"))
    assert v.of_kind(made, states.EXCHANGE) == []
    gone = v.planned(view(WITHDRAWN, effects=(*effects, second)), policy_of("automatic"))
    assert only(gone, states.CANCEL_EXCHANGE).key == inverse_key(SECOND)
    third = v.planned(view(AGAIN, effects=(*effects, second, taken_back(key=SECOND))), policy_of("automatic"))
    assert only(third).key == f"{KEY}:3"


@pytest.mark.parametrize("is_by_hand", [True, False])
def test_wished_again_after_people_dealt_with_the_withdrawal_is_theirs_to_see_to(is_by_hand: bool) -> None:
    one = replace(AGAIN, is_settled=True, commerce_order_id="71") if is_by_hand else AGAIN
    effects = () if is_by_hand else (placed(),)
    kept = waiver(EXCHANGE_KEPT)
    made = v.planned(view(one, effects=effects, waivers=(kept,)), OURS)
    assert v.of_kind(made, states.EXCHANGE) == []
    (case,) = made.cases
    assert (case.kind, case.evidence) == (states.CASE_EXCHANGE_UNDECIDED, {"exchange": "ex_1", "order": "71"})
    assert "is wished again after its withdrawal was dealt with by hand" in case.cause
    accepted = waiver(states.CASE_EXCHANGE_UNDECIDED, "ex_1/again")
    assert v.planned(view(one, effects=effects, waivers=(kept, accepted)), OURS).cases == ()
    assert v.planned(view(replace(one, is_renewed=False), effects=effects, waivers=(kept,)), OURS).cases == ()


# --- what the shop shows of it ---------------------------------------------------------------------------------------


def test_note_status_and_customer_note_name_the_order_once_it_is_there() -> None:
    told = replace(OURS, exchange=replace(OURS.exchange, customer_note=True))
    arrived = view(effects=(placed(),))
    notes = [note.payload for note in v.of_kind(v.planned(arrived, told), states.NOTE)]
    assert {
        "token": "[RMA-1/exchanged/ex_1]",
        "text": "Return RMA-1: the replacement is order 71. [RMA-1/exchanged/ex_1]",
    } in notes
    assert {
        "token": "[RMA-1/told/ex_1]",
        "text": "Your replacement is on its way to you as order 71. [RMA-1/told/ex_1]",
        "is_for_customer": True,
    } in notes
    assert not [note for note in v.of_kind(v.planned(arrived, OURS), states.NOTE) if "told" in note.key]
    sending = view(effects=(placed("sending"),))
    assert not [note for note in v.of_kind(v.planned(sending, told), states.NOTE) if "ex_1" in note.key]


def test_the_status_says_placed_and_cancelled() -> None:
    def status(*effects: EffectView) -> str:
        mirrors = v.of_kind(v.planned(view(effects=effects), OURS), states.MIRROR)
        return next(str(one.payload["value"]) for one in mirrors if one.payload["field"] == "status")

    assert status(placed()).endswith("; replacement order 71 placed")
    inverse = v.effect(INVERSE, states.CANCEL_EXCHANGE, "confirmed")
    assert status(placed(), inverse).endswith("; replacement order 71 cancelled")
