"""The shop's return follows what comes back: fewer units are removed from it, more are a second return beside it.

Shopify takes units out of an open return (``removeFromReturn``) but adds none to one, so that units that join in flight
get a return of their own, with our key in its note. Neither takes an idempotency key: what is wanted is the units per
order line, whatever was done before, and the returns are read by the order's id before each try.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.ports import Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Sent
from connectors.shopify import client
from connectors.shopify.links import order_url
from connectors.shopify.returns import (
    OPEN,
    keys_in,
    line_inputs,
    lines_of,
    opened,
    returns_of,
    units_of,
    wanted_units,
)

OVER_THERE = "return_over"


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the returns of ours hold exactly the wanted units. Raises Rejected('order_not_found')."""
    ours = _ours(link, intent)
    there, wanted = _units(ours), wanted_units(intent)
    found = Found.COMPLETE if there == wanted else Found.ABSENT
    evidence = {"returns": ", ".join(str(one["name"]) for one in ours), "units": sum(there.values())}
    return Lookup(found=found, remote_id=str(intent.payload["remote_return_id"]), evidence=evidence)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Remove what is too many, open what is missing. Raises Rejected before the first write, then OutcomeUnknown."""
    ours = _ours(link, intent)
    there, wanted = _units(ours), wanted_units(intent)
    missing = line_inputs(link, intent, _more(intent, there, wanted))
    removals = _removals(ours, {line_id: count - wanted.get(line_id, 0) for line_id, count in there.items()})
    for number, (return_id, lines) in enumerate(removals.items()):
        _remove(link, return_id, lines, is_first=number == 0)
    if missing:
        try:
            opened(link, intent, missing)
        except Rejected as refusal:
            if removals:
                raise OutcomeUnknown(refusal.text, evidence=refusal.evidence) from refusal
            raise
    return Sent(
        remote_id=str(intent.payload["remote_return_id"]),
        evidence={"removed_from": ", ".join(removals), "opened_units": sum(line["quantity"] for line in missing)},
        remote_url=order_url(link.config, intent.order_id),
    )


def _ours(link: Link, intent: Intent) -> list[Json]:
    """The return that was opened first and those that edits opened, unless they were cancelled."""
    prefix = intent.key.rpartition(":")[0] + ":"
    return [
        one
        for one in returns_of(link, intent.order_id)
        if one.get("status") not in ("CANCELED", "DECLINED")
        and (one["id"] == intent.payload["remote_return_id"] or any(key.startswith(prefix) for key in keys_in(one)))
    ]


def _units(ours: Iterable[Json]) -> dict[str, int]:
    units: dict[str, int] = {}
    for line_id, count in (pair for one in ours for pair in units_of(one).items()):
        units[line_id] = units.get(line_id, 0) + count
    return {line_id: count for line_id, count in units.items() if count}


def _more(intent: Intent, there: Mapping[str, int], wanted: Mapping[str, int]) -> list[dict[str, Any]]:
    """The lines of the intent with the units that no return of ours holds yet."""
    left = {line_id: count - there.get(line_id, 0) for line_id, count in wanted.items()}
    found: list[dict[str, Any]] = []
    for line in intent.payload["lines"]:
        count = min(int(line["quantity"]), left[str(line["line_id"])])
        if count > 0:
            left[str(line["line_id"])] -= count
            found.append({**line, "quantity": count})
    return found


def _removals(ours: Sequence[Json], surplus: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """Per return, lines and units to remove; newest return first. Raises Rejected where they were processed already."""
    left = {line_id: count for line_id, count in surplus.items() if count > 0}
    found: dict[str, list[dict[str, Any]]] = {}
    for one in reversed(ours):
        for line in lines_of(one) if one.get("status") == OPEN else ():
            line_id = str(((line.get("fulfillmentLineItem") or {}).get("lineItem") or {}).get("id") or "")
            count = min(left.get(line_id, 0), int(line["unprocessedQuantity"]))
            if count > 0:
                left[line_id] -= count
                entry = {"returnLineItemId": str(line["id"]), "quantity": count}
                found.setdefault(str(one["id"]), []).append(entry)
    if any(left.values()):
        text = "The shop has processed or closed units of this return that do not come back. Correct it there by hand."
        raise Rejected(text, code=OVER_THERE)
    return found


def _remove(link: Link, return_id: str, lines: list[dict[str, Any]], *, is_first: bool) -> None:
    given = {"returnId": return_id, "lines": lines}
    payload = client.execute(link, "RemoveFromReturn", given, is_write=True).get("removeFromReturn")
    try:
        client.refuse_user_errors(payload, name="RemoveFromReturn")
    except Rejected as refusal:
        if not is_first:
            raise OutcomeUnknown(refusal.text, evidence=refusal.evidence) from refusal
        raise
