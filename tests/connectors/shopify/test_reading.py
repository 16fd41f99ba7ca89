"""Reading orders of a served shop: edits, refunds by hand, currencies, long orders, and what access costs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.ports import AuthFailed, Rejected
from connectors.shopify import reading
from connectors.simulators.shopify import CartLine, Order, Payment
from connectors.simulators.shopify.records import Refund
from returnsops.facts import OrderLineSnapshot, OrderSnapshot
from tests.connectors.shopify.served import Stage, id_of, stage

D = Decimal


def read(own: Stage, order: Order) -> OrderSnapshot:
    found = reading.read_order(own.link, id_of(order))
    assert found is not None
    return found


def id_of_refund(refund: Refund) -> str:
    return f"gid://shopify/Refund/{refund.id}"


def worth(line: OrderLineSnapshot) -> tuple[int, D, D]:
    return line.quantity, line.net, sum((share.amount for share in line.taxes), D(0))


@pytest.mark.parametrize(("is_tax_included", "net"), [(True, D("20.83")), (False, D("25.00"))])
@pytest.mark.requirement("S1-27")
def test_an_order_edited_and_partly_refunded_is_worth_what_stands_and_what_was_refunded(
    is_tax_included: bool, net: D
) -> None:
    with stage(is_tax_included=is_tax_included) as own:
        order = own.place(3, is_fulfilled=False)
        own.shop.edit(order, quantities={order.lines[0].id: 2, order.lines[1].id: 0})
        own.shop.fulfil(order)
        own.refund(order, "20.00", 1, note="for the stain", staff=own.shop.add_staff("Jo Smith", email="jo@a.test"))
        found = read(own, order)
    jackets, mug, postage = found.lines
    assert (jackets.quantity, mug.quantity, mug.net) == (2, 0, D(0))
    assert abs(jackets.net - 2 * net) <= D("0.01")
    assert (postage.kind, postage.quantity) == ("shipping", 1)
    paid = D("89.79") if is_tax_included else D("107.75")
    assert (found.total, found.currency, found.number) == (paid, "GBP", order.name)
    (refund,) = found.refunds
    assert (refund.amount, refund.key, refund.reason) == (D(20), "", "for the stain")
    assert refund.author.startswith("Jo Smith (Shopify staff ")
    assert [(line.line_id, line.quantity) for line in refund.lines] == [(jackets.line_id, 1)]
    assert found.meta["edited"] == "yes"


def test_amounts_are_in_the_currency_the_customer_paid_in() -> None:
    with stage(rates={"EUR": D("1.20")}) as own:
        order = own.place(1, presentment_currency="EUR")
        found = read(own, order)
    assert (found.currency, found.meta["shop_currency"], found.total) == ("EUR", "GBP", D("47.75"))
    assert sum(worth(found.lines[0])[1:], D(0)) == D("30.00")


def test_a_pending_refund_is_nothing_until_the_gateway_has_paid() -> None:
    with stage() as own:
        order = own.place()
        own.shop.set_gateway("shopify_payments", "PENDING")
        made = own.refund(order, "25.00", 1)
        assert read(own, order).refunds[0].amount == 0
        own.shop.settle(own.shop.state.transactions[made.transaction_ids[0]])
        paid = read(own, order).refunds[0]
        assert (paid.amount, paid.is_gateway_paid) == (D(25), True)


def test_split_payments_and_discounts() -> None:
    with stage() as own:
        payments = (Payment(gateway="gift_card", amount=D("10.00")), Payment())
        line = CartLine(variant=own.jacket, quantity=2, discount=D("5.00"), order_discount=D("3.00"))
        order = own.shop.place([line], payments=payments)
        found = read(own, order)
    quantity, net, tax = worth(found.lines[0])
    assert (quantity, net + tax, found.payment_method) == (2, D("42.00"), "gift_card, shopify_payments")
    assert (found.meta["fulfilment"], found.meta["unfulfilled_units"]) == ("UNFULFILLED", "2")


def test_orders_that_are_not_there_and_ids_of_all_kinds() -> None:
    with stage() as own:
        order = own.place()
        for name in (id_of(order), str(order.id)):
            found = reading.read_order(own.link, name)
            assert found is not None
            assert found.order_id == id_of(order)
        assert reading.read_order(own.link, "gid://shopify/Order/1") is None
        before = len(own.asked())
        assert reading.read_order(own.link, "no number") is None
        assert len(own.asked()) == before
        with pytest.raises(Rejected) as refused:
            reading.required_order(own.link, "1")
    assert refused.value.code == "order_not_found"


def test_every_line_of_a_long_order_and_of_a_long_refund_is_read() -> None:
    with stage() as own:
        order = own.shop.place([CartLine(variant=own.mug, price=D(1)) for _ in range(61)], is_fulfilled=True)
        own.shop.staff_refund(order, D("61.00"), lines={line.id: 1 for line in order.lines})
        found = read(own, order)
        assert own.asked()[:3] == ["OrderFinalState", "OrderFinalState", "RefundLines"]
    assert len(found.lines) == 61
    assert {worth(line)[0] for line in found.lines} == {1}
    assert len(found.refunds[0].lines) == 61


def test_an_order_with_more_than_a_hundred_refunds_is_read_whole_or_not_at_all() -> None:
    with stage() as own:
        order = own.place()
        staff = own.shop.add_staff("Jo Smith", email="jo@a.test")
        made = [own.shop.staff_refund(order, D("0.10"), staff=staff) for _ in range(125)]
        found = read(own, order)
        asked = ["OrderFinalState", "OrderMovements", "RefundsByIds", "RefundsByIds", "RefundAuthors"]
        assert own.asked() == asked
        assert sorted(one.refund_id for one in found.refunds) == sorted(id_of_refund(one) for one in made)
        assert sum((one.amount for one in found.refunds), D(0)) == D("12.50")
        assert {one.author.partition(" (")[0] for one in found.refunds} == {"Jo Smith"}
        made[-1].transaction_ids.clear()  # a payment that went back, and no refund says why
        with pytest.raises(Rejected, match="more refunds or payments than the shop shows"):
            read(own, order)


def test_without_the_right_to_see_staff_only_the_name_is_missing() -> None:
    with stage() as own:
        order = own.place()
        own.refund(order, "25.00", 1)
        own.shop.remove_scope("read_users")
        assert read(own, order).refunds[0].author == ""
        own.shop.remove_scope("read_orders")
        with pytest.raises(AuthFailed, match="read_orders"):
            reading.read_order(own.link, id_of(order))


def test_a_token_by_client_credentials_is_renewed_when_its_day_is_over() -> None:
    keys: dict[str, Any] = {"client_id": ("simulated-client-id",), "client_secret": ("simulated-client-secret",)}
    with stage(secrets=keys) as own:
        order = own.place()
        read(own, order)
        own.clock.advance(timedelta(days=1, minutes=1).total_seconds())
        read(own, order)
        own.shop.revoke_tokens()
        read(own, order)
        tokens = [call for call in own.shop.calls.all() if call.path.endswith("/access_token")]
    assert len(tokens) == 3
    assert "simulated-client-secret" not in str(tokens)
