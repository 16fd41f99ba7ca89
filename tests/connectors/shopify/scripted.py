"""A link whose answers are given, for what is about reading answers; sending is tested against the simulator."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.ports import Answer, ConnectionConfig, Link

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
TOKEN = {"access_token": ("shpat_test",), "client_secret": ("hush",)}
CLIENT = {"client_id": ("app-1",), "client_secret": ("hush",)}
GRAPHQL = "https://shop.example/admin/api/2026-07/graphql.json"
TOKENS = "https://shop.example/admin/oauth/access_token"

Respond = Callable[[str, Mapping[str, Any]], Answer]


def answered(body: Any = None, *, status: int = 200, **headers: str) -> Answer:
    """An answer with a JSON body; header names are given with underscores."""
    raw = json.dumps(body, default=str).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=raw, json=json.loads(raw, parse_float=Decimal))


def page(status: int = 503) -> Answer:
    """What proxies answer."""
    return Answer(status=status, headers={"content-type": "text/html"}, body=b"<html>busy</html>", json=None)


def failed(*errors: Mapping[str, Any], data: Any = None, cost: Any = None) -> Answer:
    """HTTP 200 with top-level errors."""
    body: dict[str, Any] = {"errors": list(errors)}
    if data is not None:
        body["data"] = data
    if cost is not None:
        body["extensions"] = {"cost": cost}
    return answered(body)


def cost(requested: float, left: float, *, actual: float | None = None) -> dict[str, Any]:
    """``extensions.cost`` of a Standard shop."""
    status = {"maximumAvailable": 2000, "currentlyAvailable": left, "restoreRate": 100}
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}


def config(**changes: Any) -> ConnectionConfig:
    """A connection to a shop over https."""
    values: dict[str, Any] = {
        "name": "shop",
        "vendor": "shopify",
        "base_url": "https://shop.example/",
        "secrets": TOKEN,
        "time_zone": "Europe/London",
        "webhook_url": "https://ops.example/webhooks/shop/",
    }
    return ConnectionConfig(**{**values, **changes})


def scripted_link(respond: Respond, **changes: Any) -> tuple[Link, list[dict[str, Any]]]:
    """A link that asks ``respond(url, request)``, and the list of what was asked."""
    asked: list[dict[str, Any]] = []

    def call(method: str, url: str, **given: Any) -> Answer:
        asked.append({"method": method, "url": url, **given})
        return respond(url, given)

    return Link(config=config(**changes), call=call, now=lambda: NOW), asked
