"""Cases about what came in: one each, closed when the event no longer complains."""

import pytest

from connectors import ports, problems
from exceptions_queue.models import ExceptionCase
from returnsops import states
from tests.factories import NOW, InboundEventFactory

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
    problems.close_healed_cases(event=event, problems=[problem], at=NOW)
    assert _active() == [states.CASE_EVENT_PARKED, states.CASE_UNMAPPED_EVENT]
    problems.close_healed_cases(event=event, problems=[], at=NOW)
    assert _active() == [states.CASE_EVENT_PARKED]
    assert ExceptionCase.objects.active().get().subject_id == str(other.pk)
