"""``manage.py reconcile``: exit codes, JSON, plain words."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connectors.simulators.base import Fault, FaultKind
from reconciliation import causes, services
from reconciliation.models import Run
from tests.journeys.world import world
from tests.reconciliation.played import FIVE, only_money, plain_order, returned

pytestmark = pytest.mark.django_db


def reconcile(*arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    out = StringIO()
    try:
        call_command("reconcile", *arguments, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def document(*arguments: str) -> tuple[int, Any]:
    """Exit code and the JSON."""
    code, text = reconcile("--json", *arguments)
    return code, json.loads(text)


def test_nothing_differs() -> None:
    with world() as w:
        returned(w)
        w.settle()
        code, printed = document()
        assert code == 0
        assert printed["open_findings"] == []
        assert [run["check"] for run in printed["runs"]] == list(services.ALL_CODES)
        assert all(run["not_comparable"] == {} for run in printed["runs"])
        assert printed["runs"][0]["totals"] == {"EUR": {"here": "30.00", "there": "30.00"}}
        code, text = reconcile("--route", "main", "--check", "refunded_sums", "--since", "7d")
        assert code == 0
        assert "matched 1, mismatched 0, only here 0, only in the shop 0" in text
        assert "EUR: 30.00 here, 30.00 in the shop" in text
        assert text.endswith("Nothing differs.\n")


def test_differences_are_exit_code_one_with_matched_and_one_sided_counts() -> None:
    with world() as w:
        order, _ = returned(w)
        returned(w)
        w.settle()
        w.shop.delete_refund(only_money(w, order).id)
        other = plain_order(w)
        refund = w.shop.staff_refund(other.id, FIVE)
        code, printed = document()
        assert code == 1
        sums = printed["runs"][0]
        assert (sums["matched"], sums["mismatched"], sums["only_here"], sums["only_in_the_shop"]) == (1, 0, 1, 0)
        assert sums["totals"] == {"EUR": {"here": "60.00", "there": "30.00"}}
        outside = next(row for row in printed["open_findings"] if row["check"] == "refunds_outside")
        assert (outside["cause"], outside["refund"], outside["amount"], outside["currency"]) == (
            causes.MADE_OUTSIDE,
            str(refund.id),
            "5.00",
            "EUR",
        )
        code, text = reconcile()
        assert code == 1
        who = "WordPress user 1"
        assert f"Refund {refund.id} by {who} of 5.00 EUR was made outside, and no return explains it." in text


def test_what_could_not_be_read_is_exit_code_one() -> None:
    with world() as w:
        returned(w)
        w.settle()
        w.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR, method="GET", path_pattern=r"/orders/", times=20))
        code, printed = document()
        assert code == 1
        assert {run["state"] for run in printed["runs"]} == {"failed"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--route", "nowhere"), "There is no route 'nowhere'. Known: main."),
        (("--check", "all"), f"There is no check 'all'. Known: {', '.join(services.ALL_CODES)}."),
        (("--since", "yesterday"), "'yesterday' is no time; write 2026-11-01, 30d or 12h."),
    ],
)
def test_wrong_usage_is_exit_code_two_and_runs_nothing(arguments: tuple[str, ...], words: str) -> None:
    with world(), pytest.raises(CommandError) as refused:
        reconcile(*arguments)
    assert str(refused.value) == words
    assert refused.value.returncode == 2
    assert not Run.objects.exists()


def test_a_date_is_midnight_utc() -> None:
    with world() as w:
        returned(w)
        w.settle()
        _, printed = document("--since", "2026-11-01")
        assert printed["runs"][0]["since"] == "2026-11-01T00:00:00+00:00"
        _, printed = document("--since", "12h", "--check", "refunds_outside")
        assert len(printed["runs"]) == 1


def test_without_a_route_it_says_so() -> None:
    code, text = reconcile()
    assert code == 0
    assert text.startswith("No route is switched on; nothing was compared.")
