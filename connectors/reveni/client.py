"""The pull API as the contract assumes it (reveni.md C6): listing, reading, authentication, errors by class.

Reveni publishes neither paths nor paging; both are settings, and nothing here is called unless ``pull_api`` is on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from requests.auth import HTTPBasicAuth

from connectors.call_templates import is_safe
from connectors.ports import Answer, AuthFailed, ConnectionConfig, Json, Link, Rejected, Retryable

DEFAULT_LIST_PATH: Final = "/v1/returns"
DEFAULT_GET_PATH: Final = "/v1/returns/{id}"
CALL_DEADLINE_S: Final = 30.0
MAX_PAGE_LIMIT: Final = 200
LIST: Final = "the list of returns"
AUTH_KINDS: Final = ("bearer", "basic", "header", "oauth2")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of the list; entries are as sent, whatever their shape."""

    entries: tuple[Json, ...]
    next_cursor: str


@dataclass(frozen=True, kw_only=True)
class Session:
    """A link with its credentials in place; an OAuth2 token is fetched once per round."""

    link: Link
    headers: Mapping[str, str]
    basic: HTTPBasicAuth | None = None


def open_session(link: Link) -> Session:
    """Credentials as the setting ``auth`` says. Raises AuthFailed where one is missing or may not travel."""
    config = link.config
    _require_safe(config.base_url)
    extra = _store_header(config)
    kind = config.settings.get("auth", "bearer")
    if kind == "basic":
        user = str(config.settings.get("auth_user", ""))
        return Session(link=link, headers=extra, basic=HTTPBasicAuth(user, config.secret("api_key")))
    if kind == "header":
        name = str(config.settings.get("auth_header", "X-API-Key"))
        return Session(link=link, headers={**extra, name: config.secret("api_key")})
    token = _oauth2_token(link) if kind == "oauth2" else config.secret("api_key")
    return Session(link=link, headers={**extra, "Authorization": f"Bearer {token}"})


def list_returns(session: Session, *, updated_since: datetime, cursor: str, limit: int) -> Page:
    """One page of returns changed since a moment, oldest change first.

    Raises AuthFailed, Retryable, RateLimited, or Rejected where the answer is not the assumed one.
    """
    document = _good(_listed(session, updated_since, cursor, limit), what=LIST)
    entries = document.get("data") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise Rejected("The list of returns has no 'data' list; check list_path.", code="unexpected_shape")
    following = document.get("next_cursor")
    return Page(entries=tuple(entries), next_cursor=following if isinstance(following, str) else "")


def probe(session: Session) -> Answer:
    """The answer to the smallest possible read of the list, for check_connection. Raises like list_returns."""
    answer = _listed(session, session.link.now(), "", 1)
    _good(answer, what=LIST)
    return answer


def _listed(session: Session, updated_since: datetime, cursor: str, limit: int) -> Answer:
    params = {"updated_since": updated_since.isoformat(), "limit": str(min(max(limit, 1), MAX_PAGE_LIMIT))}
    if cursor:
        params["cursor"] = cursor
    return _get(session, _path(session.link.config, "list_path", DEFAULT_LIST_PATH), params)


def get_return(session: Session, return_id: str) -> Json:
    """One return with all that hangs on it, None where the platform does not know it (404)."""
    if return_id in (".", ".."):
        return None
    template = _path(session.link.config, "get_path", DEFAULT_GET_PATH)
    answer = _get(session, template.replace("{id}", quote(return_id, safe="")), {})
    if answer.status == 404:
        return None
    document = _good(answer, what="the return")
    if not isinstance(document, Mapping):
        raise Rejected("The answer to reading a return is not an object; check get_path.", code="unexpected_shape")
    return document


def _path(config: ConnectionConfig, name: str, default: str) -> str:
    path = str(config.settings.get(name) or default)
    if not path.startswith("/"):
        raise Rejected(f"Setting {name} of connection {config.name} must start with a slash.", code="bad_setting")
    return path


def _get(session: Session, path: str, params: Mapping[str, str]) -> Answer:
    url = session.link.config.base_url.rstrip("/") + path
    return session.link.call(
        "GET", url, params=params, headers=session.headers, auth=session.basic, timeout_s=CALL_DEADLINE_S
    )


def _good(answer: Answer, *, what: str) -> Json:
    """The parsed body of a 2xx; every other answer as its class of error."""
    if 200 <= answer.status < 300:
        if answer.json is None:
            raise Retryable(f"Reading {what} brought no JSON (HTTP {answer.status}); perhaps a maintenance page.")
        return answer.json
    code = error_code(answer.json) or f"http_{answer.status}"
    evidence = {"status": answer.status, "code": code}
    if answer.status in (401, 403):
        text = f"The platform refused our credentials (HTTP {answer.status}) when reading {what}; check api_key."
        raise AuthFailed(text, evidence=evidence)
    if answer.status >= 500 or answer.status == 408:
        raise Retryable(f"The platform failed (HTTP {answer.status}) when reading {what}.", evidence=evidence)
    text = f"The platform refused to give {what} (HTTP {answer.status}); check base_url and the paths."
    raise Rejected(text, code=code, evidence=evidence)


def error_code(document: Json) -> str:
    """The platform's own code of an error (reveni.md C6), '' where the body has none."""
    error = document.get("error") if isinstance(document, Mapping) else None
    code = error.get("code") if isinstance(error, Mapping) else None
    return code[:120] if isinstance(code, str) else ""


# --- credentials --------------------------------------------------------------------------------------------------


def _require_safe(url: str) -> None:
    """Credentials travel over https, or to this machine."""
    if not is_safe(url):
        raise AuthFailed("Credentials are sent over https only; change the address to https://.")


def _store_header(config: ConnectionConfig) -> dict[str, str]:
    """Reveni gives a Store ID as second credential [RM-A]; in which header it goes is not published."""
    name = config.settings.get("store_id_header")
    return {str(name): config.secret("store_id")} if name else {}


def _oauth2_token(link: Link) -> str:
    """A token by client credentials (RFC 6749 section 4.4)."""
    settings = link.config.settings
    url = str(settings.get("oauth2_token_url", ""))
    _require_safe(url)
    form = {"grant_type": "client_credentials"}
    if settings.get("oauth2_scope"):
        form["scope"] = str(settings["oauth2_scope"])
    client = HTTPBasicAuth(str(settings.get("oauth2_client_id", "")), link.config.secret("api_key"))
    answer = link.call("POST", url, form=form, auth=client, timeout_s=CALL_DEADLINE_S)
    if answer.status in (400, 401, 403):
        raise AuthFailed("The token address refused oauth2_client_id or api_key.", evidence={"status": answer.status})
    document = _good(answer, what="an access token")
    token: Any = document.get("access_token") if isinstance(document, Mapping) else None
    if not isinstance(token, str) or not token:
        raise AuthFailed("The token address gave no access_token.")
    return token
