"""The search language of orders(query:) and its like: terms joined by AND, compared with what the index knows."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.simulators.shopify import pricing
from connectors.simulators.shopify.marks import find_metafield
from connectors.simulators.shopify.records import Order, Variant
from connectors.simulators.shopify.state import ShopState, gid

_TERM = re.compile(
    r"""(?P<no>-)?(?:(?P<name>[\w.\-$]+):)?(?P<op>>=|<=|>|<)?(?P<value>"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[^\s()]+)"""
)
Term = tuple[bool, str, str, str]
_Match = Callable[[ShopState, Any, str, str], bool]


def terms_of(query: str | None) -> list[Term]:
    """The terms of a query as (is negated, name, comparison, value); AND between them is optional."""
    found = []
    for match in _TERM.finditer(query or ""):
        value = match["value"]
        if value[0] in "\"'" and value[-1] == value[0] and len(value) > 1:
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        elif match["name"] is None and value == "AND":
            continue
        found.append((bool(match["no"]), (match["name"] or "").lower(), match["op"] or "", value))
    return found


def matches(shop: ShopState, record: Any, query: str | None, filters: Mapping[str, _Match], default: _Match) -> bool:
    """Does the record meet every term? A name that is no filter matches everything, as Shopify ignores it."""
    for is_negated, name, op, value in terms_of(query):
        if name.startswith("metafields."):
            is_met = _has_metafield(shop, record, name, value)
        elif name:
            known = filters.get(name)
            is_met = True if known is None else known(shop, record, op, value)
        else:
            is_met = default(shop, record, op, value)
        if is_met == is_negated:
            return False
    return True


def _has_metafield(shop: ShopState, record: Any, name: str, value: str) -> bool:
    _, namespace, key = name.split(".", 2)
    found = find_metafield(shop, gid(type(record).__name__, record.id), namespace, key)
    return found is not None and (value == "*" or found.value == value)


def compared(moment: datetime, op: str, value: str) -> bool:
    """Compare a moment with one written in a query; without a time it means midnight UTC."""
    try:
        other = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return False
    other = other if other.tzinfo else other.replace(tzinfo=UTC)
    if op == "":
        return moment.date() == other.date()
    answers = {">": moment > other, ">=": moment >= other, "<": moment < other, "<=": moment <= other}
    return answers[op]


def _time(name: str) -> _Match:
    return lambda shop, record, op, value: compared(getattr(record, name), op, value)


def _same(read: Callable[[ShopState, Any], object]) -> _Match:
    return lambda shop, record, op, value: str(read(shop, record) or "").lower() == value.lower()


def _number(shop: ShopState, record: Any, op: str, value: str) -> bool:
    wanted = int(value.rpartition("/")[2]) if value.rpartition("/")[2].isdigit() else 0
    number = int(record.id)
    answers = {">": number > wanted, ">=": number >= wanted, "<": number < wanted, "<=": number <= wanted}
    return answers.get(op, number == wanted)


def _order_name(shop: ShopState, order: Order, op: str, value: str) -> bool:
    return value.lower() in (order.name.lower(), str(order.number))


def _order_status(shop: ShopState, order: Order, op: str, value: str) -> bool:
    state = "cancelled" if order.cancelled_at else "closed" if order.closed_at else "open"
    return value in ("any", state)


def _order_text(shop: ShopState, order: Order, op: str, value: str) -> bool:
    texts = [order.name, order.email, str(order.number), *(line.title for line in order.lines), *order.tags]
    return any(value.lower() in text.lower() for text in texts)


def _customer_number(shop: ShopState, order: Order) -> int | None:
    return order.customer_id


ORDER_FILTERS: dict[str, _Match] = {
    "id": _number,
    "name": _order_name,
    "email": _same(lambda shop, order: order.email),
    "tag": lambda shop, order, op, value: value.lower() in [tag.lower() for tag in order.tags],
    "tag_not": lambda shop, order, op, value: value.lower() not in [tag.lower() for tag in order.tags],
    "updated_at": _time("updated_at"),
    "created_at": _time("created_at"),
    "processed_at": _time("processed_at"),
    "financial_status": _same(pricing.financial_status),
    "fulfillment_status": _same(pricing.fulfilment_status),
    "return_status": _same(pricing.return_status),
    "status": _order_status,
    "sku": lambda shop, order, op, value: value.lower() in [line.sku.lower() for line in order.lines],
    "source_identifier": _same(lambda shop, order: order.source_identifier),
    "customer_id": _same(_customer_number),
    "test": _same(lambda shop, order: str(order.is_test).lower()),
}


def found_orders(shop: ShopState, query: str | None) -> list[Order]:
    """What the index finds; a change reaches it `search_lag_s` later, a new order is not there before."""
    return [
        order
        for order in shop.orders.values()
        if shop.is_indexed(order) and matches(shop, order, query, ORDER_FILTERS, _order_text)
    ]


def _token(read: Callable[[Variant], str]) -> _Match:
    """Tokenised and case-insensitive: a beginning of the SKU is found too (the caller must filter)."""
    return lambda shop, variant, op, value: read(variant).lower().startswith(value.lower().rstrip("*"))


def _product_number(shop: ShopState, variant: Variant) -> int:
    return variant.product_id


VARIANT_FILTERS: dict[str, _Match] = {
    "id": _number,
    "sku": _token(lambda variant: variant.sku),
    "barcode": _token(lambda variant: variant.barcode),
    "product_id": _same(_product_number),
    "title": _token(lambda variant: variant.title),
}


def found_variants(shop: ShopState, query: str | None) -> list[Variant]:
    """Variants by their filters, or by any beginning of SKU or title."""

    def by_text(shop: ShopState, variant: Variant, op: str, value: str) -> bool:
        return any(text.lower().startswith(value.lower()) for text in (variant.sku, variant.title))

    return [v for v in shop.variants.values() if matches(shop, v, query, VARIANT_FILTERS, by_text)]


def found_by_email(shop: ShopState, query: str | None) -> list[Any]:
    """Customers by email or id."""
    filters: dict[str, _Match] = {"email": _same(lambda shop, customer: customer.email), "id": _number}

    def by_text(shop: ShopState, customer: Any, op: str, value: str) -> bool:
        return value.lower() in f"{customer.email} {customer.name}".lower()

    return [c for c in shop.customers.values() if matches(shop, c, query, filters, by_text)]


def found_gift_cards(shop: ShopState, query: str | None) -> list[Any]:
    """Gift cards by the last characters of their code; a new one is not there before `search_lag_s`."""

    def by_code(shop: ShopState, card: Any, op: str, value: str) -> bool:
        return str(card.code).endswith(value.lower()[-4:])

    return [
        card
        for card in shop.gift_cards.values()
        if shop.is_searchable(card.created_at) and matches(shop, card, query, {"id": _number}, by_code)
    ]
