"""A moment in the past as people type it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_AGO: Final = re.compile(r"^(\d{1,4})([hd])$")


def moment_of(text: str, *, at: datetime) -> datetime:
    """'180d' and '12h' before ``at``, or a date or time (UTC where it names no zone). Raises ValueError with advice."""
    if ago := _AGO.match(text):
        count = int(ago.group(1))
        return at - (timedelta(hours=count) if ago.group(2) == "h" else timedelta(days=count))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write 2026-11-01, 30d or 12h.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
