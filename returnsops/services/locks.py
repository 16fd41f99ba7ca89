"""The lock order: order, then returns by id, then effects.

SQLite's immediate transactions already lock all, so there nothing is read for a lock alone.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from django.db import connection

from returnsops.models import Effect, Order, ReturnAuthorisation
from returnsops.prepared import Prepared

# What planning a return reads beside it: one join instead of five reads.
FOR_PLANNING: Final = ("connection", "order", "route__commerce", "policy")


def lock_order(*, order_id: int) -> None:
    """Lock one order row for the rest of the transaction, without reading it."""
    if connection.features.has_select_for_update:
        Order.objects.select_for_update().values_list("pk").get(pk=order_id)


def lock_return(*, rma_id: int, related: Sequence[str] = ()) -> ReturnAuthorisation:
    """Lock the order of a return, if it has one, then the return itself, read with what the caller needs beside it."""
    if connection.features.has_select_for_update:
        order_id = ReturnAuthorisation.objects.values_list("order_id", flat=True).get(pk=rma_id)
        if order_id is not None:
            lock_order(order_id=order_id)
        # Locked first and read after: a lock that had to wait gives the row as it is now, beside others as they were.
        (linked_id,) = ReturnAuthorisation.objects.select_for_update().values_list("order_id").get(pk=rma_id)
        if linked_id is not None and linked_id != order_id:
            # The order was linked in between: taking its lock now is against the order only within this return.
            lock_order(order_id=linked_id)
    return _with(tuple(related)).one(rma_id=rma_id)


@cache
def _with(related: tuple[str, ...]) -> Prepared[ReturnAuthorisation]:
    return Prepared(lambda rma_id: ReturnAuthorisation.objects.select_related(*related or (None,)).filter(pk=rma_id))


def lock_above_effect(*, effect_id: int) -> None:
    """Lock the order and the return of an effect, in this order, before the effect itself is locked."""
    if not connection.features.has_select_for_update:
        return
    known = Effect.objects.values("rma_id", "order_id").get(pk=effect_id)
    if known["order_id"] is not None:
        lock_order(order_id=known["order_id"])
    if known["rma_id"] is not None:
        lock_return(rma_id=known["rma_id"])


def is_in_transaction() -> bool:
    """For the rail "no network call inside a transaction"."""
    return connection.in_atomic_block
