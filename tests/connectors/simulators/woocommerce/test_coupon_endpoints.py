"""Coupons beyond the recording create_coupon, as WooCommerce's source says (coupons_of_shop)."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.simulators.woocommerce.wire import WooError
from tests.connectors.simulators.woocommerce.woo_client import Setting, new_setting

CREDIT: dict[str, Any] = {
    "code": "RC-ABCD-EFGH",
    "discount_type": "fixed_cart",
    "amount": "30.00",
    "description": "Return RMA-1",
    "date_expires": "2026-12-20T00:00:00Z",
    "usage_limit": 1,
    "email_restrictions": ["Ana@Example.test", "nobody"],
    "meta_data": [{"key": "_returnsops_key", "value": "k"}],
}


def _made(setting: Setting, **changes: Any) -> dict[str, Any]:
    answer = setting.call("POST", "coupons", CREDIT | changes)
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


def test_a_coupon_is_kept_in_lower_case_with_what_was_given() -> None:
    made = _made(new_setting())
    assert made["code"] == "rc-abcd-efgh"
    assert (made["amount"], made["usage_limit"], made["usage_count"]) == ("30.00", 1, 0)
    assert made["email_restrictions"] == ["ana@example.test"]  # what is no address is dropped without a word
    assert (made["date_expires"], made["date_expires_gmt"]) == ("2026-12-20T01:00:00", "2026-12-20T00:00:00")
    assert [(meta["key"], meta["value"]) for meta in made["meta_data"]] == [("_returnsops_key", "k")]


def test_a_date_without_zone_is_the_shops() -> None:
    made = _made(new_setting(), date_expires="2026-12-20T00:00:00")
    assert made["date_expires_gmt"] == "2026-12-19T23:00:00"


def test_a_code_is_found_in_any_case_and_never_given_twice() -> None:
    setting = new_setting()
    made = _made(setting)
    assert [row["id"] for row in setting.call("GET", "coupons", code="Rc-Abcd-EFGH").json()] == [made["id"]]
    assert setting.call("GET", "coupons", code="rc-abcd").json() == []
    assert len(setting.call("GET", "coupons").json()) == 1
    again = setting.call("POST", "coupons", CREDIT)
    assert (again.status_code, again.json()["code"]) == (400, "woocommerce_rest_coupon_code_already_exists")


def test_a_coupon_in_the_trash_is_not_found_by_its_code() -> None:
    setting = new_setting()
    made = _made(setting)
    assert setting.call("DELETE", f"coupons/{made['id']}").json()["status"] == "trash"
    assert setting.call("GET", "coupons", code=CREDIT["code"]).json() == []
    assert setting.call("DELETE", f"coupons/{made['id']}").status_code == 410
    assert setting.call("DELETE", f"coupons/{made['id']}", force="true").status_code == 200
    gone = setting.call("GET", f"coupons/{made['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "woocommerce_rest_shop_coupon_invalid_id")


def test_only_what_is_given_changes() -> None:
    setting = new_setting()
    made = _made(setting)
    changed = setting.call(
        "PUT", f"coupons/{made['id']}", {"date_expires": "2026-11-19T00:00:00Z", "amount": "9", "code": "NEW"}
    ).json()
    assert (changed["code"], changed["amount"], changed["date_expires_gmt"]) == ("new", "9.00", "2026-11-19T00:00:00")
    assert changed["email_restrictions"] == ["ana@example.test"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": ""}, "rest_missing_callback_param"),
        ({"amount": "-1"}, "coupon_invalid_amount"),
        ({"discount_type": "gift"}, "rest_invalid_param"),
        ({"date_expires": "soon"}, "rest_invalid_param"),
        ({"email_restrictions": "ana@example.test"}, "rest_invalid_param"),
    ],
)
def test_what_is_refused(change: dict[str, Any], code: str) -> None:
    setting = new_setting()
    answer = setting.call("POST", "coupons", CREDIT | change)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert setting.call("GET", "coupons").json() == []


def test_a_use_counts_until_the_order_is_cancelled() -> None:
    setting = new_setting()
    coupon = setting.shop.state.coupons[_made(setting)["id"]]
    order = setting.order(coupons=[coupon])
    assert (coupon.usage_count, coupon.used_by) == (1, ["ana@example.test"])
    with pytest.raises(WooError, match="limit"):
        setting.order(coupons=[coupon])
    setting.shop.set_status(order.id, "cancelled")
    assert (coupon.usage_count, coupon.used_by) == (0, [])


def test_a_coupon_is_its_customers_and_holds_until_its_last_second() -> None:
    setting = new_setting()
    coupon = setting.shop.state.coupons[_made(setting)["id"]]
    with pytest.raises(WooError, match="not yours"):
        setting.order(coupons=[coupon], email="eve@example.test")
    coupon.expires_at = setting.shop.state.now()
    body = {
        "billing": {"email": "ana@example.test"},
        "line_items": [{"product_id": setting.shirt.id}],
        "coupon_lines": [{"code": CREDIT["code"]}],
    }
    setting.clock.advance(1)
    refused = setting.call("POST", "orders", body)
    assert refused.json()["message"] == "This coupon has expired."
    coupon.expires_at = None
    assert setting.call("POST", "orders", body).status_code == 201
    assert coupon.usage_count == 1
    assert coupon.amount == Decimal("30.00")
