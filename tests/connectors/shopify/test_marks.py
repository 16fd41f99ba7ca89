"""Metafields, tag and note: written once, kept up to date, never at the cost of what people wrote."""

from typing import Any

import pytest

from connectors.ports import Found, Lookup, OutcomeUnknown, Rejected
from connectors.shopify import marks
from tests.connectors.shopify import documents_of_orders as docs
from tests.connectors.shopify.intents import Shop, mark_intent

ABSENT = Lookup(found=Found.ABSENT)
CUSTOMER = "gid://shopify/Customer/5"
STATUS = {"field": "status", "value": "Goods received"}
NOTE = {"token": "[RMA-77/received]", "text": "Return RMA-77: the goods have arrived. [RMA-77/received]"}
Json = dict[str, Any]


def marked(**changes: Any) -> Json:
    """What OrderMarks answers of an order of a customer that nobody marked."""
    order = {"note": None, "tags": ["vip"], "metafield": None, "customer": {"id": CUSTOMER, "metafield": None}}
    return {"order": order | changes}


def shop(order: Json | None = None, *, note: str = NOTE["text"], **settings: Any) -> Shop:
    answers = {
        "OrderMarks": order or marked(),
        "MetafieldsSet": {"metafieldsSet": {"metafields": [], "userErrors": []}},
        "TagsAdd": {"tagsAdd": {"node": {"id": docs.ORDER_ID}, "userErrors": []}},
        "OrderNote": {"orderUpdate": {"order": {"id": docs.ORDER_ID, "note": note}, "userErrors": []}},
    }
    return Shop(answers=answers, settings=settings)


@pytest.mark.requirement("S1-35")
def test_a_status_is_on_the_order_and_the_customer_with_a_tag() -> None:
    asked = shop()
    intent = mark_intent("mirror", STATUS)
    assert marks.look_up_mirror(asked.link, intent).found is Found.ABSENT
    sent = marks.send_mirror(asked.link, intent, ABSENT)
    field = {"namespace": "returnsops", "type": "multi_line_text_field"}
    fields = [
        {"ownerId": docs.ORDER_ID, "key": "status", "value": "Goods received", **field},
        {"ownerId": CUSTOMER, "key": "last_return", "value": "Return ret-1: Goods received", **field},
    ]
    assert asked.written() == [
        ("MetafieldsSet", {"metafields": fields}),
        ("TagsAdd", {"id": docs.ORDER_ID, "tags": ["return"]}),
    ]
    assert (sent.remote_id, sent.evidence) == (f"{docs.ORDER_ID}/status", {"field": "status", "on_customer": True})

    shown = marked(
        tags=["Return"],
        metafield={"value": "Goods received"},
        customer={"id": CUSTOMER, "metafield": {"value": "Return ret-1: Goods received"}},
    )
    assert marks.look_up_mirror(shop(shown).link, intent).found is Found.COMPLETE
    shown["order"]["customer"]["metafield"] = {"value": "Return ret-0: Goods received"}
    assert marks.look_up_mirror(shop(shown).link, intent).found is Found.ABSENT


@pytest.mark.requirement("S1-35")
def test_a_guest_has_no_record_a_second_mark_no_customer_and_a_tag_may_be_off() -> None:
    guest = shop(marked(customer=None), return_tag="", meta_namespace="rma")
    marks.send_mirror(guest.link, mark_intent("mirror", STATUS), ABSENT)
    ((_, variables),) = guest.written()
    assert [(field["namespace"], field["ownerId"]) for field in variables["metafields"]] == [("rma", docs.ORDER_ID)]
    other = shop(marked(tags=["return"]))
    marks.send_mirror(other.link, mark_intent("mirror", {"field": "return", "value": "RMA-77"}), ABSENT)
    assert [len(variables["metafields"]) for _, variables in other.written()] == [1]


@pytest.mark.requirement("S1-35")
def test_a_line_is_added_to_what_people_wrote_and_never_twice() -> None:
    asked = shop(marked(note="Gift wrap!"))
    sent = marks.send_note(asked.link, mark_intent("note", NOTE), ABSENT)
    note = f"Gift wrap!\n{NOTE['text']}"
    assert asked.written() == [("OrderNote", {"input": {"id": docs.ORDER_ID, "note": note}})]
    assert sent.remote_id == f"{docs.ORDER_ID}/note"
    there = shop(marked(note=note))
    assert marks.look_up_note(there.link, mark_intent("note", NOTE)).found is Found.COMPLETE
    assert marks.look_up_note(asked.link, mark_intent("note", NOTE)).found is Found.ABSENT
    marks.send_note(there.link, mark_intent("note", NOTE), ABSENT)
    assert there.written()[0][1]["input"]["note"] == note


def test_a_full_note_a_note_for_the_customer_and_an_unknown_order_are_refused() -> None:
    for order, payload, code in (
        (marked(note="x" * 4990), NOTE, marks.NOTE_FULL),
        (marked(), {**NOTE, "is_for_customer": True}, marks.NO_CUSTOMER_NOTES),
        (marked(), {**NOTE, "remote_credit_id": "7"}, marks.NO_CUSTOMER_NOTES),
        ({"order": None}, NOTE, "order_not_found"),
    ):
        asked = shop(order)
        with pytest.raises(Rejected) as refusal:
            marks.send_note(asked.link, mark_intent("note", payload), ABSENT)
        assert (refusal.value.code, asked.written()) == (code, [])
    with pytest.raises(OutcomeUnknown):
        marks.send_note(shop(note="something else").link, mark_intent("note", NOTE), ABSENT)
