"""Refunds in the shop: how to find ours again, and how to make one (shopify.md sections 4 to 7).

Exactly once rests on three things: our key in the refund's note, which is looked up by the order's id (a consistent
read) before every send; ``@idempotent`` with a key of the same remote key; and one effect at a time per order here.
Always NO_RESTOCK: stock is an effect of its own. Money goes back to the payments it came from; a refund that somebody
else paid is recorded with its lines and without transactions, and its note says the amount, which Shopify shows as 0.
A refund may exist while its money has not moved: PENDING is done and not confirmed, FAILURE is a failure.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from connectors.ports import Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Sent
from connectors.shopify import keyed
from connectors.shopify.links import order_url
from connectors.shopify.money import ZERO
from connectors.shopify.paybacks import Moved, Part, free_of, gateway_said, moved_by, split
from connectors.shopify.reading import required_order, snapshot_of
from connectors.shopify.refund_records import movements, recorded_amount
from connectors.shopify.tenders import tenders_of
from returnsops.facts import OrderLineSnapshot, OrderSnapshot
from returnsops.money import display, parse_amount

COMMERCE: Final = "commerce_platform"
RECORDED: Final = "recorded"  # word of a note: paid elsewhere, and how much
MANUAL_SETTING: Final = "refund_manual_gateways"
LONGEST_NOTE: Final = 1000  # assumed: Shopify publishes no limit
_REFUSALS: Final = (
    (re.compile(r"greater than net payment received", re.IGNORECASE), "would_over_refund"),
    (re.compile(r"cannot refund more items than", re.IGNORECASE), "too_many_units"),
)


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the refund exists, by our key in any generation, and what its gateway made of it.

    Raises Rejected('order_not_found').
    """
    order = required_order(link, intent.order_id)
    snapshot = snapshot_of(link, order)
    found = records_of(intent, order)
    if len(found) > 1:
        return _ambiguous(snapshot, found, "More than one refund of this order carries our key")
    if found:
        return _judged(intent, snapshot, found[0])
    return Lookup(found=Found.ABSENT, evidence={"refunds_seen": len(order.get("refunds") or ())}, order=snapshot)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Make the refund that the look-up did not find.

    Raises Rejected where it cannot be right (currency, units, more than its payments can take back, a payment the shop
    cannot pay back to) or the shop refuses, and OutcomeUnknown where its answer is no refund of ours.
    """
    order = required_order(link, intent.order_id)
    parts = _parts(link, intent, order) if is_paid_by_shop(intent) else ()
    given = {"input": refund_input(intent, lookup.order or snapshot_of(link, order), parts)}
    try:
        payload = keyed.write(link, "RefundCreate", "refundCreate", intent, given)
    except Rejected as refusal:
        raise named(refusal) from None
    refund = payload.get("refund")
    if not isinstance(refund, Mapping) or key_in(refund) != intent.remote_key:
        raise OutcomeUnknown("The shop answered the refund with something that is no refund of ours.")
    evidence = {**_shown(refund), "tenders": [part.tender.gateway for part in parts]}
    return Sent(remote_id=str(refund["id"]), evidence=evidence, remote_url=order_url(link.config, intent.order_id))


def is_paid_by_shop(intent: Intent) -> bool:
    """Whether the shop's gateway pays; else the refund is only recorded."""
    return intent.payload.get("executed_by") == COMMERCE


def refund_input(intent: Intent, order: OrderSnapshot, parts: Sequence[Part]) -> dict[str, Any]:
    """``RefundInput``: units by line and never restocked, shipping by amount, duties whole, money by payment.

    A tip has no field there, it is money only (schema 2026-07), and so is the rest of a duty: it has no amount.
    Shopify works out what the lines are worth itself; where that differs from the money, it books the difference.
    """
    lines = intent.payload.get("lines") or ()
    kinds = {line.line_id: line.kind for line in order.lines}
    shipping = [line for line in lines if kinds.get(str(line["line_id"])) == "shipping"]
    given: dict[str, Any] = {
        "orderId": intent.order_id,
        "note": note_of(intent),
        "notify": False,
        "currency": intent.currency,
        "refundLineItems": [
            {"lineItemId": str(line["line_id"]), "quantity": int(line["quantity"]), "restockType": "NO_RESTOCK"}
            for line in lines
            if kinds.get(str(line["line_id"])) == "item" and int(line["quantity"]) > 0
        ],
    }
    whole = {line.line_id: _whole(line) for line in order.lines if line.kind == "duty"}
    if duties := [line_id for line in lines if whole.get(line_id := str(line["line_id"])) == _gross(line)]:
        given["refundDuties"] = [{"dutyId": duty_id, "refundType": "FULL"} for duty_id in duties]
    if shipping:
        given["shipping"] = {"amount": plain(sum((_gross(line) for line in shipping), ZERO))}
    if parts:
        given["transactions"] = [_transaction(intent, part) for part in parts]
    return given


def note_of(intent: Intent) -> str:
    """Our key first; of money paid elsewhere its amount, which is nowhere else in the shop."""
    amount = plain(parse_amount(str(intent.payload["amount"])))
    recorded = "" if is_paid_by_shop(intent) else f"{RECORDED} {amount} {intent.currency} "
    return f"{intent.remote_key} {recorded}{intent.payload.get('reason') or ''}".strip()[:LONGEST_NOTE]


def records_of(intent: Intent, order: Json) -> list[Json]:
    """The refunds whose note begins with a key of this effect, of any generation."""
    keys = (intent.remote_key, *intent.earlier_remote_keys)
    return [refund for refund in order.get("refunds") or () if key_in(refund) in keys]


def key_in(refund: Json) -> str:
    """The first word of a refund's note: our key, where it is ours."""
    return str(refund.get("note") or "").partition(" ")[0]


def plain(amount: Decimal) -> str:
    """The amount as digits, never in exponent form."""
    return format(amount, "f")


def named(refusal: Rejected) -> Rejected:
    """The refusal by a code of ours: ``refundCreate`` gives texts only (recorded, shopify.md section 7)."""
    if refusal.code != "user_error":
        return refusal
    code = next((code for pattern, code in _REFUSALS if pattern.search(refusal.text)), refusal.code)
    return Rejected(refusal.text, code=code, evidence=refusal.evidence)


# --- what a record of ours shows --------------------------------------------------------------------------------


def _judged(intent: Intent, order: OrderSnapshot, refund: Json) -> Lookup:
    wanted = intent.amount if intent.amount is not None else parse_amount(str(intent.payload["amount"]))
    money = moved_by(refund)
    held = money.every if is_paid_by_shop(intent) else recorded_amount(refund)
    if held != wanted:
        over = "an unknown amount" if held is None else display(held, currency=intent.currency)
        planned = display(wanted, currency=intent.currency)
        text = f"The refund with our key is over {over}, planned were {planned}"
        return _ambiguous(order, [refund], text)
    is_pending = money.under_way > 0
    unpaid = display(money.under_way, currency=intent.currency)
    left = f"The shop has the refund; its gateway has not paid {unpaid} of it yet."
    return Lookup(
        found=Found.COMPLETE,
        remote_id=str(refund["id"]),
        evidence=_shown(refund),
        order=order,
        is_pending=is_pending,
        text=left if is_pending else "",
        failed_because="" if is_pending else _failure(refund, money, intent.currency),
    )


def _failure(refund: Json, money: Moved, currency: str) -> str:
    if not money.failed:
        return ""
    said = f" ({gateway_said(refund)})" if gateway_said(refund) else ""
    rest = f" {display(money.paid, currency=currency)} of it were paid." if money.paid else ""
    return f"The shop's gateway did not pay {display(money.failed, currency=currency)} of this refund{said}.{rest}"


def _shown(refund: Json) -> dict[str, Any]:
    """What may be kept of a refund."""
    money = moved_by(refund)
    sums = {"paid": money.paid, "under_way": money.under_way, "failed": money.failed}
    shown = {name: plain(amount) for name, amount in sums.items() if amount}
    rows = [f"{row.get('gateway')} {row.get('status')}" for row in movements(refund)]
    return {"refund_id": str(refund["id"]), **shown, "transactions": rows}


def _ambiguous(order: OrderSnapshot, refunds: Sequence[Json], text: str) -> Lookup:
    ids = [str(refund["id"]) for refund in refunds]
    return Lookup(
        found=Found.AMBIGUOUS,
        remote_ids={f"refund_{index}": refund_id for index, refund_id in enumerate(ids, start=1)},
        text=f"{text} (refund {', '.join(ids)} of order {order.number}).",
        evidence={"candidates": ids, "records": [_shown(refund) for refund in refunds]},
        order=order,
    )


# --- what is sent -----------------------------------------------------------------------------------------------


def _parts(link: Link, intent: Intent, order: Json) -> tuple[Part, ...]:
    """The amount over the payments of the order. Raises Rejected where they cannot take it back."""
    amount, currency = parse_amount(str(intent.payload["amount"])), str(order.get("presentmentCurrencyCode") or "")
    if currency != intent.currency:
        text = f"The refund is in {intent.currency}, the customer paid order {order.get('name')} in {currency}."
        raise Rejected(text, code="currency_mismatch")
    if amount <= 0:
        raise Rejected(f"A refund of {display(amount, currency=currency)} is not a refund.", code="amount_not_positive")
    with_manual = link.config.settings.get(MANUAL_SETTING) is True
    parts = split(amount, order, with_manual=with_manual)
    short = amount - sum((part.amount for part in parts), ZERO)
    if short > 0:
        raise _short(order, short, currency, with_manual=with_manual)
    return parts


def _short(order: Json, short: Decimal, currency: str, *, with_manual: bool) -> Rejected:
    amount, name = display(short, currency=currency), order.get("name")
    if not with_manual and any(tender.is_manual and free_of(tender, order) for tender in tenders_of(order)):
        text = (
            f"{amount} of this refund would go back to a manual payment of order {name}, which the shop only books and"
            " does not pay. Pay the customer another way and record it, or refund it by hand."
        )
        return Rejected(text, code="gateway_cannot_refund")
    text = f"The payments of order {name} can take back {amount} less than is to be refunded."
    return Rejected(text, code="would_over_refund")


def _transaction(intent: Intent, part: Part) -> dict[str, Any]:
    return {
        "orderId": intent.order_id,
        "parentId": part.tender.transaction_id,
        "kind": "REFUND",
        "gateway": part.tender.gateway,
        "amount": plain(part.amount),
    }


def _whole(line: OrderLineSnapshot) -> Decimal:
    return sum((share.amount for share in line.taxes), line.net)


def _gross(line: Mapping[str, Any]) -> Decimal:
    taxes = (parse_amount(str(tax["amount"])) for tax in line.get("taxes") or ())
    return sum(taxes, parse_amount(str(line["net"])))
