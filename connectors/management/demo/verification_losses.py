"""What was told and is not there: messages, returns, refunds."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Sum

from connectors.management.demo.expectations import Book
from connectors.management.demo.market_shopify import ShopifyReboundMarket
from connectors.management.demo.markets import Market, ReveniMarket
from connectors.management.demo.seen import Seen
from returnsops.models import InboundEvent, ReturnAuthorisation


def lost_in(market: Market, seen: Seen, book: Book) -> list[str]:
    """Every loss of one market, in words."""
    found = [*_lost_events(market), *_lost_messages(market), *_lost_refunds(market, seen, book)]
    return [f"{market.place.title}: {text}" for text in found]


def _lost_events(market: Market) -> list[str]:
    """Events or returns of the platform that we do not hold."""
    if isinstance(market, ShopifyReboundMarket):
        known = set(
            ReturnAuthorisation.objects.filter(connection__name=market.platform_name).values_list(
                "external_id", flat=True
            )
        )
        return [f"return {return_id} was never read." for return_id in market.account.returns if return_id not in known]
    if not isinstance(market, ReveniMarket):
        return []
    stored = _stored_ids(market.platform_name)
    missing = [event["id"] for event in market.platform.told if event["id"] not in stored]
    # A message that was dropped on the way is found by polling instead, as the return it tells of.
    return [f"event {event_id} is not in the inbox." for event_id in missing[len(market.platform.sender.dropped) :]]


def _lost_messages(market: Market) -> Iterator[str]:
    """Messages we said we have, and do not: 202 is a row, 200 is counted on the row that said the same."""
    for name, sender in ((market.platform_name, market.platform_webhooks), (market.shop_name, market.shop_webhooks)):
        answers = Counter(one.status for one in (sender.sent if sender else ()) if one.topic != "ping")
        rows = InboundEvent.objects.filter(connection__name=name)
        again = rows.aggregate(count=Sum("duplicate_count"))["count"] or 0  # a hint may repeat what polling found
        missing = max(0, answers[202] - rows.filter(source="webhook").count()) + max(0, answers[200] - again)
        if missing:
            yield f"{missing} accepted message(s) of {name} are not in the inbox."


def _lost_refunds(market: Market, seen: Seen, book: Book) -> list[str]:
    """Refunds that must be in the shop and are not, by order and amount."""
    there = Counter((one.order_id, one.amount) for one in seen.refunds)
    expected = Counter((one.order_id, one.amount) for one in book.refunds if one.market == market.place.code)
    return [
        f"order {order_id} lacks a refund of {amount}."
        for (order_id, amount), count in sorted(expected.items())
        if there[(order_id, amount)] < count
    ]


def _stored_ids(connection: str) -> set[str]:
    keys = InboundEvent.objects.filter(connection__name=connection, source="webhook")
    return {key.rpartition(":")[0] for key in keys.values_list("delivery_key", flat=True)}
