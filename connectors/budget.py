"""The pace and the health of one connection, as a row, so that they hold over all processes (S1-3).

Pace: every call, reads included, takes a slot; slots lie ``60 / calls_per_minute`` seconds apart, and calls may run
ahead by a burst. Who comes too early waits a little or is told when to come back. Health: after some transport
failures in a row the breaker opens, and only this connection's effects wait; then one probe goes through.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.db import transaction

from connectors.models import ConnectionBudget
from connectors.ports import Capabilities, RateLimited
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection
from returnsops.prepared import Prepared, PreparedUpdate

BURST_S: Final = 10.0  # how many seconds' worth of calls may go at once
MAX_WAIT_S: Final = 5.0  # longer than this a call does not wait, it comes back later
FAILURES_TO_OPEN: Final = 5
OPEN_S: Final = 30.0
OPEN_CAP_S: Final = 600.0
_RACES: Final = 20


class BudgetSpent(RateLimited):
    """Our own budget row said no; the vendor was not asked."""


def budget_of(*, connection_id: int) -> ConnectionBudget:
    """The row, made on first use."""
    found = _ROW.objects(connection_id=connection_id)
    return found[0] if found else ConnectionBudget.objects.get_or_create(connection_id=connection_id)[0]


_ROW: Final = Prepared(lambda connection_id: ConnectionBudget.objects.filter(connection=connection_id))


def take(
    *,
    connection_id: int,
    calls_per_minute: int,
    at: datetime,
    max_wait_s: float = MAX_WAIT_S,
    seen: list[ConnectionBudget] | None = None,
) -> float:
    """Take one slot; returns the seconds to wait before calling.

    ``seen`` keeps the row from one call to the next, so that it need not be read where nobody else wrote it.
    Raises BudgetSpent, without taking a slot, where the wait would pass ``max_wait_s``.
    """
    spacing_s = 60.0 / calls_per_minute
    for _ in range(_RACES):
        is_fresh = not seen
        row = seen.pop() if seen else budget_of(connection_id=connection_id)
        wait_s = _wait_s(row, spacing_s=spacing_s, at=at)
        if wait_s > max_wait_s and is_fresh:
            raise BudgetSpent("The call budget of this connection is used up for now.", after_s=wait_s)
        slot_at = max(row.next_slot_at or at, at)
        taken = {"next_slot_at": slot_at + timedelta(seconds=spacing_s), "call_count": row.call_count + 1}
        if wait_s <= max_wait_s and change(row, **taken):
            if seen is not None:
                seen.append(row)
            return wait_s
    raise BudgetSpent("Many callers want this connection at once.", after_s=spacing_s)


def before_call(
    *,
    connection_id: int,
    capabilities: Capabilities,
    now: Callable[[], datetime],
    sleep: Callable[[float], None] = time.sleep,
    max_wait_s: float = MAX_WAIT_S,
) -> Callable[[str], None]:
    """What a Caller asks before each request: takes a slot, waits for it. For use outside the pump's pool threads."""
    seen: list[ConnectionBudget] = []

    def acquire(label: str) -> None:
        pace = capabilities.calls_per_minute
        wait_s = take(connection_id=connection_id, calls_per_minute=pace, at=now(), max_wait_s=max_wait_s, seen=seen)
        if wait_s > 0:
            sleep(wait_s)

    return acquire


def note_throttled(*, connection_id: int, after_s: float, at: datetime) -> None:
    """The vendor said 429: nobody calls until then."""
    until = at + timedelta(seconds=after_s)
    for _ in range(_RACES):
        row = budget_of(connection_id=connection_id)
        blocked_until_at = max(row.blocked_until_at or until, until)
        if change(row, blocked_until_at=blocked_until_at, throttled_count=row.throttled_count + 1):
            return


# --- breaker -----------------------------------------------------------------------------------------------------


def is_open(row: ConnectionBudget) -> bool:
    """Whether the breaker is open: calls wait, but for one probe each time its pause has passed."""
    return row.open_until_at is not None


def may_probe(row: ConnectionBudget, *, at: datetime) -> bool:
    """Whether the caller is the one that may call through the open breaker now; the next only after another pause."""
    if row.open_until_at is None or at < row.open_until_at:
        return row.open_until_at is None
    return change(row, open_until_at=at + _open_for(row.opened_count))


def is_blocked(row: ConnectionBudget, *, at: datetime) -> bool:
    """Whether the vendor asked to be left alone for now (429)."""
    return row.blocked_until_at is not None and at < row.blocked_until_at


def waits_until(*, connection_id: int, at: datetime) -> datetime | None:
    """When a pause of this connection ends, by the vendor's word (429) or an open breaker; None where it has none."""
    row = budget_of(connection_id=connection_id)
    pauses = [until for until in (row.blocked_until_at, row.open_until_at) if until is not None and until > at]
    return max(pauses, default=None)


def note_success(*, connection_id: int, at: datetime) -> None:
    """An answer came: the breaker closes, and so does its case."""
    row = budget_of(connection_id=connection_id)
    if row.failure_count == 0 and row.open_until_at is None:
        return
    was_open = is_open(row)
    if change(row, failure_count=0, opened_count=0, open_until_at=None) and was_open:
        name = row.connection.name
        close_case_of(kind=states.CASE_CONNECTION_DOWN, name=name, at=at, reason="The system answers again.")


def note_failure(*, connection: Connection, text: str, at: datetime) -> bool:
    """A transport failure; returns whether the breaker is open now. Opening it opens a case."""
    row = budget_of(connection_id=connection.pk)
    failures = row.failure_count + 1
    noted: dict[str, Any] = {
        "failure_count": failures,
        "last_failure_at": at,
        "last_failure_text": text[:500],
    }
    if failures < FAILURES_TO_OPEN:
        change(row, **noted)
        return False
    opened = {"opened_count": row.opened_count + 1, "open_until_at": at + _open_for(row.opened_count)}
    with transaction.atomic():
        if change(row, **noted, **opened):
            _open_case(connection, text=text, failures=failures, at=at)
    return True


def close_case_of(*, kind: str, name: str, at: datetime, reason: str) -> None:
    """Close the case of a kind about a connection or route of that name, if one is open."""
    for case in ExceptionCase.objects.active().filter(kind_code=kind, fingerprint=f"{kind}:{name}"):
        queue.auto_resolve(case=case, at=at, reason=reason)


def _open_for(opened_count: int) -> timedelta:
    return timedelta(seconds=min(OPEN_CAP_S, OPEN_S * 2.0**opened_count))


def _open_case(connection: Connection, *, text: str, failures: int, at: datetime) -> None:
    kind = states.CASE_CONNECTION_DOWN
    queue.open_case(
        kind=kind,
        fingerprint=f"{kind}:{connection.name}",
        subject_type="connection",
        subject_id=str(connection.pk),
        subject_label=str(connection),
        cause=text,
        evidence={"failures_in_a_row": failures, "last_failure": text},
        deep_link=f"/admin/returnsops/connection/{connection.pk}/change/",
        group_key=f"connection:{connection.name}",
        at=at,
    )


def _wait_s(row: ConnectionBudget, *, spacing_s: float, at: datetime) -> float:
    burst_s = max(BURST_S, spacing_s)
    ahead_s = _seconds(row.next_slot_at, at) + spacing_s - burst_s
    return max(0.0, ahead_s, _seconds(row.blocked_until_at, at))


def _seconds(until: datetime | None, at: datetime) -> float:
    return max(0.0, (until - at).total_seconds()) if until else 0.0


def change(row: ConnectionBudget, **fields: Any) -> bool:
    """Write the row, here too, unless somebody else did since it was read."""
    written = {"version": row.version + 1, **fields}
    given = {name: value for name, value in written.items() if value is not None}
    emptied = tuple(sorted(set(written) - set(given)))
    if not _change(tuple(sorted(given)), emptied).run(of_id=row.pk, of_version=row.version, **given):
        return False
    for name, value in written.items():
        setattr(row, name, value)
    return True


@cache
def _change(given: tuple[str, ...], emptied: tuple[str, ...]) -> PreparedUpdate:
    return PreparedUpdate(
        lambda of_id, of_version, **values: (
            ConnectionBudget.objects.filter(pk=of_id, version=of_version),
            {**dict.fromkeys(emptied), **{name: values[name] for name in given}},
        )
    )
