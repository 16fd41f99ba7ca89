"""`/orders/{id}/notes`."""

from connectors.simulators.woocommerce.arguments import Answer, Call, boolean, one_of, string
from connectors.simulators.woocommerce.order_endpoints import find_order
from connectors.simulators.woocommerce.order_json import note_json
from connectors.simulators.woocommerce.records import Note
from connectors.simulators.woocommerce.wire import WooError


def list_notes(call: Call, order_id: int) -> Answer:
    """GET notes: newest first, not paged, no total headers."""
    find_order(call.shop, order_id)
    kind = one_of("type", call.text("type", "any"), ["any", "customer", "internal"])
    chosen = [
        note
        for note in call.shop.notes
        if note.order_id == order_id and (kind == "any" or note.is_for_customer == (kind == "customer"))
    ]
    chosen.sort(key=lambda note: (-note.created_at.timestamp(), note.id))
    return Answer(body=[note_json(call.shop, note, base=call.base) for note in chosen])


def create_note(call: Call, order_id: int) -> Answer:
    """POST a note: no date moves, no webhook fires."""
    order = find_order(call.shop, order_id)
    if "note" not in call.body:
        data = {"status": 400, "params": ["note"]}
        message = "Missing parameter(s): note"
        raise WooError(status=400, code="rest_missing_callback_param", message=message, data=data)
    is_by_user = boolean("added_by_user", call.body.get("added_by_user", False))
    note = call.shop.add_note(
        order,
        string(call.body, "note"),
        author="admin" if is_by_user else "WooCommerce",
        is_for_customer=boolean("customer_note", call.body.get("customer_note", False)),
    )
    location = f"{call.base}/orders/{order_id}/notes/{note.id}"
    return Answer(body=note_json(call.shop, note, base=call.base), status=201, location=location)


def get_note(call: Call, order_id: int, note_id: int) -> Answer:
    """GET one note."""
    return Answer(body=note_json(call.shop, _find_note(call, order_id, note_id), base=call.base))


def delete_note(call: Call, order_id: int, note_id: int) -> Answer:
    """DELETE a note; needs force=true."""
    note = _find_note(call, order_id, note_id)
    if not boolean("force", call.text("force", "false")):
        message = "Order notes do not support trashing."
        raise WooError(status=501, code="woocommerce_rest_trash_not_supported", message=message)
    call.shop.notes.remove(note)
    return Answer(body=note_json(call.shop, note, base=call.base))


def _find_note(call: Call, order_id: int, note_id: int) -> Note:
    find_order(call.shop, order_id)
    note = next((note for note in call.shop.notes if (note.order_id, note.id) == (order_id, note_id)), None)
    if note is None:
        raise WooError(status=404, code="woocommerce_rest_invalid_id", message="Invalid resource ID.")
    return note
