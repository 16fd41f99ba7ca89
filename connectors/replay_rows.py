"""The rows that replay compares, as plain values by name: what facts made, and what the plan wanted.

Left out is what no fact decides (our own ids, times of our work) and customer data, which is redacted with age.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import Model

from returnsops.models import Effect, Order, ReturnAuthorisation
from returnsops.personal_data import REMOVED, without_mail
from returnsops.planning.keys import content_hash
from returnsops.planning.model import PlannedEffect

Row = dict[str, Any]
Rows = dict[str, Row]

CONTENT: Final = ("kind", "quantity", "amount", "currency", "payload_hash")
BY_HAND: Final = ("commerce_order_id", "settled_by", "settled_at", "settled_reference")

# Our own work and its times, what a person did by hand beside the facts, and customer data.
_LEFT_OUT: Final = frozenset(
    {
        "content_rank",
        "created_at",
        "customer_email",
        "customer_external_id",
        "is_dirty",
        "next_look_at",
        "order_next_read_at",
        "order_read_tries",
        "planned_at",
        "platform_shows",  # read by the connection's settings, which may have changed since
        "read_at",
        "reason_text",
        "recorded_at",
    }
)
# Free text goes with age, on rows and in messages, not always at once: only whether there was any is compared.
_REDACTED: Final = frozenset({"end_reason", "failure_text", "reject_reason"})
# Reasons of staff lose their e-mail addresses, on rows and in messages, not always at once.
_REASONS: Final = frozenset({"attributed_why", "why", "withdrawn_why"})


def fact_rows(rma: ReturnAuthorisation) -> Rows:
    """Every row that facts made about one return and its order."""
    rows = {"return": _columns(rma)}
    for line in rma.lines.select_related("reason", "order_line"):
        reason = line.reason.code if line.reason else None
        order_line = line.order_line.external_id if line.order_line else None
        rows[f"item {line.external_id}"] = _columns(line) | {"reason": reason, "order line": order_line}
    rows |= _named("parcel", rma.parcels.all(), "external_id")
    rows |= _named("verdict", rma.inspections.all(), "identity")
    rows |= _named("platform refund", rma.platform_refunds.all(), "external_id")
    rows |= _named("credit", rma.credits.all(), "external_id")
    rows |= _named("exchange", rma.exchanges.all(), "external_id")
    rows |= {
        f"waiver {row.hold_code} {row.effect_key} {row.subject}".strip(): _columns(row) for row in rma.waivers.all()
    }
    return rows | (_order_rows(rma.order, rma) if rma.order else {})


def _order_rows(order: Order, rma: ReturnAuthorisation) -> Rows:
    rows = {"order": _columns(order)}
    rows |= _named("order line", order.lines.all(), "external_id")
    for refund in order.refunds.all():
        mine = {"is for this return": refund.rma_id == rma.pk}
        rows[f"refund in the shop {refund.external_id}"] = _columns(refund) | mine
    return rows


def effect_rows(rma: ReturnAuthorisation) -> Rows:
    """The effects of one return by key."""
    names = (*CONTENT, "state", "origin")
    return {row.key: {name: _plain(getattr(row, name)) for name in names} for row in Effect.objects.filter(rma=rma)}


def planned_row(effect: PlannedEffect) -> Row:
    """What a plan wanted, in the same columns as a stored effect."""
    content = {name: getattr(effect, name) for name in CONTENT if name != "payload_hash"}
    return {name: _plain(value) for name, value in content.items()} | {
        "payload_hash": content_hash(dict(effect.payload))
    }


def _named(kind: str, rows: Iterable[Model], identity: str) -> Rows:
    return {f"{kind} {getattr(row, identity)}": _columns(row) for row in rows}


def _columns(row: Model) -> Row:
    """All columns but ids of our rows and what is left out."""
    fields = [field for field in row._meta.concrete_fields if not field.is_relation and not field.primary_key]
    return {
        field.name: _compared(field.name, getattr(row, field.name)) for field in fields if field.name not in _LEFT_OUT
    }


def _compared(name: str, value: Any) -> Any:
    if name in _REASONS:
        return without_mail(value)
    return (REMOVED if value else "") if name in _REDACTED else _plain(value)


def _plain(value: Any) -> Any:
    """JSON types; amounts without trailing zeros, since the database pads them."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return value
