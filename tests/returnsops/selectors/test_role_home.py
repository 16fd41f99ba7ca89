"""Figures of the first page: right, and not counted on every page."""

import pytest
from django.core.cache import cache

from returnsops import states
from returnsops.selectors import role_home
from tests import factories as make

pytestmark = pytest.mark.django_db


def values(user: object) -> dict[str, int]:
    return {card.title: card.value for card in role_home.cards_for(user, now=make.NOW)}  # type: ignore[arg-type]


def test_each_team_has_its_own_figures() -> None:
    agent = make.UserFactory(team="CX")
    make.CaseFactory(assigned_to=agent, assigned_at=make.NOW)
    make.CaseFactory(due_at=make.NOW)
    make.CaseFactory(owner_team="FIN")
    found = values(agent)
    assert (found["My open cases"], found["Unassigned"], found["Late"]) == (1, 1, 1)
    assert "Outcome unknown" not in found
    assert values(make.UserFactory(team="MER"))["Open cases"] == 3


def test_figures_are_counted_at_most_every_twenty_seconds() -> None:
    user = make.UserFactory(team="FIN")
    assert values(user)["Refunds needing a person"] == 0
    make.EffectFactory(state=states.FAILED)
    assert values(user)["Refunds needing a person"] == 0
    cache.clear()
    assert values(user)["Refunds needing a person"] == 1


def test_a_badge_is_counted_once() -> None:
    counts = iter([3, 4])
    assert [role_home.badge("x", lambda: next(counts)) for _ in range(3)] == [3, 3, 3]


def test_every_stop_in_force_is_named() -> None:
    assert role_home.stops_in_force() == ()
    make.SwitchFactory()
    make.SwitchFactory(scope="route:uk", reason="Sale")
    make.ConnectionFactory(name="shop", is_paused=True, pause_reason="Key revoked")
    make.RouteFactory(name="de", is_paused=True, pause_reason="Limit")
    assert role_home.stops_in_force() == ()
    role_home.forget_stops()
    assert role_home.stops_in_force() == (
        "All sending is stopped by olivia: The shop is being moved.",
        "Sending on route uk is stopped by olivia: Sale",
        "Route de is paused: Limit",
        "Connection shop is paused: Key revoked",
    )
