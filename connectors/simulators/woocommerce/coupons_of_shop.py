"""Coupons: made, looked up by code, checked when somebody buys with one, and counted.

Read in WooCommerce's source (class-wc-coupon.php, class-wc-discounts.php, wc_update_coupon_usage_counts): codes are
kept in lower case, only published coupons are found by code, e-mails are lower-cased and what is none is dropped, a
coupon holds until its last second, and an order counts as a use until it is cancelled. Not simulated: coupons held by
checkouts that are not finished, per-user limits, and orders in the trash.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from connectors.simulators.woocommerce.records import Coupon, Order
from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import WooError

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_USING = ("pending", "on-hold", "processing", "completed")


def new_coupon(shop: ShopState, *, code: str, discount_type: str, amount: Decimal) -> Coupon:
    """A published coupon. Raises WooError 400 for a code in use or a negative amount."""
    check_code(shop, code)
    check_amount(amount)
    coupon = Coupon(
        id=shop.next_id("post"),
        code=code.lower(),
        discount_type=discount_type,
        amount=amount,
        created_at=shop.now(),
    )
    shop.coupons[coupon.id] = coupon
    return coupon


def find(shop: ShopState, code: str, *, without_id: int = 0) -> Coupon | None:
    """The newest published coupon of a code."""
    rows = [c for c in shop.coupons.values() if (c.code, c.status) == (code.lower(), "publish") and c.id != without_id]
    return max(rows, key=lambda coupon: coupon.id, default=None)


def check_code(shop: ShopState, code: str, *, holder_id: int = 0) -> None:
    """Raise WooError 400 where another published coupon has this code."""
    if find(shop, code, without_id=holder_id) is not None:
        code_of_error = "woocommerce_rest_coupon_code_already_exists"
        raise WooError(status=400, code=code_of_error, message="The coupon code already exists")


def check_amount(amount: Decimal) -> None:
    """Raise WooError 400 for a negative amount."""
    if amount < 0:
        raise WooError(status=400, code="coupon_invalid_amount", message="Invalid discount amount.")


def kept_emails(given: Sequence[object]) -> list[str]:
    """What WooCommerce keeps of e-mail restrictions."""
    return [text for text in (str(value).strip().lower() for value in given) if _EMAIL.fullmatch(text)]


def usable(shop: ShopState, code: str, email: str) -> Coupon:
    """The coupon somebody with this billing e-mail may use now. Raises WooError 400 saying why not."""
    coupon = find(shop, code)
    if coupon is None:
        raise _refused(f'Coupon "{code}" does not exist!')
    check_usable(shop, coupon, email)
    return coupon


def check_usable(shop: ShopState, coupon: Coupon, email: str) -> None:
    """Raise WooError 400 where the coupon has lapsed, is used up, or is another customer's."""
    if coupon.usage_limit and coupon.usage_count >= coupon.usage_limit:
        raise _refused("Coupon usage limit has been reached.")
    if coupon.expires_at is not None and shop.now() > coupon.expires_at:
        raise _refused("This coupon has expired.")
    if coupon.email_restrictions and email.lower() not in coupon.email_restrictions:
        raise _refused("Sorry, it seems the coupon is not yours.")


def count_use(shop: ShopState, order: Order) -> None:
    """Count an order as a use of its coupons once, and take it back when it is cancelled."""
    if order.status in _USING and not order.is_coupon_use_counted:
        order.is_coupon_use_counted = True
        step = 1
    elif order.status == "cancelled" and order.is_coupon_use_counted:
        order.is_coupon_use_counted = False
        step = -1
    else:
        return
    who = order.billing.get("email", "").lower()
    for line in order.coupons:
        coupon = shop.coupons.get(line.coupon_id)
        if coupon is not None:
            coupon.usage_count += step
            coupon.used_by = [*coupon.used_by, who] if step > 0 else [name for name in coupon.used_by if name != who]


def moment_of(shop: ShopState, text: str) -> datetime:
    """A date of a request: shop-local, or right as it stands with an offset. Raises ValueError."""
    given = datetime.fromisoformat(text)
    return (given if given.tzinfo else given.replace(tzinfo=shop.zone)).astimezone(UTC)


def _refused(message: str) -> WooError:
    return WooError(status=400, code="woocommerce_rest_invalid_coupon", message=message)
