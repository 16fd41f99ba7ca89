"""Facts about one return into rows."""

from datetime import timedelta
from typing import Any

import pytest

from returnsops import facts, states
from returnsops.models import ReturnAuthorisation
from returnsops.services.apply_facts import apply_facts
from tests.factories import NOW, OrderFactory, OrderLineFactory, RouteFactory

pytestmark = pytest.mark.django_db


def _seen(revision: int, order_id: str, **more: Any) -> facts.ReturnSeen:
    at = NOW + timedelta(hours=revision)
    snapshot = facts.ReturnSnapshot(
        return_id="ret_1",
        revision=revision,
        status="authorised",
        mode="on_receipt",
        order_id=order_id,
        currency="GBP",
        items=(facts.ReturnItem(item_id="i1", sku="S", quantity=1, order_line_id="1"),),
        created_at=NOW,
        updated_at=at,
        **more,
    )
    return facts.ReturnSeen(return_id="ret_1", revision=revision, occurred_at=at, snapshot=snapshot)


def test_another_order_is_looked_for_anew_and_old_lines_are_let_go() -> None:
    route = RouteFactory()
    line = OrderLineFactory(order=OrderFactory(connection=route.commerce, external_id="9001"), external_id="1")
    apply_facts(connection=route.platform, new_facts=[_seen(1, "9001")], at=NOW)
    rma = ReturnAuthorisation.objects.get()
    assert (rma.order, rma.lines.get().order_line, rma.order_next_read_at) == (line.order, line, None)

    later = NOW + timedelta(days=3)
    apply_facts(connection=route.platform, new_facts=[_seen(2, "9002")], at=later)
    rma.refresh_from_db()
    assert (rma.order, rma.lines.get().order_line) == (None, None)
    assert (rma.order_next_read_at, rma.order_wanted_until_at) == (later, later + timedelta(hours=24))


def test_a_verdict_heard_before_its_return_finds_its_line() -> None:
    route = RouteFactory()
    verdict = facts.InspectedItem(
        item_id="i1", quantity=1, outcome="accepted", disposition=states.SELLABLE, is_final=True, inspected_at=NOW
    )
    judged = facts.ItemsInspected(return_id="ret_1", occurred_at=NOW, items=(verdict,), source="warehouse")
    apply_facts(connection=route.platform, new_facts=[judged, _seen(1, "9001")], at=NOW)
    rma = ReturnAuthorisation.objects.get()
    assert rma.inspections.get().line == rma.lines.get()
