"""A warehouse system receives and judges: once per key, as the policy lets it count, and never a guess (S4-14)."""

from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
import requests

from connectors.replay import replay
from connectors.simulators.woocommerce.records import Order
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import (
    HistoryEntry,
    InboundEvent,
    Inspection,
    InspectionReport,
    Parcel,
    ReturnAuthorisation,
    Route,
)
from returnsops.services import audit, wms
from returnsops.services.warehouse import undo_inspection
from tests.journeys.calling import call, token
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db


def restock(confirmation: str, *sources: str) -> str:
    named = f"\nsources = [{', '.join(repr(source) for source in sources)}]" if sources else ""
    return f'[routes.policy.restock]\nconfirmation = "{confirmation}"{named}'


def asked(w: World, *, units: int = 2, quantity: int = 1, **details: Any) -> tuple[Order, str, int]:
    product = w.product(f"TEE-{len(w.shop.state.products)}", stock=10)
    order = w.order((product, units))
    return_id = w.ask(order, quantity=quantity, **details)
    w.settle()
    return order, return_id, product.id


def found(w: World, return_id: str, disposition: str = "sellable", **changes: Any) -> dict[str, Any]:
    item = {
        "item_id": w.item_id(return_id),
        "quantity": 1,
        "outcome": "accepted",
        "disposition": disposition,
        "final": True,
        "inspected_at": w.now().isoformat(),
    }
    item |= changes.pop("item", {})
    return {"return": return_id, "warehouse": "Madrid", "items": [item], **changes}


def tell(body: Any, *, secret: str, key: str = "call-1") -> requests.Response:
    return call("inspections", body, secret=secret, headers={"Idempotency-Key": key} if key else {})


@pytest.mark.requirement("S4-14")
def test_the_warehouse_system_alone_can_be_the_confirmation() -> None:
    with world(policy_tables=restock("warehouse")) as w:
        secret = token(w, name="wms")
        order, return_id, product_id = asked(w)
        answer = tell(found(w, return_id), secret=secret)
        assert answer.status_code == 201
        report = InspectionReport.objects.get()
        assert answer.json() == {
            "report": report.pk,
            "duplicate": False,
            "return": {"ref": f"reveni/{return_id}", "number": w.rma(return_id).number},
            "items": [
                {"item_id": w.item_id(return_id), "quantity": 1, "disposition": "sellable", "is_on_return": True}
            ],
        }
        w.settle()
        assert w.shop.stock_of(product_id) == 9
        assert len(w.restock_records(order)) == 1
        entry = HistoryEntry.objects.get(act="wms_report")
        assert (entry.by, entry.text) == ("wms", f"Warehouse system of Madrid: 1 x {w.item_id(return_id)}: sellable")
        assert InboundEvent.objects.get(source="wms").rma == w.rma(return_id)


@pytest.mark.requirement("S4-14")
def test_with_both_wanted_the_warehouse_system_is_the_second_confirmation() -> None:
    with world(policy_tables=restock("both")) as w:
        secret = token(w)
        _, return_id, product_id = asked(w)
        tell(found(w, return_id), secret=secret)
        w.settle()
        assert w.shop.stock_of(product_id) == 8
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        assert w.shop.stock_of(product_id) == 9


@pytest.mark.requirement("S4-14")
def test_with_either_wanted_it_suffices_and_its_refusal_outranks_the_platform() -> None:
    with world(policy_tables=restock("either")) as w:
        secret = token(w)
        _, return_id, product_id = asked(w, units=4, quantity=1)
        tell(found(w, return_id), secret=secret)
        w.settle()
        assert w.shop.stock_of(product_id) == 7

        order, other, second = asked(w)
        tell(found(w, other, "damaged"), secret=secret, key="call-2")
        w.platform.receive(other)
        w.judge(other)
        w.settle()
        assert w.shop.stock_of(second) == 8
        assert w.restock_records(order) == []


@pytest.mark.requirement("S4-14")
def test_a_source_that_the_policy_leaves_out_confirms_nothing() -> None:
    with world(policy_tables=restock("warehouse", "warehouse")) as w:
        _, return_id, product_id = asked(w)
        assert tell(found(w, return_id), secret=token(w)).status_code == 201
        w.settle()
        assert w.shop.stock_of(product_id) == 8
        assert Inspection.objects.get().source == "wms"  # kept and shown, and it would count under another policy
        assert w.effects(return_id, states.RESTOCK) == []


def test_receipt_alone_restocks_nothing_and_names_the_parcel() -> None:
    with world(policy_tables=restock("warehouse")) as w:
        secret = token(w)
        _, return_id, product_id = asked(w)
        w.platform.label(return_id)
        w.platform.in_transit(return_id)
        w.settle()
        parcel = Parcel.objects.get()
        at = w.now()
        tell({"return": parcel.tracking_number, "received_at": at.isoformat()}, secret=secret)
        w.settle()
        parcel.refresh_from_db()
        assert (parcel.received_at, Parcel.objects.count()) == (at, 1)
        assert w.rma(return_id).status == states.RECEIVED
        assert w.shop.stock_of(product_id) == 8


def test_goods_without_a_parcel_we_know_are_received_by_hand_in() -> None:
    with world() as w:
        _, return_id, _ = asked(w)
        tell({"return": return_id, "received_at": w.now().isoformat()}, secret=token(w))
        assert Parcel.objects.get().external_id == "hand-in"


# --- once ----------------------------------------------------------------------------------------------------------


def test_the_same_key_with_the_same_body_changes_nothing_more() -> None:
    with world(policy_tables=restock("warehouse")) as w:
        secret = token(w)
        order, return_id, product_id = asked(w, quantity=2)
        body = found(w, return_id)
        first, second = tell(body, secret=secret), tell(body, secret=secret)
        assert (first.status_code, second.status_code) == (201, 200)
        assert second.json() == {**first.json(), "duplicate": True}
        w.settle()
        assert w.shop.stock_of(product_id) == 9
        assert InspectionReport.objects.get().repeat_count == 1

        changed = tell(found(w, return_id, "damaged"), secret=secret)
        assert (changed.status_code, changed.json()["code"]) == (409, "key_reused")
        assert tell(body, secret=secret, key="call-2").status_code == 201  # another unit
        w.settle()
        assert w.shop.stock_of(product_id) == 10
        assert len(w.restock_records(order)) == 2


@pytest.mark.parametrize("crash_at", ["create", "act", "audit"])
def test_a_crash_before_the_answer_leaves_all_or_nothing(crash_at: str) -> None:
    places = {
        "create": (InspectionReport.objects, "create"),
        "act": (wms, "act"),
        "audit": (audit, "record"),
    }
    with world(policy_tables=restock("warehouse")) as w:
        secret = token(w)
        order, return_id, product_id = asked(w)
        body = found(w, return_id, received_at=w.now().isoformat())
        owner, name = places[crash_at]
        with mock.patch.object(owner, name, side_effect=RuntimeError("the process died")):
            assert tell(body, secret=secret).status_code == 500
        assert not InspectionReport.objects.exists()
        assert not InboundEvent.objects.filter(source="wms").exists()
        assert w.rma(return_id).received_at is None

        assert tell(body, secret=secret).status_code == 201
        assert tell(body, secret=secret).json()["duplicate"] is True  # its answer was lost
        w.settle()
        assert w.shop.stock_of(product_id) == 9
        assert len(w.restock_records(order)) == 1


def test_the_twin_that_lost_the_race_gets_the_winners_answer() -> None:
    with world() as w:
        secret = token(w)
        _, return_id, _ = asked(w)
        body = found(w, return_id)
        find = wms._find

        def late(name: str, may_use: Any) -> Any:
            """The twin is stored after this one looked for its key."""
            with mock.patch.object(wms, "_find", find):
                assert tell(body, secret=secret).status_code == 201
            return find(name, may_use)

        with mock.patch.object(wms, "_find", late):
            answer = tell(body, secret=secret)
        assert (answer.status_code, answer.json()["duplicate"]) == (200, True)
        assert Inspection.objects.count() == 1


def test_equal_verdicts_of_one_call_are_units_each() -> None:
    with world(policy_tables=restock("warehouse")) as w:
        _, return_id, product_id = asked(w, quantity=2)
        body = found(w, return_id)
        body["items"] = [body["items"][0] | {"grade": "A"}, body["items"][0] | {"grade": "B"}]
        assert tell(body, secret=token(w)).status_code == 201
        w.settle()
        assert [row.quantity for row in Inspection.objects.all()] == [1, 1]
        assert w.shop.stock_of(product_id) == 10


# --- what does not fit ---------------------------------------------------------------------------------------------


def test_more_units_and_other_items_are_stored_and_a_case_but_never_restocked() -> None:
    with world(policy_tables=restock("warehouse")) as w:
        secret = token(w)
        order, return_id, product_id = asked(w)
        body = found(w, return_id, item={"quantity": 3})
        body["items"].append({**body["items"][0], "sku": "HAT", "outcome": "unexpected"})
        del body["items"][1]["item_id"]
        answer = tell(body, secret=secret)
        assert answer.status_code == 201
        assert [item["is_on_return"] for item in answer.json()["items"]] == [True, False]
        w.settle()
        assert w.open_cases() == [states.CASE_INSPECTION_MISMATCH] * 2
        assert w.shop.stock_of(product_id) == 9  # only the unit that was announced
        assert len(w.restock_records(order)) == 1

        case = ExceptionCase.objects.active().get(fingerprint__endswith=w.item_id(return_id))
        data = {"sellable": Decimal(1), "other": Decimal(1), "other_sku": "HAT"}
        queue.run_action(
            case=case, action_code="recount", by=w.users["WH"], at=w.now(), reason="three boxes", data=data
        )
        w.settle()
        assert (w.shop.stock_of(product_id), len(w.restock_records(order))) == (9, 1)
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()


def test_several_returns_of_one_name_are_never_chosen_from() -> None:
    with world() as w:
        secret = token(w)
        _, first, _ = asked(w)
        _, second, _ = asked(w)
        for return_id in (first, second):
            rma = w.rma(return_id)
            rma.number = "RMA-1"
            rma.save()
        answer = tell(found(w, first, **{"return": "RMA-1"}), secret=secret)
        assert (answer.status_code, answer.json()["code"]) == (409, "several_returns")
        assert [one["ref"] for one in answer.json()["candidates"]] == [f"reveni/{first}", f"reveni/{second}"]
        assert not InspectionReport.objects.exists()
        again = tell(found(w, first, **{"return": f"reveni/{first}"}), secret=secret)
        assert again.status_code == 201


def test_a_return_that_is_not_known_with_its_items_yet_is_told_again_later() -> None:
    with world(policy_tables=restock("warehouse")) as w:
        secret = token(w)
        order = w.order((w.product(stock=10), 1))
        return_id = w.ask(order)
        early = ReturnAuthorisation.objects.create(connection=w.connection("reveni"), external_id=return_id)
        body = found(w, return_id)
        answer = tell(body, secret=secret)
        assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (
            409,
            "return_incomplete",
            "60",
        )
        assert not InspectionReport.objects.exists()
        w.settle()
        assert tell(body, secret=secret).status_code == 201  # the same key, as nothing was stored under it
        assert Inspection.objects.get().rma == early


def test_a_sku_on_two_items_is_refused_line_by_line() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        item = {"order_line_id": str(order.items[0].id), "sku": "TEE-BLK-M", "quantity": 1, "reason_code": "faulty"}
        return_id = w.platform.create_return(order_id=str(order.id), items=[item, item])
        w.platform.authorise(return_id)
        w.settle()
        ids = [line.external_id for line in w.rma(return_id).lines.order_by("external_id")]
        body = found(w, return_id)
        good = body["items"][0]
        body["items"] = [
            good,
            {**good, "sku": "TEE-BLK-M"},
            {**good, "sku": "HAT"},
        ]
        del body["items"][1]["item_id"]
        answer = tell(body, secret=token(w))
        assert answer.status_code == 422
        fields = {one["field"]: one["error"] for one in answer.json()["fields"]}
        assert set(fields) == {"items[1]", "items[2]"}
        assert all(item_id in fields["items[1]"] for item_id in ids)
        assert "does not have SKU HAT" in fields["items[2]"]
        assert not Inspection.objects.exists()


def test_who_may_not_see_the_return_is_told_there_is_none() -> None:
    with world() as w:
        _, return_id, _ = asked(w)
        platform = w.connection("reveni")
        other = Route.objects.create(name="other", platform=platform, commerce=w.connection("shop"), channels=["x"])
        secret = token(w, routes=[other])
        assert tell(found(w, return_id), secret=secret).status_code == 404
        assert tell(found(w, return_id, **{"return": "no-such-return"}), secret=token(w, name="all")).status_code == 404
        unscoped = token(w, name="unscoped", scopes=["eligibility"])
        assert tell(found(w, return_id), secret=unscoped).status_code == 403
        assert not InspectionReport.objects.exists()


@pytest.mark.parametrize("key", ["", "two words", "x" * 201])
def test_a_report_without_a_usable_key_is_refused(key: str) -> None:
    with world() as w:
        _, return_id, _ = asked(w)
        answer = tell(found(w, return_id), secret=token(w), key=key)
        assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"quantity": 0}, "items[0].quantity"),
        ({"outcome": "fine"}, "items[0].outcome"),
        ({"disposition": "shelf"}, "items[0].disposition"),
        ({"final": "yes"}, "items[0].final"),
        ({"inspected_at": "2026-11-02T09:00:00"}, "items[0].inspected_at"),
        ({"inspected_at": "2027-11-02T09:00:00Z"}, "items[0].inspected_at"),
        ({"inspected_at": 1}, "items[0].inspected_at"),
        ({"outcome": "missing"}, "items[0].disposition"),
        ({"disposition": "unknown"}, "items[0].final"),
        ({"colour": "red"}, "items[0].colour"),
    ],
)
def test_what_cannot_be_understood_stores_nothing(item: dict[str, Any], field: str) -> None:
    with world() as w:
        _, return_id, _ = asked(w)
        answer = tell(found(w, return_id, item=item), secret=token(w))
        assert (answer.status_code, [one["field"] for one in answer.json()["fields"]]) == (422, [field])
        nothing = tell({"return": return_id}, secret=token(w, name="other"))
        assert nothing.json()["fields"][0]["field"] == "body"
        assert not InboundEvent.objects.filter(source="wms").exists()


# --- afterwards ----------------------------------------------------------------------------------------------------


def test_the_return_replays_to_the_same_rows_and_plan() -> None:
    with world(policy_tables=restock("both")) as w:
        secret = token(w)
        _, return_id, _ = asked(w, quantity=2)
        tell(found(w, return_id, received_at=w.now().isoformat(), item={"quantity": 2}), secret=secret)
        w.shift(60)
        w.judge(return_id, quantity=1)
        w.settle()
        tell(found(w, return_id, "damaged"), secret=secret, key="call-2")
        w.settle()
        outcome = replay(rma=w.rma(return_id), at=w.now())
        assert outcome.differences == ()
        assert outcome.events >= 4


def test_a_person_may_take_a_verdict_of_the_warehouse_system_back() -> None:
    with world(policy_tables=restock("both")) as w:
        _, return_id, _ = asked(w)
        tell(found(w, return_id), secret=token(w))
        row = Inspection.objects.get()
        undo_inspection(rma=w.rma(return_id), inspection_id=row.pk, by="wh", at=w.now(), why="wrong parcel")
        row.refresh_from_db()
        assert row.is_superseded
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()


def test_the_return_page_shows_who_said_it(client: Any) -> None:
    with world() as w:
        _, return_id, _ = asked(w)
        tell(found(w, return_id), secret=token(w, name="wms-madrid"))
        client.force_login(w.users["WH"])
        page = client.get(f"/admin/returnsops/returnauthorisation/{w.rma(return_id).pk}/change/")
        assert page.status_code == 200
        assert "wms-madrid" in page.content.decode()
        assert "Warehouse system" in page.content.decode()
