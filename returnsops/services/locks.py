"""The lock order: order, then returns by id, then effects. SQLite's immediate transactions already lock all."""

from collections.abc import Sequence
from typing import Final

from django.db import connection

from returnsops.models import Order, ReturnAuthorisation

# What planning a return reads beside it: one join instead of five reads.
FOR_PLANNING: Final = ("connection", "order", "route__commerce", "policy")


def lock_order(*, order_id: int) -> Order:
    """Lock one order row for the rest of the transaction."""
    return Order.objects.select_for_update().get(pk=order_id)


def lock_return(*, rma_id: int, related: Sequence[str] = ()) -> ReturnAuthorisation:
    """Lock the order of a return, if it has one, then the return itself, read with what the caller needs beside it."""
    order_id = ReturnAuthorisation.objects.values_list("order_id", flat=True).get(pk=rma_id)
    if order_id is not None:
        lock_order(order_id=order_id)
    rows = ReturnAuthorisation.objects.select_related(*related) if related else ReturnAuthorisation.objects.all()
    rma = rows.select_for_update(of=("self",)).get(pk=rma_id)
    if rma.order_id != order_id and rma.order_id is not None:
        # The order was linked in between: taking its lock now is against the order only within this return.
        lock_order(order_id=rma.order_id)
    return rma


def is_in_transaction() -> bool:
    """For the rail "no network call inside a transaction"."""
    return connection.in_atomic_block
