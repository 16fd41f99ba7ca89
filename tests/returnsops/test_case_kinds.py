"""Every kind of case that the program can open has an owner, a deadline, a meaning, a fix and something to do."""

from typing import Any

import pytest

from exceptions_queue import kinds
from exceptions_queue.kinds import CaseKind
from returnsops import roles, states

CODES = {name: value for name, value in vars(states).items() if name.startswith("CASE_")}
DOMAIN_PERMISSIONS = {name for given in roles.PERMISSIONS.values() for name in given}


@pytest.fixture(params=sorted(CODES.values()))
def kind(request: pytest.FixtureRequest) -> CaseKind:
    """One registered kind."""
    return kinds.lookup(request.param)


def test_there_are_codes_and_each_is_its_own() -> None:
    assert len(CODES) > 40
    assert len(set(CODES.values())) == len(CODES)


def test_a_kind_is_owned_by_a_team_that_exists(kind: CaseKind) -> None:
    assert kind.owner_team in states.TEAMS
    assert kinds.team_title(kind.owner_team) == states.TEAMS[kind.owner_team]


def test_a_kind_says_what_it_means_and_what_to_do(kind: CaseKind) -> None:
    for text in (kind.title, kind.meaning, kind.likely_cause, *kind.how_to_fix):
        assert text == text.strip()
        assert len(text) > 3
    assert kind.how_to_fix
    assert all(text.endswith((".", "?")) for text in (kind.meaning, *kind.how_to_fix))


def test_a_kind_has_one_deadline(kind: CaseKind) -> None:
    assert (kind.sla_hours is None) != (kind.sla_minutes is None)
    assert 0 < (kind.sla_minutes or 0) / 60 + (kind.sla_hours or 0) <= 24


def test_a_kind_has_a_way_out(kind: CaseKind) -> None:
    """By hand, or by its cause: then somebody can at least ask for another look at once."""
    assert kind.actions
    if not kind.can_be_closed_by_hand:
        assert kind.code in states.PLANNER_CASES or kind.recheck is not None
    if kind.code in states.PLANNER_CASES and not kind.can_be_raised:
        assert kind.action("look_again") is not None
        assert not kind.can_be_closed_by_hand


def test_the_owning_team_may_run_every_action(kind: CaseKind) -> None:
    owned = set(roles.PERMISSIONS[kind.owner_team])
    dead = [action.label for action in kind.actions if action.permission and action.permission not in owned]
    assert dead == [], f"only {kind.owner_team} acts on {kind.code}, and may not do this"


def test_every_action_names_a_permission_that_some_role_has(kind: CaseKind) -> None:
    for action in kind.actions:
        assert callable(action.runner)
        assert not action.permission or action.permission in DOMAIN_PERMISSIONS


def test_no_domain_kind_is_unknown_to_the_states() -> None:
    foreign = {kind.code for kind in kinds.all_kinds()} - set(CODES.values())
    assert not {code for code in foreign if kinds.lookup(code).action("look_again")} - set(CODES.values())


@pytest.mark.parametrize("code", sorted(states.PLANNER_CASES))
def test_a_planner_kind_is_registered(code: str) -> None:
    assert kinds.lookup(code).code == code


def test_the_actions_that_resolve_a_hold_are_there() -> None:
    wanted: dict[str, Any] = {
        states.CASE_REASON_UNMAPPED: "classify_reason",
        states.CASE_REFUNDED_OUTSIDE: "attribute_refund",
        states.CASE_EXECUTOR_UNKNOWN: "decide_executor",
        states.CASE_AMOUNT_MISMATCH: "accept_amount",
        states.CASE_WOULD_OVER_REFUND: "accept_amount",
        states.CASE_OUTSIDE_WINDOW: "waive_hold",
        states.CASE_NEEDS_APPROVAL: "approve",
        states.CASE_MANUAL_EXCHANGE: "settle_exchange",
        states.CASE_MANUAL_CREDIT: "settle_credit",
        states.CASE_EVENT_PARKED: "reprocess",
    }
    assert {code: kinds.lookup(code).action(action) is not None for code, action in wanted.items()} == dict.fromkeys(
        wanted, True
    )
