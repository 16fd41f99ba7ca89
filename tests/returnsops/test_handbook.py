"""Guides are generated from what is registered and stored, and docs/operating holds exactly that."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from exceptions_queue import kinds
from exceptions_queue.models import AlertReason
from reconciliation import causes
from returnsops import handbook, matters, states
from returnsops.models import Route
from returnsops.selectors import watch
from tests import factories

pytestmark = pytest.mark.django_db

DOCS = settings.BASE_DIR / "docs" / "operating"
OWNERSHIP = {
    "order": "commerce",
    "refund": "commerce",
    "return_status": "platform",
    "disposition": "warehouse",
    "stock": "commerce",
}


def a_route(document: dict[str, object], **fields: object) -> None:
    route = factories.RouteFactory(name="main", **fields)
    route.policy = factories.PolicyVersionFactory(route=route, version=7, document=document)
    route.save()


@pytest.mark.parametrize("team", sorted(handbook.FILES))
def test_the_docs_hold_the_generated_part(team: str) -> None:
    """On an installation without routes, which is what the repository documents."""
    text = (DOCS / handbook.FILES[team]).read_text(encoding="utf-8")
    assert handbook.replaced(text, handbook.render_guide(team)) == text, "run manage.py handbook --write"


@pytest.mark.parametrize("team", sorted(handbook.FILES))
def test_the_docs_say_what_to_do_daily_weekly_and_on_alerts(team: str) -> None:
    prose = (DOCS / handbook.FILES[team]).read_text(encoding="utf-8").partition(handbook.BEGIN)[0]
    assert [title in prose for title in ("## Daily", "## Weekly", "## Where data live", "## When an alert comes")] == [
        True
    ] * 4


@pytest.mark.requirement("S4-11")
def test_finance_reads_the_daily_refund_check_and_what_a_refund_without_a_return_is() -> None:
    guide = (DOCS / handbook.FILES[states.FIN]).read_text(encoding="utf-8")
    daily = guide.partition("## Daily")[2].partition("## Weekly")[0]
    assert "The refund check" in daily
    assert [f"\n{step}. " in daily for step in (1, 2, 3, 4)] == [True] * 4
    views = {view.title for view in (*watch.EFFECT_VIEWS, *watch.REFUND_VIEWS)}
    assert {title for title in views if title in daily} >= {"Refunds needing a person", "Made outside, not attributed"}
    alert = guide.partition("## When an alert comes")[2].partition(handbook.BEGIN)[0]
    for code in (causes.CASE_REFUND_UNEXPLAINED, states.CASE_REFUNDED_OUTSIDE):
        assert f"*{kinds.lookup(code).title}*" in alert


@pytest.mark.requirement("S4-11")
def test_the_warehouse_reads_what_each_alert_of_a_failed_restock_means() -> None:
    guide = (DOCS / handbook.FILES[states.WH]).read_text(encoding="utf-8")
    prose, _, generated = guide.partition(handbook.BEGIN)
    told = generated.partition("Told at once: ")[2].partition("\n")[0]
    failed = [codes[matters.OF_STOCK] for codes in matters.OUTCOME_CASES.values() if matters.OF_STOCK in codes]
    assert len(failed) == 4
    for code in failed:
        title = f"*{kinds.lookup(code).title}*"
        assert title in prose
        assert title in told


@pytest.mark.requirement("S4-11")
def test_every_guide_says_how_an_alert_reads_and_where_return_data_originate() -> None:
    a_route({"ownership": OWNERSHIP}, platform__name="reveni", commerce__name="shop")
    for team in sorted(handbook.FILES):
        guide = handbook.render_guide(team)
        assert f"`[{states.TEAMS[team]}] " in guide
        assert all(f"| … {reason.label} |" in guide for reason in AlertReason)
        assert "**Where its data originate**" in guide
        assert "the platform's verdicts and refund decisions: reveni" in guide
        assert "every refund record, and the stock figure: shop" in guide


@pytest.mark.requirement("S4-12")
def test_finance_owns_the_month_and_customer_service_the_status_of_a_return() -> None:
    for team in (states.CX, states.FIN):
        monthly = (DOCS / handbook.FILES[team]).read_text(encoding="utf-8").partition("## Monthly")[2]
        said = monthly.partition("##")[0].lower()
        assert "finance owns the monthly reconciliation" in said
        assert "customer service owns what a return's status" in said
    compared = {cause.case_kind for cause in causes.CAUSES.values()} - {causes.CASE_STOCK_DIFFERS}
    of_status = {states.CASE_ORDER_NOT_FOUND, states.CASE_LINE_NOT_ON_ORDER, states.CASE_DECISION_DUE}
    assert {kinds.lookup(code).owner_team for code in of_status} == {states.CX}
    assert {kinds.lookup(code).owner_team for code in compared if "refund" in code or "paid" in code} == {states.FIN}


def test_every_case_of_a_team_is_in_its_guide() -> None:
    guide = handbook.render_guide(states.FIN)
    assert "Code: `amount_mismatch`." in guide
    assert "Code: `reason_unmapped`." not in guide


def test_a_route_says_why_a_refund_fires_and_who_owns_what() -> None:
    a_route(
        {
            "ownership": OWNERSHIP,
            "refund": {
                "initiator": "policy_trigger",
                "trigger": "received",
                "trigger_by_resolution": {"exchange": "in_transit"},
                "default_executed_by": "commerce_platform",
                "approval_threshold": {"EUR": "200.00"},
                "tolerance": {"EUR": "0.02"},
            },
            "restock": {"confirmation": "both"},
        }
    )
    text = handbook.render_routes()
    assert "Resolution refund: we start it, when the parcel is in the warehouse" in text
    assert "Resolution exchange: we start it, when the carrier has the parcel" in text
    assert "The money is moved by the shop's payment gateway" in text
    assert "a difference of more than 0.02 EUR holds it" in text
    assert "A second person approves refunds of more than 200.00 EUR." in text
    assert "both verdicts, the platform's and our warehouse's" in text
    assert "| what happens to returned goods | our warehouse |" in text
    assert "Policy version 7." in text
    assert "Still to be decided" not in text


def test_a_route_with_holes_names_them() -> None:
    a_route({"refund": {"initiator": ""}})
    text = handbook.render_routes()
    assert "**nobody starts it yet**" in text
    assert "ownership.stock: nobody owns it" in text


def test_a_policy_that_cannot_be_read_is_shown_with_its_problem() -> None:
    a_route({"no_such_key": 1})
    assert "no_such_key: unknown key" in handbook.render_routes()


def test_a_route_without_policy_and_a_paused_one() -> None:
    route = factories.RouteFactory(name="bare", is_paused=True, pause_reason="stock-taking")
    Route.objects.filter(pk=route.pk).update(mode=states.ROUTE_OFF, policy=None)
    text = handbook.render_routes()
    assert "It has no policy yet, so nothing is planned." in text
    assert "Sending is paused: stock-taking." in text


def test_the_command_prints_one_team_or_all() -> None:
    out = StringIO()
    call_command("handbook", "--team", "WH", stdout=out)
    assert out.getvalue().count("## Cases of ") == 1
    out = StringIO()
    call_command("handbook", stdout=out)
    assert out.getvalue().count("## Cases of ") == len(handbook.FILES)


def test_writing_keeps_the_prose_and_is_idempotent(tmp_path: Path) -> None:
    path = tmp_path / "cx.md"
    path.write_text(f"# Ours\n\nCall Pat.\n\n{handbook.BEGIN}\nold\n{handbook.END}\n\nThe end.\n", encoding="utf-8")
    for _ in range(2):
        call_command("handbook", "--team", "CX", "--write", "--folder", str(tmp_path), stdout=StringIO())
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Ours\n\nCall Pat.\n")
    assert text.endswith("The end.\n")
    assert text.count("## Cases of Customer service") == 1
    assert "\nold\n" not in text


def test_a_missing_file_is_made_and_missing_marks_are_said(tmp_path: Path) -> None:
    call_command("handbook", "--team", "FIN", "--write", "--folder", str(tmp_path), stdout=StringIO())
    assert "# Finance" in (tmp_path / "finance.md").read_text(encoding="utf-8")
    (tmp_path / "cx.md").write_text("# Mine\n", encoding="utf-8")
    with pytest.raises(CommandError, match="The lines that enclose the generated part are missing"):
        call_command("handbook", "--team", "CX", "--write", "--folder", str(tmp_path), stdout=StringIO())
    assert (tmp_path / "cx.md").read_text(encoding="utf-8") == "# Mine\n"
