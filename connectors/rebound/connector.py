"""ReBound Returns by its IntelligentReturns API (V1): what it can and how it is set up (rebound.md C1)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from connectors import paths
from connectors.pace_settings import POLL_INTERVAL
from connectors.ports import (
    AuthFailed,
    Capabilities,
    CheckLine,
    ConnectionConfig,
    Connector,
    Inbound,
    Link,
    Reception,
    SettingSpec,
    VendorError,
)
from connectors.rebound import client
from connectors.rebound.normalise import normalise
from connectors.rebound.polling import DEFAULT_FINAL_WORDS, DEFAULT_LOOKBACK_DAYS, poll, read_return, window_page
from connectors.returns_contract.receiving import (
    TOPIC_PULLED,
    TOPIC_UNREADABLE,
    UNNAMED,
    parse_body,
    reception,
    topic_of,
    unreadable,
)
from connectors.signing import DEFAULT_TOLERANCE_S

POLL_INTERVAL_S: Final = 900
RETURN_PATH: Final = "webhook_return_path"
DEFAULT_RETURN_PATH: Final = "$.data.return.id"
SETTINGS: Final = (
    SettingSpec(name="login", kind=str, help="The account's name at ReBound; not an e-mail address.", is_required=True),
    SettingSpec(
        name="lookback_days",
        kind=int,
        default=DEFAULT_LOOKBACK_DAYS,
        help="Days read again on every round: V1 shows no time of change, so older returns are not seen to change.",
    ),
    SettingSpec(
        name="final_statuses",
        kind=list,
        default=list(DEFAULT_FINAL_WORDS),
        help="Status words after which a parcel is not asked for again.",
    ),
    SettingSpec(
        name=RETURN_PATH,
        kind=str,
        default=DEFAULT_RETURN_PATH,
        help="Where a webhook's body names its return, as a path of the mapping's language.",
    ),
    POLL_INTERVAL,
)


def default_mapping() -> dict[str, Any]:
    """Verified field names; the words of wishes and dispositions are the merchant's, so those tables are empty."""
    text = files("connectors.rebound").joinpath("default_mapping.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def receive(inbound: Inbound, config: ConnectionConfig) -> Reception:
    """A delivery by a middleware, in the contract or in its own words; V1 itself sends nothing."""
    document = parse_body(inbound.body)
    if not isinstance(document, Mapping):
        return unreadable(inbound)
    topic = topic_of(document.get("type") or document.get("event"))
    named = UNNAMED if topic in (TOPIC_PULLED, TOPIC_UNREADABLE) else topic  # those are words of our own
    return reception(inbound, document, topic=named, return_id=_return_named(document, config.settings))


def _return_named(document: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    found = paths.find(str(settings.get(RETURN_PATH) or DEFAULT_RETURN_PATH), document=document, here=document)
    return found[0] if found else None


def settings_problems(settings: Mapping[str, Any], *, base_url: str) -> Iterable[str]:
    """What is wrong with the settings, as ``where: what to do``."""
    try:
        paths.parse_path(str(settings.get(RETURN_PATH) or DEFAULT_RETURN_PATH))
    except paths.PathError as error:
        yield f"settings.{RETURN_PATH}: {error}"


def check(link: Link) -> Sequence[CheckLine]:
    """What check_connection says about this connection; sends one search, and none after a refusal."""
    today = link.now().strftime(client.DATE)
    webhooks = len(link.config.secrets.get("webhook_secret", ()))
    optional = CheckLine(name="webhook secret", is_ok=True, text=f"{webhooks} live; wanted only for a middleware")
    try:
        found = client.search(link, date_from=today, date_to=today)
    except AuthFailed as refusal:
        fix = "Set login and api_key from the profile page of ReBound's control panel."
        return [optional, CheckLine(name="credentials", is_ok=False, text=refusal.text, fix=fix)]
    except VendorError as failure:
        return [optional, CheckLine(name="API", is_ok=False, text=failure.text, fix="Check base_url; it ends in /api.")]
    text = f"the search answers: {len(found)} returns today"
    return [
        optional,
        CheckLine(name="credentials", is_ok=True, text="accepted"),
        CheckLine(name="API", is_ok=True, text=text),
    ]


CONNECTOR: Final = Connector(
    vendor="rebound",
    title="ReBound",
    role="platform",
    capabilities=Capabilities(
        rests_on="nothing is written to ReBound: V1 publishes no call for it",
        holds_for="always",
        settle_s=int(client.CALL_DEADLINE_S) + 60,
        call_deadline_s=int(client.CALL_DEADLINE_S),
        calls_per_minute=120,
        concurrency=1,
    ),
    settings=SETTINGS,
    secrets=("api_key", "webhook_secret"),
    default_verifier={"kind": "standard_webhooks", "tolerance_s": DEFAULT_TOLERANCE_S, "secret": "webhook_secret"},
    default_mapping=default_mapping(),
    receive=receive,
    normalise=normalise,
    check=check,
    poll=poll,
    poll_interval_s=POLL_INTERVAL_S,
    pays=False,
    sends_webhooks=False,
    compares_by_source=True,
    settings_problems=settings_problems,
    read_return=read_return,
    list_returns=window_page,
)
