"""What a simulated WooCommerce shop holds."""

from collections import Counter
from typing import Final

from connectors.management.demo.market_woocommerce import WooMarket
from connectors.management.demo.seen import (
    Seen,
    SeenCredit,
    SeenPayout,
    SeenRefund,
    SeenReplacement,
    SeenRestock,
    token_of,
    without_generation,
)
from connectors.simulators.woocommerce.pricing import totals_of
from connectors.simulators.woocommerce.records import Coupon, Order, Refund
from connectors.simulators.woocommerce.state import meta_value

KEY_META: Final = "_returnsops_key"
ORIGINAL_META: Final = "_returnsops_exchange_of"
STANDING: Final = "processing"
CANCELLED: Final = "cancelled"


def seen_in(market: WooMarket) -> Seen:
    """Everything of one shop that is to be compared."""
    state, currency = market.shop.state, market.place.currency
    refunds = list(state.refunds.values())
    return Seen(
        refunds=[
            SeenRefund(order_id=one.order_id, amount=one.amount, currency=currency, key=_key(one))
            for one in refunds
            if one.amount
        ],
        restocks=[SeenRestock(order_id=one.order_id, key=_key(one)) for one in refunds if not one.amount],
        payouts=[
            SeenPayout(id=str(one.refund_id), order_id=one.order_id, amount=one.amount, currency=currency)
            for one in market.shop.gateway_payouts
        ],
        notes=Counter((one.order_id, token_of(one.text)) for one in state.notes if token_of(one.text)),
        replacements=[
            _replacement(market, one) for one in state.orders.values() if meta_value(one.meta, ORIGINAL_META)
        ],
        credits=[_credit(one) for one in state.coupons.values() if meta_value(one.meta, KEY_META)],
        levels={product: state.products[product].stock_quantity or 0 for product in market.stocked},
        sold=_sold(market),
        owner_of=lambda order_id: str(state.orders[order_id].billing["email"]),
        standing=STANDING,
        cancelled=CANCELLED,
    )


def _credit(coupon: Coupon) -> SeenCredit:
    owner, key = " ".join(coupon.email_restrictions), str(meta_value(coupon.meta, KEY_META))
    return SeenCredit(amount=coupon.amount, owner=owner, key=key)


def _replacement(market: WooMarket, order: Order) -> SeenReplacement:
    return SeenReplacement(
        original_id=int(str(meta_value(order.meta, ORIGINAL_META))),
        told_as=str(order.id),
        key=str(meta_value(order.meta, KEY_META)),
        articles=tuple(line.variation_id or line.product_id for line in order.of_kind("line")),
        is_free=totals_of(order, market.place.decimals).total == 0,
        status=order.status,
    )


def _sold(market: WooMarket) -> Counter[int]:
    sold: Counter[int] = Counter()
    for order in market.shop.state.orders.values():
        for line in order.of_kind("line") if order.status != CANCELLED else ():
            sold[line.variation_id or line.product_id] += line.quantity
    return sold


def _key(refund: Refund) -> str:
    """Our key in a record."""
    named = next((str(meta.value) for meta in refund.meta if meta.key == KEY_META), "")
    first = refund.reason.split(" ", 1)[0]
    return without_generation(named or (first if first.startswith(("refund:", "restock:")) else ""))
