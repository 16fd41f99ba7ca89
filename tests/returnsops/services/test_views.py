"""Rows into the view the plan is computed from: whose a refund is, what counts, and nothing that does not."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import ExchangeLine, RefundItem, RemoteRefundLine, TaxShare
from returnsops.models import ReturnAuthorisation
from returnsops.planning import view as v
from returnsops.services.views import is_live, view_of
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def rma() -> ReturnAuthorisation:
    """A return with an order on a live route."""
    row: ReturnAuthorisation = make.ReturnFactory()
    return row


def whose(rma: ReturnAuthorisation) -> dict[str, str]:
    return {refund.refund_id: refund.attribution for refund in view_of(rma).shop_refunds}


# --- the return ------------------------------------------------------------------------------------------------------


def test_a_bare_return_gives_a_view_of_nothing() -> None:
    rma = make.ReturnFactory(route=make.RouteFactory(), order=None, order_external_id="9001", number="")
    rma.route = rma.policy = None
    rma.save()
    view = view_of(rma)
    assert (view.order_id, view.order, view.commerce, view.shop_time_zone) == ("9001", None, "", "UTC")
    assert (view.ref, view.number) == (f"{rma.connection.name}/{rma.external_id}", rma.external_id)
    assert (view.lines, view.shop_refunds, view.effects, view.sibling_effects) == ((), (), (), ())
    assert (view.locations, view.is_live, view.place_on_order) == ({}, False, 1)


def test_a_route_to_an_erp_alone_has_no_shop() -> None:
    erp = make.ConnectionFactory()
    route = make.RouteFactory(commerce=None, erp=erp)
    view = view_of(make.ReturnFactory(route=route, order=None))
    assert (view.commerce, view.shop_time_zone) == ("", "UTC")


def test_header_and_milestones_are_taken_over(rma: ReturnAuthorisation) -> None:
    rma.received_at, rma.return_by_at, rma.is_on_risk_hold = NOW, NOW + MINUTE, True
    view = view_of(rma)
    assert rma.route is not None
    assert rma.route.commerce is not None
    assert (view.commerce, view.shop_time_zone) == (rma.route.commerce.name, "Europe/London")
    assert (view.status, view.mode, view.resolution, view.currency) == ("authorised", "on_receipt", "refund", "GBP")
    assert (view.requested_at, view.received_at, view.return_by_at) == (rma.requested_at, NOW, NOW + MINUTE)
    assert view.is_on_risk_hold
    assert view.order is not None
    assert view.order.order_id == rma.order_external_id


def test_lines_are_those_still_wanted_by_the_platforms_ids(rma: ReturnAuthorisation) -> None:
    make.ReturnLineFactory(rma=rma, external_id="b", reason=None, reason_source_code="ODD", is_matched=False, sku="S")
    matched = make.ReturnLineFactory(rma=rma, external_id="a", quantity=2)
    removed = make.ReturnLineFactory(rma=rma, external_id="c", sku="C")
    removed.order_line.is_removed = True
    removed.order_line.save()
    make.ReturnLineFactory(rma=rma, external_id="d", is_withdrawn=True)
    lines = view_of(rma).lines
    assert [(line.item_id, line.order_line_id, line.reason_code) for line in lines] == [
        ("a", matched.order_line.external_id, "too-small"),
        ("b", "", None),
        ("c", "", "too-small"),
    ]
    assert (lines[0].quantity, lines[0].total, lines[1].reason_source) == (2, Decimal("30.00"), "ODD")


def test_verdicts_that_are_superseded_are_left_out(rma: ReturnAuthorisation) -> None:
    line = make.ReturnLineFactory(rma=rma, external_id="i1")
    make.InspectionFactory(line=line, identity="old", is_superseded=True)
    make.InspectionFactory(line=line, identity="new", disposition="damaged", source="warehouse", is_final=False)
    assert view_of(rma).verdicts == (
        v.VerdictView(
            item_id="i1",
            source="warehouse",
            quantity=1,
            disposition="damaged",
            is_final=False,
            outcome="approved",
            inspected_at=NOW,
        ),
    )


# --- money ------------------------------------------------------------------------------------------------------------


def test_a_payout_with_items_is_read_in_decimals(rma: ReturnAuthorisation) -> None:
    items = [
        {"item_id": "i1", "quantity": 1, "amount": "25.00", "tax": "5.00"},
        {"item_id": "i2", "quantity": 0, "amount": "5.00", "tax": None},
    ]
    make.PlatformRefundFactory(rma=rma, items=items, shipping=Decimal("4.00"))
    payout = view_of(rma).payouts[0]
    assert payout.items == (
        RefundItem(item_id="i1", quantity=1, amount=Decimal("25.00"), tax=Decimal("5.00")),
        RefundItem(item_id="i2", quantity=0, amount=Decimal("5.00"), tax=None),
    )
    assert (payout.amount, payout.shipping, payout.is_failed) == (Decimal("30.00"), Decimal("4.00"), False)


@pytest.mark.parametrize(
    ("failed_at", "is_failed"), [(None, False), (NOW - MINUTE, False), (NOW, True), (NOW + MINUTE, True)]
)
def test_a_payout_failed_if_it_failed_after_it_was_last_issued(
    rma: ReturnAuthorisation, failed_at: object, is_failed: bool
) -> None:
    make.PlatformRefundFactory(rma=rma, issued_at=NOW, failed_at=failed_at, failure_code="declined")
    payout = view_of(rma).payouts[0]
    assert (payout.is_failed, payout.failure_text) == (is_failed, "declined")


def test_refunds_in_the_shop_are_attributed(rma: ReturnAuthorisation) -> None:
    sibling = make.ReturnFactory(route=rma.route, order=rma.order)
    make.RefundFactory(order=rma.order, external_id="1", origin="ours", key="refund:x:1#2")
    make.RefundFactory(order=rma.order, external_id="2", rma=rma)
    make.RefundFactory(order=rma.order, external_id="3", rma=sibling)
    make.RefundFactory(order=rma.order, external_id="4", is_unrelated=True)
    make.RefundFactory(order=rma.order, external_id="5", key="refund:elsewhere:1")
    make.RefundFactory(order=rma.order, external_id="6", vanished_at=NOW)
    make.RefundFactory(order=rma.order, external_id="7", amount=Decimal(0))
    make.RefundFactory(external_id="8")
    assert whose(rma) == {
        "1": "ours",
        "2": "this_return",
        "3": "other_return",
        "4": "unrelated",
        "5": "unattributed",
    }
    keys = {refund.refund_id: refund.key for refund in view_of(rma).shop_refunds}
    assert (keys["1"], keys["5"]) == ("refund:x:1", "")


def test_a_refund_in_the_shop_is_read_with_its_lines(rma: ReturnAuthorisation) -> None:
    lines = [{"line_id": "1", "quantity": 1, "net": "25.00", "taxes": [{"rate_id": "1", "amount": "5.00"}]}]
    make.RefundFactory(order=rma.order, lines=lines)
    refund = view_of(rma).shop_refunds[0]
    assert (refund.amount, refund.currency, refund.author) == (Decimal("30.00"), "GBP", "shop manager")
    shares = (TaxShare(rate_id="1", amount=Decimal("5.00")),)
    assert refund.lines == (RemoteRefundLine(line_id="1", quantity=1, net=Decimal("25.00"), taxes=shares),)


@pytest.mark.parametrize("state", sorted(states.IN_FLIGHT))
@pytest.mark.parametrize(
    ("minutes", "attribution"),
    [(-6, "unattributed"), (-5, "other_return"), (0, "other_return"), (9, "other_return")],
)
def test_while_money_is_in_flight_a_refund_made_since_is_not_called_made_outside(
    rma: ReturnAuthorisation, state: str, minutes: int, attribution: str
) -> None:
    make.EffectFactory(rma=rma, state=state, first_attempt_at=NOW)
    make.RefundFactory(order=rma.order, external_id="1", refunded_at=NOW + minutes * MINUTE)
    assert whose(rma) == {"1": attribution}


@pytest.mark.parametrize(
    "more",
    [
        {"state": states.DONE, "first_attempt_at": NOW},
        {"state": states.READY, "first_attempt_at": NOW},
        {"state": states.UNKNOWN, "first_attempt_at": None},
        {"state": states.UNKNOWN, "first_attempt_at": NOW, "restock": True},
    ],
)
def test_what_is_not_money_in_flight_explains_no_refund(rma: ReturnAuthorisation, more: dict[str, Any]) -> None:
    make.EffectFactory(rma=rma, **more)
    make.RefundFactory(order=rma.order, external_id="1", refunded_at=NOW)
    assert whose(rma) == {"1": "unattributed"}


def test_money_of_another_return_in_flight_counts_on_the_same_order_only(rma: ReturnAuthorisation) -> None:
    make.RefundFactory(order=rma.order, external_id="1", refunded_at=NOW)
    make.EffectFactory(state=states.UNKNOWN, first_attempt_at=NOW)
    assert whose(rma) == {"1": "unattributed"}
    sibling = make.ReturnFactory(route=rma.route, order=rma.order)
    make.EffectFactory(rma=sibling, state=states.UNKNOWN, first_attempt_at=NOW)
    assert whose(rma) == {"1": "other_return"}


def test_what_a_person_said_holds_while_money_is_in_flight(rma: ReturnAuthorisation) -> None:
    make.EffectFactory(rma=rma, state=states.UNKNOWN, first_attempt_at=NOW)
    make.RefundFactory(order=rma.order, external_id="1", rma=rma)
    make.RefundFactory(order=rma.order, external_id="2", is_unrelated=True)
    assert whose(rma) == {"1": "this_return", "2": "unrelated"}


# --- credits, exchanges, risks, waivers -------------------------------------------------------------------------------


def test_credits_and_exchanges_tell_whether_they_are_done(rma: ReturnAuthorisation) -> None:
    make.CreditRequestFactory(rma=rma, external_id="cr_1")
    make.CreditRequestFactory(rma=rma, external_id="cr_2", settled_at=NOW, settled_by="fiona")
    priced = {"sku": "S", "quantity": 1, "variant_id": "", "unit_price": "12.50", "replaces_item_id": "i1"}
    make.ExchangeRequestFactory(rma=rma, external_id="ex_1", lines=[priced], cancelled_at=NOW)
    make.ExchangeRequestFactory(
        rma=rma, external_id="ex_2", settled_at=NOW, settled_by="carla", commerce_order_id="9005"
    )
    view = view_of(rma)
    assert [(row.credit_id, row.is_settled) for row in view.credits] == [("cr_1", False), ("cr_2", True)]
    assert [(row.exchange_id, row.is_cancelled, row.is_settled, row.commerce_order_id) for row in view.exchanges] == [
        ("ex_1", True, False, ""),
        ("ex_2", False, True, "9005"),
    ]
    wanted = ExchangeLine(sku="S", quantity=1, unit_price=Decimal("12.50"), replaces_item_id="i1")
    assert view.exchanges[0].lines == (wanted,)
    assert view.exchanges[1].lines == (ExchangeLine(sku="SHIRT-L", quantity=1),)


def test_risks_are_read_with_and_without_an_amount(rma: ReturnAuthorisation) -> None:
    rma.risks = [
        {"risk_id": "r1", "kind": "fraud_review", "stage": "hold"},
        {"risk_id": "r2", "kind": "x", "stage": "failed", "amount": "12.50", "currency": "GBP", "liable": "merchant"},
    ]
    assert view_of(rma).risks == (
        v.RiskView(risk_id="r1", kind="fraud_review", stage="hold"),
        v.RiskView(risk_id="r2", kind="x", stage="failed", amount=Decimal("12.50"), currency="GBP", liable="merchant"),
    )


def test_waivers_are_listed(rma: ReturnAuthorisation) -> None:
    make.WaiverFactory(rma=rma, effect_key="refund:1", subject="42.00")
    view = view_of(rma)
    assert view.waivers == (v.WaiverView(hold_code="outside_window", effect_key="refund:1", subject="42.00"),)


# --- effects ----------------------------------------------------------------------------------------------------------


def test_effects_of_this_return_are_seen_in_every_state(rma: ReturnAuthorisation) -> None:
    refund = make.EffectFactory(rma=rma, state=states.EFFECT_CANCELLED, error_code="x", error_text="Refused.")
    restock = make.EffectFactory(rma=rma, restock=True, state=states.CONFIRMED, item_external_id="i1")
    found = {effect.key: effect for effect in view_of(rma).effects}
    assert set(found) == {refund.key, restock.key}
    assert (found[refund.key].state, found[refund.key].error_text) == ("cancelled", "Refused.")
    assert (found[refund.key].amount, found[refund.key].lines) == (Decimal("30.00"), ())
    assert (found[restock.key].quantity, found[restock.key].item_id, found[restock.key].lines) == (1, "i1", ())


@pytest.mark.parametrize("state", states.EFFECT_STATES)
def test_money_and_stock_of_others_on_the_order_are_reservations_while_they_live(
    rma: ReturnAuthorisation, state: str
) -> None:
    sibling = make.ReturnFactory(route=rma.route, order=rma.order)
    money = make.EffectFactory(rma=sibling, state=state)
    make.EffectFactory(rma=sibling, note=True)
    make.EffectFactory(rma=rma)
    make.EffectFactory()
    is_live_state = state not in (states.REJECTED, states.FAILED, states.EFFECT_CANCELLED)
    assert [effect.key for effect in view_of(rma).sibling_effects] == ([money.key] if is_live_state else [])


# --- places and time --------------------------------------------------------------------------------------------------


def test_the_place_of_goods_is_that_of_the_channel_else_the_general_one(rma: ReturnAuthorisation) -> None:
    for disposition, channel, code in (
        ("sellable", "", "main"),
        ("sellable", "uk", "london"),
        ("damaged", "", "bin"),
        ("quarantine", "fr", "paris"),
    ):
        location = make.LocationFactory(code=code)
        make.DispositionMappingFactory(route=rma.route, disposition=disposition, channel=channel, location=location)
    assert view_of(rma).locations == {"sellable": "main", "damaged": "bin"}
    rma.channel = "uk"
    assert view_of(rma).locations == {"sellable": "london", "damaged": "bin"}


def test_returns_of_one_order_are_numbered(rma: ReturnAuthorisation) -> None:
    make.ReturnFactory()
    second = make.ReturnFactory(route=rma.route, order=rma.order)
    assert (view_of(rma).place_on_order, view_of(second).place_on_order) == (1, 2)


@pytest.mark.parametrize(
    ("mode", "requested", "released", "expected"),
    [
        (states.ROUTE_LIVE, 0, False, True),
        (states.ROUTE_LIVE, -1, False, False),
        (states.ROUTE_LIVE, -1, True, True),
        (states.ROUTE_SHADOW, 0, True, False),
        (states.ROUTE_OFF, 0, True, False),
    ],
)
def test_a_return_is_live_from_its_routes_start_or_when_released(
    mode: str, requested: int, released: bool, expected: bool
) -> None:
    rma = make.ReturnFactory(requested_at=NOW + requested * MINUTE)
    rma.route.mode, rma.route.live_from = mode, NOW
    rma.released_at = NOW if released else None
    assert is_live(rma) is expected


def test_a_return_whose_request_is_not_known_began_when_we_first_heard_of_it() -> None:
    rma = make.ReturnFactory(requested_at=None)
    rma.route.live_from = rma.created_at
    assert is_live(rma)
    rma.route.live_from = rma.created_at + MINUTE
    assert not is_live(rma)
    rma.route.live_from = None
    assert not is_live(rma)


def test_other_returns_of_the_order_and_route_are_known_until_they_end(rma: ReturnAuthorisation) -> None:
    exchange = make.ReturnFactory(route=rma.route, order=rma.order, resolution="exchange")
    make.ReturnFactory(route=rma.route, order=rma.order, status=states.EXPIRED, ended_at=NOW)
    make.ReturnFactory(route=make.RouteFactory(commerce=rma.order.connection if rma.order else None), order=rma.order)
    make.ReturnFactory(route=rma.route)
    assert view_of(rma).open_returns == (v.BesideView(ref=exchange.ref, resolution="exchange"),)
