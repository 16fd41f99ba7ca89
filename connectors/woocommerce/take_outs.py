"""Units taken out of the sellable stock again: the inverse of a restock.

The shop has no record that lowers stock and could carry our key, so the order keeps the book: a meta entry of ours
says that it begins, and after the stock moved that it is done. A crash in between leaves "begun", and nothing then
tells whether the stock moved, because sales move it too: that is a person's case, never a second attempt.
``inventory_delta`` is read, added and set by the shop itself; a sale in the very same moment can still be lost
(observed 9), which is why a policy may want a person instead.
"""

from hashlib import sha256
from typing import Any, Final

from connectors.ports import Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Sent, VendorError
from connectors.woocommerce import client
from connectors.woocommerce.links import order_url
from connectors.woocommerce.orders import meta_of, reading_of
from connectors.woocommerce.products import ManagedProduct, managed_product
from connectors.woocommerce.reading import required_order
from returnsops.states import SOLD_MEANWHILE

BEGUN: Final = "begun"
DONE: Final = "done"
REFUSED: Final = "refused"
MARK_TRIES: Final = 2


def look_up(link: Link, intent: Intent) -> Lookup:
    """What the order's book says of this move. Raises Rejected('order_not_found')."""
    order = required_order(link, intent.order_id)
    held = meta_of(order)
    said = {key: held.get(mark_key(link, key), "").partition(" ")[0] for key in _keys(intent)}
    done = [key for key, word in said.items() if word == DONE]
    if done:
        remote_id = f"{intent.order_id}/{mark_key(link, done[0])}"
        return Lookup(found=Found.COMPLETE, remote_id=remote_id, evidence={"book": held[mark_key(link, done[0])]})
    if said[intent.remote_key] == BEGUN:
        return _ambiguous(link, intent, held[mark_key(link, intent.remote_key)])
    return Lookup(found=Found.ABSENT)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Write "begun", lower the stock, write "done".

    Raises Rejected where the product cannot be touched or the units were sold meanwhile, and OutcomeUnknown where the
    book could not be brought to "done".
    """
    product = _product(link, intent)
    quantity, before = int(intent.payload["quantity"]), product.quantity
    if before is None or before < quantity:
        text = (
            f"Only {before or 0} of the {quantity} units to be taken out are in stock: the rest was sold meanwhile."
            " Stop that parcel or call the customer, and correct the stock by hand."
        )
        raise Rejected(text, code=SOLD_MEANWHILE, evidence={"stock": before, "quantity": quantity})
    _mark_surely(link, intent, f"{BEGUN} {before} {intent.remote_key}")
    after = _lower(link, intent, product, quantity)
    _mark_surely(link, intent, f"{DONE} {before}->{after} {intent.remote_key}")
    return Sent(
        remote_id=f"{intent.order_id}/{mark_key(link, intent.remote_key)}",
        evidence={"stock_before": before, "stock_after": after, "quantity": quantity},
        remote_url=order_url(link.config, intent.order_id),
    )


def mark_key(link: Link, remote_key: str) -> str:
    """The meta entry of one move; short, as keys of meta entries are limited to 255 characters."""
    digest = sha256(remote_key.encode()).hexdigest()[:16]
    return f"{reading_of(link.config.settings).meta_prefix}take_out_{digest}"


def _keys(intent: Intent) -> tuple[str, ...]:
    return (*intent.earlier_remote_keys, intent.remote_key)


def _product(link: Link, intent: Intent) -> ManagedProduct:
    """By what the payload says; the order's line is not asked, it may be edited away by now."""
    ids = {name: str(intent.payload[name]) for name in ("product_id", "variation_id")}
    return managed_product(link, **ids, name=f"product {ids['variation_id'] or ids['product_id']}")


def _lower(link: Link, intent: Intent, product: ManagedProduct, quantity: int) -> Any:
    """The stock after. A definite refusal is written into the book, so that the move may be tried again."""
    try:
        made: Json = client.write(link, "PUT", product.path, body={"inventory_delta": -quantity})
    except Rejected:
        _mark_surely(link, intent, f"{REFUSED} {product.quantity} {intent.remote_key}")
        raise
    return made.get("stock_quantity") if isinstance(made, dict) else None


def _mark(link: Link, intent: Intent, value: str) -> None:
    key = mark_key(link, intent.remote_key)
    order = client.write(link, "PUT", f"/orders/{intent.order_id}", body={"meta_data": [{"key": key, "value": value}]})
    if not isinstance(order, dict) or meta_of(order).get(key) != value:
        raise OutcomeUnknown(f"The shop answered, but order {intent.order_id} does not show the entry.")


def _mark_surely(link: Link, intent: Intent, value: str) -> None:
    """Twice if need be: writing the same entry again changes nothing, and without it a person has to find out."""
    for attempt in range(1, MARK_TRIES + 1):
        try:
            _mark(link, intent, value)
        except VendorError as failure:
            if attempt == MARK_TRIES:
                text = f"The order's entry {value.partition(' ')[0]!r} for this stock move could not be written."
                raise OutcomeUnknown(text) from failure
        else:
            return


def _ambiguous(link: Link, intent: Intent, entry: str) -> Lookup:
    before = entry.split(" ")[1]
    try:
        now: Any = _product(link, intent).quantity
    except VendorError:
        now = "not readable"
    text = (
        f"Taking {intent.payload['quantity']} out of stock was begun at a stock of {before} and never said to be done;"
        f" the stock is {now} now. Count the shelf: was it lowered?"
    )
    return Lookup(found=Found.AMBIGUOUS, text=text, evidence={"stock_before": before, "stock_now": now})
