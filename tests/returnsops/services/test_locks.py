"""The lock order on PostgreSQL: who had to wait for a lock reads everything as it is after the wait."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction

from returnsops.models import ReturnAuthorisation
from returnsops.services.locks import FOR_PLANNING, lock_return
from tests import factories as make


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_return_that_was_linked_while_we_waited_comes_with_its_order() -> None:
    """SQLite lets one writer in at a time anyway."""
    order, rma = make.OrderFactory(), make.ReturnFactory(order=None)

    def read() -> Any:
        try:
            with transaction.atomic():
                return lock_return(rma_id=rma.pk, related=FOR_PLANNING)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock_return(rma_id=rma.pk)
            ReturnAuthorisation.objects.filter(pk=rma.pk).update(order=order)
            later = pool.submit(read)
            with pytest.raises(TimeoutError):
                later.result(0.3)  # it waits for our commit
        found = later.result(10)
    assert (found.order_id, found.order) == (order.pk, order)


@pytest.mark.django_db
def test_a_return_that_is_not_there_is_said_to_be_missing() -> None:
    with transaction.atomic(), pytest.raises(ReturnAuthorisation.DoesNotExist):
        lock_return(rma_id=0)
