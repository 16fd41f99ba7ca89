"""Refunds: what the shop does with `POST /orders/{id}/refunds`, and with a refund entered by hand.

Follows woocommerce-observed.md sections 4 and 9: no idempotency, hardly any validation, one check of the amount.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from connectors.simulators.woocommerce import stock
from connectors.simulators.woocommerce.order_writing import change_status
from connectors.simulators.woocommerce.pricing import ZERO, quantised, tax_by_rate
from connectors.simulators.woocommerce.records import Item, ItemTax, Meta, Order, Payout, Refund
from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import WooError, refund_refusal

CANNOT_CREATE = "woocommerce_rest_cannot_create_order_refund"


@dataclass(frozen=True, kw_only=True)
class RefundLine:
    """What to give back of one item of the order: net amount and tax per rate id."""

    item_id: int
    quantity: int = 0
    total: Decimal = ZERO
    taxes: dict[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RefundRequest:
    """A refund to make. `amount` None: neither amount nor lines were sent. `is_numeric` False: not a number at all."""

    amount: Decimal | None
    reason: str = ""
    lines: tuple[RefundLine, ...] = ()
    is_gateway_called: bool = True
    is_restocked: bool = True
    is_numeric: bool = True
    meta: tuple[tuple[str, object], ...] = ()


def create_refund(shop: ShopState, order: Order, request: RefundRequest) -> Refund:
    """Make a refund or raise WooError (HTTP 500 for every business reason).

    With `settings.has_refund_lock` off, the amount is checked and written in two steps, as the real shop does, and
    `refund_pause` runs in between: concurrent refunds may then together pass the order's total.
    """
    with shop.lock:
        amount = None if request.amount is None else quantised(request.amount, shop.decimals)
        _check_amount(shop, order, amount, is_numeric=request.is_numeric)
        if shop.settings.has_refund_lock:
            return _write(shop, order, request, amount)
    if shop.refund_pause is not None:
        shop.refund_pause()
    with shop.lock:
        return _write(shop, order, request, amount)


def _check_amount(shop: ShopState, order: Order, amount: Decimal | None, *, is_numeric: bool) -> None:
    if amount is not None and amount < 0:
        message = "Refund amount must be greater than zero."
        raise refund_refusal("woocommerce_rest_invalid_order_refund", message, 400)
    if not is_numeric or (amount is not None and amount > shop.remaining(order)):
        raise refund_refusal(CANNOT_CREATE, "Invalid refund amount.", 500)


def _write(shop: ShopState, order: Order, request: RefundRequest, amount: Decimal | None) -> Refund:
    refund = Refund(
        id=shop.next_id("post"), order_id=order.id, amount=amount, reason=request.reason, created_at=shop.now()
    )
    if request.is_gateway_called:
        _pay_back(shop, order, refund)
    refund.items = [item for line in request.lines for item in _negative_copy(shop, order, line)]
    refund.tax_line_ids = {rate_id: shop.next_id("item") for rate_id in tax_by_rate(refund.items, shop.decimals)}
    shop.refunds[refund.id] = refund
    if request.is_restocked:
        stock.restock_refunded(shop, order, {line.item_id: line.quantity for line in request.lines})
    shop.add_note(order, 'Email "Refunded order" sent.')
    refund.is_full = shop.remaining(order) <= 0
    refund.meta.append(_meta(shop, "_refund_type", "full" if refund.is_full else "partial"))
    shop.touch(order)
    if refund.is_full:
        change_status(shop, order, "refunded")
    shop.emit("action.woocommerce_refund_created", refund.id)
    shop.emit("action.woocommerce_order_refunded", order.id)
    # The REST layer stores meta last of all: a crash before it leaves a refund without our key.
    refund.meta.extend(_meta(shop, key, value) for key, value in request.meta)
    return refund


def refund_remainder(shop: ShopState, order: Order) -> Refund | None:
    """What PUT status=refunded does: a record of the rest, without lines, gateway or restock."""
    rest = shop.remaining(order)
    if rest <= 0:
        return None
    return create_refund(
        shop,
        order,
        RefundRequest(amount=rest, reason="Order fully refunded.", is_gateway_called=False, is_restocked=False),
    )


def delete_refund(shop: ShopState, refund: Refund) -> None:
    """Delete a record: no stock, no status, no date and no webhook follow (section 4.13)."""
    del shop.refunds[refund.id]


def _pay_back(shop: ShopState, order: Order, refund: Refund) -> None:
    gateway = shop.gateways.get(order.payment_method)
    if gateway is None:
        raise _gateway_refusal("The payment gateway for this order does not exist.")
    if not gateway.is_refund_supported:
        raise _gateway_refusal("The payment gateway for this order does not support automatic refunds.")
    if gateway.failure == "declined":
        raise _gateway_refusal("The refund was declined by the payment provider.")
    shop.payouts.append(
        Payout(
            order_id=order.id,
            refund_id=refund.id,
            gateway_id=gateway.id,
            amount=refund.amount or ZERO,
            currency=order.currency,
            paid_at=shop.now(),
        )
    )
    if gateway.failure == "paid_then_error":
        raise _gateway_refusal("An error occurred while attempting to create the refund using the payment gateway API.")
    refund.is_payment_refunded = True


def _gateway_refusal(message: str) -> WooError:
    return refund_refusal(CANNOT_CREATE, message, 500)


def _negative_copy(shop: ShopState, order: Order, line: RefundLine) -> list[Item]:
    """The refund's own item, none for an unknown id or an empty line (both are dropped without a word)."""
    source = next((item for item in order.items if item.id == line.item_id), None)
    if source is None or not (line.quantity or line.total or line.taxes):
        return []
    is_line = source.kind == "line"
    return [
        Item(
            id=shop.next_id("item"),
            kind=source.kind,
            name=source.name,
            product_id=source.product_id,
            variation_id=source.variation_id,
            quantity=-line.quantity if is_line else 1,
            tax_class=source.tax_class,
            tax_status=source.tax_status,
            method_id=source.method_id,
            subtotal=-line.total,
            total=-line.total,
            taxes={
                rate_id: ItemTax(total=-tax, subtotal=-tax if is_line else None) for rate_id, tax in line.taxes.items()
            },
            meta=[_meta(shop, "_refunded_item_id", str(source.id))],
        )
    ]


def _meta(shop: ShopState, key: str, value: object) -> Meta:
    return Meta(id=shop.next_id("meta"), key=key, value=value)
