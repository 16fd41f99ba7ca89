"""ReBound read and heard: of one unit the newest verdict counts, once, however often and in whatever order it comes."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.ports import Payload
from connectors.rebound.connector import default_mapping
from connectors.rebound.normalise import normalise
from connectors.reveni.samples import sample_event
from returnsops import facts
from returnsops.models import Inspection, ReturnAuthorisation
from returnsops.services.apply_facts import apply_facts
from tests.factories import NOW, ConnectionFactory

pytestmark = pytest.mark.django_db

WORDS = {"A": "sellable", "B": "damaged", "C": "quarantine"}
MAPPING: dict[str, Any] = {**default_mapping(), "values": {"resolution": {"Refund": "refund"}, "disposition": WORDS}}
# Each is some dozens of queries; `make prove` asks for more.
EXAMPLES = 20 if settings().derandomize else settings().max_examples
# How and when it is told (a minute each), and the word: None is a reading without one.
TOLD = st.lists(
    st.tuples(st.booleans(), st.integers(1, 30), st.sampled_from([None, *WORDS])),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one[1],
)


def read(word: str | None, minute: int, before: Any) -> tuple[facts.Fact, ...]:
    """What a reading of V1 tells after the one before."""
    made = normalise(payload("pull.return", {"return": shown(word)}, minute, before))
    assert made.problems == ()
    return made.facts


def shown(word: str | None) -> dict[str, Any]:
    """The return as V1 shows it."""
    item = {"sku_code": "TEE", "quantity": "1", "final_disposition": word, "reason": [{"wish": "Refund"}]}
    return {"id": "7", "display_id": "RB-7", "order_reference": "1", "date_added": "2026-05-01", "item": [item]}


def payload(topic: str, document: Any, minute: int, before: Any = None) -> Payload:
    """A stored body."""
    at = NOW + timedelta(minutes=minute)
    return Payload(topic=topic, document=document, received_at=at, account="rb", mapping=MAPPING, previous=before)


def heard(word: str, minute: int) -> tuple[facts.Fact, ...]:
    """The same by a middleware, which has an id and a revision of its own."""
    item = {"id": "line-1", "sku": "TEE", "quantity": 1, "resolution": "refund"}
    at = NOW + timedelta(minutes=minute)
    event = sample_event("return.item_inspected", return_id="7", items=[item], at=at, revision=minute)
    row = {"item_id": "line-1", "quantity": 1, "outcome": "accepted", "disposition": WORDS[word]}
    event["data"]["items"] = [{**row, "disposition_final": True}]
    made = normalise(payload("return.item_inspected", event, 60))
    assert made.problems == ()
    return made.facts


def told(story: list[tuple[bool, int, str | None]]) -> tuple[list[tuple[facts.Fact, ...]], str | None]:
    """The facts of each message in the order of their times, and the word that holds at the end."""
    found: list[tuple[facts.Fact, ...]] = []
    last: str | None = None
    before: str | None = None
    for is_heard, minute, word in sorted(story, key=lambda one: one[1]):
        if is_heard and word is not None:
            found.append(heard(word, minute))
            last = word
            continue
        found.append(read(word, minute, {"return": shown(before)}))
        last = word if word or before else last  # what V1 never showed it does not take back
        before = word
    return found, last


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(story=TOLD, data=st.data())
def test_one_unit_has_the_newest_verdict_once(story: list[tuple[bool, int, str | None]], data: st.DataObject) -> None:
    messages, word = told(story)
    with transaction.atomic():
        connection = ConnectionFactory(vendor="rebound")
        for message in data.draw(st.permutations([*messages, *messages])):
            apply_facts(connection=connection, new_facts=message, at=NOW)
        rows = Inspection.objects.filter(is_superseded=False, quantity__gt=0)
        assert [(row.quantity, row.disposition) for row in rows] == ([(1, WORDS[word])] if word else [])
        (line,) = ReturnAuthorisation.objects.get().lines.all()
        assert (line.external_id, line.quantity, line.is_withdrawn) == ("7:TEE:1", 1, False)
        transaction.set_rollback(True)
