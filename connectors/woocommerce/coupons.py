"""Store credit and gift cards as coupons: how to find ours again, how to make one, how to make it worthless.

The code is derived from the effect's key with a secret of the connection, so that it is its own duplicate guard: the
shop refuses a second coupon of a code (``woocommerce_rest_coupon_code_already_exists``; checked without a lock), and
whoever knows the return's number cannot work it out. It is worth money: it is never part of evidence, history or logs.

Sources: REST API v3 "Coupons", class-wc-rest-coupons-v2-controller.php (the ``code`` filter is exact, finds published
coupons only; codes are kept in lower case), class-wc-coupon.php (e-mails are lower-cased, and one that is no address is
dropped in silence), abstract-wc-data.php (dates with Z are UTC), recording create_coupon.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.ports import CreditSeen, Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Sent
from connectors.woocommerce import client
from connectors.woocommerce.links import coupon_url
from connectors.woocommerce.orders import amount_of, meta_of, reading_of
from connectors.woocommerce.reading import required_order, snapshot_of
from connectors.woocommerce.refunds import check_order, meta_entries, plain
from returnsops import money
from returnsops.facts import OrderSnapshot

KEY_SECRET: Final = "coupon_key"  # noqa: S105  the name of a secret, not its value
ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is read for something else
GROUPS: Final = 3
UNKNOWN_COUPON: Final = "woocommerce_rest_shop_coupon_invalid_id"
SPENT: Final = "credit_spent"
NO_EMAIL: Final = "no_email"
_SHOWN: Final = Decimal("0.01")  # the API shows coupon amounts with two decimals, whatever the shop's own
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def code_of(secret: str, remote_key: str) -> str:
    """The code of an effect: RC- and twelve of 32 characters (60 bits) of an HMAC-SHA256 of its remote key."""
    digest = hmac.new(secret.encode(), f"coupon:{remote_key}".encode(), hashlib.sha256).digest()
    symbols = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[: 4 * GROUPS])
    return "-".join(["RC", *(symbols[at : at + 4] for at in range(0, len(symbols), 4))])


# --- store credit --------------------------------------------------------------------------------------------------


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the coupon exists, by its code in any generation and under any secret there ever was.

    Raises Rejected('order_not_found'). A coupon of our code that is not what was asked is ambiguous.
    """
    order = snapshot_of(link, required_order(link, intent.order_id))
    found = {str(row["id"]): row for code in _codes(link, intent) for row in _of_code(link, code)}
    if not found:
        return Lookup(found=Found.ABSENT, evidence={"coupons_of_our_code": 0}, order=order)
    if len(found) > 1:
        return _ambiguous("More than one coupon carries our code", list(found), order)
    (coupon_id, coupon), *_ = found.items()
    wrong = _differences(link, intent, coupon, email=order.customer_email)
    if wrong:
        return _ambiguous(f"The coupon with our code differs in {', '.join(wrong)}", [coupon_id], order)
    return Lookup(found=Found.COMPLETE, remote_id=coupon_id, evidence=_seen(coupon), order=order)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Make the coupon that the look-up did not find.

    Raises Rejected where it cannot be right (no billing e-mail to tie it to, currency, amount) or the shop refuses
    definitely, and OutcomeUnknown otherwise, also where the shop says that the code exists: a look-up decides.
    """
    order = lookup.order or snapshot_of(link, required_order(link, intent.order_id))
    check_order(order)
    _check(intent, order)
    code = code_of(link.config.secret(KEY_SECRET), intent.remote_key)
    made = client.write(link, "POST", "/coupons", body=coupon_body(link, intent, code=code, email=order.customer_email))
    _check_made(link, intent, made, code=code, email=order.customer_email)
    coupon_id = str(made["id"])
    return Sent(remote_id=coupon_id, evidence=_seen(made), remote_url=coupon_url(link.config, coupon_id))


def coupon_body(link: Link, intent: Intent, *, code: str, email: str) -> dict[str, Any]:
    """The request: a fixed amount off one cart of one customer, once. What the cart does not use up lapses with it."""
    payload = intent.payload
    body: dict[str, Any] = {
        "code": code,
        "discount_type": "fixed_cart",
        "amount": plain(amount_of(payload["amount"])),
        "description": f"{payload.get('reason') or ''} {intent.remote_key}".strip(),
        "individual_use": False,
        "usage_limit": 1,
        "email_restrictions": [email],
        "meta_data": meta_entries(intent, meta_prefix=reading_of(link.config.settings).meta_prefix),
    }
    if payload.get("valid_days"):
        body["date_expires"] = _stamp(_last_second(link, int(payload["valid_days"])))
    return body


def read_credit(link: Link, coupon_id: str) -> CreditSeen:
    """One coupon as it is now, with its code. Raises Rejected where it is gone from the shop."""
    coupon = _fetch(link, coupon_id)
    if coupon is None:
        raise Rejected(f"The shop has no coupon {coupon_id} any more.", code=UNKNOWN_COUPON)
    return CreditSeen(
        code=str(coupon["code"]).upper(),
        amount=amount_of(coupon.get("amount")),
        expires_at=_expires_at(coupon),
        usage_count=_uses(coupon),
        is_usable=_is_usable(coupon, now=link.now()),
    )


# --- making it worthless -------------------------------------------------------------------------------------------


def look_up_void(link: Link, intent: Intent) -> Lookup:
    """Whether the coupon can no longer be spent, and was not.

    Raises Rejected('credit_spent') where it was spent before we touched it; spent since is ambiguous: a person decides.
    """
    coupon_id = str(intent.payload["remote_credit_id"])
    coupon = _fetch(link, coupon_id)
    if coupon is None:
        return Lookup(found=Found.COMPLETE, remote_id=coupon_id, evidence={"coupon_id": coupon_id, "state": "deleted"})
    if _key_of(link, coupon) not in intent.payload["credit_keys"]:
        return _ambiguous("The coupon does not carry the key of this credit", [coupon_id])
    if _uses(coupon) > 0:
        text = f"The credit was spent already (used {_uses(coupon)} times), so it cannot be taken back."
        if intent.first_attempt_at is None:
            raise Rejected(text, code=SPENT, evidence=_seen(coupon))
        return _ambiguous(text.rstrip("."), [coupon_id], evidence=_seen(coupon))
    found = Found.ABSENT if _is_usable(coupon, now=link.now()) else Found.COMPLETE
    return Lookup(found=found, remote_id=coupon_id, evidence=_seen(coupon))


def send_void(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Let the coupon lapse, and read it again: somebody may have paid with it in between.

    Raises OutcomeUnknown where it was spent meanwhile or does not show as lapsed.
    """
    coupon_id = str(intent.payload["remote_credit_id"])
    prefix = reading_of(link.config.settings).meta_prefix
    body = {
        "date_expires": _stamp(link.now() - timedelta(days=1)),
        "meta_data": [{"key": f"{prefix}void", "value": intent.remote_key}],
    }
    client.write(link, "PUT", f"/coupons/{coupon_id}", body=body)
    coupon = _fetch(link, coupon_id)
    if coupon is not None and (_uses(coupon) or _is_usable(coupon, now=link.now())):
        raise OutcomeUnknown(f"Coupon {coupon_id} was spent meanwhile, or can still be spent.", evidence=_seen(coupon))
    evidence = _seen(coupon) if coupon is not None else {"coupon_id": coupon_id, "state": "deleted"}
    return Sent(remote_id=coupon_id, evidence=evidence, remote_url=coupon_url(link.config, coupon_id))


# --- small parts ---------------------------------------------------------------------------------------------------


def _codes(link: Link, intent: Intent) -> list[str]:
    link.config.secret(KEY_SECRET)  # says which one is missing
    keys = (intent.remote_key, *intent.earlier_remote_keys)
    return [code_of(secret, key) for secret in link.config.secrets[KEY_SECRET] for key in keys]


def _of_code(link: Link, code: str) -> Sequence[Json]:
    """The published coupons of a code; asked in lower case, as older shops compare what they are given."""
    rows = client.get_all(link, "/coupons", params={"code": code.lower()})
    return [row for row in rows if str(row.get("code")).upper() == code]


def _fetch(link: Link, coupon_id: str) -> Json | None:
    try:
        return client.get(link, f"/coupons/{coupon_id}").json
    except Rejected as refusal:
        if refusal.code == UNKNOWN_COUPON:
            return None
        raise


def _check(intent: Intent, order: OrderSnapshot) -> None:
    amount = amount_of(intent.payload["amount"])
    if intent.currency != order.currency:
        text = f"The credit is in {intent.currency}, order {order.number} in {order.currency}."
        raise Rejected(text, code="currency_mismatch")
    if amount <= 0:
        raise Rejected(
            f"A credit of {money.display(amount, currency=order.currency)} is none.", code="amount_not_positive"
        )
    if not _ADDRESS.fullmatch(order.customer_email):
        text = (
            f"Order {order.number} has no usable billing e-mail, so anybody could spend the credit. Add the e-mail to"
            " the order in the shop, then try again, or issue the credit by hand."
        )
        raise Rejected(text, code=NO_EMAIL)


def _check_made(link: Link, intent: Intent, made: Json, *, code: str, email: str) -> None:
    """The answer to our POST must be our coupon. Raises OutcomeUnknown, so that a look-up decides."""
    if not isinstance(made, dict) or not made.get("id"):
        raise OutcomeUnknown("The shop answered the coupon with something that is no coupon.")
    wrong = _differences(link, intent, made, email=email)
    if str(made.get("code")).upper() != code:
        wrong.append("code")
    if wrong:
        raise OutcomeUnknown(f"Coupon {made['id']} that the shop answered with differs in {', '.join(wrong)}.")


def _differences(link: Link, intent: Intent, coupon: Json, *, email: str) -> list[str]:
    """What of a coupon is not as asked; without its customer's e-mail anybody could spend it."""
    keys = (intent.remote_key, *intent.earlier_remote_keys)
    same = {
        "key": _key_of(link, coupon) in keys,
        "amount": amount_of(coupon.get("amount")) == amount_of(intent.payload["amount"]).quantize(_SHOWN),
        "discount type": coupon.get("discount_type") == "fixed_cart",
        "customer": [str(one).lower() for one in coupon.get("email_restrictions") or ()] == [email.lower()],
    }
    return [name for name, is_same in same.items() if not is_same]


def _key_of(link: Link, coupon: Json) -> str:
    return meta_of(coupon).get(reading_of(link.config.settings).meta_prefix + "key", "")


def _seen(coupon: Json) -> dict[str, Any]:
    """What may be kept of a coupon: never its code, nor whose it is."""
    expires_at = _expires_at(coupon)
    return {
        "coupon_id": str(coupon["id"]),
        "code_last4": str(coupon.get("code") or "")[-4:].upper(),
        "amount": str(coupon.get("amount")),
        "expires": expires_at.isoformat() if expires_at else "",
        "used": _uses(coupon),
    }


def _uses(coupon: Json) -> int:
    count = coupon.get("usage_count")
    return int(count) if str(count).isdigit() else 0


def _is_usable(coupon: Json, *, now: datetime) -> bool:
    expires_at = _expires_at(coupon)
    return coupon.get("status", "publish") == "publish" and (expires_at is None or now <= expires_at)


def _expires_at(coupon: Json) -> datetime | None:
    text = str(coupon.get("date_expires_gmt") or "")
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _last_second(link: Link, days: int) -> datetime:
    """The end of the day that many days ahead, in the shop's time zone."""
    zone = ZoneInfo(link.config.time_zone)
    last: date = link.now().astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(last, time(23, 59, 59), tzinfo=zone)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ambiguous(
    text: str, ids: list[str], order: OrderSnapshot | None = None, *, evidence: dict[str, Any] | None = None
) -> Lookup:
    return Lookup(
        found=Found.AMBIGUOUS,
        remote_ids={f"coupon_{index}": coupon_id for index, coupon_id in enumerate(ids, start=1)},
        text=f"{text} (coupon {', '.join(ids)}).",
        evidence={**(evidence or {}), "candidates": ids},
        order=order,
    )
