"""The 24 examples of the contract, and short ways to normalise and to spoil them."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.ports import Normalised, Payload
from connectors.reveni.normalise import normalise

NOW = datetime(2026, 5, 12, 12, tzinfo=UTC)
EXAMPLES: dict[str, dict[str, Any]] = {
    event["type"]: event
    for event in json.loads(
        (Path(__file__).parents[2] / "data" / "returns-event-examples.json").read_text(encoding="utf-8"),
        parse_float=Decimal,
    )
}
GONE = object()


def normalised(
    document: Any,
    *,
    topic: str = "",
    mapping: dict[str, Any] | None = None,
    previous: Any = None,
) -> Normalised:
    """What the normaliser makes of a document."""
    named = document.get("type") if isinstance(document, dict) else None
    return normalise(
        Payload(
            topic=topic or (named if isinstance(named, str) else "unnamed"),
            document=document,
            received_at=NOW,
            account="reveni-demo",
            mapping=mapping or {},
            previous=previous,
        )
    )


def spoilt(type: str, *place: str | int, to: Any) -> dict[str, Any]:
    """An example with one place changed, or taken out (GONE)."""
    document = deepcopy(EXAMPLES[type])
    node: Any = document
    for step in place[:-1]:
        node = node[step]
    if to is GONE:
        del node[place[-1]]
    else:
        node[place[-1]] = to
    return document
