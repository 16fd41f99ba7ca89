"""Access tokens of a shop: a static one, or one by client credentials that lives a day (shopify.md section 1)."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connectors.call_templates import is_safe
from connectors.ports import AuthFailed, ConnectionConfig, Link, Retryable
from connectors.shopify.links import shop_url

STATIC: Final = "access_token"
CLIENT_ID: Final = "client_id"
CLIENT_SECRET: Final = "client_secret"  # noqa: S105 - the name of a setting
RENEW_BEFORE: Final = timedelta(minutes=5)
DEFAULT_LIFE_S: Final = 86_399
TOKEN_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class _Token:
    value: str
    ends_at: datetime


_kept: dict[tuple[str, str, str], _Token] = {}
_lock: Final = threading.Lock()


def token_for(link: Link) -> str:
    """The token to call with. Raises AuthFailed where none can be had or it would travel readable."""
    config = link.config
    if not is_safe(shop_url(config)):
        raise AuthFailed(f"Connection {config.name}: access tokens are sent over https only; set base_url to https://.")
    if is_static(config):
        return config.secret(STATIC)
    with _lock:
        kept = _kept.get(_key(config))
    if kept is not None and link.now() < kept.ends_at - RENEW_BEFORE:
        return kept.value
    return _fetch(link)


def is_static(config: ConnectionConfig) -> bool:
    """Whether the connection has a token of its own, which is never renewed."""
    return bool(config.secrets.get(STATIC))


def forget(link: Link, token: str) -> bool:
    """Drop a token that was refused; False where there is no way to get another one."""
    if is_static(link.config):
        return False
    with _lock:
        kept = _kept.get(_key(link.config))
        if kept is not None and kept.value == token:
            del _kept[_key(link.config)]
    return True


def _fetch(link: Link) -> str:
    config = link.config
    form = {
        "grant_type": "client_credentials",
        "client_id": config.secret(CLIENT_ID),
        "client_secret": config.secret(CLIENT_SECRET),
    }
    answer = link.call("POST", f"{shop_url(config)}/admin/oauth/access_token", form=form, timeout_s=TOKEN_TIMEOUT_S)
    evidence = {"status": answer.status}
    if 400 <= answer.status < 500:
        text = (
            "The shop refused client_id and client_secret (client credentials grant). Check in the Dev Dashboard that"
            " the app is of this shop's organisation, installed, and that the secret was not rotated."
        )
        raise AuthFailed(text, evidence=evidence)
    document = answer.json if isinstance(answer.json, Mapping) else {}
    value = document.get("access_token")
    if answer.status != 200 or not isinstance(value, str) or not value:
        raise Retryable(f"The shop gave no access token (HTTP {answer.status}).", evidence=evidence)
    life = document.get("expires_in")
    life_s = life if isinstance(life, int) and not isinstance(life, bool) and life > 0 else DEFAULT_LIFE_S
    with _lock:
        _kept[_key(config)] = _Token(value=value, ends_at=link.now() + timedelta(seconds=life_s))
    return value


def _key(config: ConnectionConfig) -> tuple[str, str, str]:
    return (config.name, shop_url(config), config.secret(CLIENT_ID))
