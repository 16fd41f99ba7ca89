"""What goes with age and what stays."""

from typing import Any

import pytest

from returnsops.personal_data import REMOVED, REMOVED_MAIL, without_personal_data

WOO_ORDER = {
    "id": 727,
    "number": "727",
    "status": "completed",
    "currency": "EUR",
    "total": "36.30",
    "customer_id": 12,
    "customer_note": "Ring twice, I am Pat",
    "customer_ip_address": "203.0.113.9",
    "billing": {"first_name": "Pat", "address_1": "High St 1", "country": "GB", "email": "pat@example.com"},
    "shipping": {"first_name": "Pat", "company": "", "country": "GB"},
    "line_items": [{"id": 9, "name": "Tee black M", "sku": "TEE-BLK-M", "quantity": 2}],
    "shipping_lines": [{"method_title": "Flat rate", "total": "5.00"}],
    "meta_data": [
        {"id": 1, "key": "_billing_phone", "value": "+44 20 7946 0000"},
        {"id": 2, "key": "_returnsops_key", "value": "refund:reveni/ret_1:rf_1"},
    ],
}


def test_a_shops_order_keeps_what_decisions_rest_on() -> None:
    assert without_personal_data(WOO_ORDER) == {
        **WOO_ORDER,
        "customer_note": REMOVED,
        "customer_ip_address": REMOVED,
        "billing": {"first_name": REMOVED, "address_1": REMOVED, "country": "GB", "email": REMOVED_MAIL},
        "shipping": {"first_name": REMOVED, "company": "", "country": "GB"},
        "meta_data": [{"id": 1, "key": "_billing_phone", "value": REMOVED}, WOO_ORDER["meta_data"][1]],  # type: ignore[index]
    }


def test_a_platforms_event_keeps_customer_id_and_items() -> None:
    event = {
        "customer": {"id": "cus_77", "email": "pat@example.com", "name": "Pat"},
        "items": [{"name": "Mug red", "reason_text": "handle broken, call 555", "inspected_by": "w1"}],
    }
    assert without_personal_data(event) == {
        "customer": {"id": "cus_77", "email": REMOVED_MAIL, "name": REMOVED},
        "items": [{"name": "Mug red", "reason_text": REMOVED, "inspected_by": "w1"}],
    }


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"phone": 442079460000}, {"phone": REMOVED}),
        ({"reason_text": None, "email": ""}, {"reason_text": None, "email": ""}),
        ({"text": "write to pat@example.com please"}, {"text": f"write to {REMOVED_MAIL} please"}),
        ({"shipping": "4.50", "state": "processing"}, {"shipping": "4.50", "state": "processing"}),
        ({"addresses": ["High St 1", {"city": "Leeds"}]}, {"addresses": [REMOVED, {"city": REMOVED}]}),
        ([["a@b.example"]], [[REMOVED_MAIL]]),
        ("plain", "plain"),
        (None, None),
    ],
)
def test_fields(document: Any, expected: Any) -> None:
    assert without_personal_data(document) == expected


def test_doing_it_twice_changes_nothing_more() -> None:
    once = without_personal_data(WOO_ORDER)
    assert without_personal_data(once) == once
