"""Returns begun before the route went live: nothing is sent until a person releases them, and nothing is done twice."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from connectors.simulators.woocommerce.records import Order
from connectors.simulators.woocommerce.refund_writing import RefundLine
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import HistoryEntry, Route
from returnsops.services import replan as planning
from returnsops.services import routes
from tests.journeys.world import World, go_live, world

pytestmark = pytest.mark.django_db
LIST = "/admin/returnsops/returnauthorisation/?view=release"


def _as(w: World, name: str) -> Client:
    client = Client()
    client.force_login(w.users[name])
    return client


def _due(w: World, sku: str = "TEE-BLK-M", *, units: int = 2) -> tuple[Order, str]:
    """Goods in and sellable, refund decided; planned in shadow."""
    order = w.order((w.product(sku), units))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00")
    w.settle()
    return order, return_id


def _live(w: World) -> None:
    w.shift(60)
    go_live(w)
    w.settle()


def _text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def _ask_release(w: World, *return_ids: str, by: str = "OPS", **data: str) -> Any:
    chosen = [w.rma(return_id).pk for return_id in return_ids]
    return _as(w, by).post(LIST, {"action": "release_selected", "_selected_action": chosen, **data}, follow=True)


def _release(w: World, *return_ids: str, why: str = "nothing was done by hand") -> str:
    """Look at the confirm page, then confirm just that; the words of the page that was looked at."""
    page = _ask_release(w, *return_ids).content.decode()
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found is not None
    _ask_release(w, *return_ids, confirmed="yes", why=why, seen=found.group(1))
    w.settle()
    return _text(page)


def test_returns_from_before_wait_in_a_list_and_go_out_once_when_they_are_released() -> None:
    with world(is_live=False) as w:
        (first, first_id), (second, second_id), (third, third_id) = (_due(w, f"SKU-{number}") for number in range(3))
        _live(w)
        assert w.writes() == []
        page = _text(_as(w, "OPS").get(LIST).content.decode())
        assert page.count("Refund €30.00 (the shop pays), Restock 1") == 3

        shown = _release(w, first_id, second_id)
        assert "2 returns begun before the route went live, €60.00 goes out in all." in shown
        for order, return_id in ((first, first_id), (second, second_id)):
            assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
            assert len(w.restock_records(order)) == 1
            assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
            entry = HistoryEntry.objects.get(act="return_released", rma=w.rma(return_id))
            assert (entry.by, entry.why) == ("ops", "nothing was done by hand")
        assert (w.shop.refunds_of(third.id), w.effect(third_id, states.REFUND).state) == ([], states.HELD)
        assert "None of these waits for release" in _ask_release(w, first_id).content.decode()


def test_refunded_by_hand_in_shadow_is_not_paid_again_after_going_live_and_release() -> None:
    with world(is_live=False) as w:
        order, return_id = _due(w)
        by_hand = w.shop.staff_refund(order.id, Decimal("30.00"), reason="we did it by hand until now")
        w.settle()
        _live(w)
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]
        _release(w, return_id)
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]
        assert w.shop.gateway_payouts == []


def test_refunded_by_hand_with_nothing_told_and_a_backdated_start_is_not_paid_again() -> None:
    """No webhook told of it, and polling did not come round either: the look before the first send sees it."""
    with world(is_live=False) as w:
        order, return_id = _due(w)
        began = w.now()
        w.shift(3600)
        by_hand = w.shop.staff_refund(order.id, Decimal("30.00"))
        w.shop.state.sender.pending().clear()
        for team in routes.SIGNING_TEAMS:
            policy = Route.objects.get().policy
            assert policy is not None
            routes.sign_policy(policy=policy, team=team, by=w.users[team], at=w.now())
        requested_at = w.rma(return_id).requested_at
        assert requested_at is not None
        assert requested_at <= began
        routes.set_mode(route=Route.objects.get(), mode=states.ROUTE_LIVE, by="ops", at=w.now(), live_from=requested_at)
        w.settle()
        assert [refund.id for refund in w.money_refunds(order)] == [by_hand.id]
        assert w.shop.gateway_payouts == []


def test_goods_put_back_by_hand_before_are_not_put_back_again_after_release() -> None:
    with world(is_live=False) as w:
        product = w.product(stock=10)
        order = w.order((product, 2))
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
        w.settle()
        by_hand = RefundLine(item_id=order.items[0].id, quantity=1, total=Decimal("30.00"))
        w.shop.staff_refund(order.id, Decimal("30.00"), lines=[by_hand], is_restocked=True)
        stock = w.shop.state.products[product.id].stock_quantity
        w.settle()
        _live(w)
        _release(w, return_id)
        assert w.refund_posts() == 0
        assert w.shop.state.products[product.id].stock_quantity == stock
        assert states.CASE_RESTOCK_IMPOSSIBLE in w.open_cases()

        case = ExceptionCase.objects.get(kind_code=states.CASE_RESTOCK_IMPOSSIBLE)
        _as(w, "WH").post(
            f"/admin/exceptions_queue/exceptioncase/{case.pk}/action/waive_hold/",
            {"waive_hold-reason": "put back by us"},
        )
        w.settle()
        assert states.CASE_RESTOCK_IMPOSSIBLE not in w.open_cases()
        assert w.shop.state.products[product.id].stock_quantity == stock


def test_money_above_the_limit_still_waits_for_a_second_person_after_release() -> None:
    with world(policy_tables='[routes.policy.refund.approval_threshold]\nEUR = "20.00"', is_live=False) as w:
        order, return_id = _due(w)
        _live(w)
        _release(w, return_id)
        assert w.effect(return_id, states.REFUND).state == states.AWAITING_APPROVAL
        assert w.money_refunds(order) == []
        assert w.open_cases() == [states.CASE_NEEDS_APPROVAL]


def test_what_changed_since_it_was_looked_at_is_shown_again_and_nothing_is_released() -> None:
    with world(is_live=False) as w:
        order, return_id = _due(w)
        _live(w)
        page = _ask_release(w, return_id).content.decode()
        found = re.search(r'name="seen" value="([^"]+)"', page)
        assert found is not None
        w.shop.staff_refund(order.id, Decimal("5.00"), reason="sorry")
        w.settle()
        again = _ask_release(w, return_id, confirmed="yes", why="fine", seen=found.group(1)).content.decode()
        assert "What would go out changed since you looked." in again
        assert w.rma(return_id).released_at is None
        assert w.refund_posts() == 0


def test_a_release_without_a_reason_or_across_pages_releases_nothing() -> None:
    with world(is_live=False) as w:
        _, return_id = _due(w)
        _live(w)
        page = _ask_release(w, return_id).content.decode()
        found = re.search(r'name="seen" value="([^"]+)"', page)
        assert found is not None
        for data in ({"why": " "}, {"why": "fine", "select_across": "1"}):
            _ask_release(w, return_id, confirmed="yes", seen=found.group(1), **data)
            assert w.rma(return_id).released_at is None, data
        w.settle()
        assert w.rma(return_id).released_at is None
        assert w.writes() == []


def test_nobody_but_operations_releases() -> None:
    with world(is_live=False) as w:
        _, return_id = _due(w)
        _live(w)
        for team in ("CX", "FIN", "WH", "MER"):
            _ask_release(w, return_id, by=team, confirmed="yes", why="fine")
            url = f"/admin/returnsops/returnauthorisation/{w.rma(return_id).pk}/act/release_return/"
            assert _as(w, team).post(url, {"why": "fine"}).status_code == 403, team
        w.settle()
        assert (w.rma(return_id).released_at, w.writes()) == (None, [])


def test_one_return_is_released_from_its_page_with_what_goes_out_beside_it() -> None:
    with world(is_live=False) as w:
        order, return_id = _due(w)
        _live(w)
        url = f"/admin/returnsops/returnauthorisation/{w.rma(return_id).pk}/act/release_return/"
        page = _text(_as(w, "OPS").get(url).content.decode())
        assert "Refund €30.00 (the shop pays)" in page
        assert "Money of it €30.00" in page
        _as(w, "OPS").post(url, {"why": "checked"})
        w.settle()
        assert len(w.money_refunds(order)) == 1


def test_a_crash_between_release_and_plan_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with world(is_live=False) as w:
        orders = [_due(w, f"SKU-{number}") for number in range(2)]
        _live(w)

        def dies(**_: Any) -> None:
            raise RuntimeError("the worker died")

        with monkeypatch.context() as patch:
            patch.setattr(planning, "replan", dies)
            ids = [w.rma(return_id).pk for _, return_id in orders]
            released = routes.release_returns(rma_ids=ids, by="ops", at=w.now(), why="checked")
        assert len(released) == 2
        assert w.writes() == []
        assert planning.replan_due(at=w.now()) >= 2
        w.settle()
        assert [len(w.money_refunds(order)) for order, _ in orders] == [1, 1]
