"""check_connection for a shop: each line says what was looked at and, where it is not well, what to do."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.http import NO_TLS
from connectors.polled_only import is_polled_only
from connectors.ports import Answer, AuthFailed, CheckLine, Link, Rejected, VendorError, WebhookState
from connectors.redaction import without_query
from connectors.woocommerce import client, webhooks
from connectors.woocommerce.links import site_url
from returnsops.money import MoneyError, exponent

_ON: Final = "active"
MAX_SKEW: Final = timedelta(seconds=60)  # OAuth allows 15 minutes; twins are judged by the shop's clock


def check(link: Link) -> Sequence[CheckLine]:
    """Address, key, write permission, clocks, time zone, price digits, webhooks. Changes nothing in the shop."""
    address = _address(link)
    if not address.is_ok:
        return (address,)
    try:
        answer = client.get(link, "/orders", params={"per_page": "1"})
    except VendorError as failure:
        return (address, CheckLine(name="credentials", is_ok=False, text=failure.text, fix=_key_fix(failure)))
    orders = answer.json if isinstance(answer.json, list) else []
    order = orders[0] if orders and isinstance(orders[0], dict) else None
    return (
        address,
        CheckLine(name="credentials", is_ok=True, text="The API key may list orders."),
        _write_right(link),
        _clock(link, answer),
        _time_zone(link, order),
        _digits(order),
        *_webhook_lines(link),
    )


def _address(link: Link) -> CheckLine:
    try:
        client.auth_for(link.config)
    except AuthFailed as failure:
        return CheckLine(name="address", is_ok=False, text=failure.text, fix="Correct it and run apply_config again.")
    scheme = urlsplit(site_url(link.config)).scheme
    signing = "keys are sent over TLS" if scheme == "https" else "this machine only, requests are signed with OAuth"
    return CheckLine(name="address", is_ok=True, text=f"{site_url(link.config)} ({signing}).")


def _key_fix(failure: VendorError) -> str:
    if isinstance(failure, AuthFailed):
        return "Make a read/write key for a shop manager under WooCommerce > Settings > Advanced > REST API."
    if str(failure.evidence.get("reason", "")).startswith(NO_TLS):
        return (
            "Compare the host name in base_url with the shop's certificate. Where your own authority signed it, set"
            " REQUESTS_CA_BUNDLE (docs/deploying.md)."
        )
    return "Open the shop's address in a browser; check base_url, permalinks (not 'plain') and maintenance mode."


def _write_right(link: Link) -> CheckLine:
    """A PUT to an order that cannot exist: a key that may only read is refused before the order is looked for."""
    try:
        client.write(link, "PUT", "/orders/0", body={})
    except Rejected as refusal:
        if refusal.code == client.ORDER_UNKNOWN:
            return CheckLine(name="write permission", is_ok=True, text="The API key may write.")
        return CheckLine(name="write permission", is_ok=False, text=refusal.text, fix="See the shop's answer.")
    except AuthFailed as failure:
        fix = "Set the key's permissions to Read/Write under WooCommerce > Settings > Advanced > REST API."
        return CheckLine(name="write permission", is_ok=False, text=failure.text, fix=fix)
    except VendorError as failure:
        return CheckLine(name="write permission", is_ok=False, text=failure.text, fix="Try again.")
    text = "The shop accepted a change of order 0, which it should not know."
    return CheckLine(name="write permission", is_ok=False, text=text, fix="Ask which plugin answers /orders/0.")


def _clock(link: Link, answer: Answer) -> CheckLine:
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return CheckLine(name="clock", is_ok=True, text="The shop does not say what time it is.")
    skew = abs(link.now() - theirs.replace(tzinfo=theirs.tzinfo or UTC))
    text = f"The clocks differ by {skew.total_seconds():.0f} s."
    fix = "" if skew <= MAX_SKEW else "Synchronise both clocks (NTP): signatures and look-ups rest on them."
    return CheckLine(name="clock", is_ok=skew <= MAX_SKEW, text=text, fix=fix)


def _time_zone(link: Link, order: dict[str, Any] | None) -> CheckLine:
    """The shop's zone shows in an order's two dates; ours decides when a return window ends."""
    name = link.config.time_zone
    try:
        local, gmt = (datetime.fromisoformat(str((order or {}).get(f))) for f in ("date_created", "date_created_gmt"))
        expected = ZoneInfo(name).utcoffset(gmt.replace(tzinfo=UTC).astimezone(ZoneInfo(name)))
    except ZoneInfoNotFoundError:
        text = f"{name!r} is not a time zone."
        return CheckLine(name="time zone", is_ok=False, text=text, fix="Use a name such as Europe/Madrid.")
    except ValueError:
        return CheckLine(name="time zone", is_ok=True, text="There is no order yet to compare the time zone with.")
    if local - gmt == expected:
        return CheckLine(name="time zone", is_ok=True, text=f"{name} agrees with the shop's dates.")
    text = f"The shop is {_hours(local - gmt)} h from UTC, {name} was not at that time."
    fix = "Set time_zone to the shop's (WordPress > Settings > General)."
    return CheckLine(name="time zone", is_ok=False, text=text, fix=fix)


def _hours(offset: timedelta) -> str:
    return f"{offset.total_seconds() / 3600:+g}"


def _digits(order: dict[str, Any] | None) -> CheckLine:
    """A shop that rounds its prices to fewer digits than the currency has cannot refund what was paid."""
    if order is None:
        return CheckLine(name="price digits", is_ok=True, text="There is no order yet to see the shop's price digits.")
    currency = str(order.get("currency"))
    shown = len(str(order.get("total") or "").partition(".")[2])
    try:
        wanted = exponent(currency)
    except MoneyError as problem:
        return CheckLine(name="price digits", is_ok=False, text=str(problem), fix="Use an ISO 4217 currency.")
    text = f"The shop keeps {shown} decimals, {currency} has {wanted}."
    fix = "" if shown == wanted else f"Set the number of decimals to {wanted} under WooCommerce > Settings > General."
    return CheckLine(name="price digits", is_ok=shown == wanted, text=text, fix=fix)


def _webhook_lines(link: Link) -> list[CheckLine]:
    if is_polled_only(link.config.settings):
        text = "polled only, as the connection's settings say (webhooks = false)"
        return [CheckLine(name="webhooks", is_ok=True, text=text)]
    fix = (
        "Register them with --repair-webhooks and this installation's address, or set webhooks = false where the shop "
        "is to be polled only. Changes made meanwhile come with the next poll."
    )
    try:
        webhooks.webhook_secret(link.config)
        found = webhooks.list_webhooks(link)
    except VendorError as failure:
        return [CheckLine(name="webhooks", is_ok=False, text=failure.text, fix="Correct it, then check again.")]
    said = [(topic, _webhook_text(link, topic, found)) for topic in webhooks.TOPICS]
    return [
        CheckLine(name=f"webhook {topic}", is_ok=text == _ON, text=text, fix="" if text == _ON else fix)
        for topic, text in said
    ]


def _webhook_text(link: Link, topic: str, found: Sequence[WebhookState]) -> str:
    """How the webhook of one topic stands; one that delivers to another address is none of ours."""
    url = link.config.webhook_url
    named = [state for state in found if state.topic == topic]
    here = [state for state in named if state.delivery_url == url]
    if not named:
        return "missing"
    if not here:
        return f"missing: it delivers to {without_query(named[0].delivery_url)}, our address (PUBLIC_URL) is {url}"
    return _ON if all(state.is_active for state in here) else "switched off by the shop"
