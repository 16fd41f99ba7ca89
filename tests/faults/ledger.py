"""A tiny vendor for fault tests: a ledger of postings under keys, over real HTTP, with scripted faults and a clock.

It has no idempotency of its own, like WooCommerce: whoever posts twice has posted twice.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from connectors import ports, pump
from connectors.jobs import Runtime
from connectors.registry import link_for
from connectors.simulators.base import Simulator
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.server import serve
from returnsops import states
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund
from returnsops.models import Effect, Order
from returnsops.planning.view import order_fingerprint
from returnsops.services import effects
from tests.factories import ConnectionFactory, EffectFactory, OrderFactory

START = datetime.fromisoformat("2026-11-02T09:00:00+00:00")
TOTAL = Decimal("60.00")
CAPABILITIES = ports.Capabilities(
    rests_on="key in the remote record",
    holds_for="ever",
    settle_s=60,
    call_deadline_s=10,
    calls_per_minute=6000,
    concurrency=4,
)


class Crash(BaseException):
    """The process dies here; nothing of ours may catch it."""


@dataclass(kw_only=True)
class Ledger:
    """The vendor's state."""

    postings: list[dict[str, Any]] = field(default_factory=list)
    total: Decimal = TOTAL
    refusal: tuple[int, str] | None = None  # status and code of every POST
    is_key_lost: bool = False  # records are kept without their key

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """GET /orders/ID; POST /orders/ID/KIND."""
        request = Request(environ)
        _, _, order_id, *kind = request.path.split("/")
        if request.method == "GET":
            mine = [posting for posting in self.postings if posting["order"] == order_id]
            return _json(200, {"id": order_id, "total": str(self.total), "postings": mine})(environ, start_response)
        if self.refusal is not None:
            status, code = self.refusal
            return _json(status, {"code": code, "message": "The ledger refuses."})(environ, start_response)
        body = json.loads(request.get_data())
        posting = {"id": str(len(self.postings) + 1), "order": order_id, "kind": kind[0], **body}
        if self.is_key_lost:
            posting["key"] = ""
        self.postings.append(posting)
        return _json(201, posting)(environ, start_response)


def _json(status: int, document: Any) -> Response:
    return Response(json.dumps(document), status=status, content_type="application/json")


# --- the connector -----------------------------------------------------------------------------------------------


def look_up(link: ports.Link, intent: ports.Intent) -> ports.Lookup:
    """By our key, in the order's own list."""
    answer = link.call("GET", f"{link.config.base_url}/orders/{intent.order_id}", timeout_s=5)
    _refused(answer)
    order = _snapshot(answer.json)
    keys = {intent.remote_key, *intent.earlier_remote_keys}
    found = [posting for posting in answer.json["postings"] if posting["key"] in keys]
    if len(found) > 1:
        return ports.Lookup(found=ports.Found.AMBIGUOUS, text=f"{len(found)} records carry our key.", order=order)
    if not found:
        return ports.Lookup(found=ports.Found.ABSENT, order=order)
    if found[0].get("step"):
        return ports.Lookup(found=ports.Found.PARTIAL, remote_id=found[0]["id"], step=found[0]["step"], order=order)
    return ports.Lookup(found=ports.Found.COMPLETE, remote_id=found[0]["id"], order=order)


def send(link: ports.Link, intent: ports.Intent, lookup: ports.Lookup) -> ports.Sent:
    """One POST."""
    answer = link.call(
        "POST",
        f"{link.config.base_url}/orders/{intent.order_id}/{intent.kind}",
        json={"key": intent.remote_key, "amount": intent.payload.get("amount", "0")},
        timeout_s=5,
        is_write=True,
    )
    _refused(answer)
    return ports.Sent(remote_id=answer.json["id"], remote_url=f"https://ledger.example/{answer.json['id']}")


def _refused(answer: ports.Answer) -> None:
    if answer.status == 401:
        raise ports.AuthFailed("The ledger does not know our key.")
    if answer.status >= 500:
        raise ports.OutcomeUnknown(f"HTTP {answer.status}; whether it was carried out is not known.")
    if answer.status >= 400:
        raise ports.Rejected(answer.json["message"], code=answer.json["code"])


def _snapshot(document: Any) -> OrderSnapshot:
    line = OrderLineSnapshot(line_id="1", kind="item", name="Shirt", quantity=2, net=Decimal(document["total"]))
    return OrderSnapshot(
        order_id=document["id"],
        number=document["id"],
        status="completed",
        currency="GBP",
        total=Decimal(document["total"]),
        lines=(line,),
        refunds=tuple(_refund(one) for one in document["postings"] if one["kind"] in ("refund", "manual")),
        placed_at=START - timedelta(days=9),
        modified_at=START - timedelta(days=9),
    )


def _refund(posting: Any) -> RemoteRefund:
    return RemoteRefund(
        refund_id=posting["id"],
        amount=Decimal(posting["amount"]),
        currency="GBP",
        created_at=START,
        key=posting["key"],
    )


def failing_on_5xx(connector: ports.Connector) -> ports.Connector:
    """The same, with reads that say of a 5xx that the system is away."""

    def look(link: ports.Link, intent: ports.Intent) -> ports.Lookup:
        try:
            return look_up(link, intent)
        except ports.OutcomeUnknown as error:
            raise ports.Retryable(error.text) from None

    return replace(
        connector, effects={kind: ports.EffectActions(send=send, look_up=look) for kind in connector.effects}
    )


def _unused(*args: Any) -> Any:
    raise AssertionError("the ledger is only written to")


ACTIONS = ports.EffectActions(send=send, look_up=look_up)
CONNECTOR = ports.Connector(
    vendor="ledger",
    title="Ledger",
    role="commerce",
    capabilities=CAPABILITIES,
    settings=(),
    secrets=(),
    default_verifier={},
    receive=_unused,
    normalise=_unused,
    check=_unused,
    effects={states.REFUND: ACTIONS, states.RESTOCK: ACTIONS, states.NOTE: ACTIONS},
)


# --- the world ---------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class World:
    """The ledger on loopback, one order in it, and a worker that can be made to crash."""

    ledger: Ledger
    simulator: Simulator
    clock: SimulatedClock
    order: Order
    connector: ports.Connector = CONNECTOR
    crash_at: str = ""

    def runtime(self) -> Runtime:
        """A worker of this world."""
        return Runtime(
            now=self.clock.now,
            random=lambda: 0.5,
            checkpoint=self.checkpoint,
            connector=lambda vendor: self.connector,
            sleep=self.clock.sleep,
            before_call=lambda label: None,
            link=link_for,
        )

    def checkpoint(self, name: str) -> None:
        """Die once where the test says so."""
        if name == self.crash_at:
            self.crash_at = ""
            raise Crash(name)

    def refund(self, *, amount: str | None = "20.00", **fields: Any) -> Effect:
        """A planned refund of the order, ready to go; another kind of effect has no amount."""
        order = self.order
        values: dict[str, Any] = {
            "rma": None,
            "order": order,
            "route": None,
            "policy": None,
            "connection": order.connection,
            "kind": states.REFUND,
            "key": f"refund:ledger/{Effect.objects.count() + 1}",
            "lane": states.LANES[states.REFUND],
            "serial_key": f"order:{order.external_id}",
            "amount": None if amount is None else Decimal(amount),
            "currency": "GBP",
            "payload": {"amount": amount},
            "basis_hash": order.fingerprint,
            "state": states.READY,
            "next_attempt_at": START,
            "planned_at": START,
        }
        effect: Effect = EffectFactory.create(**(values | fields))
        return effect

    def another_order(self) -> Order:
        """One more order of the same shop, which the ledger knows without being told."""
        number = str(Order.objects.count() + 1)
        fingerprint = order_fingerprint(_snapshot({"id": number, "total": str(TOTAL), "postings": []}))
        order: Order = OrderFactory.create(
            connection=self.order.connection, external_id=number, total=TOTAL, read_at=START, fingerprint=fingerprint
        )
        return order

    def refund_of(self, order: Order, **fields: Any) -> Effect:
        """A planned refund of another order."""
        return self.refund(
            **{
                "order": order,
                "serial_key": f"order:{order.external_id}",
                "basis_hash": order.fingerprint,
                **fields,
            }
        )

    def pump(self) -> pump.PumpResult:
        """One run of the pump, in this thread."""
        return pump.run(connection_id=self.order.connection_id, runtime=self.runtime(), is_threaded=False)

    def crash(self) -> bool:
        """One run of the pump; whether it died. Its lease is lost with it."""
        try:
            self.pump()
        except Crash:
            return True
        return False

    def play(self, *, rounds: int = 60) -> None:
        """Run pumps, moving the clock to whatever is due next, until nothing is in flight and all is confirmed."""
        for _ in range(rounds):
            self.crash()
            next_at = self.next_at()
            if next_at is None:
                return
            if next_at > self.clock.now():
                self.clock.advance((next_at - self.clock.now()).total_seconds())
        raise AssertionError("it never came to rest")

    def next_at(self) -> datetime | None:
        """When something can move next: a try, a look, a lapsed lease."""
        moving = Effect.objects.filter(state__in=[states.READY, states.SENDING, states.UNKNOWN, states.DONE])
        times = [_next_at(effect) for effect in moving.filter(confirm_tries__lt=5)]
        return min((at for at in times if at is not None), default=None)

    @property
    def posted(self) -> list[tuple[str, str]]:
        """Kind and amount of everything in the ledger."""
        return [(posting["kind"], posting["amount"]) for posting in self.ledger.postings]

    @property
    def sent(self) -> int:
        """How many writes came in, answered or not."""
        return sum(call.method == "POST" for call in self.simulator.calls.all())


@contextmanager
def world(**connector: Any) -> Iterator[World]:
    """Serve a new ledger on loopback."""
    clock = SimulatedClock(START)
    ledger = Ledger()
    simulator = Simulator(app=ledger, clock=clock)
    server = serve(simulator)
    try:
        shop = ConnectionFactory.create(vendor="woocommerce", base_url=server.url)
        order = OrderFactory.create(connection=shop, external_id="1", total=TOTAL, read_at=START)
        order.fingerprint = order_fingerprint(_snapshot({"id": "1", "total": str(TOTAL), "postings": []}))
        order.save()
        yield World(
            ledger=ledger,
            simulator=simulator,
            clock=clock,
            order=order,
            connector=replace(CONNECTOR, **connector),
        )
    finally:
        server.stop()


def _next_at(effect: Effect) -> datetime | None:
    if effect.state == states.SENDING:
        return effect.lease_until_at
    due_at = effect.confirm_after_at if effect.state == states.DONE else effect.next_attempt_at
    return max(due_at, effect.lease_until_at) if due_at and effect.lease_until_at else due_at


def purposes(effect: Effect) -> list[tuple[str, str]]:
    """Purpose and outcome of every attempt, in order."""
    return list(effect.attempts.order_by("number").values_list("purpose", "outcome"))


__all__ = ["CAPABILITIES", "CONNECTOR", "START", "Crash", "Ledger", "World", "effects", "purposes", "world"]
