"""Which route sends, and what counts towards its limit of an hour. Stops by people, and what follows: test_pump.py."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.pump import due_effects
from connectors.stops import pause_route, reason_to_stop, refund_limit_reached
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, Effect, HistoryEntry, PolicyVersion, ReturnAuthorisation, Route
from tests.factories import NOW, EffectFactory, ReturnFactory, RouteFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("route", "may_go"),
    [
        ({}, True),
        ({"mode": states.ROUTE_SHADOW}, False),
        ({"mode": states.ROUTE_OFF}, False),
        ({"is_paused": True}, False),
    ],
)
def test_only_a_live_route_that_is_not_paused_sends(route: dict[str, Any], may_go: bool) -> None:
    mine: Route = RouteFactory(live=True)
    effect: Effect = EffectFactory(rma=ReturnFactory(route=mine, is_dirty=False))
    Route.objects.filter(pk=mine.pk).update(**route)
    assert due_effects(connection=effect.connection, at=NOW).exists() is may_go
    assert (reason_to_stop(effect_id=effect.pk) == "") is may_go


def test_a_return_from_before_going_live_is_named_as_the_reason() -> None:
    rma = ReturnFactory(route=RouteFactory(live=True), is_dirty=False, requested_at=NOW - timedelta(days=9))
    Route.objects.filter(pk=rma.route_id).update(live_from=NOW - timedelta(days=1))
    effect: Effect = EffectFactory(rma=rma)
    assert "before its route went live; a person has to release it" in reason_to_stop(effect_id=effect.pk)
    ReturnAuthorisation.objects.filter(pk=rma.pk).update(released_at=NOW, released_by="ops")
    assert reason_to_stop(effect_id=effect.pk) == ""


def test_a_route_is_paused_once_with_one_line_of_history_and_one_case() -> None:
    route: Route = RouteFactory(live=True)
    for text in ("first", "second"):
        pause_route(route=route, reason=text, at=NOW)
    route.refresh_from_db()
    assert (route.is_paused, route.pause_reason) == (True, "first")
    assert HistoryEntry.objects.filter(act="route_paused", subject_id=str(route.pk)).count() == 1
    assert ExceptionCase.objects.filter(fingerprint=f"{states.CASE_REFUND_LIMIT}:{route.name}").count() == 1


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_paused_connection_is_not_even_asked(is_paused: bool) -> None:
    effect: Effect = EffectFactory(state=states.UNKNOWN)
    Connection.objects.filter(pk=effect.connection_id).update(is_paused=is_paused)
    assert due_effects(connection=effect.connection, at=NOW).exists() is not is_paused


def limited(**limit: Any) -> Route:
    route: Route = RouteFactory(live=True)
    PolicyVersion.objects.filter(route=route).update(document={"refund": {"limit_per_hour": limit}})
    return Route.objects.get(pk=route.pk)


def refund(route: Route, amount: str, *, age: timedelta = timedelta(0), **fields: Any) -> Effect:
    sent = {"state": states.CONFIRMED, "first_attempt_at": NOW - age}
    effect: Effect = EffectFactory(rma__route=route, amount=Decimal(amount), **sent | fields)
    return effect


def reached(effect: Effect) -> bool:
    return refund_limit_reached(effect_id=effect.pk, at=NOW) != ""


@pytest.mark.parametrize(
    ("sent", "is_reached"),
    [
        ({"amount": "30.00"}, False),  # exactly the limit may still go
        ({"amount": "30.01"}, True),
        ({"amount": "30.01", "kind": states.STORE_CREDIT}, True),
        ({"amount": "30.01", "state": states.UNKNOWN}, True),
        ({"amount": "30.01", "age": HOUR - timedelta(seconds=1)}, True),
        ({"amount": "30.01", "age": HOUR}, False),
        ({"amount": "30.01", "currency": "EUR"}, False),
        ({"amount": "30.01", "state": states.REJECTED}, False),
    ],
)
def test_the_limit_by_money_counts_what_left_within_the_hour_in_its_currency(
    sent: dict[str, Any], is_reached: bool
) -> None:
    route = limited(money={"GBP": "50.00"})
    refund(route, **sent)
    assert reached(refund(route, "20.00", state=states.SENDING)) is is_reached


def test_another_routes_refunds_and_the_refund_itself_do_not_count() -> None:
    route = limited(money={"GBP": "50.00"})
    refund(limited(money={"GBP": "50.00"}), "50.00")
    assert not reached(refund(route, "50.00", state=states.UNKNOWN))


def test_the_limit_by_count_lets_exactly_so_many_go() -> None:
    route = limited(count=2)
    refund(route, "1.00")
    last = refund(route, "1.00", state=states.SENDING)
    assert not reached(last)
    refund(route, "1.00")
    assert reached(last)
