"""What a simulated Shopify shop holds."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import unquote

from connectors.management.demo.market_shopify import ShopifyMarket
from connectors.management.demo.seen import (
    Seen,
    SeenCredit,
    SeenPayout,
    SeenRefund,
    SeenReplacement,
    SeenRestock,
    SeenReturn,
    token_of,
    without_generation,
)
from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.records import AdjustmentGroup, Order, Refund, Transaction
from connectors.simulators.shopify.refunding import STORE_CREDIT_GATEWAY
from connectors.simulators.shopify.state import gid

ORIGINAL: Final = "exchange_of"
KEY: Final = "returnsops_key"
OUR_RETURN: Final = "gid://returnsops/Return/"
AVAILABLE: Final = "available"
NOT_FOR_SALE: Final = ("damaged", "quality_control", "reserved", "safety_stock")
STANDING: Final = "to be sent"
CANCELLED: Final = "cancelled"
_RECORDED: Final = re.compile(r" recorded (\d+(?:\.\d+)?) [A-Z]{3}(?: |$)")
_OURS: Final = ("refund:", "store_credit:")


def seen_in(market: ShopifyMarket, *, orders_of_returns: Mapping[str, int]) -> Seen:
    """Everything of one shop that is to be compared. Stock is put back for returns, whose numbers name orders."""
    shop = market.shop.state
    with shop.lock:
        refunds = [_refund(market, one) for one in shop.refunds.values() if not _is_credit(market, one)]
        return Seen(
            refunds=[one for one in refunds if one.amount],
            restocks=list(_restocks(shop.groups.values(), orders_of_returns)),
            payouts=[_payout(shop.orders[one.order_id], one) for one in shop.transactions.values() if _is_paid(one)],
            notes=Counter(
                (order.id, token_of(line))
                for order in shop.orders.values()
                for line in (order.note or "").splitlines()
                if token_of(line)
            ),
            replacements=list(_replacements(market)),
            credits=list(_credits(market)),
            levels={one: market.shop.stock_of(shop.variants[one], market.main) for one in market.stocked},
            sold=_sold(market),
            owner_of=lambda order_id: str(shop.orders[order_id].customer_id),
            standing=STANDING,
            cancelled=CANCELLED,
            returns=[
                SeenReturn(order_id=one.order_id, units=sum(line.quantity for line in one.lines), status=one.status)
                for one in shop.returns.values()
            ],
            keys=_other_keys(market),
            aside=Counter(
                {
                    (one, state): units
                    for one in market.stocked
                    for state in NOT_FOR_SALE
                    if (units := market.shop.stock_of(shop.variants[one], market.main, state))
                }
            ),
            has_gift_cards=True,
        )


def _refund(market: ShopifyMarket, refund: Refund) -> SeenRefund:
    """What it paid; of a record without payments what its note says that somebody else paid."""
    order, rows = _moved(market, refund)
    said = _RECORDED.search(refund.note)
    amount = sum((row.amount.presentment for row in rows if row.status == "SUCCESS"), Decimal(0))
    if not rows and said:
        amount = Decimal(said.group(1))
    return SeenRefund(order_id=order.id, amount=amount, currency=order.presentment_currency, key=_key(refund))


def _moved(market: ShopifyMarket, refund: Refund) -> tuple[Order, list[Transaction]]:
    shop = market.shop.state
    return shop.orders[refund.order_id], [shop.transactions[one] for one in refund.transaction_ids]


def _is_credit(market: ShopifyMarket, refund: Refund) -> bool:
    return any(row.gateway == STORE_CREDIT_GATEWAY for row in _moved(market, refund)[1])


def _is_paid(row: Transaction) -> bool:
    return (row.kind, row.status) == ("REFUND", "SUCCESS") and row.gateway != STORE_CREDIT_GATEWAY


def _payout(order: Order, row: Transaction) -> SeenPayout:
    return SeenPayout(
        id=f"{row.refund_id} to payment {row.parent_id}",
        order_id=order.id,
        amount=row.amount.presentment,
        currency=order.presentment_currency,
    )


def _key(refund: Refund) -> str:
    first = refund.note.split(" ", 1)[0]
    return without_generation(first) if first.startswith(_OURS) else ""


def _restocks(groups: Iterable[AdjustmentGroup], orders: Mapping[str, int]) -> Iterable[SeenRestock]:
    """Adjustments that name a return and make units available."""
    for group in groups:
        reference = group.reference_uri or ""
        given = any(change.name == AVAILABLE and change.delta > 0 for change in group.changes)
        if given and reference.startswith(OUR_RETURN):
            yield SeenRestock(order_id=orders.get(unquote(reference.removeprefix(OUR_RETURN)), 0))


def _replacements(market: ShopifyMarket) -> Iterable[SeenReplacement]:
    shop = market.shop.state
    by_name = {order.name: order.id for order in shop.orders.values()}
    for order in shop.orders.values():
        marks = dict(order.attributes)
        if ORIGINAL in marks:
            is_sent = all(line.is_shipped and line.is_stock_claimed for line in order.lines)
            yield SeenReplacement(
                original_id=by_name.get(marks[ORIGINAL], 0),
                told_as=gid("Order", order.id),
                key=without_generation(marks.get(KEY, "")),
                articles=tuple(line.variant_id or 0 for line in order.lines),
                is_free=pricing.price_total(order).shop == 0,
                status=CANCELLED if order.cancelled_at else STANDING if is_sent else "not claimed from stock",
            )


def _credits(market: ShopifyMarket) -> Iterable[SeenCredit]:
    for account in market.shop.credit_accounts():
        for movement in account.movements:
            yield SeenCredit(amount=movement.amount, owner=str(account.customer_id))
    for card in market.shop.gift_cards():
        key = without_generation((card.note or "").split(" ", 1)[0])
        yield SeenCredit(amount=card.initial, owner=str(card.customer_id), key=key, is_gift_card=True)


def _sold(market: ShopifyMarket) -> Counter[int]:
    """Units of orders that stand: what an edit took out was given back to the shelf."""
    sold: Counter[int] = Counter()
    for order in market.shop.state.orders.values():
        for line in order.lines if not order.cancelled_at else ():
            sold[line.variant_id or 0] += line.quantity - line.removed
    return sold


def _other_keys(market: ShopifyMarket) -> Counter[str]:
    """Store credit by the key in its refund's note, returns by the one in their lines', parcels by their number."""
    shop = market.shop.state
    credits = [_key(one) for one in shop.refunds.values() if _is_credit(market, one)]
    returns = [line.note.split(" ", 1)[0] for one in shop.returns.values() for line in one.lines[:1] if line.note]
    parcels = [f"parcel {one.tracking_number}" for one in shop.reverse_deliveries.values() if one.tracking_number]
    return Counter([*credits, *(without_generation(key) for key in returns), *parcels])
