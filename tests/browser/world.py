"""A played day for the screens: returns in every state, a person of each team, hostile text from a customer."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from reconciliation import batches
from returnsops import roles, states
from tests import factories as make
from tests.reconciliation.factories import (
    AuditGapFactory,
    BatchFactory,
    PeriodFactory,
    PostingFactory,
    RunFactory,
    SettlementFactory,
    SettlementLineFactory,
)
from tests.reconciliation.statements import CARD

HOSTILE = '<script>window.harmed = true</script><img src=x onerror="window.harmed = true">=HYPERLINK("x")'


@dataclass(frozen=True, kw_only=True)
class World:
    """What the tests name."""

    people: dict[str, Any]
    route: Any
    held: Any  # waits for inspection; hostile customer text; not classified
    refund_to_approve: Any
    unknown: Any
    stuck_event: Any
    audit: Any
    month: Any  # open, with a line that fits no refund and one that is off
    closed_month: Any
    line: Any


def build() -> World:
    """Make the rows, with times around now so that words like '2 h late' come out right."""
    now = timezone.now()
    people = {team: make.UserFactory(username=team.lower(), team=team) for team in roles.TEAMS}
    route = make.RouteFactory(
        name="uk",
        title="UK shop",
        live_from=now - timedelta(days=90),
        platform__name="reveni",
        platform__title="Reveni",
        commerce__name="shop",
        commerce__title="Example Shop",
    )
    make.DispositionMappingFactory(route=route, location__code="main", location__title="Main warehouse")
    make.ConnectionSecretFactory(connection=route.commerce)
    make.ConnectionBudgetFactory(connection=route.commerce, call_count=1234, throttled_count=2)
    make.SyncCursorFactory(connection=route.commerce, polled_at=now - timedelta(minutes=3))
    held = _held(route, people, now)
    refund = _awaiting_approval(route, people, now)
    unknown = _unknown(route, now)
    _done(route, now)
    _from_before(route, now)
    for number in range(30):
        _plain(route, number, now)
    stuck = make.InboundEventFactory(
        connection=route.platform, state=states.EVENT_PARKED, rma=held, outcome="No such item", received_at=now
    )
    closed_month, month, line = _books(route, people, now)
    return World(
        people=people,
        route=route,
        held=held,
        refund_to_approve=refund,
        unknown=unknown,
        stuck_event=stuck,
        audit=_audit(route),
        month=month,
        closed_month=closed_month,
        line=line,
    )


def _books(route: Any, people: dict[str, Any], now: Any) -> tuple[Any, Any, Any]:
    """Two months of a shop: one closed by two people, one proposed, with lines that pay, are off, and do not pay."""
    shop = route.commerce
    shop.settings = {"finance": {"gateways": {"card": CARD}}}
    shop.save()
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before = (first - timedelta(days=1)).replace(day=1)
    closed = PeriodFactory(
        connection=shop, name=f"{before:%Y-%m}", starts_at=before, ends_at=first, proposed_by=people["FIN"],
        proposed_at=now, proposed_why="Matches the bank.", closed_by=make.UserFactory(username="fin2"), closed_at=now,
    )  # fmt: skip
    BatchFactory(
        period=closed, posting_count=0, posted_minor=0, settled_minor=0, coming_minor=0, elsewhere_minor=0,
        seal=batches.seal([]),
    )  # fmt: skip
    month = PeriodFactory(
        connection=shop, name=f"{first:%Y-%m}", starts_at=first, ends_at=(first + timedelta(days=32)).replace(day=1),
        proposed_by=people["FIN"], proposed_at=now, proposed_why="Everything is matched but two.",
    )  # fmt: skip
    batch = BatchFactory(period=month)
    settlement = SettlementFactory(connection=shop, file_name=f"{HOSTILE}.csv", imported_at=now)
    paid = {"settlement": settlement, "matched_by": "order and amount", "matched_at": now, "settled_date": now.date()}
    SettlementLineFactory(posting=PostingFactory(batch=batch, happened_at=now), **paid)
    SettlementLineFactory(posting=PostingFactory(batch=batch, happened_at=now), amount_minor=1234, **paid)
    PostingFactory(batch=batch, happened_at=now, gateway="by hand", late_for=closed.name)
    PostingFactory(batch=BatchFactory(period=month, currency="EUR"), happened_at=now - timedelta(days=9))
    line = SettlementLineFactory(settlement=settlement, reference=HOSTILE, settled_date=now.date())
    return closed, month, line


def _audit(route: Any) -> Any:
    """An audit with gaps of several kinds, links to both systems, and something it could not compare."""
    progress = {
        "uncompared": {"Voucher of order 71": "the shop took no stock for this line"},
        "apart": {"90": ["71", "4.95", "GBP", "names shipping or fees only"]},
    }
    run = RunFactory(
        route=route,
        check_code="audit",
        trigger="command",
        started_by="manage.py audit",
        order_count=412,
        matched_count=409,
        only_there_count=2,
        mismatched_count=1,
        totals={"GBP": {"here": "9120.50", "there": "9125.50"}},
        progress=progress,
    )
    links = {"order_url": "https://shop.example/o/42", "return_url": "https://returns.example/r/1"}
    AuditGapFactory.create_batch(2, run=run, author="WordPress user 1", **links)
    AuditGapFactory(run=run, kind="goods", cause="not_restocked", amount=None, currency="", quantity=2, text=HOSTILE)
    AuditGapFactory(run=run, kind="open_return", cause="would_send", return_number="RMA-9", **links)
    return run


def _return(route: Any, now: Any, **fields: Any) -> Any:
    times = {"requested_at": now - timedelta(days=4), "authorised_at": now - timedelta(days=4)}
    return make.ReturnFactory(route=route, order__total=Decimal("120.00"), **{**times, **fields})


def _held(route: Any, people: dict[str, Any], now: Any) -> Any:
    rma = _return(
        route,
        now,
        number="RMA-77",
        status=states.RECEIVED,
        in_transit_at=now - timedelta(days=2),
        received_at=now - timedelta(hours=5),
    )
    two = make.OrderLineFactory(order=rma.order, name="Blue shirt, large", quantity=3)
    make.ReturnLineFactory(rma=rma, external_id="i1", order_line=two, quantity=2, name="Blue shirt, large")
    other = make.ReturnLineFactory(rma=rma, external_id="i2", name="Walking boots", reason=None)
    other.reason_text, other.reason_source_code = HOSTILE, "FITS_BADLY"
    other.save()
    make.ParcelFactory(rma=rma, in_transit_at=now - timedelta(days=2), received_at=now - timedelta(hours=5))
    make.PlatformRefundFactory(rma=rma, amount=Decimal("90.00"), issued_at=now - timedelta(hours=4))
    case = make.CaseFactory(
        rma=rma,
        fingerprint=f"reason_unmapped:{rma.ref}:i2",
        first_opened_at=now - timedelta(hours=5),
        opened_at=now - timedelta(hours=5),
        last_seen_at=now,
        due_at=now - timedelta(hours=2),
        assigned_to=people["CX"],
        assigned_at=now,
        cause="waits for a reason for Walking boots: the platform's reason 'FITS_BADLY' is not mapped.",
    )
    make.CaseEventFactory(case=case, at=now - timedelta(hours=5), note=case.cause)
    holds = [
        {"code": "waits_for_trigger", "text": "waits for inspection of 3 of 3 items", "until": None, "waits_for": ""},
        {"code": "reason_unmapped", "text": case.cause, "until": None, "waits_for": case.fingerprint},
    ]
    make.EffectFactory(rma=rma, amount=Decimal("90.00"), state=states.HELD, holds=holds, planned_at=now)
    make.EffectFactory(
        rma=rma, restock=True, quantity=2, item_external_id="i1", state=states.HELD, holds=holds[:1], planned_at=now
    )
    noted = make.EffectFactory(rma=rma, note=True, state=states.DONE, planned_at=now, done_at=now)
    make.AttemptFactory(effect=noted, started_at=now - timedelta(hours=4))
    make.HistoryEntryFactory(rma=rma, at=now - timedelta(hours=4))
    make.HistoryEntryFactory(
        rma=rma, at=now - timedelta(hours=3), by="cx", act="note", text="Customer called, <b>very</b> friendly."
    )
    make.RefundFactory(order=rma.order, amount=Decimal("15.00"), author="shop manager", refunded_at=now)
    make.InboundEventFactory(connection=route.platform, rma=rma, received_at=now - timedelta(hours=5))
    return rma


def _awaiting_approval(route: Any, people: dict[str, Any], now: Any) -> Any:
    rma = _return(route, now, number="RMA-78", status=states.INSPECTED, inspected_at=now)
    make.ReturnLineFactory(rma=rma)
    return make.EffectFactory(
        rma=rma,
        amount=Decimal("45.50"),
        state=states.AWAITING_APPROVAL,
        origin=states.ORIGIN_PERSON,
        proposed_by=people["CX"],
        proposed_why="The parcel was lost by the carrier; claim opened.",
        planned_at=now,
    )


def _unknown(route: Any, now: Any) -> Any:
    rma = _return(route, now, number="RMA-79", status=states.INSPECTED, inspected_at=now)
    make.ReturnLineFactory(rma=rma)
    effect = make.EffectFactory(
        rma=rma,
        state=states.UNKNOWN,
        planned_at=now,
        error_text="No answer within 45 s; it may have been carried out.",
        next_attempt_at=now + timedelta(minutes=1),
    )
    make.AttemptFactory(effect=effect, outcome="unknown", text="No answer within 45 s.", started_at=now)
    return effect


def _done(route: Any, now: Any) -> None:
    rma = _return(route, now, number="RMA-80", status=states.CLOSED, closed_at=now, received_at=now)
    line = make.ReturnLineFactory(rma=rma)
    make.InspectionFactory(line=line, inspected_at=now)
    effect = make.EffectFactory(
        rma=rma, state=states.CONFIRMED, confirmed_at=now, remote_url="https://shop.example.com/refund/1"
    )
    make.RefundFactory(order=rma.order, origin="ours", key=effect.key, author="", refunded_at=now)
    make.EffectFactory(
        rma=rma, restock=True, item_external_id=line.external_id, state=states.CONFIRMED, confirmed_at=now
    )


def _from_before(route: Any, now: Any) -> None:
    """Begun before the route went live: compared while in shadow, and waiting for release."""
    rma = make.ReturnFactory(route=route, number="RMA-81", requested_at=now - timedelta(days=120))
    make.ReturnLineFactory(rma=rma)
    not_live = {"code": "not_live", "text": "waits for its route", "until": None, "waits_for": ""}
    make.EffectFactory(rma=rma, state=states.HELD, planned_at=now, holds=[not_live])
    make.ShadowComparisonFactory(rma=rma, money="people_more", their_amount=Decimal("34.00"), compared_at=now)


def _plain(route: Any, number: int, now: Any) -> None:
    rma = _return(route, now, number=f"RMA-{200 + number}", status=states.IN_TRANSIT, in_transit_at=now)
    make.ReturnLineFactory(rma=rma)
    make.EffectFactory(
        rma=rma,
        state=states.HELD,
        planned_at=now,
        holds=[{"code": "waits_for_trigger", "text": "waits for the parcel to arrive", "until": None, "waits_for": ""}],
    )
