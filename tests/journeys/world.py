"""A whole installation for journeys: a served shop, a served platform, one live route, and a clock that jumps.

Our calls go to the simulators over sockets on loopback; their webhooks come to our WSGI application through a mounted
transport. Time is time-machine's, so the product, the simulators and the signatures share it.
"""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest import mock

import requests
import time_machine
from django.contrib.auth.models import Group, User
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from connectors import budget, configuration, configuration_apply, inbox, polling, pump, reads
from connectors.jobs import Runtime
from connectors.models import ConnectionBudget
from connectors.registry import connector_for, link_for
from connectors.simulators.clock import SystemClock
from connectors.simulators.reveni import ReveniPlatform
from connectors.simulators.server import RunningServer, serve
from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.records import Order, Product, Refund, Webhook
from connectors.simulators.woocommerce.shop import WooShop
from connectors.simulators.wsgi_transport import mounted_session
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, Effect, InboundEvent, ReturnAuthorisation, Route
from returnsops.prepared import Prepared
from returnsops.roles import TEAMS, sync_roles
from returnsops.services import routes
from returnsops.services.replan import replan_due
from returnsops.wsgi import application
from tests.journeys import kept_rows, world_configuration

OPS_URL = "https://localhost"
START = datetime.fromisoformat("2026-11-02T09:00:00+00:00")
ROUNDS = 200
HORIZON = timedelta(hours=2)

# The shop's webhooks, what their registration took of the call budget, and how long it took.
_registered: list[tuple[tuple[Webhook, ...], ConnectionBudget, timedelta]] = []


def _to_come(now: datetime) -> QuerySet[Any, tuple[datetime]]:
    """Every moment still to come at which something of ours becomes due."""
    waiting = Q(state__in=[states.READY, states.UNKNOWN])
    done, received, missing = Q(state=states.DONE), Q(state="received"), Q(order__isnull=True)
    columns: list[tuple[type[Model], str, Q]] = [
        (Effect, "next_attempt_at", waiting),
        (Effect, "lease_until_at", Q()),
        (Effect, "confirm_after_at", done),
        (InboundEvent, "next_attempt_at", received),
        (ReturnAuthorisation, "order_next_read_at", missing),
        (ReturnAuthorisation, "next_look_at", Q()),
        (ConnectionBudget, "open_until_at", Q()),
        (ConnectionBudget, "blocked_until_at", Q()),
    ]
    first, *others = (
        model._default_manager.filter(rows, **{f"{name}__gt": now}).order_by().values_list(name)
        for model, name, rows in columns
    )
    return first.union(*others, all=True)


_TO_COME = Prepared(_to_come)


@dataclass(kw_only=True)
class World:
    """Shop, platform, route, people."""

    shop: WooShop
    platform: ReveniPlatform
    shop_server: RunningServer
    platform_server: RunningServer
    traveller: Any
    users: dict[str, User] = field(default_factory=dict)
    runtime: Runtime = field(init=False)

    def __post_init__(self) -> None:
        """Waiting for a slot in the budget lets the one clock jump."""
        self.runtime = Runtime(random=lambda: 0.5, sleep=self.shift)

    def now(self) -> datetime:
        """The one clock."""
        return timezone.now()

    def shift(self, seconds: float) -> None:
        """Let time pass."""
        self.traveller.shift(timedelta(seconds=seconds))

    # --- letting things happen --------------------------------------------------------------------------------

    def tell(self) -> None:
        """Deliver every webhook that waits at the platform and the shop."""
        self.platform.sender.deliver_pending()
        self.shop.webhooks.deliver_pending()

    def work(self) -> int:
        """One round of everything that is due now; how much was done."""
        at = self.now()
        done = inbox.process_due(at=at) + reads.read_wanted_orders(at=at) + replan_due(at=at)
        for connection_id in pump.connections_with_work(at=at):
            result = pump.run(connection_id=connection_id, runtime=self.runtime, is_threaded=False)
            done += result.worked + result.recovered
        return done

    def settle(self, *, horizon: timedelta = HORIZON) -> None:
        """Until nothing more happens by itself within the horizon; time jumps to whatever is due next."""
        ends_at = self.now() + horizon
        for _ in range(ROUNDS):
            self.tell()
            if self.work():
                continue
            due_at = self._next_due()
            if due_at is None or due_at > ends_at:
                return
            self.shift(max(0.0, (due_at - self.now()).total_seconds()) + 0.001)
        raise AssertionError("The world does not come to rest.")

    def _next_due(self) -> datetime | None:
        """What is due already and did not move waits for something else that is still to come."""
        return min((at for (at,) in _TO_COME.rows(now=self.now())), default=None)

    def poll(self) -> int:
        """One forced round of polling the shop."""
        return polling.poll_connection(connection=self.connection("shop"), at=self.now(), is_forced=True)

    # --- the shop ---------------------------------------------------------------------------------------------

    def product(self, sku: str = "TEE-BLK-M", *, price: str = "30.00", stock: int = 10) -> Product:
        """A simple product with managed stock."""
        return self.shop.add_product(f"Article {sku}", Decimal(price), sku=sku, stock_quantity=stock)

    def order(self, *lines: tuple[Product, int], **details: Any) -> Order:
        """A paid order through a gateway that can refund."""
        cart = [CartLine(product_id=product.id, quantity=quantity) for product, quantity in lines]
        return self.shop.place_order(cart, **{"payment_method": "card", **details})

    def money_refunds(self, order: Order) -> list[Refund]:
        """Refund records with money."""
        return [refund for refund in self.shop.refunds_of(order.id) if refund.amount]

    def restock_records(self, order: Order) -> list[Refund]:
        """Refund records without money."""
        return [refund for refund in self.shop.refunds_of(order.id) if not refund.amount]

    # --- the platform -----------------------------------------------------------------------------------------

    def ask(self, order: Order, *, quantity: int = 1, reason: str | None = "too_small", **details: Any) -> str:
        """A shopper asks to return units of the order's first line; the id of the return, authorised."""
        line = order.items[0]
        total = (line.total + sum((tax.total for tax in line.taxes.values()), Decimal(0))) / line.quantity * quantity
        item = {
            "order_line_id": str(line.id),
            "sku": self.shop.state.products[line.variation_id or line.product_id].own_sku or "none",
            "variant_id": str(line.variation_id or line.product_id),
            "quantity": quantity,
            "reason_code": reason,
            "total": f"{total:.2f}",
        }
        return_id = self.platform.create_return(
            order_id=str(order.id), items=[{**item, **details.pop("item", {})}], **details
        )
        self.platform.authorise(return_id)
        return return_id

    def item_id(self, return_id: str) -> str:
        """The id of the return's first item."""
        return str(self.platform.account.returns[return_id]["items"][0]["id"])

    def judge(self, return_id: str, disposition: str = "sellable", *, quantity: int = 1) -> None:
        """The platform finishes its inspection."""
        verdict = {
            "item_id": self.item_id(return_id),
            "quantity": quantity,
            "outcome": "accepted",
            "disposition": disposition,
            "disposition_final": True,
        }
        self.platform.complete_inspection(return_id, [verdict])

    def pay(self, return_id: str, amount: str, *, quantity: int = 1, **details: Any) -> str:
        """The platform decides a refund of the first item."""
        item = {"item_id": self.item_id(return_id), "quantity": quantity, "amount": amount}
        return self.platform.issue_refund(return_id, amount=amount, items=[item], **details)

    # --- us ---------------------------------------------------------------------------------------------------

    def connection(self, name: str) -> Connection:
        """One of our connections."""
        return Connection.objects.get(name=name)

    def rma(self, return_id: str) -> ReturnAuthorisation:
        """Our row of a return."""
        return ReturnAuthorisation.objects.get(external_id=return_id)

    def effects(self, return_id: str, kind: str) -> list[Effect]:
        """Our effects of a return."""
        return list(self.rma(return_id).effects.filter(kind=kind).order_by("pk"))

    def effect(self, return_id: str, kind: str) -> Effect:
        """The only effect of that kind."""
        (effect,) = self.effects(return_id, kind)
        return effect

    def open_cases(self) -> list[str]:
        """Kinds of the open cases, sorted."""
        return sorted(ExceptionCase.objects.active().values_list("kind_code", flat=True))

    def writes(self) -> list[tuple[str, str]]:
        """Method and path of every write our product sent to the shop."""
        return [(call.method, call.path) for call in self.shop.calls.all() if _is_write(call)]

    def refund_posts(self) -> int:
        """How many refund records we asked the shop for."""
        return sum(1 for method, path in self.writes() if method == "POST" and path.endswith("/refunds"))


@contextmanager
def world(
    *,
    policy: str = "",
    policy_tables: str = "",
    is_live: bool = True,
    is_installed: bool = True,
    is_telling: bool = False,
    shop_tls: ssl.SSLContext | None = None,
) -> Iterator[World]:
    """A world with a route whose policy is the defaults plus what is given as TOML.

    ``is_installed`` False: people only, no connection and no route. ``is_telling``: with the default notes and
    mirrored fields in the shop, which are left out otherwise. ``shop_tls``: the shop is served by https.
    """
    with time_machine.travel(START, tick=False) as traveller:
        clock = SystemClock()
        # The ping of a new webhook comes from the shop's own thread, which a test's transaction cannot see.
        shop = WooShop(clock=clock, session=mounted_session(_answer_ok, OPS_URL))
        shop.settings.timezone = "Europe/Madrid"
        shop.add_key("ck_test", "cs_test")
        shop.add_gateway("card", title="Card")
        platform = ReveniPlatform(clock=clock, webhook_url=f"{OPS_URL}/webhooks/reveni/")
        platform.sender.session = mounted_session(application, OPS_URL)
        servers = [serve(shop.app, tls=shop_tls), serve(platform.simulator)]
        try:
            made = World(
                shop=shop,
                platform=platform,
                shop_server=servers[0],
                platform_server=servers[1],
                traveller=traveller,
            )
            paced = partial(budget.before_call, sleep=made.shift)
            with mock.patch.object(budget, "before_call", paced), _kept_database_connection():
                if is_installed:
                    own = world_configuration.quietly(policy, is_telling=is_telling)
                    install(made, configuration_text(made, policy=own, policy_tables=policy_tables), is_live=is_live)
                    _listen(made)
                    shop.webhooks.session = mounted_session(application, OPS_URL)
                else:
                    _hire(made)
                yield made
        finally:
            for server in servers:
                server.stop()


@contextmanager
def _kept_database_connection() -> Iterator[None]:
    """A request to our application in this thread must not close the connection of the test's own transaction.

    Django's test client connects the signals again after each of its requests, so the closing itself does nothing.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        with mock.patch.object(connections["default"], "close_if_unusable_or_obsolete"):
            yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def _is_write(call: Any) -> bool:
    """A change of an order or a product; registering webhooks is set-up."""
    return call.method in ("POST", "PUT", "DELETE") and "/webhooks" not in call.path


def _answer_ok(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def configuration_text(made: World, *, policy: str = "", policy_tables: str = "") -> str:
    """The configuration file of this world."""
    return world_configuration.filled(
        shop_url=made.shop_server.url,
        platform_url=made.platform_server.url,
        platform_secret=made.platform.webhook_secrets[0],
        platform_key=made.platform.api_key,
        policy=policy,
        policy_tables=policy_tables,
    )


def install(made: World, text: str, *, is_live: bool) -> None:
    """People, and the configuration as apply_config would; the route live where that is wanted."""

    def build() -> None:
        _hire(made)
        configuration_apply.apply(configuration.read(text), by="test", at=made.now())
        if is_live:
            go_live(made)

    urls = {"shop": made.shop_server.url, "reveni": made.platform_server.url}
    kept_rows.install(text=f"{is_live} {text}", urls=urls, build=build)
    people = {user.username: user for user in User.objects.all()}
    made.users = {team: people[team.lower()] for team in (*TEAMS, "FIN2")}


def _listen(made: World) -> None:
    """The shop's webhooks, registered by the product once per process; later worlds begin as that left theirs."""
    shop_id = made.connection("shop").pk
    if not _registered:
        ensure = connector_for("woocommerce").ensure_webhooks
        assert ensure is not None
        ensure(link_for(made.connection("shop")), f"{OPS_URL}/webhooks/shop/")
        spent = ConnectionBudget.objects.get(connection_id=shop_id)
        _registered.append((tuple(made.shop.state.webhooks.values()), spent, made.now() - START))
    webhooks, spent, elapsed = _registered[0]
    made.shop.state.webhooks = {webhook.id: replace(webhook) for webhook in webhooks}
    made.shop.state.continue_ids("webhook", max(webhook.id for webhook in webhooks))
    calls = {"next_slot_at": spent.next_slot_at, "call_count": spent.call_count}
    if not ConnectionBudget.objects.filter(connection_id=shop_id).update(**calls):
        ConnectionBudget.objects.create(connection_id=shop_id, **calls)
    made.shift((START + elapsed - made.now()).total_seconds())


def _hire(made: World) -> None:
    sync_roles()
    made.users = {team: _user(team) for team in TEAMS} | {"FIN2": _user("FIN", name="fin2")}


def go_live(made: World) -> None:
    """Three teams sign, and the route goes live."""
    route = Route.objects.get(name="main")
    assert route.policy is not None
    for team in routes.SIGNING_TEAMS:
        routes.sign_policy(policy=route.policy, team=team, by=made.users[team], at=made.now())
    routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="test", at=made.now(), live_from=made.now())


def _user(team: str, *, name: str = "") -> User:
    user = User.objects.create_user(name or team.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=TEAMS[team]))
    return user


def post_raw(body: bytes, headers: dict[str, str], *, connection: str = "reveni") -> requests.Response:
    """A delivery as somebody else may send it."""
    session = mounted_session(application, OPS_URL)
    return session.post(f"{OPS_URL}/webhooks/{connection}/", data=body, headers=headers, timeout=10)


def as_json(body: Any) -> bytes:
    """Bytes of a JSON document."""
    return json.dumps(body).encode()
