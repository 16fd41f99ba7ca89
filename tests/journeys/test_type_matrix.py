"""Refund, exchange, store credit and gift card are distinct: each does its own and nothing of the others (S4-18).

What a type asks of a person where nobody set it up is part of the matrix.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from returnsops import states
from tests.journeys.world import World, world

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("S4-18")]

OURS = '[routes.policy.credit]\nwriter = "us"'


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a return of one type leaves in the shop: money refunds, coupons, replacement orders, and the open cases."""

    resolution: str
    ask: Callable[[World, str], str]
    tables: str = OURS
    refunds: int = 0
    coupons: int = 0
    replacements: int = 0
    cases: tuple[str, ...] = ()


EXCHANGED = '[routes.policy.write_back]\nto_do = []\n[routes.policy.exchange]\nwriter = "us"'


def _exchange(w: World, return_id: str) -> str:
    other = w.product("TEE-BLK-L")
    line = {"sku": "TEE-BLK-L", "variant_id": str(other.id), "quantity": 1, "replaces_item_id": w.item_id(return_id)}
    return w.platform.request_exchange(return_id, lines=[line])


MATRIX = {
    "exchange": Row(resolution="exchange", ask=_exchange, tables=EXCHANGED, replacements=1),
    "exchange by hand": Row(resolution="exchange", ask=_exchange, tables="", cases=(states.CASE_MANUAL_EXCHANGE,)),
    "refund": Row(resolution="refund", ask=lambda w, r: w.pay(r, "30.00"), refunds=1),
    "store credit": Row(
        resolution="store_credit", ask=lambda w, r: w.platform.issue_credit(r, amount="30.00"), coupons=1
    ),
    "gift card": Row(
        resolution="gift_card",
        ask=lambda w, r: w.platform.issue_credit(r, amount="30.00", is_gift_card=True),
        coupons=1,
    ),
    "store credit by the platform": Row(
        resolution="store_credit",
        ask=lambda w, r: w.platform.issue_credit(r, amount="30.00", executed_by="returns_platform"),
    ),
    "store credit by hand": Row(
        resolution="store_credit",
        ask=lambda w, r: w.platform.issue_credit(r, amount="30.00"),
        tables="",
        cases=(states.CASE_MANUAL_CREDIT,),
    ),
}


@pytest.mark.parametrize("name", list(MATRIX))
def test_each_type_does_its_own_thing_and_nothing_else(name: str) -> None:
    row = MATRIX[name]
    with world(policy_tables=row.tables) as w:
        order = w.order((w.product(stock=10), 2))
        return_id = w.ask(order, resolution=row.resolution)
        w.platform.receive(return_id)
        w.judge(return_id)
        row.ask(w, return_id)
        w.settle()

        assert w.rma(return_id).resolution == row.resolution
        assert (len(w.money_refunds(order)), len(w.shop.state.coupons)) == (row.refunds, row.coupons)
        assert len(w.effects(return_id, states.REFUND)) == row.refunds
        assert len(w.effects(return_id, states.STORE_CREDIT)) == row.coupons
        assert len(w.shop.state.orders) == 1 + row.replacements
        assert len(w.effects(return_id, states.EXCHANGE)) == row.replacements
        assert len(w.restock_records(order)) == 1  # the goods go their own way, whatever the customer gets
        assert w.open_cases() == list(row.cases)
