"""A link whose answers are given, for what is about reading answers; sending is tested against the simulator."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.ports import Answer, ConnectionConfig, Link
from connectors.woocommerce.links import API

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
KEYS = {
    "consumer_key": ("ck_test",),
    "consumer_secret": ("cs_test",),
    "webhook_secret": ("abcdefgh12345678",),
    "coupon_key": ("made-up-coupon-key",),
}

Request = tuple[str, str, dict[str, str], Any]


def answered(status: int = 200, body: Any = None, **headers: str) -> Answer:
    """An answer with a JSON body; header names are given with underscores."""
    raw = json.dumps(body, default=str).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=raw, json=json.loads(raw, parse_float=Decimal))


def page(status: int = 503) -> Answer:
    """What proxies and broken plugins answer."""
    return Answer(status=status, headers={"content-type": "text/html"}, body=b"<html>busy</html>", json=None)


def config(**changes: Any) -> ConnectionConfig:
    """A connection to a shop over https."""
    values: dict[str, Any] = {
        "name": "shop",
        "vendor": "woocommerce",
        "base_url": "https://shop.example/",
        "secrets": KEYS,
    }
    return ConnectionConfig(**{**values, **changes})


def scripted_link(
    respond: Callable[[str, str, Mapping[str, str], Any], Answer], **changes: Any
) -> tuple[Link, list[Request]]:
    """A link that asks ``respond(method, path, params, json)``, and the list of what was asked."""
    asked: list[Request] = []

    def call(method: str, url: str, **given: Any) -> Answer:
        path = url.partition(API)[2]
        asked.append((method, path, dict(given.get("params") or {}), given.get("json")))
        return respond(method, path, given.get("params") or {}, given.get("json"))

    return Link(config=config(**changes), call=call, now=lambda: NOW), asked
