"""Shopify's own returns: goods in flight seen early, tracked, processed without money and closed; or the platform's."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.shopify import return_mutations
from exceptions_queue.models import ExceptionCase
from returnsops import states
from tests.journeys.shopify_world import gid, shopify_world

pytestmark = pytest.mark.django_db

OURS = '[routes.policy.shop_return]\nwriter = "us"\n'
THEIRS = '[routes.policy.shop_return]\nwriter = "platform"\n'
REASONS = 'return_reasons = { too_small = "too-small" }\n'


@pytest.mark.requirement("S5-4")
@pytest.mark.requirement("S1-35")
@pytest.mark.parametrize("fault", [FaultKind.LOST_ANSWER, FaultKind.LATE_COMMIT])
def test_goods_in_flight_are_seen_early_and_the_return_is_closed_when_all_is_through(fault: FaultKind) -> None:
    with shopify_world(policy_tables=OURS, settings=REASONS) as w:
        for operation in ("ReturnCreate", "ReverseDeliveryCreate", "ReturnProcess"):
            w.store.faults.script(Fault(kind=fault, path_pattern=f"#{operation}$", delay_s=20))
        tee = w.variant()
        order = w.sale((tee, 2))
        return_id = w.returning(order)
        asked_at = w.now()
        w.settle()
        (opened,) = w.store.state.returns.values()
        assert (opened.status, [line.quantity for line in opened.lines]) == ("OPEN", [1])
        assert (w.now() - asked_at).total_seconds() < 15 * 60
        key = w.effect(return_id, states.OPEN_RETURN).key
        assert opened.lines[0].note == f"{key} Return {w.rma(return_id).label}"

        w.platform.label(return_id, carrier="ups")
        w.platform.in_transit(return_id)
        w.settle()
        (delivery,) = w.store.state.reverse_deliveries.values()
        assert delivery.tracking_number == w.rma(return_id).parcels.get().tracking_number

        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00", executed_by="commerce_platform")
        w.settle()
        assert (opened.status, opened.lines[0].processed, opened.lines[0].refunded) == ("CLOSED", 1, 0)
        assert (w.store.refunded_total(order), w.stock(tee)) == (Decimal(30), 9)
        assert (len(w.store.state.returns), len(w.store.state.reverse_deliveries)) == (1, 1)
        assert w.open_cases() == []


@pytest.mark.requirement("S5-4")
def test_a_return_whose_goods_never_come_is_cancelled_there_and_one_of_unsent_goods_is_a_case() -> None:
    with shopify_world(policy_tables=OURS) as w:
        return_id = w.returning(w.sale((w.variant(), 1)))
        w.settle()
        w.platform.cancel(return_id)
        w.settle()
        (opened,) = w.store.state.returns.values()
        assert (opened.status, w.open_cases()) == ("CANCELED", [])

        unsent = w.returning(w.sale((w.variant("CAP"), 1), is_fulfilled=False))
        w.settle()
        assert len(w.store.state.returns) == 1
        assert "were not sent yet" in w.effect(unsent, states.OPEN_RETURN).error_text
        assert w.open_cases() == [states.CASE_REJECTED_MESSAGE]


@pytest.mark.requirement("S5-4")
def test_where_the_platform_writes_returns_itself_ours_is_looked_for_and_never_made() -> None:
    with shopify_world(policy_tables=THEIRS) as w:
        order = w.sale((w.variant(), 2))
        return_id = w.returning(order)
        w.settle(horizon=timedelta(minutes=5))
        assert (w.asked("ReturnCreate"), w.effect(return_id, states.OPEN_RETURN).state) == ([], states.READY)
        (unit,) = [line for sent in order.fulfilments for line in sent.lines]
        line = {"fulfillmentLineItemId": gid("FulfillmentLineItem", unit.id), "quantity": 1, "returnReason": "UNWANTED"}
        given = {"returnInput": {"orderId": gid("Order", order.id), "returnLineItems": [line]}}
        made = return_mutations.return_create(w.store.state, given)["return"]
        w.settle(horizon=timedelta(minutes=20))
        effect = w.effect(return_id, states.OPEN_RETURN)
        assert (effect.state, effect.remote_id, w.asked("ReturnCreate")) == (states.DONE, gid("Return", made.id), [])

        never = w.returning(w.sale((w.variant("CAP"), 1)))
        w.settle(horizon=timedelta(hours=8))
        assert (w.effect(never, states.OPEN_RETURN).state, w.asked("ReturnCreate")) == (states.FAILED, [])
        case = ExceptionCase.objects.active().get()
        assert case.kind_code == states.CASE_EXHAUSTED_MESSAGE
        assert "open the return in the shop by hand" in case.cause


@pytest.mark.requirement("S5-4")
def test_a_return_edited_in_flight_is_followed_by_the_shops_own_and_all_of_it_is_closed() -> None:
    """Three shirts are to come back, then one, sent; then two and a mug in the same parcel, and these arrive."""
    with shopify_world(policy_tables=OURS) as w:
        w.store.faults.script(
            Fault(kind=FaultKind.LATE_COMMIT, path_pattern="#RemoveFromReturn$", delay_s=20),
            Fault(kind=FaultKind.LOST_ANSWER, path_pattern="#ReturnCreate$"),
            Fault(kind=FaultKind.LOST_ANSWER, path_pattern="#ReverseDeliveryCreate$"),
        )
        shirt, mug = w.variant(), w.variant("MUG", price="12.00")
        order = w.sale((shirt, 3), (mug, 1))
        return_id = w.returning(order, quantity=3)
        w.settle()
        item = w.platform.account.returns[return_id]["items"][0]
        line = order.lines[1]
        cup: dict[str, Any] = {"order_line_id": gid("LineItem", line.id), "variant_id": gid("ProductVariant", mug.id)}
        cup |= {"sku": "MUG", "quantity": 1, "reason_code": "too_small", "total": "12.00", "id": "item_mug"}

        def held() -> list[tuple[str, list[int]]]:
            return [(one.status, [row.quantity for row in one.lines]) for one in w.store.state.returns.values()]

        w.platform.update(return_id, {"items": [{**item, "quantity": 1}]})
        w.settle()
        assert (held(), w.open_cases()) == ([("OPEN", [1])], [])
        w.platform.label(return_id, carrier="ups")
        w.platform.in_transit(return_id)
        w.settle()
        assert len(w.store.state.reverse_deliveries) == 1
        w.platform.update(return_id, {"items": [{**item, "quantity": 2}, cup]})
        w.settle()
        assert (held(), w.open_cases()) == ([("OPEN", [1]), ("OPEN", [1, 1])], [])
        assert len(w.asked("RemoveFromReturn")) == 1
        number = w.rma(return_id).parcels.get().tracking_number
        deliveries = list(w.store.state.reverse_deliveries.values())
        assert [one.tracking_number for one in deliveries] == [number, number]
        assert len({one.reverse_order_id for one in deliveries}) == 2
        before = len(w.store.calls.all())
        w.settle()
        assert len(w.store.calls.all()) == before

        w.platform.receive(return_id)
        sellable = {"outcome": "accepted", "disposition": "sellable", "disposition_final": True}
        found = [{"item_id": w.item_id(return_id), "quantity": 2, **sellable}]
        w.platform.complete_inspection(return_id, [*found, {"item_id": "item_mug", "quantity": 1, **sellable}])
        parts = [{"item_id": w.item_id(return_id), "quantity": 2, "amount": "60.00"}]
        parts.append({"item_id": "item_mug", "quantity": 1, "amount": "12.00"})
        w.platform.issue_refund(return_id, amount="72.00", items=parts, executed_by="commerce_platform")
        w.settle()
        assert (held(), w.open_cases()) == ([("CLOSED", [1]), ("CLOSED", [1, 1])], [])
        processed = [row.processed for one in w.store.state.returns.values() for row in one.lines]
        assert (processed, w.stock(shirt), w.stock(mug)) == ([1, 1, 1], 9, 10)
        assert w.store.refunded_total(order) == Decimal("72.00")
