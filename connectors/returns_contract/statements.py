"""Events of the contract as facts, each held against the contract first. Pure."""

from collections.abc import Sequence

from connectors.ports import Json, Normalised, Problem
from connectors.returns_contract.contract import event_problem
from connectors.returns_contract.events import facts_of
from returnsops import facts, states


def from_events(events: Sequence[Json], *, is_translated: bool, rests_on_order: bool = False) -> Normalised:
    """The facts of the good events; a Problem, once, for what is wrong with the others.

    ``is_translated`` and ``rests_on_order`` are those of ``contract.event_problem``.
    """
    found: list[facts.Fact] = []
    problems: dict[str, Problem] = {}
    for event in events:
        problem = event_problem(event, is_translated=is_translated, rests_on_order=rests_on_order)
        if problem is not None:
            problems.setdefault(problem.text, problem)
            continue
        found += [fact for fact in facts_of(event) if not _is_told(fact, found)]
    return Normalised(facts=tuple(found), problems=tuple(problems.values()))


def unreadable(text: str) -> Normalised:
    """Nothing but the case of a body that cannot be read."""
    return Normalised(problems=(Problem(case_kind=states.CASE_UNREADABLE_EVENT, text=text),))


def _is_told(fact: facts.Fact, found: Sequence[facts.Fact]) -> bool:
    """Events of one body share their snapshot, which is told once."""
    if not isinstance(fact, facts.ReturnSeen):
        return fact in found
    return any(isinstance(known, facts.ReturnSeen) and known.snapshot == fact.snapshot for known in found)
