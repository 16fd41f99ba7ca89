"""Cases about what came in: one each, closed when the event no longer complains."""

import pytest

from connectors import ports, problems
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, InboundEvent
from tests.factories import NOW, ConnectionFactory, InboundEventFactory

pytestmark = pytest.mark.django_db


def _active() -> list[str]:
    return sorted(ExceptionCase.objects.active().values_list("kind_code", flat=True))


def test_a_problem_is_one_case_per_event_and_kind_with_its_detail() -> None:
    event = InboundEventFactory()
    for kind in (states.CASE_UNMAPPED_EVENT, states.CASE_UNREADABLE_EVENT, states.CASE_UNMAPPED_EVENT):
        problem = ports.Problem(case_kind=kind, text="A new word.", detail={"errors": ["$.x"]})
        problems.open_problem_case(event=event, problem=problem, at=NOW)
    assert _active() == [states.CASE_UNMAPPED_EVENT, states.CASE_UNREADABLE_EVENT]
    case = ExceptionCase.objects.get(kind_code=states.CASE_UNMAPPED_EVENT)
    assert (case.cause, case.evidence["errors"]) == ("A new word.", ["$.x"])
    assert case.deep_link == f"/admin/returnsops/inboundevent/{event.pk}/change/"


def test_what_an_event_no_longer_complains_of_closes_and_nothing_else() -> None:
    event, other = InboundEventFactory(), InboundEventFactory()
    problem = ports.Problem(case_kind=states.CASE_UNMAPPED_EVENT, text="A new word.")
    problems.open_parked_case(event=event, text="x", at=NOW)
    problems.open_problem_case(event=event, problem=problem, at=NOW)
    problems.open_parked_case(event=other, text="x", at=NOW)
    problems.close_healed_cases(event=event, normalised=ports.Normalised(problems=(problem,)), at=NOW)
    assert _active() == [states.CASE_EVENT_PARKED, states.CASE_UNMAPPED_EVENT]
    problems.close_healed_cases(event=event, normalised=ports.Normalised(), at=NOW)
    assert _active() == [states.CASE_EVENT_PARKED]
    assert ExceptionCase.objects.active().get().subject_id == str(other.pk)


def _reading(connection: Connection, subject_key: str = "return:7") -> InboundEvent:
    return InboundEventFactory(connection=connection, subject_key=subject_key, state=states.EVENT_PROCESSED)


def _says(row: InboundEvent, *words: str) -> None:
    """The subject was read whole and complains of these words."""
    found = tuple(ports.Problem(case_kind=states.CASE_UNMAPPED_EVENT, text=word, standing=word) for word in words)
    for problem in found:
        problems.open_problem_case(event=row, problem=problem, at=NOW)
    problems.close_healed_cases(event=row, normalised=ports.Normalised(problems=found, is_whole=True), at=NOW)


def test_a_word_that_stands_is_one_case_over_all_readings_and_goes_with_the_newest() -> None:
    connection = ConnectionFactory()
    first = _reading(connection)
    _says(first, "BIN", "LATER")
    assert _active() == [states.CASE_UNMAPPED_EVENT] * 2
    second = _reading(connection)
    _says(second, "BIN")
    case = ExceptionCase.objects.active().get()
    assert (case.cause, case.occurrences, case.subject_id) == ("BIN", 2, str(second.pk))
    _says(first, "LATER")  # an older reading, processed again, says nothing of now
    assert ExceptionCase.objects.active().get() == case
    _says(_reading(connection, "return:8"), "BIN")
    assert ExceptionCase.objects.active().count() == 2
    _says(_reading(connection))
    assert ExceptionCase.objects.active().get().subject_label.endswith("return 8")
