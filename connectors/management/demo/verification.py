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
from connectors.management.demo.expectations import Book
from connectors.management.demo.markets import Market
from connectors.simulators.woocommerce.records import Refund
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect, InboundEvent, ReturnAuthorisation
from returnsops.models import Refund as KnownRefund

KEY_META: Final = "_returnsops_key"
UNFINISHED: Final = (states.READY, states.SENDING, states.UNKNOWN)


@dataclass(kw_only=True)
class Verdict:
    """The summary that is printed, and everything that is wrong in words."""

    summary: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def verify(markets: Mapping[str, Market], book: Book, *, seconds: float) -> Verdict:
    """The whole comparison."""
    verdict = Verdict()
    doubles = [text for market in markets.values() for text in (*doubles_in(market, book), *instead.doubles_in(market))]
    lost = [text for market in markets.values() for text in (*lost_events(market), *lost_refunds(market, book))]
    verdict.problems += [*doubles, *lost]
    verdict.summary = {
        "returns": _returns(book, verdict.problems),
        "effects": _effects(verdict.problems),
        "money": {market.place.currency: _money(market, book, verdict.problems) for market in markets.values()},
        "stock": _stock(markets.values(), book, verdict.problems),
        **instead.summary(markets, book, verdict.problems),
        "doubles": len(doubles),
        "lost": len(lost),
        "cases": _cases(book, verdict.problems),
        "seconds": round(seconds, 1),
    }
    verdict.summary |= {"ok": not verdict.problems, "problems": verdict.problems}
    return verdict


# --- once and only once ------------------------------------------------------------------------------------------


def doubles_in(market: Market, book: Book) -> list[str]:
    """Records of one key more than once, payouts of one refund more than once, and records nobody expects."""
    shop, where = market.shop, market.place.title
    refunds = list(shop.state.refunds.values())
    keys = Counter(_key(refund) for refund in refunds if _key(refund))
    payouts = Counter(payout.refund_id for payout in shop.gateway_payouts)
    notes = Counter((note.order_id, _token(note.text)) for note in shop.state.notes if _token(note.text))
    return [
        *(f"{where}: {count} records carry the key {key}." for key, count in keys.items() if count > 1),
        *(f"{where}: refund {refund} was paid {count} times." for refund, count in payouts.items() if count > 1),
        *(
            f"{where}: order {order} has the note {token} {count} times."
            for (order, token), count in notes.items()
            if count > 1
        ),
        *(f"{where}: {text}" for text in _unexpected(market, book, refunds)),
        *(f"{where}: {text}" for text in _unexpected_payouts(market, book)),
    ]


def _unexpected(market: Market, book: Book, refunds: Iterable[Refund]) -> Iterable[str]:
    """Refund and restock records per order beyond what the stories expect."""
    there = Counter((r.order_id, bool(r.amount)) for r in refunds)
    code = market.place.code
    expected = Counter((r.order_id, True) for r in book.refunds if r.market == code)
    expected.update({(order, False): n for (name, order), n in book.restock_records.items() if name == code})
    for (order_id, is_money), count in sorted(there.items()):
        extra = count - expected[(order_id, is_money)]
        if extra > 0:
            yield f"order {order_id} has {extra} {'refund' if is_money else 'restock'} record(s) too many."


def _unexpected_payouts(market: Market, book: Book) -> Iterable[str]:
    """Money the gateways moved for an order beyond what the stories expect."""
    code = market.place.code
    expected: dict[int, Decimal] = defaultdict(Decimal)
    for refund in book.refunds:
        if refund.market == code and refund.is_paid:
            expected[refund.order_id] += refund.amount
    paid: dict[int, Decimal] = defaultdict(Decimal)
    for payout in market.shop.gateway_payouts:
        paid[payout.order_id] += payout.amount
    for order_id, amount in sorted(paid.items()):
        if amount > expected[order_id]:
            yield f"order {order_id} was paid back {amount - expected[order_id]} too much."


def lost_events(market: Market) -> list[str]:
    """Messages told or acknowledged that the inbox does not hold."""
    where = market.place.title
    dropped = len(market.platform.sender.dropped)
    stored = _stored_ids(market.platform_name)
    missing = [event["id"] for event in market.platform.told if event["id"] not in stored]
    # A message that was dropped on the way is found by polling instead, as the return it tells of.
    found = [f"{where}: event {event_id} is not in the inbox." for event_id in missing[dropped:]]
    for name, sender in ((market.platform_name, market.platform.sender), (market.shop_name, market.shop.webhooks)):
        accepted = sum(1 for sent in sender.sent if sent.topic != "ping" and sent.status in (200, 202))
        if accepted > (kept := _accounted(name)):
            found.append(f"{where}: {accepted - kept} accepted message(s) of {name} are not in the inbox.")
    return found


def lost_refunds(market: Market, book: Book) -> list[str]:
    """Refunds that must be in the shop and are not, by order and amount."""
    code = market.place.code
    there = Counter((r.order_id, r.amount) for r in market.shop.state.refunds.values() if r.amount)
    expected = Counter((r.order_id, r.amount) for r in book.refunds if r.market == code)
    return [
        f"{market.place.title}: order {order_id} lacks a refund of {amount}."
        for (order_id, amount), count in sorted(expected.items())
        if there[(order_id, amount)] < count
    ]


def _stored_ids(connection: str) -> set[str]:
    keys = InboundEvent.objects.filter(connection__name=connection, source="webhook")
    return {key.rpartition(":")[0] for key in keys.values_list("delivery_key", flat=True)}


def _accounted(connection: str) -> int:
    rows = InboundEvent.objects.filter(connection__name=connection, source="webhook")
    counts = rows.aggregate(rows=Count("pk"), again=Sum("duplicate_count"))
    return int(counts["rows"] or 0) + int(counts["again"] or 0)


def _key(refund: Refund) -> str:
    """Our key in a record, without the generation."""
    named = next((str(meta.value) for meta in refund.meta if meta.key == KEY_META), "")
    first = refund.reason.split(" ", 1)[0]
    key = named or (first if first.startswith(("refund:", "restock:")) else "")
    return key.partition("#")[0]


def _token(text: str) -> str:
    return text[text.rfind("[") :] if text.endswith("]") and "[" in text else ""


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


def _money(market: Market, book: Book, problems: list[str]) -> dict[str, str]:
    """Refunded sums here, in the shop and expected; and what the gateways paid, to the minor unit."""
    known = KnownRefund.objects.filter(order__connection__name=market.shop_name, vanished_at__isnull=True)
    here = known.aggregate(total=Sum("amount"))["total"] or Decimal(0)
    shop = sum((refund.amount or Decimal(0) for refund in market.shop.state.refunds.values()), Decimal(0))
    paid = sum((payout.amount for payout in market.shop.gateway_payouts), Decimal(0))
    figures = {
        "here": here,
        "shop": shop,
        "expected": book.money(market.place.code),
        "paid_by_gateway": paid,
        "expected_of_gateway": book.paid(market.place.code),
    }
    if not (here == shop == figures["expected"]) or paid != figures["expected_of_gateway"]:
        problems.append(
            f"{market.place.title}: the money differs: {', '.join(f'{k} {v}' for k, v in figures.items())}."
        )
    return {name: f"{amount:.{market.place.decimals}f}" for name, amount in figures.items()}


def _stock(markets: Iterable[Market], book: Book, problems: list[str]) -> dict[str, int]:
    """Units on the shelves: what was there, less what was sold, plus what the stories put back."""
    expected = there = 0
    for market in markets:
        sold = _sold(market)
        for product_id, start in market.stocked.items():
            wanted = start - sold[product_id] + book.restocked[(market.place.code, product_id)]
            found = market.shop.state.products[product_id].stock_quantity or 0
            expected, there = expected + wanted, there + found
            if wanted != found:
                problems.append(f"{market.place.title}: product {product_id} has {found} units instead of {wanted}.")
    return {"expected": expected, "shop": there}


def _sold(market: Market) -> Counter[int]:
    sold: Counter[int] = Counter()
    standing = [order for order in market.shop.state.orders.values() if order.status != instead.CANCELLED]
    for order in standing:
        for line in order.of_kind("line"):
            sold[line.variation_id or line.product_id] += line.quantity
    return sold


def _cases(book: Book, problems: list[str]) -> dict[str, int]:
    there = Counter(ExceptionCase.objects.active().values_list("kind_code", flat=True))
    expected = +book.cases
    for kind in sorted(set(there) | set(expected)):
        if there[kind] != expected[kind]:
            problems.append(f"{there[kind]} open case(s) of kind {kind} instead of {expected[kind]}.")
    return dict(sorted(there.items()))
