"""Closing by hand, by itself, after a re-check, and opening again."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from exceptions_queue import services
from exceptions_queue.errors import CaseClosedError, CaseError, InvalidInputError, NotAllowedError
from exceptions_queue.models import ExceptionCase, Resolution
from tests.exceptions_queue.conftest import NOW, OpenCase, Shop

LATER = NOW + timedelta(hours=1)


def test_closing_by_hand_keeps_who_when_how_and_why(open_case: OpenCase, clerk: User) -> None:
    case = services.resolve(
        case=open_case(), by=clerk, at=LATER, reason=" Same amount ", resolution=Resolution.NOT_A_PROBLEM
    )
    case.refresh_from_db()
    assert (case.state, case.resolved_by, case.resolved_by_name, case.resolved_at) == (
        "resolved",
        clerk,
        "clerk",
        LATER,
    )
    assert (case.resolution, case.resolution_reason) == ("not_a_problem", "Same amount")


def test_a_snoozed_case_can_be_closed(open_case: OpenCase, clerk: User) -> None:
    case = services.snooze(case=open_case(), by=clerk, at=NOW, until_at=LATER)
    assert services.resolve(case=case, by=clerk, at=NOW, reason="x").snoozed_until_at is None


def test_closing_twice_names_the_first(open_case: OpenCase, clerk: User) -> None:
    case = open_case()
    services.resolve(case=case, by=clerk, at=NOW, reason="x")
    with pytest.raises(CaseClosedError, match="already closed by clerk"):
        services.resolve(case=case, by=clerk, at=LATER, reason="y")


def test_what_may_not_be_closed_by_hand(open_case: OpenCase, clerk: User, hand: User) -> None:
    case = open_case()
    with pytest.raises(InvalidInputError, match="give a reason"):
        services.resolve(case=case, by=clerk, at=LATER, reason=" ")
    with pytest.raises(NotAllowedError):
        services.resolve(case=case, by=hand, at=LATER, reason="x")
    with pytest.raises(InvalidInputError, match="Choose fixed"):
        services.resolve(case=case, by=clerk, at=LATER, reason="x", resolution=Resolution.CAUSE_GONE)
    with pytest.raises(InvalidInputError, match="closes only by one of its actions"):
        services.resolve(case=open_case(kind="outcome_unknown"), by=clerk, at=LATER, reason="x")
    assert ExceptionCase.objects.all().active().count() == 2


def test_closing_by_itself_twice_is_once(open_case: OpenCase) -> None:
    case = services.auto_resolve(case=open_case(), at=NOW)
    services.auto_resolve(case=case, at=LATER)
    case.refresh_from_db()
    assert (case.state, case.resolved_at, case.resolution) == ("auto_resolved", NOW, "cause_gone")
    assert case.events.count() == 2


def test_a_recheck_closes_only_when_the_cause_is_gone(open_case: OpenCase, shop: Shop) -> None:
    case = open_case()
    assert services.recheck(case=case, at=NOW) is False
    shop.is_cause_gone = True
    assert services.recheck(case=case, at=LATER) is True
    case.refresh_from_db()
    assert services.recheck(case=case, at=LATER) is True
    assert [event.act for event in case.events.all()] == ["opened", "rechecked", "auto_resolved"]


def test_a_recheck_needs_a_kind_that_can(open_case: OpenCase, hand: User) -> None:
    with pytest.raises(CaseError, match="cannot be checked again"):
        services.recheck(case=open_case(kind="parcel_odd"), at=NOW)
    with pytest.raises(NotAllowedError):
        services.recheck(case=open_case(), at=NOW, by=hand)


def test_reopening_gives_a_new_deadline_and_is_not_a_regression(open_case: OpenCase, clerk: User) -> None:
    case = services.resolve(case=open_case(), by=clerk, at=NOW, reason="x")
    case = services.reopen(case=case, by=clerk, at=LATER, reason="Too early")
    assert (case.state, case.is_regressed, case.due_at) == ("open", False, LATER + timedelta(hours=4))
    with pytest.raises(CaseError, match="already open"):
        services.reopen(case=case, by=clerk, at=LATER, reason="x")


def test_reopening_is_refused_while_a_newer_case_of_the_problem_is_open(open_case: OpenCase, clerk: User) -> None:
    old = services.auto_resolve(case=open_case(), at=NOW)
    ExceptionCase.objects.filter(pk=old.pk).update(fingerprint="away")
    new = open_case()
    ExceptionCase.objects.filter(pk=old.pk).update(fingerprint=new.fingerprint)
    with pytest.raises(CaseError, match=f"Case {new.pk} is open for the same problem"):
        services.reopen(case=old, by=clerk, at=LATER, reason="x")
