"""What staff see of a return in the shop: metafields and a tag kept up to date, and lines in the order's note, once.

A mirror writes the order's metafield and the customer's newest one in one atomic call; both and the tag may be written
any number of times. The order's note is one text that a write replaces whole (shopify.md section 12): it is read just
before, our line is added, and the line's token finds it again. Our notes of one order go one after the other.
"""

from collections.abc import Mapping
from typing import Any, Final

from connectors.ports import Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Sent
from connectors.shopify import client
from connectors.shopify.links import order_url

NAMESPACE_SETTING: Final = "meta_namespace"
DEFAULT_NAMESPACE: Final = "returnsops"
TAG_SETTING: Final = "return_tag"
DEFAULT_TAG: Final = "return"
CUSTOMER_KEY: Final = "last_return"
STATUS: Final = "status"  # the mirror that the customer's record shows too
TEXT: Final = "multi_line_text_field"
LONGEST_NOTE: Final = 5000
NOTE_FULL: Final = "note_full"
NO_CUSTOMER_NOTES: Final = "no_customer_notes"


# --- mirrors: metafields and a tag -----------------------------------------------------------------------------------


def look_up_mirror(link: Link, intent: Intent) -> Lookup:
    """Whether the order (and its customer, and its tags) already say what is wanted. Raises Rejected."""
    order = _marks_of(link, intent)
    remote_id = f"{intent.order_id}/{intent.payload['field']}"
    is_said = _value(order) == str(intent.payload["value"]) and _is_tagged(link, order)
    if is_said and (not _shows_customer(intent, order) or _value(order["customer"]) == _customer_text(intent)):
        return Lookup(found=Found.COMPLETE, remote_id=remote_id)
    return Lookup(found=Found.ABSENT, evidence={"has_other_value": _value(order) is not None})


def send_mirror(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Set the metafields, then the tag; writing the same again changes nothing."""
    order = _marks_of(link, intent)
    fields = [_field(link, intent.order_id, str(intent.payload["field"]), str(intent.payload["value"]))]
    if _shows_customer(intent, order):
        fields.append(_field(link, str(order["customer"]["id"]), CUSTOMER_KEY, _customer_text(intent)))
    payload = client.execute(link, "MetafieldsSet", {"metafields": fields}, is_write=True).get("metafieldsSet")
    client.refuse_user_errors(payload, name="MetafieldsSet")
    if not _is_tagged(link, order):
        given = {"id": intent.order_id, "tags": [_tag(link)]}
        added = client.execute(link, "TagsAdd", given, is_write=True).get("tagsAdd")
        client.refuse_user_errors(added, name="TagsAdd")
    return Sent(
        remote_id=f"{intent.order_id}/{intent.payload['field']}",
        evidence={"field": str(intent.payload["field"]), "on_customer": len(fields) > 1},
        remote_url=order_url(link.config, intent.order_id),
    )


def namespace_of(link: Link) -> str:
    """Where our metafields are."""
    return str(link.config.settings.get(NAMESPACE_SETTING) or DEFAULT_NAMESPACE)


def _field(link: Link, owner_id: str, key: str, value: str) -> dict[str, str]:
    return {"ownerId": owner_id, "namespace": namespace_of(link), "key": key, "type": TEXT, "value": value}


def _shows_customer(intent: Intent, order: Json) -> bool:
    """Guests have no record; of several mirrors only the status goes there."""
    return bool(order.get("customer")) and str(intent.payload["field"]).startswith(STATUS)


def _customer_text(intent: Intent) -> str:
    named = str(intent.payload.get("rma_number") or intent.return_id)
    return f"Return {named}: {intent.payload['value']}"


def _value(owner: Json) -> str | None:
    field = (owner or {}).get("metafield")
    return str(field["value"]) if isinstance(field, Mapping) else None


def _tag(link: Link) -> str:
    return str(link.config.settings.get(TAG_SETTING, DEFAULT_TAG)).strip()


def _is_tagged(link: Link, order: Json) -> bool:
    """Whether the order carries the tag, or none is wanted; the shop compares without case."""
    wanted = _tag(link).lower()
    return not wanted or wanted in {str(tag).lower() for tag in order.get("tags") or ()}


# --- notes -----------------------------------------------------------------------------------------------------------


def look_up_note(link: Link, intent: Intent) -> Lookup:
    """Whether the order's note holds our token. Raises Rejected('order_not_found')."""
    if str(intent.payload["token"]) in str(_marks_of(link, intent).get("note") or ""):
        return Lookup(found=Found.COMPLETE, remote_id=f"{intent.order_id}/note")
    return Lookup(found=Found.ABSENT)


def send_note(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Add a line to the note. Raises Rejected where it is full, or where the customer is to be told by it."""
    if intent.payload.get("is_for_customer") is True or intent.payload.get("remote_credit_id"):
        text = "Shopify has no notes that reach the customer. Switch customer_note off in the policy, and mail them."
        raise Rejected(text, code=NO_CUSTOMER_NOTES)
    note = _with_line(str(_marks_of(link, intent).get("note") or ""), intent)
    given = {"input": {"id": intent.order_id, "note": note}}
    payload = client.execute(link, "OrderNote", given, is_write=True).get("orderUpdate")
    client.refuse_user_errors(payload, name="OrderNote")
    order = (payload or {}).get("order") or {}
    if str(intent.payload["token"]) not in str(order.get("note") or ""):
        raise OutcomeUnknown(f"The shop answered, but the note of order {intent.order_id} does not show our line.")
    evidence = {"characters": len(note)}
    return Sent(
        remote_id=f"{intent.order_id}/note", evidence=evidence, remote_url=order_url(link.config, intent.order_id)
    )


def _with_line(note: str, intent: Intent) -> str:
    token, text = str(intent.payload["token"]), str(intent.payload["text"])
    if token in note:
        return note
    line = text if token in text else f"{token} {text}"
    joined = f"{note}\n{line}" if note else line
    if len(joined) > LONGEST_NOTE:
        told = f"The note of this order is full ({LONGEST_NOTE} characters). Shorten it in the shop, then try again."
        raise Rejected(told, code=NOTE_FULL)
    return joined


def _marks_of(link: Link, intent: Intent) -> Json:
    """Note, tags and our metafields of the order. Raises Rejected('order_not_found')."""
    field = str(intent.payload.get("field") or STATUS)
    given: dict[str, Any] = {"id": intent.order_id, "namespace": namespace_of(link), "key": field}
    order = client.execute(link, "OrderMarks", {**given, "customerKey": CUSTOMER_KEY}).get("order")
    if not isinstance(order, Mapping):
        text = f"The shop has no order with the id {intent.order_id[:60]!r}. Link the return to the right order."
        raise Rejected(text, code="order_not_found")
    return order
