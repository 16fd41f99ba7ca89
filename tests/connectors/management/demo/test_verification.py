"""The proof of the demo: right where the day is right, and wrong where a double or a loss is planted."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from decimal import Decimal

import pytest
from django.db import transaction

from connectors.management.demo import playing, programme
from connectors.management.demo.verification import verify
from returnsops.models import Effect, InboundEvent
from tests.connectors.management.demo.played import SHORT_DAY, Day, installed, play

pytestmark = pytest.mark.django_db


def test_a_short_day_in_three_currencies_is_equal_on_both_sides() -> None:
    with installed("eu", "jp", "kw") as day:
        stories = programme.told(programme.YESTERDAY, markets=day.markets, book=day.book)
        playing.play_as_of_yesterday(stories, day.markets.values())
        play(day, SHORT_DAY)
        verdict = verify(day.markets, day.book, seconds=1.25)

    assert verdict.problems == []
    summary = verdict.summary
    assert summary["ok"] is True
    assert (summary["returns"], summary["doubles"], summary["lost"], summary["seconds"]) == (8, 0, 0, 1.2)
    # A batch of 29.95 + 79.90 + 29.97, 29.95 paid by hand, and two refunds of 9.99.
    assert summary["money"]["EUR"]["here"] == summary["money"]["EUR"]["shop"] == "189.75"
    assert summary["money"]["EUR"]["paid_by_gateway"] == "159.80"
    assert summary["money"]["JPY"]["shop"] == "9790"
    assert summary["money"]["KWD"]["shop"] == "5.990"
    assert summary["cases"] == {"order_not_found": 1, "reason_unmapped": 1, "refunded_outside": 1}
    assert summary["stock"]["shop"] == summary["stock"]["expected"]


# --- what is planted, and what the comparison must say -----------------------------------------------------------


def _second_record_of_one_key(day: Day) -> None:
    shop = day.shop
    (first,) = [refund for refund in shop.state.refunds.values() if refund.amount]
    shop.staff_refund(first.order_id, Decimal("29.95"), reason=first.reason)


def _second_restock(day: Day) -> None:
    shop = day.shop
    (first,) = [refund for refund in shop.state.refunds.values() if not refund.amount]
    shop.state.refunds[9999] = first
    shop.state.products[day.tee].stock_quantity = 40


def _second_payout(day: Day) -> None:
    payouts = day.shop.state.payouts
    payouts.append(payouts[0])


def _second_note(day: Day) -> None:
    notes = day.shop.state.notes
    notes.append(next(note for note in notes if note.text.endswith("/received]")))


def _lost_event(day: Day) -> None:
    InboundEvent.objects.filter(connection__name="reveni-eu", topic="return.received").delete()


def _lost_shop_message(day: Day) -> None:
    row = InboundEvent.objects.filter(connection__name="shop-eu", source="webhook").first()
    assert row is not None
    row.delete()


def _lost_refund(day: Day) -> None:
    shop = day.shop
    (refund,) = [refund for refund in shop.state.refunds.values() if refund.amount]
    shop.delete_refund(refund.id)


def _missing_case(day: Day) -> None:
    day.book.cases["order_locked"] += 1


def _unfinished(day: Day) -> None:
    Effect.objects.filter(kind="refund").update(state="unknown", confirmed_at=None)


def _missing_return(day: Day) -> None:
    day.book.returns += 1


PLANTED: tuple[tuple[Callable[[Day], None], int, int, str], ...] = (
    (_second_record_of_one_key, 2, 0, r"2 records carry the key refund:reveni-eu/.* the money differs"),
    (_second_restock, 2, 0, r"1 restock record\(s\) too many.*product \d+ has 40 units instead of 39"),
    (_second_payout, 2, 0, r"refund \d+ was paid 2 times.*was paid back 29.95 too much"),
    (_second_note, 1, 0, r"/received\] 2 times"),
    (_lost_event, 0, 2, r"event eu-evt_\d+ is not in the inbox.*1 accepted message\(s\) of reveni-eu are not"),
    (_lost_shop_message, 0, 1, r"accepted message\(s\) of shop-eu are not in the inbox"),
    (_lost_refund, 0, 1, r"order \d+ lacks a refund of 29.95.*the money differs"),
    (_missing_case, 0, 0, r"0 open case\(s\) of kind order_locked instead of 1"),
    (_unfinished, 0, 0, r"1 effects are still under way"),
    (_missing_return, 0, 0, r"2 returns were told, 1 are known"),
)


def test_whatever_is_planted_is_found() -> None:
    with installed("eu") as day:
        play(day, (programme.FIRST,))
        assert verify(day.markets, day.book, seconds=1.0).problems == []
        for plant, doubles, lost, words in PLANTED:
            with _undone(day):
                plant(day)
                verdict = verify(day.markets, day.book, seconds=1.0)
            assert verdict.summary["ok"] is False, plant.__name__
            assert (verdict.summary["doubles"], verdict.summary["lost"]) == (doubles, lost), plant.__name__
            assert re.search(words, " ".join(verdict.problems)), plant.__name__
        assert verify(day.markets, day.book, seconds=1.0).problems == []


@contextmanager
def _undone(day: Day) -> Iterator[None]:
    """Rows, records and expectations are as before afterwards."""
    state, book = day.shop.state, deepcopy(day.book)
    kept = deepcopy((state.refunds, state.payouts, state.notes, state.products))
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    state.refunds, state.payouts, state.notes, state.products = kept
    day.book = book
