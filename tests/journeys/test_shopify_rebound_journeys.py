"""Shopify and ReBound: requests seen early, money and stock on the verdict, each once, whoever else pays by hand."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client

from connectors.registry import connector_for, link_for
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.shopify.records import Order, Variant
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Refund
from returnsops.services import approvals, switches
from tests.journeys.rebound_world import MEANING, ShopifyPair, shopify_pair
from tests.journeys.shopify_world import gid
from tests.journeys.world import START

pytestmark = pytest.mark.django_db

PAID = Decimal("30.00")
OURS = '[routes.policy.shop_return]\nwriter = "us"\n'
V1_CALLS = {"/returns/search/json", "/returns/get/json", "/tracking/get/json"}


def moved(p: ShopifyPair) -> tuple[int, int]:
    """How often the shop was asked for money, and for stock."""
    return len(p.w.asked("RefundCreate")), len(p.w.asked("InventoryAdjust"))


def statuses(p: ShopifyPair) -> list[str]:
    """Every status the order's metafield was given, in turn."""
    fields = [field for call in p.w.asked("MetafieldsSet") for field in call["metafields"]]
    return [field["value"] for field in fields if field["key"] == "status"]


def exported(p: ShopifyPair, team: str) -> list[str]:
    """The lines of the file of reasons that a person of a team downloads."""
    client = Client()
    client.force_login(p.w.users[team])
    answer = client.get("/admin/returnsops/returnline/export/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv")
    return answer.content.decode().splitlines()


@pytest.mark.requirement("S5-1")
@pytest.mark.requirement("S5-2")
@pytest.mark.requirement("S5-4")
@pytest.mark.requirement("S5-7")
@pytest.mark.requirement("S5-8")
@pytest.mark.requirement("S5-13")
@pytest.mark.requirement("S5-19")
@pytest.mark.requirement("S5-20")
@pytest.mark.requirement("S5-26")
def test_from_the_request_to_the_closed_return_each_system_keeps_its_own_truth() -> None:
    """Two of three articles come back, one of two shirts among them; one is sellable, one broken.

    ReBound names other prices, and is only ever read: money is the shop's; status, reason and verdict are ReBound's.
    """
    with shopify_pair(tables=OURS) as p:
        tee, mug, cap = p.w.variant(), p.w.variant("MUG-RED", price="12.00"), p.w.variant("CAP")
        order = p.w.sale((tee, 2), (mug, 1), (cap, 1))
        return_id = p.ask(order, tee, mug, price="99.00")
        asked_at = p.w.now()
        p.poll()
        (opened,) = p.w.store.state.returns.values()
        assert (opened.status, [(line.quantity, line.processed) for line in opened.lines]) == ("OPEN", [(1, 0), (1, 0)])
        assert (p.w.now() - asked_at).total_seconds() < 16 * 60
        assert moved(p) == (0, 0)

        p.account.track(return_id, "Entered Our Network")
        p.poll()
        (delivery,) = p.w.store.state.reverse_deliveries.values()
        assert delivery.tracking_number == p.account.returns[return_id]["tracking"]
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        assert p.w.rma(return_id).status == states.RECEIVED
        assert moved(p) == (0, 0)

        p.account.dispose(return_id, "GRADE A", "BIN")
        p.poll()
        assert sorted(p.w.paid_back(order)) == [Decimal("12.00"), PAID]
        assert [p.w.stock(one) for one in (tee, mug, cap)] == [9, 9, 9]
        (adjusted,) = p.w.asked("InventoryAdjust")
        (change,) = adjusted["input"]["changes"]
        assert (adjusted["input"]["name"], change["delta"]) == ("available", 1)
        assert (change["locationId"], change["inventoryItemId"]) == (
            gid("Location", p.w.main.id),
            gid("InventoryItem", tee.item_id),
        )
        assert (opened.status, p.w.open_cases()) == ("CLOSED", [])
        line = p.w.rma(return_id).lines.get(sku=tee.sku)
        assert line.reason is not None
        assert (line.reason.code, line.reason_source_code) == ("faulty", "Damaged")
        assert statuses(p) == [
            "Return authorised, waiting for the goods",
            "Goods on their way back",
            "Goods received, waiting for inspection",
            "Goods inspected; refunded €42.00",
        ]
        tokens = [effect.payload["token"] for effect in p.w.effects(return_id, states.NOTE)]
        assert [(order.note or "").count(token) for token in tokens] == [1] * len(tokens)
        assert {call.path for call in p.account.calls.all()} == V1_CALLS
        assert exported(p, "MER") == [
            "month,reason,title,platform_reason,platform,sku,name,units,returns",
            "2026-11,faulty,Faulty,Damaged,rebound,MUG-RED,Article MUG-RED,1,1",
            "2026-11,faulty,Faulty,Damaged,rebound,TEE-BLK-M,Article TEE-BLK-M,1,1",
        ]


@pytest.mark.requirement("S5-2")
@pytest.mark.requirement("S5-6")
@pytest.mark.requirement("S5-14")
def test_refund_on_receipt_pays_neither_earlier_nor_twice_and_moves_no_stock() -> None:
    """A parcel with its label in the box: what is heard first is that it is on its way."""
    with shopify_pair(trigger="received") as p:
        tee, order = p.sold()
        item = {"sku_code": tee.sku}
        return_id = p.placed(order.name, item, status="Entered Our Network")
        p.poll()
        (waiting,) = p.w.effects(return_id, states.REFUND)
        assert (waiting.state, [hold["text"] for hold in waiting.holds]) == (
            states.HELD,
            ["waits for the parcel to arrive"],
        )
        assert moved(p) == (0, 0)
        p.account.track(return_id, "Arrived at Our Hub")
        p.poll()
        assert (p.w.paid_back(order), p.w.stock(tee), moved(p)) == ([PAID], 8, (1, 0))
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        p.account.track(return_id, "Delivered")
        p.poll()
        assert (p.w.paid_back(order), p.w.stock(tee), moved(p)) == ([PAID], 9, (1, 1))
        assert p.w.open_cases() == []


@pytest.mark.requirement("S5-15")
@pytest.mark.requirement("S5-16")
@pytest.mark.requirement("S5-21")
def test_lost_answers_on_every_side_leave_each_thing_done_once_and_read_back() -> None:
    with shopify_pair() as p:
        tee, order = p.sold()
        return_id = p.ask(order, tee)
        for path in ("/returns/search", "/returns/get", "/tracking/get"):
            p.account.faults.script(Fault(kind=FaultKind.SERVER_ERROR, path_pattern=path))
        for operation in ("RefundCreate", "InventoryAdjust"):
            for fault in (FaultKind.RATE_LIMITED, FaultKind.LOST_REQUEST, FaultKind.LATE_COMMIT):
                p.w.store.faults.script(Fault(kind=fault, path_pattern=f"#{operation}$", delay_s=20, retry_after_s=20))
        p.account.track(return_id, "Arrived at Our Hub")
        p.account.dispose(return_id, "GRADE A")
        for _ in range(4):
            p.poll()
        assert (p.w.paid_back(order), p.w.stock(tee), p.w.open_cases()) == ([PAID], 9, [])
        for kind, operation in ((states.REFUND, "RefundCreate"), (states.RESTOCK, "InventoryAdjust")):
            effect = p.w.effect(return_id, kind)
            assert effect.state == states.CONFIRMED
            assert {call["key"] for call in p.w.asked(operation)} == {p.w.asked(operation)[0]["key"]}
            begun = [attempt.started_at for attempt in effect.attempts.order_by("started_at")]
            waits = [later - earlier for earlier, later in pairwise(begun)]
            assert (len(waits) >= 2, waits[0] >= timedelta(seconds=20)) == (True, True)
        assert p.w.refund(order).note.startswith(f"{p.w.effect(return_id, states.REFUND).key} Return RB-{return_id}")


def judged(p: ShopifyPair, order: Order, variant: Variant) -> str:
    """One article back at the hub and sellable, all read in one go; the return's id."""
    return_id = p.ask(order, variant)
    p.account.track(return_id, "Arrived at Our Hub")
    p.account.dispose(return_id, "GRADE A")
    p.poll()
    return return_id


@pytest.mark.requirement("S5-21")
def test_money_and_stock_fail_and_recover_each_alone() -> None:
    """A gateway that fails hours later, a location that is closed, an article that is no longer sold."""
    with shopify_pair() as p:
        tee, mug, cap = p.w.variant(), p.w.variant("MUG-RED", price="12.00"), p.w.variant("CAP", price="8.00")
        order, second, third = (p.w.sale((one, 1)) for one in (tee, mug, cap))
        p.w.store.set_gateway("shopify_payments", "PENDING")
        return_id = judged(p, order, tee)
        assert (p.w.effect(return_id, states.REFUND).state, p.w.stock(tee)) == (states.DONE, 10)
        (transaction,) = [p.w.store.state.transactions[one] for one in p.w.refund(order).transaction_ids]
        p.w.store.settle(transaction, "FAILURE", error_code="CARD_DECLINED")
        p.w.settle(horizon=timedelta(hours=7))
        assert (p.w.open_cases(), p.w.store.refunded_total(order)) == ([states.CASE_FAILED_LATER], Decimal(0))
        assert (moved(p), p.w.effect(return_id, states.RESTOCK).state) == ((1, 1), states.CONFIRMED)

        p.w.store.set_gateway("shopify_payments", "SUCCESS")
        p.w.store.deactivate_location(p.w.main.id)
        return_id = judged(p, second, mug)
        assert (p.w.paid_back(second), p.w.stock(mug)) == ([Decimal("12.00")], 9)
        assert p.w.open_cases() == [states.CASE_FAILED_LATER, states.CASE_REJECTED_STOCK]
        restock = p.w.effect(return_id, states.RESTOCK)
        assert (restock.state, moved(p)) == (states.REJECTED, (2, 1))
        p.w.main.is_active = True
        approvals.requeue(effect_id=restock.pk, by=p.w.users["WH"], at=p.w.now(), why="the location is open again")
        p.w.settle()
        assert (p.w.stock(mug), p.w.open_cases()) == (10, [states.CASE_FAILED_LATER])

        p.w.store.delete_product(cap.product_id)
        judged(p, third, cap)
        assert p.w.paid_back(third) == [Decimal("8.00")]
        assert p.w.open_cases() == [states.CASE_FAILED_LATER, states.CASE_RESTOCK_IMPOSSIBLE]
        assert moved(p) == (3, 2)


@pytest.mark.requirement("S5-18")
def test_a_refund_by_hand_before_and_after_ours_never_leads_to_a_second_one_of_ours() -> None:
    with shopify_pair() as p:
        tee = p.w.variant()
        before, after = p.w.sale((tee, 2)), p.w.sale((tee, 2))
        first, second = p.ask(before, tee), p.ask(after, tee)
        anna = p.w.store.add_staff("Anna", email="anna@example.test")
        p.poll()
        p.w.store.staff_refund(before, PAID, lines={before.lines[0].id: 1}, staff=anna)
        for return_id in (first, second):
            p.account.track(return_id, "Arrived at Our Hub")
            p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert (p.w.paid_back(before), p.w.paid_back(after)) == ([PAID], [PAID])
        (row,) = Refund.objects.filter(order=p.w.rma(first).order)
        assert (row.origin, row.rma) == (Refund.EXTERNAL, p.w.rma(first))
        assert row.author.startswith("Anna (Shopify staff ")
        assert p.w.effects(first, states.REFUND)[0].state == states.EFFECT_CANCELLED
        assert p.w.open_cases() == []  # ReBound never pays, so nobody has to tell it
        assert p.w.stock(tee) == 8

        p.w.store.staff_refund(after, PAID, lines={after.lines[0].id: 1}, staff=anna)
        p.w.poll()
        p.w.settle()
        p.account.track(second, "Delivered")
        p.poll()
        assert len(p.w.asked("RefundCreate")) == 1
        assert p.w.open_cases() == [states.CASE_REFUNDED_OUTSIDE]
        (asked,) = ExceptionCase.objects.active().filter(kind_code=states.CASE_REFUNDED_OUTSIDE)
        assert (asked.owner_team, asked.subject_label) == ("FIN", p.w.rma(second).label)


def test_early_changed_and_refused_reads_cost_time_and_lose_nothing() -> None:
    """The return is read before its order is there, is edited in flight, and both systems refuse us for a while."""
    with shopify_pair() as p:
        tee, mug = p.w.variant(), p.w.variant("MUG-RED", price="12.00")
        early = p.placed("#1001", {"sku_code": tee.sku}, {"sku_code": mug.sku})
        p.poll()
        assert (p.w.rma(early).order, moved(p)) == (None, (0, 0))
        order = p.w.sale((tee, 2), (mug, 1))
        assert order.name == "#1001"
        p.w.settle()
        assert p.w.rma(early).order is not None

        p.account.track(early, "Entered Our Network")
        p.poll()
        p.account.returns[early]["item"] = p.account.returns[early]["item"][:1]  # the shopper keeps the mug
        p.account.api_key, good_key = "regenerated", p.account.api_key
        p.poll()
        assert p.w.open_cases() == [states.CASE_CONNECTION_AUTH]
        p.account.api_key = good_key
        p.w.store.revoke_tokens()
        p.account.track(early, "Arrived at Our Hub")
        p.account.dispose(early, "GRADE A")
        switches.resume_connection(connection=p.w.connection("rebound"), reason="new key", by="ops", at=p.w.now())
        p.poll()
        assert (p.w.connection("shop").is_paused, p.w.open_cases()) == (True, [states.CASE_CONNECTION_AUTH])
        assert (p.w.paid_back(order), p.w.stock(tee)) == ([], 8)
        p.w.store.add_token()
        switches.resume_connection(connection=p.w.connection("shop"), reason="new token", by="ops", at=p.w.now())
        p.w.settle()
        assert (p.w.paid_back(order), p.w.stock(tee), p.w.stock(mug)) == ([PAID], 9, 9)
        assert p.w.open_cases() == []


EXCHANGES = '[routes.policy.exchange]\nwriter = "us"\nrelease = "inspected"\n[routes.policy.write_back]\nto_do = []\n'
NAMED = {
    "each": "$.item",
    "map": {
        "id": "@.item_id",
        "lines": {"each": "@.reason", "map": {"sku": {"path": "@.additional.value", "as": "strip"}}},
    },
}


def swap(sku: str | None) -> dict[str, Any]:
    """What the shopper answered: another article instead, which the platform may or may not name."""
    answer = {"action": "return", "reason": "Damaged", "wish": "Swap", "additional": {"title": "Other", "value": sku}}
    return {"reason": [answer]}


def test_a_wish_for_another_article_becomes_one_order_where_it_is_named_and_a_case_where_it_is_not() -> None:
    with shopify_pair(tables=EXCHANGES) as p:
        p.mean({**MEANING, "resolution": {**MEANING["resolution"], "Swap": "exchange"}}, exchanges=NAMED)
        tee, other = p.w.variant(), p.w.variant("TEE-BLK-L")
        named, unnamed = p.w.sale((tee, 1)), p.w.sale((tee, 1))
        first, second = p.ask(named, tee, **swap(other.sku)), p.ask(unnamed, tee, **swap(None))
        p.poll()
        assert p.w.asked("ExchangeOrderCreate") == []
        assert p.w.open_cases() == [states.CASE_MANUAL_EXCHANGE]
        for return_id in (first, second):
            p.account.track(return_id, "Arrived at Our Hub")
            p.account.dispose(return_id, "GRADE A")
        p.poll()
        p.account.track(first, "Delivered")
        p.poll()
        made = [order for order in p.w.store.state.orders.values() if order.id not in (named.id, unnamed.id)]
        assert [[(line.variant_id, line.quantity) for line in order.lines] for order in made] == [[(other.id, 1)]]
        assert p.w.effect(first, states.EXCHANGE).state == states.CONFIRMED
        assert (p.w.stock(tee), p.w.stock(other), moved(p)[0]) == (10, 9, 0)
        assert p.w.open_cases() == [states.CASE_MANUAL_EXCHANGE]

        p.account.change_item(second, 0, reason=[{"action": "return", "reason": "Damaged", "wish": "Refund"}])
        p.poll()
        assert (p.w.paid_back(unnamed), p.w.open_cases()) == ([PAID], [])


def test_a_wish_made_again_is_one_order_and_another_only_once_the_first_was_taken_back() -> None:
    with shopify_pair(tables=f'{EXCHANGES}[routes.policy.reversal]\nexchange = "automatic"\n') as p:
        wishes = {**MEANING["resolution"], "Keep": "none", "Swap": "exchange"}
        p.mean({**MEANING, "resolution": wishes}, exchanges=NAMED)
        tee, other = p.w.variant(), p.w.variant("TEE-BLK-L")
        order = p.w.sale((tee, 1))
        return_id = p.ask(order, tee, **swap(other.sku))
        p.poll()

        def wish(answer: dict[str, Any]) -> list[str]:
            """The shopper changes the answer; the states of the replacement orders, oldest first."""
            p.account.change_item(return_id, 0, **answer)
            p.poll()
            made = [one for one in p.w.store.state.orders.values() if one.id != order.id]
            return ["cancelled" if one.cancelled_at else "open" for one in made]

        keep = {"reason": [{"action": "return", "reason": "Damaged", "wish": "Keep"}]}
        assert wish(keep) == []
        assert wish(swap(other.sku)) == []
        p.account.track(return_id, "Arrived at Our Hub")
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert wish(swap(other.sku)) == ["open"]
        assert wish(keep) == ["cancelled"]
        assert wish(swap(other.sku)) == ["cancelled", "open"]
        p.account.track(return_id, "Delivered")
        p.poll()
        keys = [effect.key for effect in p.w.effects(return_id, states.EXCHANGE)]
        assert (len(p.w.asked("ExchangeOrderCreate")), [key.removeprefix(keys[0]) for key in keys]) == (2, ["", ":2"])
        assert (p.w.stock(other), p.w.open_cases()) == (9, [])


def test_a_verdict_taken_back_changes_the_plan_and_after_money_and_stock_moved_is_told_to_two_teams() -> None:
    with shopify_pair() as p:
        tee, order = p.sold()
        return_id = p.ask(order, tee)
        p.poll()
        shop = p.w.connection("shop")
        p.account.dispose(return_id, "GRADE A")
        switches.pause_connection(connection=shop, reason="stock take", by="ops", at=p.w.now())
        p.poll()
        assert {p.w.effect(return_id, kind).state for kind in (states.REFUND, states.RESTOCK)} == {states.READY}
        p.account.dispose(return_id, None)
        p.poll()
        switches.resume_connection(connection=shop, reason="done", by="ops", at=p.w.now())
        p.w.settle()
        assert (p.w.paid_back(order), p.w.stock(tee), moved(p)) == ([], 8, (0, 0))

        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert (p.w.paid_back(order), p.w.stock(tee), p.w.open_cases()) == ([PAID], 9, [])
        p.account.dispose(return_id, None)
        p.poll()
        owners = dict(ExceptionCase.objects.active().values_list("kind_code", "owner_team"))
        assert owners == {states.CASE_REFUND_CONTRADICTED: "FIN", states.CASE_RESTOCK_CONTRADICTED: "WH"}
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert (p.w.open_cases(), moved(p)) == ([], (1, 1))


@pytest.mark.requirement("S5-22")
@pytest.mark.requirement("S5-23")
def test_a_peak_stays_within_the_shops_limit_and_its_orders_are_read_again_in_bulk() -> None:
    """All is due in one moment and costs more than ten times what the shop's bucket holds."""
    with shopify_pair() as p:
        p.w.store.bucket.size, p.w.store.bucket.restore_rate = 115, 12
        tee = p.w.variant(stock=500)
        orders = [p.w.sale((tee, 1)) for _ in range(7)]
        for order in orders:
            return_id = p.ask(order, tee)
            p.account.track(return_id, "Arrived at Our Hub")
            p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert (p.w.store.bucket.spent > 10 * 115, p.w.store.throttled) == (True, 0)
        assert ([p.w.paid_back(order) for order in orders], p.w.stock(tee)) == ([[PAID]] * 7, 500)
        calls = len(p.w.store.calls.matching("POST", r"graphql\.json$"))
        assert calls <= 35 * len(orders)  # docs/performance.md
        connector = connector_for("shopify")
        assert connector.list_orders is not None
        p.w.store.bucket.size, p.w.store.bucket.restore_rate = 2000, 100
        p.w.shift(60)
        page = connector.list_orders(link_for(p.w.connection("shop")), START, "")
        assert len(page.orders) == len(orders)
        assert len(p.w.store.calls.matching("POST", r"graphql\.json$")) == calls + 1
