"""The dialect of Shopify's GraphQL Admin API: one POST, three layers of errors, costs, and connections to their end.

Sources: shopify.md sections 1 to 3. What a class of error means is in ports.py; for a write everything that is not
known to have been refused before it was carried out is OutcomeUnknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from connectors.ports import Answer, AuthFailed, Json, Link, OutcomeUnknown, RateLimited, Rejected, Retryable
from connectors.redaction import redact_text
from connectors.shopify import pacing, tokens
from connectors.shopify.documents import document
from connectors.shopify.links import api_url
from connectors.shopify.timing import READ_TIMEOUT_S, WRITE_TIMEOUT_S

MAX_PAGES: Final = 500
VERSION_HEADER: Final = "x-shopify-api-version"

_TRY_AGAIN: Final = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})
_NO_RIGHT: Final = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE"})
# Checked before anything is executed (section 2), so a write with one of these did nothing.
_REFUSALS: Final = frozenset(
    {
        "MAX_COST_EXCEEDED",
        "INVALID_VARIABLE",
        "BAD_REQUEST",
        "INVALID_FIELD_ARGUMENTS",
        "argumentNotAccepted",
        "undefinedField",
        "undefinedType",
        "undefinedDirective",
        "directiveCannotBeApplied",
        "missingRequiredArguments",
        "missingRequiredInputObjectAttribute",
        "argumentLiteralsIncompatible",
        "variableMismatch",
        "variableNotDefined",
    }
)
_STATUS_TEXTS: Final = {
    401: "the shop refused the access token. Make a new one, or reinstall the app, and set it with apply_config",
    402: "the shop is frozen until its owner pays Shopify",
    403: "the shop gives this app no access. Check that the app is installed and has its scopes",
    404: "there is no shop with this address. Check base_url",
    423: "the shop is locked by Shopify. Its owner has to ask Shopify why",
}


# What each document asked for when it was last answered: page sizes stand in the documents, so it hardly changes.
_asked_for: dict[str, float] = {}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A good answer: its data, which API version really served it, and what it cost."""

    data: Mapping[str, Any]
    version: str = ""
    cost: pacing.Cost | None = None


@dataclass(frozen=True, kw_only=True)
class UserError:
    """One business refusal in a mutation's payload; ``path`` is the field as the shop names it, dotted."""

    message: str
    path: str = ""
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class _Problems:
    """Top-level ``errors[]`` of an answer."""

    codes: tuple[str, ...]
    messages: tuple[str, ...]
    is_nested: bool  # somewhere below a root field: the root itself may have been carried out
    paths: tuple[str, ...] = field(default=())


def execute(link: Link, name: str, variables: Mapping[str, Any], *, is_write: bool = False) -> Mapping[str, Any]:
    """The ``data`` of ``queries/<name>.graphql``. User errors inside it are the caller's (``refuse_user_errors``).

    Raises RateLimited, AuthFailed, Rejected (nothing was done), Retryable for a read and OutcomeUnknown for a write.
    """
    return reply(link, name, variables, is_write=is_write).data


def reply(link: Link, name: str, variables: Mapping[str, Any], *, is_write: bool = False) -> Reply:
    """The same with version and cost. A token that was refused is renewed once, where it can be."""
    token = tokens.token_for(link)
    answer = _post(link, name, variables, token=token, is_write=is_write)
    if answer.status == 401 and tokens.forget(link, token):
        answer = _post(link, name, variables, token=tokens.token_for(link), is_write=is_write)
    return _understood(answer, name, is_write=is_write)


def nodes_to_end(
    link: Link, name: str, variables: Mapping[str, Any], *, path: Sequence[str], cursor: str = "after"
) -> tuple[Json, ...]:
    """All nodes of the connection at ``path`` of a read, page by page; ``cursor`` names the variable to page with.

    Nothing at ``path`` (a record that does not exist) is an empty connection. Raises Retryable where it never ends.
    """
    found: list[Json] = []
    after: str | None = None
    for _ in range(MAX_PAGES):
        nodes, after = page_of(execute(link, name, {**variables, cursor: after}), path=path)
        found.extend(nodes)
        if after is None:
            return tuple(found)
    raise Retryable(f"{name}: more than {MAX_PAGES} pages; the list was not read to its end.")


def page_of(data: Mapping[str, Any], *, path: Sequence[str]) -> tuple[list[Json], str | None]:
    """The nodes of one page and the cursor of the next, None at the end."""
    connection: Any = data
    for step in path:
        connection = connection.get(step) if isinstance(connection, Mapping) else None
    if not isinstance(connection, Mapping):
        return [], None
    info = connection.get("pageInfo") or {}
    nodes = [node for node in connection.get("nodes") or () if node is not None]
    return nodes, info.get("endCursor") if info.get("hasNextPage") else None


def user_errors(payload: Mapping[str, Any] | None) -> tuple[UserError, ...]:
    """The refusals of a mutation's payload, empty where it went through."""
    errors = payload.get("userErrors") if isinstance(payload, Mapping) else None
    return tuple(
        UserError(
            message=str(error.get("message") or ""),
            path=".".join(str(step) for step in error.get("field") or ()),
            code=str(error.get("code") or ""),
        )
        for error in errors or ()
        if isinstance(error, Mapping)
    )


def refuse_user_errors(payload: Mapping[str, Any] | None, *, name: str) -> None:
    """Raise Rejected where the payload has user errors: its code, or ``user_error`` where the type has none."""
    errors = user_errors(payload)
    if not errors:
        return
    said = "; ".join(redact_text(error.message)[:200] for error in errors[:3])
    rows = [{"path": error.path, "code": error.code, "message": redact_text(error.message)} for error in errors[:10]]
    code = next((error.code for error in errors if error.code), "user_error")
    raise Rejected(f'{name}: the shop refused. It says: "{said}"', code=code, evidence={"errors": rows})


def _post(link: Link, name: str, variables: Mapping[str, Any], *, token: str, is_write: bool) -> Answer:
    """One request, with the points its document asks for taken before and settled after."""
    points = _asked_for.get(name, pacing.FIRST_GUESS)
    link.purse.take(points)
    cost: pacing.Cost | None = None
    try:
        answer = link.call(
            "POST",
            api_url(link.config),
            json={"query": document(name), "operationName": name, "variables": dict(variables)},
            headers={"Accept": "application/json", "X-Shopify-Access-Token": token},
            timeout_s=WRITE_TIMEOUT_S if is_write else READ_TIMEOUT_S,
            is_write=is_write,
        )
        cost = pacing.cost_of(answer.json)
    finally:
        link.purse.settle(points, pacing.points_of(cost))
    if cost is not None:
        _asked_for[name] = cost.requested
    return answer


def _understood(answer: Answer, name: str, *, is_write: bool) -> Reply:
    if answer.status in _STATUS_TEXTS or 300 <= answer.status < 400:
        where = _STATUS_TEXTS.get(answer.status, "the shop sends on to another address. Correct base_url")
        raise AuthFailed(f"{name}: {where}.", evidence={"status": answer.status})
    body = answer.json
    if answer.status != 200 or not isinstance(body, Mapping):
        said = f"{name}: the shop answered HTTP {answer.status} with no data."
        _fail(said, is_write=is_write, evidence={"status": answer.status})
    problems = _problems(body)
    if problems is not None:
        _raise_for(problems, body, name, is_write=is_write)
    data = body.get("data")
    if not isinstance(data, Mapping):
        _fail(f"{name}: the shop's answer has neither data nor errors.", is_write=is_write, evidence={"status": 200})
    return Reply(data=data, version=answer.headers.get(VERSION_HEADER, ""), cost=pacing.cost_of(body))


def _problems(body: Mapping[str, Any]) -> _Problems | None:
    """The errors of an answer; ``errors`` may be a plain text too (shopify.md section 2 shows lists only)."""
    errors = body.get("errors")
    if not errors:
        return None
    rows = [row for row in errors if isinstance(row, Mapping)] if isinstance(errors, list) else []
    paths = [row.get("path") or () for row in rows]
    return _Problems(
        codes=tuple(str((row.get("extensions") or {}).get("code") or "") for row in rows),
        messages=tuple(str(row.get("message") or "") for row in rows) or (str(errors)[:200],),
        is_nested=any(isinstance(path, list) and len(path) > 1 for path in paths),
        paths=tuple(".".join(str(step) for step in path) for path in paths),
    )


def _raise_for(problems: _Problems, body: Mapping[str, Any], name: str, *, is_write: bool) -> NoReturn:
    codes = set(problems.codes)
    code = next((code for code in problems.codes if code), "")
    said = "; ".join(redact_text(message)[:200] for message in problems.messages[:3])
    text = f'{name}: the shop answered an error ({code or "no code"}). It says: "{said}"'
    evidence = {"codes": sorted(codes), "paths": list(problems.paths[:5]), "message": said}
    if "THROTTLED" in codes and not _has_root(body):
        after_s = pacing.wait_s(pacing.cost_of(body))
        throttled = f"{name}: too many points were asked for; next try in {after_s:.1f} s."
        raise RateLimited(throttled, after_s=after_s, evidence={**evidence, "after_s": after_s})
    if is_write and (problems.is_nested or _has_root(body)):
        raise OutcomeUnknown(f"{text} Whether it was carried out is not known.", evidence=evidence)
    if codes & _NO_RIGHT:
        raise AuthFailed(f"{text} Give the app the access scope it names, then resume.", evidence=evidence)
    if codes & _TRY_AGAIN or (is_write and not codes <= _REFUSALS) or not code:
        _fail(text, is_write=is_write, evidence=evidence)
    raise Rejected(text, code=code, evidence=evidence)


def _has_root(body: Mapping[str, Any]) -> bool:
    """Whether any root field has a value beside the errors."""
    data = body.get("data")
    return isinstance(data, Mapping) and any(value is not None for value in data.values())


def _fail(text: str, *, is_write: bool, evidence: Mapping[str, Any]) -> NoReturn:
    if is_write:
        raise OutcomeUnknown(f"{text} Whether it was carried out is not known.", evidence=evidence)
    raise Retryable(text, evidence=evidence)
