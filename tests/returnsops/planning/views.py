"""Views to plan from: one return of a T-shirt and a mug, asked for in May 2026. Each call may change any field."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RefundItem, RemoteRefundLine, TaxShare
from returnsops.planning.model import Plan, PlannedEffect
from returnsops.planning.plan import plan
from returnsops.planning.policy import Policy
from returnsops.planning.view import EffectView, LineView, PayoutView, ReturnView, ShopRefundView, VerdictView

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
REF = "reveni/ret_1"


def order_line(line_id: str = "11", **changes: Any) -> OrderLineSnapshot:
    """Two T-shirts, 40.00 net and 8.40 tax together."""
    values: dict[str, Any] = {
        "line_id": line_id,
        "kind": "item",
        "name": "T-shirt",
        "quantity": 2,
        "net": Decimal("40.00"),
        "taxes": (TaxShare(rate_id="1", amount=Decimal("8.40")),),
        "sku": "TSHIRT",
        "product_id": "101",
        "variation_id": "",
        "reduced_stock": 2,
    }
    return OrderLineSnapshot(**(values | changes))


def mug(**changes: Any) -> OrderLineSnapshot:
    """One mug, 10.00 net and 2.10 tax."""
    values: dict[str, Any] = {
        "name": "Mug",
        "quantity": 1,
        "net": Decimal("10.00"),
        "taxes": (TaxShare(rate_id="1", amount=Decimal("2.10")),),
        "sku": "MUG",
        "product_id": "102",
        "reduced_stock": 1,
    }
    return order_line("12", **(values | changes))


def shipping_line(**changes: Any) -> OrderLineSnapshot:
    """Shipping, 5.00 net and 1.05 tax."""
    values: dict[str, Any] = {
        "kind": "shipping",
        "name": "Flat rate",
        "quantity": 1,
        "net": Decimal("5.00"),
        "taxes": (TaxShare(rate_id="1", amount=Decimal("1.05")),),
        "sku": "",
        "reduced_stock": None,
    }
    return order_line("13", **(values | changes))


def order(**changes: Any) -> OrderSnapshot:
    """The order, 66.55 in all."""
    values: dict[str, Any] = {
        "order_id": "500",
        "number": "500",
        "status": "processing",
        "currency": "EUR",
        "total": Decimal("66.55"),
        "lines": (order_line(), mug(), shipping_line()),
        "refunds": (),
        "placed_at": NOW - timedelta(days=20),
        "modified_at": NOW - timedelta(days=20),
    }
    return OrderSnapshot(**(values | changes))


def shirt_item(**changes: Any) -> LineView:
    """One T-shirt that comes back."""
    values: dict[str, Any] = {
        "item_id": "a",
        "order_line_id": "11",
        "sku": "TSHIRT",
        "quantity": 1,
        "resolution": "refund",
        "name": "T-shirt",
        "reason_code": "too_small",
        "total": Decimal("24.20"),
    }
    return LineView(**(values | changes))


def mug_item(**changes: Any) -> LineView:
    """The mug that comes back."""
    values: dict[str, Any] = {
        "item_id": "b",
        "order_line_id": "12",
        "sku": "MUG",
        "name": "Mug",
        "total": Decimal("12.10"),
    }
    return shirt_item(**(values | changes))


def payout(refund_id: str = "re_1", amount: str = "24.20", **changes: Any) -> PayoutView:
    """The platform paid for one T-shirt itself."""
    values: dict[str, Any] = {
        "refund_id": refund_id,
        "amount": Decimal(amount),
        "currency": "EUR",
        "executed_by": "returns_platform",
        "issued_at": NOW - timedelta(hours=1),
        "items": (RefundItem(item_id="a", amount=Decimal(amount), quantity=1),),
    }
    return PayoutView(**(values | changes))


def verdict(item_id: str = "a", **changes: Any) -> VerdictView:
    """The platform says: one unit accepted, sellable for good."""
    values: dict[str, Any] = {
        "item_id": item_id,
        "source": "platform",
        "quantity": 1,
        "disposition": "sellable",
        "is_final": True,
        "outcome": "accepted",
        "inspected_at": NOW - timedelta(hours=2),
    }
    return VerdictView(**(values | changes))


def effect(key: str, kind: str, state: str = "done", **changes: Any) -> EffectView:
    """An effect that exists."""
    return EffectView(**({"key": key, "kind": kind, "state": state, "origin": "plan", "currency": "EUR"} | changes))


def shop_refund(refund_id: str = "900", amount: str = "24.20", **changes: Any) -> ShopRefundView:
    """A refund somebody made in the shop by hand yesterday."""
    values: dict[str, Any] = {
        "refund_id": refund_id,
        "amount": Decimal(amount),
        "currency": "EUR",
        "refunded_at": NOW - timedelta(days=1),
        "attribution": "unattributed",
    }
    return ShopRefundView(**(values | changes))


def refund_line(line_id: str = "11", quantity: int = 1, net: str = "20.00", tax: str = "4.20") -> RemoteRefundLine:
    """One T-shirt's worth, as a refund names it."""
    return RemoteRefundLine(
        line_id=line_id,
        quantity=quantity,
        net=Decimal(net),
        taxes=(TaxShare(rate_id="1", amount=Decimal(tax)),),
    )


def view(**changes: Any) -> ReturnView:
    """An authorised return of one T-shirt, its order read, nothing inspected, nothing paid."""
    values: dict[str, Any] = {
        "ref": REF,
        "number": "RMA-1",
        "status": "authorised",
        "mode": "on_receipt",
        "resolution": "refund",
        "currency": "EUR",
        "lines": (shirt_item(),),
        "order_id": "500",
        "order": order(),
        "commerce": "woo",
        "requested_at": NOW - timedelta(days=3),
        "authorised_at": NOW - timedelta(days=3),
        "locations": {"sellable": "shelf", "damaged": "bin", "quarantine": "cage"},
    }
    return ReturnView(**(values | changes))


def planned(view: ReturnView, policy: Policy | None = None, now: datetime = NOW) -> Plan:
    """The plan at noon of the story."""
    return plan(view, policy or Policy(), now)


def of_kind(made: Plan, kind: str) -> list[PlannedEffect]:
    """The planned effects of one kind."""
    return [one for one in made.effects if one.kind == kind]


def case_kinds(made: Plan) -> list[str]:
    """The kinds of the cases planned, sorted."""
    return sorted(case.kind for case in made.cases)


def codes(one: PlannedEffect) -> list[str]:
    """The codes of an effect's holds."""
    return [hold.code for hold in one.holds]
