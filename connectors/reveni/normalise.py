"""Everything Reveni (or the generic returns contract) sends, as facts. Pure: no clock, no database, no HTTP.

Three doors lead into one room: events of the contract, whole returns from the pull API, and messages in the vendor's
own dialect through the stored mapping. All become contract events, are held against the contract, and then are facts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connectors.mapping import apply_mapping
from connectors.mapping_validation import mapping_problems
from connectors.ports import Json, Normalised, Payload, Problem
from connectors.returns_contract.receiving import TOPIC_PULLED, TOPIC_UNREADABLE
from connectors.returns_contract.snapshots import events_of_snapshot
from connectors.returns_contract.statements import from_events, unreadable
from connectors.reveni.dialect import completed_events
from connectors.reveni.shown import shown_facts, whole_of
from returnsops import states

DIALECT_PREFIX: Final = "a2."


def normalise(payload: Payload) -> Normalised:
    """What one stored body says. Never raises for what a sender wrote: that becomes a Problem with place and reason."""
    document = payload.document
    if payload.topic == TOPIC_UNREADABLE or not isinstance(document, Mapping):
        return unreadable("The body is not a JSON object. Look at the raw body, then ask the sender what it is.")
    if payload.topic == TOPIC_PULLED:
        return _pulled(payload, document, previous=payload.previous)
    if payload.topic.startswith(DIALECT_PREFIX):
        return _dialect(payload, document)
    return _with_shown(from_events([document], is_translated=False), [whole_of(document)], payload)


def _pulled(
    payload: Payload, document: Mapping[str, Any], *, previous: Json, is_translated: bool = False
) -> Normalised:
    events = events_of_snapshot(document, previous=previous, account=payload.account, received_at=payload.received_at)
    return _with_shown(from_events(events, is_translated=is_translated), [document], payload)


def _dialect(payload: Payload, document: Mapping[str, Any]) -> Normalised:
    complaints = mapping_problems(payload.mapping)
    if complaints:
        return _unmapped(f"The stored mapping of this connection cannot be used: {complaints[0]}", list(complaints))
    mapped = apply_mapping(payload.mapping, document=document, previous=payload.previous, account=payload.account)
    if mapped.snapshot is not None:
        made = _pulled(payload, mapped.snapshot, previous=_translated_previous(payload), is_translated=True)
    else:
        events = completed_events(mapped)
        made = _with_shown(from_events(events, is_translated=True), [whole_of(event) for event in events], payload)
    wanted = _to_read(payload.mapping, document) if made.problems else {}
    problems = [_with(problem, wanted) for problem in (*mapped.problems, *made.problems)]
    return Normalised(facts=made.facts, problems=tuple(problems), ignored_because=mapped.ignored_because)


def _translated_previous(payload: Payload) -> Json:
    """The message before in the same words as this one; a pulled return needs no translation."""
    if payload.previous is None:
        return None
    return apply_mapping(payload.mapping, document=payload.previous).snapshot or payload.previous


def _to_read(mapping: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, str]:
    """The return to read through the pull API, where the mapping says so: detail key ``read_return``."""
    if mapping.get("fallback", {}).get("missing_items") != "fetch":
        return {}
    data = document.get("data")
    return_id = data.get("resource_id") if isinstance(data, Mapping) else None
    return {"read_return": return_id} if isinstance(return_id, str) and return_id else {}


def _with(problem: Problem, wanted: Mapping[str, str]) -> Problem:
    return Problem(case_kind=problem.case_kind, text=problem.text, detail={**problem.detail, **wanted})


def _with_shown(made: Normalised, wholes: Sequence[Mapping[str, Any]], payload: Payload) -> Normalised:
    """What the return shows of that which we may have told the platform; nothing of a body that gave no fact."""
    if not made.facts:
        return made
    shown = [fact for whole in wholes for fact in shown_facts(whole, settings=payload.settings, at=payload.received_at)]
    return replace(made, facts=(*made.facts, *dict.fromkeys(shown)))


def _unmapped(text: str, complaints: list[str]) -> Normalised:
    detail: dict[str, Any] = {"complaints": complaints}
    return Normalised(problems=(Problem(case_kind=states.CASE_UNMAPPED_EVENT, text=text, detail=detail),))
