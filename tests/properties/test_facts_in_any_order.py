"""Facts may arrive in any order, any number of times: the same rows, plan, effects and cases (design section 2).

Facts of one event arrive together, as they do from the inbox; everything else is shuffled and doubled.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import Connection, ReturnAuthorisation, Route
from returnsops.planning.plan import plan
from returnsops.planning.policy import parse_policy
from returnsops.services.apply_facts import apply_facts
from returnsops.services.replan import replan
from returnsops.services.views import view_of
from tests.factories import NOW, LocationFactory, ReasonMappingFactory, RouteFactory

pytestmark = pytest.mark.django_db

RETURN_ID = "ret_1"
# Each is some hundred queries; `make prove` asks for more.
EXAMPLES = 8 if settings().derandomize else settings().max_examples
BEGAN = NOW - timedelta(days=3)


@dataclass(frozen=True)
class Told:
    """Facts of one event, or one reading of the order with the time the read began."""

    name: str
    facts: tuple[facts.Fact, ...]
    read_at: datetime | None = None


def at(hours: float) -> datetime:
    """A moment of the story."""
    return BEGAN + timedelta(hours=hours)


def about(hours: float, revision: int = 0) -> dict[str, Any]:
    """What every fact carries."""
    return {"return_id": RETURN_ID, "occurred_at": at(hours), "revision": revision}


def item(item_id: str, quantity: int = 1, **more: Any) -> facts.ReturnItem:
    """An item of the return, matched to the line of the same number."""
    number = item_id.removeprefix("item_")
    given = {"sku": f"SKU-{number}", "order_line_id": number, "reason_code": "SIZE", **more}
    return facts.ReturnItem(item_id=item_id, quantity=quantity, **given)


def seen(revision: int, hours: float, *items: facts.ReturnItem, **more: Any) -> Told:
    """A snapshot."""
    snapshot = facts.ReturnSnapshot(
        return_id=RETURN_ID,
        revision=revision,
        status=more.pop("status", "authorised"),
        mode="on_receipt",
        order_id="9001",
        currency="GBP",
        items=items,
        created_at=at(0),
        updated_at=at(hours),
        number="RMA-1",
        customer_email="sam@example.com",
        **more,
    )
    return Told(f"seen {revision}/{hours}", (facts.ReturnSeen(snapshot=snapshot, **about(hours, revision)),))


def verdict(item_id: str, quantity: int, disposition: str, hours: float, **more: Any) -> facts.InspectedItem:
    """A final verdict."""
    return facts.InspectedItem(
        item_id=item_id,
        quantity=quantity,
        outcome="accepted",
        disposition=disposition,
        is_final=True,
        inspected_at=at(hours),
        **more,
    )


def judged(revision: int, hours: float, *items: facts.InspectedItem, source: Any = "platform") -> Told:
    """A delta of verdicts."""
    return Told(f"judged {hours}", (facts.ItemsInspected(items=items, source=source, **about(hours, revision)),))


def completed(revision: int, hours: float, *items: facts.InspectedItem) -> Told:
    """All verdicts."""
    fact = facts.InspectionCompleted(items=items, source="platform", **about(hours, revision))
    return Told(f"completed {hours}", (fact,))


def issued(refund_id: str, amount: str, revision: int, hours: float, **more: Any) -> facts.RefundIssued:
    """A refund the platform decided."""
    return facts.RefundIssued(
        refund_id=refund_id,
        amount=Decimal(amount),
        currency="GBP",
        executed_by=more.pop("executed_by", "commerce_platform"),
        items=(facts.RefundItem(item_id="item_1", amount=Decimal(amount), quantity=1),),
        **about(hours, revision),
        **more,
    )


def failed(refund: facts.RefundIssued, code: str, hours: float, revision: int) -> Told:
    """A failure tells its refund first, as the normaliser does."""
    told = replace(refund, revision=revision)
    failure = facts.RefundFailed(refund_id=refund.refund_id, code=code, **about(hours, revision))
    return Told(f"failed {code} {hours}", (told, failure))


def read(hours: float, *, quantity: int = 2, refunds: Sequence[tuple[str, str]] = (), **more: Any) -> Told:
    """The order as it was read."""
    net = Decimal(25) * quantity
    lines = tuple(
        facts.OrderLineSnapshot(
            line_id=number,
            kind="item",
            name="Shirt",
            quantity=quantity,
            net=net,
            taxes=(facts.TaxShare(rate_id="1", amount=net / 5),),
            sku=f"SKU-{number}",
            product_id=f"50{number}",
            reduced_stock=quantity,
        )
        for number in ("1", "2")
    )
    snapshot = facts.OrderSnapshot(
        order_id="9001",
        number="9001",
        status=more.pop("status", "completed"),
        currency="GBP",
        total=net * 2 + net * 2 / 5,
        lines=lines,
        refunds=tuple(
            facts.RemoteRefund(refund_id=name, amount=Decimal(amount), currency="GBP", created_at=at(5))
            for name, amount in refunds
        ),
        placed_at=BEGAN - timedelta(days=5),
        modified_at=at(hours),
        paid_at=BEGAN - timedelta(days=5),
        payment_method="card",
        **more,
    )
    fact = facts.OrderChanged(order_id="9001", snapshot=snapshot, occurred_at=at(hours))
    return Told(f"order {hours}", (fact,), read_at=at(hours))


def one(fact: facts.Fact) -> Told:
    """An event of one fact."""
    return Told(f"{type(fact).__name__} {fact.occurred_at:%d %H:%M}", (fact,))


def exchange(hours: float, sku: str, revision: int = 0) -> Told:
    """A replacement asked for."""
    line = facts.ExchangeLine(sku=sku, quantity=1)
    return one(facts.ExchangeRequested(exchange_id="exc_1", lines=(line,), **about(hours, revision)))


def credit(hours: float, amount: str) -> Told:
    """Store credit granted."""
    fact = facts.CreditIssued(
        credit_id="crd_1", kind="store_credit", amount=Decimal(amount), currency="GBP", **about(hours)
    )
    return one(fact)


LARGE = facts.ExchangeLine(sku="SKU-L", quantity=1)
FIRST = issued("rfd_1", "30.00", 4, 20)
STORIES: tuple[Told, ...] = (
    seen(1, 0, item("item_1")),
    seen(2, 1, item("item_1"), item("item_2")),
    seen(3, 2, item("item_1", 2), item("item_2"), status="received"),
    seen(3, 2, item("item_1", 1), item("item_2")),
    seen(3, 3, item("item_2", reason_code="NEW")),
    seen(9, 30, item("item_1"), item("item_2"), status="inspected"),
    one(facts.ReturnRequested(**about(0))),
    one(facts.ReturnRequested(**about(0.5))),
    one(facts.ReturnAuthorised(**about(1))),
    one(facts.ReturnClosed(**about(60))),
    one(facts.ReturnCancelled(reason_code="", reason_text="kept it", **about(40))),
    one(facts.ReturnCancelled(reason_code="changed_mind", **about(41))),
    one(facts.ReturnDeclined(reason_code="late", **about(40))),
    one(facts.ReturnExpired(**about(39))),
    one(facts.ParcelLabelled(parcel_id="p1", carrier="Post", tracking_number="T1", **about(4))),
    one(facts.ParcelInTransit(parcel_id="p1", carrier="Post", tracking_number="T1", **about(6))),
    one(facts.ParcelInTransit(parcel_id="p2", **about(5))),
    one(facts.ParcelDelivered(parcel_id="p1", carrier="Post", tracking_number="T1", **about(8))),
    one(facts.ParcelReceived(parcel_id="p1", **about(9))),
    judged(3, 10, verdict("item_1", 1, "sellable", 10)),
    judged(3, 10.1, verdict("item_1", 2, "sellable", 10)),
    judged(4, 11, verdict("item_1", 1, "damaged", 11), verdict("item_2", 1, "sellable", 11)),
    judged(0, 12, verdict("item_2", 1, "sellable", 12), source="warehouse"),
    completed(4, 12, verdict("item_1", 1, "sellable", 10), verdict("item_2", 1, "damaged", 12)),
    completed(4, 13, verdict("item_1", 1, "sellable", 10), verdict("item_2", 1, "sellable", 12)),
    completed(3, 14, verdict("item_1", 1, "damaged", 14)),
    one(
        facts.ItemsInspected(
            items=(verdict("item_2", 1, "quarantine", 13),), source="platform", is_all_of_items=True, **about(13, 4)
        )
    ),
    one(
        facts.InspectionCompleted(
            items=(verdict("item_1", 1, "damaged", 9),), source="platform", is_all_of_items=True, **about(9, 4)
        )
    ),
    Told("refund", (FIRST,)),
    Told("refund again", (issued("rfd_1", "30.00", 4, 26),)),
    Told("refund, later revision", (issued("rfd_1", "30.00", 8, 20),)),
    Told("refund, other amount", (issued("rfd_1", "25.00", 6, 22),)),
    Told("refund, other amount, same revision", (issued("rfd_1", "28.00", 4, 20),)),
    Told("refund, paid outside", (issued("rfd_1", "30.00", 5, 21, executed_by="returns_platform"),)),
    Told("second refund", (issued("rfd_2", "10.00", 7, 23),)),
    failed(FIRST, "account_closed", 24, 5),
    failed(FIRST, "bank_away", 24, 5),
    failed(FIRST, "again", 28, 9),
    one(facts.RiskHoldPlaced(risk_id="rsk_1", **about(2))),
    one(facts.RiskHoldReleased(risk_id="rsk_1", **about(3))),
    one(facts.RiskHoldPlaced(risk_id="rsk_1", **about(4))),
    one(facts.RiskHoldPlaced(risk_id="rsk_2", kind="manual", **about(4))),
    one(facts.RiskHoldReleased(risk_id="rsk_2", **about(4))),
    one(facts.RiskCharge(risk_id="rsk_3", stage="charged", kind="not_returned", amount=Decimal("9.00"), **about(50))),
    one(facts.RiskCharge(risk_id="rsk_3", stage="charged", kind="not_returned", amount=Decimal("8.00"), **about(50))),
    one(facts.RiskCharge(risk_id="rsk_3", stage="reversed", kind="not_returned", **about(55))),
    exchange(15, "SKU-L"),
    exchange(16, "SKU-XL"),
    exchange(17, "SKU-L"),
    one(facts.ExchangeCancelled(exchange_id="exc_1", **about(18))),
    one(facts.ExchangeCancelled(exchange_id="exc_1", **about(14))),
    *(
        one(facts.ExchangeRequested(exchange_id="exc_2", lines=(LARGE,), is_wish=True, **about(hours)))
        for hours in (15, 17, 19)
    ),
    one(
        facts.ExchangeRequested(
            exchange_id="exc_2", lines=(LARGE,), is_wish=True, made_after=NOW + timedelta(hours=17), **about(20)
        )
    ),
    one(facts.ExchangeRequested(exchange_id="exc_2", lines=(LARGE,), is_wish=True, is_repeat=True, **about(21))),
    *(one(facts.ExchangeCancelled(exchange_id="exc_2", is_wish=True, **about(hours))) for hours in (16, 18)),
    credit(19, "30.00"),
    credit(20, "20.00"),
    credit(20, "21.00"),
    read(1),
    read(15, refunds=[("901", "5.00")]),
    read(16, refunds=[("902", "7.00")]),
    read(25, quantity=1),
    read(26, status="trash", is_gone=True),
)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Nothing of one example reaches the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def live_route() -> Route:
    """A live route with everything mapped."""
    route: Route = RouteFactory(live=True)
    ReasonMappingFactory(connection=route.platform, source_code="SIZE")
    for disposition in states.DISPOSITIONS:
        route.disposition_mappings.create(disposition=disposition, location=LocationFactory())
    return route


def tell(route: Route, told: Told) -> None:
    """As the inbox does: all facts of one event in one go."""
    connection: Connection = route.platform
    moment = NOW
    if told.read_at is not None:
        assert route.commerce is not None
        connection, moment = route.commerce, told.read_at
    apply_facts(connection=connection, new_facts=told.facts, at=moment)


def story(route: Route, events: Sequence[Told], *, is_planned_each_time: bool) -> dict[str, Any]:
    """Tell all, plan, and look at everything that may matter."""
    for told in events:
        tell(route, told)
        if is_planned_each_time:
            for rma in ReturnAuthorisation.objects.filter(is_dirty=True):
                replan(rma_id=rma.pk, at=NOW)
    found = ReturnAuthorisation.objects.filter(external_id=RETURN_ID).first()
    if found is None:
        return {"orders": orders(route)}
    replan(rma_id=found.pk, at=NOW)
    rma = ReturnAuthorisation.objects.get(pk=found.pk)
    return {"return": header(rma), "orders": orders(route), "plan": planned(rma), **hanging_on(rma), **outcome(rma)}


HEADER = [
    "number",
    "revision",
    "content_rank",
    "status",
    "mode",
    "resolution",
    "order_external_id",
    "customer_email",
    "currency",
    "totals",
    "risks",
    "is_on_risk_hold",
    "end_status",
    "ended_at",
    "end_reason",
    "requested_at",
    "authorised_at",
    "in_transit_at",
    "delivered_at",
    "received_at",
    "inspecting_at",
    "inspected_at",
    "closed_at",
    "return_by_at",
    "next_look_at",
]
LINE = [
    "external_id",
    "order_line_external_id",
    "order_line__external_id",
    "sku",
    "quantity",
    "reason__code",
    "reason_source_code",
    "is_withdrawn",
]
PARCEL = ["external_id", "carrier", "tracking_number", "labelled_at", "in_transit_at", "delivered_at", "received_at"]
INSPECTION = [
    "identity",
    "line__external_id",
    "item_external_id",
    "source",
    "revision",
    "is_absolute",
    "is_superseded",
    "quantity",
    "outcome",
    "disposition",
    "is_final",
    "inspected_at",
]
PAYOUT = [
    "external_id",
    "revision",
    "content_hash",
    "amount",
    "executed_by",
    "items",
    "issued_at",
    "failed_at",
    "failure_code",
    "failure_text",
]
CREDIT = ["external_id", "kind", "amount", "bonus", "currency", "executed_by", "issued_at"]
EXCHANGE = [
    "external_id",
    "lines",
    "is_instant",
    "price_difference",
    "commerce_order_id",
    "requested_at",
    "cancelled_at",
    "wished_at",
    "unwished_at",
]
ORDER = ["external_id", "status", "total", "is_gone", "modified_at", "read_at", "fingerprint"]
EFFECT = [
    "key",
    "kind",
    "state",
    "origin",
    "payload",
    "holds",
    "amount",
    "currency",
    "quantity",
    "item_external_id",
    "generation",
    "deadline_at",
]


def rows(queryset: Any, fields: list[str]) -> list[str]:
    """Rows without their numbers, in an order of their own."""
    return sorted(repr(row) for row in queryset.values_list(*fields))


def header(rma: ReturnAuthorisation) -> dict[str, Any]:
    """The return's own fields."""
    return {name: getattr(rma, name) for name in HEADER} | {"is_linked": rma.order_id is not None}


def hanging_on(rma: ReturnAuthorisation) -> dict[str, Any]:
    """Everything that belongs to the return; lines only an old revision named never count."""
    return {
        "lines": rows(rma.lines.filter(is_withdrawn=False), LINE),
        "parcels": rows(rma.parcels, PARCEL),
        "inspections": rows(rma.inspections, INSPECTION),
        "payouts": rows(rma.platform_refunds, PAYOUT),
        "credits": rows(rma.credits, CREDIT),
        "exchanges": rows(rma.exchanges, EXCHANGE),
    }


def orders(route: Route) -> dict[str, Any]:
    """The order, its present lines, and the refunds that stand."""
    assert route.commerce is not None
    found: dict[str, Any] = {"orders": rows(route.commerce.orders, ORDER)}
    for order in route.commerce.orders.all():
        found["lines"] = rows(order.lines.filter(is_removed=False), ["external_id", "quantity", "net", "taxes"])
        found["refunds"] = rows(order.refunds.filter(vanished_at=None), ["external_id", "amount", "origin"])
    return found


def planned(rma: ReturnAuthorisation) -> Any:
    """The plan of the view, before anything of it is in the table."""
    if rma.policy is None:
        return None  # nobody described the return yet
    view = replace(view_of(rma), effects=())
    return plan(view, parse_policy(rma.policy.document), NOW)


def outcome(rma: ReturnAuthorisation) -> dict[str, Any]:
    """Effects that stand, and open cases."""
    standing = rma.effects.exclude(state=states.EFFECT_CANCELLED)
    return {
        "effects": rows(standing, EFFECT),
        "cases": rows(ExceptionCase.objects.active(), ["kind_code", "fingerprint", "cause", "money_at_risk"]),
    }


@st.composite
def two_tellings(draw: st.DrawFn) -> tuple[list[Told], list[Told]]:
    """The same events, once each as listed, and shuffled with some of them doubled."""
    described = draw(st.sampled_from([told for told in STORIES if isinstance(told.facts[0], facts.ReturnSeen)]))
    others = draw(st.lists(st.sampled_from(STORIES), min_size=2, max_size=12, unique_by=id))
    chosen = [described, *others]
    doubled = draw(st.lists(st.sampled_from(chosen), max_size=4))
    return chosen, draw(st.permutations([*chosen, *doubled]))


def assert_same(left: dict[str, Any], right: dict[str, Any]) -> None:
    """Part by part, so that a difference is readable."""
    assert left.keys() == right.keys()
    for name in left:
        assert left[name] == right[name], name


@pytest.mark.requirement("S4-22")
@pytest.mark.parametrize("is_planned_each_time", [False, True])
def test_any_order_and_any_duplication_leave_the_same_rows_plan_effects_and_cases(is_planned_each_time: bool) -> None:
    route = live_route()

    # Stories in a database shrink for minutes; the names of what was told say enough.
    @settings(suppress_health_check=[HealthCheck.too_slow], phases=[Phase.reuse, Phase.generate], max_examples=EXAMPLES)
    @given(two_tellings())
    def check(tellings: tuple[list[Told], list[Told]]) -> None:
        plain, shuffled = tellings
        with rolled_back():
            expected = story(route, plain, is_planned_each_time=False)
        note(" | ".join(told.name for told in shuffled))
        with rolled_back():
            assert_same(expected, story(route, shuffled, is_planned_each_time=is_planned_each_time))

    check()


def test_the_whole_story_backwards_is_the_same_story() -> None:
    route = live_route()
    with rolled_back():
        expected = story(route, STORIES, is_planned_each_time=False)
    with rolled_back():
        assert_same(expected, story(route, STORIES[::-1], is_planned_each_time=True))
    # What the highest statements say, so that "the same" is not merely "equally wrong".
    assert expected["return"]["revision"] == 9
    assert expected["return"]["status"] == states.EXPIRED
    assert expected["return"]["is_on_risk_hold"]
    assert "Decimal('30.0000'), 'commerce_platform'" in expected["payouts"][0]


def test_told_twice_changes_nothing_more() -> None:
    route = live_route()
    for told in STORIES:
        with rolled_back():
            once = story(route, [told], is_planned_each_time=True)
        with rolled_back():
            assert_same(once, story(route, [told, told], is_planned_each_time=True))
