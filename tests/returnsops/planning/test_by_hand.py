"""Units that people put back into stock: counted where line and records agree, never put back a second time."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import RemoteRefund
from returnsops.planning import by_hand
from returnsops.planning.policy import Policy, RestockPolicy
from returnsops.planning.view import ReturnView, SiblingView, WaiverView, order_fingerprint
from tests.returnsops.planning import views as v

pytestmark = pytest.mark.requirement("S4-14")

POLICY = Policy(restock=RestockPolicy(confirmation="platform"))


def record(refund_id: str = "950", quantity: int = 1, amount: str = "0", **changes: Any) -> RemoteRefund:
    """A record in the shop that names T-shirts, without money and key unless said."""
    values: dict[str, Any] = {
        "refund_id": refund_id,
        "amount": Decimal(amount),
        "currency": "EUR",
        "created_at": v.NOW,
        "lines": (v.refund_line(quantity=quantity, net="0", tax="0"),),
    }
    return RemoteRefund(**(values | changes))


def seen(*records: RemoteRefund, reduced: int | None = 1, quantity: int = 2, **changes: Any) -> ReturnView:
    """A return of one T-shirt, judged sellable; the order shows the records and what it still holds of stock."""
    bought = v.order_line(quantity=quantity, net=Decimal(20 * quantity), reduced_stock=reduced)
    values: dict[str, Any] = {
        "verdicts": (v.verdict(),),
        "order": v.order(lines=(bought, v.mug()), refunds=records),
    }
    return v.view(**(values | changes))


def restocks(view: ReturnView) -> list[tuple[str, int | None, list[str]]]:
    made = v.of_kind(v.planned(view, POLICY), states.RESTOCK)
    return [(one.key, one.quantity, v.codes(one)) for one in made]


def cases(view: ReturnView) -> list[str]:
    return [kind for kind in v.case_kinds(v.planned(view, POLICY)) if kind == states.CASE_RESTOCKED_BY_HAND]


def of_item(view: ReturnView, item: int = 0) -> int:
    return by_hand.units(view, view.lines[item])


def test_a_unit_put_back_by_hand_is_not_put_back_again() -> None:
    assert restocks(seen(reduced=2)) == [(f"restock:{v.REF}:a:1", 1, [])]
    found = seen(record())
    assert (of_item(found), restocks(found), cases(found)) == (1, [], [])


def test_the_rest_goes() -> None:
    found = seen(record(), lines=(v.shirt_item(quantity=2),), verdicts=(v.verdict(quantity=2),), quantity=3, reduced=2)
    assert restocks(found) == [(f"restock:{v.REF}:a:2", 1, [])]


@pytest.mark.parametrize(
    ("changes", "units"),
    [
        ({"reduced": None}, 0),  # never taken from stock, or dropped by the shop
        ({"reduced": 2}, 0),  # recorded, but nothing moved
        ({"reduced": 3}, 0),
        ({"reduced": 0}, 1),  # one is named, however much the line lacks
        ({"is_released": True}, 0),
        ({"order": None}, 0),
        ({"lines": (v.shirt_item(order_line_id=""),)}, 0),
    ],
)
def test_line_and_record_have_to_agree(changes: Any, units: int) -> None:
    assert of_item(seen(record(), **changes)) == units


def test_a_quantity_that_somebody_edited_is_no_restock() -> None:
    assert of_item(seen(quantity=5, reduced=2)) == 0


def test_our_own_restocks_are_not_by_hand() -> None:
    ours = record(key=f"restock:{v.REF}:a:1")
    assert of_item(seen(ours)) == 0
    assert of_item(seen(ours, record(), reduced=0)) == 1
    assert of_item(seen(ours, record(), reduced=None)) == 1  # the figure went with the last unit
    sent = v.effect(f"restock:{v.REF}:a:1", states.RESTOCK, item_id="a", quantity=1)
    assert of_item(seen(record(), effects=(sent,))) == 1  # sent since this reading, which shows none of it


def test_what_refunds_for_others_put_back_is_theirs() -> None:
    paid = record("900", amount="24.20")
    for attribution, units in [("this_return", 1), ("unattributed", 1), ("other_return", 0), ("unrelated", 0)]:
        refund = v.shop_refund(attribution=attribution, lines=paid.lines)
        assert of_item(seen(paid, shop_refunds=(refund,))) == units


def test_items_on_one_order_line_share_what_was_put_back() -> None:
    lines = (v.shirt_item(), v.shirt_item(item_id="b"))
    one = seen(record(), lines=lines, verdicts=(v.verdict(), v.verdict("b")))
    assert (of_item(one), of_item(one, 1)) == (1, 0)
    assert restocks(one) == [(f"restock:{v.REF}:b:1", 1, [])]
    both = seen(record(quantity=2), lines=lines, verdicts=(v.verdict(), v.verdict("b")), reduced=0)
    assert (of_item(both), of_item(both, 1)) == (1, 1)


def test_more_than_is_sellable_is_a_case_once_all_is_judged() -> None:
    damaged = v.verdict(disposition="damaged")
    assert cases(seen(record(), verdicts=(damaged,))) == [states.CASE_RESTOCKED_BY_HAND]
    assert cases(seen(record(), verdicts=())) == []
    accepted = WaiverView(hold_code=states.CASE_RESTOCKED_BY_HAND, subject="a")
    assert cases(seen(record(), verdicts=(damaged,), waivers=(accepted,))) == []


def test_more_of_it_later_is_a_case_again() -> None:
    accepted = WaiverView(hold_code=states.CASE_RESTOCKED_BY_HAND, subject="1 units of a")
    lines = (v.shirt_item(quantity=2),)
    one_damaged = (v.verdict(), v.verdict(disposition="damaged"))
    found = seen(record(quantity=2), lines=lines, verdicts=one_damaged, reduced=0, waivers=(accepted,))
    assert cases(found) == []
    worse = replace(found, verdicts=(v.verdict(quantity=2, disposition="damaged"),))
    (case,) = v.planned(worse, POLICY).cases
    assert case.cause.endswith(
        "only 0 of 2 are sellable. 1 of them was accepted before. Take the others out of the shop's stock."
    )
    assert case.evidence["by_hand_if_accepted"] == 2


def test_a_line_that_two_returns_bring_back_is_asked_about() -> None:
    other = SiblingView(ref="reveni/ret_2", number="RMA-2", lines=(v.shirt_item(),))
    found = seen(record(), siblings=(other,))
    assert restocks(found) == [(f"restock:{v.REF}:a:1", 1, [states.CASE_RESTOCKED_BY_HAND])]
    assert cases(found) == [states.CASE_RESTOCKED_BY_HAND]
    accepted = WaiverView(hold_code=states.CASE_RESTOCKED_BY_HAND, subject="a")
    assert restocks(replace(found, waivers=(accepted,))) == []
    this_many = replace(accepted, subject="1 units of a")
    assert restocks(replace(found, waivers=(this_many,))) == []
    more = seen(record(quantity=2), siblings=(other,), reduced=0, waivers=(this_many,))
    assert cases(more) == [states.CASE_RESTOCKED_BY_HAND]
    mug = replace(other, lines=(v.mug_item(),))
    assert restocks(replace(found, siblings=(mug,))) == []


def test_a_restock_by_hand_sends_what_rests_on_the_order_back_to_planning() -> None:
    order = v.order()
    ours = record(key=f"restock:{v.REF}:a:1")
    assert order_fingerprint(replace(order, refunds=(ours,))) == order_fingerprint(order)
    assert order_fingerprint(replace(order, refunds=(record(),))) == order_fingerprint(order)  # nothing moved
    less = replace(order, lines=(v.order_line(reduced_stock=1), *order.lines[1:]))
    assert order_fingerprint(replace(less, refunds=(record(),))) != order_fingerprint(order)
    assert order_fingerprint(replace(less, refunds=(ours,))) == order_fingerprint(order)
