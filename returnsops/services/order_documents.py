"""Order snapshots as JSON and back, so that what was read is recorded in the inbox and can be replayed."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund, RemoteRefundLine, TaxShare


def to_document(order: OrderSnapshot) -> dict[str, Any]:
    """Plain JSON: money and times as text."""
    document: dict[str, Any] = json.loads(json.dumps(asdict(order), default=_text))
    return document


def from_document(document: Mapping[str, Any]) -> OrderSnapshot:
    """The snapshot again, equal to what was recorded. Raises KeyError or TypeError on a foreign document."""
    fields = dict(document)
    for name in ("placed_at", "modified_at", "paid_at"):
        fields[name] = _time(fields.get(name))
    fields["total"] = Decimal(fields["total"])
    fields["lines"] = tuple(_line(line) for line in fields["lines"])
    fields["refunds"] = tuple(_refund(refund) for refund in fields["refunds"])
    return OrderSnapshot(**fields)


def taxes_from(rows: list[Mapping[str, str]]) -> tuple[TaxShare, ...]:
    """Tax shares from their stored form."""
    return tuple(TaxShare(rate_id=row["rate_id"], amount=Decimal(row["amount"])) for row in rows)


def refund_lines_from(rows: list[Mapping[str, Any]]) -> tuple[RemoteRefundLine, ...]:
    """Refund lines from their stored form."""
    return tuple(
        RemoteRefundLine(
            line_id=row["line_id"],
            quantity=row["quantity"],
            net=Decimal(row["net"]),
            taxes=taxes_from(row["taxes"]),
        )
        for row in rows
    )


def refund_lines_document(lines: tuple[RemoteRefundLine, ...]) -> list[dict[str, Any]]:
    """Refund lines in their stored form."""
    document: list[dict[str, Any]] = json.loads(json.dumps([asdict(line) for line in lines], default=_text))
    return document


def _line(row: Mapping[str, Any]) -> OrderLineSnapshot:
    fields = dict(row)
    fields["net"] = Decimal(fields["net"])
    fields["taxes"] = taxes_from(fields["taxes"])
    return OrderLineSnapshot(**fields)


def _refund(row: Mapping[str, Any]) -> RemoteRefund:
    fields = dict(row)
    fields["amount"] = Decimal(fields["amount"])
    fields["created_at"] = _time(fields["created_at"])
    fields["lines"] = refund_lines_from(fields["lines"])
    return RemoteRefund(**fields)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in a recorded order.")
