"""Everything ReBound tells, as facts: whole returns read from V1, and events of the generic contract. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from connectors.mapping import apply_mapping
from connectors.mapping_validation import mapping_problems
from connectors.ports import Json, Normalised, Payload, Problem
from connectors.rebound.milestones import AUTHORISED, UPDATED, Told, parcels_told, verdicts_told, with_undecided
from connectors.rebound.moments import moment_of
from connectors.rebound.prepared import prepared
from connectors.rebound.webhooks import heard
from connectors.rebound.wishes import as_found, exchanges_told, standing_wishes
from connectors.returns_contract.receiving import TOPIC_PULLED, TOPIC_UNREADABLE
from connectors.returns_contract.statements import from_events, unreadable
from returnsops import states
from returnsops.planning.keys import content_hash

NONE: Final = "none"
MIXED: Final = "mixed"


def normalise(payload: Payload) -> Normalised:
    """What one stored body says. Never raises for what a sender wrote: that becomes a Problem with place and reason."""
    document = payload.document
    if payload.topic == TOPIC_UNREADABLE or not isinstance(document, Mapping):
        return unreadable("ReBound did not give this return, or not as an object. Look at the raw body.")
    if payload.topic != TOPIC_PULLED:
        return heard(payload, document)
    found = document.get("return")
    if not isinstance(found, Mapping):
        return unreadable("The stored body holds no return. Look at the raw body.")
    complaints = mapping_problems(payload.mapping)
    if complaints:
        text = f"The stored mapping of this connection cannot be used: {complaints[0]}"
        return Normalised(problems=(Problem(case_kind=states.CASE_UNMAPPED_EVENT, text=text),))
    return _pulled(payload, found, document.get("tracking"))


def _pulled(payload: Payload, found: Mapping[str, Any], trackings: Json) -> Normalised:
    before = payload.previous.get("return") if payload.previous else None
    document, unclear = prepared(found, previous=before, received_at=payload.received_at)
    mapped = apply_mapping(payload.mapping, document=document, account=payload.account)
    at = payload.received_at
    told, unknown = parcels_told(document, trackings, payload.mapping, received_at=at)
    problems = [*mapped.problems, *unclear, *unknown]
    if mapped.snapshot is None:
        return Normalised(problems=(*problems, _not_whole()))
    earlier = _read_before(before, payload)
    told = [
        *(told or _begun(payload, document)),
        *verdicts_told(mapped.snapshot, earlier, received_at=at),
        *exchanges_told(mapped.snapshot, earlier, received_at=at),
    ]
    snapshot = _completed(mapped.snapshot, payload)
    made = from_events(_events(payload, snapshot, told), is_translated=True, rests_on_order=True)
    every = {problem.text: _standing(problem) for problem in (*problems, *made.problems)}
    standing = standing_wishes(mapped.snapshot, earlier)
    said = tuple(
        as_found(with_undecided(fact, snapshot), standing=standing, before_at=payload.previous_at)
        for fact in made.facts
    )
    return replace(made, facts=said, problems=tuple(every.values()), is_whole=True)


def _standing(problem: Problem) -> Problem:
    """V1 shows the return whole every time, a word without a meaning included: one case for all readings of it."""
    return replace(problem, standing=problem.text) if problem.case_kind == states.CASE_UNMAPPED_EVENT else problem


def _read_before(before: Json, payload: Payload) -> Mapping[str, Any]:
    """The return read before in the words of the mapping in force, {} for the first one."""
    if not isinstance(before, Mapping):
        return {}
    document, _ = prepared(before, previous=None, received_at=payload.received_at)
    return apply_mapping(payload.mapping, document=document, account=payload.account).snapshot or {}


def _not_whole() -> Problem:
    text = 'V1 gives whole returns: the rule that fits must say "emit_from": "snapshot".'
    return Problem(case_kind=states.CASE_UNMAPPED_EVENT, text=text, detail={"where": "rules"})


def _begun(payload: Payload, document: Mapping[str, Any]) -> list[Told]:
    """A return of which no parcel tells anything may be sent back: ReBound has no approval of its own."""
    created_at = moment_of(document.get("created_at"))
    if created_at is None:
        return [Told(type=UPDATED, at=payload.received_at)]
    return [Told(type=AUTHORISED, at=created_at)]


def _completed(snapshot: Mapping[str, Any], payload: Payload) -> dict[str, Json]:
    """What V1 does not give. It has no revision and no time of change: the time of reading orders what was read."""
    items = [{**item, "resolution": item.get("resolution", NONE)} for item in snapshot.get("items", [])]
    wishes = {item["resolution"] for item in items} - {NONE}
    return {
        **{name: value for name, value in snapshot.items() if name not in ("inspections", "exchanges")},
        "items": items,
        "revision": 0,
        "status": states.REQUESTED,
        "resolution": MIXED if len(wishes) > 1 else next(iter(wishes), NONE),
        "updated_at": payload.received_at.isoformat(),
    }


def _events(payload: Payload, snapshot: Mapping[str, Any], told: Sequence[Told]) -> list[Json]:
    """Events of the contract, all with the same snapshot; ids ``pull:<return id>:<hash>``."""
    identity = f"pull:{str(snapshot.get('id'))[:80]}:{content_hash(payload.document)[:16]}"
    return [
        {
            "id": f"{identity}:{number}",
            "type": one.type,
            "timestamp": one.at.isoformat(),
            "schema_version": "1",
            "account": {"id": payload.account},
            "data": {"return": snapshot, **one.block},
        }
        for number, one in enumerate(told)
    ]
