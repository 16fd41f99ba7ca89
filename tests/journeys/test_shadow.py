"""A route in shadow is compared with what people do in the shop, so that a team can decide to go live."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from connectors.simulators.woocommerce.records import Order
from connectors.simulators.woocommerce.refund_writing import RefundLine
from returnsops.models import Route, ShadowComparison
from returnsops.selectors import shadow
from tests.journeys.world import World, go_live, world

pytestmark = pytest.mark.django_db


def _due(w: World, sku: str) -> tuple[Order, str]:
    order = w.order((w.product(sku), 2))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00")
    w.settle()
    w.shift(60)
    return order, return_id


def _by_hand(w: World, order: Order, amount: str, *, is_restocked: bool = False) -> None:
    line = RefundLine(item_id=order.items[0].id, quantity=1, total=Decimal(amount))
    w.shop.staff_refund(order.id, Decimal(amount), lines=[line], is_restocked=is_restocked)
    w.settle()


def _seen(w: World, return_id: str) -> tuple[Any, ...]:
    row = ShadowComparison.objects.get(rma=w.rma(return_id))
    return (row.money, row.our_amount, row.their_amount, row.stock, row.our_units, row.their_units)


def _text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def _as(w: World, name: str) -> Client:
    client = Client()
    client.force_login(w.users[name])
    return client


def test_the_comparison_follows_what_people_do_and_sends_nothing() -> None:
    with world(is_live=False) as w:
        order, return_id = _due(w, "ONE")
        ours = Decimal("30.00")
        assert _seen(w, return_id) == ("not_yet", ours, Decimal(0), "not_yet", 1, 0)
        _by_hand(w, order, "30.00", is_restocked=True)
        assert _seen(w, return_id) == ("equal", ours, ours, "equal", 1, 1)
        w.shop.staff_refund(order.id, Decimal("4.00"), reason="shipping as well")
        w.settle()
        assert _seen(w, return_id) == ("people_more", ours, Decimal("34.00"), "equal", 1, 1)
        assert w.writes() == []


def test_polling_alone_brings_what_people_did() -> None:
    with world(is_live=False) as w:
        order, return_id = _due(w, "ONE")
        w.shop.staff_refund(order.id, Decimal("20.00"))
        w.shop.state.sender.pending().clear()
        w.shift(600)
        w.poll()
        w.settle()
        assert _seen(w, return_id)[:3] == ("we_more", Decimal("30.00"), Decimal("20.00"))
        assert w.writes() == []


def test_what_we_would_still_wait_for_is_said() -> None:
    with world(is_live=False) as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.pay(return_id, "30.00")
        w.settle()
        w.shift(60)
        _by_hand(w, order, "30.00")
        row = ShadowComparison.objects.get(rma=w.rma(return_id))
        assert (row.money, row.our_amount, row.our_amount_waiting) == ("people_more", Decimal(0), Decimal("30.00"))
        assert "waits for" in row.waits


def test_figures_on_the_route_the_list_and_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with world(is_live=False) as w:
        equal, _ = _due(w, "EQUAL")
        less, less_id = _due(w, "LESS")
        _due(w, "LATER")
        _by_hand(w, equal, "30.00", is_restocked=True)
        _by_hand(w, less, "25.00")
        route = Route.objects.get()
        figures = shadow.figures(route)
        assert (figures.returns, figures.money.in_words) == (3, "50.0 % (1 of 2)")
        assert [one.in_words for one in figures.sums] == ["we €60.00, people €55.00: we would have refunded €5.00 more"]
        page = _text(_as(w, "FIN").get(f"/admin/returnsops/route/{route.pk}/change/").content.decode())
        assert "Money agrees 50.0 % (1 of 2); we would have refunded more for 1, people refunded more for 0" in page
        rows = _text(_as(w, "FIN").get("/admin/returnsops/shadowcomparison/?view=differ").content.decode())
        assert "we €30.00, people €25.00" in rows
        assert "people €30.00" not in rows

        call_command("shadow", "--route", "main", "--json")
        (told,) = json.loads(capsys.readouterr().out)["routes"]
        assert (told["money"]["agreement_percent"], told["sums"]["EUR"]["difference"]) == ("50.0", "5.00")
        assert [row["return"] for row in told["differ"]] == [less_id]
        call_command("shadow")
        assert "money agrees: 50.0 % (1 of 2); not refunded by people yet: 1" in capsys.readouterr().out
        with pytest.raises(CommandError, match=r"There is no route 'nowhere'. Known: main\."):
            call_command("shadow", "--route", "nowhere")


def test_two_returns_of_one_order_each_get_what_was_done_for_them() -> None:
    with world(is_live=False) as w:
        order = w.order((w.product(), 2))
        ids = []
        for _ in range(2):
            return_id = w.ask(order)
            w.platform.receive(return_id)
            w.judge(return_id)
            w.pay(return_id, "30.00")
            w.settle()
            w.shift(60)
            ids.append(return_id)
            _by_hand(w, order, "30.00", is_restocked=True)
            w.shift(60)
        thirty = Decimal("30.00")
        assert [_seen(w, return_id) for return_id in ids] == [("equal", thirty, thirty, "equal", 1, 1)] * 2
        assert w.writes() == []


def test_what_we_send_ourselves_is_compared_no_more() -> None:
    with world(is_live=False) as w:
        _, old_id = _due(w, "OLD")
        before = _seen(w, old_id)
        go_live(w)
        _, new_id = _due(w, "NEW")
        assert not ShadowComparison.objects.filter(rma=w.rma(new_id)).exists()
        assert _seen(w, old_id) == before
