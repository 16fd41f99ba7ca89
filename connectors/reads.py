"""Reading orders from shops: outside transactions, recorded in the inbox, applied by the caller or here."""

import json
import logging
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.db import transaction

from connectors import ports
from connectors.delivery_cases import pause_for_auth
from connectors.registry import connector_for, link_for
from returnsops import states
from returnsops.facts import Fact, OrderChanged, OrderGone, OrderMayHaveChanged, OrderSnapshot
from returnsops.log_redaction import fault_of
from returnsops.models import Connection, InboundEvent, Order, ReturnAuthorisation
from returnsops.prepared import Prepared
from returnsops.services.apply_facts import apply_facts
from returnsops.services.order_documents import to_document
from returnsops.services.replan import mark_dirty, replan_returns_of_orders
from returnsops.services.returns import know_order

log = logging.getLogger(__name__)

ORDER_READ_TOPIC = "order.read"
ORDER_GONE_TOPIC = "order.gone"
FIRST_WAIT_S = 30
LONGEST_WAIT_S = 3600
BATCH = 50


def read_orders(*, connection: Connection, wanted: Iterable[Fact], at: datetime) -> tuple[Fact, ...]:
    """Read every order that a hint among the facts names. Raises VendorError; then nothing is lost, try later."""
    ids = dict.fromkeys(fact.order_id for fact in wanted if isinstance(fact, OrderMayHaveChanged))
    return tuple(read_order(connection=connection, order_id=order_id, at=at) for order_id in ids)


def read_order(*, connection: Connection, order_id: str, at: datetime) -> OrderChanged | OrderGone:
    """The order as it is now, as a fact. ``at`` is when the read began."""
    reader = connector_for(connection.vendor).read_order
    if reader is None:
        raise ports.Rejected(f"{connection.vendor} has no orders to read.", code="no_orders")
    snapshot = reader(link_for(connection), order_id)
    if snapshot is None:
        return OrderGone(order_id=order_id, occurred_at=at)
    return OrderChanged(order_id=order_id, snapshot=snapshot, occurred_at=at)


def read_wanted_orders(*, at: datetime, limit: int = BATCH) -> int:
    """Read the orders that returns wait for; a missing one is asked for again with growing pauses.

    Returns how many were found; their returns are dirty, for ``replan_due``. What goes wrong with one return costs
    only that return time.
    """
    return sum(_read_surely(rma, at=at) for rma in _waiting(limit).objects(at=at))


@cache
def _waiting(limit: int) -> Prepared[ReturnAuthorisation]:
    waiting = ReturnAuthorisation.objects.filter(order__isnull=True, route__commerce__isnull=False)
    named = waiting.exclude(order_external_id="", order_number="").select_related("route__commerce")
    return Prepared(lambda at: named.filter(order_next_read_at__lte=at).order_by("order_next_read_at", "pk")[:limit])


def _read_surely(rma: ReturnAuthorisation, *, at: datetime) -> int:
    try:
        return _read_for(rma, at=at)
    except Exception as error:  # a fault of ours with one return never keeps the others waiting
        log.error("the order of return %s could not be read: %s", rma.pk, fault_of(error))
        _wait(rma, at=at)
        return 0


def _read_for(rma: ReturnAuthorisation, *, at: datetime) -> int:
    commerce = rma.route.commerce if rma.route else None
    if commerce is None:
        return 0
    order_id = rma.order_external_id
    try:
        order_id = order_id or _id_by_number(commerce, rma.order_number)
        fact = read_order(connection=commerce, order_id=order_id, at=at)
    except ports.AuthFailed as error:
        pause_for_auth(connection=commerce, text=error.text, at=at)
        _wait(rma, at=at)
        return 0
    except ports.VendorError as error:
        _wait(rma, at=at, least_s=error.after_s if isinstance(error, ports.RateLimited) else 0)
        return 0
    # Perhaps not there yet; the planner makes a case of it after order_wanted_h.
    if isinstance(fact, OrderGone) or not _is_named(rma, fact.snapshot):
        _wait(rma, at=at)
        return 0
    with transaction.atomic():
        if not rma.order_external_id:
            know_order(rma=rma, order_id=order_id)
        _store(connection=commerce, snapshot=fact.snapshot, at=at)
    return 1


def _is_named(rma: ReturnAuthorisation, snapshot: OrderSnapshot) -> bool:
    """Whether this is the order the return names. One read by a number that is not its own must be the shopper's:
    in a shop that numbers anew, the number of one order is the id of another.
    """
    if rma.order_external_id or snapshot.number == rma.order_number:
        return True
    return bool(rma.customer_email) and rma.customer_email.casefold() == snapshot.customer_email.casefold()


def _id_by_number(commerce: Connection, number: str) -> str:
    """The order with exactly this number; where there is none, or more than one, the number may itself be the id."""
    finder = connector_for(commerce.vendor).find_order
    found = finder(link_for(commerce), number) if finder is not None else None
    return found or number


@transaction.atomic
def store_read(*, connection: Connection, snapshot: OrderSnapshot, at: datetime) -> None:
    """Apply an order that was read, keep the reading, and plan the returns it concerns."""
    order_row_id = _store(connection=connection, snapshot=snapshot, at=at)
    replan_returns_of_orders(order_ids=[order_row_id], at=at)


def _store(*, connection: Connection, snapshot: OrderSnapshot, at: datetime) -> int:
    """Apply an order that was read, and keep the reading; its returns are left to be planned. Our row's id."""
    fact = OrderChanged(order_id=snapshot.order_id, snapshot=snapshot, occurred_at=at)
    (order_row_id,) = apply_facts(connection=connection, new_facts=[fact], at=at).order_ids
    keep_read(connection=connection, snapshot=snapshot, at=at, order_row_id=order_row_id)
    return order_row_id


def keep_read(*, connection: Connection, snapshot: OrderSnapshot, at: datetime, order_row_id: int) -> InboundEvent:
    """The record of a reading of an order, for replay."""
    return record_read(
        connection=connection,
        topic=ORDER_READ_TOPIC,
        document=to_document(snapshot),
        subject_key=f"order:{snapshot.order_id}",
        at=at,
        order_row_id=order_row_id,
    )


def keep_reads(*, connection: Connection, found: Iterable[Fact], at: datetime) -> None:
    """Keep what reading orders found, after it was applied: the order, or that it is gone."""
    for fact in found:
        if not isinstance(fact, OrderChanged | OrderGone):
            continue
        known = _KNOWN.rows(connection_id=connection.pk, external_id=fact.order_id)
        if not known:
            continue
        ((order_row_id,),) = known
        if isinstance(fact, OrderChanged):
            keep_read(connection=connection, snapshot=fact.snapshot, at=at, order_row_id=order_row_id)
        else:
            _keep_gone(connection, fact.order_id, at=at, order_row_id=order_row_id)


_KNOWN: Final = Prepared(
    lambda connection_id, external_id: Order.objects.filter(
        connection=connection_id, external_id=external_id
    ).values_list("pk")
)


def _keep_gone(connection: Connection, order_id: str, *, at: datetime, order_row_id: int) -> None:
    record_read(
        connection=connection,
        topic=ORDER_GONE_TOPIC,
        document={"order_id": order_id},
        subject_key=f"order:{order_id}",
        at=at,
        order_row_id=order_row_id,
    )


def record_read(
    *,
    connection: Connection,
    topic: str,
    document: Mapping[str, Any],
    subject_key: str,
    at: datetime,
    order_row_id: int | None = None,
) -> InboundEvent:
    """Keep what was fetched, applied by the caller in the same transaction, so that replay can use it."""
    return InboundEvent.objects.create(
        connection=connection,
        source="read",
        delivery_key=f"read:{uuid.uuid4()}",
        topic=topic,
        subject_key=subject_key,
        body=json.dumps(document, sort_keys=True).encode(),
        content_type="application/json",
        state=states.EVENT_PROCESSED,
        received_at=at,
        processed_at=at,
        outcome="applied",
        order_id=order_row_id,
    )


def _wait(rma: ReturnAuthorisation, *, at: datetime, least_s: float = 0) -> None:
    wait_s = max(least_s, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(rma.order_read_tries, 10)))
    ReturnAuthorisation.objects.filter(pk=rma.pk).update(
        order_next_read_at=at + timedelta(seconds=wait_s), order_read_tries=rma.order_read_tries + 1
    )
    mark_dirty(rma_ids=[rma.pk])
