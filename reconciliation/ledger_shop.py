"""What we left on an order for people to see, and what its restocks should have made of the shelf figures, as books."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q, QuerySet

from reconciliation.books import LedgerEffect, Mark, Restocked
from reconciliation.causes import LEVEL_NOT_UPDATED, LEVEL_RAISED
from reconciliation.models import Finding
from returnsops import states
from returnsops.facts import ArticleId, RemoteRefund, RemoteRefundLine, StockMovement
from returnsops.models import Attempt, Effect, Order, OrderLine

# Two daily looks fit in; later a figure that is too low says nothing of a restock any more.
COMPARED_FOR: Final = timedelta(days=2)
SETTLED = frozenset({states.DONE, states.CONFIRMED})


def is_new(row: Effect, *, read_at: datetime) -> bool:
    """Acknowledged after the reading began: that reading cannot say whether it is there."""
    return row.state in SETTLED and row.done_at is not None and row.done_at > read_at


# --- notes and fields ------------------------------------------------------------------------------------------------


def marks_of(order: Order, *, read_at: datetime) -> Iterable[Mark]:
    """Notes for staff and fields; what the shop mailed to a customer is with the customer."""
    for row in _marks(order):
        if row.payload.get("is_for_customer") is True or row.payload.get("remote_credit_id"):
            continue
        is_note = row.kind == states.NOTE
        is_late = is_new(row, read_at=read_at)
        yield Mark(
            effect_id=row.pk,
            return_id=row.rma_id,
            kind="note" if is_note else "field",
            name=str(row.payload.get("token" if is_note else "field", "")),
            text=str(row.payload.get("text" if is_note else "value", "")),
            state=row.state,
            is_settled=row.state in SETTLED and not is_late and (is_note or row.sent_hash == row.payload_hash),
            is_moving=is_late or row.state in states.IN_FLIGHT | states.UNSENT,
        )


def tokens_of(order: Order) -> tuple[str, ...]:
    """The tokens to look for in the notes on the order."""
    return tuple(str(row.payload["token"]) for row in _marks(order) if row.kind == states.NOTE)


def has_marks(order: Order) -> bool:
    """Whether anything was to be written on the order for people to read."""
    return _marks(order).exists()


def _marks(order: Order) -> QuerySet[Effect]:
    kinds = (states.NOTE, states.MIRROR)
    return Effect.objects.filter(connection=order.connection, order=order, kind__in=kinds).order_by("pk")


# --- shelf figures ---------------------------------------------------------------------------------------------------


def articles_of(order: Order) -> tuple[ArticleId, ...]:
    """The articles that restocks of the order put back, each once."""
    rows = Effect.objects.filter(connection=order.connection, order=order, kind=states.RESTOCK, state__in=SETTLED)
    found = dict.fromkeys(_article(row) for row in rows.order_by("pk"))
    return tuple(article for article in found if article[0])


def restocked_ids_of(order: Order) -> tuple[str, ...]:
    """Ids in the shop of the order's restocks that were acknowledged."""
    rows = Effect.objects.filter(connection=order.connection, order=order, kind=states.RESTOCK, state__in=SETTLED)
    return tuple(rows.exclude(remote_id="").order_by("pk").values_list("remote_id", flat=True))


def stock_records_of(
    order: Order, movements: Mapping[str, StockMovement | None] | None
) -> tuple[tuple[RemoteRefund, ...] | None, frozenset[str]]:
    """Restocks that stand beside the order as records like those on an order, and those that cannot be shown.

    None: this shop records restocks on the order. A movement of another article names no line of ours.
    """
    if movements is None:
        return None, frozenset()
    rows = Effect.objects.filter(connection=order.connection, order=order, kind=states.RESTOCK, state__in=SETTLED)
    records: list[RemoteRefund] = []
    for row in rows.exclude(remote_id="").order_by("pk"):
        found = movements.get(row.remote_id)
        if found is not None:
            is_article = found.article in ("", _article(row)[1])
            line_id = str(row.payload.get("line_id", "")) if is_article else found.article
            records.append(_as_record(found, key=row.key, line_id=line_id, currency=order.currency))
    return tuple(records), frozenset(row.remote_id for row in rows) - movements.keys()


def _as_record(found: StockMovement, *, key: str, line_id: str, currency: str) -> RemoteRefund:
    line = RemoteRefundLine(line_id=line_id, quantity=found.units, net=Decimal(0))
    return RemoteRefund(
        refund_id=found.movement_id,
        amount=Decimal(0),
        currency=currency,
        created_at=found.moved_at or datetime.min.replace(tzinfo=UTC),
        lines=(line,),
        key=key,
    )


def restocked_of(order: Order, effects: Sequence[LedgerEffect], *, read_at: datetime) -> Iterable[Restocked]:
    """Restocks that were sent by us with the figure before in hand; of those found by a look-up nobody knows it."""
    wanted = [effect.effect_id for effect in effects if effect.kind == states.RESTOCK and effect.is_settled]
    for row in Effect.objects.filter(pk__in=wanted).order_by("pk"):
        before = _figure_before(row)
        if before is not None and row.last_attempt_at is not None and _article(row)[0]:
            yield _restocked(row, before, since=row.last_attempt_at, read_at=read_at)


def _figure_before(row: Effect) -> int | None:
    attempts = Attempt.objects.filter(effect=row, has_sent=True, outcome="done").order_by("-number")
    for evidence in attempts.values_list("evidence", flat=True):
        figure = evidence.get(states.STOCK_BEFORE)
        return figure if isinstance(figure, int) else None
    return None


def _restocked(row: Effect, before: int, *, since: datetime, read_at: datetime) -> Restocked:
    others = list(_stock_effects(row).exclude(pk=row.pk))
    newer = _newer(since)
    # Of orders newer than this restock the lines say what is left of their sales: their own restocks are in it.
    later = [
        other
        for other in others
        if other.state in SETTLED and other.last_attempt_at is not None and other.last_attempt_at > since
    ]
    newer_ids = set(
        Order.objects.filter(newer, pk__in=[other.order_id for other in later]).values_list("pk", flat=True)
    )
    put_back = sum(_signed(other) for other in later if other.order_id not in newer_ids)
    return Restocked(
        effect_id=row.pk,
        article=_article(row),
        due=before + (row.quantity or 0) + put_back - _sold(row, newer),
        later=put_back,
        is_moving=any(other.state in states.IN_FLIGHT or is_new(other, read_at=read_at) for other in others),
        is_long_ago=since < read_at - COMPARED_FOR and not _is_found(row),
    )


def _is_found(row: Effect) -> bool:
    """What was found stays compared until the figure is right: nothing heals by age."""
    causes = (LEVEL_NOT_UPDATED, LEVEL_RAISED)
    return Finding.objects.filter(effect=row, cause__in=causes, healed_at__isnull=True).exists()


def _stock_effects(row: Effect) -> Any:
    product_id, variation_id = _article(row)
    return Effect.objects.filter(
        connection=row.connection,
        kind__in=sorted(states.STOCK_KINDS),
        payload__product_id=product_id,
        payload__variation_id=variation_id,
    )


def _signed(row: Effect) -> int:
    return (row.quantity or 0) * (1 if row.kind == states.RESTOCK else -1)


def _newer(since: datetime) -> Q:
    return Q(placed_at__gt=since) | Q(paid_at__gt=since)


def _sold(row: Effect, newer: Q) -> int:
    """Units of the article that orders placed or paid since still hold as sold."""
    product_id, variation_id = _article(row)
    lines = OrderLine.objects.filter(
        order__in=Order.objects.filter(newer, connection=row.connection),
        product_external_id=product_id,
        variation_external_id=variation_id,
        is_removed=False,
    )
    return sum(units or 0 for units in lines.values_list("reduced_stock", flat=True))


def _article(row: Effect) -> ArticleId:
    return str(row.payload.get("product_id") or ""), str(row.payload.get("variation_id") or "")
