"""Reveni, and any platform that speaks the generic returns contract: what it can and how it is set up."""

import json
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from importlib.resources import files
from typing import Any, Final

from connectors.call_templates import SEEN_SETTING, SETTING, template_problems
from connectors.ports import (
    AuthFailed,
    Capabilities,
    CheckLine,
    ConnectionConfig,
    Connector,
    EffectActions,
    Link,
    SettingSpec,
    VendorError,
)
from connectors.reveni import client, write_back
from connectors.reveni.history import list_returns
from connectors.reveni.links import return_url
from connectors.reveni.normalise import normalise
from connectors.reveni.polling import (
    DEFAULT_BACKFILL_DAYS,
    DEFAULT_OVERLAP_S,
    DEFAULT_PAGE_LIMIT,
    is_pull_on,
    poll,
    read_return,
)
from connectors.reveni.receiving import DIALECT_A2, DIALECT_CONTRACT, receive
from connectors.signing import DEFAULT_TOLERANCE_S
from returnsops import states

MAX_SKEW_S: Final = 60.0
SETTLE_S: Final = int(client.CALL_DEADLINE_S) + 60  # their longest execution is not published: a minute is assumed
# For connections with dialect 'a2': Reveni signs with the API key itself [RM-S].
A2_VERIFIER: Final = {
    "kind": "reveni_v1",
    "header": "X-REVENI-SIGNATURE",
    "tolerance_s": DEFAULT_TOLERANCE_S,
    "secret": "api_key",
}
SETTINGS: Final = (
    SettingSpec(
        name="dialect",
        kind=str,
        default=DIALECT_CONTRACT,
        help="'contract': events of the generic contract; 'a2': Reveni's own webhooks, read through the mapping.",
    ),
    SettingSpec(name="pull_api", kind=bool, default=False, help="Whether returns can be read (not published)."),
    SettingSpec(name="list_path", kind=str, default=client.DEFAULT_LIST_PATH, help="Path of the list of returns."),
    SettingSpec(
        name="get_path", kind=str, default=client.DEFAULT_GET_PATH, help="Path of one return; {id} is replaced."
    ),
    SettingSpec(name="page_limit", kind=int, default=DEFAULT_PAGE_LIMIT, help="Returns per page, up to 200."),
    SettingSpec(name="overlap_s", kind=int, default=DEFAULT_OVERLAP_S, help="Seconds read again on every round."),
    SettingSpec(name="backfill_days", kind=int, default=DEFAULT_BACKFILL_DAYS, help="How far the first round looks."),
    SettingSpec(name="auth", kind=str, default="bearer", help="'bearer', 'basic', 'header' or 'oauth2'."),
    SettingSpec(name="auth_user", kind=str, default="", help="User name for 'basic'; the password is api_key."),
    SettingSpec(name="auth_header", kind=str, default="X-API-Key", help="Header that holds api_key for 'header'."),
    SettingSpec(name="store_id_header", kind=str, default="", help="Header for the secret store_id, if one is wanted."),
    SettingSpec(name="oauth2_token_url", kind=str, default="", help="Token address for 'oauth2'."),
    SettingSpec(name="oauth2_client_id", kind=str, default="", help="Client id for 'oauth2'; its secret is api_key."),
    SettingSpec(name="oauth2_scope", kind=str, default="", help="Scope for 'oauth2', if one is wanted."),
    SettingSpec(
        name=SETTING,
        kind=dict,
        default={},
        help="Call templates by which the platform is told things, one table per message. Not published, so none.",
    ),
    SettingSpec(
        name=SEEN_SETTING,
        kind=dict,
        default={},
        help="Where the platform's return shows that it was told, one table per message.",
    ),
    SettingSpec(
        name="return_url_template",
        kind=str,
        default="",
        help="Address of a return in the platform's screens; {id} is replaced. Not published, so empty.",
    ),
)


def default_mapping() -> dict[str, Any]:
    """The mapping for Reveni's own webhooks: verified paths only, everything else waits to be filled in."""
    text = files("connectors.reveni").joinpath("default_mapping.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def check(link: Link) -> Sequence[CheckLine]:
    """What check_connection says about this connection; sends at most one read."""
    lines = [_secret_line(link.config), _dialect_line(link.config.settings), _write_back_line(link.config.settings)]
    if not is_pull_on(link.config.settings):
        off = "off: Reveni publishes none, so a lost webhook is only noticed by other checks"
        return [*lines, CheckLine(name="pull API", is_ok=True, text=off, fix="Set pull_api once you have its paths.")]
    return [*lines, *_pull_lines(link)]


def _secret_line(config: ConnectionConfig) -> CheckLine:
    name = webhook_secret_name(config.settings)
    count = len(config.secrets.get(name, ()))
    fix = f"Set the secret {name} with apply_config."
    return CheckLine(name="webhook secret", is_ok=count > 0, text=f"{count} live", fix="" if count else fix)


def webhook_secret_name(settings: Mapping[str, Any]) -> str:
    """Which secret signs deliveries: Reveni signs with the API key itself [RM-S]."""
    return "api_key" if settings.get("dialect") == DIALECT_A2 else "webhook_secret"


def _dialect_line(settings: Mapping[str, Any]) -> CheckLine:
    dialect = settings.get("dialect", DIALECT_CONTRACT)
    is_known = dialect in (DIALECT_CONTRACT, DIALECT_A2)
    fix = "" if is_known else f"Use {DIALECT_CONTRACT!r} or {DIALECT_A2!r}."
    return CheckLine(name="dialect", is_ok=is_known, text=str(dialect)[:40], fix=fix)


def _write_back_line(settings: Mapping[str, Any]) -> CheckLine:
    """Nothing is wrong without templates: a person tells the platform then, as the policy says."""
    told = [name for name in states.WRITE_BACK_MESSAGES if name in settings.get(SETTING, {})]
    text = f"by calls: {', '.join(told)}" if told else "no call templates: cases for people, as the policy says"
    return CheckLine(name="write-back", is_ok=True, text=text)


def _pull_lines(link: Link) -> list[CheckLine]:
    try:
        session = client.open_session(link)
        answer = client.probe(session)
    except AuthFailed as refusal:
        return [CheckLine(name="credentials", is_ok=False, text=refusal.text, fix="Check api_key and auth.")]
    except VendorError as failure:
        return [CheckLine(name="pull API", is_ok=False, text=failure.text, fix="Check base_url and list_path.")]
    return [
        CheckLine(name="credentials", is_ok=True, text="accepted"),
        CheckLine(name="pull API", is_ok=True, text="on, the list of returns answers"),
        _clock_line(link, answer.headers.get("date", "")),
    ]


def _clock_line(link: Link, date: str) -> CheckLine:
    try:
        skew_s = (parsedate_to_datetime(date) - link.now()).total_seconds()
    except (ValueError, TypeError):
        return CheckLine(name="clock", is_ok=True, text="the platform's answers carry no usable date")
    is_ok = abs(skew_s) <= MAX_SKEW_S
    fix = "" if is_ok else "Set this machine's clock (NTP); signatures older than the tolerance are refused."
    return CheckLine(name="clock", is_ok=is_ok, text=f"{skew_s:+.0f} s against the platform", fix=fix)


CONNECTOR: Final = Connector(
    vendor="reveni",
    title="Reveni",
    role="platform",
    capabilities=Capabilities(
        rests_on="what the platform's return shows, else its promise to do one key once (both assumed, both settings)",
        holds_for="as long as the return shows it; without either, a lost answer is a person's to clear up",
        settle_s=SETTLE_S,
        call_deadline_s=int(client.CALL_DEADLINE_S),
        calls_per_minute=60,
        concurrency=1,
    ),
    settings=SETTINGS,
    secrets=("webhook_secret", "api_key", "store_id"),
    default_verifier={"kind": "standard_webhooks", "tolerance_s": DEFAULT_TOLERANCE_S, "secret": "webhook_secret"},
    default_mapping=default_mapping(),
    effects={states.WRITE_BACK: EffectActions(send=write_back.send, look_up=write_back.look_up)},
    settings_problems=template_problems,
    receive=receive,
    normalise=normalise,
    check=check,
    poll=poll,
    poll_interval_s=300,
    read_return=read_return,
    list_returns=list_returns,
    return_url=return_url,
)
