"""Goods and credit instead of money, and the shop's own returns: each there once, and the platform told of it once.

Counted from the simulators' own records.
"""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

from connectors.management.demo.expectations import Book, ExpectedExchange
from connectors.management.demo.markets import Market, ReveniMarket
from connectors.management.demo.seen import Seen, SeenReplacement
from exceptions_queue.models import ExceptionCase
from returnsops import states

Figures: TypeAlias = dict[str, dict[str, int]]


def compare(market: Market, seen: Seen, book: Book, problems: list[str]) -> Figures:
    """The figures of one market for the summary, which adds them up; what is wrong goes into ``problems``."""
    found: list[str] = []
    figures = {
        "exchanges": _exchanges(market, seen, book, found),
        "credits": _credits(market, seen, book, found),
        "write_backs": _write_backs(market, seen, book, found),
    }
    problems += [f"{market.place.title}: {text}" for text in (*found, *_returns(market, seen, book))]
    return figures


def doubles_in(market: Market, seen: Seen) -> Iterable[str]:
    """Orders, credits and messages of one key or content more than once."""
    orders = Counter(one.key for one in seen.replacements)
    credits = Counter(one.key for one in seen.credits if one.key)
    yield from (f"{count} orders carry the key {key}." for key, count in orders.items() if count > 1)
    yield from (f"{count} credits carry the key {key}." for key, count in credits.items() if count > 1)
    if isinstance(market, ReveniMarket):
        desk = market.platform.merchant_desk.told
        told = Counter((one.return_id, one.message, repr(sorted(one.body.items()))) for one in desk)
        yield from (f"the platform was told {said[:2]} {count} times." for said, count in told.items() if count > 1)


def _exchanges(market: Market, seen: Seen, book: Book, found: list[str]) -> dict[str, int]:
    """Each expected replacement is there once, worth nothing, of the right article, reserved or cancelled again."""
    expected = [one for one in book.exchanges if one.market == market.place.code]
    there = {one.original_id: one for one in seen.replacements}
    if len(seen.replacements) != len(expected):
        found.append(f"{len(seen.replacements)} exchanges instead of {len(expected)}.")
    for one in expected:
        wrong = _wrong(one, there.get(one.order_id), seen)
        found += [f"the replacement for order {one.order_id} {text}" for text in wrong]
    return {"expected": len(expected), "placed": len(seen.replacements)}


def _wrong(expected: ExpectedExchange, order: SeenReplacement | None, seen: Seen) -> list[str]:
    if order is None:
        return ["is missing."]
    found = [] if order.articles == (expected.product_id,) else [f"holds {list(order.articles)}."]
    if not order.is_free:
        found.append("is not free.")
    wanted = seen.cancelled if expected.is_withdrawn else seen.standing
    return [*found, *([] if order.status == wanted else [f"is {order.status} instead of {wanted}."])]


def _credits(market: Market, seen: Seen, book: Book, found: list[str]) -> dict[str, int]:
    """Each expected credit is there once, with its amount, for its customer only."""
    there = Counter((one.amount, one.owner, one.is_gift_card) for one in seen.credits)
    expected: Counter[tuple[Decimal, str, bool]] = Counter(
        (one.amount, seen.owner_of(one.order_id), one.is_gift_card and seen.has_gift_cards)
        for one in book.credits
        if one.market == market.place.code
    )
    if there != expected:
        found.append(f"credits {dict(there)} instead of {dict(expected)}.")
    return {"expected": expected.total(), "issued": there.total()}


def _write_backs(market: Market, seen: Seen, book: Book, found: list[str]) -> dict[str, int]:
    """Every replacement that stands is told to the platform once, or is a to-do of a person."""
    wanted = [one for one in book.exchanges if one.market == market.place.code and not one.is_withdrawn]
    if not market.place.is_told or not isinstance(market, ReveniMarket):
        return {"told": 0, "to_do": len(wanted)}
    numbers = {one.original_id: one.told_as for one in seen.replacements}
    desk = market.platform.merchant_desk
    for one in wanted:
        told = [row["order_id"] for row in desk.told_of(one.return_id, "exchange_order")]
        if told != [numbers.get(one.order_id)]:
            found.append(f"the platform does not know the replacement of return {one.return_id}.")
    return {"told": len(desk.told), "to_do": 0}


def wrong_to_dos(to_do: int) -> list[str]:
    """As many cases of this kind are open as there are replacements nobody could tell the platform of by a call."""
    cases = ExceptionCase.objects.active().filter(kind_code=states.CASE_PLATFORM_TO_DO).count()
    return [] if cases == to_do else [f"{cases} to-dos at the platform instead of {to_do}."]


def _returns(market: Market, seen: Seen, book: Book) -> list[str]:
    """Where the shop keeps returns itself: each expected one stands there once, with its units, open or closed."""
    there = Counter((one.order_id, one.units, one.status) for one in seen.returns)
    expected = Counter(
        (one.order_id, one.units, one.status) for one in book.shop_returns if one.market == market.place.code
    )
    extra, missing = sorted((there - expected).items()), sorted((expected - there).items())
    return [
        *(f"order {row[0]} has {n} return(s) {row[1:]} too many." for row, n in extra),
        *(f"order {row[0]} lacks {n} return(s) {row[1:]}." for row, n in missing),
    ]
