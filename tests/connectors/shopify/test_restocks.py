"""Restocks and what takes them back: a difference with a key, only where the stock can be changed, found by its id."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.ports import Contradicted, Found, Lookup, OutcomeUnknown, Rejected
from connectors.shopify import inventory, keyed, places, restocks, take_outs
from returnsops import states
from tests.connectors.shopify import documents_of_orders as docs
from tests.connectors.shopify.intents import LOCATION, RESTOCK_KEY, Shop, stock_intent
from tests.connectors.shopify.scripted import NOW

GROUP = "gid://shopify/InventoryAdjustmentGroup/7"
ITEM = "gid://shopify/InventoryItem/11"
FIRST = Lookup(found=Found.ABSENT, step=inventory.FIRST)
REPEAT = Lookup(found=Found.ABSENT)
MAPPED = {"location_map": {"main": LOCATION, "scrap": f"{LOCATION} damaged"}}
Json = dict[str, Any]


def stock(available: int = 4, *, quality_control: int = 0, **changes: Any) -> Json:
    """What VariantStock answers."""
    quantities = {"available": available, "quality_control": quality_control}
    level = {"isActive": True, "quantities": [{"name": name, "quantity": one} for name, one in quantities.items()]}
    item = {"id": ITEM, "sku": "SKU-11", "tracked": True, "inventoryLevel": level}
    variant = {"displayName": "Jacket - M", "inventoryItem": item | changes.pop("item", {})}
    return {"productVariant": variant, "location": {"name": "Leeds", "isActive": True}} | changes


def group(name: str, delta: int, location: str = LOCATION) -> Json:
    change = {"name": name, "delta": delta, "item": {"id": ITEM}, "location": {"id": location}}
    on_hand = {"name": "on_hand", "delta": delta, "item": {"id": ITEM}, "location": {"id": location}}
    return {"id": GROUP, "referenceDocumentUri": "gid://returnsops/Return/RMA-77", "changes": [change, on_hand]}


def shop(answers: Json | None = None, *, at: Json | None = None, delta: int = 1, **settings: Any) -> Shop:
    adjusted = {"inventoryAdjustmentGroup": group("available", delta), "userErrors": []}
    known = {
        "VariantStock": at or stock(),
        "InventoryAdjust": {"inventoryAdjustQuantities": adjusted},
        "InventoryMove": {"inventoryMoveQuantities": adjusted},
        "OrderFinalState": {"order": docs.order(docs.line(11, "100.0"), currentSubtotalPriceSet=docs.bag("100.0"))},
    }
    return Shop(answers={**known, **(answers or {})}, settings={**MAPPED, **settings})


@pytest.mark.requirement("S1-21")
@pytest.mark.requirement("S5-19")
def test_units_become_available_where_their_disposition_says_by_a_difference_with_a_key() -> None:
    asked = shop(delta=2)
    sent = restocks.send(asked.link, stock_intent(quantity=2), FIRST)
    ((name, variables),) = asked.written()
    assert (name, variables) == (
        "InventoryAdjust",
        {
            "key": keyed.key_of(RESTOCK_KEY),
            "input": {
                "name": "available",
                "reason": "restock",
                "referenceDocumentUri": "gid://returnsops/Return/RMA-77",
                "changes": [{"inventoryItemId": ITEM, "locationId": LOCATION, "delta": 2, "changeFromQuantity": None}],
            },
        },
    )
    assert (sent.remote_id, sent.evidence["available_before"], sent.evidence["location"]) == (GROUP, 4, "Leeds")


def test_goods_that_lie_in_quality_control_are_moved_from_there_with_a_ledger_entry() -> None:
    asked = shop(at=stock(quality_control=1), restock_from="quality_control")
    restocks.send(asked.link, stock_intent(), FIRST)
    ((name, variables),) = asked.written()
    (change,) = variables["input"]["changes"]
    ledger = f"gid://returnsops/StockMovement/{keyed.key_of(RESTOCK_KEY)}"
    assert (name, change["quantity"], change["to"]["name"]) == ("InventoryMove", 1, "available")
    assert change["from"] == {
        "locationId": LOCATION,
        "name": "quality_control",
        "changeFromQuantity": None,
        "ledgerDocumentUri": ledger,
    }
    with pytest.raises(Rejected, match="Only 0 of 1 x Jacket - M are in quality_control"):
        restocks.send(shop(restock_from="quality_control").link, stock_intent(), FIRST)


INACTIVE = {"isActive": False, "quantities": []}


@pytest.mark.requirement("S1-21")
@pytest.mark.parametrize(
    ("at", "location", "says"),
    [
        (stock(), "", "does not say where a location that has no name"),
        (stock(), "attic", "does not say where location 'attic'"),
        (stock(), "scrap", "not for sale"),
        (stock(productVariant=None), "main", "not in the shop's catalogue any more"),
        (stock(item={"tracked": False}), "main", "does not track the stock of Jacket - M"),
        (stock(location=None), "main", "has no location"),
        (stock(location={"name": "Leeds", "isActive": False}), "main", "Location Leeds is deactivated"),
        (stock(item={"inventoryLevel": None}), "main", "not stocked at location Leeds"),
        (stock(item={"inventoryLevel": INACTIVE}), "main", "not stocked at location Leeds"),
    ],
)
def test_what_cannot_be_restocked_is_said_and_nothing_is_sent(at: Json, location: str, says: str) -> None:
    asked = shop(at=at)
    with pytest.raises(Rejected, match=says):
        restocks.send(asked.link, stock_intent(location=location), FIRST)
    assert asked.written() == []


def test_before_a_repeat_nothing_in_the_way_says_that_the_first_one_did_not_go() -> None:
    with pytest.raises(OutcomeUnknown, match="deactivated"):
        restocks.send(shop(at=stock(location={"name": "Leeds"})).link, stock_intent(), REPEAT)


@pytest.mark.parametrize(
    ("payload", "kind", "code"),
    [
        (
            {"userErrors": [{"field": [], "message": "x", "code": "ITEM_NOT_STOCKED_AT_LOCATION"}]},
            Rejected,
            "restock_impossible",
        ),
        ({"userErrors": [{"field": [], "message": "x", "code": "INVALID_LOCATION"}]}, Rejected, "INVALID_LOCATION"),
        ({"userErrors": [{"field": [], "message": "x", "code": keyed.RUNNING}]}, OutcomeUnknown, ""),
        ({"userErrors": [{"field": [], "message": "x", "code": keyed.OTHER_CONTENT}]}, Contradicted, ""),
        ({"inventoryAdjustmentGroup": None, "userErrors": []}, OutcomeUnknown, ""),
        ({"inventoryAdjustmentGroup": group("available", 3), "userErrors": []}, OutcomeUnknown, ""),
    ],
)
def test_what_the_shop_says_of_an_adjustment(payload: Json, kind: type[Exception], code: str) -> None:
    with pytest.raises(kind) as refusal:
        restocks.send(shop({"InventoryAdjust": {"inventoryAdjustQuantities": payload}}).link, stock_intent(), FIRST)
    assert getattr(refusal.value, "code", "") == code


# --- finding it again --------------------------------------------------------------------------------------------


def test_a_lost_answer_is_asked_for_again_while_the_key_is_surely_kept_and_is_a_persons_after() -> None:
    link = shop().link
    assert restocks.look_up(link, stock_intent()).step == inventory.FIRST
    soon = stock_intent(first_attempt_at=NOW - timedelta(hours=11, minutes=59))
    seen = restocks.look_up(link, soon)
    assert (seen.found, seen.step, seen.is_repeatable) == (Found.ABSENT, "", True)
    late = stock_intent(first_attempt_at=NOW - timedelta(hours=12))
    seen = restocks.look_up(link, late)
    assert (seen.found, seen.evidence) == (Found.AMBIGUOUS, {"reference": "gid://returnsops/Return/RMA-77"})
    assert restocks.look_up(shop(idempotency_hours=48).link, late).found is Found.ABSENT


@pytest.mark.requirement("S1-12")
@pytest.mark.parametrize(
    ("node", "found"),
    [
        (group("available", 1), Found.COMPLETE),
        (None, Found.ABSENT),
        (group("available", 2), Found.AMBIGUOUS),
        (group("damaged", 1), Found.AMBIGUOUS),
        (group("available", 1, "gid://shopify/Location/2"), Found.AMBIGUOUS),
    ],
)
def test_an_acknowledged_adjustment_is_read_back_by_its_id(node: Json | None, found: Found) -> None:
    asked = shop({"AdjustmentById": {"node": node}})
    assert restocks.look_up(asked.link, stock_intent(remote_id=GROUP)).found is found
    assert [name for name, _ in asked.asked] == ["AdjustmentById"]


def test_what_a_person_found_in_the_history_is_taken_at_their_word() -> None:
    seen = restocks.look_up(shop().link, stock_intent(remote_id="history of 3 November"))
    assert (seen.found, seen.remote_id) == (Found.COMPLETE, "history of 3 November")


# --- taking out --------------------------------------------------------------------------------------------------


def test_units_leave_the_sellable_stock_again_unless_they_were_sold() -> None:
    asked = shop(delta=-2)
    sent = take_outs.send(asked.link, stock_intent("take_out", quantity=2), FIRST)
    assert asked.written()[0][1]["input"]["changes"][0]["delta"] == -2
    assert (sent.remote_id, sent.stock_concern) == (GROUP, "")
    with pytest.raises(Rejected) as refusal:
        take_outs.send(shop(at=stock(1)).link, stock_intent("take_out", quantity=2), FIRST)
    assert refusal.value.code == states.SOLD_MEANWHILE
    oversold = shop(at=stock(-1), delta=-2)
    sent = take_outs.send(oversold.link, stock_intent("take_out", quantity=2), REPEAT)
    assert sent.stock_concern == "Jacket - M stands at -1 at Leeds: more was sold than is there."
    assert take_outs.look_up(asked.link, stock_intent("take_out")).step == inventory.FIRST


def test_a_map_of_locations_says_what_is_wrong_with_it() -> None:
    settings = {"location_map": {"main": LOCATION, "b": "Leeds", "c": f"{LOCATION} on_hand"}}
    assert list(places.problems(settings)) == [
        'settings.location_map.b: give the location as "gid://shopify/Location/<number>".',
        f"settings.location_map.c: the state must be one of {', '.join(places.STATES)}.",
    ]
