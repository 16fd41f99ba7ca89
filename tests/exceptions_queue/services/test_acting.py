"""Running the actions of a kind."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from exceptions_queue import kinds, services
from exceptions_queue.errors import CaseClosedError, CaseError, InvalidInputError, NotAllowedError
from exceptions_queue.kinds import CaseAction
from exceptions_queue.models import ExceptionCase
from tests.exceptions_queue.conftest import NOW, OpenCase, Shop, kind_of, user_of

LATER = NOW + timedelta(hours=1)


def record(case: ExceptionCase, by: User | str, **changes: Any) -> str:
    values = {"action_code": "record", "at": LATER, "reason": "Bank", "data": {"amount": "12.50"}}
    return services.run_action(case=case, by=by, **{**values, **changes})


def test_a_resolving_action_acts_closes_and_is_written_down(open_case: OpenCase, clerk: User, shop: Shop) -> None:
    case = open_case()
    assert record(case, clerk) == "Recorded 12.50 as paid."
    assert len(shop.calls) == 1
    case.refresh_from_db()
    assert (case.state, case.resolution, case.resolution_reason) == ("resolved", "action", "Bank")
    event = case.events.get(act="action:record")
    assert event.note == "Recorded 12.50 as paid."
    assert event.detail == {"reason": "Bank", "data": {"amount": "12.50"}}


def test_an_action_that_does_not_resolve_leaves_the_case_open(open_case: OpenCase, clerk: User) -> None:
    case = open_case()
    services.run_action(case=case, action_code="ask", by=clerk, at=LATER)
    case.refresh_from_db()
    assert case.state == "open"
    assert case.events.filter(act="action:ask").count() == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"reason": " "}, "give a reason"),
        ({"data": {}}, "still needs: Amount"),
        ({"data": {"amount": "1", "iban": "x"}}, "does not know the fields iban"),
    ],
)
def test_missing_or_unknown_input_runs_nothing(
    open_case: OpenCase, clerk: User, shop: Shop, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InvalidInputError, match=complaint):
        record(open_case(), clerk, **changes)
    assert shop.calls == []


def test_the_permission_matrix(open_case: OpenCase, clerk: User, hand: User, reader: User, shop: Shop) -> None:
    case = open_case()
    colleague = user_of("colleague", team="Finance", codenames=("view_exceptioncase", "work_exceptioncase"))
    for person in (hand, reader):
        with pytest.raises(NotAllowedError, match="Only Finance can act"):
            record(case, person)
    with pytest.raises(NotAllowedError, match="Your role does not allow"):
        record(case, colleague)
    assert shop.calls == []
    assert record(case, clerk)


def test_unknown_actions_and_closed_cases(open_case: OpenCase, clerk: User, shop: Shop) -> None:
    case = open_case()
    with pytest.raises(CaseError, match="has no action 'explode'"):
        record(case, clerk, action_code="explode")
    services.auto_resolve(case=case, at=NOW)
    with pytest.raises(CaseClosedError, match="already closed by system"):
        record(case, clerk)
    assert shop.calls == []


def act_of(run: Any, **changes: Any) -> None:
    """Register a kind whose one action runs that function."""
    action = CaseAction(code="act", label="Act", run=run, is_resolving=True)
    kinds.register(kind_of(Shop(), code="new", actions=(replace(action, **changes),)))


def test_when_somebody_else_closed_it_meanwhile_the_act_is_rolled_back(open_case: OpenCase, clerk: User) -> None:
    def race(*, case: ExceptionCase, **_: Any) -> str:
        open_case(fingerprint="side effect")
        services.resolve(case=case, by="colleague", at=NOW, reason="first")
        return "done"

    act_of(race)
    case = open_case(kind="new")
    with pytest.raises(CaseClosedError, match="already closed by colleague"):
        services.run_action(case=case, action_code="act", by=clerk, at=LATER)
    assert not ExceptionCase.objects.filter(fingerprint="side effect").exists()
    assert case.events.count() == 1


def test_an_act_that_heals_the_cause_finds_the_case_closed_already(open_case: OpenCase, clerk: User) -> None:
    def heal(*, case: ExceptionCase, at: Any, **_: Any) -> str:
        services.auto_resolve(case=case, at=at)
        return "Healed."

    act_of(heal)
    case = open_case(kind="new")
    assert services.run_action(case=case, action_code="act", by=clerk, at=LATER) == "Healed."
    case.refresh_from_db()
    assert case.state == "auto_resolved"
    assert [event.act for event in case.events.all()] == ["opened", "auto_resolved", "action:act"]


def test_a_failing_act_leaves_no_trace(open_case: OpenCase, clerk: User) -> None:
    def fail(**_: Any) -> str:
        open_case(fingerprint="side effect")
        raise CaseError("The shop said no.")

    act_of(fail)
    case = open_case(kind="new")
    with pytest.raises(CaseError, match="The shop said no"):
        services.run_action(case=case, action_code="act", by=clerk, at=LATER)
    assert not ExceptionCase.objects.filter(fingerprint="side effect").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_remote", [True, False])
def test_only_an_act_that_is_not_remote_runs_inside_a_transaction(open_case: OpenCase, is_remote: bool) -> None:
    seen: list[bool] = []

    def look(**_: Any) -> str:
        seen.append(connection.in_atomic_block)
        return "Looked."

    act_of(look, is_remote=is_remote)
    services.run_action(case=open_case(kind="new"), action_code="act", by="system", at=LATER)
    assert seen == [not is_remote]


@pytest.mark.django_db(transaction=True)
def test_a_recheck_runs_outside_a_transaction(open_case: OpenCase) -> None:
    seen: list[bool] = []

    def look(_case: ExceptionCase) -> bool:
        seen.append(connection.in_atomic_block)
        return False

    kinds.register(kind_of(Shop(), code="new", recheck=look))
    services.recheck(case=open_case(kind="new"), at=LATER)
    assert seen == [False]
