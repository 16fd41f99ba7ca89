"""The simulated world of the demo: a market is one shop and its returns platform, served on loopback."""

import base64
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from connectors.management.demo.places import Place, StoryClock
from connectors.reveni.connector import A2_VERIFIER
from connectors.simulators.base import WSGIApp
from connectors.simulators.clock import SystemClock
from connectors.simulators.reveni import ReveniPlatform, assumed_mapping
from connectors.simulators.reveni_write_back import assumed_settings
from connectors.simulators.server import RunningServer, serve
from connectors.simulators.webhooks import WebhookSender
from returnsops import states

CALLS_PER_MINUTE: Final = 6000  # the simulators have no limit of their own
REASONS: Final = {"too_small": "Too small", "faulty": "Faulty", "not_as_shown": "Not as shown"}


@dataclass(kw_only=True)
class Market(ABC):
    """One shop, its returns platform, and the credentials that our side is given."""

    place: Place
    clock: StoryClock
    states_aside: ClassVar[Mapping[str, str]] = {}  # disposition -> where the shop keeps such goods, not for sale
    keeps_returns: ClassVar[bool] = False  # whether the shop has returns of its own, which we write
    stocked: dict[int, int] = field(default_factory=dict)  # product or variant id -> units at the start
    shop_server: RunningServer | None = None
    platform_server: RunningServer | None = None

    @property
    def shop_name(self) -> str:
        """Name of our connection to the shop."""
        return f"shop-{self.place.code}"

    @property
    def platform_name(self) -> str:
        """Name of our connection to the platform."""
        return f"{self.place.returns}-{self.place.code}"

    @property
    def shop_url(self) -> str:
        """Where the open shop is served."""
        assert self.shop_server is not None
        return self.shop_server.url

    @property
    def platform_url(self) -> str:
        """Where the open platform is served."""
        assert self.platform_server is not None
        return self.platform_server.url

    @property
    @abstractmethod
    def shop_app(self) -> WSGIApp:
        """What answers for the shop."""

    @property
    @abstractmethod
    def platform_app(self) -> WSGIApp:
        """What answers for the platform."""

    @property
    @abstractmethod
    def shop_webhooks(self) -> WebhookSender:
        """The queue of the shop's messages."""

    @property
    @abstractmethod
    def platform_webhooks(self) -> WebhookSender | None:
        """The queue of the platform's messages; None where it sends none and is polled."""

    @abstractmethod
    def shop_row(self) -> dict[str, Any]:
        """The connection to the shop, as apply_config reads it."""

    @abstractmethod
    def platform_row(self) -> dict[str, Any]:
        """The connection to the platform."""

    def policy(self) -> Mapping[str, Any]:
        """What its route's policy says beside what all say."""
        return {}

    @abstractmethod
    def listen_to(self, url: str) -> None:
        """The platform's messages go to this address, as somebody would set it in its dashboard."""

    @property
    def senders(self) -> list[WebhookSender]:
        """Everybody who sends messages."""
        return [one for one in (self.platform_webhooks, self.shop_webhooks) if one is not None]

    def open(self, *, shop_port: int = 0, platform_port: int = 0) -> None:
        """Serve both on loopback; port 0 takes a free one."""
        self.shop_server = serve(self.shop_app, port=shop_port)
        self.platform_server = serve(self.platform_app, port=platform_port)

    def close(self) -> None:
        """Stop both, and the threads that send their webhooks."""
        for sender in self.senders:
            sender.stop()
        for server in (self.shop_server, self.platform_server):
            if server is not None:
                server.stop()

    def connection_row(self, vendor: str, *, name: str, title: str, url: str) -> dict[str, Any]:
        """What every connection says."""
        return {
            "name": name,
            "title": title,
            "vendor": vendor,
            "base_url": url,
            "time_zone": self.place.time_zone,
            "settings": {"calls_per_minute": CALLS_PER_MINUTE},
        }


@dataclass(kw_only=True)
class ReveniMarket(Market):
    """A market whose platform is Reveni."""

    platform: ReveniPlatform

    @property
    def platform_app(self) -> WSGIApp:
        """What answers for the platform."""
        return self.platform.simulator

    @property
    def platform_webhooks(self) -> WebhookSender:
        """The queue of the platform's messages."""
        return self.platform.sender

    def listen_to(self, url: str) -> None:
        """The platform's messages go to this address."""
        self.platform.events.url = url

    def platform_row(self) -> dict[str, Any]:
        """The Japanese account speaks Reveni's own dialect; the inside of its ``object`` is assumed, only here."""
        row = self.connection_row(
            "reveni", name=self.platform_name, title=f"Reveni, {self.place.title}", url=self.platform_url
        )
        row["settings"] |= {"pull_api": True}
        row["secrets"] = {"webhook_secret": self.platform.webhook_secrets[0], "api_key": self.platform.api_key}
        row["reason_codes"] = {code: code for code in REASONS}
        if self.place.is_told:
            self.platform.merchant_desk.is_on = True
            row["settings"] |= assumed_settings(states.TELL_ALREADY_REFUNDED, states.TELL_EXCHANGE_ORDER)
        if self.place.is_a2:
            row["settings"] = {"calls_per_minute": CALLS_PER_MINUTE, "dialect": "a2"}
            row["verifier"] = dict(A2_VERIFIER)
            row["mapping"] = assumed_mapping()
        return row


def reveni_account(place: Place, clock: StoryClock) -> ReveniPlatform:
    """The platform tells its stories by ``clock``; what it signs and sends carries the real time."""
    platform = ReveniPlatform(
        clock=clock,
        dialect="a2" if place.is_a2 else "contract",
        api_key=f"reveni_demo_{secrets.token_hex(12)}",
        webhook_secrets=["whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()],
        account_id=f"store_{place.code}",
        id_prefix=f"{place.code}-",
    )
    platform.sender.clock = SystemClock()
    return platform


def statement_settings(*gateways: str) -> dict[str, Any]:
    """How the statement of these gateways is read: the columns of an invented CSV file (docs/configuration.md)."""
    columns = {"amount": "Amount", "date": "Date", "currency": "Currency", "order_number": "Order", "line_id": "Id"}
    table = {"columns": {**columns, "refund_reference": "Refund", "kind": "Type"}}
    table |= {"kinds": {"Refund": "refund", "Charge": "ignore"}}
    return {"settle_days": 7, "gateways": dict.fromkeys(gateways, table)}
