"""Shopify compared: every check sees what was planted and nothing else, and owners stay owners."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from connectors.shopify import documents
from connectors.shopify.links import number_of
from connectors.simulators.shopify.marks import find_metafield
from connectors.simulators.shopify.records import Order, Variant
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from exceptions_queue.subjects import find_subject
from reconciliation import causes
from returnsops import states
from tests.journeys.shopify_world import ShopifyWorld, gid, shopify_world
from tests.reconciliation.played import compare, finding, found, found_by_order, owner_of

pytestmark = pytest.mark.django_db

FEW_MARKS = 'notes = ["authorised"]\nmirrors = ["status"]'
HOUR = 3600


def back(w: ShopifyWorld, *, units: int = 2) -> tuple[Variant, Order, str]:
    """One sellable unit of an article of its own is back; the shop is to pay for it."""
    tee = w.variant(f"TEE-{len(w.store.state.variants)}")
    order = w.sale((tee, units))
    return_id = w.returning(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00", executed_by="commerce_platform")
    return tee, order, return_id


def status_of(w: ShopifyWorld, order: Order) -> Any:
    """Our metafield on the order."""
    return find_metafield(w.store.state, gid("Order", order.id), "returnsops", "status")


@pytest.mark.requirement("S1-26")
def test_every_check_compares_and_finds_what_was_planted_and_a_person_raises_what_no_check_can_see() -> None:
    with shopify_world(policy=FEW_MARKS) as w:
        played = [back(w) for _ in range(5)]
        (_, clean, _), (_, lost, gone), (old, lowered, _), (twice, raised, _), (_, marked, marked_return) = played
        _, whole, _ = back(w, units=1)
        w.settle()
        w.shift(HOUR)
        runs = compare(w)
        assert [(run.difference_count, run.not_comparable) for run in runs] == [(0, {})] * 9
        assert runs[1].totals == {"units": {"here": "6", "there": "6"}}
        matched = {run.check_code: run.matched_count for run in runs}
        assert (matched["stock_levels"], matched["order_marks"]) == (6, 12)

        del w.store.state.groups[int(number_of(w.effect(gone, states.RESTOCK).remote_id))]
        w.store.staff_adjust(old, w.main, delta=-1)  # another system wrote the old figure back
        w.store.staff_adjust(twice, w.main, delta=1)  # somebody put the unit in by hand as well
        marked.note, status_of(w, marked).value = "", "all well"
        w.store.edit(whole, add=[w.variant("MUG")])  # refunded in full, and a mug is to be sent
        w.shift(HOUR)
        compare(w)
        planted = {
            (lost.id, causes.RESTOCK_MISSING),
            (lowered.id, causes.LEVEL_NOT_UPDATED),
            (raised.id, causes.LEVEL_RAISED),
            (marked.id, causes.NOTE_MISSING),
            (marked.id, causes.FIELD_DIFFERS),
            (whole.id, causes.ORDER_LEFT_OPEN),
        }
        assert found_by_order() == {(gid("Order", number), cause) for number, cause in planted}
        assert gid("Order", clean.id) not in {order for order, _ in found_by_order()}
        assert owner_of(causes.LEVEL_RAISED) == (causes.CASE_STOCK_DIFFERS, states.WH)
        assert finding(causes.LEVEL_RAISED).there == "a figure of 10 instead of 9"
        assert (finding(causes.FIELD_DIFFERS).there, owner_of(causes.NOTE_MISSING)[1]) == ("all well", states.CX)

        for case in ExceptionCase.objects.active().filter(kind_code=causes.CASE_MARK_MISSING):
            queue.run_action(case=case, action_code="write_again", by=w.users["CX"], at=w.now(), reason="")
        w.store.staff_adjust(old, w.main, delta=1)
        w.store.staff_adjust(twice, w.main, delta=-1)
        w.store.edit(whole, quantities={whole.lines[1].id: 0})
        w.settle()
        w.shift(HOUR)
        compare(w)
        assert found() == [("restocked_units", causes.RESTOCK_MISSING)]
        assert (marked.note or "").endswith(f"[{w.rma(marked_return).label}/authorised]")
        assert status_of(w, marked).value == "Goods inspected; refunded €30.00"

        case = queue.raise_by_hand(
            kind=states.CASE_STAFF_RAISED,
            subject=find_subject("return", w.rma(gone).label),
            title="One tee fewer on the shelf than in the shop",
            cause="Counted twice.",
            by=w.users["WH"],
            at=w.now(),
        )
        compare(w)
        case.refresh_from_db()
        assert (case.is_active, case.owner_team) == (True, states.WH)


WRITES = {name for name in documents.names() if "mutation " in documents.document(name)}


@pytest.mark.requirement("S1-2")
def test_what_one_side_owns_the_other_cannot_change_and_trying_is_a_case() -> None:
    """Shopify owns order, money and stock; the platform status and disposition (the ownership table of the route)."""
    with shopify_world(is_telling=True) as w:
        order = w.sale((w.variant(), 3))
        line, anna = order.lines[0], w.store.add_staff("Anna", email="anna@example.test")
        return_id = w.returning(order, quantity=2)
        w.platform.receive(return_id)
        verdict = {"item_id": w.item_id(return_id), "quantity": 2, "outcome": "accepted", "disposition": "damaged"}
        w.platform.complete_inspection(return_id, [{**verdict, "disposition_final": True}])
        w.settle()
        assert w.open_cases() == []

        def order_here() -> Any:
            row = w.rma(return_id).order
            assert row is not None
            kept = row.lines.get(external_id=gid("LineItem", line.id))
            return (row.total, kept.quantity, kept.sku, kept.net, [(one.id, one.quantity) for one in order.lines])

        def judged_here() -> Any:
            rma = w.rma(return_id)
            return rma.status, [*rma.lines.values_list("quantity", "sku")], w.effects(return_id, states.RESTOCK)

        def restock_by_hand() -> None:
            w.store.staff_refund(order, Decimal(0), lines={line.id: 2}, restock_type="RETURN", staff=anna)
            w.poll()

        def overwrite_status() -> None:
            status_of(w, order).value = "Return closed, all well"
            w.shift(HOUR)
            compare(w)

        item = w.platform.account.returns[return_id]["items"][0]
        table: list[tuple[str, Callable[[], Any], Callable[[], Any], str]] = [
            ("disposition, in the shop", restock_by_hand, judged_here, states.CASE_RESTOCKED_BY_HAND),
            ("status, in the shop", overwrite_status, judged_here, causes.CASE_MARK_MISSING),
            (
                "order, by the platform",
                lambda: w.pay(return_id, "75.00", quantity=2, executed_by="commerce_platform"),
                order_here,
                states.CASE_AMOUNT_MISMATCH,
            ),
            (
                "order lines, by the platform",
                lambda: w.platform.update(return_id, {"items": [{**item, "sku": "CAP", "quantity": 4}]}),
                order_here,
                states.CASE_TOO_MANY_UNITS,
            ),
        ]
        for what, act, seen, case in table:
            before = seen()
            act()
            w.settle()
            assert (what, seen(), case in w.open_cases()) == (what, before, True)

        sent = {call.body["operationName"] for call in w.store.calls.matching("POST", r"graphql\.json$")}
        assert sent & WRITES == {"MetafieldsSet", "TagsAdd", "OrderNote"}
