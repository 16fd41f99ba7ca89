"""Did the day end right? Compares what the stories expect, what the simulated shops hold, and what we believe.

Doubles and losses are counted from the simulators' own records, never from our tables alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Sum

from connectors.management.demo import verification_instead as instead
from connectors.management.demo import verification_losses as losses
from connectors.management.demo.expectations import Book
from connectors.management.demo.markets import Market
from connectors.management.demo.seen import Seen
from connectors.management.demo.shops_seen import look_at
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect, ReturnAuthorisation
from returnsops.models import Refund as KnownRefund

UNFINISHED: Final = (states.READY, states.SENDING, states.UNKNOWN)


@dataclass(kw_only=True)
class Verdict:
    """The summary that is printed, and everything that is wrong in words."""

    summary: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def verify(markets: Mapping[str, Market], book: Book, *, seconds: float) -> Verdict:
    """The whole comparison."""
    parts = [_Part(market=market, seen=look_at(market), book=book) for market in markets.values()]
    problems = [text for part in parts for text in part.problems]
    figures = {name: _sum(part.figures[name] for part in parts) for name in ("exchanges", "credits", "write_backs")}
    problems += instead.wrong_to_dos(figures["write_backs"].get("to_do", 0))
    summary: dict[str, Any] = {
        "returns": _returns(book, problems),
        "effects": _effects(problems),
        "money": {currency: row for part in parts for currency, row in part.money.items()},
        "stock": _sum(part.stock for part in parts),
        **figures,
        "pairs": _pairs(parts),
        "doubles": sum(len(part.doubles) for part in parts),
        "lost": sum(len(part.lost) for part in parts),
        "cases": _cases(book, problems),
        "seconds": round(seconds, 1),
    }
    return Verdict(summary=summary | {"ok": not problems, "problems": problems}, problems=problems)


@dataclass(kw_only=True)
class _Part:
    """One market, compared."""

    market: Market
    seen: Seen
    book: Book
    problems: list[str] = field(default_factory=list)
    doubles: list[str] = field(init=False)
    lost: list[str] = field(init=False)
    money: dict[str, dict[str, str]] = field(init=False)
    stock: dict[str, int] = field(init=False)
    figures: instead.Figures = field(init=False)

    def __post_init__(self) -> None:
        """Compare everything."""
        self.doubles = doubles_in(self.market, self.seen, self.book)
        self.lost = losses.lost_in(self.market, self.seen, self.book)
        self.problems += [*self.doubles, *self.lost]
        self.money = _money(self.market, self.seen, self.book, self.problems)
        self.stock = _stock(self.market, self.seen, self.book, self.problems)
        self.figures = instead.compare(self.market, self.seen, self.book, self.problems)


def _pairs(parts: Iterable[_Part]) -> dict[str, dict[str, Any]]:
    """The same by shop and platform, so that one can see each pair proven on its own."""
    pairs: dict[str, dict[str, Any]] = {}
    for part in parts:
        place = part.market.place
        row = pairs.setdefault(
            place.pair, {"title": place.pair_title, "returns": 0, "money": {}, "stock": {}, "doubles": 0, "lost": 0}
        )
        row["returns"] += part.book.returns_by_market[place.code]
        row["money"] |= {name: f"{figure['shop']} = {figure['expected']}" for name, figure in part.money.items()}
        row["stock"] = _sum((row["stock"], part.stock))
        row["doubles"] += len(part.doubles)
        row["lost"] += len(part.lost)
        row["ok"] = row.get("ok", True) and not part.problems
    return pairs


def _sum(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row)
    return dict(total)


# --- once and only once ------------------------------------------------------------------------------------------


def doubles_in(market: Market, seen: Seen, book: Book) -> list[str]:
    """Records of one key more than once, payouts of one refund more than once, and records nobody expects."""
    where = market.place.title
    keys = Counter([*(one.key for one in seen.refunds), *(one.key for one in seen.restocks)]) + seen.keys
    payouts = Counter(payout.id for payout in seen.payouts)
    found = [
        *(f"{count} records carry the key {key}." for key, count in keys.items() if key and count > 1),
        *(f"refund {refund} was paid {count} times." for refund, count in payouts.items() if count > 1),
        *(
            f"order {order} has the note {token} {count} times."
            for (order, token), count in seen.notes.items()
            if count > 1
        ),
        *_unexpected(market, seen, book),
        *_unexpected_payouts(market, seen, book),
        *instead.doubles_in(market, seen),
    ]
    return [f"{where}: {text}" for text in found]


def _unexpected(market: Market, seen: Seen, book: Book) -> Iterable[str]:
    """Refund and restock records per order beyond what the stories expect."""
    code = market.place.code
    there = Counter((one.order_id, "refund") for one in seen.refunds)
    there.update((one.order_id, "restock") for one in seen.restocks)
    expected = Counter((one.order_id, "refund") for one in book.refunds if one.market == code)
    expected.update({(order, "restock"): n for (name, order), n in book.restock_records.items() if name == code})
    for (order_id, what), count in sorted(there.items()):
        extra = count - expected[(order_id, what)]
        if extra > 0:
            yield f"order {order_id} has {extra} {what} record(s) too many."


def _unexpected_payouts(market: Market, seen: Seen, book: Book) -> Iterable[str]:
    """Money the gateways moved for an order beyond what the stories expect."""
    expected: dict[int, Decimal] = defaultdict(Decimal)
    for refund in book.refunds:
        if refund.market == market.place.code and refund.is_paid:
            expected[refund.order_id] += refund.amount
    paid: dict[int, Decimal] = defaultdict(Decimal)
    for payout in seen.payouts:
        paid[payout.order_id] += payout.amount
    for order_id, amount in sorted(paid.items()):
        if amount > expected[order_id]:
            yield f"order {order_id} was paid back {amount - expected[order_id]} too much."


# --- equal on both sides -----------------------------------------------------------------------------------------


def _returns(book: Book, problems: list[str]) -> int:
    count = ReturnAuthorisation.objects.count()
    if count != book.returns:
        problems.append(f"{book.returns} returns were told, {count} are known.")
    return count


def _effects(problems: list[str]) -> dict[str, int]:
    rows = Effect.objects.order_by("state").values_list("state").annotate(count=Count("pk"))
    states_now = dict(rows)
    unfinished = sum(states_now.get(state, 0) for state in UNFINISHED)
    unseen = Effect.objects.filter(state=states.DONE, kind__in=sorted(states.READ_BACK_KINDS)).count()
    if unfinished or unseen:
        problems.append(f"{unfinished} effects are still under way and {unseen} not confirmed.")
    return states_now


def _money(market: Market, seen: Seen, book: Book, problems: list[str]) -> dict[str, dict[str, str]]:
    """By currency: refunded sums here, in the shop and expected; what the gateways paid; all to the minor unit."""
    place = market.place
    return {currency: _money_in(currency, market, seen, book, problems) for currency in place.currencies}


def _money_in(currency: str, market: Market, seen: Seen, book: Book, problems: list[str]) -> dict[str, str]:
    known = KnownRefund.objects.filter(
        order__connection__name=market.shop_name, vanished_at__isnull=True, currency=currency
    )
    code = market.place.code
    figures = {
        "here": known.aggregate(total=Sum("amount"))["total"] or Decimal(0),
        "shop": sum((one.amount for one in seen.refunds if one.currency == currency), Decimal(0)),
        "expected": book.money(code, currency),
        "paid_by_gateway": sum((one.amount for one in seen.payouts if one.currency == currency), Decimal(0)),
        "expected_of_gateway": book.paid(code, currency),
    }
    is_right = figures["here"] == figures["shop"] == figures["expected"]
    if not is_right or figures["paid_by_gateway"] != figures["expected_of_gateway"]:
        amounts = ", ".join(f"{name} {amount}" for name, amount in figures.items())
        problems.append(f"{market.place.title}: the money differs in {currency}: {amounts}.")
    written = {name: f"{amount:.{market.place.decimals}f}" for name, amount in figures.items()}
    return {"pair": market.place.pair, **written}


def _stock(market: Market, seen: Seen, book: Book, problems: list[str]) -> dict[str, int]:
    """Units on the shelves: what was there, less what was sold, plus what the stories put back; damaged ones never."""
    expected = there = 0
    for product_id, start in market.stocked.items():
        wanted = start - seen.sold[product_id] + book.restocked[(market.place.code, product_id)]
        found = seen.levels[product_id]
        expected, there = expected + wanted, there + found
        if wanted != found:
            problems.append(f"{market.place.title}: product {product_id} has {found} units instead of {wanted}.")
    problems += [f"{market.place.title}: {text}" for text in _wrong_aside(market, seen, book)]
    return {"expected": expected, "shop": there}


def _wrong_aside(market: Market, seen: Seen, book: Book) -> Iterable[str]:
    """Damaged goods lie where they may not be sold, and nothing else does."""
    expected = {(one, state): n for (code, one, state), n in book.set_aside.items() if code == market.place.code and n}
    for one, state in sorted({*seen.aside, *expected}):
        if (found := seen.aside[(one, state)]) != (wanted := expected.get((one, state), 0)):
            yield f"{found} units of {one} are {state} instead of {wanted}."


def _cases(book: Book, problems: list[str]) -> dict[str, int]:
    there = Counter(ExceptionCase.objects.active().values_list("kind_code", flat=True))
    expected = +book.cases
    for kind in sorted(set(there) | set(expected)):
        if there[kind] != expected[kind]:
            problems.append(f"{there[kind]} open case(s) of kind {kind} instead of {expected[kind]}.")
    return dict(sorted(there.items()))
