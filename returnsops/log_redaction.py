"""Nothing secret and nothing of a customer in a log line: redaction at the last point before it is written."""

import logging
import re
import traceback
from pathlib import Path

HIDDEN = "[hidden]"

# Names of parameters, JSON fields and headers whose value is a credential, whatever the vendor calls it.
_SENSITIVE_NAME = (
    r"[\w-]*(?:secret|token|password|passwd|api[_-]?key|auth[_-]?key|consumer[_-]?key|access[_-]?key"
    r"|encryption[_-]?keys?|signature|hmac|authorization|cookie)[\w-]*"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # "Authorization: Bearer abc", also inside a printed dictionary of headers
    (re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # name=value, name: value, "name": "value"
    (
        re.compile(
            rf"(?i)(\b{_SENSITIVE_NAME}[\"']?\s*[=:]\s*[\"']?)(?!\[hidden\]|(?:Basic|Bearer)\s)[^\s\"'&,;)}}\]]+"
        ),
        rf"\1{HIDDEN}",
    ),
    # https://user:password@host
    (re.compile(r"(://)[^/\s:@]+:[^/\s@]+@"), rf"\1{HIDDEN}@"),
    # keys that name themselves: WooCommerce ck_/cs_, Standard Webhooks whsec_, Shopify shp.._
    (re.compile(r"\b(?:ck|cs|whsec|shpat|shpss|shpca|shppa)_[A-Za-z0-9+/=]{8,}"), HIDDEN),
    # e-mail addresses: the customer's data is in the database, not in a log
    (re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), "[e-mail]"),
)


def redact(text: str) -> str:
    """Return `text` with credentials and e-mail addresses replaced; idempotent."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def fault_of(error: BaseException) -> str:
    """What went wrong in our own program, and where. Never the error's text, which may quote a customer's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


class RedactingFilter(logging.Filter):
    """Rewrites each record, its arguments and its traceback before any handler formats it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always let the record through, redacted."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True
