"""Notes (once per milestone) and mirrors (a status in the order's meta): what staff see in the shop."""

from collections.abc import Sequence
from html import unescape
from typing import Any

from connectors.ports import Found, Intent, Json, Link, Lookup, MarksShown, OutcomeUnknown, Rejected, Sent
from connectors.woocommerce import client, coupons
from connectors.woocommerce.links import order_url
from connectors.woocommerce.orders import meta_of, reading_of
from connectors.woocommerce.reading import required_order


def look_up_note(link: Link, intent: Intent) -> Lookup:
    """Whether a note of the order holds our token (notes have no meta). Raises Rejected('order_not_found')."""
    required_order(link, intent.order_id)
    token = str(intent.payload["token"])
    ids = [str(note["id"]) for note in _notes(link, intent.order_id) if token in unescape(str(note.get("note") or ""))]
    if not ids:
        return Lookup(found=Found.ABSENT)
    return Lookup(found=Found.COMPLETE, remote_id=min(ids, key=int), evidence={"notes_with_token": len(ids)})


def send_note(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Post the note: for staff, unless the payload says that it is for the customer, whom the shop then e-mails.

    So is the note that brings a customer the code of their credit, read from its coupon just now.
    """
    coupon_id = str(intent.payload.get("remote_credit_id") or "")
    code = coupons.read_credit(link, coupon_id).code if coupon_id else ""
    body = note_body(intent, code=code)
    made = client.write(link, "POST", f"/orders/{intent.order_id}/notes", body=body)
    if not isinstance(made, dict) or not made.get("id"):
        raise OutcomeUnknown("The shop answered the note with something that is no note.")
    return Sent(
        remote_id=str(made["id"]),
        evidence={"note_id": str(made["id"])},
        remote_url=order_url(link.config, intent.order_id),
    )


def note_body(intent: Intent, *, code: str = "") -> dict[str, Any]:
    """The request; the token, by which the note is found again, is part of the text. ``code`` stands in for {code}."""
    token, text = str(intent.payload["token"]), str(intent.payload["text"])
    if code:
        text = text.replace("{code}", code)
    return {
        "note": text if token in text else f"{token} {text}",
        "customer_note": bool(code) or intent.payload.get("is_for_customer") is True,
        "added_by_user": False,
    }


def look_up_mirror(link: Link, intent: Intent) -> Lookup:
    """Whether the order's meta already says what is wanted. Raises Rejected('order_not_found')."""
    order = required_order(link, intent.order_id)
    held = meta_of(order).get(_meta_key(link, intent))
    if held == str(intent.payload["value"]):
        return Lookup(found=Found.COMPLETE, remote_id=f"{intent.order_id}/{_meta_key(link, intent)}")
    return Lookup(found=Found.ABSENT, evidence={"has_other_value": held is not None})


def send_mirror(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """PUT this one meta entry and nothing else: any other field would make the shop recalculate totals."""
    key = _meta_key(link, intent)
    body = {"meta_data": [{"key": key, "value": str(intent.payload["value"])}]}
    order = client.write(link, "PUT", f"/orders/{intent.order_id}", body=body)
    if not isinstance(order, dict) or meta_of(order).get(key) != str(intent.payload["value"]):
        raise OutcomeUnknown(f"The shop answered, but order {intent.order_id} does not show the new status.")
    return Sent(
        remote_id=f"{intent.order_id}/{key}",
        evidence={"field": str(intent.payload["field"])},
        remote_url=order_url(link.config, intent.order_id),
    )


def read_marks(link: Link, order_id: str, tokens: Sequence[str]) -> MarksShown:
    """Which of these tokens stand in a note of the order. Raises Rejected('order_not_found')."""
    texts = [unescape(str(note.get("note") or "")) for note in _notes(link, order_id)] if tokens else []
    return MarksShown(tokens=frozenset(token for token in tokens if any(token in text for text in texts)))


def _meta_key(link: Link, intent: Intent) -> str:
    return reading_of(link.config.settings).meta_prefix + str(intent.payload["field"])


def _notes(link: Link, order_id: str) -> list[dict[str, Any]]:
    """All notes: this one list is not paged (woocommerce.md 5)."""
    path = f"/orders/{order_id}/notes"
    try:
        notes: Json = client.rows_of(client.get(link, path), path)
    except Rejected as refusal:
        if refusal.code == client.ORDER_UNKNOWN:
            raise Rejected(refusal.text, code="order_not_found", evidence=refusal.evidence) from None
        raise
    return list(notes)
