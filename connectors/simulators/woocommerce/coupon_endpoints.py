"""`/coupons`: list by code, one, create, change, delete.

Sources: class-wc-rest-coupons-v2-controller.php and the v3 one, recording create_coupon.
"""

from decimal import Decimal
from typing import Any

from connectors.simulators.woocommerce import coupons_of_shop
from connectors.simulators.woocommerce.arguments import (
    Answer,
    Call,
    boolean,
    decimal_or_none,
    one_of,
    page_of,
    string,
    whole,
)
from connectors.simulators.woocommerce.product_json import ALL_METHODS
from connectors.simulators.woocommerce.records import Coupon
from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import (
    WooError,
    gmt,
    invalid_parameter,
    invalid_type,
    links,
    local,
    money,
)

TYPES = ["percent", "fixed_cart", "fixed_product"]
SHOWN_DECIMALS = 2  # whatever the shop's own: wc_format_decimal( $amount, 2 )


def list_coupons(call: Call) -> Answer:
    """GET /coupons: `code` finds at most one, and only a published one; without it all are listed."""
    code = call.text("code")
    found = coupons_of_shop.find(call.shop, code) if code else None
    rows = ([found] if found else []) if code else sorted(call.shop.coupons.values(), key=lambda row: -row.id)
    return page_of(call, rows, lambda row: coupon_json(call.shop, row, base=call.base))


def get_coupon(call: Call, coupon_id: int) -> Answer:
    """GET /coupons/{id}."""
    return Answer(body=coupon_json(call.shop, _find(call, coupon_id), base=call.base))


def create_coupon(call: Call) -> Answer:
    """POST /coupons: a code in use is refused with 400."""
    code = string(call.body, "code")
    if not code:
        data = {"status": 400, "params": ["code"]}
        message = "Missing parameter(s): code"
        raise WooError(status=400, code="rest_missing_callback_param", message=message, data=data)
    _check(call)
    coupon = coupons_of_shop.new_coupon(
        call.shop,
        code=code,
        discount_type=one_of("discount_type", string(call.body, "discount_type", "fixed_cart"), TYPES),
        amount=decimal_or_none(call.body.get("amount")) or Decimal(0),
    )
    _apply(call, coupon)
    location = f"{call.base}/coupons/{coupon.id}"
    return Answer(body=coupon_json(call.shop, coupon, base=call.base), status=201, location=location)


def update_coupon(call: Call, coupon_id: int) -> Answer:
    """PUT /coupons/{id}: only what is given changes."""
    coupon = _find(call, coupon_id)
    _check(call)
    if "code" in call.body:
        coupons_of_shop.check_code(call.shop, string(call.body, "code"), holder_id=coupon.id)
        coupon.code = string(call.body, "code").lower()
    if (amount := decimal_or_none(call.body.get("amount"))) is not None:
        coupons_of_shop.check_amount(amount)
        coupon.amount = amount
    _apply(call, coupon)
    coupon.modified_at = call.shop.now()
    return Answer(body=coupon_json(call.shop, coupon, base=call.base))


def delete_coupon(call: Call, coupon_id: int) -> Answer:
    """DELETE /coupons/{id}: to the trash, where its code finds nothing any more; `force=true` for good."""
    coupon = _find(call, coupon_id)
    if boolean("force", call.text("force", "false")):
        del call.shop.coupons[coupon_id]
    elif coupon.status == "trash":
        message = "The shop_coupon has already been deleted."
        raise WooError(status=410, code="woocommerce_rest_already_trashed", message=message)
    else:
        coupon.status = "trash"
    return Answer(body=coupon_json(call.shop, coupon, base=call.base))


def coupon_json(shop: ShopState, coupon: Coupon, *, base: str) -> dict[str, Any]:
    """A coupon as the API shows it."""
    zero = money(Decimal(0), SHOWN_DECIMALS)
    modified_at = coupon.modified_at or coupon.created_at
    return {
        "id": coupon.id,
        "code": coupon.code,
        "amount": money(coupon.amount, SHOWN_DECIMALS),
        "status": coupon.status,
        "date_created": local(coupon.created_at, shop.zone),
        "date_created_gmt": gmt(coupon.created_at),
        "date_modified": local(modified_at, shop.zone),
        "date_modified_gmt": gmt(modified_at),
        "discount_type": coupon.discount_type,
        "description": coupon.description,
        "date_expires": local(coupon.expires_at, shop.zone),
        "date_expires_gmt": gmt(coupon.expires_at),
        "usage_count": coupon.usage_count,
        "individual_use": coupon.is_individual_use,
        "product_ids": [],
        "excluded_product_ids": [],
        "usage_limit": coupon.usage_limit,
        "usage_limit_per_user": None,
        "limit_usage_to_x_items": None,
        "free_shipping": False,
        "product_categories": [],
        "excluded_product_categories": [],
        "exclude_sale_items": False,
        "minimum_amount": zero,
        "maximum_amount": zero,
        "email_restrictions": list(coupon.email_restrictions),
        "used_by": list(coupon.used_by),
        "meta_data": [{"id": meta.id, "key": meta.key, "value": meta.value} for meta in coupon.meta],
        "_links": links(base, f"coupons/{coupon.id}", allow=ALL_METHODS, collection="coupons"),
    }


def _find(call: Call, coupon_id: int) -> Coupon:
    coupon = call.shop.coupons.get(coupon_id)
    if coupon is None:
        raise WooError(status=404, code="woocommerce_rest_shop_coupon_invalid_id", message="Invalid ID.")
    return coupon


def _check(call: Call) -> None:
    """Refuse what WordPress refuses before anything is written."""
    for name in ("email_restrictions", "meta_data"):
        if not isinstance(call.body.get(name, []), list):
            raise invalid_type(name, "array")
    try:
        _expiry(call)
    except ValueError:
        raise invalid_parameter("date_expires", "Invalid date.", "rest_invalid_date") from None


def _expiry(call: Call) -> Any:
    text = string(call.body, "date_expires") if call.body.get("date_expires") is not None else ""
    return coupons_of_shop.moment_of(call.shop, text) if text else None


def _apply(call: Call, coupon: Coupon) -> None:
    """Set what is given; `date_expires_gmt` is ignored, as WooCommerce has no setter for it."""
    body = call.body
    coupon.description = string(body, "description", coupon.description)
    coupon.is_individual_use = boolean("individual_use", body.get("individual_use", coupon.is_individual_use))
    if "usage_limit" in body:
        coupon.usage_limit = whole(body, "usage_limit") or None
    if body.get("date_expires") is not None:
        coupon.expires_at = _expiry(call)
    if "email_restrictions" in body:
        coupon.email_restrictions = coupons_of_shop.kept_emails(body["email_restrictions"])
    for entry in body.get("meta_data", []):
        call.shop.set_meta(coupon.meta, str(entry["key"]), entry["value"])
