"""Screens of runs and findings: read-only, linked, and a button that only a POST presses."""

import pytest
from django.test import Client
from django.urls import reverse

from reconciliation import causes
from reconciliation.checks import CHECKS
from reconciliation.models import Finding, Run
from tests.journeys.world import World, world
from tests.reconciliation.played import FIVE, compare, finding, only_money, returned

pytestmark = pytest.mark.django_db

RUNS, FINDINGS = "admin:reconciliation_run_changelist", "admin:reconciliation_finding_changelist"
NOW = "admin:reconciliation_run_now"


def signed_in(w: World, team: str) -> Client:
    """A browser of somebody of that team."""
    client = Client()
    client.force_login(w.users[team])
    return client


def different(w: World) -> Finding:
    """A played day with one deleted and one unexplained refund."""
    order, _ = returned(w)
    w.settle()
    w.shop.delete_refund(only_money(w, order).id)
    w.shop.staff_refund(order.id, FIVE, reason="<script>alert(1)</script>")
    compare(w)
    return finding(causes.RECORD_DELETED)


def test_every_view_of_runs_and_findings_opens() -> None:
    with world() as w:
        different(w)
        for view in ("all", "differs", "failed", "nonsense"):
            page = signed_in(w, "OPS").get(reverse(RUNS), {"view": view})
            assert page.status_code == 200, view
            text = page.content.decode()
            assert ("Refunded sums here and in the shop</td>" in text) is (view != "failed")
        for view, count in (("open", 2), ("accepted", 0), ("healed", 0), ("all", 2)):
            page = signed_in(w, "FIN").get(reverse(FINDINGS), {"view": view})
            assert (page.status_code, page.context["cl"].result_count) == (200, count), view


def test_a_finding_links_order_return_effect_and_case_and_shows_foreign_text_as_text() -> None:
    with world() as w:
        row = different(w)
        client = signed_in(w, "FIN")
        text = client.get(reverse("admin:reconciliation_finding_change", args=[row.pk])).content.decode()
        assert "Our refund was deleted in the shop" in text
        assert "30.00 EUR" in text
        for name, pk in (
            ("returnsops_order", row.order_id),
            ("returnsops_returnauthorisation", row.rma_id),
            ("returnsops_effect", row.effect_id),
            ("exceptions_queue_exceptioncase", row.case_id),
        ):
            assert f'href="{reverse(f"admin:{name}_change", args=[pk])}"' in text
        outside = finding(causes.MADE_OUTSIDE)
        text = client.get(reverse("admin:reconciliation_finding_change", args=[outside.pk])).content.decode()
        assert "<script>alert(1)" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_a_run_shows_sums_and_findings() -> None:
    with world() as w:
        row = different(w)
        page = signed_in(w, "FIN").get(reverse("admin:reconciliation_run_change", args=[row.last_run_id]))
        text = page.content.decode()
        assert page.status_code == 200
        assert row.text in text
        assert "35.00" not in text
        assert "30.00" in text
        Run.objects.filter(pk=row.last_run_id).update(not_comparable={"The shop shows no notes.": 3})
        page = signed_in(w, "FIN").get(reverse("admin:reconciliation_run_change", args=[row.last_run_id]))
        assert "3 x The shop shows no notes." in page.content.decode()


def test_comparing_now_is_a_post_of_those_who_may() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        client = signed_in(w, "FIN")
        assert client.get(reverse(NOW)).status_code == 405
        assert signed_in(w, "WH").post(reverse(NOW)).status_code == 403
        assert Client().post(reverse(NOW)).status_code == 302
        assert not Run.objects.exists()

        page = client.post(reverse(NOW), follow=True)
        assert "1 orders compared, 0 differences." in page.content.decode()
        assert [(run.trigger, run.started_by) for run in Run.objects.all()] == [("person", "fin")] * len(CHECKS)
        assert order.id


def test_comparing_now_says_what_is_wrong() -> None:
    with world() as w:
        shop = w.connection("shop")
        shop.is_paused, shop.pause_reason = True, "Moving house."
        shop.save()
        page = signed_in(w, "OPS").post(reverse(NOW), follow=True)
        assert "No route is switched on" in page.content.decode()


def test_one_order_is_compared_again_and_heals() -> None:
    with world() as w:
        order, _ = returned(w)
        w.settle()
        record = only_money(w, order)
        w.shop.delete_refund(record.id)
        compare(w)
        row = finding(causes.RECORD_DELETED)
        w.shop.state.refunds[record.id] = record
        w.shift(1)
        address = reverse("admin:reconciliation_finding_act", args=[row.pk, "compare_again"])
        client = signed_in(w, "FIN")
        assert client.get(address).status_code == 200
        row.refresh_from_db()
        assert row.healed_at is None
        page = client.post(address, follow=True)
        assert "Both agree now." in page.content.decode()
        row.refresh_from_db()
        assert row.healed_at is not None


def test_others_see_neither() -> None:
    with world() as w:
        for team in ("CX", "WH", "MER"):
            client = signed_in(w, team)
            assert client.get(reverse(RUNS)).status_code == 403, team
            assert client.get(reverse(FINDINGS)).status_code == 403, team


def test_nobody_adds_changes_or_deletes() -> None:
    with world() as w:
        row = different(w)
        client = signed_in(w, "FIN")
        page = reverse("admin:reconciliation_finding_change", args=[row.pk])
        assert client.post(page, {"cause": "x"}).status_code == 403
        assert client.post(reverse("admin:reconciliation_finding_delete", args=[row.pk])).status_code == 403
        assert client.get(reverse("admin:reconciliation_run_add")).status_code == 403
