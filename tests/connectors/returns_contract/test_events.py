"""Every event type of the contract becomes exactly these facts."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.returns_contract.events import MAKERS, cut, facts_of
from returnsops import facts
from tests.connectors.reveni.documents import EXAMPLES, GONE, normalised, spoilt


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ITEMS = (
    facts.ReturnItem(
        item_id="rit_1",
        sku="TEE-BLK-M",
        quantity=1,
        order_line_id="9001",
        variant_id="4411",
        name="Tee black M",
        reason_code="too_small",
        resolution="exchange",
        unit_price=Decimal("30.00"),
        discount=Decimal("0.00"),
        tax=Decimal("5.00"),
        total=Decimal("30.00"),
    ),
    facts.ReturnItem(
        item_id="rit_2",
        sku="MUG-RED",
        quantity=2,
        order_line_id="9002",
        variant_id="4412",
        name="Mug red",
        reason_code="damaged",
        reason_text="handle broken",
        resolution="refund",
        unit_price=Decimal("12.00"),
        discount=Decimal("0.00"),
        tax=Decimal("4.00"),
        total=Decimal("24.00"),
    ),
)
PARCEL = {
    "parcel_id": "shp_1",
    "carrier": "examplepost",
    "tracking_number": "EX123456789GB",
    "tracking_url": "https://carrier.example/EX123456789GB",
}
TEE = facts.InspectedItem(
    item_id="rit_1",
    quantity=1,
    outcome="accepted",
    disposition="sellable",
    is_final=True,
    inspected_at=at("2026-05-12T10:00:00"),
    sku="TEE-BLK-M",
    grade="A",
    location_code="UK-HUB",
    inspected_by="wh-7",
)
MUGS = facts.InspectedItem(
    item_id="rit_2",
    quantity=2,
    outcome="accepted",
    disposition="damaged",
    is_final=True,
    inspected_at=at("2026-05-12T10:04:00"),
    sku="MUG-RED",
    grade="D",
    location_code="UK-HUB",
    inspected_by="wh-7",
)
REFUND: dict[str, Any] = {
    "refund_id": "rfd_1",
    "amount": Decimal("21.50"),
    "currency": "GBP",
    "executed_by": "returns_platform",
    "method": "bank_transfer",
    "is_instant": True,
    "items": (facts.RefundItem(item_id="rit_2", amount=Decimal("24.00"), quantity=2, tax=Decimal("4.00")),),
    "shipping": Decimal("0.00"),
    "fees": Decimal("2.50"),
    "provider_reference": "payout_88",
}
CREDIT: dict[str, Any] = {
    "amount": Decimal("30.00"),
    "currency": "GBP",
    "bonus": Decimal("3.00"),
    "executed_by": "commerce_platform",
    "code_last4": "7Q2K",
}
CHARGE: dict[str, Any] = {
    "risk_id": "rsk_1",
    "kind": "not_returned",
    "amount": Decimal("51.50"),
    "currency": "GBP",
}

# type -> (revision, time of the event, the facts beside ReturnSeen without what all share)
TABLE: dict[str, tuple[int, str, list[tuple[type[facts.ReturnFact], dict[str, Any]]]]] = {
    "return.requested": (1, "2026-05-04T09:00:00", [(facts.ReturnRequested, {})]),
    "return.authorised": (2, "2026-05-04T09:00:05", [(facts.ReturnAuthorised, {})]),
    "return.declined": (2, "2026-05-04T09:00:05", [(facts.ReturnDeclined, {"reason_code": "outside_window"})]),
    "return.cancelled": (
        3,
        "2026-05-05T08:00:00",
        [(facts.ReturnCancelled, {"reason_code": "customer", "reason_text": "kept it"})],
    ),
    "return.label_created": (3, "2026-05-04T09:00:20", [(facts.ParcelLabelled, PARCEL)]),
    "refund.issued": (4, "2026-05-04T09:01:10", [(facts.RefundIssued, REFUND)]),
    "refund.failed": (
        4,
        "2026-05-04T09:01:10",
        [(facts.RefundIssued, REFUND), (facts.RefundFailed, {"refund_id": "rfd_1", "code": "account_closed"})],
    ),
    "exchange.requested": (
        5,
        "2026-05-04T09:01:12",
        [
            (
                facts.ExchangeRequested,
                {
                    "exchange_id": "exc_1",
                    "is_instant": True,
                    "price_difference": Decimal("0.00"),
                    "lines": (
                        facts.ExchangeLine(
                            sku="TEE-BLK-L",
                            quantity=1,
                            variant_id="4413",
                            unit_price=Decimal("30.00"),
                            replaces_item_id="rit_1",
                        ),
                    ),
                },
            )
        ],
    ),
    "exchange.cancelled": (6, "2026-05-04T15:00:00", [(facts.ExchangeCancelled, {"exchange_id": "exc_1"})]),
    "return.in_transit": (7, "2026-05-06T17:00:00", [(facts.ParcelInTransit, PARCEL)]),
    "return.carrier_delivered": (8, "2026-05-09T08:30:00", [(facts.ParcelDelivered, PARCEL)]),
    "return.received": (9, "2026-05-11T09:00:00", [(facts.ParcelReceived, PARCEL)]),
    "return.item_inspected": (
        10,
        "2026-05-12T10:00:00",
        [(facts.ItemsInspected, {"items": (TEE,), "source": "platform"})],
    ),
    "return.inspection_completed": (
        11,
        "2026-05-12T10:05:00",
        [(facts.InspectionCompleted, {"items": (TEE, MUGS), "source": "platform"})],
    ),
    "credit.issued": (
        12,
        "2026-05-12T10:06:00",
        [(facts.CreditIssued, {"credit_id": "crd_1", "kind": "store_credit", **CREDIT})],
    ),
    "gift_card.issued": (
        12,
        "2026-05-12T10:06:00",
        [(facts.CreditIssued, {"credit_id": "gft_1", "kind": "gift_card", **CREDIT})],
    ),
    "return.updated": (13, "2026-05-12T10:07:00", []),
    "return.closed": (14, "2026-05-12T10:10:00", [(facts.ReturnClosed, {})]),
    "return.expired": (7, "2026-06-03T09:00:01", [(facts.ReturnExpired, {})]),
    "risk.hold_placed": (
        2,
        "2026-05-04T09:00:02",
        [(facts.RiskHoldPlaced, {"risk_id": "rsk_1", "kind": "fraud_review"})],
    ),
    "risk.hold_released": (3, "2026-05-04T12:00:00", [(facts.RiskHoldReleased, {"risk_id": "rsk_1"})]),
    "risk.non_return_charged": (
        8,
        "2026-06-04T00:10:00",
        [(facts.RiskCharge, {**CHARGE, "stage": "charged", "liable": "returns_platform"})],
    ),
    "risk.charge_failed": (
        8,
        "2026-06-04T00:10:00",
        [(facts.RiskCharge, {**CHARGE, "stage": "failed", "liable": "unknown"})],
    ),
    "risk.charge_reversed": (
        9,
        "2026-06-10T00:10:00",
        [(facts.RiskCharge, {**CHARGE, "stage": "reversed", "liable": "customer"})],
    ),
}


def test_the_table_covers_every_type() -> None:
    assert set(TABLE) == set(EXAMPLES) == set(MAKERS)
    assert len(TABLE) == 24


@pytest.mark.parametrize("type", TABLE)
def test_an_example_becomes_exactly_its_facts(type: str) -> None:
    revision, moment, expected = TABLE[type]
    shared: dict[str, Any] = {"occurred_at": at(moment), "return_id": "ret_1001", "revision": revision}

    result = normalised(EXAMPLES[type])

    assert result.problems == ()
    seen, *own = result.facts
    assert own == [kind(**shared, **content) for kind, content in expected]
    assert seen == facts.ReturnSeen(
        **shared,
        snapshot=facts.ReturnSnapshot(
            return_id="ret_1001",
            revision=revision,
            status=EXAMPLES[type]["data"]["return"]["status"],
            mode="instant",
            order_id="5550001",
            currency="GBP",
            items=ITEMS,
            created_at=at("2026-05-04T09:00:00"),
            updated_at=at(EXAMPLES[type]["data"]["return"]["updated_at"][:19]),
            number="RMA-1001",
            resolution="mixed",
            order_number="#1042",
            channel="web-uk",
            customer_id="cus_77",
            customer_email="pat@example.com",
            totals={
                "items": Decimal("54.00"),
                "tax": Decimal("9.00"),
                "shipping": Decimal("0.00"),
                "fees": Decimal("2.50"),
                "bonus": Decimal("0.00"),
                "refund": Decimal("21.50"),
                "exchange": Decimal("30.00"),
                "credit": Decimal("0.00"),
            },
            return_by=at("2026-06-03T09:00:00"),
        ),
    )


def verdict_of(**changes: Any) -> facts.InspectedItem:
    event = spoilt("return.item_inspected", "data", "items", to=[{**_verdict(), **changes}])
    inspected = facts_of(event)[1]
    assert isinstance(inspected, facts.ItemsInspected)
    return inspected.items[0]


def _verdict() -> dict[str, Any]:
    return dict(EXAMPLES["return.item_inspected"]["data"]["items"][0])


@pytest.mark.parametrize(
    ("outcome", "disposition", "ours", "is_final"),
    [
        ("accepted", "sellable", "sellable", True),
        ("accepted", "refurbish", "refurbish", True),
        ("accepted", "quarantine", "quarantine", True),
        ("accepted", "damaged", "damaged", True),
        ("accepted", "recycle", "write_off", True),
        ("rejected", "donate", "write_off", True),
        ("rejected", "return_to_customer", "return_to_customer", True),
        ("missing", "missing", "missing", True),
        ("accepted", "unknown", "unknown", False),
        ("missing", "sellable", "unknown", False),  # what never came cannot be sold
        ("missing", "damaged", "unknown", False),
    ],
)
def test_dispositions(outcome: str, disposition: str, ours: str, is_final: bool) -> None:
    item = verdict_of(outcome=outcome, disposition=disposition)

    assert (item.disposition, item.is_final) == (ours, is_final)


def test_a_verdict_not_said_to_be_final_is_not() -> None:
    assert verdict_of(disposition_final=False).is_final is False
    event = spoilt("return.item_inspected", "data", "items", 0, "disposition_final", to=GONE)
    inspected = facts_of(event)[1]
    assert isinstance(inspected, facts.ItemsInspected)
    assert inspected.items[0].is_final is False


def test_no_units_judged_say_nothing() -> None:
    event = spoilt("return.item_inspected", "data", "items", 0, "quantity", to=0)
    inspected = facts_of(event)[1]

    assert isinstance(inspected, facts.ItemsInspected)
    assert inspected.items == ()


def test_a_refund_without_executor_says_so() -> None:
    issued = normalised(spoilt("refund.issued", "data", "refund", "executed_by", to=GONE)).facts[1]

    assert isinstance(issued, facts.RefundIssued)
    assert issued.executed_by == ""


@pytest.mark.parametrize(("text", "currency", "amount"), [("21.5", "GBP", "21.50"), ("21.5000", "KWD", "21.500")])
def test_the_same_amount_is_the_same_statement(text: str, currency: str, amount: str) -> None:
    event = spoilt("refund.issued", "data", "refund", "amount", to=text)
    event["data"]["refund"]["currency"] = currency
    issued = facts_of(event)[1]

    assert isinstance(issued, facts.RefundIssued)
    assert str(issued.amount) == amount


def test_a_failure_dates_the_refund_by_its_own_time() -> None:
    event = spoilt("refund.failed", "timestamp", to="2026-05-07T00:00:00Z")
    _, issued, failed = facts_of(event)

    assert issued.occurred_at == at("2026-05-04T09:01:10")
    assert failed.occurred_at == at("2026-05-07T00:00:00")


def test_a_tracking_link_is_a_web_address_or_nothing() -> None:
    event = spoilt("return.received", "data", "shipment", "tracking_url", to="javascript:alert(1)")
    received = facts_of(event)[1]

    assert isinstance(received, facts.ParcelReceived)
    assert received.tracking_url == ""


def test_texts_that_people_read_are_cut() -> None:
    event = spoilt("return.updated", "data", "return", "items", 0, "reason_text", to="x" * 20_000)
    seen = normalised(event).facts[0]

    assert isinstance(seen, facts.ReturnSeen)
    assert len(seen.snapshot.items[0].reason_text) == 5_000
    assert cut(None, 3) == ""
    assert cut("abcd", 3) == "ab…"


def test_markup_and_formulas_stay_what_they_are() -> None:
    hostile = "<img src=x onerror=alert(1)>=cmd|' /C calc'!A0"
    event = spoilt("return.updated", "data", "return", "items", 0, "name", to=hostile)
    seen = normalised(event).facts[0]

    assert isinstance(seen, facts.ReturnSeen)
    assert seen.snapshot.items[0].name == hostile


def test_times_with_an_offset_are_kept_in_utc() -> None:
    event = spoilt("return.closed", "timestamp", to="2026-05-12T12:10:00+02:00")

    assert normalised(event).facts[1].occurred_at == at("2026-05-12T10:10:00")


def test_a_receipt_may_come_without_its_parcel() -> None:
    received = normalised(spoilt("return.received", "data", "shipment", to=GONE)).facts[1]

    assert isinstance(received, facts.ParcelReceived)
    assert (received.parcel_id, received.carrier) == ("ret_1001", "")


def test_a_reason_may_be_null() -> None:
    cancelled = normalised(spoilt("return.cancelled", "data", "reason", to=None)).facts[1]

    assert isinstance(cancelled, facts.ReturnCancelled)
    assert cancelled.reason_code == ""
