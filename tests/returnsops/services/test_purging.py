"""Old messages lose customer data and nothing else; replay goes on working."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.replay import replay
from returnsops import states
from returnsops.models import HistoryEntry, InboundEvent
from returnsops.services.purging import Purged, purge_payloads, redacted
from tests.journeys.world import START, World, world

pytestmark = pytest.mark.django_db


def bodies() -> bytes:
    return b"".join(bytes(body) for body in InboundEvent.objects.order_by("pk").values_list("body", flat=True))


def a_finished_return(w: World) -> str:
    return_id = w.ask(w.order((w.product(), 1)), email="pat@example.com")
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00")
    w.settle()
    return return_id


def test_customer_data_goes_and_replay_still_finds_the_same() -> None:
    with world() as w:
        return_id = a_finished_return(w)
        assert b"pat@example.com" in bodies()
        later = w.now() + timedelta(days=1)
        done = purge_payloads(before=later, by="ops", at=later)
        assert done.looked_at == InboundEvent.objects.count()
        assert 0 < done.changed <= done.looked_at
        assert b"pat@example.com" not in bodies()
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()


def test_it_is_noted_once_per_connection_and_repeating_changes_nothing() -> None:
    with world() as w:
        a_finished_return(w)
        later = w.now() + timedelta(days=1)
        first = purge_payloads(before=later, by="ops", at=later)
        before = bodies()
        assert purge_payloads(before=later, by="ops", at=later) == Purged(looked_at=first.looked_at, changed=0)
        assert bodies() == before
        entries = HistoryEntry.objects.filter(act="payloads_purged")
        assert {entry.by for entry in entries} == {"ops"}
        assert entries.count() == len({entry.subject_id for entry in entries})


def test_a_dry_run_counts_and_changes_nothing() -> None:
    with world() as w:
        a_finished_return(w)
        before = bodies()
        later = w.now() + timedelta(days=1)
        assert purge_payloads(before=later, by="ops", at=later, is_dry_run=True).changed > 0
        assert bodies() == before
        assert not HistoryEntry.objects.filter(act="payloads_purged").exists()


def test_young_and_unprocessed_messages_are_left_alone() -> None:
    with world() as w:
        a_finished_return(w)
        before = bodies()
        assert purge_payloads(before=START, by="ops", at=w.now()) == Purged(looked_at=0, changed=0)
        InboundEvent.objects.update(state=states.EVENT_RECEIVED)
        assert purge_payloads(before=datetime(2100, 1, 1, tzinfo=UTC), by="ops", at=w.now()).looked_at == 0
        assert bodies() == before


def test_numbers_keep_their_digits() -> None:
    body = b'{"total": 30.10, "rate": 1.000000000000000000001, "n": 5, "email": "pat@example.com"}'
    assert redacted(body) == (
        b'{"total": 30.10, "rate": 1.000000000000000000001, "n": 5, "email": "removed@removed.invalid"}'
    )


def test_bodies_without_customer_data_are_not_touched_and_broken_ones_go_whole() -> None:
    assert redacted(b'{ "id":1 }') == b'{ "id":1 }'
    assert redacted(b"Pat, High St 1") == b"[removed]"
    assert redacted(b"[removed]") == b"[removed]"
    assert redacted(json.dumps({"name": "\u00e9"}).encode()) == b'{"name": "\\u00e9"}'
