"""Polling: the cursor never passes what is not stored, one worker at a time, and a refusal only costs time."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors import inbox, polling, ports
from connectors.models import SyncCursor
from connectors.registry import connector_for
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Connection, InboundEvent
from tests.factories import NOW, ConnectionFactory, ConnectionSecretFactory

pytestmark = pytest.mark.django_db

Page = ports.PollPage | Exception


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A shop whose link can be made."""
    made: Connection = ConnectionFactory()
    monkeypatch.setenv("SHOP_CONSUMER_SECRET", "x")
    ConnectionSecretFactory(connection=made)
    return made


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let the vendor answer these pages; returns the cursors it was asked with."""

    def answer(*given: Page) -> list[str]:
        asked: list[str] = []
        waiting = list(given)

        def poll(link: ports.Link, cursor: str) -> ports.PollPage:
            asked.append(cursor)
            page = waiting.pop(0)
            if isinstance(page, Exception):
                raise page
            return page

        connector = replace(connector_for("woocommerce"), poll=poll)
        monkeypatch.setattr(polling, "connector_for", lambda vendor: connector)
        return asked

    return answer


def _page(*names: str, cursor: str, is_last: bool = True) -> ports.PollPage:
    items = tuple(
        ports.PolledItem(topic="poll.order", body={"id": name, "total": Decimal("1.50")}, delivery_key=name)
        for name in names
    )
    return ports.PollPage(items=items, cursor=cursor, is_last=is_last)


def _poll(shop: Connection, *, minutes: float = 0, is_forced: bool = False) -> int:
    return polling.poll_connection(connection=shop, at=NOW + timedelta(minutes=minutes), is_forced=is_forced)


def test_a_round_goes_on_to_the_last_page_and_remembers_where_it_was(
    shop: Connection, pages: Callable[..., list[str]]
) -> None:
    asked = pages(_page("a", "b", cursor="c1", is_last=False), _page("c", cursor="c2"))
    assert _poll(shop) == 3
    assert asked == ["", "c1"]
    cursor = SyncCursor.objects.get()
    assert (cursor.cursor, cursor.polled_at, cursor.error_text, cursor.claim_token) == ("c2", NOW, "", "")
    assert cursor.next_poll_at == NOW + timedelta(seconds=connector_for("woocommerce").poll_interval_s)
    assert json.loads(bytes(InboundEvent.objects.get(delivery_key="a").body)) == {"id": "a", "total": "1.50"}


def test_what_the_overlap_shows_again_is_not_stored_again(shop: Connection, pages: Callable[..., list[str]]) -> None:
    pages(_page("a", "b", cursor="c1"), _page("b", "c", cursor="c2"))
    assert (_poll(shop), _poll(shop, minutes=10)) == (2, 1)
    assert InboundEvent.objects.count() == 3


def test_a_page_that_cannot_be_stored_leaves_the_cursor_before_it(
    shop: Connection, pages: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pages(_page("a", cursor="c1", is_last=False), _page("b", "c", cursor="c2"), _page("b", "c", cursor="c2"))
    whole = inbox.record

    def crash(**delivery: Any) -> inbox.Recorded:
        if delivery["delivery_key"] == "c":
            raise RuntimeError("the disk is full")
        return whole(**delivery)

    with monkeypatch.context() as broken:
        broken.setattr(inbox, "record", crash)
        with pytest.raises(RuntimeError):
            _poll(shop)
    assert SyncCursor.objects.get().cursor == "c1"
    assert set(InboundEvent.objects.values_list("delivery_key", flat=True)) == {"a"}
    assert _poll(shop, minutes=1) == 0  # the dead worker's claim still stands
    assert _poll(shop, minutes=11) == 2
    assert asked == ["", "c1", "c1"]


def test_a_refusal_between_pages_keeps_the_pages_before(shop: Connection, pages: Callable[..., list[str]]) -> None:
    pages(_page("a", cursor="c1", is_last=False), ports.Retryable("The shop is away."))
    assert _poll(shop) == 0
    cursor = SyncCursor.objects.get()
    assert (cursor.cursor, cursor.error_text, cursor.failure_count) == ("c1", "The shop is away.", 1)
    assert cursor.next_poll_at == NOW + timedelta(seconds=polling.FAILED_WAIT_S)
    assert cursor.polled_at is None
    assert InboundEvent.objects.count() == 1


def test_a_vendor_that_asks_to_wait_is_waited_for(shop: Connection, pages: Callable[..., list[str]]) -> None:
    asked = pages(ports.RateLimited("Slow down.", after_s=900), _page(cursor="c1"))
    _poll(shop)
    assert SyncCursor.objects.get().next_poll_at == NOW + timedelta(seconds=900)
    _poll(shop, minutes=14)
    assert len(asked) == 1
    _poll(shop, minutes=15)
    assert len(asked) == 2


def test_nobody_polls_while_somebody_else_does_not_even_when_forced(
    shop: Connection, pages: Callable[..., list[str]]
) -> None:
    asked = pages(_page(cursor="c1"))
    SyncCursor.objects.create(connection=shop, stream="main", claimed_until_at=NOW + timedelta(minutes=5))
    assert _poll(shop, is_forced=True) == 0
    assert asked == []
    _poll(shop, minutes=6)
    assert len(asked) == 1


def test_a_round_ends_somewhere(
    shop: Connection, pages: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MAX_PAGES", 2)
    asked = pages(*(_page(str(number), cursor=f"c{number}", is_last=False) for number in range(5)))
    assert _poll(shop) == 2
    assert asked == ["", "c0"]
    assert SyncCursor.objects.get().cursor == "c1"


def test_a_connection_whose_secret_cannot_be_read_is_asked_later(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = ConnectionFactory()
    monkeypatch.delenv("SHOP_CONSUMER_SECRET", raising=False)
    ConnectionSecretFactory(connection=shop)
    assert polling.poll_due(at=NOW) == 0
    assert "SHOP_CONSUMER_SECRET, which is not set" in SyncCursor.objects.get().error_text


def test_refused_credentials_pause_the_connection_with_one_case(
    shop: Connection, pages: Callable[..., list[str]]
) -> None:
    pages(ports.AuthFailed("The key was revoked."), ports.AuthFailed("The key was revoked."), _page("a", cursor="c1"))
    assert (_poll(shop), _poll(shop, minutes=10)) == (0, 0)
    shop.refresh_from_db()
    assert (shop.is_paused, shop.pause_reason) == (True, "The key was revoked.")
    assert ExceptionCase.objects.get().kind_code == states.CASE_CONNECTION_AUTH
    assert _poll(shop, minutes=20) == 1  # nothing was lost meanwhile


def test_a_fault_of_ours_with_one_connection_does_not_stop_the_others(
    shop: Connection, pages: Callable[..., list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    ConnectionSecretFactory(connection=ConnectionFactory())
    pages(ZeroDivisionError("jane@example.com lives in Leeds"), _page("a", cursor="c1"))
    assert polling.poll_due(at=NOW) == 1
    cursor = SyncCursor.objects.get(connection=shop)
    assert (cursor.failure_count, cursor.cursor) == (1, "")
    assert cursor.error_text.startswith("ZeroDivisionError at test_polling.py")
    assert f"polling of {shop.name} failed: ZeroDivisionError" in caplog.text
    assert "Leeds" not in caplog.text + cursor.error_text


def test_a_paused_connection_is_left_alone(shop: Connection, pages: Callable[..., list[str]]) -> None:
    asked = pages(_page("a", cursor="c1"))
    Connection.objects.update(is_paused=True)
    assert polling.poll_due(at=NOW) == 0
    assert asked == []


@pytest.mark.parametrize(("own", "expected_s"), [(60, 60), (0, 300), ("often", 300)])
def test_a_connection_may_have_its_own_interval(
    shop: Connection, pages: Callable[..., list[str]], own: object, expected_s: int
) -> None:
    pages(_page("a", cursor="c1"))
    shop.settings = {**shop.settings, "poll_interval_s": own}
    shop.save()
    _poll(shop)
    assert SyncCursor.objects.get().next_poll_at == NOW + timedelta(seconds=expected_s)
