"""How often something was tried in a window of time: rows, so that the count is right over all web processes."""

import hashlib
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils.crypto import salted_hmac

from returnsops.models import ApiUse

KEEP = timedelta(days=1)


def take(*, key: str, limit: int, window_s: int, at: datetime) -> int:
    """Count one try; returns 0, or the seconds to wait where the window is used up (then nothing is counted).

    Windows lie fixed in time, so a caller may do twice its limit around a border. ``key`` is stored as a keyed hash.
    """
    start_s = int(at.timestamp()) // window_s * window_s
    window_at = datetime.fromtimestamp(start_s, tz=UTC)
    hashed = salted_hmac("returnsops.throttles", key, secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()
    row, is_new = ApiUse.objects.get_or_create(key=hashed, window_at=window_at)
    if is_new:
        ApiUse.objects.filter(window_at__lt=at - KEEP).delete()
    if ApiUse.objects.filter(pk=row.pk, count__lt=limit).update(count=F("count") + 1):
        return 0
    return max(1, start_s + window_s - int(at.timestamp()))


def fingerprint(*parts: str) -> str:
    """One key from several parts that may be long or hold anything."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
