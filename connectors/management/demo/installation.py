"""Our side of the demo: people, connections, routes that are live, and webhooks registered at the shops."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import tomli_w
from django.contrib.auth.models import Group, User
from django.utils import timezone

from connectors import configuration, configuration_apply
from connectors.management.demo.markets import REASONS, Market
from connectors.management.demo.places import TITLES
from connectors.registry import connector_for, link_for
from returnsops import states
from returnsops.models import Connection, Route
from returnsops.roles import sync_roles
from returnsops.services import routes
from returnsops.sign_in import DEMO_MAIL

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
    "restock": {"confirmation": "either"},
    "exchange": {"writer": "us", "release": "inspected"},
    "credit": {"writer": "us", "valid_days": 365},
    "refund": {
        "trigger": "inspected",
        "tolerance": {"EUR": "0.02", "JPY": "1", "KWD": "0.002", "GBP": "0.02", "CHF": "0.02", "USD": "0.02"},
        "approval_threshold": {"EUR": "200.00", "JPY": "40000", "KWD": "90.000", "GBP": "180.00", "USD": "220.00"},
    },
}

REVERSAL: Final[Mapping[str, str]] = {"stock": "automatic", "exchange": "automatic", "credit": "approve"}


def install(markets: Mapping[str, Market], *, passwords: Mapping[str, str], public_url: str) -> str:
    """Make everything of ours; returns the configuration file that was applied."""
    now = timezone.now()
    sync_roles()
    people = {name: _person(name, team, passwords[name]) for name, (team, _) in PEOPLE.items()}
    User.objects.create_superuser(ADMIN, email=f"{ADMIN}{DEMO_MAIL}", password=passwords[ADMIN])
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
        "connections": [row for market in markets for row in (market.shop_row(), market.platform_row())],
        "routes": [_route(market) for market in markets],
    }


def _route(market: Market) -> dict[str, Any]:
    place = market.place
    return {
        "name": place.code,
        "title": f"{place.title} with {TITLES[place.returns]}",
        "platform": market.platform_name,
        "commerce": market.shop_name,
        "mode": states.ROUTE_SHADOW,
        "dispositions": dict(DISPOSITIONS),
        "policy": _policy(market),
    }


def _policy(market: Market) -> dict[str, Any]:
    """What all markets say, with what only this one does."""
    own = dict(market.policy())
    merged = {name: {**POLICY[name], **own.pop(name, {})} for name in ("refund", "restock")}
    return {**POLICY, **own, **merged, **({"reversal": REVERSAL} if market.place.is_trusting else {})}


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
    market.listen_to(f"{public_url}/webhooks/{market.platform_name}/")


def _person(name: str, team: str, password: str) -> User:
    user = User.objects.create_user(name, email=f"{name}{DEMO_MAIL}", password=password, is_staff=True)
    user.groups.add(Group.objects.get(name=states.TEAMS[team]))
    return user
