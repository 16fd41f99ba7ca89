"""Bulk operations: one call for a whole list, whose result is a file of lines (shopify.md section 14).

They do not count against the bucket, so nothing else waits for them. A connection inside a list is not allowed in them:
refunds with their lines cannot be fetched so, and a shop's past is read by pages instead (history.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.call_templates import is_safe
from connectors.http import parse_json
from connectors.ports import Json, Link, Rejected, Retryable
from connectors.shopify import client
from connectors.shopify.documents import document
from connectors.shopify.timing import READ_TIMEOUT_S

CHUNK_BYTES: Final = 2 * 1024 * 1024
_GOING_ON: Final = frozenset({"CREATED", "RUNNING"})
_MADE: Final = "COMPLETED"


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """How a bulk operation stands: ``url`` is its result once it is done, '' for an empty one."""

    bulk_id: str
    is_done: bool
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Some lines of a result, parsed; ``next_offset`` is where the next begin, None at the end."""

    rows: tuple[Json, ...]
    next_offset: int | None


def start(link: Link, name: str) -> str:
    """Let the shop run ``queries/<name>.graphql`` over everything; the id of the operation.

    It changes nothing there, so it is sent like a read. Raises Rejected(OPERATION_IN_PROGRESS or LIMIT_REACHED) where
    too many run already.
    """
    payload = client.execute(link, "BulkQuery", {"query": document(name)}).get("bulkOperationRunQuery")
    client.refuse_user_errors(payload, name=name)
    made: Any = payload.get("bulkOperation") if isinstance(payload, Mapping) else None
    if not made:
        raise Retryable(f"{name}: the shop did not say which bulk operation it began.")
    return str(made["id"])


def look(link: Link, bulk_id: str) -> Bulk:
    """How it stands. Raises Rejected('bulk_failed') where it ended without a result."""
    row = client.execute(link, "BulkStatus", {"id": bulk_id}).get("bulkOperation")
    if not isinstance(row, Mapping):
        raise Rejected("The shop does not know this bulk operation any more.", code="bulk_failed")
    status = str(row.get("status"))
    if status in _GOING_ON:
        return Bulk(bulk_id=bulk_id, is_done=False)
    if status != _MADE:
        why = row.get("errorCode") or "no reason given"
        raise Rejected(f"The bulk operation ended as {status} ({why}).", code="bulk_failed")
    return Bulk(bulk_id=bulk_id, is_done=True, url=str(row.get("url") or ""))


def read(link: Link, url: str, *, offset: int = 0, chunk_bytes: int = CHUNK_BYTES) -> Chunk:
    """Some lines of a result from a byte on. The address is signed, so no token goes there.

    Raises Retryable, and Rejected('bulk_failed') where the result is no longer there (it is kept for seven days).
    """
    if not is_safe(url):
        raise Rejected("The result of a bulk operation would travel readable.", code="bulk_failed")
    wanted = {"Range": f"bytes={offset}-{offset + chunk_bytes - 1}"}
    answer = link.call("GET", url, headers=wanted, timeout_s=READ_TIMEOUT_S)
    if answer.status == 416:
        return Chunk(rows=(), next_offset=None)
    if answer.status in (403, 404, 410):
        raise Rejected("The result of the bulk operation is no longer there.", code="bulk_failed")
    if answer.status not in (200, 206):
        raise Retryable(f"The result of the bulk operation could not be read (HTTP {answer.status}).")
    body = answer.body if answer.status == 206 else answer.body[offset:]
    return _chunk(body, offset=offset, is_end=answer.status == 200 or len(body) < chunk_bytes)


def _chunk(body: bytes, *, offset: int, is_end: bool) -> Chunk:
    """Whole lines only; what is left of the last one is read again with the next chunk."""
    length = len(body) if is_end else body.rfind(b"\n") + 1
    if not is_end and length == 0:
        raise Retryable("A line of the bulk result is longer than a chunk.")
    rows = tuple(parse_json(line) for line in body[:length].splitlines() if line.strip())
    if any(not isinstance(row, Mapping) for row in rows):
        raise Retryable("The result of the bulk operation has a line that is no record.")
    return Chunk(rows=rows, next_offset=None if is_end else offset + length)
