"""What may be stored of a request or an answer: never a secret, a signature or a customer's data."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

REMOVED = "[removed]"
MAX_TEXT = 500
MAX_ITEMS = 50
MAX_DEPTH = 8

# Names of headers, parameters and JSON fields whose value is dropped whole. ``key`` alone is not one of them: it names
# the entries of WooCommerce's meta_data, where our own key is the evidence.
_SECRET = re.compile(
    r"authori[sz]ation|secret|token|passw|signature|cookie|nonce|oauth|credential"
    r"|(consumer|api|access|private|order)[-_]?key",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"e[-_]?mail|phone|mobile|address|postcode|zip|company|street"
    r"|^(city|state|billing|shipping|customer|recipient|sender|author|user_?name|customer_note)$"
    r"|^name$|(first|last|full|middle|display|customer|user|shopper|given|family)[-_]?name"
    r"|user[-_]agent|ip[-_]address|iban|account[-_]number",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[^\s<>\"'=:,;]+@[^\s<>\"'=:,;]+\.\w+")
_QUERY = re.compile(r"(https?://[^\s<>\"'?#]+)[?#][^\s<>\"']*")
_USERINFO = re.compile(r"(https?://)[^\s/@<>\"']+@")


def redact(value: Any, *, depth: int = 0) -> Any:
    """A copy of headers, parameters or a JSON document that is safe to store and small enough to show.

    Secrets and personal fields become ``[removed]``; URLs lose their query; e-mail addresses in any text go;
    Decimals become strings; long texts, long lists and deep nests are cut.
    """
    if isinstance(value, Mapping):
        return _redact_mapping(value, depth=depth)
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray):
        return f"[{len(value)} bytes]"
    if isinstance(value, Sequence):
        return _redact_sequence(value, depth=depth)
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, bool | int | float | None) else redact_text(str(value))


def redact_text(text: str) -> str:
    """A text without e-mail addresses, URL queries and log-ins in URLs, cut to MAX_TEXT characters."""
    safe = _MAIL.sub(REMOVED, _QUERY.sub(r"\1", _USERINFO.sub(r"\1", text)))
    return safe if len(safe) <= MAX_TEXT else safe[:MAX_TEXT] + "…"


def without_query(url: str) -> str:
    """The URL without log-in, query and fragment."""
    return redact_text(re.split(r"[?#]", url, maxsplit=1)[0])


def _redact_mapping(value: Mapping[Any, Any], *, depth: int) -> Any:
    if depth >= MAX_DEPTH:
        return f"[{len(value)} fields]"
    return {str(name): _redact_field(str(name), item, depth=depth) for name, item in list(value.items())[:MAX_ITEMS]}


def _redact_field(name: str, item: Any, *, depth: int) -> Any:
    if item is None or item == "":
        return item
    if _SECRET.search(name) or _PERSONAL.search(name):
        return REMOVED
    return redact(item, depth=depth + 1)


def _redact_sequence(value: Sequence[Any], *, depth: int) -> Any:
    if depth >= MAX_DEPTH:
        return f"[{len(value)} items]"
    kept = [redact(item, depth=depth + 1) for item in value[:MAX_ITEMS]]
    return kept if len(value) <= MAX_ITEMS else [*kept, f"[{len(value) - MAX_ITEMS} more]"]
