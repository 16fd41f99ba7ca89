"""What a delivery to the webhook URL is, told from its headers and body without judging its content."""

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, NoReturn

from connectors.ports import ConnectionConfig, Inbound, Json, Reception
from connectors.reveni.normalise import DIALECT_PREFIX, TOPIC_UNREADABLE

DIALECT_A2: Final = "a2"
DIALECT_CONTRACT: Final = "contract"
MAX_ID: Final = 128
MAX_TOPIC: Final = 80
UNNAMED: Final = "unnamed"


def receive(inbound: Inbound, config: ConnectionConfig) -> Reception:
    """Names and keys of one verified delivery. A body nobody can read is an event too: it is kept and becomes a case.

    The delivery key is the event id, which never changes on a retry (C5, A2), with a piece of the body's hash: an id
    that comes again with other content is another delivery, and must not be mistaken for a repeat.
    """
    document = parse_body(inbound.body)
    if not isinstance(document, Mapping):
        return Reception(kind="event", topic=TOPIC_UNREADABLE, delivery_key=_hashed(inbound.body))
    is_a2 = config.settings.get("dialect", DIALECT_CONTRACT) == DIALECT_A2
    data = document.get("data")
    data = data if isinstance(data, Mapping) else {}
    event_id = _plain(document.get("id")) or _plain(inbound.headers.get("webhook-id"))
    return Reception(
        kind="event",
        topic=_topic(document, is_a2=is_a2),
        delivery_key=f"{event_id}:{_hash(inbound.body)[:16]}" if event_id else _hashed(inbound.body),
        subject_key=subject_of(_returned(data, is_a2=is_a2)),
    )


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


def _returned(data: Mapping[str, Any], *, is_a2: bool) -> Any:
    if is_a2:
        return data.get("resource_id") if data.get("resource") == "return" else None
    snapshot = data.get("return")
    return snapshot.get("id") if isinstance(snapshot, Mapping) else None


def _topic(document: Mapping[str, Any], *, is_a2: bool) -> str:
    named = document.get("event" if is_a2 else "type")
    name = named[:MAX_TOPIC] if isinstance(named, str) and named.isprintable() and named else UNNAMED
    return f"{DIALECT_PREFIX}{name}" if is_a2 else name


def _plain(value: Any) -> str:
    is_usable = isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()
    return value if is_usable else ""


def _hashed(body: bytes) -> str:
    return f"sha256:{_hash(body)}"


def _hash(body: bytes) -> str:
    return sha256(body).hexdigest()


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON.")
