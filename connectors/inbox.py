"""The inbox (design section 4): record what comes in, then process it apart from that, once.

Recording is one insert. Processing claims by compare-and-set, reads what the vendor must tell outside any
transaction, and applies and marks in one. What is told in a row about one return is planned once after it
(``services.replan.replan_due``); until then the return is dirty, and nothing of it is sent.
"""

import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from connectors import ports
from connectors.delivery_cases import pause_for_auth
from connectors.problems import close_healed_cases, open_parked_case, open_problem_case
from connectors.pulls import read_instead
from connectors.reads import ORDER_GONE_TOPIC, ORDER_READ_TOPIC, keep_reads, read_orders
from connectors.registry import connector_for
from returnsops import states
from returnsops.facts import Fact, OrderChanged, OrderGone, ReturnSeen
from returnsops.log_redaction import fault_of
from returnsops.models import Connection, InboundEvent, MappingVersion
from returnsops.models.connections import newest_mapping
from returnsops.prepared import Prepared, PreparedUpdate
from returnsops.services.apply_facts import Applied, apply_facts
from returnsops.services.order_documents import from_document

log = logging.getLogger(__name__)

CLAIM_S = 120
BATCH = 50
MAX_ATTEMPTS = 8
INSERT_TRIES = 5
BACKOFF_S = (5, 15, 60, 300, 900, 1800, 3600)
AWAY_WAIT_S = (5, 300)  # between two tries at a vendor that is away: as long as the event has waited, within these
PULLED = "read from the platform instead"


class ClaimLostError(Exception):
    """Another worker took the event over meanwhile; its result counts."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The stored row, and whether it was there before."""

    event: InboundEvent
    is_duplicate: bool


def record(
    *,
    connection: Connection,
    source: str,
    topic: str,
    body: bytes,
    at: datetime,
    delivery_key: str = "",
    hint_key: str = "",
    subject_key: str = "",
    content_type: str = "application/json",
) -> Recorded:
    """Store one delivery. A repeat of a delivery key, or of a hint not yet looked at, is only counted."""
    row = InboundEvent(
        connection=connection,
        source=source,
        delivery_key=(delivery_key or f"own:{uuid.uuid4()}")[:200],
        topic=topic[:120],
        open_hint_key=hint_key[:200],
        subject_key=subject_key[:200],
        body=body,
        content_type=content_type[:120],
        received_at=at,
    )
    for _ in range(INSERT_TRIES):
        known = _known(connection, delivery_key=delivery_key, hint_key=hint_key)
        if known is not None:
            return _repeat(known)
        if _inserted(row):
            return Recorded(event=row, is_duplicate=False)
    raise IntegrityError(f"A delivery to {connection.name} could not be stored; it has to be sent again.")


def record_polled(*, connection: Connection, item: ports.PolledItem, at: datetime) -> Recorded:
    """Store what was asked for, by polling or one by one. Equal content is one delivery."""
    return record(
        connection=connection,
        source="poll",
        topic=item.topic,
        body=json.dumps(item.body, default=_decimal_text).encode(),
        at=at,
        delivery_key=item.delivery_key,
        hint_key=item.hint_key,
        subject_key=item.subject_key,
    )


def _decimal_text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} in a polled item.")


def _inserted(row: InboundEvent) -> bool:
    """False where another worker was quicker; a hint of that row may be taken up before we look at it."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def process_due(*, at: datetime, limit: int = BATCH) -> int:
    """Process what is due, oldest first; returns how many events were taken."""
    taken = 0
    for (event_id,) in _due(limit).rows(at=at):
        token = claim(event_id=event_id, at=at)
        if token:
            process_claimed(event_id=event_id, token=token, at=at)
            taken += 1
    return taken


@cache
def _due(limit: int) -> Prepared[InboundEvent]:
    return Prepared(
        lambda at: (
            InboundEvent.objects.filter(
                Q(claim_token="") | Q(claimed_until_at__lt=at),
                Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at),
                state=states.EVENT_RECEIVED,
            )
            .order_by("pk")
            .values_list("pk")[:limit]
        )
    )


def claim(*, event_id: int, at: datetime) -> str:
    """Take one event by compare-and-set; '' where another worker has it.

    The open hint is closed with the claim: a hint that comes now may tell of a newer change than the one we read.
    """
    token = str(uuid.uuid4())
    return token if _CLAIM.run(event_id=event_id, token=token, at=at, until=at + timedelta(seconds=CLAIM_S)) else ""


_CLAIM: Final = PreparedUpdate(
    lambda event_id, token, at, until: (
        InboundEvent.objects.filter(
            Q(claim_token="") | Q(claimed_until_at__lt=at), pk=event_id, state=states.EVENT_RECEIVED
        ),
        {"claim_token": token, "claimed_until_at": until, "open_hint_key": "", "attempts": F("attempts") + 1},
    )
)


def process_claimed(*, event_id: int, token: str, at: datetime) -> None:
    """Process one claimed event to its end: processed, ignored, retried later, or parked with a case.

    Only what fails for its own sake is ever parked: a vendor that is away, asks to wait or refuses our credentials
    says nothing against the event.
    """
    event = _WITH_CONNECTION.one(event_id=event_id)
    if event.attempts > MAX_ATTEMPTS:  # each time the worker died over it, so nothing was ever written down
        _retry_or_park(event, token=token, text="Every worker that took this event up died over it.", at=at)
        return
    try:
        normalised = normalise(event)
        pulled = read_instead(connection=event.connection, problems=normalised.problems)
        orders = read_orders(connection=event.connection, wanted=normalised.facts, at=at)
        _apply(event, normalised, orders, token=token, at=at, pulled=pulled)
    except ClaimLostError:
        log.info("event %s was taken over by another worker", event.pk)
    except ports.Rejected as error:
        _retry_or_park(event, token=token, text=error.text, at=at)
    except ports.VendorError as error:
        _wait_for_vendor(event, error, token=token, at=at)
    except Exception as error:  # one poison event never blocks the others
        log.error("event %s could not be processed: %s", event.pk, fault_of(error))
        _retry_or_park(event, token=token, text=f"{type(error).__name__} while processing", at=at)


_WITH_CONNECTION: Final = Prepared(
    lambda event_id: InboundEvent.objects.select_related("connection").filter(pk=event_id)
)


def normalise(event: InboundEvent) -> ports.Normalised:
    """The facts of a stored event under the mapping in force, whose version is noted on the event."""
    mapping = newest_mapping(event.connection)
    event.mapping_version = mapping.version if mapping else None
    return normalise_with(event, mapping=mapping)


def normalise_with(event: InboundEvent, *, mapping: MappingVersion | None) -> ports.Normalised:
    """The facts of a stored event, by its vendor's normaliser or from our own recorded reads. Changes nothing."""
    try:
        document = json.loads(bytes(event.body), parse_float=Decimal)
    except (ValueError, RecursionError):
        return ports.Normalised(problems=(_unreadable(event),))
    if event.source == "read" and event.topic == ORDER_READ_TOPIC:
        return ports.Normalised(facts=(_order_fact(document, at=event.received_at),))
    if event.source == "read" and event.topic == ORDER_GONE_TOPIC:
        return ports.Normalised(facts=(OrderGone(order_id=document["order_id"], occurred_at=event.received_at),))
    connector = connector_for(event.connection.vendor)
    before = _previous(event)
    said = connector.normalise(
        ports.Payload(
            topic=event.topic,
            document=document,
            received_at=event.received_at,
            account=event.connection.name,
            mapping=mapping.document if mapping else connector.default_mapping,
            previous=before[0],
            previous_at=before[1],
            settings=event.connection.settings,
        )
    )
    version = mapping.version if mapping else 0
    read = (replace(one, mapping_version=version) if isinstance(one, ReturnSeen) else one for one in said.facts)
    return replace(said, facts=tuple(read))


def _order_fact(document: Mapping[str, Any], *, at: datetime) -> Fact:
    snapshot = from_document(document)
    return OrderChanged(order_id=snapshot.order_id, snapshot=snapshot, occurred_at=at)


def _unreadable(event: InboundEvent) -> ports.Problem:
    return ports.Problem(
        case_kind=states.CASE_UNREADABLE_EVENT,
        text="The body is not JSON. It is kept as it came; ask the sender to send the event again.",
        detail={"size_bytes": len(event.body), "content_type": event.content_type},
    )


def _previous(event: InboundEvent) -> tuple[Mapping[str, Any] | None, datetime | None]:
    """The last processed document of the same subject, for mappings that ask what changed, and when it came."""
    if not event.subject_key:
        return None, None
    is_by_source = connector_for(event.connection.vendor).compares_by_source
    found = _earlier((event.source,) if is_by_source else ("webhook", "poll")).rows(
        connection_id=event.connection_id, subject_key=event.subject_key, before_id=event.pk
    )
    body, came_at = found[0] if found else (b"null", None)
    document = json.loads(bytes(body), parse_float=Decimal)
    return (document, came_at) if isinstance(document, dict) else (None, None)


@cache
def _earlier(sources: tuple[str, ...]) -> Prepared[InboundEvent]:
    """The last body that was processed before, from any of the sources."""
    processed = InboundEvent.objects.filter(state=states.EVENT_PROCESSED, source__in=sources).order_by("-pk")
    return Prepared(
        lambda connection_id, subject_key, before_id: processed.filter(
            connection=connection_id, subject_key=subject_key, pk__lt=before_id
        ).values_list("body", "received_at")[:1]
    )


@transaction.atomic
def _apply(
    event: InboundEvent,
    normalised: ports.Normalised,
    orders: tuple[Fact, ...],
    *,
    token: str,
    at: datetime,
    pulled: ports.PolledItem | None = None,
) -> None:
    if pulled is not None:
        record_polled(connection=event.connection, item=pulled, at=at)
        normalised = replace(normalised, problems=(), ignored_because="")
    applied = apply_facts(connection=event.connection, new_facts=normalised.facts, at=at)
    from_reads = apply_facts(connection=event.connection, new_facts=orders, at=at)
    keep_reads(connection=event.connection, found=orders, at=at)
    for problem in normalised.problems:
        open_problem_case(event=event, problem=problem, at=at)
    close_healed_cases(event=event, normalised=normalised, at=at)
    outcome = PULLED if pulled is not None else _outcome(normalised)
    _finish(event, normalised, applied, from_reads, outcome=outcome, token=token, at=at)


def _finish(
    event: InboundEvent,
    normalised: ports.Normalised,
    applied: Applied,
    from_reads: Applied,
    *,
    outcome: str,
    token: str,
    at: datetime,
) -> None:
    orders = (*applied.order_ids, *from_reads.order_ids)
    done = InboundEvent.objects.filter(pk=event.pk, claim_token=token, state=states.EVENT_RECEIVED).update(
        state=states.EVENT_IGNORED if _is_ignored(normalised) else states.EVENT_PROCESSED,
        processed_at=at,
        outcome=outcome[:500],
        mapping_version=event.mapping_version,
        rma_id=applied.rma_ids[0] if applied.rma_ids else None,
        order_id=orders[0] if orders else None,
        claim_token="",
        claimed_until_at=None,
        next_attempt_at=None,
    )
    if not done:
        raise ClaimLostError


def _is_ignored(normalised: ports.Normalised) -> bool:
    return bool(normalised.ignored_because) and not normalised.facts


def _outcome(normalised: ports.Normalised) -> str:
    if _is_ignored(normalised):
        return normalised.ignored_because
    if normalised.problems:
        return "; ".join(problem.text for problem in normalised.problems)
    names = ", ".join(type(fact).__name__ for fact in normalised.facts)
    return names or "nothing to do"


def _wait_for_vendor(event: InboundEvent, error: ports.VendorError, *, token: str, at: datetime) -> None:
    """In line again, uncounted. Refused credentials pause the connection with one case."""
    shortest_s, longest_s = AWAY_WAIT_S
    wait_s = min(longest_s, max(shortest_s, (at - event.received_at).total_seconds()))
    if isinstance(error, ports.RateLimited):
        wait_s = error.after_s
    if isinstance(error, ports.AuthFailed):
        pause_for_auth(connection=event.connection, text=error.text, at=at)
    InboundEvent.objects.filter(pk=event.pk, claim_token=token, state=states.EVENT_RECEIVED).update(
        attempts=F("attempts") - 1,
        outcome=error.text[:500],
        claim_token="",
        claimed_until_at=None,
        next_attempt_at=at + timedelta(seconds=wait_s),
    )


def _retry_or_park(event: InboundEvent, *, token: str, text: str, at: datetime) -> None:
    """Try again later with growing pauses; after the last try park it with a case. Never dropped."""
    is_last = event.attempts >= MAX_ATTEMPTS
    wait_s = BACKOFF_S[min(event.attempts, len(BACKOFF_S)) - 1]
    with transaction.atomic():
        mine = InboundEvent.objects.filter(pk=event.pk, claim_token=token, state=states.EVENT_RECEIVED).update(
            state=states.EVENT_PARKED if is_last else states.EVENT_RECEIVED,
            outcome=text[:500],
            claim_token="",
            claimed_until_at=None,
            next_attempt_at=None if is_last else at + timedelta(seconds=wait_s),
        )
        if mine and is_last:
            open_parked_case(event=event, text=text, at=at)


@transaction.atomic
def reprocess(*, event: InboundEvent, by: str, at: datetime) -> None:
    """Put a parked, ignored or processed event back in line; facts applied twice change nothing more."""
    InboundEvent.objects.filter(pk=event.pk).exclude(state=states.EVENT_RECEIVED).update(
        state=states.EVENT_RECEIVED, attempts=0, next_attempt_at=at, outcome=f"again, by {by}"[:500]
    )


def _known(connection: Connection, *, delivery_key: str, hint_key: str) -> InboundEvent | None:
    found: list[InboundEvent] = []
    if delivery_key:
        found = _BY_DELIVERY.objects(connection_id=connection.pk, key=delivery_key[:200])
    if hint_key and not found:
        found = _BY_HINT.objects(connection_id=connection.pk, key=hint_key[:200])
    return found[0] if found else None


_BY_DELIVERY: Final = Prepared(
    lambda connection_id, key: InboundEvent.objects.filter(connection=connection_id, delivery_key=key)
)
_BY_HINT: Final = Prepared(
    lambda connection_id, key: InboundEvent.objects.filter(connection=connection_id, open_hint_key=key)
)


def _repeat(event: InboundEvent) -> Recorded:
    InboundEvent.objects.filter(pk=event.pk).update(duplicate_count=F("duplicate_count") + 1)
    return Recorded(event=event, is_duplicate=True)
