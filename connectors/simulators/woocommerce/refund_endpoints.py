"""`/orders/{id}/refunds` and `/refunds` (woocommerce-observed.md sections 4 and 9)."""

from decimal import Decimal
from typing import Any

from connectors.simulators.woocommerce.arguments import (
    Answer,
    Call,
    boolean,
    decimal_or_none,
    moment,
    page_of,
    string,
    whole,
)
from connectors.simulators.woocommerce.order_json import refund_json
from connectors.simulators.woocommerce.pricing import ZERO
from connectors.simulators.woocommerce.records import Refund
from connectors.simulators.woocommerce.refund_writing import RefundLine, RefundRequest, create_refund, delete_refund
from connectors.simulators.woocommerce.wire import WooError, invalid_type, refund_refusal


def list_refunds(call: Call, order_id: int) -> Answer:
    """GET the refunds of an order: 10 by default; an unknown order answers 200 with nothing."""
    rows = _between(call, call.shop.refunds_of(order_id))
    return page_of(call, rows, lambda refund: refund_json(call.shop, refund, base=call.base))


def list_all_refunds(call: Call) -> Answer:
    """GET /refunds: those of all orders, newest first, with parent_id."""
    rows = _between(call, sorted(call.shop.refunds.values(), key=lambda refund: -refund.id))
    return page_of(call, rows, lambda refund: refund_json(call.shop, refund, base=call.base, has_parent=True))


def _between(call: Call, rows: list[Refund]) -> list[Refund]:
    after, before = moment(call, "after"), moment(call, "before")
    chosen = [refund for refund in rows if after is None or refund.created_at > after]
    chosen = [refund for refund in chosen if before is None or refund.created_at < before]
    return list(reversed(chosen)) if call.text("order", "desc") == "asc" else chosen


def get_refund(call: Call, order_id: int, refund_id: int) -> Answer:
    """GET one refund."""
    return Answer(body=refund_json(call.shop, _find(call, order_id, refund_id), base=call.base))


def remove_refund(call: Call, order_id: int, refund_id: int) -> Answer:
    """DELETE: final at once, with and without force=true."""
    refund = _find(call, order_id, refund_id)
    shown = refund_json(call.shop, refund, base=call.base)
    delete_refund(call.shop, refund)
    return Answer(body=shown)


def _find(call: Call, order_id: int, refund_id: int) -> Refund:
    refund = call.shop.refunds.get(refund_id)
    if refund is None:
        raise WooError(status=404, code="woocommerce_rest_shop_order_refund_invalid_id", message="Invalid ID.")
    if refund.order_id != order_id:
        raise refund_refusal("woocommerce_rest_invalid_order_refund_id", "Invalid order refund ID.", 404)
    return refund


def post_refund(call: Call, order_id: int) -> Answer:
    """POST a refund. `api_refund` and `api_restock` default to true."""
    request = _request(call.body)
    with call.shop.lock:
        order = call.shop.orders.get(order_id)
    if order is None:
        raise refund_refusal("woocommerce_rest_invalid_order_id", "Invalid order ID.", 404)
    refund = create_refund(call.shop, order, request)
    with call.shop.lock:
        shown = refund_json(call.shop, refund, base=call.base)
    # The real server leaves the pattern of its own route in the header.
    location = f"{call.base}/orders/(?P<order_id>[\\d]+)/refunds/{refund.id}"
    return Answer(body=shown, status=201, location=location)


def _request(body: dict[str, Any]) -> RefundRequest:
    raw_amount = string(body, "amount") if body.get("amount") is not None else ""
    meta = body.get("meta_data", [])
    if not isinstance(meta, list):
        raise invalid_type("meta_data", "array")
    entries = body.get("line_items")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        entries = []
    amount = decimal_or_none(raw_amount) if raw_amount else _sum_of_lines(entries)
    return RefundRequest(
        amount=amount,
        is_numeric=not raw_amount or amount is not None,
        reason=string(body, "reason") if body.get("reason") is not None else "",
        lines=_lines(entries),
        is_gateway_called=boolean("api_refund", body.get("api_refund", True)),
        is_restocked=boolean("api_restock", body.get("api_restock", True)),
        meta=tuple(
            (str(entry["key"]), entry.get("value")) for entry in meta if isinstance(entry, dict) and "key" in entry
        ),
    )


def _sum_of_lines(entries: list[dict[str, Any]]) -> Decimal | None:
    """The amount where none is given: all refund_total and refund_tax, None unless every refund_total is a number."""
    if not entries:
        return None
    totals = [decimal_or_none(entry.get("refund_total")) for entry in entries]
    if any(total is None for total in totals):
        return None
    taxes = [tax for entry in entries for tax in _taxes(entry).values()]
    return sum((total for total in totals if total is not None), ZERO) + sum(taxes, ZERO)


def _lines(entries: list[dict[str, Any]]) -> tuple[RefundLine, ...]:
    """Lines by the order's line id. One entry without id makes the whole list useless."""
    if any("id" not in entry for entry in entries):
        return ()
    return tuple(
        RefundLine(
            item_id=whole(entry, "id"),
            quantity=whole(entry, "quantity"),
            total=decimal_or_none(entry.get("refund_total")) or ZERO,
            taxes=_taxes(entry),
        )
        for entry in entries
    )


def _taxes(entry: dict[str, Any]) -> dict[int, Decimal]:
    """`refund_tax` by rate id; a bare number there means nothing, and `taxes` is silently ignored."""
    given = entry.get("refund_tax")
    if not isinstance(given, list):
        return {}
    return {
        whole(tax, "id"): decimal_or_none(tax.get("refund_total")) or ZERO
        for tax in given
        if isinstance(tax, dict) and "id" in tax
    }
