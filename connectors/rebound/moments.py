"""Times as V1 writes them. The format is not published (rebound.md C3), so it is read leniently. Pure."""

import re
from datetime import UTC, datetime
from typing import Any, Final

_UNIX: Final = re.compile(r"[0-9]{9,10}", re.ASCII)
# Of the documented order dates: mm/dd/yyyy, yyyy/mm/dd, unix; the example shows yyyy-mm-dd hh:mm:ss.
_DAYS: Final = ("%Y/%m/%d", "%m/%d/%Y", "%Y-%m-%d")
_CLOCKS: Final = ("", " %H:%M:%S", " %H:%M")


def moment_of(value: Any) -> datetime | None:
    """The moment in UTC, which is the server's time zone [IR]; None for nothing and for what cannot be read."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if _UNIX.fullmatch(text):
        return datetime.fromtimestamp(int(text), tz=UTC)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return _by_pattern(text)


def _by_pattern(text: str) -> datetime | None:
    for day in _DAYS:
        for clock in _CLOCKS:
            try:
                return datetime.strptime(text, day + clock).replace(tzinfo=UTC)
            except ValueError:
                continue
    return None
