"""Editing how messages are read: tried without a trace, checked, saved as a version, and what waited is read again."""

import json
from typing import Any
from unittest import mock

import pytest
from django.test import Client

from connectors import inbox, mappings
from connectors.mapping_editor import edit_url
from connectors.simulators.reveni import assumed_mapping
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, HistoryEntry, InboundEvent, MappingVersion, ReturnAuthorisation
from tests import factories as make
from tests.connectors.returns_contract.test_snapshots import PULLED
from tests.connectors.reveni.test_through_the_inbox import AT, platform, push

pytestmark = pytest.mark.django_db


@pytest.fixture
def operations() -> Client:
    client = Client()
    client.force_login(make.UserFactory(username="olivia", team="OPS"))
    return client


@pytest.fixture
def connection() -> Connection:
    return platform(dialect="a2")


def message(**changes: Any) -> dict[str, Any]:
    """One message in the vendor's own dialect, with the assumed object."""
    document = PULLED[0]
    data = {
        "amount": "38.0000",
        "status": "in_progress",
        "currency": "EUR",
        "resource": "return",
        "resource_id": document["id"],
        "object": document,
    }
    return {"id": "m1", "event": "return.updated", "created": 1777889730, "data": data | changes}


def told(connection: Connection) -> InboundEvent:
    """The message came, and the mapping in force could make nothing of it."""
    event = push(connection, message())
    inbox.process_due(at=AT)
    event.refresh_from_db()
    return event


def posted(client: Client, connection: Connection, act: str, **fields: Any) -> Any:
    given = {
        "document": json.dumps(assumed_mapping()),
        "based_on": mappings.in_force(connection)[1],
        "why": "filled in from a captured message",
        "is_read_again": "on",
        act: "1",
        **fields,
    }
    return client.post(edit_url(connection), {name: value for name, value in given.items() if value is not None})


def text_of(response: Any) -> str:
    html: str = response.content.decode()
    return html


def connection_page(connection: Connection) -> str:
    return f"/admin/returnsops/connection/{connection.pk}/change/"


def test_the_editor_shows_the_mapping_in_force_and_how_many_messages_wait(
    operations: Client, connection: Connection
) -> None:
    told(connection)
    html = text_of(operations.get(edit_url(connection)))
    assert "1 waiting" in html
    assert "status_events" in html
    assert edit_url(connection) in text_of(operations.get(connection_page(connection)))


def test_a_change_is_tried_on_a_stored_message_without_a_trace(operations: Client, connection: Connection) -> None:
    event = told(connection)
    html = text_of(posted(operations, connection, "try", event=str(event.pk)))
    assert "Return seen" in html
    assert PULLED[0]["id"] in html
    assert PULLED[0]["customer"]["email"] not in html
    assert not MappingVersion.objects.exists()
    assert not ReturnAuthorisation.objects.exists()
    assert not HistoryEntry.objects.exists()


def test_a_change_is_tried_on_a_pasted_message(operations: Client, connection: Connection) -> None:
    html = text_of(posted(operations, connection, "try", message=json.dumps(message(), default=str)))
    assert "Return seen" in html
    assert not InboundEvent.objects.exists()


def test_saving_makes_a_version_and_reads_again_what_waited(operations: Client, connection: Connection) -> None:
    event = told(connection)
    assert ExceptionCase.objects.active().exists()
    assert posted(operations, connection, "save").status_code == 302
    row = MappingVersion.objects.get()
    assert (row.version, row.created_by) == (1, "olivia")
    saved = HistoryEntry.objects.get(act="mapping_saved")
    assert (saved.by, saved.why) == ("olivia", "filled in from a captured message")

    inbox.process_due(at=AT.replace(year=2030))
    event.refresh_from_db()
    assert (event.state, event.mapping_version) == (states.EVENT_PROCESSED, 1)
    assert ReturnAuthorisation.objects.get().external_id == PULLED[0]["id"]
    assert not ExceptionCase.objects.active().filter(subject_type="event").exists()
    assert not mappings.waiting(connection).exists()


def test_a_crash_before_what_waited_is_read_again_saves_nothing(operations: Client, connection: Connection) -> None:
    event = told(connection)
    operations.raise_request_exception = False
    with mock.patch.object(mappings, "read_again", side_effect=RuntimeError("the process died")):
        assert posted(operations, connection, "save").status_code == 500
    assert not MappingVersion.objects.exists()
    assert not HistoryEntry.objects.filter(act="mapping_saved").exists()

    assert posted(operations, connection, "save").status_code == 302
    inbox.process_due(at=AT.replace(year=2030))
    event.refresh_from_db()
    assert (event.state, MappingVersion.objects.count()) == (states.EVENT_PROCESSED, 1)


def test_without_the_tick_what_waits_stays(operations: Client, connection: Connection) -> None:
    told(connection)
    posted(operations, connection, "save", is_read_again=None)
    assert mappings.waiting(connection).count() == 1


BROKEN = {**assumed_mapping(), "rules": [{"when": [], "emit": ["no.such.event"]}]}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"document": "{"}, "The mapping is not JSON (line 1, column 2)"),
        ({"document": "[]"}, "must be a JSON object"),
        ({"document": json.dumps(BROKEN)}, "no.such.event"),
        ({"why": " "}, "Say why"),
        ({"based_on": 7}, "was saved after you opened this one"),
        ({"document": "[" * 100_000}, "nested too deep"),
        ({"document": "x" * 200_001}, "200000 characters"),
    ],
)
def test_what_cannot_be_saved_is_said_and_nothing_changes(
    operations: Client, connection: Connection, fields: dict[str, Any], complaint: str
) -> None:
    response = posted(operations, connection, "save", **fields)
    assert response.status_code == 200
    assert complaint in text_of(response)
    assert not MappingVersion.objects.exists()


def test_the_same_again_is_no_new_version(operations: Client, connection: Connection) -> None:
    posted(operations, connection, "save")
    html = text_of(posted(operations, connection, "save"))
    assert "Nothing is different" in html
    assert MappingVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, "Choose a stored message or paste one"),
        ({"message": "not json"}, "The message is not JSON"),
        ({"message": "[1]"}, "must be a JSON object"),
    ],
)
def test_trying_needs_a_message_that_can_be_read(
    operations: Client, connection: Connection, fields: dict[str, Any], complaint: str
) -> None:
    assert complaint in text_of(posted(operations, connection, "try", **fields))


def test_a_message_of_another_connection_cannot_be_tried(operations: Client, connection: Connection) -> None:
    event = told(connection)
    other = make.ConnectionFactory(platform=True, settings={"dialect": "a2"})
    assert "Select a valid choice" in text_of(posted(operations, other, "try", event=str(event.pk)))


def test_problems_of_a_trial_are_shown(operations: Client, connection: Connection) -> None:
    empty = json.dumps(message(object={}), default=str)
    result = text_of(posted(operations, connection, "try", message=empty)).partition("What the message says")[2]
    assert 'class="ro-error"' in result


@pytest.mark.parametrize("team", ["CX", "FIN", "WH", "MER"])
def test_only_operations_edits_mappings(connection: Connection, team: str) -> None:
    client = Client()
    client.force_login(make.UserFactory(team=team))
    assert client.get(edit_url(connection)).status_code == 403
    assert posted(client, connection, "save").status_code == 403
    assert not MappingVersion.objects.exists()


def test_a_vendor_without_a_mapping_has_no_editor_link(operations: Client) -> None:
    shop = make.ConnectionFactory()
    assert edit_url(shop) not in text_of(operations.get(connection_page(shop)))
