"""Restock as an effect of its own: a refund record without money (observed 9).

The shop's own increase runs against sales without losing any, which a PUT of ``stock_quantity`` or ``inventory_delta``
does not. What it does not do is refuse: an unmanaged product or a line without ``_reduced_stock`` gives 201 and moves
nothing, so both are checked before, and the line is read again after.
"""

from typing import Any

from connectors.ports import AuthFailed, Found, Intent, Link, Lookup, OutcomeUnknown, Rejected, Sent, VendorError
from connectors.woocommerce import client
from connectors.woocommerce.links import order_url
from connectors.woocommerce.orders import reading_of
from connectors.woocommerce.products import IMPOSSIBLE, impossible, managed_product
from connectors.woocommerce.reading import required_order, snapshot_of
from connectors.woocommerce.refunds import check_made, check_order, meta_entries, reason_of, records_of
from connectors.woocommerce.timing import CLOCK_SKEW
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund
from returnsops.states import STOCK_BEFORE


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the restock record exists and the line's stock moved. Raises Rejected('order_not_found')."""
    order = snapshot_of(link, required_order(link, intent.order_id))
    ours = records_of(intent, order.refunds)
    if len(ours) > 1:
        return _ambiguous(order, ours, "More than one restock record of this order carries our key")
    if ours:
        return _judge_record(intent, order, ours[0])
    twins = [record for record in order.refunds if _is_twin(intent, record)]
    if twins:
        return _ambiguous(order, twins, "A restock of the same line and quantity, without our key, was made meanwhile")
    return Lookup(found=Found.ABSENT, evidence=_stock_seen(order, _line_id(intent)), order=order)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Put the units back that the look-up did not find put back.

    Raises Rejected('restock_impossible') where the shop would do nothing, saying why, and OutcomeUnknown where the
    record was made but the stock did not move.
    """
    order = lookup.order or snapshot_of(link, required_order(link, intent.order_id))
    check_order(order)
    line = _check_line(intent, order)
    product = managed_product(link, product_id=line.product_id, variation_id=line.variation_id, name=line.name)
    prefix = reading_of(link.config.settings).meta_prefix
    body = restock_body(intent, line, meta_prefix=prefix)
    made = client.write(link, "POST", f"/orders/{order.order_id}/refunds", body=body)
    check_made(intent, made, meta_prefix=prefix)
    evidence = {
        "refund_id": str(made["id"]),
        "quantity": _quantity(intent),
        STOCK_BEFORE: product.quantity,
        "reduced_stock_before": line.reduced_stock,
        "read_back": _read_back(link, intent, line),
    }
    return Sent(remote_id=str(made["id"]), evidence=evidence, remote_url=order_url(link.config, order.order_id))


def restock_body(intent: Intent, line: OrderLineSnapshot, *, meta_prefix: str) -> dict[str, Any]:
    """The request: no money anywhere, one line, and the only place where ``api_restock`` is true."""
    return {
        "amount": "0",
        "reason": reason_of(intent, "restock"),
        "api_refund": False,
        "api_restock": True,
        "line_items": [
            {
                "id": int(line.line_id),
                "quantity": _quantity(intent),
                "refund_total": "0",
                "refund_tax": [{"id": int(share.rate_id), "refund_total": "0"} for share in line.taxes],
            }
        ],
        "meta_data": meta_entries(intent, meta_prefix=meta_prefix),
    }


def _judge_record(intent: Intent, order: OrderSnapshot, record: RemoteRefund) -> Lookup:
    line_id = _line_id(intent)
    evidence = {**_stock_seen(order, line_id), "refund_id": record.refund_id}
    named = {(line.line_id, line.quantity) for line in record.lines}
    if named != {(line_id, _quantity(intent))} or not record.is_zero_money:
        return _ambiguous(order, [record], "The record with our key is not this restock")
    if not _has_moved(order, line_id):
        return _ambiguous(order, [record], "The restock is recorded, but the shop put nothing back into stock")
    return Lookup(found=Found.COMPLETE, remote_id=record.refund_id, evidence=evidence, order=order)


def _has_moved(order: OrderSnapshot, line_id: str) -> bool:
    """What the line's sale still holds of stock, plus what our records put back, is at most what was sold."""
    line = next((line for line in order.lines if line.line_id == line_id), None)
    if line is None or line.reduced_stock is None:  # some versions drop the meta when nothing is left of it
        return True
    put_back = sum(
        named.quantity
        for record in order.refunds
        if record.key.startswith("restock:") and record.is_zero_money
        for named in record.lines
        if named.line_id == line_id
    )
    return line.reduced_stock + put_back <= line.quantity


def _is_twin(intent: Intent, record: RemoteRefund) -> bool:
    since = intent.planned_at if intent.first_attempt_at is None else intent.first_attempt_at - CLOCK_SKEW
    named = {(line.line_id, line.quantity) for line in record.lines}
    is_alike = not record.key and record.is_zero_money and named == {(_line_id(intent), _quantity(intent))}
    return is_alike and record.created_at >= since


def _check_line(intent: Intent, order: OrderSnapshot) -> OrderLineSnapshot:
    line = next((line for line in order.lines if line.line_id == _line_id(intent)), None)
    if line is None:
        text = f"Order {order.number} has no line {_line_id(intent)}. Match the return to the order's lines."
        raise Rejected(text, code="line_not_on_order")
    for name in ("product_id", "variation_id"):
        planned = str(intent.payload.get(name) or "")
        if planned not in ("", "0") and planned != getattr(line, name):
            text = f"Line {line.line_id} of order {order.number} is another product than when this was planned."
            raise Rejected(text, code=IMPOSSIBLE)
    if line.reduced_stock is None or line.reduced_stock < _quantity(intent):
        raise impossible(
            f"For order {order.number} the shop holds {line.reduced_stock or 0} units of {line.name} as taken from"
            f" stock, so it will not put {_quantity(intent)} back (never taken, or back already). Count the shelf and"
            " correct the product's stock by hand."
        )
    return line


def _read_back(link: Link, intent: Intent, before: OrderLineSnapshot) -> str:
    """Read the line again. Raises OutcomeUnknown where nothing moved; a failing read is left to the confirmation."""
    try:
        order = snapshot_of(link, required_order(link, intent.order_id))
    except AuthFailed:
        return "not read: credentials"
    except VendorError as failure:
        return f"not read: {type(failure).__name__}"
    after = next((line for line in order.lines if line.line_id == before.line_id), None)
    left = (after.reduced_stock or 0) if after else 0
    if left > (before.reduced_stock or 0) - _quantity(intent):
        raise OutcomeUnknown(
            f"The shop recorded the restock of {before.name}, but its stock did not move; look at the product.",
            evidence={"reduced_stock_before": before.reduced_stock, "reduced_stock_after": left},
        )
    return f"reduced stock {before.reduced_stock} -> {left}"


def _ambiguous(order: OrderSnapshot, records: list[RemoteRefund], text: str) -> Lookup:
    ids = [record.refund_id for record in records]
    return Lookup(
        found=Found.AMBIGUOUS,
        remote_ids={f"refund_{index}": refund_id for index, refund_id in enumerate(ids, start=1)},
        text=f"{text} (record {', '.join(ids)} of order {order.number}).",
        evidence={"candidates": ids},
        order=order,
    )


def _stock_seen(order: OrderSnapshot, line_id: str) -> dict[str, Any]:
    line = next((line for line in order.lines if line.line_id == line_id), None)
    return {"line_id": line_id, "reduced_stock": line.reduced_stock if line else None}


def _line_id(intent: Intent) -> str:
    return str(intent.payload["line_id"])


def _quantity(intent: Intent) -> int:
    return int(intent.payload["quantity"])
