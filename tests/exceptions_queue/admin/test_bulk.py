"""Several cases at once: first the number and the money, then the act."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from exceptions_queue.models import CaseEvent, ExceptionCase
from tests.exceptions_queue.conftest import OpenCase

LIST = "admin:exceptions_queue_exceptioncase_changelist"


@pytest.fixture
def cases(open_case: OpenCase) -> list[ExceptionCase]:
    now = timezone.now()
    return [
        open_case(fingerprint="a", money_at_risk=Decimal("10.10"), at=now),
        open_case(fingerprint="b", money_at_risk=Decimal("0.90"), at=now),
        open_case(fingerprint="c", money_at_risk=Decimal(500), currency="JPY", at=now),
    ]


def post(client: Client, cases: list[ExceptionCase], action: str, view: str = "all", **data: str) -> Any:
    chosen = {"action": action, "_selected_action": [str(case.pk) for case in cases], **data}
    return client.post(f"{reverse(LIST)}?view={view}", chosen, follow=True)


def test_the_confirm_page_shows_count_and_money_and_changes_nothing(
    client: Client, clerk: User, cases: list[ExceptionCase]
) -> None:
    client.force_login(clerk)
    for action in ("assign_to_me", "snooze_selected", "resolve_selected"):
        content = post(client, cases, action).content.decode()
        assert "3 cases" in content
        assert "£11.00 + JP¥500" in content
        assert f'name="action" value="{action}"' in content
    assert CaseEvent.objects.count() == 3


def test_confirmed_acts_are_done(client: Client, clerk: User, cases: list[ExceptionCase]) -> None:
    client.force_login(clerk)
    assert "Done for 3 of 3 cases." in post(client, cases, "assign_to_me", confirmed="yes").content.decode()
    post(client, cases, "snooze_selected", confirmed="yes", for_hours="4")
    assert set(ExceptionCase.objects.values_list("state", "assigned_to")) == {("snoozed", clerk.pk)}
    post(client, cases, "resolve_selected", "snoozed", confirmed="yes", resolution="fixed", reason="All fixed")
    assert set(ExceptionCase.objects.values_list("state", "resolution_reason")) == {("resolved", "All fixed")}


def test_a_missing_reason_brings_the_page_back(client: Client, clerk: User, cases: list[ExceptionCase]) -> None:
    client.force_login(clerk)
    content = post(client, cases, "resolve_selected", confirmed="yes", resolution="fixed").content.decode()
    assert "This field is required." in content
    assert set(ExceptionCase.objects.values_list("state", flat=True)) == {"open"}


def test_cases_of_other_teams_are_refused_one_by_one(client: Client, hand: User, cases: list[ExceptionCase]) -> None:
    client.force_login(hand)
    content = post(client, cases, "resolve_selected", confirmed="yes", resolution="fixed", reason="x").content.decode()
    assert content.count("Only Finance can act on this case.") == 3
    assert set(ExceptionCase.objects.values_list("state", flat=True)) == {"open"}


def test_all_pages_at_once_is_refused(client: Client, clerk: User, cases: list[ExceptionCase]) -> None:
    client.force_login(clerk)
    content = post(client, cases, "assign_to_me", confirmed="yes", select_across="1").content.decode()
    assert "nothing was changed" in content
    assert not ExceptionCase.objects.filter(assigned_to__isnull=False).exists()


def test_readers_are_not_offered_bulk_acts(client: Client, reader: User, cases: list[ExceptionCase]) -> None:
    client.force_login(reader)
    post(client, cases, "assign_to_me", confirmed="yes")
    assert not ExceptionCase.objects.filter(assigned_to__isnull=False).exists()
    assert "assign_to_me" not in client.get(reverse(LIST)).content.decode()
