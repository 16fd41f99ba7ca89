"""The inbox: one row per delivery, one worker per event, nothing lost, nothing in the way of others."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections

from connectors import inbox, ports
from connectors.reveni.samples import sample_event
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, InboundEvent, ReturnAuthorisation
from tests.factories import NOW, ConnectionFactory, InboundEventFactory

MINUTE = timedelta(minutes=1)


@pytest.fixture
def platform(db: None) -> Connection:
    """A platform without a route: its returns are stored and wait."""
    made: Connection = ConnectionFactory(platform=True)
    return made


def _told(platform: Connection, *, return_id: str = "ret_1", key: str = "") -> InboundEvent:
    event = sample_event("return.authorised", event_id=key or f"evt_{return_id}", return_id=return_id)
    return inbox.record(
        connection=platform,
        source="webhook",
        topic="return.authorised",
        body=json.dumps(event).encode(),
        at=NOW,
        delivery_key=key or f"evt_{return_id}",
        subject_key=f"return:{return_id}",
    ).event


def _hint(shop: Connection, *, key: str = "order:7") -> inbox.Recorded:
    body = b'{"id": 7}'
    return inbox.record(connection=shop, source="webhook", topic="order.updated", body=body, at=NOW, hint_key=key)


def _poisoned(monkeypatch: pytest.MonkeyPatch, *return_ids: str, error: Exception | None = None) -> None:
    """Normalising these returns fails in our own program, or as the vendor's error."""
    whole = inbox.normalise

    def normalise(event: InboundEvent) -> ports.Normalised:
        if event.subject_key.removeprefix("return:") in return_ids:
            raise error or ZeroDivisionError("a fault of ours")
        return whole(event)

    monkeypatch.setattr(inbox, "normalise", normalise)


# --- recording ----------------------------------------------------------------------------------------------------


def test_a_repeated_delivery_key_is_counted_and_keeps_the_first_body(platform: Connection) -> None:
    first = _told(platform)
    again = inbox.record(
        connection=platform, source="webhook", topic="x", body=b"other", at=NOW, delivery_key=first.delivery_key
    )
    assert (again.is_duplicate, again.event.pk) == (True, first.pk)
    first.refresh_from_db()
    assert first.duplicate_count == 1
    assert b"return.authorised" in bytes(first.body)


def test_the_same_key_at_another_connection_is_another_delivery(platform: Connection) -> None:
    first = _told(platform)
    assert _told(ConnectionFactory(platform=True)).pk != first.pk


def test_deliveries_without_a_key_are_never_merged(platform: Connection) -> None:
    for _ in range(2):
        recorded = inbox.record(connection=platform, source="webhook", topic="x", body=b"{}", at=NOW)
        assert not recorded.is_duplicate
    assert InboundEvent.objects.count() == 2


def test_a_hint_is_merged_until_somebody_looks_and_kept_from_then_on(platform: Connection) -> None:
    first = _hint(platform)
    assert _hint(platform).event.pk == first.event.pk
    assert inbox.claim(event_id=first.event.pk, at=NOW)
    later = _hint(platform)  # it may tell of a change newer than the reading that is under way
    assert not later.is_duplicate
    assert later.event.pk != first.event.pk
    assert _hint(platform, key="order:8").event.pk not in (first.event.pk, later.event.pk)


def test_a_hint_whose_rival_is_taken_up_at_that_moment_is_stored(
    platform: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = _hint(platform).event
    whole, asked = inbox._known, []

    def known(connection: Connection, **keys: str) -> InboundEvent | None:
        asked.append(keys)
        if len(asked) == 1:
            return None  # not there yet when we looked first
        inbox.claim(event_id=rival.pk, at=NOW)
        return whole(connection, **keys)

    monkeypatch.setattr(inbox, "_known", known)
    recorded = _hint(platform)
    assert (recorded.is_duplicate, recorded.event.pk == rival.pk) == (False, False)


def test_a_delivery_that_cannot_be_stored_is_an_error_the_sender_sees(
    platform: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_inserted", lambda row: False)
    with pytest.raises(IntegrityError, match="sent again"):
        _hint(platform)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keys", [{"delivery_key": "evt_1"}, {"hint_key": "order:7"}])
def test_twenty_at_once_are_one_row(keys: dict[str, str]) -> None:
    platform = ConnectionFactory(platform=True)

    def store(_: int) -> bool:
        try:
            return inbox.record(
                connection=platform, source="webhook", topic="x", body=b"{}", at=NOW, **keys
            ).is_duplicate
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(store, range(20)))
    assert sorted(found) == [False] + [True] * 19
    assert InboundEvent.objects.get().duplicate_count == 19


# --- claiming -----------------------------------------------------------------------------------------------------


def test_only_one_worker_has_an_event(platform: Connection) -> None:
    event = _told(platform)
    assert inbox.claim(event_id=event.pk, at=NOW)
    assert inbox.claim(event_id=event.pk, at=NOW + MINUTE) == ""
    assert inbox.process_due(at=NOW + MINUTE) == 0


def test_a_lapsed_claim_is_taken_over_and_the_late_worker_changes_nothing(platform: Connection) -> None:
    event = _told(platform)
    late = inbox.claim(event_id=event.pk, at=NOW)
    after = NOW + timedelta(seconds=inbox.CLAIM_S + 1)
    assert inbox.process_due(at=after) == 1
    inbox.process_claimed(event_id=event.pk, token=late, at=after)
    event.refresh_from_db()
    assert (event.state, event.attempts, event.processed_at) == (states.EVENT_PROCESSED, 2, after)
    assert ReturnAuthorisation.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_eight_workers_process_each_event_once() -> None:
    platform = ConnectionFactory(platform=True)
    for number in range(12):
        _told(platform, return_id=f"ret_{number}")

    def work(_: int) -> int:
        try:
            return inbox.process_due(at=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=8) as pool:
        taken = sum(pool.map(work, range(8)))
    while inbox.process_due(at=NOW + timedelta(hours=1)):
        pass
    assert taken == 12
    assert set(InboundEvent.objects.values_list("state", "attempts")) == {(states.EVENT_PROCESSED, 1)}
    assert ReturnAuthorisation.objects.count() == 12


def test_an_event_over_which_every_worker_dies_is_parked(platform: Connection) -> None:
    event, moment = _told(platform), NOW
    for _ in range(inbox.MAX_ATTEMPTS):
        assert inbox.claim(event_id=event.pk, at=moment)  # and the worker is killed
        moment += timedelta(seconds=inbox.CLAIM_S + 1)
    assert inbox.process_due(at=moment) == 1
    event.refresh_from_db()
    assert event.state == states.EVENT_PARKED
    assert ExceptionCase.objects.active().get().kind_code == states.CASE_EVENT_PARKED


# --- poison -------------------------------------------------------------------------------------------------------


def _run_to_the_end(*, until: Callable[[], bool]) -> None:
    moment = NOW
    while not until():
        inbox.process_due(at=moment)
        moment += timedelta(hours=1)
        assert moment < NOW + timedelta(days=2)


def test_a_poison_event_is_retried_with_pauses_then_parked_with_a_case_and_blocks_nobody(
    platform: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, good = _told(platform, return_id="bad"), _told(platform, return_id="good")
    _poisoned(monkeypatch, "bad")

    inbox.process_due(at=NOW)
    good.refresh_from_db()
    poison.refresh_from_db()
    assert good.state == states.EVENT_PROCESSED
    assert (poison.state, poison.outcome) == (states.EVENT_RECEIVED, "ZeroDivisionError while processing")
    assert poison.next_attempt_at == NOW + timedelta(seconds=5)
    assert inbox.process_due(at=NOW + timedelta(seconds=4)) == 0

    _run_to_the_end(until=lambda: InboundEvent.objects.filter(state=states.EVENT_PARKED).exists())
    parked = InboundEvent.objects.get(pk=poison.pk)
    assert (parked.state, parked.attempts, parked.next_attempt_at) == (states.EVENT_PARKED, inbox.MAX_ATTEMPTS, None)
    case = ExceptionCase.objects.active().get(kind_code=states.CASE_EVENT_PARKED)
    assert case.subject_id == str(poison.pk)
    assert "a fault of ours" not in case.cause  # texts of errors may hold customer data


def test_a_mended_event_goes_through_and_its_case_closes(platform: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = _told(platform, return_id="bad")
    with monkeypatch.context() as broken:
        _poisoned(broken, "bad")
        _run_to_the_end(until=lambda: InboundEvent.objects.filter(state=states.EVENT_PARKED).exists())
    poison.refresh_from_db()
    later = NOW + timedelta(days=3)
    inbox.reprocess(event=poison, by="olivia", at=later)
    assert inbox.process_due(at=later) == 1
    poison.refresh_from_db()
    assert (poison.state, poison.attempts) == (states.EVENT_PROCESSED, 1)
    assert not ExceptionCase.objects.active().filter(kind_code=states.CASE_EVENT_PARKED).exists()
    assert ReturnAuthorisation.objects.get().external_id == "bad"


def test_a_vendor_that_does_not_answer_is_asked_again(platform: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    event = _told(platform)
    _poisoned(monkeypatch, "ret_1", error=ports.Retryable("The shop is away."))
    inbox.process_due(at=NOW)
    event.refresh_from_db()
    assert (event.state, event.outcome, event.claim_token) == (states.EVENT_RECEIVED, "The shop is away.", "")


@pytest.mark.parametrize("error", [ports.Retryable("The shop is away."), ports.OutcomeUnknown("The answer broke off.")])
def test_an_outage_of_days_parks_nothing(
    platform: Connection, monkeypatch: pytest.MonkeyPatch, error: ports.VendorError
) -> None:
    event, moment, pauses = _told(platform), NOW, []
    with monkeypatch.context() as away:
        _poisoned(away, "ret_1", error=error)
        for _ in range(50):
            assert inbox.process_due(at=moment) == 1
            event.refresh_from_db()
            assert event.next_attempt_at is not None
            pauses.append((event.next_attempt_at - moment).total_seconds())
            moment = event.next_attempt_at
    assert pauses[:9] == [5, 5, 10, 20, 40, 80, 160, 300, 300]
    assert (event.state, event.attempts) == (states.EVENT_RECEIVED, 0)
    assert not ExceptionCase.objects.exists()
    inbox.process_due(at=moment)
    event.refresh_from_db()
    assert (event.state, event.attempts) == (states.EVENT_PROCESSED, 1)


def test_a_vendor_that_asks_to_wait_is_waited_for(platform: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    event = _told(platform)
    _poisoned(monkeypatch, "ret_1", error=ports.RateLimited("Slow down.", after_s=777))
    inbox.process_due(at=NOW)
    event.refresh_from_db()
    assert (event.next_attempt_at, event.attempts) == (NOW + timedelta(seconds=777), 0)


def test_refused_credentials_pause_the_connection_with_one_case_and_keep_the_event(
    platform: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = _told(platform)
    with monkeypatch.context() as revoked:
        _poisoned(revoked, "ret_1", error=ports.AuthFailed("The key was revoked."))
        for hours in range(inbox.MAX_ATTEMPTS * 2):
            inbox.process_due(at=NOW + timedelta(hours=hours))
    platform.refresh_from_db()
    event.refresh_from_db()
    assert (platform.is_paused, platform.pause_reason) == (True, "The key was revoked.")
    assert ExceptionCase.objects.get().kind_code == states.CASE_CONNECTION_AUTH
    assert (event.state, event.attempts) == (states.EVENT_RECEIVED, 0)
    inbox.process_due(at=NOW + timedelta(days=2))
    event.refresh_from_db()
    assert event.state == states.EVENT_PROCESSED


def test_what_the_vendor_refuses_for_good_is_parked(platform: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    event = _told(platform)
    _poisoned(monkeypatch, "ret_1", error=ports.Rejected("There is no such thing.", code="http_400"))
    _run_to_the_end(until=lambda: InboundEvent.objects.filter(state=states.EVENT_PARKED).exists())
    event.refresh_from_db()
    assert (event.attempts, event.outcome) == (inbox.MAX_ATTEMPTS, "There is no such thing.")
    assert ExceptionCase.objects.get().kind_code == states.CASE_EVENT_PARKED


def test_a_wait_of_a_worker_that_lost_its_claim_changes_nothing(
    platform: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = _told(platform)
    late = inbox.claim(event_id=event.pk, at=NOW)
    after = NOW + timedelta(seconds=inbox.CLAIM_S + 1)
    assert inbox.process_due(at=after) == 1
    _poisoned(monkeypatch, "ret_1", error=ports.Retryable("The shop is away."))
    inbox.process_claimed(event_id=event.pk, token=late, at=after)
    event.refresh_from_db()
    assert (event.state, event.attempts, event.next_attempt_at) == (states.EVENT_PROCESSED, 2, None)


def test_only_what_json_can_hold_is_kept(platform: Connection) -> None:
    item = ports.PolledItem(topic="x", body={"total": {1}}, delivery_key="a")
    with pytest.raises(TypeError, match="set in a polled item"):
        inbox.record_polled(connection=platform, item=item, at=NOW)


@pytest.mark.parametrize("body", [b"{not json", b"\xff\xfe", b"[" * 100_000, b""])
def test_what_is_not_json_is_kept_and_becomes_one_case(platform: Connection, body: bytes) -> None:
    row = inbox.record(connection=platform, source="webhook", topic="unreadable", body=body, at=NOW).event
    inbox.process_due(at=NOW)
    row.refresh_from_db()
    assert (row.state, bytes(row.body)) == (states.EVENT_PROCESSED, body)
    inbox.reprocess(event=row, by="olivia", at=NOW)
    inbox.process_due(at=NOW)
    assert ExceptionCase.objects.active().get().kind_code == states.CASE_UNREADABLE_EVENT


def test_half_an_event_is_never_applied(platform: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    _told(platform)

    def fail(**_: Any) -> None:
        raise RuntimeError("between the rows and their mark")

    monkeypatch.setattr(inbox, "close_healed_cases", fail)
    inbox.process_due(at=NOW)
    assert not ReturnAuthorisation.objects.exists()


def test_reprocessing_leaves_an_event_alone_that_is_in_line(platform: Connection) -> None:
    event = _told(platform)
    token = inbox.claim(event_id=event.pk, at=NOW)
    inbox.reprocess(event=event, by="olivia", at=NOW)
    event.refresh_from_db()
    assert event.claim_token == token


def test_the_message_before_is_the_last_processed_one_of_the_same_subject(platform: Connection) -> None:
    key = {"connection": platform, "subject_key": "return:1", "source": "webhook"}
    InboundEventFactory(**key, body=b'{"n": 1}')
    InboundEventFactory(**key, body=b'{"n": 2}')
    InboundEventFactory(**key, body=b'{"n": 3}', state=states.EVENT_PARKED)
    InboundEventFactory(**key | {"subject_key": "return:2"}, body=b'{"n": 4}')
    now = InboundEventFactory(**key, body=b'{"n": 5}', state=states.EVENT_RECEIVED)
    assert inbox._previous(now) == ({"n": 2}, NOW)
    assert inbox._previous(InboundEventFactory(**key | {"subject_key": ""})) == (None, None)
