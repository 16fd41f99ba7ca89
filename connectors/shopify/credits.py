"""Store credit: a refund of the order to the customer's credit account, which takes an idempotency key (section 9).

``storeCreditAccountCredit`` takes neither a key nor a reference, so it is not used; what the credit is on top of what
was paid (a bonus) cannot be given through the order and is a person's work. A gift card is in gift_cards.py; which of
the two it is says the credit.
"""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any, Final

from connectors.ports import Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Sent
from connectors.shopify import gift_cards, keyed
from connectors.shopify.links import order_url
from connectors.shopify.reading import required_order, snapshot_of
from connectors.shopify.refunds import key_in, named, plain, records_of
from returnsops.facts import OrderSnapshot
from returnsops.money import display, parse_amount

GIFT_CARD: Final = "gift_card"


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the credit exists. Raises Rejected('order_not_found')."""
    if intent.payload.get("credit_kind") == GIFT_CARD:
        return gift_cards.look_up(link, intent)
    order = required_order(link, intent.order_id)
    snapshot, found = snapshot_of(link, order), records_of(intent, order)
    if len(found) > 1:
        ids = [str(refund["id"]) for refund in found]
        text = f"More than one refund to store credit carries our key ({', '.join(ids)})."
        return Lookup(found=Found.AMBIGUOUS, text=text, evidence={"candidates": ids}, order=snapshot)
    if not found:
        return Lookup(found=Found.ABSENT, order=snapshot)
    refund = found[0]
    if not str(refund["note"]).startswith(_note(intent, key_in(refund))):
        planned = display(parse_amount(str(intent.payload["amount"])), currency=intent.currency)
        text = f"The refund to store credit with our key is not over {planned}."
        return Lookup(found=Found.AMBIGUOUS, text=text, evidence={"candidates": [str(refund["id"])]}, order=snapshot)
    evidence = {"refund_id": str(refund["id"]), "amount": str(intent.payload["amount"])}
    return Lookup(found=Found.COMPLETE, remote_id=str(refund["id"]), evidence=evidence, order=snapshot)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Give the credit. Raises Rejected where the order cannot give it, saying why."""
    if intent.payload.get("credit_kind") == GIFT_CARD:
        return gift_cards.send(link, intent, lookup)
    order = lookup.order or snapshot_of(link, required_order(link, intent.order_id))
    _check(intent, order)
    given = {"input": credit_input(link, intent)}
    try:
        payload = keyed.write(link, "RefundCreate", "refundCreate", intent, given)
    except Rejected as refusal:
        raise named(refusal) from None
    refund: Json = payload.get("refund")
    if not isinstance(refund, Mapping) or key_in(refund) != intent.remote_key:
        raise OutcomeUnknown("The shop answered the store credit with something that is no refund of ours.")
    evidence = {"refund_id": str(refund["id"]), "amount": str(intent.payload["amount"])}
    return Sent(remote_id=str(refund["id"]), evidence=evidence, remote_url=order_url(link.config, order.order_id))


def credit_input(link: Link, intent: Intent) -> dict[str, Any]:
    """``RefundInput`` without lines: what was returned is said by the return, the credit by its amount."""
    amount = {"amount": plain(parse_amount(str(intent.payload["amount"]))), "currencyCode": intent.currency}
    credit: dict[str, Any] = {"amount": amount}
    if intent.payload.get("valid_days"):
        # From when it was planned, so that every try asks for the same: the shop refuses a key with other content.
        ends_at = intent.planned_at.astimezone(UTC) + timedelta(days=int(intent.payload["valid_days"]))
        credit["expiresAt"] = ends_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "orderId": intent.order_id,
        "note": f"{_note(intent, intent.remote_key)} {intent.payload.get('reason') or ''}".strip(),
        "notify": False,
        "currency": intent.currency,
        "refundMethods": [{"storeCreditRefund": credit}],
    }


def _note(intent: Intent, key: str) -> str:
    return f"{key} store credit {plain(parse_amount(str(intent.payload['amount'])))} {intent.currency}"


def _check(intent: Intent, order: OrderSnapshot) -> None:
    if intent.currency != order.currency:
        text = f"The credit is in {intent.currency}, order {order.number} in {order.currency}."
        raise Rejected(text, code="currency_mismatch")
    if parse_amount(str(intent.payload.get("bonus") or "0")):
        text = (
            "Shopify gives store credit for an order only up to what was paid. Give this credit with its bonus by hand."
        )
        raise Rejected(text, code="bonus_not_possible")
    if not order.customer_id:
        text = f"Order {order.number} has no customer whose account could hold store credit. Give a gift card by hand."
        raise Rejected(text, code="no_customer")
