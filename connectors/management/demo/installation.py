"""Our side of the demo: people, connections, routes that are live, and webhooks registered at the shops."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import tomli_w
from django.contrib.auth.models import Group, User
from django.utils import timezone

from connectors import configuration, configuration_apply
from connectors.management.demo.markets import Market
from connectors.registry import connector_for, link_for
from connectors.reveni.connector import A2_VERIFIER
from connectors.simulators.reveni import assumed_mapping
from connectors.simulators.reveni_write_back import assumed_settings
from returnsops import states
from returnsops.models import Connection, Route
from returnsops.roles import sync_roles
from returnsops.services import routes

# Who signs in, in which role, and what for.
PEOPLE: Final[Mapping[str, tuple[str, str]]] = {
    "cx": (states.CX, "customer service: why a refund has not gone yet"),
    "finance": (states.FIN, "finance: amounts, approvals"),
    "finance2": (states.FIN, "finance: the second person"),
    "warehouse": (states.WH, "warehouse: what to inspect next"),
    "merchandising": (states.MER, "merchandising: reads returns and reasons"),
    "operations": (states.OPS, "operations: connections, inbox, what is stuck"),
}
ADMIN: Final = "admin"
SIGNERS: Final = {states.CX: "cx", states.FIN: "finance", states.OPS: "operations"}
LIVE_SINCE: Final = timedelta(days=90)
CALLS_PER_MINUTE: Final = 6000  # the simulators have no limit of their own

REASONS: Final = {"too_small": "Too small", "faulty": "Faulty", "not_as_shown": "Not as shown"}
LOCATIONS: Final = {
    "main": ("Main stock", "sellable"),
    "quarantine": ("Quarantine", "quarantine"),
    "scrap": ("Scrap", "scrap"),
}
DISPOSITIONS: Final = {
    "sellable": "main",
    "quarantine": "quarantine",
    "refurbish": "quarantine",
    "damaged": "scrap",
    "write_off": "scrap",
}
POLICY: Final[Mapping[str, Any]] = {
    "return_window_days": 60,
    "order_wanted_h": 1,
    "notes": ["authorised", "received", "refunded", "restocked"],
    "mirrors": ["status", "return"],
    "ownership": {
        "order": "commerce",
        "refund": "commerce",
        "return_status": "platform",
        "disposition": "platform",
        "stock": "commerce",
    },
    "exchange": {"writer": "us", "release": "inspected"},
    "credit": {"writer": "us", "valid_days": 365},
    "refund": {
        "trigger": "inspected",
        "tolerance": {"EUR": "0.02", "JPY": "1", "KWD": "0.002"},
        "approval_threshold": {"EUR": "200.00", "JPY": "40000", "KWD": "90.000"},
    },
}

REVERSAL: Final[Mapping[str, str]] = {"stock": "automatic", "exchange": "automatic", "credit": "approve"}


def install(markets: Mapping[str, Market], *, passwords: Mapping[str, str], public_url: str) -> str:
    """Make everything of ours; returns the configuration file that was applied."""
    now = timezone.now()
    sync_roles()
    people = {name: _person(name, team, passwords[name]) for name, (team, _) in PEOPLE.items()}
    User.objects.create_superuser(ADMIN, password=passwords[ADMIN])
    text = tomli_w.dumps(document(markets.values()))
    configuration_apply.apply(configuration.read(text), by="demo", at=now)
    for market in markets.values():
        go_live(market, people, at=now)
        register_webhooks(market, public_url=public_url)
    return text


def document(markets: Iterable[Market]) -> dict[str, Any]:
    """The configuration of all markets, as apply_config reads it."""
    return {
        "reasons": [{"code": code, "title": title} for code, title in REASONS.items()],
        "locations": [{"code": code, "title": title, "kind": kind} for code, (title, kind) in LOCATIONS.items()],
        "connections": [row for market in markets for row in (_shop(market), _platform(market))],
        "routes": [_route(market) for market in markets],
    }


def _shop(market: Market) -> dict[str, Any]:
    return {
        "name": market.shop_name,
        "title": market.place.title,
        "vendor": "woocommerce",
        "base_url": market.shop_url,
        "time_zone": market.place.time_zone,
        "settings": {"calls_per_minute": CALLS_PER_MINUTE},
        "secrets": {
            "consumer_key": market.consumer_key,
            "consumer_secret": market.consumer_secret,
            "webhook_secret": market.webhook_secret,
        },
    }


def _platform(market: Market) -> dict[str, Any]:
    """The Japanese account speaks Reveni's own dialect; the inside of its ``object`` is assumed, here and only here."""
    row: dict[str, Any] = {
        "name": market.platform_name,
        "title": f"Reveni, {market.place.title}",
        "vendor": "reveni",
        "base_url": market.platform_url,
        "time_zone": market.place.time_zone,
        "settings": {"calls_per_minute": CALLS_PER_MINUTE, "pull_api": True},
        "secrets": {"webhook_secret": market.platform.webhook_secrets[0], "api_key": market.platform.api_key},
        "reason_codes": {code: code for code in REASONS},
    }
    if market.place.is_told:
        market.platform.merchant_desk.is_on = True
        row["settings"] |= assumed_settings(states.TELL_ALREADY_REFUNDED, states.TELL_EXCHANGE_ORDER)
    if market.place.is_a2:
        row["settings"] = {"calls_per_minute": CALLS_PER_MINUTE, "dialect": "a2"}
        row["verifier"] = dict(A2_VERIFIER)
        row["mapping"] = assumed_mapping()
    return row


def _route(market: Market) -> dict[str, Any]:
    return {
        "name": market.place.code,
        "title": f"{market.place.title} with Reveni",
        "platform": market.platform_name,
        "commerce": market.shop_name,
        "mode": states.ROUTE_SHADOW,
        "dispositions": dict(DISPOSITIONS),
        "policy": {**POLICY, **({"reversal": REVERSAL} if market.place.is_trusting else {})},
    }


def go_live(market: Market, people: Mapping[str, User], *, at: datetime) -> None:
    """Three teams sign the policy, and the route goes live for returns of the last 90 days."""
    route = Route.objects.get(name=market.place.code)
    assert route.policy is not None
    for team, name in SIGNERS.items():
        routes.sign_policy(policy=route.policy, team=team, by=people[name], at=at)
    routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="demo", at=at, live_from=at - LIVE_SINCE)


def register_webhooks(market: Market, *, public_url: str) -> None:
    """The shop's webhooks through its API, as for a real shop; the platform's in its dashboard, which is an address."""
    connection = Connection.objects.get(name=market.shop_name)
    ensure = connector_for(connection.vendor).ensure_webhooks
    assert ensure is not None
    ensure(link_for(connection), f"{public_url}/webhooks/{market.shop_name}/")
    market.platform.events.url = f"{public_url}/webhooks/{market.platform_name}/"


def _person(name: str, team: str, password: str) -> User:
    user = User.objects.create_user(name, password=password, is_staff=True)
    user.groups.add(Group.objects.get(name=states.TEAMS[team]))
    return user
