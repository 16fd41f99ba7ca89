"""What check_connection says about a shop: each line with what was seen, and what to do where it is not well."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.ports import AuthFailed, CheckLine, Link, VendorError, WebhookState
from connectors.redaction import without_query
from connectors.shopify import client, scopes, tokens, webhooks
from connectors.shopify.links import API_VERSION, api_version, is_ending, shop_url, version_ends_on
from connectors.shopify.receiving import SECRET

_ON: Final = "active"


def check(link: Link) -> Sequence[CheckLine]:
    """Token, API version, scopes, time zone, currency, webhooks. Changes nothing in the shop."""
    try:
        reply = client.reply(link, "ShopInfo", {})
    except VendorError as failure:
        return (CheckLine(name="credentials", is_ok=False, text=failure.text, fix=_fix(failure)),)
    shop = reply.data.get("shop") or {}
    kind = "a token that is never renewed" if tokens.is_static(link.config) else "tokens made by client credentials"
    text = f"{shop_url(link.config)} ({shop.get('name')}) answers, with {kind}."
    return (
        CheckLine(name="credentials", is_ok=True, text=text),
        _version(link, reply),
        _scopes(reply.data),
        _optional_scopes(reply.data),
        _time_zone(link, str(shop.get("ianaTimezone") or "")),
        _currency(shop),
        _secret(link),
        *_webhook_lines(link),
    )


def _fix(failure: VendorError) -> str:
    if isinstance(failure, AuthFailed):
        return "Correct the secrets with apply_config, or the app's installation and scopes in Shopify."
    return "Open the shop's address in a browser; check base_url, and try again."


def _version(link: Link, reply: client.Reply) -> CheckLine:
    """Shopify answers for a version that is gone with the oldest it still has, and says so in a header only."""
    asked, served = api_version(link.config), reply.version or api_version(link.config)
    known = {str(row.get("handle")): row.get("supported") is True for row in reply.data.get("publicApiVersions") or ()}
    name, read = "API version", "Read the changes of Shopify's API up to it, then set api_version."
    if served != asked:
        return CheckLine(name=name, is_ok=False, text=f"{asked} was asked for and {served} answered.", fix=read)
    if known and not known.get(asked, False):
        return CheckLine(name=name, is_ok=False, text=f"{asked} is no longer supported.", fix=read)
    tested = "" if asked == API_VERSION else f" This connector is tested with {API_VERSION}."
    ends_on = version_ends_on(asked)
    if is_ending(asked, on=link.now().date()):
        return CheckLine(name=name, is_ok=False, text=f"{asked} is supported until {ends_on} at least.", fix=read)
    newer = sorted(handle for handle, is_supported in known.items() if is_supported and handle > asked)
    said = f" Newer: {', '.join(newer)}." if newer else ""
    return CheckLine(name=name, is_ok=True, text=f"{asked} answers.{said}{tested}")


def _granted(data: Mapping[str, Any]) -> list[str]:
    rows = (data.get("currentAppInstallation") or {}).get("accessScopes") or ()
    return [str(row.get("handle")) for row in rows]


def _scopes(data: Mapping[str, Any]) -> CheckLine:
    lacking = scopes.missing(_granted(data))
    if not lacking:
        return CheckLine(name="scopes", is_ok=True, text="The app has all scopes it needs.")
    text = "; ".join(f"{need.work} needs {' or '.join(need.any_of)}" for need in lacking)
    return CheckLine(
        name="scopes", is_ok=False, text=f"Missing: {text}.", fix="Add them to the app, then reinstall it."
    )


def _optional_scopes(data: Mapping[str, Any]) -> CheckLine:
    """Not wrong by itself: whoever issues no gift cards needs no right to."""
    lacking = scopes.missing(_granted(data), is_optional=True)
    text = "; ".join(f"without {' or '.join(need.any_of)}: no {need.work}" for need in lacking)
    return CheckLine(name="optional scopes", is_ok=True, text=f"{text}." if text else "All there.")


def _time_zone(link: Link, theirs: str) -> CheckLine:
    """Ours decides when a return window ends."""
    ours = link.config.time_zone
    if not theirs or theirs == ours:
        return CheckLine(name="time zone", is_ok=True, text=f"{ours} is the shop's.")
    fix = f'Set time_zone of the connection to "{theirs}".'
    return CheckLine(name="time zone", is_ok=False, text=f"The shop is in {theirs}, we have {ours}.", fix=fix)


def _currency(shop: Mapping[str, Any]) -> CheckLine:
    text = f"The shop's own currency is {shop.get('currencyCode')}; amounts are read in what each customer paid in."
    return CheckLine(name="currency", is_ok=True, text=text)


def _secret(link: Link) -> CheckLine:
    if link.config.secrets.get(SECRET):
        return CheckLine(name="webhook signature", is_ok=True, text="The app's secret is set.")
    fix = f"Set {SECRET} (the app's client secret, or API secret key) with apply_config."
    return CheckLine(name="webhook signature", is_ok=False, text="Webhooks cannot be verified.", fix=fix)


def _webhook_lines(link: Link) -> list[CheckLine]:
    fix = "Register the webhooks of this connection again; changes made meanwhile come with the next poll."
    try:
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
    if any(state.delivery_url == url for state in named):
        return _ON
    if not named:
        return "missing"
    return f"missing: it delivers to {without_query(named[0].delivery_url)}, our address (PUBLIC_URL) is {url}"
