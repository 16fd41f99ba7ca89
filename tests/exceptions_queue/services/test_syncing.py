"""Synchronising the cases of one group."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from exceptions_queue import services
from exceptions_queue.models import ExceptionCase
from exceptions_queue.services import CaseWanted
from tests.exceptions_queue.conftest import NOW, OpenCase, parcel

KINDS = ("amount_mismatch", "outcome_unknown")
LATER = NOW + timedelta(hours=2)


def wanted(fingerprint: str, **changes: Any) -> CaseWanted:
    values: dict[str, Any] = {
        "kind": "amount_mismatch",
        "fingerprint": fingerprint,
        "subject_type": "return",
        "subject_id": "RMA-77",
    }
    return CaseWanted(**{**values, **changes})


def sync(*items: CaseWanted, at: Any = NOW) -> services.SyncResult:
    return services.sync_cases(group_key="return:77", wanted=items, kinds=KINDS, at=at)


@pytest.mark.django_db
def test_wanted_cases_are_opened_in_the_group_and_answered_in_order() -> None:
    result = sync(wanted("b"), wanted("a"))
    assert [case.fingerprint for case in result.wanted] == ["b", "a"]
    assert {case.group_key for case in result.wanted} == {"return:77"}
    assert result.closed_ids == ()


@pytest.mark.django_db
def test_what_is_no_longer_wanted_closes_itself_even_while_snoozed() -> None:
    kept, gone, asleep = sync(wanted("kept"), wanted("gone"), wanted("asleep")).wanted
    services.snooze(case=asleep, by="system", at=NOW, until_at=NOW + timedelta(days=3))
    assert sync(wanted("kept"), at=LATER).closed_ids == (asleep.pk, gone.pk)
    for case in (kept, gone, asleep):
        case.refresh_from_db()
    assert (kept.state, gone.state, asleep.state) == ("open", "auto_resolved", "auto_resolved")
    assert gone.resolution_reason == "The latest look at it no longer finds this problem."


@pytest.mark.django_db
def test_an_unchanged_case_is_not_written_and_not_counted() -> None:
    sync(wanted("a", evidence={"x": 1}))
    case = sync(wanted("a", evidence={"x": 1}), at=LATER).wanted[0]
    case.refresh_from_db()
    assert (case.occurrences, case.last_seen_at) == (1, NOW)
    case = sync(wanted("a", evidence={"x": 2}), at=LATER).wanted[0]
    case.refresh_from_db()
    assert (case.occurrences, case.last_seen_at, case.evidence) == (1, LATER, {"x": 2})


@pytest.mark.django_db
def test_a_wanted_case_that_was_closed_comes_back_as_regressed() -> None:
    sync(wanted("a"))
    sync(at=LATER)
    case = sync(wanted("a"), at=LATER).wanted[0]
    assert (case.state, case.is_regressed) == ("open", True)


def test_other_groups_other_kinds_and_cases_raised_by_hand_are_left_alone(open_case: OpenCase, hand: User) -> None:
    other_group = open_case(fingerprint="g", group_key="return:78")
    other_kind = open_case(kind="parcel_odd", fingerprint="k")
    raised = services.raise_by_hand(
        kind="parcel_odd",
        subject=parcel("RMA-5"),
        title="t",
        cause="c",
        by=hand,
        at=NOW,
    )
    mine = open_case(fingerprint="mine")
    assert sync().closed_ids == (mine.pk,)
    both = (*KINDS, "parcel_odd")
    result = services.sync_cases(group_key="return:77", wanted=(), kinds=both, at=NOW)
    assert result.closed_ids == (other_kind.pk,)
    assert set(ExceptionCase.objects.all().active()) == {other_group, raised}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("group", "items", "complaint"),
    [
        ("", [], "needs a group"),
        ("return:77", [wanted("a", kind="parcel_odd")], "not among the kinds"),
        ("return:77", [wanted("a", group_key="return:78")], "another group"),
        ("return:77", [wanted("a"), wanted("a")], "wanted twice"),
    ],
)
def test_wrong_calls_change_nothing(group: str, items: list[CaseWanted], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        services.sync_cases(group_key=group, wanted=items, kinds=KINDS, at=NOW)
    assert not ExceptionCase.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_synchronisations_at_once_leave_what_one_of_them_wanted_and_never_deadlock() -> None:
    wishes = [[wanted(name) for name in names] for names in ("ab", "bc", "ca", "abc")]
    for _ in range(3):
        _all_at_once([lambda items=items: sync(*items) for items in wishes])
        active = set(ExceptionCase.objects.all().active().values_list("fingerprint", flat=True))
        assert active in [{item.fingerprint for item in items} for items in wishes]
    assert ExceptionCase.objects.count() == 3


def _all_at_once(acts: list[Any]) -> None:
    start, failures = threading.Barrier(len(acts)), []

    def work(act: Any) -> None:
        try:
            start.wait(timeout=20)
            act()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []


@pytest.mark.django_db
def test_money_is_compared_as_money() -> None:
    sync(wanted("a", money_at_risk=Decimal("10.00"), currency="GBP"))
    case = sync(wanted("a", money_at_risk=Decimal("10"), currency="GBP"), at=LATER).wanted[0]
    case.refresh_from_db()
    assert case.last_seen_at == NOW
