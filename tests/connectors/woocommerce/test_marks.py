"""Notes and mirrors."""

from typing import Any

import pytest

from connectors.ports import Answer, Found, OutcomeUnknown, Rejected
from connectors.woocommerce import marks
from tests.connectors.woocommerce.intents import mark_intent
from tests.connectors.woocommerce.recordings import answer_of
from tests.connectors.woocommerce.scripted import answered, scripted_link

TOKEN = "[RMA-77/received]"
NOTE = mark_intent("note", "18", {"token": TOKEN, "text": f"{TOKEN} 2 items arrived."})
MIRROR = mark_intent("mirror", "18", {"field": "status", "value": "received, waits for inspection"})


class Shop:
    """Recorded order 18 with notes."""

    def __init__(self, *notes: str) -> None:
        self.order = answer_of("orders/get_order")
        self.notes = [{"id": n, "note": text, "author": "x"} for n, text in enumerate(notes, start=126)]

    def __call__(self, method: str, path: str, params: Any, body: Any) -> Answer:
        if path == "/orders/18/notes" and method == "GET":
            return answered(200, self.notes)
        if path == "/orders/18/notes":
            return answered(201, {"id": 200, "note": body["note"]})
        if method == "PUT":
            self.order["meta_data"] += body["meta_data"]
        return answered(200, self.order)


def test_the_exact_note() -> None:
    link, asked = scripted_link(Shop("Item #10 stock increased from 78 to 79."))
    found = marks.look_up_note(link, NOTE)
    sent = marks.send_note(link, NOTE, found)
    assert (found.found, sent.remote_id) == (Found.ABSENT, "200")
    assert asked[-1] == (
        "POST",
        "/orders/18/notes",
        {},
        {"note": f"{TOKEN} 2 items arrived.", "customer_note": False, "added_by_user": False},
    )


def test_a_text_without_its_token_gets_it() -> None:
    intent = mark_intent("note", "18", {"token": TOKEN, "text": "2 items arrived."})
    assert marks.note_body(intent)["note"] == f"{TOKEN} 2 items arrived."


def test_a_note_is_found_by_its_token_whatever_else_it_says() -> None:
    link, _ = scripted_link(Shop("other", f"{TOKEN} edited by hand &amp; more", f"{TOKEN} 2 items arrived."))
    found = marks.look_up_note(link, NOTE)
    assert (found.found, found.remote_id, found.evidence) == (Found.COMPLETE, "127", {"notes_with_token": 2})


def test_a_token_with_characters_the_shop_escapes() -> None:
    intent = mark_intent("note", "18", {"token": "[R&B-1/received]", "text": ""})
    link, _ = scripted_link(Shop("[R&amp;B-1/received] here"))
    assert marks.look_up_note(link, intent).found is Found.COMPLETE


def test_a_mirror_puts_one_meta_entry_and_nothing_else() -> None:
    link, asked = scripted_link(Shop())
    found = marks.look_up_mirror(link, MIRROR)
    sent = marks.send_mirror(link, MIRROR, found)
    assert (found.found, sent.remote_id) == (Found.ABSENT, "18/_returnsops_status")
    assert asked[-1] == (
        "PUT",
        "/orders/18",
        {},
        {"meta_data": [{"key": "_returnsops_status", "value": "received, waits for inspection"}]},
    )
    assert marks.look_up_mirror(link, MIRROR).found is Found.COMPLETE


def test_a_mirror_that_says_something_else_is_absent() -> None:
    shop = Shop()
    shop.order["meta_data"].append({"id": 5, "key": "_returnsops_status", "value": "requested"})
    link, _ = scripted_link(shop)
    found = marks.look_up_mirror(link, MIRROR)
    assert (found.found, found.evidence) == (Found.ABSENT, {"has_other_value": True})


def test_a_mirror_that_did_not_stick_is_unknown() -> None:
    order = answer_of("orders/get_order")
    link, _ = scripted_link(lambda *_: answered(200, order))
    with pytest.raises(OutcomeUnknown):
        marks.send_mirror(link, MIRROR, marks.look_up_mirror(link, MIRROR))


@pytest.mark.parametrize("look_up", [marks.look_up_note, marks.look_up_mirror])
def test_an_unknown_order(look_up: Any) -> None:
    link, _ = scripted_link(lambda *_: answered(404, answer_of("errors/unknown_order")))
    with pytest.raises(Rejected) as refusal:
        look_up(link, NOTE if look_up is marks.look_up_note else MIRROR)
    assert refusal.value.code == "order_not_found"


def test_which_tokens_the_notes_of_an_order_show() -> None:
    link, asked = scripted_link(Shop("other", f"{TOKEN} edited by hand &amp; more", "[R&amp;B-1/received]"))
    tokens = (TOKEN, "[RMA-77/authorised]", "[R&B-1/received]")
    assert marks.read_marks(link, "18", tokens).tokens == {TOKEN, "[R&B-1/received]"}
    assert [(method, path) for method, path, _, _ in asked] == [("GET", "/orders/18/notes")]
