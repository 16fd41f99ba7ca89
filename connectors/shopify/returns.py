"""Return objects of the shop, so that people there see what is on its way: opened early, tracked, closed (S5-4).

None of these mutations takes an idempotency key (shopify.md section 8). A return is found again among its order's
returns, read by the order's id, by our key in the note of its lines; a delivery by its tracking number; processing by
the units already processed, and closing by the status. No money and no stock ever moves by them: ``returnProcess`` goes
without a financial transfer, and its units are disposed of as not restocked, as stock is an effect of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connectors.ports import Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Retryable, Sent
from connectors.shopify import client
from connectors.shopify.links import order_url
from connectors.shopify.refund_records import nodes
from returnsops.states import EDIT_RETURN

REASONS_SETTING: Final = "return_reasons"
OTHER: Final = "other-reason"
LONGEST_NOTE: Final = 255
OPEN: Final = "OPEN"
CLOSED: Final = "CLOSED"
CANCELED: Final = "CANCELED"
OVER: Final = frozenset({CLOSED, CANCELED, "DECLINED"})
CANCEL: Final = "cancel"
NOT_RETURNABLE: Final = "not_returnable"


# --- opening ---------------------------------------------------------------------------------------------------------


def look_up_open(link: Link, intent: Intent) -> Lookup:
    """Whether the order has this return; of the platform's own, the one whose lines and units are the same."""
    every = returns_of(link, intent.order_id)
    if intent.payload.get("adopt"):
        wanted = wanted_units(intent)
        found = [one for one in every if one.get("status") != CANCELED and units_of(one) == wanted]
    else:
        found = [one for one in every if _is_ours(intent, one)]
    if len(found) > 1:
        ids = [str(one["id"]) for one in found]
        text = f"More than one return of the order could be this one ({', '.join(str(one['name']) for one in found)})."
        return Lookup(found=Found.AMBIGUOUS, text=text, evidence={"candidates": ids})
    if not found:
        return Lookup(found=Found.ABSENT, evidence={"returns_seen": len(every)})
    evidence = {"return": str(found[0]["name"]), "status": str(found[0]["status"])}
    return Lookup(found=Found.COMPLETE, remote_id=str(found[0]["id"]), evidence=evidence)


def send_open(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Open it. Raises Rejected where its units cannot be returned, Retryable while the platform's own is missing."""
    if intent.payload.get("adopt"):
        raise Retryable(
            "The shop does not show this return, which the returns platform is to write itself. See whether it does so"
            " at all; else open the return in the shop by hand, or let us write it (shop_return.writer of the policy)."
        )
    return opened(link, intent, line_inputs(link, intent, intent.payload["lines"]))


def opened(link: Link, intent: Intent, lines: Sequence[Mapping[str, Any]]) -> Sent:
    """The return made. Raises Rejected, and OutcomeUnknown where the shop answers something else."""
    given: dict[str, Any] = {"orderId": intent.order_id, "returnLineItems": list(lines)}
    if intent.payload.get("requested_at"):
        given["requestedAt"] = str(intent.payload["requested_at"])
    payload = client.execute(link, "ReturnCreate", {"input": given}, is_write=True).get("returnCreate")
    client.refuse_user_errors(payload, name="ReturnCreate")
    made = (payload or {}).get("return")
    if not isinstance(made, Mapping):
        raise OutcomeUnknown("The shop answered the return with something that is no return.")
    evidence = {"return": str(made.get("name")), "status": str(made.get("status"))}
    return Sent(remote_id=str(made["id"]), evidence=evidence, remote_url=order_url(link.config, intent.order_id))


def line_inputs(link: Link, intent: Intent, lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """These lines as units that were sent, with reason and our note. Raises Rejected where some cannot come back."""
    free = _returnable(link, intent.order_id)
    definitions = _definitions(link)
    inputs: list[dict[str, Any]] = []
    for line in lines:
        left = int(line["quantity"])
        for unit in free:
            if unit["line_id"] != line["line_id"] or not left:
                continue
            taken = min(left, unit["quantity"])
            left, unit["quantity"] = left - taken, unit["quantity"] - taken
            if taken:
                inputs.append(_line_input(link, intent, line, unit["id"], taken, definitions))
        if left:
            text = (
                f"The shop lets {int(line['quantity']) - left} of {line['quantity']} x {line.get('name') or 'the item'}"
                " be returned: the others were not sent yet, or are in another return. Look at the order there."
            )
            raise Rejected(text, code=NOT_RETURNABLE)
    return inputs


def _line_input(
    link: Link,
    intent: Intent,
    line: Mapping[str, Any],
    fulfilled_id: str,
    quantity: int,
    definitions: Mapping[str, str],
) -> dict[str, Any]:
    handles = link.config.settings.get(REASONS_SETTING) or {}
    handle = str(handles.get(str(line.get("reason_code") or "")) or OTHER)
    if handle not in definitions:
        text = f"The shop has no return reason {handle!r}. Correct {REASONS_SETTING} of the connection."
        raise Rejected(text, code="reason_unknown")
    return {
        "fulfillmentLineItemId": fulfilled_id,
        "quantity": quantity,
        "returnReasonDefinitionId": definitions[handle],
        "returnReasonNote": _note(intent),
    }


def _note(intent: Intent) -> str:
    """Our key first, by which the return is found again."""
    return f"{intent.remote_key} Return {intent.payload.get('rma_number') or intent.return_id}"[:LONGEST_NOTE]


def _is_ours(intent: Intent, found: Json) -> bool:
    keys = (intent.remote_key, *intent.earlier_remote_keys)
    return any(key in keys for key in keys_in(found))


def returns_of(link: Link, order_id: str) -> list[Json]:
    """Every return of the order with its lines. Raises Rejected('order_not_found')."""
    order = client.execute(link, "ReturnsOfOrder", {"id": order_id}).get("order")
    if not isinstance(order, Mapping):
        text = f"The shop has no order with the id {order_id[:60]!r}. Link the return to the right order."
        raise Rejected(text, code="order_not_found")
    return nodes(order.get("returns"))


def keys_in(found: Json) -> set[str]:
    """The first word of each line's note, which is our key where the return is ours."""
    return {str(line.get("returnReasonNote") or "").partition(" ")[0] for line in lines_of(found)}


def wanted_units(intent: Intent) -> dict[str, int]:
    """Units per line of the order."""
    wanted: dict[str, int] = {}
    for line in intent.payload["lines"]:
        wanted[str(line["line_id"])] = wanted.get(str(line["line_id"]), 0) + int(line["quantity"])
    return wanted


def units_of(found: Json) -> dict[str, int]:
    """Units per line of the order that a return holds."""
    units: dict[str, int] = {}
    for line in lines_of(found):
        line_id = str(((line.get("fulfillmentLineItem") or {}).get("lineItem") or {}).get("id") or "")
        units[line_id] = units.get(line_id, 0) + int(line["quantity"])
    return units


def lines_of(found: Json) -> list[Json]:
    """The lines of a return."""
    return nodes(found.get("returnLineItems"))


def _returnable(link: Link, order_id: str) -> list[dict[str, Any]]:
    found = client.execute(link, "ReturnableUnits", {"orderId": order_id}).get("returnableFulfillments")
    return [
        {
            "id": str(row["fulfillmentLineItem"]["id"]),
            "line_id": str(row["fulfillmentLineItem"]["lineItem"]["id"]),
            "quantity": int(row["quantity"]),
        }
        for fulfilled in nodes(found)
        for row in nodes(fulfilled.get("returnableFulfillmentLineItems"))
    ]


def _definitions(link: Link) -> dict[str, str]:
    rows = client.nodes_to_end(link, "ReturnReasons", {}, path=("returnReasonDefinitions",))
    return {str(row["handle"]): str(row["id"]) for row in rows if row.get("deleted") is not True}


# --- tracking --------------------------------------------------------------------------------------------------------


def look_up_track(link: Link, intent: Intent) -> Lookup:
    """Whether the return, and what was opened beside it when it grew, shows the tracking number."""
    every = _all_of(link, intent)
    shown = [found for one in every for reverse in _reverses(one) if (found := _tracked_as(reverse, intent))]
    if shown and not _untracked(every, intent):
        return Lookup(found=Found.COMPLETE, remote_id=shown[0])
    return Lookup(found=Found.ABSENT)


def send_track(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Add a delivery with its tracking wherever goods are awaited without it, for all that is awaited there.

    Raises Rejected where nothing is awaited any more, and OutcomeUnknown after the first of several writes.
    """
    every = _all_of(link, intent)
    awaited = _untracked(every, intent)
    if not awaited:
        raise Rejected(f"Return {every[0].get('name')} awaits no goods any more in the shop.", code="return_over")
    tracking = {"number": str(intent.payload["tracking_number"])}
    if intent.payload.get("tracking_url"):
        tracking["url"] = str(intent.payload["tracking_url"])
    first, *rest = [str(reverse["id"]) for reverse in awaited]
    made = _delivered(link, first, tracking)
    for reverse_id in rest:
        try:
            _delivered(link, reverse_id, tracking)
        except Rejected as refusal:
            raise OutcomeUnknown(refusal.text, evidence=refusal.evidence) from refusal
    return Sent(remote_id=made, remote_url=order_url(link.config, intent.order_id))


def _delivered(link: Link, reverse_id: str, tracking: Mapping[str, str]) -> str:
    """The id of the delivery made. Raises Rejected, and OutcomeUnknown where the shop answers something else."""
    given = {"rfoId": reverse_id, "tracking": dict(tracking)}
    root = "reverseDeliveryCreateWithShipping"
    payload = client.execute(link, "ReverseDeliveryCreate", given, is_write=True).get(root)
    client.refuse_user_errors(payload, name="ReverseDeliveryCreate")
    made = (payload or {}).get("reverseDelivery")
    if not isinstance(made, Mapping):
        raise OutcomeUnknown("The shop answered the delivery with something that is none.")
    return str(made["id"])


def _reverses(found: Json) -> list[Json]:
    return nodes(found.get("reverseFulfillmentOrders"))


def _tracked_as(reverse: Json, intent: Intent) -> str:
    """The id of the delivery that shows the number, '' where there is none."""
    for delivery in nodes(reverse.get("reverseDeliveries")):
        tracking = (delivery.get("deliverable") or {}).get("tracking") or {}
        if tracking.get("number") == intent.payload["tracking_number"]:
            return str(delivery["id"])
    return ""


def _untracked(every: Iterable[Json], intent: Intent) -> list[Json]:
    """Where goods are awaited and the number is not shown; the first return is tracked first."""
    open_ones = [reverse for one in every for reverse in _reverses(one) if reverse.get("status") == OPEN]
    return [reverse for reverse in open_ones if not _tracked_as(reverse, intent)]


# --- closing ---------------------------------------------------------------------------------------------------------


def look_up_close(link: Link, intent: Intent) -> Lookup:
    """Whether the return, and what was opened beside it when it grew, is over in the shop, whoever ended it."""
    every = _all_of(link, intent)
    result = Found.COMPLETE if all(str(one.get("status")) in OVER for one in every) else Found.ABSENT
    evidence = {str(one["name"]): str(one.get("status")) for one in every}
    return Lookup(found=result, remote_id=str(every[0]["id"]), evidence=evidence)


def send_close(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Process what is not processed yet and close it, or cancel it where the goods never come."""
    every = _all_of(link, intent)
    evidence = {str(one["name"]): _end(link, intent, one) for one in every if str(one.get("status")) not in OVER}
    return_id = str(every[0]["id"])
    return Sent(remote_id=return_id, evidence=evidence, remote_url=order_url(link.config, intent.order_id))


def _end(link: Link, intent: Intent, found: Json) -> str:
    return_id = str(found["id"])
    if intent.payload.get("how") == CANCEL and not any(int(line["processedQuantity"]) for line in lines_of(found)):
        return _ended(link, "ReturnCancel", "returnCancel", return_id)
    _process(link, intent, found)
    return _ended(link, "ReturnClose", "returnClose", return_id)


def _process(link: Link, intent: Intent, found: Json) -> None:
    awaited = {
        str((line.get("fulfillmentLineItem") or {}).get("id")): line
        for reverse in nodes(found.get("reverseFulfillmentOrders"))
        for line in nodes(reverse.get("lineItems"))
    }
    lines = [_processed(line, awaited) for line in lines_of(found) if int(line["unprocessedQuantity"])]
    if not lines or intent.payload.get("how") == CANCEL:
        return
    given = {"returnId": str(found["id"]), "notifyCustomer": False, "note": _note(intent), "returnLineItems": lines}
    payload = client.execute(link, "ReturnProcess", {"input": given}, is_write=True).get("returnProcess")
    client.refuse_user_errors(payload, name="ReturnProcess")


def _processed(line: Json, awaited: Mapping[str, Json]) -> dict[str, Any]:
    """All units not processed yet; those nobody disposed of as not restocked, which is what we do with stock."""
    quantity = int(line["unprocessedQuantity"])
    given: dict[str, Any] = {"id": str(line["id"]), "quantity": quantity}
    waiting = awaited.get(str((line.get("fulfillmentLineItem") or {}).get("id")))
    if waiting is not None:
        disposed = sum(int(row["quantity"]) for row in waiting.get("dispositions") or ())
        left = min(quantity, int(waiting["totalQuantity"]) - disposed)
        if left > 0:
            line_id = str(waiting["id"])
            one = {"reverseFulfillmentOrderLineItemId": line_id, "quantity": left, "dispositionType": "NOT_RESTOCKED"}
            given["dispositions"] = [one]
    return given


def _ended(link: Link, name: str, root: str, return_id: str) -> str:
    """A second write of one effect: where it is refused the first one may stand, so a look-up decides."""
    payload = client.execute(link, name, {"id": return_id}, is_write=True).get(root)
    errors: Sequence[client.UserError] = client.user_errors(payload)
    status = str(((payload or {}).get("return") or {}).get("status") or "")
    if errors or status not in OVER:
        raise OutcomeUnknown(f"The shop did not end the return: {errors[0].message if errors else status}.")
    return status


def _all_of(link: Link, intent: Intent) -> list[Json]:
    """The return first opened, and those opened beside it for units that joined in flight (return_edits.py)."""
    first = _by_id(link, str(intent.payload["remote_return_id"]))
    if intent.payload.get("is_edited") is not True:
        return [first]
    prefix = f"{EDIT_RETURN}:{intent.key.split(':')[1]}:"
    every = returns_of(link, intent.order_id)
    beside = [one for one in every if any(key.startswith(prefix) for key in keys_in(one))]
    return [first, *(_by_id(link, str(one["id"])) for one in beside)]


def _by_id(link: Link, return_id: str) -> Json:
    found = client.execute(link, "ReturnById", {"id": return_id}).get("return")
    if not isinstance(found, Mapping):
        raise Rejected(f"The shop has no return {return_id} any more.", code="return_gone")
    return found
