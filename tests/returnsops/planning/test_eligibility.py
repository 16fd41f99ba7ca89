"""Which units may still be returned, decided from values alone (S1-7, S4-5)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops.facts import RemoteRefund, RemoteRefundLine
from returnsops.planning.eligibility import Answer, Asked, decide, units_returned
from returnsops.planning.window import window_of
from tests.returnsops.planning import views

NOW = views.NOW


def answers(*asked: Asked, returned: dict[str, int] | None = None, days: int | None = None, **order: Any) -> Any:
    final = views.order(**order)
    window = window_of(placed_at=final.placed_at, days=days, time_zone="Europe/Madrid")
    return decide(final, asked, returned=returned or {}, window=window, now=NOW)


def answer(*asked: Asked, **given: Any) -> Answer:
    found: tuple[Answer, ...] = answers(*asked, **given)
    return found[0]


def shirts(quantity: int = 1, **named: str) -> Asked:
    return Asked(quantity=quantity, **(named or {"line_id": "11"}))


@pytest.mark.parametrize("named", [{"line_id": "11"}, {"sku": "TSHIRT"}, {"line_id": "11", "sku": "TSHIRT"}])
def test_units_bought_and_not_returned_are_eligible(named: dict[str, str]) -> None:
    found = answer(shirts(2, **named))
    assert found.is_eligible
    assert (found.line_id, found.sku, found.name) == ("11", "TSHIRT", "T-shirt")
    assert (found.bought, found.returned, found.returnable) == (2, 0, 2)


@pytest.mark.parametrize(
    "named", [{"line_id": "99"}, {"sku": "HAT"}, {"line_id": "11", "sku": "MUG"}, {"line_id": "13"}]
)
def test_a_foreign_line_is_not_and_shipping_is_no_item(named: dict[str, str]) -> None:
    found = answer(shirts(1, **named))
    assert (found.code, found.bought, found.returnable) == ("line_not_on_order", 0, 0)


def test_a_line_edited_to_nothing_is_not_on_the_order() -> None:
    assert answer(shirts(), lines=(views.order_line(quantity=0),)).code == "line_not_on_order"


def test_a_sku_on_two_lines_is_never_guessed() -> None:
    twice = (views.order_line(), views.order_line("21"))
    assert answer(shirts(1, sku="TSHIRT"), lines=twice).code == "sku_names_several_lines"
    assert answer(shirts(1, line_id="21"), lines=twice).code == "eligible"


def test_what_was_returned_before_counts() -> None:
    found = answer(shirts(2), returned={"11": 1})
    assert (found.code, found.returned, found.returnable) == ("too_many", 1, 1)
    assert found.text == "2 asked for, but only 1 can still be returned (2 bought, 1 returned before)."
    assert answer(shirts(1), returned={"11": 1}).is_eligible
    assert answer(shirts(1), returned={"11": 5}).returnable == 0


def test_entries_of_one_line_are_judged_together() -> None:
    found = answers(shirts(1), shirts(2, sku="TSHIRT"), Asked(quantity=1, sku="MUG"))
    assert [one.code for one in found] == ["too_many", "too_many", "eligible"]


def test_a_closed_window_stops_every_line() -> None:
    found = answer(shirts(), days=10)
    assert (found.code, found.returnable) == ("window_closed", 0)
    assert found.text == "The return window of 10 days ended on 02 May 2026."
    assert answer(shirts(), days=20).is_eligible


def test_a_locked_order_can_not_be_returned() -> None:
    found = answer(shirts(), is_locked=True, lock_reason="The order is cancelled in the shop.")
    assert (found.code, found.returnable) == ("order_locked", 0)
    assert "cancelled" in found.text


def refund(refund_id: str, line_id: str, quantity: int, amount: str = "10.00") -> RemoteRefund:
    line = RemoteRefundLine(line_id=line_id, quantity=quantity, net=Decimal(amount))
    return RemoteRefund(
        refund_id=refund_id, amount=Decimal(amount), currency="EUR", created_at=NOW - timedelta(days=1), lines=(line,)
    )


def test_refunds_by_anyone_count_once_and_records_without_money_not_at_all() -> None:
    order = views.order(
        refunds=(refund("r1", "11", 1), refund("r2", "12", 1), refund("r3", "12", 1, "0"), refund("r4", "11", 2))
    )
    assert units_returned(order, by_returns={"11": 1}, of_returns=["r4"]) == {"11": 2, "12": 1}
