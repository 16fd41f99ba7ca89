"""Shopify and ReBound: what came is not what was announced. People count it, and each unit moves once."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connectors.rebound.connector import default_mapping
from connectors.reveni.samples import sample_event
from connectors.signing import sign
from connectors.simulators.shopify.records import Order
from exceptions_queue.models import CaseState, ExceptionCase
from returnsops import states
from returnsops.services import warehouse
from tests.journeys.rebound_world import MEANING, WEBHOOK_SECRET, ShopifyPair, shopify_pair
from tests.journeys.world import as_json, post_raw

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("S5-20"), pytest.mark.requirement("S5-26")]

PAID, HAT_PRICE = Decimal("30.00"), Decimal("15.00")
WRONG = {
    **MEANING,
    "disposition": {**MEANING["disposition"], "WRONG ITEM": "quarantine"},
    "outcome": {"GRADE A": "accepted", "BIN": "accepted", "WRONG ITEM": "unexpected"},
}


def mean_wrong_items(p: ShopifyPair) -> None:
    """The hub has a word of its own for another article in the parcel."""
    rows: dict[str, Any] = default_mapping()["fields"]["inspections"]
    word = {"path": "@.final_disposition", "as": "strip"}
    p.mean(WRONG, inspections={**rows, "map": {**rows["map"], "outcome": word}})


def asked_of_shop(p: ShopifyPair) -> tuple[int, int]:
    """How often the shop was asked for money, and for stock."""
    return len(p.w.asked("RefundCreate")), len(p.w.asked("InventoryAdjust"))


def act(p: ShopifyPair, kind: str, code: str, **fields: str) -> ExceptionCase:
    """A person of the warehouse does something on the page of the one open case of a kind."""
    case = ExceptionCase.objects.active().get(kind_code=kind)
    assert (case.owner_team, case.kind is not None and case.kind.sla_hours) == ("WH", 8)
    client = Client()
    client.force_login(p.w.users["WH"])
    page = client.get(reverse("admin:exceptions_queue_exceptioncase_change", args=[case.pk]))
    assert f"{code}-reason" in page.content.decode()
    address = reverse("admin:exceptions_queue_exceptioncase_action", args=[case.pk, code])
    data = {f"{code}-{name}": value for name, value in {"reason": "looked at it", **fields}.items()}
    assert client.post(address, data).status_code == 302
    p.w.settle()
    case.refresh_from_db()
    return case


def came(p: ShopifyPair, order: Order, *words: str, **item: Any) -> str:
    """A return of the order's first article at the hub, with its dispositions; the return's id."""
    return_id = p.placed(order.name, {"sku_code": order.lines[0].sku, **item})
    p.account.track(return_id, "Arrived at Our Hub")
    p.account.dispose(return_id, *words)
    p.poll()
    return return_id


def test_another_article_in_the_parcel_moves_nothing_until_the_hub_corrects_its_word() -> None:
    with shopify_pair() as p:
        mean_wrong_items(p)
        tee, order = p.sold()
        return_id = came(p, order, "WRONG ITEM")
        assert p.w.open_cases() == [states.CASE_INSPECTION_MISMATCH]
        (case,) = ExceptionCase.objects.active()
        assert "1 x Article TEE-BLK-M was to come back, but the returns platform found 1 not announced" in case.cause
        assert p.w.rma(return_id).status == states.INSPECTED
        assert (asked_of_shop(p), p.w.paid_back(order), p.w.stock(tee)) == ((0, 0), [], 8)
        p.account.dispose(return_id, "GRADE A")
        p.poll()
        assert (p.w.open_cases(), p.w.paid_back(order), p.w.stock(tee)) == ([], [PAID], 9)
        case.refresh_from_db()
        assert case.state == CaseState.AUTO_RESOLVED
        assert asked_of_shop(p) == (1, 1)


def test_what_a_person_counts_again_drives_money_and_stock_and_each_unit_once() -> None:
    """Two announced, one word for both: one is there, the other turns up later and is broken."""
    with shopify_pair() as p:
        tee, order = p.sold()
        return_id = came(p, order, "GRADE A", quantity="2")
        assert (p.w.open_cases(), asked_of_shop(p)) == ([states.CASE_CONFIRM_SPLIT], (0, 0))
        inspect(p, return_id, sellable=1, missing=1)
        assert (p.w.paid_back(order), p.w.stock(tee)) == ([PAID], 9)
        assert p.w.open_cases() == [states.CASE_CONFIRM_SPLIT, states.CASE_GOODS_MISSING]

        case = act(p, states.CASE_GOODS_MISSING, "recount", sellable="1", damaged="1")
        assert (case.state, p.w.paid_back(order), p.w.stock(tee)) == (CaseState.AUTO_RESOLVED, [PAID, PAID], 9)
        assert p.w.open_cases() == [states.CASE_CONFIRM_SPLIT]
        p.account.track(return_id, "Delivered")
        p.poll()
        assert (asked_of_shop(p), p.w.stock(tee)) == ((2, 1), 9)


def inspect(p: ShopifyPair, return_id: str, **units: int) -> None:
    """The bench judges units of the return's only item, as its form does."""
    rma = p.w.rma(return_id)
    item_id = rma.lines.get().external_id
    verdicts = [warehouse.Verdict(item_id=item_id, quantity=count, disposition=name) for name, count in units.items()]
    warehouse.confirm_inspection(
        rma=rma, verdicts=tuple(verdicts), decision_id="form-1", by=str(p.w.users["WH"]), at=p.w.now()
    )
    p.w.settle()


def test_goods_of_another_return_are_paid_and_restocked_there_and_never_here() -> None:
    with shopify_pair() as p:
        mean_wrong_items(p)
        tee, order = p.sold(units=1)
        hat = p.w.variant("HAT", price=str(HAT_PRICE))
        theirs = p.w.sale((hat, 1))
        waiting = p.placed(theirs.name, {"sku_code": "HAT"}, status="Entered Our Network")
        came(p, order, "WRONG ITEM")
        act(p, states.CASE_INSPECTION_MISMATCH, "recount", sellable="0", other="1", other_sku="HAT")
        assert p.w.open_cases() == [states.CASE_GOODS_MISSING, states.CASE_INSPECTION_MISMATCH]
        assert asked_of_shop(p) == (0, 0)

        other = {"return": f"RB-{waiting}", "disposition": "sellable"}
        act(p, states.CASE_INSPECTION_MISMATCH, "give_to_other_return", **other)
        assert (p.w.paid_back(theirs), p.w.stock(hat)) == ([HAT_PRICE], 10)
        assert (p.w.paid_back(order), p.w.stock(tee), asked_of_shop(p)) == ([], 9, (1, 1))
        assert p.w.open_cases() == [states.CASE_GOODS_MISSING]
        act(p, states.CASE_GOODS_MISSING, "waive_hold")
        assert (p.w.open_cases(), asked_of_shop(p)) == ([], (1, 1))


def told(p: ShopifyPair, order: Order, revision: int, *found: Mapping[str, Any]) -> None:
    """A middleware delivers the completed inspection of two articles, two units of each, by the generic contract."""
    items: list[dict[str, Any]] = [
        {"id": f"i{number}", "sku": line.sku, "quantity": 2, "reason_code": "Damaged", "resolution": "refund"}
        for number, line in enumerate(order.lines, start=1)
    ]
    at = p.w.now()
    event = sample_event(
        "return.inspection_completed",
        event_id=f"evt-{revision}",
        return_id="r1",
        order_id=str(order.id),
        currency="EUR",
        items=items,
        revision=revision,
        at=at,
    )
    event["data"]["return"]["created_at"] = at.isoformat()
    final = {
        "outcome": "accepted",
        "disposition": "sellable",
        "disposition_final": True,
        "inspected_at": at.isoformat(),
    }
    event["data"]["items"] = [{**final, **one} for one in found]
    body = as_json(event)
    headers = sign(
        verifier={"kind": "standard_webhooks"}, secret=WEBHOOK_SECRET, body=body, at=at, message_id=event["id"]
    )
    assert post_raw(body, headers, connection="rebound").status_code == 202
    p.w.settle()


def test_fewer_and_more_units_and_foreign_goods_move_only_what_was_announced() -> None:
    with shopify_pair() as p:
        tee, mug = p.w.variant(), p.w.variant("MUG-RED", price="12.00")
        order = p.w.sale((tee, 3), (mug, 3))
        foreign = {"item_id": "x9", "sku": "HAT", "quantity": 1, "outcome": "unexpected"}
        more = {"item_id": "i1", "sku": tee.sku, "quantity": 3}
        told(p, order, 1, more, {"item_id": "i2", "sku": mug.sku, "quantity": 1}, foreign)
        assert p.w.open_cases() == [states.CASE_FEWER_UNITS, *[states.CASE_INSPECTION_MISMATCH] * 2]
        assert sorted(p.w.paid_back(order)) == [Decimal("12.00"), Decimal("60.00")]
        assert (p.w.stock(tee), p.w.stock(mug), asked_of_shop(p)) == (9, 8, (2, 2))
        page = Client()
        page.force_login(p.w.users["WH"])
        shown = page.get(f"/admin/returnsops/returnauthorisation/{p.w.rma('r1').pk}/change/").content.decode()
        assert "HAT: Returns platform" in shown

        p.w.shift(60)
        told(p, order, 2, {**more, "quantity": 2}, {"item_id": "i2", "sku": mug.sku, "quantity": 2})
        assert p.w.open_cases() == [states.CASE_INSPECTION_MISMATCH], "the hat is still there, and a person sees to it"
        act(p, states.CASE_INSPECTION_MISMATCH, "waive_hold")
        assert p.w.open_cases() == []
        assert sorted(p.w.paid_back(order)) == [Decimal("12.00"), Decimal("12.00"), Decimal("60.00")]
        assert (p.w.stock(tee), p.w.stock(mug), asked_of_shop(p)) == (9, 9, (3, 3))
