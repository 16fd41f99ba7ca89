"""Reading orders: a missing one is waited for, a vendor that is away costs time, a fault of ours costs nobody else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, transaction
from django.db.models import QuerySet

from connectors import inbox, ports, reads
from connectors.registry import connector_for
from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import Connection, InboundEvent, Order, ReturnAuthorisation, Route
from returnsops.services import replan as replanning
from returnsops.services.apply_facts import apply_facts
from returnsops.services.replan import replan, replan_due
from returnsops.services.views import view_of
from tests.factories import NOW, ConnectionSecretFactory, OrderFactory, RouteFactory

pytestmark = pytest.mark.django_db

Found = facts.OrderSnapshot | Exception | None
Answers = Callable[[dict[str, Found]], list[str]]


@pytest.fixture
def route(monkeypatch: pytest.MonkeyPatch) -> Route:
    """A live route whose shop can be linked to."""
    made: Route = RouteFactory(live=True)
    monkeypatch.setenv("SHOP_CONSUMER_SECRET", "x")
    ConnectionSecretFactory(connection=made.commerce)
    return made


@pytest.fixture
def shop(route: Route) -> Connection:
    """Its shop."""
    assert route.commerce is not None
    return route.commerce


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Let the shop have these orders; returns the ids it was asked for."""

    def answer(orders: dict[str, Found]) -> list[str]:
        asked: list[str] = []

        def read_order(link: ports.Link, order_id: str) -> facts.OrderSnapshot | None:
            asked.append(order_id)
            found = orders.get(order_id)
            if isinstance(found, Exception):
                raise found
            return found

        connector = replace(connector_for("woocommerce"), read_order=read_order)
        monkeypatch.setattr(reads, "connector_for", lambda vendor: connector)
        return asked

    return answer


def _snapshot(order_id: str) -> facts.OrderSnapshot:
    line = facts.OrderLineSnapshot(line_id="1", kind="item", name="Shirt", quantity=1, net=Decimal(25), sku="TEE")
    return facts.OrderSnapshot(
        order_id=order_id,
        number=order_id,
        status="completed",
        currency="GBP",
        total=Decimal(25),
        lines=(line,),
        refunds=(),
        placed_at=NOW - timedelta(days=2),
        paid_at=NOW - timedelta(days=2),
        modified_at=NOW - timedelta(days=1),
        payment_method="card",
    )


def _return(route: Route, number: int = 1, *, order_id: str = "") -> ReturnAuthorisation:
    """A return that names an order, <number> if not told otherwise, and waits for it."""
    seen = facts.ReturnSeen(
        return_id=f"ret_{number}",
        occurred_at=NOW,
        revision=1,
        snapshot=facts.ReturnSnapshot(
            return_id=f"ret_{number}",
            revision=1,
            status="authorised",
            number=f"RMA-{number}",
            order_id=order_id or str(number),
            created_at=NOW,
            updated_at=NOW,
            currency="GBP",
            items=(facts.ReturnItem(item_id="i", quantity=1, sku="TEE", order_line_id="1", reason_code="SIZE"),),
            mode="on_receipt",
        ),
    )
    (rma_id,) = apply_facts(connection=route.platform, new_facts=[seen], at=NOW).rma_ids
    replan(rma_id=rma_id, at=NOW)
    return ReturnAuthorisation.objects.get(pk=rma_id)


def _read(*, after_s: float = 0) -> int:
    """What is wanted is read, and what follows from it planned, as the workers do."""
    at = NOW + timedelta(seconds=after_s)
    found = reads.read_wanted_orders(at=at)
    replan_due(at=at)
    return found


def _cases() -> list[str]:
    return sorted(ExceptionCase.objects.active().values_list("kind_code", flat=True))


def _next_read(rma: ReturnAuthorisation) -> datetime:
    rma.refresh_from_db()
    assert rma.order_next_read_at is not None
    return rma.order_next_read_at


def test_a_wanted_order_is_read_kept_linked_and_planned(route: Route, answers: Answers) -> None:
    rma = _return(route)
    asked = answers({"1": _snapshot("1")})
    assert (_read(), _read(after_s=7200)) == (1, 0)
    rma.refresh_from_db()
    assert rma.order is not None
    assert (asked, rma.order.external_id, rma.order_next_read_at, rma.is_dirty) == (["1"], "1", None, False)
    kept = InboundEvent.objects.get(source="read")
    assert (kept.topic, kept.subject_key, kept.order_id) == (reads.ORDER_READ_TOPIC, "order:1", rma.order.pk)
    assert inbox.normalise(kept).facts == (
        facts.OrderChanged(order_id="1", snapshot=_snapshot("1"), occurred_at=kept.received_at),
    )


def test_a_missing_order_is_asked_for_with_growing_pauses_and_is_a_case_in_the_end(
    route: Route, answers: Answers
) -> None:
    rma = _return(route)
    asked = answers({})
    moments, moment = [], NOW
    for _ in range(9):
        reads.read_wanted_orders(at=moment)
        moments.append((_next_read(rma) - moment).total_seconds())
        moment = _next_read(rma)
    assert moments == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert (len(asked), states.CASE_ORDER_NOT_FOUND in _cases()) == (9, False)
    assert rma.order_wanted_until_at is not None
    replan_due(at=rma.order_wanted_until_at + timedelta(seconds=1))
    assert states.CASE_ORDER_NOT_FOUND in _cases()

    answers({"1": _snapshot("1")})  # and there it is after all
    reads.read_wanted_orders(at=rma.order_wanted_until_at + timedelta(days=1))
    replan_due(at=rma.order_wanted_until_at + timedelta(days=1))
    assert states.CASE_ORDER_NOT_FOUND not in _cases()


def test_a_deletion_told_before_the_order_was_ever_seen_loses_nothing(
    route: Route, shop: Connection, answers: Answers
) -> None:
    answers({})
    hint = inbox.record(
        connection=shop, source="webhook", topic="order.deleted", body=b'{"id": 1}', at=NOW, hint_key="order:1"
    ).event
    assert inbox.process_due(at=NOW) == 1
    hint.refresh_from_db()
    assert (hint.state, Order.objects.count()) == (states.EVENT_PROCESSED, 0)

    rma = _return(route)
    assert _read() == 0
    assert _next_read(rma) > NOW
    answers({"1": _snapshot("1")})  # restored from the bin
    assert _read(after_s=60) == 1


def test_an_order_that_goes_is_kept_as_gone(shop: Connection, answers: Answers) -> None:
    order = OrderFactory(connection=shop, external_id="1", read_at=NOW - timedelta(days=1))
    answers({})
    inbox.record(
        connection=shop, source="webhook", topic="order.deleted", body=b'{"id": 1}', at=NOW, hint_key="order:1"
    )
    inbox.process_due(at=NOW)
    order.refresh_from_db()
    kept = InboundEvent.objects.get(source="read")
    assert (order.is_gone, kept.topic, kept.order_id) == (True, reads.ORDER_GONE_TOPIC, order.pk)
    assert inbox.normalise(kept).facts == (facts.OrderGone(order_id="1", occurred_at=NOW),)


@pytest.mark.parametrize(
    ("error", "wait_s"),
    [
        (ports.Retryable("The shop is away."), 30),
        (ports.OutcomeUnknown("The answer was cut off."), 30),
        (ports.Rejected("No.", code="no"), 30),
        (ports.RateLimited("Slow down.", after_s=900), 900),
        (ports.RateLimited("Slow down.", after_s=2), 30),
    ],
)
def test_a_shop_that_does_not_answer_is_asked_later(
    route: Route, answers: Answers, error: Exception, wait_s: float
) -> None:
    rma = _return(route)
    answers({"1": error})
    assert _read() == 0
    assert _next_read(rma) == NOW + timedelta(seconds=wait_s)
    assert states.CASE_CONNECTION_AUTH not in _cases()


def test_refused_credentials_pause_the_shop_with_one_case(route: Route, shop: Connection, answers: Answers) -> None:
    waiting = [_return(route, number) for number in (1, 2)]
    answers({"1": ports.AuthFailed("The key was revoked."), "2": ports.AuthFailed("The key was revoked.")})
    assert _read() == 0
    shop.refresh_from_db()
    assert (shop.is_paused, shop.pause_reason) == (True, "The key was revoked.")
    assert _cases().count(states.CASE_CONNECTION_AUTH) == 1
    assert {_next_read(rma) for rma in waiting} == {NOW + timedelta(seconds=30)}


def test_a_fault_of_ours_with_one_return_does_not_stop_the_others(
    route: Route, answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = (_return(route, number) for number in (1, 2))
    answers({"1": ZeroDivisionError("jane@example.com lives in Leeds"), "2": _snapshot("2")})
    assert _read() == 1
    good.refresh_from_db()
    assert good.order is not None
    assert _next_read(bad) == NOW + timedelta(seconds=30)
    assert f"the order of return {bad.pk} could not be read: ZeroDivisionError at test_reads.py" in caplog.text
    assert "Leeds" not in caplog.text


def test_a_vendor_without_orders_says_so(route: Route) -> None:
    with pytest.raises(ports.Rejected, match="reveni has no orders to read"):
        reads.read_order(connection=route.platform, order_id="1", at=NOW)


def test_a_return_that_cannot_be_planned_does_not_stop_the_others(
    route: Route, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = (_return(route, number) for number in (1, 2))
    ReturnAuthorisation.objects.update(is_dirty=True)
    whole = replanning.replan

    def broken(*, rma_id: int, at: datetime) -> object:
        if rma_id == bad.pk:
            raise ZeroDivisionError("jane@example.com lives in Leeds")
        return whole(rma_id=rma_id, at=at)

    with monkeypatch.context() as patched:
        patched.setattr(replanning, "replan", broken)
        assert replan_due(at=NOW, slice_s=-1) == 0  # no time is left: the next time is soon enough
        assert replan_due(at=NOW, limit=1) == 1
    assert list(ReturnAuthorisation.objects.filter(is_dirty=True)) == [bad]
    assert f"return {bad.pk} could not be planned: ZeroDivisionError at" in caplog.text
    assert "Leeds" not in caplog.text
    assert (replan_due(at=NOW), ReturnAuthorisation.objects.filter(is_dirty=True).count()) == (1, 0)
    good.refresh_from_db()
    assert good.planned_at == NOW


@pytest.mark.parametrize("way", ["hint", "wanted"])
def test_an_order_of_several_returns_waits_for_none_that_cannot_be_planned(
    route: Route, shop: Connection, answers: Answers, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    bad, good = (_return(route, number, order_id="7") for number in (1, 2))
    answers({"7": _snapshot("7")})
    whole = view_of

    def broken(rma: ReturnAuthorisation) -> object:
        if rma.pk == bad.pk:
            raise ZeroDivisionError("jane@example.com lives in Leeds")
        return whole(rma)

    later = NOW + timedelta(minutes=1)
    with monkeypatch.context() as patched:
        patched.setattr(replanning, "view_of", broken)
        if way == "hint":
            inbox.record(connection=shop, source="webhook", topic="order.updated", body=b'{"id": 7}', at=later)
            inbox.process_due(at=later)
            replan_due(at=later)
        else:
            _read(after_s=60)
    found = {row.pk: (row.order is not None, row.is_dirty, row.planned_at) for row in _all()}
    assert found == {bad.pk: (True, True, NOW), good.pk: (True, False, later)}
    assert set(InboundEvent.objects.values_list("state", flat=True)) == {states.EVENT_PROCESSED}
    failed = ExceptionCase.objects.active().filter(kind_code=states.CASE_PLANNING_FAILED)
    assert [case.subject_id for case in failed] == [str(bad.pk)]
    assert "ZeroDivisionError at" in failed[0].cause
    assert "Leeds" not in failed[0].cause
    replan_due(at=later)
    assert (failed.all().exists(), _all().filter(is_dirty=True).exists()) == (False, False)


def test_a_database_that_is_away_is_no_fault_of_the_return(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    rma, before = _return(route), _cases()
    ReturnAuthorisation.objects.update(is_dirty=True)

    def away(rma: ReturnAuthorisation) -> object:
        raise OperationalError("database is locked")

    monkeypatch.setattr(replanning, "view_of", away)
    ReturnAuthorisation.objects.update(order=OrderFactory())
    with pytest.raises(OperationalError), transaction.atomic():
        replanning.replan_returns_of_orders(order_ids=Order.objects.values_list("pk", flat=True), at=NOW)
    assert replan_due(at=NOW) == 0
    rma.refresh_from_db()
    assert (rma.is_dirty, _cases()) == (True, before)


def _all() -> QuerySet[ReturnAuthorisation]:
    return ReturnAuthorisation.objects.order_by("pk")


# --- named by its number only -------------------------------------------------------------------------------------


Numbered = Callable[[dict[str, facts.OrderSnapshot], dict[str, str] | None], None]


@pytest.fixture
def numbered(monkeypatch: pytest.MonkeyPatch) -> Numbered:
    """Let the shop have these orders, found by these numbers; None: it cannot look for numbers."""

    def answer(orders: dict[str, facts.OrderSnapshot], numbers: dict[str, str] | None) -> None:
        known = connector_for("woocommerce")
        finder = None if numbers is None else lambda link, number: numbers.get(number)
        connector = replace(known, read_order=lambda link, order_id: orders.get(order_id), find_order=finder)
        monkeypatch.setattr(reads, "connector_for", lambda vendor: connector)

    return answer


def _named(
    route: Route, number: str, *, email: str = "", order_id: str = "", updated_h: int = 0
) -> ReturnAuthorisation:
    """A return whose platform knows the number of its order, and no currency."""
    item = facts.ReturnItem(item_id="i1", sku="TEE", quantity=1)
    snapshot = facts.ReturnSnapshot(
        return_id="r1",
        revision=0,
        status="requested",
        mode="on_receipt",
        order_id="",
        currency="",
        items=(item,),
        created_at=NOW,
        updated_at=NOW + timedelta(hours=updated_h),
        order_number=number,
        customer_email=email,
    )
    fact = facts.ReturnSeen(return_id="r1", revision=0, occurred_at=NOW, snapshot=snapshot)
    apply_facts(connection=route.platform, new_facts=[fact], at=NOW)
    return ReturnAuthorisation.objects.get(external_id="r1")


def test_a_return_is_tied_to_the_order_with_its_number_and_takes_its_currency(route: Route, numbered: Numbered) -> None:
    numbered({"77": replace(_snapshot("77"), number="W-1")}, {"W-1": "77"})
    rma = _named(route, "W-1")
    assert reads.read_wanted_orders(at=NOW) == 1
    rma.refresh_from_db()
    assert (rma.order_external_id, rma.order_number, rma.currency) == ("77", "W-1", "GBP")
    assert rma.order is not None
    again = _named(route, "W-1", updated_h=1)
    assert (again.order_id, again.order_external_id, again.currency) == (rma.order_id, "77", "GBP")


def test_a_return_that_names_another_number_is_read_anew(route: Route, numbered: Numbered) -> None:
    first, second = replace(_snapshot("77"), number="W-1"), replace(_snapshot("78"), number="W-2")
    numbered({"77": first, "78": second}, {"W-1": "77", "W-2": "78"})
    _named(route, "W-1")
    reads.read_wanted_orders(at=NOW)
    changed = _named(route, "W-2", updated_h=1)
    assert (changed.order, changed.order_external_id) == (None, "")
    assert reads.read_wanted_orders(at=NOW) == 1
    changed.refresh_from_db()
    assert changed.order_external_id == "78"


@pytest.mark.parametrize(
    ("asked_by", "bought_by", "is_found"),
    [
        ("pat@example.com", "Pat@Example.com", True),
        ("pat@example.com", "kim@example.com", False),
        ("", "", False),
    ],
)
def test_a_number_is_an_id_only_for_the_shopper_of_that_order(
    route: Route, numbered: Numbered, asked_by: str, bought_by: str, is_found: bool
) -> None:
    numbered({"77": replace(_snapshot("77"), number="W-1", customer_email=bought_by)}, {})
    rma = _named(route, "77", email=asked_by)
    assert reads.read_wanted_orders(at=NOW) == int(is_found)
    rma.refresh_from_db()
    assert (rma.order is not None, rma.order_external_id) == (is_found, "77" if is_found else "")
    assert rma.order_read_tries == int(not is_found)


def test_without_a_way_to_find_numbers_the_number_is_tried_as_the_id(route: Route, numbered: Numbered) -> None:
    numbered({"77": _snapshot("77")}, None)
    _named(route, "77")
    assert reads.read_wanted_orders(at=NOW) == 1
