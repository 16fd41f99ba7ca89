"""ReBound's IntelligentReturns API, V1 (rebound.md A1): always POST, form fields, errors inside HTTP 200."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from connectors.call_templates import is_safe
from connectors.ports import Answer, AuthFailed, Json, Link, Rejected, Retryable, VendorError

CALL_DEADLINE_S: Final = 30.0
SEARCH: Final = "/returns/search/json"
GET_RETURN: Final = "/returns/get/json"
GET_TRACKING: Final = "/tracking/get/json"
EMPTY: Final = "empty"
# Many bad log-ins are answered by blocking our address: after the first refusal nobody tries again by himself.
REFUSED: Final = frozenset({"login_empty", "api_key_empty", "ip_blocked", "access_denied"})
INTERNAL: Final = "internal"
DATE: Final = "%Y/%m/%d"


def search(link: Link, *, date_from: str, date_to: str) -> tuple[str, ...]:
    """Ids of the returns between two days, as the account lists them; none is no failure.

    Raises AuthFailed, Retryable, RateLimited, or Rejected where the answer is not the published one.
    """
    found = ask(link, SEARCH, {"filter": {"date_from": date_from, "date_to": date_to}})
    if found is None:
        return ()
    ids = found.get("id")
    listed = ids if isinstance(ids, list) else [ids]
    if not all(isinstance(one, str | int) and not isinstance(one, bool) for one in listed):
        raise Rejected("The search for returns has no list of ids in it; check base_url.", code="unexpected_shape")
    return tuple(dict.fromkeys(str(one) for one in listed))


def get_return(link: Link, return_id: str) -> Mapping[str, Any] | None:
    """One return as V1 shows it, label included; None where there is none. Raises like search."""
    return ask(link, GET_RETURN, {"return": {"id": return_id, "type": "id"}})


def get_tracking(link: Link, code: str) -> Mapping[str, Any] | None:
    """What the carrier told of one parcel; None where there is nothing yet. Raises like search."""
    return ask(link, GET_TRACKING, {"tracking": {"code": code}})


def ask(link: Link, path: str, request: Json) -> Mapping[str, Any] | None:
    """``success`` of one call, None for the error ``empty``. The body says more than the status, so it is read first.

    Every call is a read, though it is a POST: asking twice changes nothing.
    """
    base_url = link.config.base_url.rstrip("/")
    if not is_safe(base_url):
        raise AuthFailed("Credentials are sent over https only; change the address to https://.")
    login = str(link.config.settings.get("login", ""))
    if not login:
        raise AuthFailed(f"Connection {link.config.name} has no setting login: the account's name, not an e-mail.")
    form = {"login": login, "api_key": link.config.secret("api_key"), "request": json.dumps(request)}
    answer = link.call("POST", base_url + path, form=form, timeout_s=CALL_DEADLINE_S)
    return _success(answer, path=path, host=urlsplit(base_url).hostname or "")


def _success(answer: Answer, *, path: str, host: str) -> Mapping[str, Any] | None:
    document = answer.json if isinstance(answer.json, Mapping) else {}
    code = _error_code(document)
    if code == EMPTY:
        return None
    if code:
        raise _refusal(code, path=path, status=answer.status)
    if answer.status in (401, 403):
        raise AuthFailed(f"{host} refused our credentials (HTTP {answer.status}); check login and api_key.")
    if answer.status >= 500 or answer.status == 408:
        raise Retryable(f"{host} failed (HTTP {answer.status}) at {path}.", evidence={"status": answer.status})
    if answer.status >= 300:
        text = f"{host} refused {path} (HTTP {answer.status}); check base_url."
        raise Rejected(text, code=f"http_{answer.status}", evidence={"status": answer.status})
    success = document.get("success")
    if isinstance(success, Mapping):
        return success
    if isinstance(answer.json, Mapping):
        raise Rejected(f"The answer to {path} has neither success nor error in it.", code="unexpected_shape")
    raise Retryable(f"The answer to {path} is no JSON (HTTP {answer.status}); perhaps a maintenance page.")


def _error_code(document: Mapping[str, Any]) -> str:
    """The code of ``{"error": {"code", "message"}}``; the message may name customers and is not repeated."""
    error = document.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    return code[:80] if isinstance(code, str) else ""


def _refusal(code: str, *, path: str, status: int) -> VendorError:
    """Each code as its class of error."""
    evidence = {"status": status, "code": code}
    if code in REFUSED:
        blocked = " Our address is blocked there: ask ReBound to free it first." if code == "ip_blocked" else ""
        text = f"ReBound refused our credentials ({code}); check login and api_key, then resume.{blocked}"
        return AuthFailed(text, evidence=evidence)
    if code == INTERNAL:
        return Retryable(f"ReBound failed at {path} (internal).", evidence=evidence)
    return Rejected(f"ReBound refused {path} ({code}).", code=code, evidence=evidence)
