"""What really arrives: the examples of the contract and a real shop's webhooks, each alone, then all at the server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django.live_server_helper import LiveServer

from connectors.signing import sign
from connectors.simulators.woocommerce.records import Order
from returnsops import states
from returnsops.models import ConnectionSecret, InboundEvent, ReturnAuthorisation, Route
from returnsops.services import routes
from tests.connectors.woocommerce.recordings import FOLDER, WEBHOOK_SECRET, webhooks_of
from tests.journeys.world import World, post_raw, world

pytestmark = pytest.mark.django_db

EXAMPLES = json.loads((Path(__file__).parents[1] / "data" / "returns-event-examples.json").read_text(encoding="utf-8"))
LIVE_FROM = datetime.fromisoformat("2026-05-01T00:00:00+00:00")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What one example, alone, must leave behind."""

    facts: str
    status: str
    shown: str  # the status that the shop's staff read on the order
    rows: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()  # beside the two mirrors
    cases: tuple[str, ...] = ()


# The clock stands in November: what the examples began in May is overdue. The code "damaged" is mapped to no reason.
EXPECTED: dict[str, Expected] = {
    "return.requested": Expected(
        facts="ReturnSeen, ReturnRequested",
        status="requested",
        shown="Return requested",
        cases=("platform_decision_due", "reason_unmapped"),
    ),
    "return.authorised": Expected(
        facts="ReturnSeen, ReturnAuthorised",
        status="authorised",
        shown="Return authorised, waiting for the goods",
        effects=("note done [RMA-1001/authorised]",),
        cases=("platform_decision_due", "reason_unmapped"),
    ),
    "return.declined": Expected(
        facts="ReturnSeen, ReturnDeclined",
        status="declined",
        shown="Return declined",
    ),
    "return.cancelled": Expected(
        facts="ReturnSeen, ReturnCancelled",
        status="cancelled",
        shown="Return cancelled",
    ),
    "return.label_created": Expected(
        facts="ReturnSeen, ParcelLabelled",
        status="authorised",
        shown="Return authorised, waiting for the goods",
        rows=("parcel shp_1 EX123456789GB",),
        effects=("note done [RMA-1001/authorised]",),
        cases=("platform_decision_due", "reason_unmapped"),
    ),
    "refund.issued": Expected(
        facts="ReturnSeen, RefundIssued",
        status="authorised",
        shown="Return authorised, waiting for the goods",
        rows=("refund rfd_1 21.5000 returns_platform",),
        effects=("note done [RMA-1001/authorised]", "refund held 21.50"),
        cases=("instant_never_returned", "platform_decision_due", "reason_unmapped"),
    ),
    "refund.failed": Expected(
        facts="ReturnSeen, RefundIssued, RefundFailed",
        status="authorised",
        shown="Return authorised, waiting for the goods",
        rows=("refund rfd_1 21.5000 returns_platform failed",),
        effects=("note done [RMA-1001/authorised]",),
        cases=("platform_decision_due", "platform_refund_failed", "reason_unmapped"),
    ),
    "exchange.requested": Expected(
        facts="ReturnSeen, ExchangeRequested",
        status="authorised",
        shown="Return authorised, waiting for the goods",
        rows=("exchange exc_1",),
        effects=("note done [RMA-1001/authorised]",),
        cases=("manual_exchange", "platform_decision_due", "reason_unmapped"),
    ),
    "exchange.cancelled": Expected(
        facts="ReturnSeen, ExchangeCancelled",
        status="authorised",
        shown="Return authorised, waiting for the goods",
        rows=("exchange exc_1 cancelled",),
        effects=("note done [RMA-1001/authorised]",),
        cases=("platform_decision_due", "reason_unmapped"),
    ),
    "return.in_transit": Expected(
        facts="ReturnSeen, ParcelInTransit",
        status="in_transit",
        shown="Goods on their way back",
        rows=("parcel shp_1 EX123456789GB",),
        effects=("note done [RMA-1001/authorised]",),
        cases=("platform_decision_due", "reason_unmapped"),
    ),
    "return.carrier_delivered": Expected(
        facts="ReturnSeen, ParcelDelivered",
        status="delivered",
        shown="Goods delivered, not in the warehouse's hands yet",
        rows=("parcel shp_1 EX123456789GB",),
        effects=("note done [RMA-1001/authorised]",),
        cases=("platform_decision_due", "reason_unmapped"),
    ),
    "return.received": Expected(
        facts="ReturnSeen, ParcelReceived",
        status="received",
        shown="Goods received, waiting for inspection",
        rows=("parcel shp_1 EX123456789GB",),
        effects=("note done [RMA-1001/authorised]", "note done [RMA-1001/received]"),
        cases=("platform_decision_due", "reason_unmapped"),
    ),
    "return.item_inspected": Expected(
        facts="ReturnSeen, ItemsInspected",
        status="inspecting",
        shown="Goods being inspected",
        rows=("verdict rit_1 1 sellable",),
        effects=(
            "note done [RMA-1001/authorised]",
            "note done [RMA-1001/received]",
            "note done [RMA-1001/restocked/rit_1:1]",
            "restock confirmed 1",
        ),
        cases=("platform_decision_due", "reason_unmapped"),
    ),
    "return.inspection_completed": Expected(
        facts="ReturnSeen, InspectionCompleted",
        status="inspected",
        shown="Goods inspected",
        rows=("verdict rit_1 1 sellable", "verdict rit_2 2 damaged"),
        effects=(
            "note done [RMA-1001/authorised]",
            "note done [RMA-1001/received]",
            "note done [RMA-1001/restocked/rit_1:1]",
            "restock confirmed 1",
        ),
        cases=("reason_unmapped",),
    ),
    "credit.issued": Expected(
        facts="ReturnSeen, CreditIssued",
        status="inspected",
        shown="Goods inspected",
        rows=("store_credit crd_1 30.0000",),
        effects=("note done [RMA-1001/authorised]", "note done [RMA-1001/received]"),
        cases=("manual_credit", "reason_unmapped"),
    ),
    "gift_card.issued": Expected(
        facts="ReturnSeen, CreditIssued",
        status="inspected",
        shown="Goods inspected",
        rows=("gift_card gft_1 30.0000",),
        effects=("note done [RMA-1001/authorised]", "note done [RMA-1001/received]"),
        cases=("manual_credit", "reason_unmapped"),
    ),
    "return.updated": Expected(
        facts="ReturnSeen",
        status="inspected",
        shown="Goods inspected",
        effects=("note done [RMA-1001/authorised]", "note done [RMA-1001/received]"),
        cases=("reason_unmapped",),
    ),
    "return.closed": Expected(
        facts="ReturnSeen, ReturnClosed",
        status="closed",
        shown="Return closed",
        cases=("reason_unmapped",),
    ),
    "return.expired": Expected(
        facts="ReturnSeen, ReturnExpired",
        status="expired",
        shown="Return expired, goods never sent",
    ),
    "risk.hold_placed": Expected(
        facts="ReturnSeen, RiskHoldPlaced",
        status="requested",
        shown="Return requested; on hold for a risk review",
        rows=("risk rsk_1 hold",),
        cases=("platform_decision_due", "reason_unmapped", "risk_hold"),
    ),
    "risk.hold_released": Expected(
        facts="ReturnSeen, RiskHoldReleased",
        status="authorised",
        shown="Return authorised, waiting for the goods",
        rows=("risk rsk_1 released",),
        effects=("note done [RMA-1001/authorised]",),
        cases=("platform_decision_due", "reason_unmapped"),
    ),
    "risk.non_return_charged": Expected(
        facts="ReturnSeen, RiskCharge",
        status="expired",
        shown="Return expired, goods never sent",
        rows=("risk rsk_1 charged",),
        cases=("charge_problem",),
    ),
    "risk.charge_failed": Expected(
        facts="ReturnSeen, RiskCharge",
        status="expired",
        shown="Return expired, goods never sent",
        rows=("risk rsk_1 failed",),
        cases=("charge_problem",),
    ),
    "risk.charge_reversed": Expected(
        facts="ReturnSeen, RiskCharge",
        status="received",
        shown="Goods received, waiting for inspection",
        rows=("risk rsk_1 reversed",),
        effects=("note done [RMA-1001/authorised]", "note done [RMA-1001/received]"),
        cases=("charge_problem", "platform_decision_due", "reason_unmapped"),
    ),
}


@pytest.fixture
def live() -> Iterator[World]:
    """A live route since before the examples, and the order they name."""
    with world(is_telling=True) as w:
        route = Route.objects.get(name="main")
        routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="test", at=w.now(), live_from=LIVE_FROM)
        yield w


def _order_of_the_examples(w: World) -> Order:
    shirt, mug = w.product("TEE-BLK-M", price="30.00"), w.product("MUG-RED", price="12.00")
    w.shop.state.continue_ids("post", 5550000)
    w.shop.state.continue_ids("item", 9000)
    placed_at = datetime.fromisoformat("2026-05-01T12:00:00+00:00")
    order = w.order((shirt, 1), (mug, 2), currency="GBP", created_at=placed_at)
    assert (order.id, [line.id for line in order.items]) == (5550001, [9001, 9002])
    return order


def _signed(w: World, event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(event).encode()
    signed = sign(
        verifier={"kind": "standard_webhooks"},
        secret=w.platform.webhook_secrets[0],
        body=body,
        at=w.now(),
        message_id=event["id"],
    )
    return body, {**signed, "Content-Type": "application/json"}


def _post(server: LiveServer, connection: str, body: bytes, headers: dict[str, str]) -> requests.Response:
    return requests.post(f"{server.url}/webhooks/{connection}/", data=body, headers=headers, timeout=10)


def _rows(rma: ReturnAuthorisation) -> tuple[str, ...]:
    """Everything beyond the header and its two lines, in a few words."""
    paid = [
        f"refund {row.external_id} {row.amount:f} {row.executed_by}{' failed' if row.failed_at else ''}"
        for row in rma.platform_refunds.all()
    ]
    credits = [f"{row.kind} {row.external_id} {row.amount:f}" for row in rma.credits.all()]
    exchanges = [f"exchange {row.external_id}{' cancelled' if row.cancelled_at else ''}" for row in rma.exchanges.all()]
    parcels = [f"parcel {row.external_id} {row.tracking_number}" for row in rma.parcels.all()]
    verdicts = [f"verdict {row.item_external_id} {row.quantity} {row.disposition}" for row in rma.inspections.all()]
    risks = [f"risk {entry['risk_id']} {entry['stage']}" for entry in rma.risks]
    return (*paid, *credits, *exchanges, *parcels, *sorted(verdicts), *risks)


def _effects(rma: ReturnAuthorisation) -> tuple[str, ...]:
    found = []
    for row in rma.effects.all():
        what = row.payload.get("amount") or row.quantity or row.payload.get("token") or row.payload["value"]
        found.append(f"{row.kind} {row.state} {what}")
    return tuple(sorted(found))


@pytest.mark.parametrize("event", EXAMPLES, ids=[event["type"] for event in EXAMPLES])
def test_every_example_of_the_contract(event: dict[str, Any], live: World) -> None:
    order = _order_of_the_examples(live)

    answer = post_raw(*_signed(live, event))
    live.settle()

    stored = InboundEvent.objects.get(connection__name="reveni", source="webhook")
    assert (answer.status_code, answer.json()) == (
        202,
        {"status": "stored", "event": stored.pk, "duplicate": False},
    )
    assert json.loads(bytes(stored.body)) == event
    assert (stored.topic, stored.state) == (event["type"], states.EVENT_PROCESSED)
    rma, wanted = ReturnAuthorisation.objects.get(), EXPECTED[event["type"]]
    assert (rma.external_id, rma.number, rma.order and rma.order.external_id) == ("ret_1001", "RMA-1001", "5550001")
    assert [line.order_line and line.order_line.external_id for line in rma.lines.all()] == ["9001", "9002"]
    assert (stored.outcome, rma.status, _rows(rma)) == (wanted.facts, wanted.status, wanted.rows)
    mirrors = ("mirror done RMA-1001", f"mirror done {wanted.shown}")
    assert _effects(rma) == tuple(sorted((*wanted.effects, *mirrors)))
    assert tuple(live.open_cases()) == wanted.cases
    restocks = [effect for effect in wanted.effects if effect.startswith("restock confirmed")]
    assert [refund.amount for refund in live.shop.refunds_of(order.id)] == [0] * len(restocks)
    assert live.shop.gateway_payouts == []


def test_the_table_names_every_example_and_nothing_else() -> None:
    assert list(EXPECTED) == [event["type"] for event in EXAMPLES]


# What all of them come to as one return: declined in the end, with its goods back in stock and no money of the shop.
ALL_ROWS = (
    "refund rfd_1 21.5000 returns_platform failed",
    "store_credit crd_1 30.0000",
    "gift_card gft_1 30.0000",
    "exchange exc_1 cancelled",
    "parcel shp_1 EX123456789GB",
    "verdict rit_1 1 sellable",
    "verdict rit_1 1 sellable",
    "verdict rit_2 2 damaged",
    *(f"risk rsk_1 {stage}" for stage in ("hold", "released", "charged", "failed", "reversed")),
)
ALL_EFFECTS = (
    "mirror done RMA-1001",
    "mirror done Return declined",
    "note done [RMA-1001/authorised]",
    "note done [RMA-1001/received]",
    "note done [RMA-1001/restocked/rit_1:1]",
    "restock confirmed 1",
)
ALL_CASES = ("charge_problem", "charge_problem", "charge_problem", "platform_refund_failed")


@pytest.mark.django_db(transaction=True)
def test_all_examples_posted_to_the_running_server_are_one_return(live: World, live_server: LiveServer) -> None:
    order = _order_of_the_examples(live)
    answers = [_post(live_server, "reveni", *_signed(live, event)) for event in (*EXAMPLES, *EXAMPLES)]
    live.settle()

    assert [answer.status_code for answer in answers] == [202] * 24 + [200] * 24
    told = InboundEvent.objects.filter(connection__name="reveni", source="webhook").order_by("pk")
    assert [(row.topic, row.state, row.outcome, row.duplicate_count) for row in told] == [
        (topic, states.EVENT_PROCESSED, wanted.facts, 1) for topic, wanted in EXPECTED.items()
    ]
    rma = ReturnAuthorisation.objects.get()
    assert (rma.revision, rma.status) == (14, states.DECLINED)
    assert _rows(rma) == ALL_ROWS
    assert _effects(rma) == ALL_EFFECTS
    assert tuple(live.open_cases()) == ALL_CASES
    assert live.shop.gateway_payouts == []
    assert [refund.amount for refund in live.shop.refunds_of(order.id)] == [0]


# --- a real shop's webhooks ---------------------------------------------------------------------------------------

IGNORED, HINT, MERGED = "ignored", "hint", "merged"
# What becomes of each recorded delivery, in the order in which the shop sent them; nothing is processed in between.
DELIVERIES: dict[str, tuple[tuple[str, int, str], ...]] = {
    "received_create_paid_order": (
        ("order.created", 202, HINT),
        ("order.updated", 200, MERGED),
        ("product.updated", 202, IGNORED),
        ("action.woocommerce_order_status_changed", 200, MERGED),
    ),
    "received_partial_refund_by_line": (
        ("product.updated", 202, IGNORED),
        ("order.updated", 202, HINT),
        ("action.woocommerce_refund_created", 202, IGNORED),
        ("action.woocommerce_order_refunded", 200, MERGED),
    ),
    "received_two_orders_changed_before_the_queue_runs": (
        ("order.updated", 202, HINT),
        ("action.woocommerce_order_status_changed", 200, MERGED),
        ("order.updated", 202, HINT),  # the same Delivery-ID as the first, another order
        ("action.woocommerce_order_status_changed", 200, MERGED),
    ),
    "received_empty_put": (("order.updated", 202, HINT),),
    "received_meta_data_only": (("order.updated", 202, HINT),),
    "received_same_status_again_no_real_change": (("order.updated", 202, HINT),),
    "received_trash_order": (("order.deleted", 202, HINT),),
    "received_simple_product_stock_put": (("product.updated", 202, IGNORED),),
    "received_variation_stock_put": (("product.updated", 202, IGNORED),),
    "received_on_webhook_creation": tuple(("", 200, "ping") for _ in range(7)),
    "received_order_note": (),
    "received_failed_api_refund": (),
}


def _as_the_recorded_shop() -> None:
    """The recorded store signed with its own secret; its signatures are posted as they were."""
    ConnectionSecret.objects.filter(connection__name="shop", name="webhook_secret").delete()
    ConnectionSecret.objects.create(
        connection_id=Route.objects.values_list("commerce_id", flat=True).get(),
        name="webhook_secret",
        env_name="RECORDED_SHOP_SECRET",
        created_at=LIVE_FROM,
    )


def test_every_recording_of_deliveries_has_its_row_in_the_table() -> None:
    assert set(DELIVERIES) == {path.stem for path in (FOLDER / "webhooks").glob("received_*.json")}


def _orders_of_the_recordings(w: World) -> None:
    for order_id in (51, 55, 56):
        w.shop.state.continue_ids("post", order_id - 1)
        w.order((w.product(f"SKU-{order_id}"), 1))


@pytest.mark.django_db(transaction=True)
def test_recorded_webhooks_of_a_real_shop_at_the_running_server(
    live: World, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDED_SHOP_SECRET", WEBHOOK_SECRET)
    _as_the_recorded_shop()
    _orders_of_the_recordings(live)
    for name, wanted in DELIVERIES.items():
        InboundEvent.objects.all().delete()  # each recording is a day of its own
        for (headers, body), delivery in zip(webhooks_of(f"webhooks/{name}"), wanted, strict=True):
            assert _delivered(live_server, headers, body) == delivery, name
        live.work()
        found = dict(InboundEvent.objects.filter(source="webhook").values_list("topic", "state"))
        assert found == {topic: STATES[meaning] for topic, _, meaning in wanted if meaning in STATES}, name
    assert live.open_cases() == []
    assert live.writes() == []


STATES = {HINT: states.EVENT_PROCESSED, IGNORED: states.EVENT_IGNORED}


def _delivered(server: LiveServer, headers: dict[str, str], body: bytes) -> tuple[str, int, str]:
    """Topic, answer and what became of the delivery at the door; a stored one is judged once it is processed."""
    known = InboundEvent.objects.count()
    answer = _post(server, "shop", body, {key: value for key, value in headers.items() if key not in HOPS})
    is_stored = InboundEvent.objects.count() > known
    topic = headers.get("x-wc-webhook-topic", "")
    meaning = "ping" if not answer.json().get("event") else MERGED
    if is_stored:
        meaning = HINT if InboundEvent.objects.latest("pk").open_hint_key else IGNORED
    return topic, answer.status_code, meaning


HOPS = {"host", "content-length", "connection", "accept-encoding"}
