"""What a delivery is, told from its headers and body without judging its content: topic, delivery key, subject."""

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, NoReturn

from connectors.ports import Inbound, Json, Reception

TOPIC_UNREADABLE: Final = "unreadable"
TOPIC_PULLED: Final = "pull.return"
MAX_ID: Final = 128
MAX_TOPIC: Final = 80
UNNAMED: Final = "unnamed"


def receive_event(inbound: Inbound) -> Reception:
    """Names and keys of one event of the contract (reveni.md C2)."""
    document = parse_body(inbound.body)
    if not isinstance(document, Mapping):
        return unreadable(inbound)
    data = document.get("data")
    snapshot = data.get("return") if isinstance(data, Mapping) else None
    return_id = snapshot.get("id") if isinstance(snapshot, Mapping) else None
    return reception(inbound, document, topic=topic_of(document.get("type")), return_id=return_id)


def reception(inbound: Inbound, document: Mapping[str, Any], *, topic: str, return_id: Any) -> Reception:
    """The delivery key is the event id, which never changes on a retry (C5), with a piece of the body's hash.

    An id that comes again with other content is another delivery, and must not be mistaken for a repeat.
    """
    event_id = _plain(document.get("id")) or _plain(inbound.headers.get("webhook-id"))
    return Reception(
        kind="event",
        topic=topic,
        delivery_key=f"{event_id}:{_hash(inbound.body)[:16]}" if event_id else f"sha256:{_hash(inbound.body)}",
        subject_key=subject_of(return_id),
    )


def unreadable(inbound: Inbound) -> Reception:
    """A body nobody can read is an event too: it is kept and becomes a case."""
    return Reception(kind="event", topic=TOPIC_UNREADABLE, delivery_key=f"sha256:{_hash(inbound.body)}")


def parse_body(body: bytes) -> Json:
    """The document with Decimals for numbers with a point; None where the body is not JSON or too deep to read."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def subject_of(return_id: Any) -> str:
    """The key that keeps the events of one return in order, '' where none is named."""
    plain = _plain(return_id)
    return f"return:{plain}" if plain else ""


def topic_of(named: Any) -> str:
    """The event's own name for its kind, as far as it can be shown."""
    return named[:MAX_TOPIC] if isinstance(named, str) and named.isprintable() and named else UNNAMED


def _plain(value: Any) -> str:
    is_usable = isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()
    return value if is_usable else ""


def _hash(body: bytes) -> str:
    return sha256(body).hexdigest()


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON.")
