"""What of an order is being returned already: units of our own returns, and which refunds in the shop are theirs."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from returnsops import states
from returnsops.facts import OrderSnapshot, names_of
from returnsops.models import Connection, Effect, Refund, ReturnAuthorisation, ReturnLine


@dataclass(frozen=True, kw_only=True)
class ReturnedBefore:
    """Units per order line of returns that did not end, and the ids of refunds in the shop that belong to those."""

    units: Mapping[str, int]
    refund_ids: frozenset[str]


def returned_before(*, connection: Connection, order: OrderSnapshot) -> ReturnedBefore:
    """What our rows know of this order of a shop; ``order`` is the order as it was read now."""
    mine = Q(order__connection=connection, order__external_id=order.order_id)
    not_linked = Q(order__isnull=True, route__commerce=connection, order_external_id__in=names_of(order.order_id))
    returns = ReturnAuthorisation.objects.filter(mine | not_linked).exclude(status__in=states.RETURN_ENDED)
    units: dict[str, int] = {}
    for line in ReturnLine.objects.filter(rma__in=returns, is_withdrawn=False).select_related("order_line"):
        line_id = _line_id(line, order)
        if line_id:
            units[line_id] = units.get(line_id, 0) + line.quantity
    return ReturnedBefore(units=units, refund_ids=_refund_ids(returns, connection=connection, order=order))


def _line_id(line: ReturnLine, order: OrderSnapshot) -> str:
    """The line of the order as it is now; where the platform named none, the only one with the item's SKU."""
    named = line.order_line.external_id if line.order_line else line.order_line_external_id
    if named:
        return next((one.line_id for one in order.lines if named in names_of(one.line_id)), named)
    found = [one.line_id for one in order.lines if one.kind == "item" and line.sku and one.sku == line.sku]
    return found[0] if len(found) == 1 else ""


def _refund_ids(
    returns: QuerySet[ReturnAuthorisation], *, connection: Connection, order: OrderSnapshot
) -> frozenset[str]:
    effects = Effect.objects.filter(rma__in=returns, kind=states.REFUND).values_list("key", "remote_id")
    keys = {key for key, _ in effects}
    by_us = {refund.refund_id for refund in order.refunds if refund.key and _business_key(refund.key) in keys}
    adopted = {remote_id for _, remote_id in effects if remote_id}
    attributed = Refund.objects.filter(
        rma__in=returns,
        order__connection=connection,
        order__external_id=order.order_id,
    )
    return frozenset(by_us | adopted | set(attributed.values_list("external_id", flat=True)))


def _business_key(remote_key: str) -> str:
    """The key without its generation."""
    return remote_key.rpartition("#")[0] or remote_key
