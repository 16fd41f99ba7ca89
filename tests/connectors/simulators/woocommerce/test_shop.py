"""What tests and demo do in the shop by hand, currencies, and the read-only page."""

from decimal import Decimal

import pytest

from connectors.simulators.woocommerce import CartLine
from connectors.simulators.woocommerce.wire import WooError
from connectors.woocommerce import links
from tests.connectors.simulators.woocommerce.woo_client import BASE, new_setting
from tests.connectors.woocommerce.scripted import config


@pytest.mark.parametrize(
    ("decimals", "price", "total", "tax"),
    [(0, "1999", "4838", "840"), (2, "24.99", "60.48", "10.50"), (3, "24.995", "60.488", "10.498")],
)
def test_money_has_the_decimals_of_the_shop(decimals: int, price: str, total: str, tax: str) -> None:
    setting = new_setting(price_decimals=decimals)
    setting.shirt.regular_price = Decimal(price)
    shown = setting.call("GET", f"orders/{setting.order().id}").json()
    assert (shown["total"], shown["total_tax"]) == (total, tax)
    assert shown["line_items"][0]["taxes"] == [{"id": 1, "total": tax, "subtotal": tax}]


def test_discounts_shipping_fees_and_coupons_add_up() -> None:
    setting = new_setting()
    coupon = setting.shop.add_coupon("ten", Decimal("10.00"), discount_type="fixed_cart")
    book = setting.shop.add_product("Book", Decimal("10.00"))
    lines = [CartLine(product_id=setting.shirt.id, quantity=3), CartLine(product_id=book.id, discount=Decimal("1.00"))]
    order = setting.shop.place_order(
        lines, coupons=[coupon], shipping=Decimal("5.00"), fees={"Gift wrap": Decimal("3.00")}, currency="USD"
    )
    shown = setting.call("GET", f"orders/{order.id}").json()
    assert [line["total"] for line in shown["line_items"]] == ["66.15", "7.82"]
    assert (shown["discount_total"], shown["currency"]) == ("11.00", "USD")
    parts = [*shown["line_items"], *shown["shipping_lines"], *shown["fee_lines"]]
    assert sum(Decimal(part["total"]) + Decimal(part["total_tax"]) for part in parts) == Decimal(shown["total"])


def test_prices_may_include_tax() -> None:
    setting = new_setting(is_tax_included=True)
    shown = setting.call("GET", f"orders/{setting.order(3).id}").json()
    assert (shown["total"], shown["line_items"][0]["total"], shown["total_tax"]) == ("74.97", "61.96", "13.01")
    assert shown["prices_include_tax"] is True


def test_staff_edit_an_order_and_stock_follows() -> None:
    setting = new_setting()
    mug = setting.shop.add_product("Mug", Decimal("10.00"), stock_quantity=5)
    order = setting.order(2)
    line = order.items[0].id
    setting.shop.edit_order(order.id, quantities={line: 1}, add=[CartLine(product_id=mug.id)])
    shown = setting.call("GET", f"orders/{order.id}").json()
    assert [(item["name"], item["quantity"], item["total"]) for item in shown["line_items"]] == [
        ("Linen shirt", 1, "24.99"),
        ("Mug", 1, "10.00"),
    ]
    assert shown["total"] == "42.34"
    assert (setting.shop.stock_of(setting.shirt.id), setting.shop.stock_of(mug.id)) == (99, 4)
    setting.shop.edit_order(order.id, quantities={line: 0})
    assert setting.shop.stock_of(setting.shirt.id) == 100
    assert [item.name for item in order.items] == ["Mug"]


def test_variations_have_their_own_stock_or_that_of_the_parent() -> None:
    setting = new_setting()
    parent = setting.shop.add_product("Trainer", None, type="variable", sku="TRAIN", stock_quantity=10)
    own = setting.shop.add_variation(parent, Decimal(80), options={"Size": "40"}, sku="TRAIN-40", stock_quantity=3)
    shared = setting.shop.add_variation(parent, Decimal(80), options={"Size": "41"})
    lines = [CartLine(product_id=parent.id, variation_id=child.id) for child in (own, shared)]
    order = setting.shop.place_order(lines)
    assert (setting.shop.stock_of(parent.id, own.id), setting.shop.stock_of(parent.id, shared.id)) == (2, 9)
    shown = setting.call("GET", f"orders/{order.id}").json()["line_items"]
    assert [(line["sku"], line["product_id"], line["variation_id"]) for line in shown] == [
        ("TRAIN-40", parent.id, own.id),
        ("TRAIN", parent.id, shared.id),
    ]


def test_a_deleted_product_leaves_its_lines_without_sku() -> None:
    setting = new_setting()
    order = setting.order()
    setting.shop.delete_product(setting.shirt.id)
    line = setting.call("GET", f"orders/{order.id}").json()["line_items"][0]
    assert (line["name"], line["sku"], line["product_id"]) == ("Linen shirt", None, setting.shirt.id)
    assert setting.call("GET", f"products/{setting.shirt.id}").status_code == 404


def test_a_trashed_order_is_still_read_but_not_listed() -> None:
    setting = new_setting()
    order = setting.order()
    setting.shop.trash(order.id)
    assert setting.call("GET", f"orders/{order.id}").json()["status"] == "trash"
    assert setting.call("GET", "orders").json() == []
    assert [row["id"] for row in setting.call("GET", "orders", status="trash").json()] == [order.id]
    assert setting.call("DELETE", f"orders/{order.id}").status_code == 410
    assert setting.call("DELETE", f"orders/{order.id}", force="true").status_code == 200
    assert setting.call("GET", f"orders/{order.id}").status_code == 404


def test_a_refund_by_hand_is_refused_like_one_over_rest() -> None:
    setting = new_setting()
    with pytest.raises(WooError, match="Invalid refund amount"):
        setting.shop.staff_refund(setting.order().id, Decimal("60.49"))


def test_editing_items_over_rest_is_said_not_to_be_covered() -> None:
    setting = new_setting()
    answer = setting.call("PUT", f"orders/{setting.order().id}", {"line_items": []})
    assert (answer.status_code, answer.json()["code"]) == (501, "simulator_does_not_cover")


def test_notes_are_written_read_and_deleted() -> None:
    setting = new_setting()
    order = setting.order()
    made = setting.call("POST", f"orders/{order.id}/notes", {"note": "[RMA-1/received]", "customer_note": True}).json()
    assert made["author"] == "WooCommerce"
    found = setting.call("GET", f"orders/{order.id}/notes", type="customer").json()
    assert [note["note"] for note in found] == ["[RMA-1/received]"]
    path = f"orders/{order.id}/notes/{made['id']}"
    assert setting.call("GET", path).json() == made
    assert setting.call("DELETE", path).status_code == 501
    assert setting.call("DELETE", path, force="true").status_code == 200
    assert setting.call("GET", path).status_code == 404
    missing = setting.call("POST", f"orders/{order.id}/notes", {})
    assert (missing.status_code, missing.json()["code"]) == (400, "rest_missing_callback_param")


def test_the_page_shows_the_shop_escaped_and_without_credentials() -> None:
    setting = new_setting()
    order = setting.order(customer={"first_name": "<script>alert(1)</script>"})
    setting.shop.staff_refund(order.id, Decimal("1.00"), reason="=HYPERLINK(1)")
    setting.session.get(f"{BASE}/orders?consumer_key=ck&consumer_secret=cs_secret", timeout=30)
    answer = setting.session.get("https://shop.test/", timeout=30)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "/wp-json/wc/v3/orders" in answer.text
    assert "cs_secret" not in answer.text
    assert "=HYPERLINK(1)" in answer.text


@pytest.mark.parametrize("order_screen", ["orders", "posts"])
def test_links_of_ours_to_an_order_open_its_page_without_credentials_and_outside_the_call_log(
    order_screen: str,
) -> None:
    setting = new_setting()
    order, other = setting.order(customer={"first_name": "<b>Sam</b>"}), setting.order()
    setting.shop.staff_refund(order.id, Decimal("1.00"), reason="Torn seam")
    setting.shop.staff_refund(other.id, Decimal("2.00"), reason="Goodwill")
    calls = len(setting.shop.calls.all())
    shop = config(base_url="https://shop.test", settings={"order_screen": order_screen})
    answer = setting.session.get(links.order_url(shop, str(order.id)), timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f"Order {order.id} of the simulated WooCommerce shop" in answer.text
    assert ("Torn seam" in answer.text, "Goodwill" in answer.text) == (True, False)
    assert ("&lt;b&gt;Sam" in answer.text, "<b>Sam" in answer.text) == (True, False)
    assert len(setting.shop.calls.all()) == calls


def test_a_link_to_a_coupon_opens_its_page_and_its_code_stays_hidden() -> None:
    setting = new_setting()
    coupon = setting.shop.add_coupon("secret-code-1234", Decimal("10.00"), discount_type="fixed_cart")
    answer = setting.session.get(links.coupon_url(config(base_url="https://shop.test"), str(coupon.id)), timeout=30)
    assert (answer.status_code, "ends in 1234" in answer.text, "secret-code" in answer.text) == (200, True, False)


@pytest.mark.parametrize(
    "address",
    [
        "admin.php?page=wc-orders&action=edit&id=99999",
        "admin.php?page=wc-settings&action=edit&id={id}",
        "admin.php?page=wc-orders&action=trash&id={id}",
        "post.php?post=x&action=edit",
        "edit.php?post={id}&action=edit",
    ],
)
def test_other_screens_of_the_admin_are_not_there(address: str) -> None:
    setting = new_setting()
    order = setting.order()
    answer = setting.session.get(f"https://shop.test/wp-admin/{address.format(id=order.id)}", timeout=30)
    assert (answer.status_code, answer.text[:24]) == (404, "You attempted to edit an")


def test_an_order_of_nothing_is_not_paid_by_set_paid_but_by_its_status() -> None:
    """It needs no payment (recording create_zero_total_replacement_order_unpaid), and only what does is paid by PUT."""
    setting = new_setting()
    line = {"product_id": setting.shirt.id, "quantity": 1, "subtotal": "0", "total": "0"}
    made = setting.call("POST", "orders", {"line_items": [line]}).json()
    before = setting.shop.stock_of(setting.shirt.id)
    assert before is not None
    assert setting.call("PUT", f"orders/{made['id']}", {"set_paid": True}).json()["status"] == "pending"
    assert setting.shop.stock_of(setting.shirt.id) == before
    assert setting.call("PUT", f"orders/{made['id']}", {"status": "processing"}).json()["date_paid_gmt"]
    assert setting.shop.stock_of(setting.shirt.id) == before - 1
