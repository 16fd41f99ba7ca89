"""Stops and pauses: each once, with a reason, in the history."""

from typing import Any

import pytest

from returnsops.models import HistoryEntry, Switch
from returnsops.services import switches, wakeups
from returnsops.services.switches import StopError
from tests import factories as make

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"by": "olivia", "at": make.NOW}


def test_a_second_stop_changes_nothing_and_resume_ends_it() -> None:
    first = switches.stop(scope="all", reason="Prices", **BY)
    again = switches.stop(scope="all", reason="Something else", by="other", at=make.NOW)
    assert again == first
    assert (Switch.objects.get().reason, HistoryEntry.objects.count()) == ("Prices", 1)
    assert switches.is_stopped(scope="all")
    switches.resume(scope="all", reason="Fine", **BY)
    assert not switches.is_stopped(scope="all")
    with pytest.raises(StopError, match="not stopped"):
        switches.resume(scope="all", reason="Fine", **BY)


@pytest.mark.parametrize("scope", ["everything", "connection:none", "route:none", "kind:postcard", "connection", ""])
def test_a_scope_that_does_not_exist_is_refused(scope: str) -> None:
    with pytest.raises(StopError, match="There is no"):
        switches.stop(scope=scope, reason="why", **BY)


def test_scopes_that_exist() -> None:
    route = make.RouteFactory()
    for scope in (f"route:{route.name}", f"connection:{route.commerce.name}", "kind:refund"):
        switches.stop(scope=scope, reason="why", **BY)
    assert Switch.objects.count() == 3


def test_a_reason_is_wanted() -> None:
    with pytest.raises(StopError, match="Give a reason"):
        switches.stop(scope="all", reason="  ", **BY)
    with pytest.raises(StopError, match="Give a reason"):
        switches.pause_connection(connection=make.ConnectionFactory(), reason="", **BY)
    assert HistoryEntry.objects.count() == 0


def test_resuming_wakes_the_pumps(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    monkeypatch.setattr(wakeups, "wake_pump", woken.append)
    connection = make.ConnectionFactory(is_paused=True, pause_reason="key")
    switches.resume_connection(connection=connection, reason="new key", **BY)
    assert woken == [connection.pk]
    with pytest.raises(StopError, match="not paused"):
        switches.resume_connection(connection=connection, reason="new key", **BY)


def test_a_route_is_resumed_once() -> None:
    route = make.RouteFactory(is_paused=True, pause_reason="limit")
    switches.resume_route(route=route, reason="right", **BY)
    route.refresh_from_db()
    assert (route.is_paused, route.pause_reason) == (False, "")
    with pytest.raises(StopError):
        switches.resume_route(route=route, reason="right", **BY)
