"""What returns of a served shop put back into stock is read as records without money that name their line."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.ports import Link, Rejected, Retryable
from connectors.shopify import dispositions, reading
from connectors.simulators.shopify import CartLine, Order, return_mutations, reverse_logistics
from connectors.simulators.shopify.after_sales_records import ReverseLine
from connectors.simulators.shopify.state import gid
from returnsops.facts import OrderSnapshot
from tests.connectors.shopify.documents_of_orders import order as document
from tests.connectors.shopify.scripted import answered, scripted_link
from tests.connectors.shopify.served import Stage, id_of, stage

pytestmark = [pytest.mark.requirement("S1-25"), pytest.mark.requirement("S1-34")]


def read(own: Stage, order: Order) -> OrderSnapshot:
    found = reading.read_order(own.link, id_of(order))
    assert found is not None
    return found


def returned(own: Stage, order: Order, *, quantity: int = 1) -> list[ReverseLine]:
    """A return of so many units of every line that was sent; its lines on their way back."""
    given = [
        {"fulfillmentLineItemId": gid("FulfillmentLineItem", unit.id), "quantity": quantity, "returnReason": "UNWANTED"}
        for sent in order.fulfilments
        for unit in sent.lines
    ]
    before = set(own.shop.state.reverse_orders)
    wanted = {"orderId": id_of(order), "returnLineItems": given}
    return_mutations.return_create(own.shop.state, {"returnInput": wanted})
    return [line for number, one in own.shop.state.reverse_orders.items() if number not in before for line in one.lines]


def dispose(own: Stage, line: ReverseLine, kind: str, *, quantity: int = 1) -> None:
    """Staff say what becomes of units."""
    one = {
        "reverseFulfillmentOrderLineItemId": gid("ReverseFulfillmentOrderLineItem", line.id),
        "quantity": quantity,
        "dispositionType": kind,
        "locationId": gid("Location", own.warehouse.id),
    }
    reverse_logistics.dispose(own.shop.state, {"dispositionInputs": [one]})


def test_restocked_units_of_a_return_are_not_out_any_more_and_stand_beside_the_refunds() -> None:
    with stage() as own:
        order = own.place(3)
        jacket, _ = returned(own, order, quantity=1)
        (more, _) = returned(own, own.place(1))  # of another order
        dispose(own, more, "RESTOCKED")
        dispose(own, jacket, "RESTOCKED")
        own.refund(order, "25.00", 1, restock_type="RETURN")
        found = read(own, order)
    money, back = found.refunds
    assert (back.amount, back.key, back.is_zero_money) == (Decimal(0), "", True)
    assert back.reason == f"Restocked in return {order.name}-R1 of the shop"
    assert [(line.line_id, line.quantity, line.net) for line in back.lines] == [(found.lines[0].line_id, 1, Decimal(0))]
    assert (money.amount, money.lines[0].quantity) == (Decimal(25), 1)
    assert [(line.quantity, line.reduced_stock) for line in found.lines if line.kind == "item"] == [(3, 1), (1, 1)]


@pytest.mark.parametrize("kind", ["NOT_RESTOCKED", "PROCESSING_REQUIRED", "MISSING"])
def test_other_dispositions_put_nothing_back(kind: str) -> None:
    with stage() as own:
        order = own.place(2)
        jacket, _ = returned(own, order)
        dispose(own, jacket, kind)
        found = read(own, order)
        assert (found.refunds, found.lines[0].reduced_stock) == ((), 2)


def test_an_order_without_returns_costs_one_call_and_long_returns_are_read_to_their_end() -> None:
    with stage() as own:
        plain = own.place()
        read(own, plain)
        assert own.asked() == ["OrderFinalState"]
        order = own.shop.place([CartLine(variant=own.mug, price=Decimal(1)) for _ in range(23)], is_fulfilled=True)
        lines = returned(own, order)
        dispose(own, lines[-1], "RESTOCKED")
        found = read(own, order)
        asked = ["OrderFinalState", "OrderDispositions", "ReverseOrderLines"]
        assert own.asked()[1:] == asked
    assert [line.reduced_stock for line in found.lines] == [*[1] * 22, 0]


def test_every_page_of_returns_is_read() -> None:
    with stage() as own:
        order = own.place(6)
        jackets = [returned(own, order)[0], *(_one_more(own, order) for _ in range(5))]
        for jacket in jackets:
            dispose(own, jacket, "RESTOCKED")
        assert (len(read(own, order).refunds), read(own, order).lines[0].reduced_stock) == (6, 0)
        assert own.asked()[:3] == ["OrderFinalState", "OrderDispositions", "OrderDispositions"]


def _one_more(own: Stage, order: Order) -> ReverseLine:
    unit = order.fulfilments[0].lines[0]
    given = {"fulfillmentLineItemId": gid("FulfillmentLineItem", unit.id), "quantity": 1, "returnReason": "UNWANTED"}
    wanted = {"orderId": id_of(order), "returnLineItems": [given]}
    return_mutations.return_create(own.shop.state, {"returnInput": wanted})
    (line,) = list(own.shop.state.reverse_orders.values())[-1].lines
    return line


# --- what cannot be told ---------------------------------------------------------------------------------------------

LINE: dict[str, Any] = {
    "id": "gid://shopify/ReverseFulfillmentOrderLineItem/81",
    "fulfillmentLineItem": None,
    "dispositions": [],
}
RESTOCK = {"id": "gid://shopify/ReverseFulfillmentOrderDisposition/91", "type": "RESTOCKED", "quantity": 1}


def shown(*, updated_at: str = "2026-11-06T10:00:00Z", has_more: bool = False, **line: Any) -> Link:
    """A shop whose order has one return with one line on its way."""
    reverse = {"id": "gid://shopify/ReverseFulfillmentOrder/71", "lineItems": {"nodes": [LINE | line]}}
    orders = {"nodes": [reverse], "pageInfo": {"hasNextPage": has_more, "endCursor": "c"}}
    one = {"id": "gid://shopify/Return/61", "name": "#1001-R1", "reverseFulfillmentOrders": orders}
    body = {"data": {"order": {"updatedAt": updated_at, "returns": {"nodes": [one]}}}}
    return scripted_link(lambda url, asked: answered(body))[0]


def restocked(link: Link) -> Any:
    rows = {"nodes": [{"id": "gid://shopify/Return/61"}]}
    return dispositions.with_restocked(link, document(returns=rows))["restocked"]


def test_units_of_no_line_and_goods_at_more_places_than_are_listed_are_a_persons() -> None:
    assert restocked(shown()) == []
    for link in (shown(dispositions=[RESTOCK]), shown(has_more=True)):
        with pytest.raises(Rejected, match="Handle it by hand") as refused:
            restocked(link)
        assert refused.value.code == "unreadable_order"


def test_an_order_that_changed_meanwhile_is_read_again() -> None:
    with pytest.raises(Retryable, match="changed while its returns were read"):
        restocked(shown(updated_at="2026-11-06T10:00:01Z"))
