"""The record of every request a simulator was sent: what tests assert on and what its page shows."""

import json
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_SECRET_NAME = re.compile(r"secret|token|password|signature|oauth_|consumer_|api_?key|authorization", re.IGNORECASE)
# A field of a form whose name is secret, with its value.
_SECRET_FIELD = re.compile(rf"(?<![^&])([^&=]*(?:{_SECRET_NAME.pattern})[^&=]*)=[^&]*", re.IGNORECASE)
_LONGEST_TEXT = 2000


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as it came in. `status` is None when the caller got no answer; `fault` names the fault that hit."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: Any
    status: int | None
    at: datetime
    fault: str = ""


@dataclass
class CallLog:
    """Calls in the order they were finished, safe to append from several threads."""

    _calls: list[Call] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def record(self, call: Call) -> None:
        """Keep one call."""
        with self._lock:
            self._calls.append(call)

    def all(self) -> list[Call]:
        """Every call so far, oldest first."""
        with self._lock:
            return list(self._calls)

    def matching(self, method: str = "*", path_pattern: str = "") -> list[Call]:
        """Calls with this method ("*" for any) whose path holds the regular expression."""
        return [
            call
            for call in self.all()
            if method in ("*", call.method) and re.search(path_pattern, call.path) is not None
        ]

    def writes(self) -> list[Call]:
        """Every call that is not a read: what a negative test asserts to be empty."""
        return [call for call in self.all() if call.method not in ("GET", "HEAD", "OPTIONS")]

    def clear(self) -> None:
        """Forget everything so far."""
        with self._lock:
            self._calls.clear()


def without_secrets(value: Any) -> Any:
    """The same JSON value with everything secret by its name taken out."""
    if isinstance(value, dict):
        return {
            key: "(hidden)" if _SECRET_NAME.search(str(key)) else without_secrets(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


def public_query(pairs: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Query parameters without credentials and signatures."""
    return tuple((name, value) for name, value in pairs if not _SECRET_NAME.search(name))


def readable_body(raw: bytes) -> Any:
    """A request body for the log: parsed JSON without secrets, else the beginning of the text, None when empty."""
    if not raw:
        return None
    try:
        return without_secrets(json.loads(raw))
    except ValueError:
        return _SECRET_FIELD.sub(r"\1=(hidden)", raw[:_LONGEST_TEXT].decode("utf-8", "replace"))
