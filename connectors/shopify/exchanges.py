"""Replacement orders: worth nothing, linked to the original, with stock claimed and to be shipped (section 11).

``orderCreate`` takes no idempotency key, and orders are searched in an index that lags. So the original order keeps the
book: a metafield of ours says "begun" before the order is made and "done" with its id after, and both are read by the
order's id. A crash in between leaves "begun"; the order is then searched by ``sourceIdentifier``, which our key gives,
and where the index does not show it for a while nobody but a person can tell.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.ports import (
    AuthFailed,
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
from connectors.shopify import client
from connectors.shopify.for_sale import Goods, find_all
from connectors.shopify.links import gid, order_url
from connectors.shopify.marks import TEXT, namespace_of
from connectors.shopify.refund_records import nodes
from connectors.shopify.timing import INDEX_LAG
from returnsops import states
from returnsops.money import parse_amount

KEY: Final = "returnsops_key"  # of the order's custom attributes, which people see
TAG: Final = "returnsops-exchange"
BEGUN: Final = "begun"
DONE: Final = "done"
REFUSED: Final = "refused"
_ADDRESS: Final = ("firstName", "lastName", "company", "address1", "address2", "city", "zip", "provinceCode", "phone")


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the replacement order exists; of the platform's own, whether it is the one it named."""
    if intent.payload.get("adopt"):
        return _look_up_adopted(link, intent)
    if intent.remote_id:
        return _judged(link, intent, intent.remote_id)
    word, _, order_id = _book(link, intent, _original(link, intent)).partition(" ")
    if word == DONE:
        return _judged(link, intent, order_id)
    if word != BEGUN:
        return Lookup(found=Found.ABSENT)
    return _searched(link, intent)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Place the order that the look-up did not find.

    Raises Rejected where goods are unknown or short (before anything is written) or the shop refuses, Retryable where
    the platform's order is not there yet, else OutcomeUnknown.
    """
    if intent.payload.get("adopt"):
        raise Retryable(f"The shop does not show order {intent.payload['adopt']} yet, which the platform named.")
    original, wanted = _original(link, intent), find_all(link, intent.payload["lines"])
    if original.get("cancelledAt"):
        raise Rejected(f"Order {original['name']} is cancelled in the shop.", code="order_gone")
    _write_book(link, intent, BEGUN)
    order = _placed(link, intent, order_input(intent, original, wanted))
    seen = _judged(link, intent, str(order["id"]))
    if seen.found is not Found.COMPLETE:
        raise OutcomeUnknown(seen.text or "The shop does not show the replacement order it answered with.")
    _write_book(link, intent, f"{DONE} {order['id']}")
    return Sent(
        remote_id=str(order["id"]),
        evidence={**seen.evidence, "stock_before": {one.sku or one.variant_id: one.stock for one in wanted}},
        remote_url=order_url(link.config, str(order["id"])),
    )


def order_input(intent: Intent, original: Json, wanted: Sequence[Goods]) -> dict[str, Any]:
    """``OrderCreateOrderInput``: the original's customer and address, read just now, every line shipped and free."""
    currency = str(original.get("currencyCode") or "")
    free = {"shopMoney": {"amount": "0.00", "currencyCode": currency}}
    rma, name = str(intent.payload.get("rma_number") or ""), str(original.get("name") or "")
    marks = {KEY: intent.remote_key, "exchange_of": name, "return": rma}
    given: dict[str, Any] = {
        "currency": currency,
        "financialStatus": "PAID",
        "sourceIdentifier": token_of(intent.key),
        "tags": [TAG],
        "note": f"Exchange for {name} (return {rma})",
        "customAttributes": [{"key": key, "value": value} for key, value in marks.items() if value],
        "lineItems": [
            {"variantId": one.variant_id, "quantity": one.quantity, "requiresShipping": True, "priceSet": free}
            for one in wanted
        ],
    }
    if original.get("customer"):
        given["customer"] = {"toAssociate": {"id": str(original["customer"]["id"])}}
    elif original.get("email"):
        given["email"] = str(original["email"])
    address = original.get("shippingAddress")
    if isinstance(address, Mapping):
        given["shippingAddress"] = {part: address[part] for part in _ADDRESS if address.get(part)}
        if address.get("countryCodeV2"):
            given["shippingAddress"]["countryCode"] = address["countryCodeV2"]
    return given


def token_of(key: str) -> str:
    """What an effect's order is searched by, in any generation; no shopper or return can be told from it."""
    return f"returnsops-{hashlib.sha256(key.encode()).hexdigest()[:24]}"


# --- the book of the original order ----------------------------------------------------------------------------------


def _original(link: Link, intent: Intent) -> Json:
    given = {"id": intent.order_id, "namespace": namespace_of(link), "key": _book_key(intent)}
    order = client.execute(link, "ExchangeOriginal", given).get("order")
    if not isinstance(order, Mapping):
        text = f"The shop has no order with the id {intent.order_id[:60]!r}. Link the return to the right order."
        raise Rejected(text, code="order_not_found")
    return order


def _book_key(intent: Intent) -> str:
    return f"exchange_{hashlib.sha256(intent.remote_key.encode()).hexdigest()[:16]}"


def _book(link: Link, intent: Intent, original: Json) -> str:
    return str((original.get("metafield") or {}).get("value") or "")


def _write_book(link: Link, intent: Intent, value: str) -> None:
    """Writing the same again changes nothing, so that it may be tried as often as need be."""
    entry = {"ownerId": intent.order_id, "namespace": namespace_of(link), "key": _book_key(intent), "type": TEXT}
    given = {"metafields": [{**entry, "value": value}]}
    payload = client.execute(link, "MetafieldsSet", given, is_write=True).get("metafieldsSet")
    client.refuse_user_errors(payload, name="MetafieldsSet")


def _placed(link: Link, intent: Intent, order: Mapping[str, Any]) -> Json:
    """The order made. A clear refusal is written into the book, so that the exchange may be tried again."""
    options = {"inventoryBehaviour": "DECREMENT_OBEYING_POLICY", "sendReceipt": False, "sendFulfillmentReceipt": False}
    given = {"order": dict(order), "options": options}
    try:
        payload = client.execute(link, "ExchangeOrderCreate", given, is_write=True).get("orderCreate")
        client.refuse_user_errors(payload, name="ExchangeOrderCreate")
    except (Rejected, Retryable, AuthFailed) as refusal:
        _write_refused(link, intent)
        if isinstance(refusal, Rejected) and refusal.code == "INVENTORY_CLAIM_FAILED":
            evidence = {**refusal.evidence, "alternatives": []}
            raise Rejected(refusal.text, code=states.OUT_OF_STOCK, evidence=evidence) from None
        raise
    made = (payload or {}).get("order")
    if not isinstance(made, Mapping) or made.get("sourceIdentifier") != token_of(intent.key):
        raise OutcomeUnknown("The shop answered the replacement order with something that is not ours.")
    return made


def _write_refused(link: Link, intent: Intent) -> None:
    try:
        _write_book(link, intent, REFUSED)
    except VendorError:
        return  # "begun" stays: a person is asked before it is tried again


# --- finding it again ------------------------------------------------------------------------------------------------


def _searched(link: Link, intent: Intent) -> Lookup:
    token = token_of(intent.key)
    rows = nodes(client.execute(link, "ExchangeOrders", {"query": f'source_identifier:"{token}"'}).get("orders"))
    found = [row for row in rows if row.get("sourceIdentifier") == token]
    if len(found) > 1:
        return _ambiguous("More than one order of the shop carries our key", [str(row["name"]) for row in found])
    if found:
        return _judged(link, intent, str(found[0]["id"]))
    began_at = intent.first_attempt_at
    if began_at is not None and link.now() < began_at + INDEX_LAG:
        raise Retryable("The replacement order was begun; the shop's search may not show it yet.")
    return _ambiguous("A replacement order was begun and the shop's search does not show it. Look for it there", [])


def _judged(link: Link, intent: Intent, order_id: str) -> Lookup:
    order = _order(link, order_id)
    if order is None:
        return Lookup(found=Found.ABSENT, text=f"The shop does not show order {order_id} any more.")
    name, evidence = str(order["name"]), {"order": order_id, "number": str(order["name"])}
    made, asked = _units(order), sum(int(line["quantity"]) for line in intent.payload["lines"])
    if sum(made.values()) != asked or not set(_variants(intent)) <= set(made):
        return _ambiguous(f"Our replacement order holds {sum(made.values())} units, {asked} were asked for", [name])
    if parse_amount(str(order["totalPriceSet"]["shopMoney"]["amount"])):
        return _ambiguous("Our replacement order is not worth nothing", [name])
    return Lookup(found=Found.COMPLETE, remote_id=order_id, evidence=evidence)


def _look_up_adopted(link: Link, intent: Intent) -> Lookup:
    named = intent.payload["adopt"]
    order_id = gid("Order", named) if isinstance(named, str) else ""
    order = _order(link, order_id) if order_id else None
    if order is None:
        return Lookup(found=Found.ABSENT)
    if order.get("cancelledAt") or order_id == intent.order_id:
        why = "cancelled" if order.get("cancelledAt") else "the very order that was returned"
        return _ambiguous(f"The platform named an order as the replacement that is {why}", [str(order["name"])])
    evidence = {"order": order_id, "number": str(order["name"])}
    return Lookup(found=Found.COMPLETE, remote_id=order_id, evidence=evidence)


def _order(link: Link, order_id: str) -> Json | None:
    order = client.execute(link, "ExchangeOrder", {"id": order_id}).get("order")
    return order if isinstance(order, Mapping) else None


def _units(order: Json) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in nodes(order.get("lineItems")):
        variant_id = str((line.get("variant") or {}).get("id") or "")
        units[variant_id] = units.get(variant_id, 0) + int(line["quantity"])
    return units


def _variants(intent: Intent) -> list[str]:
    return [gid("ProductVariant", line["variant_id"]) for line in intent.payload["lines"] if line.get("variant_id")]


def _ambiguous(text: str, names: Sequence[str]) -> Lookup:
    listed = f" ({', '.join(names)})." if names else "."
    return Lookup(found=Found.AMBIGUOUS, text=text + listed, evidence={"candidates": list(names)})


# --- taking it back --------------------------------------------------------------------------------------------------


def look_up_cancel(link: Link, intent: Intent) -> Lookup:
    """Whether the replacement order is cancelled. Raises Rejected('order_not_found', 'not_our_order')."""
    order = _ours(link, intent)
    evidence = {"order": str(order["id"]), "number": str(order["name"])}
    found = Found.COMPLETE if order.get("cancelledAt") else Found.ABSENT
    return Lookup(found=found, remote_id=str(order["id"]), evidence=evidence)


def send_cancel(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Cancel it, which puts its stock back; the shop does so a little later.

    Raises Rejected('already_shipped') where goods have left, OutcomeUnknown until it shows as cancelled.
    """
    order = _ours(link, intent)
    order_id, status = str(order["id"]), str(order.get("displayFulfillmentStatus"))
    if status not in ("UNFULFILLED", "OPEN", "ON_HOLD", "SCHEDULED"):
        text = f"Replacement order {order['name']} has left the warehouse or is about to: it is {status.lower()}."
        raise Rejected(text, code=states.ALREADY_SHIPPED, evidence={"order": order_id, "status": status})
    given = {"orderId": order_id, "reason": "OTHER", "staffNote": f"Exchange withdrawn ({intent.remote_key})"}
    payload = client.execute(link, "OrderCancel", given, is_write=True).get("orderCancel")
    errors = {"userErrors": (payload or {}).get("orderCancelUserErrors")}
    client.refuse_user_errors(errors, name="OrderCancel")
    if not (_order(link, order_id) or {}).get("cancelledAt"):
        raise OutcomeUnknown(f"The shop is cancelling replacement order {order['name']}.")
    evidence = {"order": order_id, "number": str(order["name"])}
    return Sent(remote_id=order_id, evidence=evidence, remote_url=order_url(link.config, order_id))


def _ours(link: Link, intent: Intent) -> Json:
    """The order we placed, and no other. Raises Rejected."""
    order = _order(link, str(intent.payload["order_id"]))
    if order is None:
        raise Rejected(f"The shop has no order {intent.payload['order_id']} any more.", code="order_not_found")
    keys = [str(one["value"]) for one in order.get("customAttributes") or () if one.get("key") == KEY]
    if str(intent.payload["key"]).partition("#")[0] not in [key.partition("#")[0] for key in keys]:
        text = f"Order {order['name']} does not carry the key of the replacement to withdraw; it is left alone."
        raise Rejected(text, code="not_our_order")
    return order
