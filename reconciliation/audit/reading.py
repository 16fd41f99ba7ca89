"""Asking the vendors for their past, patiently and read-only: whoever tries to write through this link is refused."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from connectors import budget, ports
from connectors.listing import OrdersPage
from connectors.purses import Points, Purse
from connectors.registry import connector_for, link_for
from reconciliation.audit.books import Returned, returned
from reconciliation.audit.gaps import Uncompared
from returnsops.facts import OrderSnapshot
from returnsops.models import Connection
from returnsops.models.connections import newest_mapping

WAITS_S: Final = (2.0, 10.0, 30.0, 60.0)  # before the next try of a call that failed
MOST_THROTTLED: Final = 10  # 429 in a row
LONGEST_WAIT_S: Final = 900.0
MOST_PAGES: Final = 100_000
PAUSE: Callable[[float], None] = time.sleep


@dataclass(frozen=True, kw_only=True)
class ReturnsPage:
    """Some returns as the audit compares them, and those that cannot be understood."""

    returns: tuple[Returned, ...]
    uncompared: tuple[Uncompared, ...]


def reading_link(connection: Connection) -> ports.Link:
    """A link that takes from the connection's budget, waits where the vendor is busy, and never writes.

    Its calls raise what is left after the last try: RateLimited, Retryable, or the answer of a failing server.
    """
    link = link_for(connection)
    patient = _Patient(call=link.call, connection=connection, now=link.now)
    return replace(link, call=patient, purse=_PatientPurse(purse=link.purse, patient=patient))


@dataclass(frozen=True, kw_only=True)
class _Patient:
    call: ports.Caller
    connection: Connection
    now: Callable[[], datetime]

    def __call__(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: ports.Json = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
        timeout_s: float = 30.0,
        is_write: bool = False,
    ) -> ports.Answer:
        """One read, tried again while that makes sense."""
        if is_write:
            raise ports.Rejected("An audit only reads; this call would write.", code="audit_only_reads")
        given: dict[str, Any] = {"params": params, "json": json, "form": form, "headers": headers, "auth": auth}
        failures = throttled = 0
        while True:
            try:
                answer = self.call(method, url, timeout_s=timeout_s, **given)
            except ports.RateLimited as refusal:
                throttled += 0 if isinstance(refusal, budget.BudgetSpent) else 1
                self.wait_out(refusal, throttled)
                continue
            except ports.Retryable:
                if failures == len(WAITS_S):
                    raise
            else:
                if answer.status < 500 or failures == len(WAITS_S):
                    return answer
            PAUSE(WAITS_S[failures])
            failures += 1

    def wait_out(self, refusal: ports.RateLimited, throttled: int) -> None:
        """As long as asked for; too long or too often is for a person to decide."""
        if throttled > MOST_THROTTLED or refusal.after_s > LONGEST_WAIT_S:
            raise refusal
        if not isinstance(refusal, budget.BudgetSpent):
            budget.note_throttled(connection_id=self.connection.pk, after_s=refusal.after_s, at=self.now())
        PAUSE(refusal.after_s)


@dataclass(frozen=True, kw_only=True)
class _PatientPurse:
    """Waits for points as patiently as for slots."""

    purse: Purse
    patient: _Patient

    def take(self, points: float) -> None:
        """Wait until the points are there. Raises RateLimited where a person has to decide."""
        while True:
            try:
                return self.purse.take(points)
            except ports.RateLimited as refusal:
                self.patient.wait_out(refusal, 0)

    def settle(self, points: float, told: Points | None) -> None:
        """The call is over."""
        self.purse.settle(points, told)


def past_orders(connection: Connection, *, since: datetime, cursor: str) -> Iterator[OrdersPage]:
    """Page after page from a cursor. Raises VendorError; what came before stays good."""
    read = connector_for(connection.vendor).list_orders
    assert read is not None  # running.prepare
    link = reading_link(connection)
    for _ in range(MOST_PAGES):
        page = read(link, since, cursor)
        yield page
        if not page.cursor or page.cursor == cursor:
            return
        cursor = page.cursor


def past_returns(connection: Connection, *, since: datetime) -> Iterator[ReturnsPage]:
    """Every return changed since. Raises VendorError; Rejected(CANNOT_LIST) where the platform cannot be asked."""
    connector = connector_for(connection.vendor)
    assert connector.list_returns is not None  # running.prepare
    link, cursor = reading_link(connection), ""
    for _ in range(MOST_PAGES):
        page = connector.list_returns(link, since, cursor)
        yield _understood(connection, connector, page, at=link.now())
        if page.is_last:
            return
        cursor = page.cursor


def one_order(connection: Connection, *, order_id: str, number: str) -> OrderSnapshot | None:
    """An order by its id, else by its number; None where the shop has neither. Raises VendorError."""
    connector = connector_for(connection.vendor)
    link = reading_link(connection)
    assert connector.read_order is not None  # running.prepare
    found = connector.read_order(link, order_id) if order_id else None
    if found is None and number and connector.find_order is not None:
        known = connector.find_order(link, number)
        found = connector.read_order(link, known) if known else None
    return found


def _understood(
    connection: Connection, connector: ports.Connector, page: ports.PollPage, *, at: datetime
) -> ReturnsPage:
    mapping = newest_mapping(connection)
    document = mapping.document if mapping else connector.default_mapping
    found: list[Returned] = []
    uncompared: list[Uncompared] = []
    for item in page.items:
        payload = ports.Payload(
            topic=item.topic, document=item.body, received_at=at, account=connection.name, mapping=document
        )
        told = connector.normalise(payload)
        made = returned(told.facts, platform=connection.name)
        if made is not None:
            found.append(made)
        if told.problems or made is None:
            subject = f"return {item.subject_key.rpartition(':')[2] or 'without id'} of {connection.name}"
            why = told.problems[0].text if told.problems else told.ignored_because or "it tells nothing"
            uncompared.append(Uncompared(subject=subject, why=why))
    return ReturnsPage(returns=tuple(found), uncompared=tuple(uncompared))
