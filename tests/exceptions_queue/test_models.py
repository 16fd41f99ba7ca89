"""What the database itself refuses, and that the record is append-only."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from exceptions_queue.models import AppendOnlyError, CaseEvent, CaseExport, ExceptionCase
from tests.exceptions_queue.conftest import NOW, OpenCase


def test_one_active_case_per_kind_and_fingerprint(open_case: OpenCase) -> None:
    case = open_case()
    twin = ExceptionCase.objects.get(pk=case.pk)
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"assigned_at": NOW},
        {"state": "resolved", "resolved_at": NOW, "resolved_by_name": "clerk", "resolution": "fixed"},
        {"state": "resolved", "resolved_at": NOW, "resolved_by_name": "", "resolution_reason": "x"},
        {"state": "auto_resolved", "resolved_at": NOW, "resolved_by_name": "system", "resolution": ""},
        {"state": "auto_resolved", "resolved_by_name": "system", "resolution": "cause_gone"},
        {"resolved_at": NOW},
        {"resolved_by_name": "clerk"},
        {"state": "snoozed"},
        {"snoozed_until_at": NOW},
        {"snooze_until_money": 1},
        {"currency": ""},
        {"money_at_risk": None},
        {"occurrences": 0},
        {"owner_team": ""},
        {"kind_code": ""},
        {"state": "sleeping"},
    ],
)
def test_half_written_rows_are_refused_by_the_database(open_case: OpenCase, wrong: dict[str, Any]) -> None:
    case = open_case()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExceptionCase.objects.filter(pk=case.pk).update(**wrong)


def test_a_person_assigned_has_a_time(open_case: OpenCase, clerk: User) -> None:
    case = open_case()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExceptionCase.objects.filter(pk=case.pk).update(assigned_to=clerk)


def test_the_timeline_cannot_be_changed_or_deleted(open_case: OpenCase) -> None:
    event = open_case().events.get()
    event.note = "rewritten"
    acts: list[Callable[[], object]] = [event.save, event.delete, lambda: event.save(update_fields=["note"])]
    for act in acts:
        with pytest.raises(AppendOnlyError, match="append-only"):
            act()
    events = CaseEvent.objects.all()
    bulk_acts: list[Callable[[], object]] = [
        events.delete,
        lambda: events.update(note="x"),
        lambda: events.bulk_update([event], ["note"]),
    ]
    for bulk in bulk_acts:
        with pytest.raises(AppendOnlyError):
            bulk()
    assert CaseEvent.objects.get().note == "The order was edited."


def test_a_case_cannot_be_deleted_from_under_its_timeline(open_case: OpenCase) -> None:
    with pytest.raises(ProtectedError):
        open_case().delete()


def test_an_export_record_cannot_be_deleted(clerk: User) -> None:
    export = CaseExport.objects.create(at=NOW, by_user=clerk, view="", row_count=3)
    with pytest.raises(AppendOnlyError):
        export.delete()
    assert str(export) == "3 cases exported by clerk"


def test_an_event_says_who_and_what(open_case: OpenCase) -> None:
    case = open_case()
    with pytest.raises(IntegrityError), transaction.atomic():
        CaseEvent.objects.create(case=case, at=NOW, by_name="", act="note")


def test_questions_about_one_case(open_case: OpenCase) -> None:
    case = open_case()
    assert str(case) == f"Case {case.pk}: Amounts differ"
    assert case.team_title == "Finance"
    assert case.deadline_in_words(NOW + timedelta(hours=6)) == "2 h late"
    assert str(case.events.get()) == "opened by system"


def test_questions_about_many_cases(open_case: OpenCase) -> None:
    small = open_case(fingerprint="small", money_at_risk=1)
    large = open_case(fingerprint="large", money_at_risk=100)
    assert list(ExceptionCase.objects.all().most_urgent_first()) == [large, small]
    assert not ExceptionCase.objects.all().breaching(NOW).exists()
    assert ExceptionCase.objects.all().breaching(NOW + timedelta(hours=4)).count() == 2
    assert ExceptionCase.objects.all().active().count() == 2
    assert not ExceptionCase.objects.all().closed().exists()
