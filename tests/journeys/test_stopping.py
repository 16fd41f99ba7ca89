"""Sending is stopped and goes on from the screens: nothing leaves meanwhile, nothing is lost or doubled after."""

from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client

from connectors.simulators.faults import Fault, FaultKind
from connectors.simulators.woocommerce.records import Order
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import HistoryEntry, Route, Switch
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """The banner of stops is remembered for some seconds; tests share the clock's start."""
    cache.clear()


def _as(w: World, name: str) -> Client:
    client = Client()
    client.force_login(w.users[name])
    return client


def _judged(w: World, sku: str = "TEE-BLK-M") -> tuple[Order, str]:
    order = w.order((w.product(sku), 2))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00")
    return order, return_id


SCOPES = {
    "all": (),
    "connection:shop": (),
    "route:main": (),
    "kind:refund": (states.RESTOCK,),
    "kind:restock": (states.REFUND,),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_what_is_stopped_stays_and_goes_out_once_when_it_is_resumed(scope: str) -> None:
    with world() as w:
        operations = _as(w, "OPS")
        operations.post("/admin/stop/", {"scope": scope, "reason": "prices look wrong"})
        order, return_id = _judged(w)
        w.settle()
        made = {states.REFUND: w.money_refunds(order), states.RESTOCK: w.restock_records(order)}
        assert {kind for kind, records in made.items() if records} == set(SCOPES[scope])
        waiting = {states.REFUND, states.RESTOCK} - set(SCOPES[scope])
        assert {w.effect(return_id, kind).state for kind in waiting} == {states.READY}
        assert "prices look wrong" in operations.get("/admin/returnsops/route/").content.decode()

        row = Switch.objects.get()
        act = f"/admin/returnsops/switch/{row.pk}/act/resume/"
        operations.post(act, {"why": " "})
        assert Switch.objects.exists()
        operations.post(act, {"why": "they are right"})
        w.settle()
        (refund,) = w.money_refunds(order)
        (restock,) = w.restock_records(order)
        assert (refund.amount, [line.quantity for line in restock.items]) == (Decimal("30.00"), [-1])
        assert {w.effect(return_id, kind).state for kind in (states.REFUND, states.RESTOCK)} == {states.CONFIRMED}
        acts = HistoryEntry.objects.filter(act__startswith="sending_").order_by("pk").values_list("act", "by", "why")
        assert list(acts) == [
            ("sending_stopped", "ops", "prices look wrong"),
            ("sending_resumed", "ops", "they are right"),
        ]


def test_a_stop_pressed_while_a_refund_is_on_its_way_loses_nothing_and_doubles_nothing() -> None:
    with world() as w:
        order, return_id = _judged(w)
        w.shop.faults.script(Fault(kind=FaultKind.LOST_ANSWER, method="POST", path_pattern="/refunds"))
        w.tell()
        w.work()
        _as(w, "OPS").post("/admin/stop/", {"scope": "all", "reason": "the gateway is odd"})
        w.settle()
        # Looking up goes on: what left before the stop is found, and nothing new leaves.
        assert len(w.money_refunds(order)) == 1
        before = w.refund_posts()
        w.settle()
        assert w.refund_posts() == before

        _as(w, "OPS").post("/admin/stop/", {"reason": "fine again"})
        w.settle()
        assert len(w.money_refunds(order)) == 1
        assert len(w.restock_records(order)) == 1
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED


def test_the_limit_per_hour_stops_finance_looks_and_the_rest_goes_out_at_once() -> None:
    with world(policy_tables="[routes.policy.refund.limit_per_hour]\ncount = 2") as w:
        orders = [_judged(w, f"SKU-{number}")[0] for number in range(4)]
        w.settle()
        assert sum(len(w.money_refunds(order)) for order in orders) == 2
        case = ExceptionCase.objects.get(kind_code=states.CASE_REFUND_LIMIT)
        assert case.owner_team == states.FIN
        finance = _as(w, "FIN")
        page = finance.get(f"/admin/exceptions_queue/exceptioncase/{case.pk}/change/").content.decode()
        assert "The refunds are right: send again" in page
        assert f"/admin/returnsops/route/{Route.objects.get().pk}/change/" in page
        assert "is paused: More than 2 refunds" in page

        def send_again(client: Client) -> None:
            client.post(
                f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/resume_route/",
                {"resume_route-reason": "a sale ended"},
            )
            w.settle()

        send_again(_as(w, "CX"))
        assert Route.objects.get().is_paused
        send_again(finance)
        assert [len(w.money_refunds(order)) for order in orders] == [1, 1, 1, 1]
        assert w.open_cases() == []
        assert not Route.objects.get().is_paused


@pytest.mark.parametrize(
    "path",
    [
        "",
        "returnsops/returnauthorisation/",
        "returnsops/effect/",
        "returnsops/order/",
        "returnsops/route/",
        "returnsops/connection/",
        "returnsops/inboundevent/",
        "exceptions_queue/exceptioncase/",
        "reconciliation/finding/",
        "find/?find=nothing-like-this",
    ],
)
def test_the_button_is_on_every_page_of_those_who_may_press_it(path: str) -> None:
    with world() as w:
        assert 'href="/admin/stop/"' in _as(w, "OPS").get(f"/admin/{path}").content.decode()
        if not path.startswith(("returnsops/connection", "returnsops/inboundevent")):
            assert 'href="/admin/stop/"' not in _as(w, "FIN").get(f"/admin/{path}").content.decode()


@pytest.mark.parametrize("data", [{"scope": "kind:postcard", "reason": "why"}, {"scope": "all", "reason": " "}])
def test_a_stop_of_nothing_or_without_a_reason_is_refused(data: dict[str, str]) -> None:
    with world() as w:
        answer = _as(w, "OPS").post("/admin/stop/", data)
        assert (answer.status_code, Switch.objects.count()) == (200, 0)
        assert _as(w, "CX").post("/admin/stop/", {"scope": "all", "reason": "why"}).status_code == 403
        assert Switch.objects.count() == 0
