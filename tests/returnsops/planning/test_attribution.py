"""What a refund made outside was for: exact answers, doubts, and a second opinion on thousands of orders."""

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returnsops import money
from returnsops.facts import OrderLineSnapshot, TaxShare
from returnsops.planning import attribution_search
from returnsops.planning.attribution import Answer, OpenReturn, Question, explain, shown
from returnsops.planning.attribution_search import Choice, search
from tests.benchmarks.attribution_oracle import opinion
from tests.benchmarks.attribution_orders import labelled
from tests.benchmarks.attribution_scoring import scored
from tests.returnsops.planning import views as v

pytestmark = pytest.mark.requirement("S4-16")

SLICE = 500


def a_return(**changes: Any) -> OpenReturn:
    """One T-shirt wanted, asked for three days ago."""
    values: dict[str, Any] = {
        "ref": v.REF,
        "number": "RMA-1",
        "wanted": (("11", 1),),
        "lines": frozenset({"11"}),
        "requested_at": v.NOW - timedelta(days=3),
    }
    return OpenReturn(**(values | changes))


def asked(amount: str = "24.20", *returns: OpenReturn, lines: Any = (), **changes: Any) -> Answer:
    """The answer for one refund by hand on the order of a T-shirt and a mug."""
    refund = v.shop_refund(amount=amount, lines=lines, **changes.pop("refund", {}))
    return explain(Question(order=v.order(), refund=refund, returns=returns or (a_return(),), **changes))


def test_an_amount_that_is_exactly_the_units_of_one_return_is_applied() -> None:
    answer = asked()
    (best, goodwill) = answer.explanations
    assert (answer.is_unique, answer.applied_to) == (True, v.REF)
    assert (best.serves, best.words) == ("full", "1 x T-shirt; all of return RMA-1")
    (piece,) = best.pieces
    assert (piece.kind, piece.units, piece.low, piece.high) == ("units", 1, Decimal("24.20"), Decimal("24.20"))
    assert (goodwill.is_strict, goodwill.words) == (False, "goodwill on the order; no open return")
    assert shown(answer)[0] == {
        "rank": 1,
        "refund": "900",
        "explanation": "1 x T-shirt; all of return RMA-1",
        "points": 80,
    }


@pytest.mark.parametrize(
    ("amount", "wanted", "serves", "applied_to"),
    [
        ("24.20", (("11", 2),), "part", v.REF),
        ("48.40", (("11", 2),), "full", v.REF),
        ("48.40", (("11", 1),), "more", None),  # one more unit than comes back
        ("30.25", (("11", 1),), "full", v.REF),  # with shipping
        ("36.30", (("11", 1),), "more", None),  # with the mug, which nobody returns
        ("12.10", (("11", 1),), "none", None),  # the mug: an amount alone proves no absence
        ("6.05", (("11", 1),), "none", None),  # shipping
    ],
)
def test_amounts_without_lines(amount: str, wanted: Any, serves: str, applied_to: str | None) -> None:
    answer = asked(amount, a_return(wanted=wanted))
    assert (answer.explanations[0].serves, answer.applied_to) == (serves, applied_to)


def test_the_last_unit_carries_what_rounding_left() -> None:
    line = v.order_line(quantity=3, net=Decimal("10.00"), taxes=())
    order = v.order(lines=(line,), total=Decimal("10.00"))
    for amount, is_unit in [("3.33", True), ("3.34", True), ("3.32", False), ("3.35", False), ("6.67", True)]:
        wanted = a_return(wanted=(("11", 3),))
        answer = explain(Question(order=order, refund=v.shop_refund(amount=amount), returns=(wanted,)))
        assert answer.is_automatic is is_unit, amount


def test_a_last_unit_is_worth_what_earlier_refunds_left_of_it() -> None:
    taken = (v.refund_line(net="19.99"),)
    wanted = a_return(wanted=(("11", 1),))
    assert asked("24.21", wanted, taken=taken).applied_to == v.REF
    assert asked("24.20", wanted, taken=taken).applied_to == v.REF
    assert not asked("24.22", wanted, taken=taken).is_unique


def test_named_lines_are_believed_where_they_add_up() -> None:
    named = asked("24.20", lines=(v.refund_line(),))
    assert (named.is_unique, named.applied_to) == (True, v.REF)
    uncounted = asked("24.20", lines=(v.refund_line(quantity=0),))
    assert uncounted.applied_to == v.REF
    odd = asked("10.00", lines=(v.refund_line(net="8.26", tax="1.74"),))
    assert not odd.is_unique
    assert odd.explanations[0].words == "goodwill on T-shirt; and more than is asked for by return RMA-1"
    for bad in [(v.refund_line("99"),), (v.refund_line(quantity=2),), (v.refund_line(), v.refund_line())]:
        assert not asked("24.20", lines=bad).is_unique


def test_named_lines_that_no_return_touches_are_for_none() -> None:
    mug = (v.refund_line("12", net="10.00", tax="2.10"),)
    shipping = (v.refund_line("13", quantity=0, net="5.00", tax="1.05"),)
    part_of_shipping = (v.refund_line("13", quantity=0, net="2.00", tax="0.42"),)
    assert asked("12.10", lines=mug).applied_to == ""
    assert asked("6.05", lines=shipping).applied_to == ""
    assert asked("2.42", lines=part_of_shipping).applied_to == ""
    # A return that is to get shipping, or this very amount, may have been meant.
    assert asked("6.05", a_return(has_shipping=True), lines=shipping).applied_to is None
    assert asked("12.10", a_return(payouts=(Decimal("12.10"),)), lines=mug).applied_to is None
    # All units of the line are paid for already: refunded twice is for a person.
    assert asked("24.20", a_return(wanted=(("11", 0),)), lines=(v.refund_line(),)).applied_to is None


@pytest.mark.parametrize(
    "changes",
    [
        {"is_sure": False},
        {"refund": {"refunded_at": v.NOW - timedelta(days=4)}},
        {"refund": {"currency": "USD"}},
    ],
)
def test_what_is_in_doubt_is_never_applied(changes: Any) -> None:
    assert not asked("24.20", **changes).is_automatic


def test_digits_beyond_the_currency_explain_nothing() -> None:
    assert asked("24.2001").explanations == ()


def test_two_returns_of_the_same_units_are_two_explanations() -> None:
    other = a_return(ref="reveni/ret_2", number="RMA-2")
    by_amount, by_name = asked("24.20", a_return(), other), asked("24.20", a_return(), other, lines=(v.refund_line(),))
    assert not by_amount.is_unique
    assert not by_name.is_unique
    assert [one.return_ref for one in by_name.explanations] == [v.REF, "reveni/ret_2"]


def test_evidence_ranks_explanations() -> None:
    other = a_return(ref="reveni/ret_2", number="RMA-2")
    named = asked("24.20", a_return(), other, refund={"reason": "for rma-2, sorry"})
    assert named.explanations[0].return_ref == "reveni/ret_2"
    received = asked("24.20", a_return(), replace(other, received_at=v.NOW - timedelta(days=2)))
    assert received.explanations[0].return_ref == "reveni/ret_2"


@pytest.mark.parametrize("amount", ["20.00", "25.00", "10.00", "6.66", "33.28"])
def test_round_amounts_and_round_shares_may_be_goodwill(amount: str) -> None:
    shirt = v.order_line(quantity=1, net=Decimal(amount), taxes=())
    rest = v.order_line("14", quantity=1, net=Decimal("66.55") - Decimal(amount), taxes=())
    order = v.order(lines=(shirt, rest))
    answer = explain(Question(order=order, refund=v.shop_refund(amount=amount), returns=(a_return(),)))
    assert answer.explanations[0].return_ref == v.REF
    assert not answer.is_unique


def test_the_platforms_own_figure_is_offered_and_speaks_against_others() -> None:
    after_fee = asked("20.20", a_return(payouts=(Decimal("20.20"),)))
    assert after_fee.explanations[0].words == ("the very amount the returns platform decided for return RMA-1")
    assert not after_fee.is_unique
    other = a_return(ref="reveni/ret_2", number="RMA-2", wanted=(("12", 1),), lines=frozenset({"12"}))
    disputed = asked("24.20", a_return(), replace(other, payouts=(Decimal("24.20"),)))
    assert not disputed.is_unique


# --- the second opinion ----------------------------------------------------------------------------------------------


def test_a_slice_of_the_labelled_orders() -> None:
    score = scored(labelled(500, SLICE))
    assert score.wrong == []
    assert score.unfounded == []
    assert score.share_solved >= 0.95
    assert score.unique >= SLICE // 2  # the label is not a way out
    assert score.applied >= SLICE // 2


@given(seed=st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_unique_means_that_trying_everything_finds_one(seed: int) -> None:
    (one,) = labelled(seed, 1, most_lines=5)
    answer = explain(one.question)
    only = opinion(one.question).only
    assert answer.is_unique is (only is not None)
    if only is not None:
        best = next(explanation for explanation in answer.explanations if explanation.is_strict)
        assert (best.return_ref, tuple(sorted((piece.line_id, piece.units) for piece in best.pieces))) == only
    if answer.is_automatic:
        assert answer.applied_to == one.truth


# --- bounds ----------------------------------------------------------------------------------------------------------


def _large(count: int, *, same: bool = False) -> tuple[OrderLineSnapshot, ...]:
    nets = (Decimal("19.99") if same else Decimal(1000 + 37 * n * n % 20011) / 100 for n in range(count))
    return tuple(
        v.order_line(f"L{n}", quantity=4, net=money.rounded(net * 4, currency="EUR"), taxes=(_tax(net),))
        for n, net in enumerate(nets)
    )


def _tax(net: Decimal) -> TaxShare:
    return TaxShare(rate_id="1", amount=money.rounded(net * 4 * Decimal("0.21"), currency="EUR"))


@pytest.mark.parametrize("same", [True, False])
def test_an_order_of_a_hundred_lines_is_answered_soon_and_never_guessed(same: bool) -> None:
    lines = _large(100, same=same)
    order = v.order(lines=lines, total=Decimal("20000.01"))
    wanted = a_return(wanted=(("L7", 1), ("L9", 2)), lines=frozenset({"L7", "L9"}))
    amount = format(money.rounded(sum((line.net for line in lines[7:12]), Decimal("0.01")), currency="EUR"), "f")
    began = time.thread_time()
    answer = explain(Question(order=order, refund=v.shop_refund(amount=amount), returns=(wanted,)))
    assert time.thread_time() - began < 5
    assert not answer.is_automatic
    assert len(answer.explanations) <= 8


def test_in_a_large_order_named_lines_are_still_certain() -> None:
    lines = _large(100)
    order = v.order(lines=lines, total=Decimal("20000.01"))
    share = money.share_of_units
    net = share(lines[7].net, quantity=4, first=0, count=1, currency="EUR")
    tax = share(lines[7].taxes[0].amount, quantity=4, first=0, count=1, currency="EUR")
    named = v.refund_line("L7", net=str(net), tax=str(tax))
    refund = v.shop_refund(amount=str(net + tax), lines=(named,))
    wanted = a_return(wanted=(("L7", 1),), lines=frozenset({"L7"}))
    assert explain(Question(order=order, refund=refund, returns=(wanted,))).applied_to == v.REF


def test_a_search_that_met_its_cap_says_so() -> None:
    line = v.order_line()
    groups = [[Choice(line=line, units=1, low=1 << n, high=1 << n)] for n in range(40)]
    found = search(groups, (1 << 40) - 1, most=8)
    assert not found.is_complete
    assert search(groups[:20], 5, most=8).ways[0] == (groups[0][0], groups[2][0])


def test_pairs_are_capped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution_search, "MOST_PAIRS", 10)
    line = v.order_line()
    groups = [[Choice(line=line, units=1, low=n, high=n + 50)] for n in range(1, 12)]
    assert not search(groups, 60, most=8).is_complete


def test_more_ways_than_are_shown_are_not_all_listed() -> None:
    groups = [[Choice(line=v.order_line(), units=1, low=n, high=n)] for n in range(1, 12)]
    found = search(groups, 30, most=3)
    assert (len(found.ways), found.is_complete) == (3, True)


def test_lines_of_which_nothing_is_left_or_that_were_free_are_no_choices() -> None:
    whole = v.refund_line(quantity=2, net="40.00", tax="8.40")
    assert attribution_search.choices_of(v.order_line(), [whole], currency="EUR") == ()
    assert attribution_search.choices_of(v.order_line(net=Decimal(0), taxes=()), [], currency="EUR") == ()
