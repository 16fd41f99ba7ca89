"""Calls made from templates stored with a connection, for platforms whose write interface is not published.

The settings ``write_back`` and ``write_back_seen`` of a connection hold them, one table per message of the plan
(``returnsops.planning.messages``)::

    [connections.settings.write_back.already_refunded]
    method = "POST"                                  # POST, PUT or PATCH
    path = "/v1/returns/{return_id}/refunds"         # below base_url; values are quoted
    success = [200, 201]                             # answers that mean done; left out: 200, 201, 202, 204
    idempotency_header = "Idempotency-Key"           # only where the platform promises to do one key once
    body = {amount = "{amount}", note = "{note}"}    # JSON; "{name}" alone keeps the type of the value

    [connections.settings.write_back_seen.already_refunded]
    path = "$.merchant_refunds[*].reference"         # where the platform's return shows it
    field = "reference"                              # the field of ours that stands there then

A list of the message's items is written ``{each = "items", map = {id = "{item_id}"}}``. Values never change the form of
the document: it is rendered as data and written as JSON at the end. Pure; nothing here knows a vendor.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from connectors.paths import PathError, find, parse_path
from connectors.ports import Json
from returnsops.planning.messages import FIELDS, ITEM_FIELDS

SETTING: Final = "write_back"
SEEN_SETTING: Final = "write_back_seen"
METHODS: Final = ("POST", "PUT", "PATCH")
SUCCESS: Final = (200, 201, 202, 204)
ALWAYS_THERE: Final = ("return_id", "key")  # beside the message's own fields
ITEMS: Final = "items"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
MOST_VALUES: Final = 100

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_PATH: Final = re.compile(r"/[A-Za-z0-9._~/{}\-]*")
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_OWN_HEADERS: Final = frozenset({"authorization", "content-type", "content-length", "cookie", "host", "user-agent"})
_KEYS: Final = frozenset({"method", "path", "body", "success", "idempotency_header"})
_SEEN_KEYS: Final = frozenset({"path", "field"})


class TemplateError(ValueError):
    """A message that a template cannot carry; the text says which value and why."""


@dataclass(frozen=True, kw_only=True)
class CallTemplate:
    """How one message is told. ``idempotency_header`` '' = a call made twice may count twice."""

    method: str
    path: str
    body: Mapping[str, Json]
    success: frozenset[int]
    idempotency_header: str = ""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Where the platform's return shows that it knows: the values at ``path`` hold our ``field``."""

    path: str
    field: str


def template_of(settings: Mapping[str, Any], message: str) -> CallTemplate | None:
    """The stored template of a message, None where there is none."""
    given = settings.get(SETTING, {}).get(message)
    if given is None:
        return None
    return CallTemplate(
        method=given["method"],
        path=given["path"],
        body=given.get("body", {}),
        success=frozenset(given.get("success", SUCCESS)),
        idempotency_header=given.get("idempotency_header", ""),
    )


def seen_of(settings: Mapping[str, Any], message: str, *, default: Mapping[str, Seen] | None = None) -> Seen | None:
    """Where the platform shows that it knows a message; what the connection says wins over the vendor's default."""
    given = settings.get(SEEN_SETTING, {}).get(message)
    if given is None:
        return (default or {}).get(message)
    return Seen(path=given["path"], field=given["field"])


def shown_values(seen: Seen, document: Json) -> tuple[str, ...]:
    """What the platform's return holds at that place, as text, each once."""
    found = find(seen.path, document=document, here=document)
    plain = (str(value) for value in found if isinstance(value, str | int) and not isinstance(value, bool))
    return tuple(sorted(dict.fromkeys(value for value in plain if value)))[:MOST_VALUES]


# --- rendering -----------------------------------------------------------------------------------------------------


def render_path(template: CallTemplate, document: Mapping[str, Any]) -> str:
    """The path with the message's values quoted. Raises TemplateError for a value that cannot be part of one."""
    return _PLACEHOLDER.sub(lambda found: _segment(found.group(1), document), template.path)


def render_body(template: CallTemplate, document: Mapping[str, Any]) -> dict[str, Json]:
    """The body as data: the values of the message in the template's form. Raises TemplateError."""
    return {name: _rendered(value, document) for name, value in template.body.items()}


def _segment(name: str, document: Mapping[str, Any]) -> str:
    text = str(_value(name, document))
    if text in ("", ".", ".."):
        raise TemplateError(f"The value of {name} is {text!r} and cannot be part of an address.")
    return quote(text, safe="")


def _rendered(value: Json, document: Mapping[str, Any]) -> Json:
    if isinstance(value, str):
        return _text(value, document)
    if isinstance(value, list):
        return [_rendered(part, document) for part in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"each", "map"}:
        return [_rendered(value["map"], {**document, **item}) for item in _value(value["each"], document)]
    return {name: _rendered(part, document) for name, part in value.items()}


def _text(text: str, document: Mapping[str, Any]) -> Json:
    """A placeholder alone gives the value as it is; among other words it is written as text."""
    alone = _PLACEHOLDER.fullmatch(text)
    if alone is not None:
        return _value(alone.group(1), document)
    return _PLACEHOLDER.sub(lambda found: str(_value(found.group(1), document)), text)


def _value(name: str, document: Mapping[str, Any]) -> Any:
    if name not in document:
        raise TemplateError(f"The message has no {name}.")
    return document[name]


# --- checking ------------------------------------------------------------------------------------------------------


def template_problems(settings: Mapping[str, Any], *, base_url: str) -> Iterator[str]:
    """Everything wrong with the stored templates: ``where: what to do`` sentences."""
    for setting, check in ((SETTING, _call_problems), (SEEN_SETTING, _seen_problems)):
        given = settings.get(setting, {})
        if not isinstance(given, Mapping):
            yield f"{setting}: must be a table with one table per message."
            continue
        for message, template in given.items():
            if message not in FIELDS:
                yield f"{setting}.{message}: there is no such message; known are {', '.join(FIELDS)}."
            elif not isinstance(template, Mapping):
                yield f"{setting}.{message}: must be a table."
            else:
                yield from (f"{setting}.{message}.{text}" for text in check(template, message))
    if settings.get(SETTING) and not is_safe(base_url):
        yield f"{SETTING}: base_url must begin with https:// before anything is sent there (http only on this machine)."


def is_safe(url: str) -> bool:
    """Whether credentials and customer data may travel there: https, or this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _call_problems(template: Mapping[str, Any], message: str) -> Iterator[str]:
    yield from _unknown(template, _KEYS)
    if template.get("method") not in METHODS:
        yield f"method: must be one of {', '.join(METHODS)}."
    yield from _path_problems(template.get("path"), message)
    body = template.get("body", {})
    if not isinstance(body, Mapping):
        yield "body: must be a table."
    else:
        yield from _value_problems(body, "body", (*ALWAYS_THERE, *FIELDS[message]), message)
    if not {"return_id", "key"} & set(_PLACEHOLDER.findall(f"{template.get('path')} {body}")):
        yield "path: neither path nor body names the return; put {return_id} into one of them."
    success = template.get("success", list(SUCCESS))
    if not isinstance(success, list) or not success or not all(_is_success(status) for status in success):
        yield "success: must be a list of answers from 200 to 299."
    header = template.get("idempotency_header", "")
    if header and (not isinstance(header, str) or not _HEADER.fullmatch(header) or header.lower() in _OWN_HEADERS):
        yield "idempotency_header: must be the name of a header that is not ours to set, like Idempotency-Key."


def _seen_problems(seen: Mapping[str, Any], message: str) -> Iterator[str]:
    yield from _unknown(seen, _SEEN_KEYS)
    path = seen.get("path")
    try:
        if not isinstance(path, str) or parse_path(path).is_relative:
            yield 'path: must begin with $, the whole return, like "$.refunds[*].reference".'
    except PathError as error:
        yield f"path: {error}"
    known = _scalars(message)
    if seen.get("field") not in known:
        yield f"field: must be one of {', '.join(known)}."


def _scalars(message: str) -> list[str]:
    return [name for name in ("key", *FIELDS[message]) if name != ITEMS]


def _path_problems(path: Any, message: str) -> Iterator[str]:
    if not isinstance(path, str) or not _PATH.fullmatch(path) or path.startswith("//") or "/../" in f"{path}/":
        yield "path: must begin with a slash and hold letters, digits, . _ ~ - / and placeholders only; no address."
        return
    known = ("return_id", *_scalars(message))
    yield from _placeholder_problems(path, "path", known)


def _value_problems(value: Any, where: str, known: tuple[str, ...], message: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _placeholder_problems(value, where, known)
        if ITEMS in _PLACEHOLDER.findall(value) and value != f"{{{ITEMS}}}":
            yield f"{where}: {{{ITEMS}}} is a list and must stand alone."
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            yield from _value_problems(part, f"{where}[{number}]", known, message)
    elif isinstance(value, Mapping):
        yield from _table_problems(value, where, known, message)
    elif not isinstance(value, int):  # true and false are whole numbers to Python
        yield f"{where}: must be text, a whole number, true, false, a list or a table; write other numbers as text."


def _table_problems(value: Mapping[str, Any], where: str, known: tuple[str, ...], message: str) -> Iterator[str]:
    if set(value) != {"each", "map"}:
        for name, part in value.items():
            yield from _value_problems(part, f"{where}.{name}", known, message)
    elif value["each"] != ITEMS or ITEMS not in FIELDS[message]:
        lists = ITEMS if ITEMS in FIELDS[message] else "none"
        yield f"{where}.each: the message has no such list; known are {lists}."
    else:
        yield from _value_problems(value["map"], f"{where}.map", (*known, *ITEM_FIELDS[message]), message)


def _placeholder_problems(text: str, where: str, known: tuple[str, ...] | list[str]) -> Iterator[str]:
    for name in _PLACEHOLDER.findall(text):
        if name not in known:
            yield f"{where}: there is no {{{name}}}; known are {', '.join(known)}."
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        yield f"{where}: a brace does not belong to a placeholder like {{return_id}}."


def _unknown(given: Mapping[str, Any], known: frozenset[str]) -> Iterator[str]:
    unknown = sorted(set(given) - known)
    if unknown:
        yield f"{unknown[0]}: unknown; known are {', '.join(sorted(known))}."


def _is_success(status: Any) -> bool:
    return isinstance(status, int) and 200 <= status <= 299
