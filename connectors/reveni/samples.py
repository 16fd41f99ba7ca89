"""One valid event of each type, for ``send_sample``, the simulator and tests."""

import json
from copy import deepcopy
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from connectors.ports import Json

_ENTITY: Final = ("refund", "exchange", "credit", "gift_card", "risk", "shipment")


def sample_types() -> tuple[str, ...]:
    """The event types there is a sample of: all of the contract."""
    return tuple(_samples())


def sample_event(
    type: str,
    *,
    event_id: str = "",
    return_id: str = "",
    number: str = "",
    order_id: str = "",
    order_number: str = "",
    currency: str = "",
    items: list[dict[str, Json]] | None = None,
    entity_id: str = "",
    amount: str = "",
    revision: int | None = None,
    at: datetime | None = None,
) -> dict[str, Json]:
    """A valid event of ``type``; what is given replaces the sample's own.

    ``items`` are items of the return (C3); ``entity_id`` and ``amount`` go to the event's refund, exchange, credit,
    gift card, risk or shipment. Raises ValueError naming the known types for another one.
    """
    if type not in _samples():
        raise ValueError(f"There is no event type {type[:60]!r}; known are {', '.join(_samples())}.")
    event: dict[str, Json] = deepcopy(_samples()[type])
    event["id"] = event_id or event["id"]
    snapshot = event["data"]["return"]
    _replace(snapshot, id=return_id, number=number or (f"RMA {return_id}" if return_id else ""), currency=currency)
    _replace(snapshot["order"], id=order_id, number=order_number or order_id)
    if revision is not None:
        snapshot["revision"] = revision
    if at is not None:
        event["timestamp"] = snapshot["updated_at"] = at.isoformat()
    _change_block(event["data"], entity_id=entity_id, amount=amount, currency=currency)
    if items is not None:
        _change_items(event["data"], items)
    return event


def _replace(block: dict[str, Json], **given: str) -> None:
    block.update({name: value for name, value in given.items() if value})


def _change_block(data: dict[str, Json], *, entity_id: str, amount: str, currency: str) -> None:
    for name in _ENTITY:
        if name not in data:
            continue
        _replace(data[name], id=entity_id)
        if "amount" in data[name]:
            _replace(data[name], amount=amount, currency=currency if data[name].get("currency") else "")


def _change_items(data: dict[str, Json], items: list[dict[str, Json]]) -> None:
    """The event's own lists name items too; those that are gone would point nowhere."""
    data["return"]["items"] = items
    ids = [item["id"] for item in items]
    if "items" in data:
        first = data["items"][0]
        data["items"] = [
            {**first, "item_id": item["id"], "sku": item["sku"], "quantity": item["quantity"]} for item in items
        ]
    for name, key in (("refund", "items"), ("exchange", "lines")):
        if name in data:
            field = "item_id" if key == "items" else "replaces_item_id"
            data[name][key] = [{**row, field: ids[0]} for row in data[name][key][:1]]


@cache
def _samples() -> dict[str, Any]:
    text = files("connectors.reveni").joinpath("samples.json").read_text(encoding="utf-8")
    return {event["type"]: event for event in json.loads(text)}
