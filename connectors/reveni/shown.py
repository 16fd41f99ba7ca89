"""What a return of the platform shows of that which we may have told it. Pure.

Where it shows something is assumed and a setting (``write_back_seen``); the contract itself has one such place.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from connectors import call_templates
from connectors.call_templates import Seen
from connectors.ports import Json
from returnsops import states
from returnsops.facts import PlatformShowed

# The one place of the contract that is ours to fill (reveni.md C3, exchange); the others are the merchant's to name.
DEFAULT_SEEN: Final[Mapping[str, Seen]] = {
    states.TELL_EXCHANGE_ORDER: Seen(path="$.exchanges[*].commerce_order_id", field="exchange_order_id")
}
# A pushed event carries the one entry it is about; a pulled return has the whole lists (reveni.md C4, C6).
_LISTS: Final[Mapping[str, str]] = {
    "shipment": "shipments",
    "refund": "refunds",
    "exchange": "exchanges",
    "credit": "credits",
    "gift_card": "gift_cards",
    "risk": "risks",
}


def seen_for(settings: Mapping[str, Any], message: str) -> Seen | None:
    """Where a return shows that the platform knows a message; None where nobody said."""
    return call_templates.seen_of(settings, message, default=DEFAULT_SEEN)


def whole_of(event: Json) -> Mapping[str, Any]:
    """The return inside a pushed event, with its entry where a pulled return has the list of them."""
    data = event.get("data") if isinstance(event, Mapping) else None
    inner = data.get("return") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(inner, Mapping):
        return {}
    return {**inner, **{rows: [data[block]] for block, rows in _LISTS.items() if block in data}}


def shown_facts(whole: Mapping[str, Any], *, settings: Mapping[str, Any], at: datetime) -> Iterator[PlatformShowed]:
    """One fact per message of which the return shows something."""
    for message in states.WRITE_BACK_MESSAGES:
        seen = seen_for(settings, message)
        values = call_templates.shown_values(seen, whole) if seen is not None else ()
        if seen is not None and values:
            yield PlatformShowed(
                return_id=str(whole["id"]), occurred_at=at, message=message, field=seen.field, values=values
            )
