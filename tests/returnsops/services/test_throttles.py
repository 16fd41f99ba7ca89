"""Tries are counted in rows, by window, and say when to come back."""

from datetime import timedelta

import pytest

from returnsops.models import ApiUse
from returnsops.services.throttles import take
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def tried(key: str = "ana@example.com", *, after_s: int = 0, limit: int = 2) -> int:
    return take(key=key, limit=limit, window_s=60, at=NOW + timedelta(seconds=after_s))


def test_tries_beyond_the_limit_wait_for_the_next_window() -> None:
    assert [tried(after_s=s) for s in (0, 10, 20, 59, 60)] == [0, 0, 40, 1, 0]
    assert list(ApiUse.objects.order_by("window_at").values_list("count", flat=True)) == [2, 1]


def test_keys_count_apart_and_no_address_is_kept() -> None:
    assert [tried("a@example.com"), tried("b@example.com"), tried("a@example.com")] == [0, 0, 0]
    assert [row.count for row in ApiUse.objects.order_by("count")] == [1, 2]
    assert not ApiUse.objects.filter(key__contains="example").exists()


def test_old_windows_are_removed() -> None:
    tried()
    tried(after_s=86_400 + 120)
    assert ApiUse.objects.count() == 1
