"""Refunds in the shop: how to find ours again, and how to make one.

WooCommerce has no idempotency key and no lock (observed 4.3, 4.5). Exactly once rests on our key in the record, its
reason and its meta_data, on looking it up before every send, and on one effect at a time per order on our side.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.ports import (
    Found,
    Intent,
    Json,
    Link,
    Lookup,
    OutcomeUnknown,
    Rejected,
    Retryable,
    Sent,
    VendorError,
)
from connectors.woocommerce import client
from connectors.woocommerce.links import order_url
from connectors.woocommerce.orders import amount_of, key_of, reading_of, refunds_sum
from connectors.woocommerce.reading import required_order, snapshot_of
from connectors.woocommerce.timing import CLOCK_SKEW, SETTLE_S
from returnsops import money
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund

COMMERCE: Final = "commerce_platform"
GATEWAY_UNKNOWN: Final = "woocommerce_rest_payment_gateway_invalid"


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the refund exists: by our key in any generation, else by a twin without key.

    Raises Rejected('order_not_found'), Rejected('gateway_cannot_refund') before the first attempt to pay through a
    gateway that cannot, and Retryable while the shop is still paying through its gateway. A record that is named
    already (``remote_id``) is looked for whatever the gateway can: nothing is to be paid any more.
    """
    order = snapshot_of(link, required_order(link, intent.order_id))
    ours = records_of(intent, order.refunds)
    if len(ours) > 1:
        return _ambiguous(order, ours, "More than one refund of this order carries our key")
    if ours:
        return _judge_record(link, intent, order, ours[0])
    twins = [refund for refund in order.refunds if _is_twin(intent, refund)]
    if twins:
        return _ambiguous(order, twins, "A refund of the same amount and lines, without our key, was made meanwhile")
    if _may_have_been_paid(link, intent):
        text = (
            "The shop keeps no record, but its payment gateway was asked to pay and may have done so: WooCommerce"
            " deletes the record when the gateway does not answer. Look for the payment at the gateway first."
        )
        return _ambiguous(order, (), text)
    is_to_be_paid = intent.first_attempt_at is None and not intent.remote_id
    if intent.payload.get("executed_by") == COMMERCE and is_to_be_paid:
        _check_gateway(link, order)
    return Lookup(found=Found.ABSENT, evidence=_seen(order), order=order)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Make the refund that the look-up did not find.

    Raises Rejected where it cannot be right (line, rate, rest, currency) or the shop refuses definitely, and
    OutcomeUnknown where the gateway was asked and the answer is not a clear success.
    """
    order = lookup.order or snapshot_of(link, required_order(link, intent.order_id))
    check_order(order)
    _check_payload(intent, order)
    is_gateway_called = intent.payload.get("executed_by") == COMMERCE
    body = refund_body(intent, meta_prefix=reading_of(link.config.settings).meta_prefix)
    path = f"/orders/{order.order_id}/refunds"
    made = client.write(link, "POST", path, body=body, is_gateway_called=is_gateway_called)
    check_made(intent, made, meta_prefix=reading_of(link.config.settings).meta_prefix)
    if is_gateway_called and made.get("refunded_payment") is not True:
        raise OutcomeUnknown("The shop recorded the refund but does not say that its gateway paid.")
    evidence = {"refund_id": str(made["id"]), "amount": str(made.get("amount")), "lines": len(body["line_items"])}
    return Sent(remote_id=str(made["id"]), evidence=evidence, remote_url=order_url(link.config, order.order_id))


def refund_body(intent: Intent, *, meta_prefix: str) -> dict[str, Any]:
    """The request: amount as a string, nets and taxes by rate id, never restocking (a restock is its own effect).

    ``api_refund`` and ``api_restock`` are literal booleans: both default to true, other types count as true.
    """
    payload = intent.payload
    return {
        "amount": plain(amount_of(payload["amount"])),
        "reason": reason_of(intent, str(payload.get("reason") or "")),
        "api_refund": payload.get("executed_by") == COMMERCE,
        "api_restock": False,
        "line_items": [_line_body(line) for line in payload.get("lines") or ()],
        "meta_data": meta_entries(intent, meta_prefix=meta_prefix),
    }


def reason_of(intent: Intent, text: str) -> str:
    """Our key first: the reason is saved with the record itself, the meta only after it (observed 4.6)."""
    return f"{intent.remote_key} {text}".strip()


def meta_entries(intent: Intent, *, meta_prefix: str) -> list[dict[str, str]]:
    """What marks the record as ours."""
    entries = {
        "key": intent.remote_key,
        "rma": str(intent.payload.get("rma_number") or ""),
        "reference": str(intent.payload.get("reference") or ""),
    }
    return [{"key": meta_prefix + name, "value": value} for name, value in entries.items() if value]


def records_of(intent: Intent, refunds: Sequence[RemoteRefund]) -> list[RemoteRefund]:
    """The records that carry the key of this effect, of any generation."""
    keys = (intent.remote_key, *intent.earlier_remote_keys)
    return [refund for refund in refunds if refund.key in keys or _reason_starts_with(refund.reason, keys)]


def check_order(order: OrderSnapshot) -> None:
    """Refuse to write to an order in the bin. Raises Rejected('order_gone')."""
    if order.is_gone:
        text = f"Order {order.number} is in the shop's bin. Restore it there, then send again."
        raise Rejected(text, code="order_gone")


def check_made(intent: Intent, made: Json, *, meta_prefix: str) -> None:
    """The answer to our POST must be our record. Raises OutcomeUnknown, so that a look-up decides."""
    if not isinstance(made, dict) or not made.get("id"):
        raise OutcomeUnknown("The shop answered the refund with something that is no refund.")
    if key_of(made, meta_prefix=meta_prefix) != intent.remote_key:
        raise OutcomeUnknown(f"Refund {made['id']} that the shop answered with does not carry our key.")


def plain(amount: Decimal) -> str:
    """The amount as digits, never in exponent form."""
    return format(amount, "f")


def _judge_record(link: Link, intent: Intent, order: OrderSnapshot, record: RemoteRefund) -> Lookup:
    wanted = intent.amount if intent.amount is not None else amount_of(intent.payload["amount"])
    if record.amount != wanted:
        made = money.display(record.amount, currency=record.currency)
        planned = money.display(wanted, currency=intent.currency)
        text = f"The refund with our key is over {made}, planned were {planned}"
        return _ambiguous(order, (record,), text)
    if intent.payload.get("executed_by") == COMMERCE and not record.is_gateway_paid:
        if link.now() - record.created_at < timedelta(seconds=SETTLE_S):
            raise Retryable(f"Refund {record.refund_id} is recorded; the shop's gateway is still being asked to pay.")
        text = "The refund with our key is recorded, but the shop does not say that its gateway paid"
        return _ambiguous(order, (record,), text)
    evidence = {**_seen(order), "refund_id": record.refund_id, "amount": plain(record.amount)}
    return Lookup(found=Found.COMPLETE, remote_id=record.refund_id, evidence=evidence, order=order)


def _may_have_been_paid(link: Link, intent: Intent) -> bool:
    """An attempt to pay through the gateway left no record: that is no proof that it did not pay (woocommerce.md 4)."""
    if intent.payload.get("executed_by") != COMMERCE or intent.first_attempt_at is None:
        return False
    return link.now() - intent.first_attempt_at >= timedelta(seconds=SETTLE_S)


def _is_twin(intent: Intent, refund: RemoteRefund) -> bool:
    """A record without key that could be ours after a crash, or a person's for the same thing (observed 4.6)."""
    since = intent.planned_at if intent.first_attempt_at is None else intent.first_attempt_at - CLOCK_SKEW
    wanted = intent.amount if intent.amount is not None else amount_of(intent.payload["amount"])
    is_alike = not refund.key and not refund.is_zero_money and refund.amount == wanted
    return is_alike and refund.created_at >= since and _lines_named(refund) == _lines_wanted(intent)


def _lines_named(refund: RemoteRefund) -> set[str]:
    return {line.line_id for line in refund.lines}


def _lines_wanted(intent: Intent) -> set[str]:
    return {str(line["line_id"]) for line in intent.payload.get("lines") or ()}


def _reason_starts_with(reason: str, keys: Sequence[str]) -> bool:
    return any(reason == key or reason.startswith(key + " ") for key in keys)


def _ambiguous(order: OrderSnapshot, records: Sequence[RemoteRefund], text: str) -> Lookup:
    ids = [record.refund_id for record in records]
    listed = f" (refund {', '.join(ids)} of order {order.number})." if ids else ""
    return Lookup(
        found=Found.AMBIGUOUS,
        remote_ids={f"refund_{index}": refund_id for index, refund_id in enumerate(ids, start=1)},
        text=text + listed if listed else text,
        evidence={**_seen(order), "candidates": ids},
        order=order,
    )


def _seen(order: OrderSnapshot) -> dict[str, Any]:
    return {"refunds_seen": len(order.refunds), "refunded": plain(refunds_sum(order.refunds))}


def _check_payload(intent: Intent, order: OrderSnapshot) -> None:
    """The shop checks next to nothing itself (observed 4.7): unknown lines and rates pay out all the same."""
    amount = amount_of(intent.payload["amount"])
    if intent.currency != order.currency:
        text = f"The refund is in {intent.currency}, order {order.number} in {order.currency}."
        raise Rejected(text, code="currency_mismatch")
    shown = money.display(amount, currency=order.currency)
    if amount <= 0:
        raise Rejected(f"A refund of {shown} is not a refund.", code="amount_not_positive")
    left = order.total - refunds_sum(order.refunds)
    if amount > left:
        rest = money.display(left, currency=order.currency)
        text = f"{shown} is more than the {rest} left to refund on order {order.number}."
        raise Rejected(text, code="would_over_refund")
    lines = {line.line_id: line for line in order.lines}
    for wanted in intent.payload.get("lines") or ():
        _check_line(wanted, lines.get(str(wanted["line_id"])), order)


def _check_line(wanted: Mapping[str, Any], line: OrderLineSnapshot | None, order: OrderSnapshot) -> None:
    if line is None:
        text = f"Order {order.number} has no line {wanted['line_id']}. Match the return to the order's lines."
        raise Rejected(text, code="line_not_on_order")
    if line.kind == "item" and int(wanted["quantity"]) > line.quantity:
        text = f"{wanted['quantity']} units of a line of {line.quantity} ({line.name}) cannot be refunded."
        raise Rejected(text, code="too_many_units")
    rates = {share.rate_id for share in line.taxes}
    unknown = [str(tax["rate_id"]) for tax in wanted.get("taxes") or () if str(tax["rate_id"]) not in rates]
    if unknown:
        text = f"Line {line.line_id} of order {order.number} has no tax of rate {', '.join(unknown)}."
        raise Rejected(text, code="unknown_tax_rate")


def _line_body(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": int(line["line_id"]),
        "quantity": int(line["quantity"]),
        "refund_total": plain(amount_of(line["net"])),
        "refund_tax": [
            {"id": int(tax["rate_id"]), "refund_total": plain(amount_of(tax["amount"]))}
            for tax in line.get("taxes") or ()
        ],
    }


def _check_gateway(link: Link, order: OrderSnapshot) -> None:
    """Ask first whether the gateway can refund at all: its refusal cannot be told from a payment that got lost.

    Only a clear no stops the refund; shops that do not let the key read their gateways go on.
    """
    try:
        gateway = client.get(link, f"/payment_gateways/{order.payment_method}").json if order.payment_method else {}
    except Rejected as refusal:
        gateway = {"method_supports": []} if refusal.code == GATEWAY_UNKNOWN else {}
    except VendorError:
        gateway = {}
    supports = gateway.get("method_supports") if isinstance(gateway, dict) else None
    if isinstance(supports, list) and "refunds" not in supports:
        text = (
            f"The payment method {order.payment_method!r} of order {order.number} cannot refund by itself. Pay the"
            " customer another way and record it, or refund it by hand in the shop."
        )
        raise Rejected(text, code="gateway_cannot_refund")
