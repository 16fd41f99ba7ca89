"""Opening, seeing again, regressing, raising by hand."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from exceptions_queue import services
from exceptions_queue.errors import InvalidInputError, KindError, NotAllowedError
from exceptions_queue.models import CaseState, ExceptionCase
from exceptions_queue.services.opening import safe_link, stored_key
from tests.exceptions_queue.conftest import NOW, OpenCase, parcel

LATER = NOW + timedelta(hours=30)


def test_a_case_is_opened_with_owner_deadline_priority_and_a_first_line(open_case: OpenCase) -> None:
    case = open_case(waiting_since_at=NOW - timedelta(hours=3))
    case.refresh_from_db()
    assert (case.state, case.owner_team, case.title) == ("open", "FIN", "Amounts differ")
    assert case.due_at == NOW + timedelta(hours=4)
    assert case.priority == 13 + 3 + 30  # money, hours waited, high
    event = case.events.get()
    assert (event.act, event.by_name, event.by_user) == ("opened", "system", None)
    assert event.detail["money_at_risk"] == "12.50 GBP"


def test_minutes_count_around_the_clock(open_case: OpenCase) -> None:
    assert open_case(kind="parcel_odd").due_at == NOW + timedelta(minutes=30)


def test_a_second_call_counts_and_takes_the_newer_evidence(open_case: OpenCase) -> None:
    first = open_case()
    again = open_case(evidence={"amounts": {"here": "11.00"}}, at=LATER)
    assert again.pk == first.pk
    assert ExceptionCase.objects.count() == 1
    again.refresh_from_db()
    assert again.occurrences == 2
    assert again.last_seen_at == LATER
    assert again.opened_at == NOW
    assert again.evidence == {"amounts": {"here": "11.00"}}
    assert [event.act for event in again.events.all()] == ["opened"]


def test_changed_money_is_written_on_the_timeline(open_case: OpenCase) -> None:
    open_case()
    case = open_case(money_at_risk=Decimal("9.00"), at=LATER)
    assert [event.act for event in case.events.all()] == ["opened", "updated"]


@pytest.mark.parametrize(("money", "state"), [("12.51", "open"), ("12.50", "snoozed"), ("3.00", "snoozed")])
def test_a_snoozed_case_wakes_only_when_its_money_grew(open_case: OpenCase, money: str, state: str) -> None:
    case = open_case()
    services.snooze(case=case, by="system", at=NOW, until_at=LATER + timedelta(days=9))
    assert open_case(money_at_risk=Decimal(money), at=LATER).state == state


def test_money_growing_in_small_steps_wakes_against_the_snoozed_amount(open_case: OpenCase) -> None:
    case = open_case()
    services.snooze(case=case, by="system", at=NOW, until_grows=True)
    open_case(money_at_risk=Decimal("5.00"), at=LATER)
    assert open_case(money_at_risk=Decimal("12.00"), at=LATER).state == "snoozed"
    assert open_case(money_at_risk=Decimal("13.00"), at=LATER).state == "open"


@pytest.mark.parametrize("is_by_itself", [True, False])
def test_a_closed_case_that_returns_is_the_same_row_and_regressed(open_case: OpenCase, is_by_itself: bool) -> None:
    case = open_case()
    if is_by_itself:
        services.auto_resolve(case=case, at=NOW)
    else:
        services.resolve(case=case, by="system", at=NOW, reason="Fixed")
    back = open_case(at=LATER)
    back.refresh_from_db()
    assert back.pk == case.pk
    assert (back.state, back.is_regressed, back.times_reopened) == ("open", True, 1)
    assert (back.resolved_at, back.resolved_by_name, back.resolution) == (None, "", "")
    assert (back.first_opened_at, back.opened_at) == (NOW, LATER)
    assert back.due_at is not None
    assert back.due_at > LATER
    assert back.events.order_by("-pk").first().act == "regressed"  # type: ignore[union-attr]


def test_the_same_fingerprint_of_another_kind_is_another_case(open_case: OpenCase) -> None:
    assert open_case().pk != open_case(kind="parcel_odd").pk


def test_an_unregistered_kind_and_money_without_currency_are_refused(open_case: OpenCase) -> None:
    with pytest.raises(KindError):
        open_case(kind="nonsense")
    with pytest.raises(ValueError, match="money at risk without a currency"):
        open_case(currency="")
    assert not ExceptionCase.objects.exists()


def test_foreign_text_that_a_database_would_refuse_still_makes_a_case(open_case: OpenCase) -> None:
    case = open_case(
        title="a\x00b" + "x" * 300, cause="\ud800", subject_id="9" * 200, evidence={"k\x00": ["\x00", Decimal("1.50")]}
    )
    case.refresh_from_db()
    assert case.title.startswith("abx")
    assert len(case.title) == 250
    assert case.cause == "?"
    assert case.evidence == {"k": ["", "1.50"]}


def test_a_too_long_fingerprint_keeps_its_identity(open_case: OpenCase) -> None:
    one, other = "f" * 300 + "1", "f" * 300 + "2"
    assert open_case(fingerprint=one).pk == open_case(fingerprint=one).pk
    assert open_case(fingerprint=one).pk != open_case(fingerprint=other).pk
    assert len(stored_key(one)) == 250


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("/admin/returns/7/", True),
        ("https://shop.example/wp-admin/post.php?post=7", True),
        ("http://127.0.0.1:9000/", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example/", False),
        ("/\\evil.example/", False),
        ("https:///nowhere", False),
        ("http://[broken", False),
        ("https://a.example/\x00", False),
        ("", False),
    ],
)
def test_only_links_that_are_safe_to_click_are_kept(link: str, kept: bool) -> None:
    assert safe_link(link) == (link if kept else "")


def test_a_person_may_raise_what_may_be_raised(hand: User, reader: User) -> None:
    case = services.raise_by_hand(
        kind="parcel_odd", subject=parcel("RMA-5"), title="Brick", cause="Empty box", by=hand, at=NOW
    )
    assert case.is_raised_by_hand
    assert [(e.act, e.by_name, e.note) for e in case.events.all()] == [("raised", "hand", "Empty box")]
    arguments: dict[str, Any] = {"subject": parcel("RMA-5"), "title": "t", "at": NOW}
    with pytest.raises(InvalidInputError, match="cannot be raised by hand"):
        services.raise_by_hand(kind="amount_mismatch", cause="c", by=hand, **arguments)
    with pytest.raises(NotAllowedError):
        services.raise_by_hand(kind="parcel_odd", cause="c", by=reader, **arguments)
    with pytest.raises(InvalidInputError, match="give a reason"):
        services.raise_by_hand(kind="parcel_odd", cause=" ", by=hand, **arguments)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_closed_before", [False, True])
def test_workers_that_open_the_same_problem_at_once_make_one_case(open_case: OpenCase, is_closed_before: bool) -> None:
    if is_closed_before:
        services.auto_resolve(case=open_case(), at=NOW)
    start, failures = threading.Barrier(4), []

    def work() -> None:
        try:
            start.wait(timeout=20)
            open_case(at=LATER)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    case = ExceptionCase.objects.get()
    assert case.state == CaseState.OPEN
    assert case.occurrences == 4 + is_closed_before
    assert case.events.filter(act="opened").count() == 1
    assert case.events.filter(act="regressed").count() == int(is_closed_before)
