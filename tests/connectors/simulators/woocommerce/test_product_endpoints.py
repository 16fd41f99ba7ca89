"""Products, stock and SKUs beyond the recordings (section 5)."""

from decimal import Decimal

from tests.connectors.simulators.woocommerce.woo_client import new_setting


def test_stock_management_can_be_switched_on_and_the_price_changed() -> None:
    setting = new_setting()
    box = setting.shop.add_product("Box", Decimal("5.00"))
    assert setting.call("PUT", f"products/{box.id}", {"stock_quantity": 5}).json()["stock_quantity"] is None
    body = {"manage_stock": True, "stock_quantity": 5, "regular_price": "6.00"}
    shown = setting.call("PUT", f"products/{box.id}", body).json()
    assert (shown["stock_quantity"], shown["price"]) == (5, "6.00")
    assert setting.call("PUT", f"products/{box.id}", {"inventory_delta": -2}).json()["stock_quantity"] == 3


def test_products_are_found_by_id_and_by_several_skus() -> None:
    setting = new_setting()
    box = setting.shop.add_product("Box", Decimal("5.00"), sku="BOX")
    found = setting.call("GET", "products", sku="BOX,SHIRT-1").json()
    assert {product["id"] for product in found} == {box.id, setting.shirt.id}
    assert [product["id"] for product in setting.call("GET", "products", include=box.id).json()] == [box.id]
    assert setting.call("DELETE", f"products/{box.id}").status_code == 200
    assert setting.call("GET", "products", sku="BOX").json() == []


def test_unknown_products_and_variations() -> None:
    setting = new_setting()
    assert setting.call("GET", "products/999").json()["code"] == "woocommerce_rest_product_invalid_id"
    wrong = setting.call("GET", f"products/{setting.shirt.id}/variations/{setting.shirt.id}")
    assert (wrong.status_code, wrong.json()["code"]) == (404, "woocommerce_rest_product_variation_invalid_id")


def test_orders_over_rest_check_only_what_the_real_one_checks() -> None:
    setting = new_setting()
    nothing = setting.call("POST", "orders", {"line_items": [{"quantity": 1}]})
    assert (nothing.status_code, nothing.json()["code"]) == (400, "woocommerce_rest_required_product_reference")
    coupon = setting.call("POST", "orders", {"coupon_lines": [{"code": "none"}]})
    assert coupon.json()["code"] == "woocommerce_rest_invalid_coupon"
    parent = setting.call("POST", "orders", {"parent_id": 999})
    assert parent.json()["code"] == "order_invalid_parent_id"
    assert setting.call("GET", "orders").json() == []
    taxes = setting.call("GET", "taxes").json()
    assert [(rate["id"], rate["rate"], rate["class"]) for rate in taxes] == [(1, "21.0000", "standard")]


def test_webhooks_are_listed_changed_and_deleted() -> None:
    setting = new_setting()
    setting.shop.webhooks.session.mount("http://in.test", setting.session.get_adapter("http://shop.test"))
    body = {"topic": "order.updated", "delivery_url": "http://in.test/x", "secret": "s"}
    made = setting.call("POST", "webhooks", body).json()
    assert [row["id"] for row in setting.call("GET", "webhooks", status="active").json()] == [made["id"]]
    assert setting.call("GET", "webhooks", status="disabled").json() == []
    changed = {"topic": "order.created", "delivery_url": "http://in.test/y", "name": "n"}
    shown = setting.call("PUT", f"webhooks/{made['id']}", changed).json()
    assert (shown["topic"], shown["delivery_url"], shown["name"]) == ("order.created", "http://in.test/y", "n")
    assert setting.call("DELETE", f"webhooks/{made['id']}").status_code == 501
    assert setting.call("DELETE", f"webhooks/{made['id']}", force="true").status_code == 200
    assert setting.call("GET", f"webhooks/{made['id']}").status_code == 404
