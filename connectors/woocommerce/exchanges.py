"""Replacement orders: made unpaid, compared, then set to processing, which takes the stock (S4-19).

WooCommerce has no idempotency key. An order is found again by ``created_via``, the one field of ours that orders can be
filtered by (woocommerce-observed.md 3), and recognised by our key in its meta. ``set_paid`` on an existing order of
0.00 does nothing, because such an order needs no payment; its status is set instead, which reserves the stock.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from connectors.ports import Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Retryable, Sent, VendorError
from connectors.woocommerce import client, goods
from connectors.woocommerce.goods import Goods
from connectors.woocommerce.links import order_url
from connectors.woocommerce.orders import REDUCED_STOCK, TRASH, amount_of, meta_of, reading_of
from connectors.woocommerce.reading import fetch_order, required_order
from returnsops import states
from returnsops.money import MoneyError

PAY: Final = "pay"
UNPAID: Final = frozenset({"pending", "on-hold", "auto-draft", "checkout-draft"})
ENDED: Final = frozenset({"cancelled", "failed", TRASH})
WITHDRAWN: Final = "withdrawn"  # meta of an order we cancelled: the key of what cancelled it
REVERSE: Final = "reverse:"
_SINCE: Final = timedelta(days=1)  # the shop's clock may be wrong by hours
_ADDRESSES: Final = ("billing", "shipping")


def created_via(key: str) -> str:
    """What an effect's order is found by: at most 100 characters, whatever the key's length; any generation."""
    return f"returnsops-{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the replacement order exists and is paid; of the platform's own, whether it is the one it named."""
    if intent.payload.get("adopt"):
        return _look_up_adopted(link, intent)
    ours = _orders_of(link, intent)
    if len(ours) > 1:
        return _ambiguous(ours, "More than one order of the shop carries our key")
    return _judge(link, intent, ours[0]) if ours else Lookup(found=Found.ABSENT)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Place the order that the look-up did not find, or go on with the one it found unpaid.

    Raises Rejected where goods are unknown or short (before anything is written) or the shop made another order than
    asked (which is cancelled then), Retryable where the platform's order is not there yet, else OutcomeUnknown.
    """
    if intent.payload.get("adopt"):
        raise Retryable(f"The shop does not show order {intent.payload['adopt']} yet, which the platform named.")
    begun = required_order(link, lookup.remote_id) if lookup.found is Found.PARTIAL else None
    try:
        wanted = goods.find_all(link, intent.payload["lines"])
    except Rejected:
        if begun is not None:
            _withdraw(link, intent, begun)
        raise
    if begun is not None and not _differences(begun, wanted):
        return _pay(link, intent, begun, wanted)
    if begun is not None:  # made for what was asked before
        _withdraw(link, intent, begun)
    return _pay(link, intent, _place(link, intent, wanted), wanted)


def _place(link: Link, intent: Intent, wanted: Sequence[Goods]) -> Json:
    original = required_order(link, intent.order_id)
    if str(original.get("status")) == TRASH:
        text = f"Order {original.get('number')} is in the shop's bin. Restore it there, then send again."
        raise Rejected(text, code="order_gone")
    order = client.write(link, "POST", "/orders", body=order_body(link, intent, original, wanted))
    _check_is_ours(link, intent, order)
    differences = _differences(order, wanted)
    if differences:
        _withdraw(link, intent, order)
        text = f"The shop made another order than asked ({'; '.join(differences)}); order {order['id']} is cancelled."
        raise Rejected(text, code=states.OTHER_ORDER_MADE, evidence={"order": str(order["id"])})
    return order


def order_body(link: Link, intent: Intent, original: Json, wanted: Sequence[Goods]) -> dict[str, Any]:
    """The request: unpaid, worth nothing, the customer and addresses of the original order."""
    body: dict[str, Any] = {
        "status": "pending",
        "created_via": created_via(intent.key),
        "currency": str(original.get("currency") or ""),
        "customer_id": int(original.get("customer_id") or 0),
        "payment_method": "exchange",
        "payment_method_title": f"Exchange {intent.payload.get('rma_number') or ''}".strip(),
        "line_items": [_line_body(one) for one in wanted],
        "meta_data": _marks(link, intent),
    }
    for name in _ADDRESSES:
        given = original.get(name)
        body[name] = {part: value for part, value in given.items() if value} if isinstance(given, Mapping) else {}
    if link.config.settings.get("exchange_parent") is True:
        body["parent_id"] = int(intent.order_id)
    return body


def _marks(link: Link, intent: Intent) -> list[dict[str, str]]:
    """What names the order as ours, the original order and the return."""
    prefix = reading_of(link.config.settings).meta_prefix
    rma = str(intent.payload.get("rma_number") or "")
    entries = {"key": intent.remote_key, "exchange_of": intent.order_id, "rma": rma}
    return [{"key": prefix + name, "value": value} for name, value in entries.items() if value]


def _line_body(one: Goods) -> dict[str, Any]:
    line: dict[str, Any] = {"product_id": int(one.product_id), "quantity": one.quantity, "subtotal": "0", "total": "0"}
    return line | ({"variation_id": int(one.variation_id)} if one.variation_id else {})


# --- finding it again ------------------------------------------------------------------------------------------------


def _orders_of(link: Link, intent: Intent) -> list[Json]:
    """Orders with our key that stand, of any generation; those in the bin are listed only when asked for by name."""
    prefix = reading_of(link.config.settings).meta_prefix
    keys = {intent.key, intent.remote_key, *intent.earlier_remote_keys}
    since = (intent.planned_at - _SINCE).strftime("%Y-%m-%dT%H:%M:%S")
    asked = {"created_via": created_via(intent.key), "after": since, "dates_are_gmt": "true"}
    rows = {
        str(row["id"]): row
        for status in ("any", TRASH)
        for row in client.get_all(link, "/orders", params={**asked, "status": status})
    }
    token = created_via(intent.key)
    # An order whose meta was lost in a crash is ours by created_via; a shop that ignores the filter lists all.
    found = [
        row for row in rows.values() if row.get("created_via") == token or meta_of(row).get(prefix + "key") in keys
    ]
    return [row for row in found if not _is_taken_back(row, prefix)]


def _is_taken_back(order: Json, prefix: str) -> bool:
    """We cancelled it before it was paid, because it was not what we asked for."""
    mark = meta_of(order).get(prefix + WITHDRAWN, "")
    return bool(mark) and not mark.startswith(REVERSE)


def _judge(link: Link, intent: Intent, order: Json) -> Lookup:
    status, order_id = str(order.get("status")), str(order["id"])
    mark = meta_of(order).get(reading_of(link.config.settings).meta_prefix + WITHDRAWN, "")
    evidence = {"order": order_id, "status": status}
    if mark.startswith(REVERSE):  # it was placed, and withdrawn later on purpose
        return Lookup(found=Found.COMPLETE, remote_id=order_id, evidence=evidence)
    if status in UNPAID and not order.get("date_paid_gmt"):
        return Lookup(found=Found.PARTIAL, step=PAY, remote_id=order_id, evidence=evidence)
    if status in ENDED:
        return _ambiguous([order], f"Our replacement order is {status} in the shop, and not by us")
    return _complete(link, intent, order, evidence)


def _complete(link: Link, intent: Intent, order: Json, evidence: Mapping[str, Any]) -> Lookup:
    """Paid. Its goods were compared before it was; afterwards only their number can be told without the catalogue."""
    units = sum(int(line["quantity"]) for line in intent.payload["lines"])
    made = sum(int(amount_of(line.get("quantity"))) for line in order.get("line_items") or ())
    if made != units:
        return _ambiguous([order], f"Our replacement order holds {made} units, {units} were asked for")
    number = str(order.get("number") or order["id"])
    return Lookup(
        found=Found.COMPLETE,
        remote_id=str(order["id"]),
        evidence={**evidence, "number": number, "reserved": _reserved(order)},
        stock_concern=_concern(link, order),
    )


def _look_up_adopted(link: Link, intent: Intent) -> Lookup:
    order_id = str(intent.payload["adopt"])
    order = fetch_order(link, order_id)
    if order is None:
        return Lookup(found=Found.ABSENT)
    status = str(order.get("status"))
    if status in ENDED or order_id == intent.order_id:
        text = f"The platform named order {order_id} as the replacement, which is {status}"
        return _ambiguous([order], text if status in ENDED else f"{text} and the very order that was returned")
    evidence = {"order": order_id, "status": status, "total": str(order.get("total")), "reserved": _reserved(order)}
    return Lookup(found=Found.COMPLETE, remote_id=order_id, evidence=evidence)


def _ambiguous(orders: Sequence[Json], text: str) -> Lookup:
    ids = [str(order["id"]) for order in orders]
    return Lookup(
        found=Found.AMBIGUOUS,
        remote_ids={f"order_{index}": order_id for index, order_id in enumerate(ids, start=1)},
        text=f"{text} (order {', '.join(ids)}).",
        evidence={"candidates": ids},
    )


# --- comparing, paying, taking back ------------------------------------------------------------------------------


def _check_is_ours(link: Link, intent: Intent, order: Json) -> None:
    """Raises OutcomeUnknown, so that a look-up decides."""
    if not isinstance(order, dict) or not order.get("id"):
        raise OutcomeUnknown("The shop answered the replacement order with something that is no order.")
    if meta_of(order).get(reading_of(link.config.settings).meta_prefix + "key") != intent.remote_key:
        raise OutcomeUnknown(f"Order {order['id']} that the shop answered with does not carry our key.")


def _differences(order: Json, wanted: Sequence[Goods]) -> list[str]:
    """What the shop made of it: an unknown product gives a nameless line without a word (observed 6)."""
    made = sorted(_identity(line) for line in order.get("line_items") or ())
    asked = sorted(one.identity for one in wanted)
    found = [f"lines {made} instead of {asked}"] if made != asked else []
    names = {(one.product_id, one.variation_id): one.sku for one in wanted}
    for line in order.get("line_items") or ():
        sku = names.get(_identity(line)[:2])
        if sku and str(line.get("sku") or "") != sku:
            found.append(f"SKU {line.get('sku')} instead of {sku}")
    if not _is_nothing(order.get("total")):
        found.append(f"a total of {order.get('total')} instead of 0")
    return found


def _identity(line: Json) -> tuple[str, str, int]:
    variation = str(line.get("variation_id") or "")
    return (str(line.get("product_id") or ""), variation, int(amount_of(line.get("quantity"))))


def _is_nothing(total: object) -> bool:
    try:
        return amount_of(total) == 0
    except MoneyError:
        return False


def _withdraw(link: Link, intent: Intent, order: Json) -> None:
    """Cancel an order of ours that is not what was asked; marked, so that no look-up takes it for the real one."""
    prefix = reading_of(link.config.settings).meta_prefix
    body = {"status": "cancelled", "meta_data": [{"key": prefix + WITHDRAWN, "value": intent.remote_key}]}
    answer = _write_after(link, f"/orders/{order['id']}", body)
    if str(answer.get("status")) != "cancelled":
        raise OutcomeUnknown(f"Order {order['id']} is not what was asked, and the shop did not cancel it.")


def _pay(link: Link, intent: Intent, order: Json, wanted: Sequence[Goods]) -> Sent:
    order_id = str(order["id"])
    paid = _write_after(link, f"/orders/{order_id}", {"status": "processing", "meta_data": _marks(link, intent)})
    status = str(paid.get("status") or "")
    if status in UNPAID | ENDED or not status:
        raise OutcomeUnknown(f"The shop answered, but replacement order {order_id} is {status or 'without a status'}.")
    evidence = {
        "order": order_id,
        "number": str(paid.get("number") or order_id),
        "status": status,
        "reserved": _reserved(paid),
        "stock_before": {one.sku or one.holder: one.stock for one in wanted},
    }
    return Sent(
        remote_id=order_id,
        evidence=evidence,
        remote_url=order_url(link.config, order_id),
        stock_concern=_concern(link, paid),
    )


def _write_after(link: Link, path: str, body: Json) -> dict[str, Any]:
    """A second write of one effect: whatever goes wrong with it, the first one stands, so the outcome is unknown."""
    try:
        answer = client.write(link, "PUT", path, body=body)
    except Rejected as refusal:
        raise OutcomeUnknown(refusal.text, evidence=refusal.evidence) from refusal
    return answer if isinstance(answer, dict) else {}


def _reserved(order: Json) -> int:
    """Units the order took out of stock."""
    return sum(_taken(line) for line in order.get("line_items") or ())


def _taken(line: Json) -> int:
    held = meta_of(line).get(REDUCED_STOCK, "")
    return int(held) if held.isdigit() else 0


def _concern(link: Link, order: Json) -> str:
    """What does not fit about the stock after it was taken; '' where all is well or it cannot be read now."""
    try:
        found = [_concern_of(link, line) for line in order.get("line_items") or ()]
    except VendorError:
        return ""
    texts = "; ".join(text for text in found if text)
    return f"Replacement order {order['id']}: {texts}." if texts else ""


def _concern_of(link: Link, line: Json) -> str:
    is_managed, stock = goods.stock_of(link, str(line.get("variation_id") or line.get("product_id") or ""))
    units, taken = int(amount_of(line.get("quantity"))), _taken(line)
    if is_managed and taken < units:
        return f"{taken} of {units} x {line.get('name')} were taken out of stock"
    return f"{line.get('name')} stands at {stock}, more was sold than is there" if (stock or 0) < 0 else ""
