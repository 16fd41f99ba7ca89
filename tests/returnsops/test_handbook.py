"""Guides are generated from what is registered and stored, and docs/operating holds exactly that."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from returnsops import handbook, states
from returnsops.models import Route
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
