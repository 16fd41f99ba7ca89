"""Pull instead of guess: a message that says too little is answered by the return itself, read over HTTP."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from connectors import inbox, ports, pulls
from connectors.registry import connector_for
from connectors.simulators.reveni import API_KEY
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, InboundEvent, MappingVersion, ReturnAuthorisation
from returnsops.services.secrets import store_secret
from tests.connectors.reveni.pulling import Running, fill, running
from tests.connectors.reveni.test_normalise import PUBLISHED
from tests.factories import NOW, ConnectionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def there() -> Iterator[Running]:
    """A platform with a pull API."""
    with running() as started:
        yield started


@pytest.fixture
def platform(there: Running) -> Connection:
    """Our connection to it, in its own dialect, of which only the verified part is mapped."""
    made: Connection = ConnectionFactory(
        platform=True,
        base_url=there.link.config.base_url,
        settings={"dialect": "a2", "pull_api": True},
    )
    store_secret(connection=made, name="api_key", value=API_KEY, by="test", at=NOW)
    return made


def _told(platform: Connection, return_id: str) -> InboundEvent:
    """A notice that something about a return changed; what changed, it does not say in words we know."""
    document = {**deepcopy(PUBLISHED), "event": "return.updated"}
    document["data"]["resource_id"] = return_id
    return inbox.record(
        connection=platform,
        source="webhook",
        topic="a2.return.updated",
        body=json.dumps(document).encode(),
        at=NOW,
        delivery_key=f"evt_{return_id}",
        subject_key=f"return:{return_id}",
    ).event


def _processed(event: InboundEvent) -> InboundEvent:
    inbox.process_due(at=NOW)
    event.refresh_from_db()
    return event


def _cases() -> list[str]:
    return sorted(ExceptionCase.objects.active().values_list("kind_code", flat=True))


def test_what_a_message_leaves_out_is_read_from_the_platform(there: Running, platform: Connection) -> None:
    (return_id,) = fill(there, 1)
    event = _processed(_told(platform, return_id))
    assert (event.state, event.outcome, _cases()) == (states.EVENT_PROCESSED, inbox.PULLED, [])

    pulled = InboundEvent.objects.get(source="poll")
    polled = connector_for("reveni").poll
    assert polled is not None
    (item,) = polled(there.link, "").items
    assert (pulled.topic, pulled.delivery_key, pulled.subject_key) == (
        "pull.return",
        item.delivery_key,
        f"return:{return_id}",
    )
    assert _processed(pulled).state == states.EVENT_PROCESSED
    assert ReturnAuthorisation.objects.get().external_id == return_id
    assert inbox.record_polled(connection=platform, item=item, at=NOW).event.pk == pulled.pk


def test_what_was_read_already_is_one_delivery(there: Running, platform: Connection) -> None:
    (return_id,) = fill(there, 1)
    event = _processed(_told(platform, return_id))
    inbox.reprocess(event=event, by="olivia", at=NOW)
    assert _processed(event).outcome == inbox.PULLED
    assert InboundEvent.objects.get(source="poll").duplicate_count == 1


@pytest.mark.parametrize("why", ["unknown there", "pull off", "mapping says exception"])
def test_what_cannot_be_read_stays_a_case(there: Running, platform: Connection, why: str) -> None:
    (return_id,) = fill(there, 1)
    if why == "pull off":
        Connection.objects.update(settings={"dialect": "a2"})
    if why == "mapping says exception":
        document = json.loads(json.dumps(connector_for("reveni").default_mapping))
        document["fallback"]["missing_items"] = "exception"
        MappingVersion.objects.create(
            connection=platform, version=1, document=document, created_at=NOW, created_by="test"
        )
    event = _processed(_told(platform, "ret_none" if why == "unknown there" else return_id))
    assert (event.state, _cases()) == (states.EVENT_PROCESSED, [states.CASE_UNMAPPED_EVENT])
    assert not InboundEvent.objects.filter(source="poll").exists()
    asked = [call.path for call in there.platform.calls.all()]
    assert asked == (["/v1/returns/ret_none"] if why == "unknown there" else [])


def test_the_case_of_a_message_closes_when_it_is_read_later(there: Running, platform: Connection) -> None:
    (return_id,) = fill(there, 1)
    Connection.objects.update(settings={"dialect": "a2"})
    event = _processed(_told(platform, return_id))
    assert _cases() == [states.CASE_UNMAPPED_EVENT]
    Connection.objects.update(settings={"dialect": "a2", "pull_api": True})
    inbox.reprocess(event=event, by="olivia", at=NOW)
    assert _processed(event).outcome == inbox.PULLED
    assert _cases() == []


def test_a_platform_that_refuses_our_key_pauses_and_loses_nothing(there: Running, platform: Connection) -> None:
    (return_id,) = fill(there, 1)
    store_secret(connection=platform, name="api_key", value="another", by="test", at=NOW + timedelta(seconds=1))
    event = _processed(_told(platform, return_id))
    assert (event.state, event.attempts) == (states.EVENT_RECEIVED, 0)
    assert _cases() == [states.CASE_CONNECTION_AUTH]
    platform.refresh_from_db()
    assert platform.is_paused


def test_a_refused_reading_leaves_the_problem_to_a_person(
    platform: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(link: ports.Link, return_id: str) -> Any:
        raise ports.Rejected("No.", code="http_400")

    monkeypatch.setattr(pulls, "connector_for", lambda vendor: type("Refusing", (), {"read_return": refuse}))
    event = _processed(_told(platform, "ret_1"))
    assert (event.state, _cases()) == (states.EVENT_PROCESSED, [states.CASE_UNMAPPED_EVENT])


def test_a_vendor_that_cannot_be_asked_is_not() -> None:
    problem = ports.Problem(case_kind=states.CASE_UNMAPPED_EVENT, text="x", detail={"read_return": "ret_1"})
    assert pulls.read_instead(connection=ConnectionFactory(), problems=[problem]) is None
    bare = ports.Problem(case_kind=states.CASE_UNMAPPED_EVENT, text="x")
    assert pulls.read_instead(connection=ConnectionFactory(platform=True), problems=[bare]) is None
