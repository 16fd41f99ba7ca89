"""Which vendors there are, and how a stored connection becomes a link in use."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import Final

import requests
from django.conf import settings

from connectors import budget, points
from connectors.http import CallRecord, make_caller, new_session
from connectors.pace_settings import paced
from connectors.ports import AuthFailed, ConnectionConfig, Connector, Link
from connectors.purses import FULL_PURSE, Purse
from returnsops.models import Connection
from returnsops.services.secrets import SecretError, read_secrets_with_made

CONNECTORS: Final[Mapping[str, str]] = {
    "shopify": "connectors.shopify.connector",
    "woocommerce": "connectors.woocommerce.connector",
    "reveni": "connectors.reveni.connector",
    "rebound": "connectors.rebound.connector",
}

SessionFactory = Callable[[Connection], requests.Session]
BeforeCall = Callable[[str], None]

_sessions: dict[tuple[int, int], requests.Session] = {}


class UnknownVendorError(LookupError):
    """A connection names a vendor that this installation does not know."""


@cache
def connector_for(vendor: str) -> Connector:
    """The vendor's ``CONNECTOR`` declaration. Raises UnknownVendorError naming the known vendors."""
    if vendor not in CONNECTORS:
        raise UnknownVendorError(f"There is no connector for {vendor!r}; known are {', '.join(sorted(CONNECTORS))}.")
    connector: Connector = import_module(CONNECTORS[vendor]).CONNECTOR
    return connector


def pays(connection: Connection) -> bool:
    """Whether a platform may move money by itself; a vendor that is not installed may."""
    return connection.vendor not in CONNECTORS or connector_for(connection.vendor).pays


def utc_now() -> datetime:
    """The clock of the product."""
    return datetime.now(UTC)


def kept_session(connection: Connection) -> requests.Session:
    """One session per process and connection, so that TLS connections are used again.

    It is shared by the threads of a pump: our sessions keep no cookies, and urllib3's pools are safe to share.
    """
    return _sessions.setdefault((os.getpid(), connection.pk), new_session())


def link_for(
    connection: Connection,
    *,
    now: Callable[[], datetime] = utc_now,
    session_for: SessionFactory = kept_session,
    before_call: BeforeCall | None = None,
    purse: Purse | None = None,
    record: Callable[[CallRecord], None] | None = None,
    max_wait_s: float = budget.MAX_WAIT_S,
) -> Link:
    """A connection in use; each call takes from its budget row, unless the caller gives its own ``before_call``.

    Where the vendor counts points they are taken from the row too, unless there is an own ``purse``; for either a call
    waits ``max_wait_s`` at most. Raises AuthFailed where a secret cannot be read, handled like any wrong credential.
    """
    capabilities = paced(connector_for(connection.vendor).capabilities, connection.settings)
    if before_call is None:
        before_call = budget.before_call(
            connection_id=connection.pk, capabilities=capabilities, now=now, max_wait_s=max_wait_s
        )
    if purse is None and capabilities.points is not None:
        purse = points.purse_of(
            connection_id=connection.pk, assumed=capabilities.points, now=now, max_wait_s=max_wait_s
        )
    call = make_caller(session=session_for(connection), before_call=before_call, record=record, now=now)
    return Link(config=config_of(connection, at=now()), call=call, now=now, purse=purse or FULL_PURSE)


def config_of(connection: Connection, *, at: datetime) -> ConnectionConfig:
    """What a vendor may know of the row, secrets included. Raises AuthFailed where a secret cannot be read."""
    made = connector_for(connection.vendor).made_secrets
    try:
        secrets = read_secrets_with_made(connection, made=made, at=at)
    except SecretError as error:
        raise AuthFailed(str(error)) from None
    return replace(config_without_secrets(connection), secrets=secrets)


def webhook_url(connection: Connection) -> str:
    """Where the vendor delivers to."""
    return f"{settings.PUBLIC_URL}/webhooks/{connection.name}/"


def config_without_secrets(connection: Connection) -> ConnectionConfig:
    """For links to vendor screens, where no secret may be near."""
    return ConnectionConfig(
        name=connection.name,
        vendor=connection.vendor,
        base_url=connection.base_url,
        settings=connection.settings,
        time_zone=connection.time_zone,
        webhook_url=webhook_url(connection),
    )
