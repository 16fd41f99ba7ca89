"""Order snapshots into rows (S1-27): lines, refunds by anyone, and the returns that wait for the order."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from returnsops import states
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund, names_of
from returnsops.models import Connection, Effect, Order, OrderLine, Refund, ReturnAuthorisation
from returnsops.planning.view import order_fingerprint
from returnsops.prepared import Prepared

from . import audit, view_reads
from .order_documents import refund_lines_document


@transaction.atomic
def apply_order(*, connection: Connection, snapshot: OrderSnapshot, at: datetime) -> Order:
    """Store the order as it was when the read began (``at``); an older read changes nothing.

    Marks every return of the order for planning where something changed, and links returns that waited for it.
    """
    order, is_new = _locked_order(connection, snapshot, at=at)
    if not is_new and at < order.read_at:
        return order
    has_changed = is_new or order.fingerprint != order_fingerprint(snapshot)
    for name, value in _order_fields(snapshot, at=at).items():
        setattr(order, name, value)
    order.save()
    if _store_lines(order, snapshot.lines):
        has_changed = True
        _match_again(order)
    has_changed |= _store_refunds(order, snapshot.refunds, at=at)
    _link_returns(order)
    if has_changed:
        order.returns.update(is_dirty=True)
    return order


def _locked_order(connection: Connection, snapshot: OrderSnapshot, *, at: datetime) -> tuple[Order, bool]:
    """The row of the order, and whether it was just made."""
    for known in _LOCKED.objects(connection_id=connection.pk, external_id=snapshot.order_id):
        return known, False
    order, is_new = Order.objects.get_or_create(
        connection=connection, external_id=snapshot.order_id, defaults=_order_fields(snapshot, at=at)
    )
    return (order, True) if is_new else (Order.objects.select_for_update().get(pk=order.pk), False)


ORDER_NAMED: Final = Prepared(
    lambda connection_id, external_id: Order.objects.filter(connection=connection_id, external_id=external_id)
)
_LOCKED: Final = Prepared(
    lambda connection_id, external_id: Order.objects.select_for_update().filter(
        connection=connection_id, external_id=external_id
    )
)


@transaction.atomic
def mark_gone(*, connection: Connection, order_id: str, at: datetime) -> Order | None:
    """The order is in the bin or not found any more; None where we never saw it."""
    order = Order.objects.select_for_update().filter(connection=connection, external_id=order_id).first()
    if order is None or at < order.read_at:
        return order
    order.is_gone = True
    order.read_at = at
    order.fingerprint = ""
    order.save(update_fields=["is_gone", "read_at", "fingerprint"])
    order.returns.update(is_dirty=True)
    return order


def _order_fields(snapshot: OrderSnapshot, *, at: datetime) -> dict[str, object]:
    return {
        "number": snapshot.number,
        "status": snapshot.status,
        "currency": snapshot.currency,
        "total": snapshot.total,
        "placed_at": snapshot.placed_at,
        "modified_at": snapshot.modified_at,
        "paid_at": snapshot.paid_at,
        "customer_external_id": snapshot.customer_id,
        "customer_email": snapshot.customer_email,
        "channel": snapshot.channel,
        "payment_method": snapshot.payment_method,
        "payment_reference": snapshot.payment_reference,
        "is_locked": snapshot.is_locked,
        "lock_reason": snapshot.lock_reason,
        "is_gone": snapshot.is_gone,
        "fingerprint": order_fingerprint(snapshot),
        "read_at": at,
    }


def _store_lines(order: Order, lines: tuple[OrderLineSnapshot, ...]) -> bool:
    """Upsert the listed lines, mark the missing ones as removed; tells whether anything changed."""
    known = {row.external_id: row for row in view_reads.ORDER_LINES.objects(order_id=order.pk)}
    has_changed = False
    for position, line in enumerate(lines):
        has_changed |= _store_line(order, line, known.pop(line.line_id, None), position=position)
    if known:
        removed = order.lines.filter(external_id__in=list(known), is_removed=False).update(is_removed=True)
        has_changed |= removed > 0
    return has_changed


def _store_line(order: Order, line: OrderLineSnapshot, row: OrderLine | None, *, position: int) -> bool:
    fields = _line_fields(line, position=position)
    if row is None:
        OrderLine.objects.create(order=order, external_id=line.line_id, **fields)
        return True
    changed = [name for name, value in fields.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, fields[name])
    if changed:
        row.save(update_fields=changed)
    return bool(changed)


def _match_again(order: Order) -> None:
    """What an edit of the order added or took away is what a return may have named."""
    for rma in _OF_ORDER.objects(order_id=order.pk):
        match_lines(rma=rma)


_OF_ORDER: Final = Prepared(lambda order_id: ReturnAuthorisation.objects.filter(order=order_id).order_by("pk"))


def _line_fields(line: OrderLineSnapshot, *, position: int) -> dict[str, object]:
    return {
        "kind": line.kind,
        "name": line.name,
        "sku": line.sku,
        "product_external_id": line.product_id,
        "variation_external_id": line.variation_id,
        "quantity": line.quantity,
        "net": line.net,
        "taxes": [{"rate_id": share.rate_id, "amount": format(share.amount, "f")} for share in line.taxes],
        "is_sku_ambiguous": line.is_sku_ambiguous,
        "reduced_stock": line.reduced_stock,
        "position": position,
        "is_removed": False,
    }


def _store_refunds(order: Order, refunds: tuple[RemoteRefund, ...], *, at: datetime) -> bool:
    """Upsert the listed refunds, mark the missing ones as vanished; tells whether anything changed."""
    known = {row.external_id: row for row in view_reads.ORDER_REFUNDS.objects(order_id=order.pk)}
    has_changed = False
    for refund in refunds:
        has_changed |= _store_refund(order, refund, known.pop(refund.refund_id, None), at=at)
    for row in known.values():
        has_changed |= _mark_vanished(row, at=at)
    return has_changed


def _store_refund(order: Order, refund: RemoteRefund, row: Refund | None, *, at: datetime) -> bool:
    if row is None:
        Refund.objects.create(order=order, external_id=refund.refund_id, **_refund_fields(refund, order=order))
        return True
    fields = _refund_fields(refund, order=order) | {"vanished_at": None}
    changed = [name for name, value in fields.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, fields[name])
    if changed:
        row.save(update_fields=changed)
    if "vanished_at" in changed:
        text = f"Refund {row.external_id} is in the shop again."
        audit.record(act="refund_reappeared", by=audit.SYSTEM, at=at, subject=row, text=text)
    return bool(changed)


def _refund_fields(refund: RemoteRefund, *, order: Order) -> dict[str, object]:
    key = refund.key or _adopted_key(refund, order=order)
    return {
        "origin": Refund.OURS if is_our_key(key) else Refund.EXTERNAL,
        "key": key,
        "amount": refund.amount,
        "currency": refund.currency,
        "lines": refund_lines_document(refund.lines),
        "reason": refund.reason[:500],
        "author": refund.author,
        "is_gateway_paid": refund.is_gateway_paid,
        "refunded_at": refund.created_at,
    }


def _adopted_key(refund: RemoteRefund, *, order: Order) -> str:
    """The key of our effect that has this record, where the record itself does not carry it; '' = made outside."""
    ours = Effect.objects.filter(order=order, kind__in=sorted(states.MONEY_KINDS), state__in=sorted(states.COMMITTED))
    owner = ours.filter(remote_id=refund.refund_id).first()
    return owner.key if owner and not refund.is_zero_money else ""


def is_our_key(remote_key: str) -> bool:
    """Whether an effect of ours has this remote key; a key of some other installation is not ours."""
    return bool(remote_key) and bool(_OURS.rows(key=remote_key.rpartition("#")[0] or remote_key))


_OURS: Final = Prepared(lambda key: Effect.objects.filter(key=key).values_list("pk"))


def _mark_vanished(row: Refund, *, at: datetime) -> bool:
    if row.vanished_at is not None:
        return False
    row.vanished_at = at
    row.save(update_fields=["vanished_at"])
    audit.record(
        act="refund_vanished",
        by=audit.SYSTEM,
        at=at,
        subject=row,
        text=f"Refund {row.external_id} is no longer in the shop.",
    )
    return True


def _link_returns(order: Order) -> None:
    """Tie returns that named this order, by its id, before it was read."""
    names = names_of(order.external_id)
    for rma in _WAITING.objects(commerce_id=order.connection_id, order_id=names[0], short_id=names[-1]):
        link_order(rma=rma, order=order)


_WAITING: Final = Prepared(
    lambda commerce_id, order_id, short_id: ReturnAuthorisation.objects.filter(
        Q(order_external_id=order_id) | Q(order_external_id=short_id), order__isnull=True, route__commerce=commerce_id
    )
)


def link_order(*, rma: ReturnAuthorisation, order: Order) -> None:
    """Tie one return to its order and match its lines."""
    rma.order = order
    rma.order_next_read_at = None
    rma.currency = rma.currency or order.currency
    rma.is_dirty = True
    rma.save(update_fields=["order", "order_next_read_at", "currency", "is_dirty"])
    order.returns.update(is_dirty=True)  # what it asks for counts for the others
    match_lines(rma=rma)


def match_lines(*, rma: ReturnAuthorisation) -> None:
    """Match return lines to order lines: by line id, else by variant, else by SKU, only if exactly one line fits.

    A line that an edit removed is found by its id only: an article that was removed and added again is not ambiguous.
    """
    if rma.order_id is None:
        return
    candidates = [line for line in view_reads.ORDER_LINES.objects(order_id=rma.order_id) if line.kind == "item"]
    for line in view_reads.EVER_LINES.objects(rma_id=rma.pk):
        found = _matching(line.order_line_external_id, line.variant_external_id, line.sku, candidates)
        if line.order_line_id != (found.pk if found else None):
            line.order_line = found
            line.save(update_fields=["order_line"])


def _matching(line_id: str, variant_id: str, sku: str, candidates: list[OrderLine]) -> OrderLine | None:
    if line_id:
        return next((line for line in candidates if line_id in names_of(line.external_id)), None)
    fits = [line for line in candidates if not line.is_removed and _is_same_article(line, variant_id, sku)]
    return fits[0] if len(fits) == 1 else None


def _is_same_article(line: OrderLine, variant_id: str, sku: str) -> bool:
    if variant_id:
        return variant_id in names_of(line.variation_external_id or line.product_external_id)
    return bool(sku) and line.sku == sku and not line.is_sku_ambiguous
