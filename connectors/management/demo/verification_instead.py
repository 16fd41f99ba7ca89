"""Goods and credit instead of money: each replacement and each coupon there once, and the platform told of it once.

Counted from the simulators' own records.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from connectors.management.demo.expectations import Book, ExpectedExchange
from connectors.management.demo.markets import Market
from connectors.simulators.woocommerce.pricing import totals_of
from connectors.simulators.woocommerce.records import Coupon, Order
from connectors.simulators.woocommerce.state import meta_value
from exceptions_queue.models import ExceptionCase
from returnsops import states

KEY_META: Final = "_returnsops_key"
ORIGINAL_META: Final = "_returnsops_exchange_of"
CANCELLED: Final = "cancelled"


def doubles_in(market: Market) -> list[str]:
    """Orders, coupons and messages of one key or content more than once."""
    where = market.place.title
    orders = Counter(str(meta_value(order.meta, KEY_META)) for order in replacements(market))
    coupons = Counter(str(meta_value(coupon.meta, KEY_META)) for coupon in coupons_of(market))
    told = Counter(
        (one.return_id, one.message, repr(sorted(one.body.items()))) for one in market.platform.merchant_desk.told
    )
    return [
        *(f"{where}: {count} orders carry the key {key}." for key, count in orders.items() if count > 1),
        *(f"{where}: {count} coupons carry the key {key}." for key, count in coupons.items() if count > 1),
        *(f"{where}: the platform was told {said[:2]} {count} times." for said, count in told.items() if count > 1),
    ]


def replacements(market: Market) -> list[Order]:
    """Orders in the shop that name an original order of ours."""
    return [order for order in market.shop.state.orders.values() if meta_value(order.meta, ORIGINAL_META)]


def coupons_of(market: Market) -> list[Coupon]:
    """Coupons in the shop that carry a key of ours."""
    return [coupon for coupon in market.shop.state.coupons.values() if meta_value(coupon.meta, KEY_META)]


def exchanges(markets: Iterable[Market], book: Book, problems: list[str]) -> dict[str, int]:
    """Each expected replacement is there once, worth nothing, of the right article, reserved or cancelled again."""
    placed = 0
    for market in markets:
        there = {str(meta_value(order.meta, ORIGINAL_META)): order for order in replacements(market)}
        expected = [one for one in book.exchanges if one.market == market.place.code]
        placed += len(replacements(market))
        if len(replacements(market)) != len(expected):
            problems.append(f"{market.place.title}: {len(replacements(market))} exchanges instead of {len(expected)}.")
        for one in expected:
            problems += _wrong(market, one, there.get(str(one.order_id)))
    return {"expected": len(book.exchanges), "placed": placed}


def _wrong(market: Market, expected: ExpectedExchange, order: Order | None) -> list[str]:
    where = f"{market.place.title}: the replacement for order {expected.order_id}"
    if order is None:
        return [f"{where} is missing."]
    products = [line.variation_id or line.product_id for line in order.of_kind("line")]
    found = [] if products == [expected.product_id] else [f"{where} holds {products}."]
    if totals_of(order, market.place.decimals).total != 0:
        found.append(f"{where} is not free.")
    wanted = CANCELLED if expected.is_withdrawn else "processing"
    return [*found, *([] if order.status == wanted else [f"{where} is {order.status} instead of {wanted}."])]


def credits(markets: Iterable[Market], book: Book, problems: list[str]) -> dict[str, int]:
    """Each expected coupon is there once, with its amount, for its customer only."""
    issued = 0
    for market in markets:
        there = Counter((coupon.amount, tuple(coupon.email_restrictions)) for coupon in coupons_of(market))
        orders = market.shop.state.orders
        expected: Counter[tuple[Decimal, tuple[str, ...]]] = Counter(
            (one.amount, (orders[one.order_id].billing["email"],))
            for one in book.credits
            if one.market == market.place.code
        )
        issued += there.total()
        if there != expected:
            problems.append(f"{market.place.title}: coupons {dict(there)} instead of {dict(expected)}.")
    return {"expected": len(book.credits), "issued": issued}


def write_backs(markets: Iterable[Market], book: Book, problems: list[str]) -> dict[str, int]:
    """Every replacement that stands is told to the platform once, or is a to-do of a person."""
    told = to_do = 0
    for market in markets:
        wanted = [one for one in book.exchanges if one.market == market.place.code and not one.is_withdrawn]
        numbers = _numbers(market)
        if market.place.is_told:
            told += len(market.platform.merchant_desk.told)
            problems += [
                f"{market.place.title}: the platform does not know the replacement of return {one.return_id}."
                for one in wanted
                if [row["order_id"] for row in market.platform.merchant_desk.told_of(one.return_id, "exchange_order")]
                != [numbers[str(one.order_id)]]
            ]
        else:
            to_do += len(wanted)
    cases = ExceptionCase.objects.active().filter(kind_code=states.CASE_PLATFORM_TO_DO).count()
    if cases != to_do:
        problems.append(f"{cases} to-dos at the platform instead of {to_do}.")
    return {"told": told, "to_do": to_do}


def _numbers(market: Market) -> Mapping[str, str]:
    """Original order → id of its replacement."""
    return {str(meta_value(order.meta, ORIGINAL_META)): str(order.id) for order in replacements(market)}


def summary(markets: Mapping[str, Market], book: Book, problems: list[str]) -> dict[str, Any]:
    """The three figures of the summary."""
    every = list(markets.values())
    return {
        "exchanges": exchanges(every, book, problems),
        "credits": credits(every, book, problems),
        "write_backs": write_backs(every, book, problems),
    }
