"""Assigning, snoozing, waking, noting, reordering."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from exceptions_queue import services
from exceptions_queue.errors import CaseClosedError, InvalidInputError, NotAllowedError
from tests.exceptions_queue.conftest import NOW, OpenCase

LATER = NOW + timedelta(hours=1)


def test_assigning_says_who_and_when_and_is_undone(open_case: OpenCase, clerk: User) -> None:
    case = services.assign(case=open_case(), to=clerk, by=clerk, at=LATER)
    assert (case.assigned_to, case.assigned_at) == (clerk, LATER)
    services.assign(case=case, to=clerk, by=clerk, at=LATER)
    case = services.unassign(case=case, by=clerk, at=LATER)
    assert (case.assigned_to, case.assigned_at) == (None, None)
    services.unassign(case=case, by=clerk, at=LATER)
    assert [(event.act, event.by_user) for event in case.events.all()][1:] == [
        ("assigned", clerk),
        ("unassigned", clerk),
    ]


def test_a_case_is_only_given_to_somebody_who_could_act(open_case: OpenCase, clerk: User, hand: User) -> None:
    case = open_case()
    with pytest.raises(NotAllowedError, match="hand is not in Finance"):
        services.assign(case=case, to=hand, by=clerk, at=LATER)
    with pytest.raises(NotAllowedError, match="Only Finance can act"):
        services.assign(case=case, to=clerk, by=hand, at=LATER)


def test_a_closed_case_says_who_closed_it(open_case: OpenCase, clerk: User) -> None:
    case = open_case()
    services.resolve(case=case, by=clerk, at=NOW, reason="x")
    for act in (services.snooze, services.unsnooze, services.unassign):
        with pytest.raises(CaseClosedError, match=rf"Case {case.pk} was already closed by clerk on 12 Mar 2026 10:00"):
            act(case=case, by=clerk, at=LATER)


def test_a_snoozed_case_wakes_at_its_time_and_not_before(open_case: OpenCase) -> None:
    case = services.snooze(case=open_case(), by="system", at=NOW, until_at=LATER, reason="Waiting")
    assert services.wake_due(LATER - timedelta(seconds=1)) == 0
    assert services.wake_due(LATER) == 1
    assert services.wake_due(LATER) == 0
    case.refresh_from_db()
    assert (case.state, case.snoozed_until_at) == ("open", None)
    assert [event.act for event in case.events.all()] == ["opened", "snoozed", "woken"]


def test_a_case_snoozed_until_it_grows_does_not_wake_by_time(open_case: OpenCase) -> None:
    case = services.snooze(case=open_case(), by="system", at=NOW, until_grows=True)
    assert services.wake_due(NOW + timedelta(days=999)) == 0
    assert case.snooze_until_money == case.money_at_risk
    assert services.unsnooze(case=case, by="system", at=LATER).state == "open"


def test_a_snooze_without_an_end_is_refused(open_case: OpenCase) -> None:
    case = open_case(fingerprint="poor", money_at_risk=None, currency="")
    with pytest.raises(InvalidInputError, match="Say until when"):
        services.snooze(case=case, by="system", at=NOW)
    with pytest.raises(InvalidInputError, match="still to come"):
        services.snooze(case=case, by="system", at=NOW, until_at=NOW)
    with pytest.raises(InvalidInputError, match="no money in this case"):
        services.snooze(case=case, by="system", at=NOW, until_grows=True)
    assert case.events.count() == 1


def test_notes_may_be_left_on_closed_cases_but_not_empty(open_case: OpenCase, hand: User) -> None:
    case = services.auto_resolve(case=open_case(), at=NOW)
    assert services.add_note(case=case, by=hand, at=LATER, text=" Seen. ").note == "Seen."
    with pytest.raises(InvalidInputError):
        services.add_note(case=case, by=hand, at=LATER, text="  ")


def test_waiting_customers_move_up(open_case: OpenCase) -> None:
    waiting = open_case(fingerprint="w", waiting_since_at=NOW)
    other = open_case(fingerprint="o")
    assert services.refresh_priorities(NOW + timedelta(hours=48)) == 1
    assert services.refresh_priorities(NOW + timedelta(hours=48)) == 0
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.priority, other.priority) == (13 + 48 + 30, 13 + 30)
