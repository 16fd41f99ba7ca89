"""A connection's stored mapping as people edit it: tried against a message, saved as a new version, read again with it.

Trying changes nothing and stores nothing. A saved version is never changed; older ones explain older messages.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from connectors import inbox, ports
from connectors.mapping_validation import mapping_problems, unfilled
from connectors.problems import EVENT_CASES, SUBJECT_EVENT
from connectors.redaction import redact
from connectors.registry import config_without_secrets, connector_for
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, InboundEvent, MappingVersion
from returnsops.models.connections import newest_mapping
from returnsops.services import audit

MAX_TEXT: Final = 200_000
MOST_SHOWN: Final = 20


class MappingError(Exception):
    """A mapping or a message that cannot be used; each of ``problems`` says where and what to do."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one message says under a mapping: statements as name and fields, and what could not be understood."""

    statements: tuple[tuple[str, dict[str, Any]], ...]
    problems: tuple[str, ...]
    ignored_because: str = ""


def in_force(connection: Connection) -> tuple[Mapping[str, Any], int]:
    """The mapping messages are read with now and its version; 0 is the vendor's default."""
    newest = newest_mapping(connection)
    if newest is not None:
        return newest.document, newest.version
    return connector_for(connection.vendor).default_mapping, 0


def is_editable(connection: Connection) -> bool:
    """Whether this vendor's messages are read through a mapping."""
    return bool(in_force(connection)[0])


def parsed(text: str, *, what: str) -> Any:
    """JSON of a form field. Raises MappingError naming line and column."""
    if len(text) > MAX_TEXT:
        raise MappingError([f"The {what} is longer than {MAX_TEXT} characters."])
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as error:
        place = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "somewhere"
        raise MappingError([f"The {what} is not JSON ({place}). Check quotes, commas and brackets there."]) from None
    except RecursionError:
        raise MappingError([f"The {what} is nested too deep."]) from None


def checked(text: str) -> dict[str, Any]:
    """The mapping a text describes. Raises MappingError with everything that is wrong with it."""
    document = parsed(text, what="mapping")
    problems = mapping_problems(document)
    if problems:
        raise MappingError(problems)
    # Numbers with a fraction have no place in a mapping; the stored form is plain JSON.
    return dict(json.loads(json.dumps(document, default=str)))


def still_unfilled(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Targets whose path nobody has filled in yet."""
    return unfilled(document)


def tried(*, connection: Connection, mapping: Mapping[str, Any], message: Any, topic: str, at: datetime) -> Trial:
    """What a message would say under a mapping, without customer data. Stores and changes nothing.

    Raises MappingError where the message is no JSON object.
    """
    if not isinstance(message, Mapping):
        raise MappingError(["The message must be a JSON object, as the other system sends it."])
    payload = ports.Payload(
        topic=topic, document=message, received_at=at, account=connection.name, mapping=mapping, previous=None
    )
    made = connector_for(connection.vendor).normalise(payload)
    return Trial(
        statements=tuple((type(fact).__name__, redact(_plain(asdict(fact)))) for fact in made.facts),
        problems=tuple(problem.text for problem in made.problems),
        ignored_because=made.ignored_because,
    )


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that say something, as JSON types."""
    said = {name: value for name, value in fields.items() if value not in (None, "", (), [], {})}
    return dict(json.loads(json.dumps(said, default=str)))


@transaction.atomic
def save(
    *, connection: Connection, document: Mapping[str, Any], based_on: int, by: str, at: datetime, why: str
) -> MappingVersion:
    """Store a mapping that was checked as the version in force.

    Raises MappingError without a reason, for one that changes nothing, or where another version was saved since
    ``based_on`` was opened.
    """
    if not why.strip():
        raise MappingError(["Say why, in a few words; it is kept in the history."])
    Connection.objects.select_for_update(of=("self",)).get(pk=connection.pk)
    present, version = in_force(connection)
    if version != based_on:
        raise MappingError(
            [f"Version {version} was saved after you opened this one; copy your text, load the page again and compare."]
        )
    if dict(present) == dict(document):
        raise MappingError(["Nothing is different from the mapping in force."])
    row = MappingVersion.objects.create(
        connection=connection, version=version + 1, document=dict(document), created_at=at, created_by=by
    )
    text = f"Mapping {row.version} saved."
    audit.record(act="mapping_saved", by=by, at=at, subject=connection, text=text, why=why)
    return row


def waiting(connection: Connection) -> QuerySet[InboundEvent]:
    """Messages that a mapping may help: parked, or with an open case of what could not be understood."""
    cases = ExceptionCase.objects.active().filter(kind_code__in=EVENT_CASES, subject_type=SUBJECT_EVENT)
    ids = [int(pk) for pk in cases.values_list("subject_id", flat=True) if pk.isdecimal()]
    rows = InboundEvent.objects.filter(connection=connection, source__in=("webhook", "poll"))
    return rows.filter(Q(state=states.EVENT_PARKED) | Q(pk__in=ids)).exclude(state=states.EVENT_RECEIVED)


def read_again(*, connection: Connection, by: str, at: datetime) -> int:
    """Put every message that waits back in line; what was applied before changes nothing more. Returns how many."""
    count = 0
    for event in waiting(connection).defer("body").order_by("pk"):
        inbox.reprocess(event=event, by=by, at=at)
        count += 1
    if count:
        text = f"{count} messages read again with the mapping in force."
        audit.record(act="messages_read_again", by=by, at=at, subject=connection, text=text)
    return count


def topic_of(connection: Connection, *, text: str, at: datetime) -> str:
    """The topic a delivery with this body would have."""
    inbound = ports.Inbound(headers={}, body=text.encode(), received_at=at)
    return connector_for(connection.vendor).receive(inbound, config_without_secrets(connection)).topic


def recent_messages(connection: Connection) -> list[InboundEvent]:
    """Stored messages to try a mapping on: those that wait first, then the newest."""
    told = InboundEvent.objects.filter(connection=connection, source__in=("webhook", "poll")).defer("body")
    waits = list(waiting(connection).defer("body").order_by("-pk")[:MOST_SHOWN])
    others = told.exclude(pk__in=[row.pk for row in waits]).order_by("-pk")[: MOST_SHOWN - len(waits)]
    return [*waits, *others]
