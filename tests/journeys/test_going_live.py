"""Operations takes a shop live from the screens: off, shadow, live; what people did before is never done again."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from connectors import pump
from connectors.simulators.woocommerce.records import Order
from returnsops import states
from returnsops.models import Effect, HistoryEntry, Route
from returnsops.services import routes
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db


def _as(w: World, name: str) -> Client:
    client = Client()
    client.force_login(w.users[name])
    return client


def _paid(w: World, sku: str = "TEE-BLK-M", *, units: int = 2) -> tuple[Order, str]:
    """A return whose goods are in and found sellable, and whose refund the platform asked the shop for."""
    order = w.order((w.product(sku), units))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00")
    w.settle()
    return order, return_id


def _route() -> Route:
    return Route.objects.get(name="main")


def _url(act: str = "") -> str:
    return f"/admin/returnsops/route/{_route().pk}/" + (f"act/{act}/" if act else "change/")


def _sign_all(w: World) -> None:
    for team in routes.SIGNING_TEAMS:
        policy = _route().policy
        assert policy is not None
        _as(w, team).post(f"/admin/returnsops/policyversion/{policy.pk}/act/sign/", {"team": team})


def _seen(html: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', html)
    assert found is not None
    return found.group(1)


def _text(html: str) -> str:
    """The words of a page, for looking."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def _go_live_on_screen(w: World, *, live_from: datetime | None = None, is_past_meant: bool = False) -> str:
    """Look, then confirm what was seen; the words of the page that was shown last."""
    operations = _as(w, "OPS")
    given = f"{live_from:%Y-%m-%dT%H:%M}" if live_from else ""
    data = {
        "live_from": given,
        "why": "all three teams agree",
        "seen": _seen(operations.get(_url("go_live")).content.decode()),
    }
    if is_past_meant:
        data["is_past_meant"] = "on"
    answer = operations.post(_url("go_live"), data, follow=True)
    if _route().mode != states.ROUTE_LIVE and 'name="seen"' in answer.content.decode():
        data["seen"] = _seen(answer.content.decode())
        answer = operations.post(_url("go_live"), data, follow=True)
    return _text(answer.content.decode())


# --- off, shadow, live ----------------------------------------------------------------------------------------------


def test_a_route_goes_live_on_the_screens_and_only_new_returns_are_sent() -> None:
    with world(is_live=False) as w:
        old, old_id = _paid(w, "OLD")
        page = _text(_as(w, "OPS").get(_url()).content.decode())
        assert "Customer service has not signed policy 1." in page
        assert "Orders the shop" in page
        refused = _go_live_on_screen(w)
        assert "cannot go live yet: Customer service has not signed policy 1." in refused
        assert _route().mode == states.ROUTE_SHADOW

        _sign_all(w)
        w.shift(60)
        look = _text(_as(w, "OPS").get(_url("go_live")).content.decode())
        assert "Sent at once nothing" in look
        assert "Begun before, waiting for release 1 return, €30.00 planned: nothing of it is sent" in look
        assert "is live for returns begun since" in _go_live_on_screen(w)
        new, new_id = _paid(w, "NEW")
        assert [refund.amount for refund in w.money_refunds(new)] == [Decimal("30.00")]
        assert len(w.restock_records(new)) == 1
        assert (w.shop.refunds_of(old.id), w.effect(old_id, states.REFUND).state) == ([], states.HELD)
        assert w.effect(new_id, states.REFUND).state == states.CONFIRMED

        entry = HistoryEntry.objects.filter(act="route_mode").latest("pk")
        assert (entry.by, entry.text, entry.why) == ("ops", "Route main is live.", "all three teams agree")
        page = _text(_as(w, "OPS").get(_url()).content.decode())
        assert "1 return begun before the route went live sends nothing until a person releases it" in page
        for team in routes.SIGNING_TEAMS:
            assert f"{states.TEAMS[team]} {w.users[team].username}, 2 Nov 2026" in page


@pytest.mark.parametrize(("act", "mode"), [("to_shadow", states.ROUTE_SHADOW), ("switch_off", states.ROUTE_OFF)])
def test_back_to_shadow_or_off_at_any_time_and_nothing_more_is_sent(act: str, mode: str) -> None:
    with world() as w:
        _as(w, "OPS").post(_url(act), {"why": ""})
        assert _route().mode == states.ROUTE_LIVE
        _as(w, "OPS").post(_url(act), {"why": "amounts look odd"})
        assert _route().mode == mode
        _, return_id = _paid(w)
        assert w.writes() == []
        assert w.effect(return_id, states.REFUND).state == states.HELD
        entry = HistoryEntry.objects.filter(act="route_mode").latest("pk")
        assert (entry.by, entry.why) == ("ops", "amounts look odd")

        # Live again from the old date: what waited goes out, once.
        began = _route().live_from
        assert began is not None
        _go_live_on_screen(w, live_from=began, is_past_meant=True)
        w.settle()
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
        assert w.refund_posts() == 2


@pytest.mark.parametrize("act", ["go_live", "to_shadow", "switch_off"])
@pytest.mark.parametrize("team", ["CX", "FIN", "WH", "MER"])
def test_only_operations_switches_a_route(act: str, team: str) -> None:
    with world(is_live=False) as w:
        _sign_all(w)
        before = _route().mode
        client = _as(w, team)
        assert client.get(_url(act)).status_code == 403
        assert client.post(_url(act), {"why": "because", "seen": "x"}).status_code == 403
        assert _route().mode == before
        assert "Go live" not in client.get(_url()).content.decode()


def test_a_past_date_says_what_is_sent_and_wants_to_be_meant() -> None:
    with world(is_live=False) as w:
        order, return_id = _paid(w)
        _sign_all(w)
        w.shift(600)
        past = w.now() - timedelta(days=1)
        operations = _as(w, "OPS")
        data = {"live_from": f"{past:%Y-%m-%dT%H:%M}", "why": "agreed"}
        data["seen"] = _seen(operations.get(_url("go_live")).content.decode())
        page = operations.post(_url("go_live"), data).content.decode()
        assert "This date lies in the past." in page
        assert "Money of it €30.00" in _text(page)
        assert "refunds 1, restocks 1" in _text(page)
        # Ticked, but confirmed for what was seen before the date was chosen: shown once more, nothing switched.
        data["is_past_meant"] = "on"
        again = operations.post(_url("go_live"), data).content.decode()
        assert "Look at it, and confirm again" in again
        assert (_route().mode, w.writes()) == (states.ROUTE_SHADOW, [])
        operations.post(_url("go_live"), {**data, "seen": _seen(again)})
        w.settle()
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED


# --- a crash between the switch and the plan ------------------------------------------------------------------------


def test_a_crash_after_the_switch_sends_nothing_of_what_it_forbids_and_loses_nothing() -> None:
    with world() as w:
        _as(w, "OPS").post("/admin/stop/", {"scope": "all", "reason": "so that it stays ready"})
        order, return_id = _paid(w)
        refund = w.effect(return_id, states.REFUND)
        assert refund.state == states.READY
        w.shift(60)
        routes.set_mode(route=_route(), mode=states.ROUTE_SHADOW, by="ops", at=w.now())
        routes.set_mode(route=_route(), mode=states.ROUTE_LIVE, by="ops", at=w.now(), live_from=w.now())
        _as(w, "OPS").post("/admin/stop/", {"reason": "go on"})
        # The worker that would have planned it died: the row is still ready, and the pump runs first.
        assert Effect.objects.get(pk=refund.pk).state == states.READY
        pump.run(connection_id=w.connection("shop").pk, runtime=w.runtime, is_threaded=False)
        assert w.shop.refunds_of(order.id) == []
        w.settle()
        assert (w.shop.refunds_of(order.id), w.effect(return_id, states.REFUND).state) == ([], states.HELD)


def test_a_crash_after_going_live_is_made_good_by_the_next_sweep() -> None:
    with world(is_live=False) as w:
        order, return_id = _paid(w)
        w.shift(60)
        route = _route()
        assert route.policy is not None
        for team in routes.SIGNING_TEAMS:
            routes.sign_policy(policy=route.policy, team=team, by=w.users[team], at=w.now())
        before = w.now() - timedelta(days=1)
        routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="ops", at=w.now(), live_from=before)
        pump.run(connection_id=w.connection("shop").pk, runtime=w.runtime, is_threaded=False)
        assert w.writes() == []
        w.settle()
        assert len(w.money_refunds(order)) == 1
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
