"""Figures come from the database at every scrape; only who may read them does."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from connectors.models import ConnectionBudget
from returnsops import states
from returnsops.api.metrics import metrics
from returnsops.models import Effect, InboundEvent
from tests import factories as make
from tests.journeys.world import world

pytestmark = pytest.mark.django_db


def scraped(**details: Any) -> dict[tuple[str, ...], float]:
    response = metrics(RequestFactory().get("/metrics", **details))
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_figures_follow_the_rows() -> None:
    with world() as w:
        return_id = w.ask(w.order((w.product(), 1)))
        w.ask(w.order((w.product("MUG"), 1)), reason="moths")
        w.tell()
        w.shift(90)
        figures = scraped()
        assert figures[("returnsops_inbox_events", "received")] == InboundEvent.objects.filter(state="received").count()
        assert figures[("returnsops_inbox_oldest_age_seconds",)] == pytest.approx(90, abs=1)
        w.settle()
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
        w.settle()
        figures = scraped()
    assert figures[("returnsops_inbox_events", "received")] == 0
    assert figures[("returnsops_effects", "shop", states.RESTOCK, "confirmed")] == 1
    assert sum(value for key, value in figures.items() if key[0] == "returnsops_effects") == Effect.objects.count()
    budget = ConnectionBudget.objects.get(connection__name="shop")
    assert figures[("returnsops_vendor_calls_total", "shop")] == budget.call_count > 0
    assert figures[("returnsops_breaker_open", "shop")] == 0
    assert figures[("returnsops_cases_open", states.CX)] == 1
    assert figures[("returnsops_cases_open", states.FIN)] == 0


def test_refusals_and_stops_are_counted(client: Client) -> None:
    from django.core.management import call_command

    with world() as w:
        client.post("/webhooks/reveni/", data=b"{}", content_type="application/json")
        call_command("pause", "all", "--reason", "stock-taking")
        w.shift(1)
        figures = scraped()
    assert figures[("returnsops_webhook_refusals_total", "reveni")] == 1
    assert figures[("returnsops_stopped", "all")] == 1


def test_without_a_token_only_this_machine_may_read(client: Client) -> None:
    assert scraped()
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert client.get("/metrics", headers={name: "203.0.113.9"}).status_code == 403


def test_with_a_token_the_token_is_wanted(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "t0ken-é"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "t0ken-é"}).status_code == 403
    assert scraped(headers={"Authorization": "Bearer t0ken-é"}, REMOTE_ADDR="203.0.113.9")


def test_only_reading(client: Client) -> None:
    assert client.post("/metrics").status_code == 405


@pytest.mark.requirement("S5-24")
def test_points_and_queues_by_lane_are_figures() -> None:
    refund = make.EffectFactory()
    connection = refund.connection
    make.EffectFactory(restock=True, connection=connection)
    make.EffectFactory(connection=connection, state=states.CONFIRMED, remote_id="1")
    told = {"points_left": 640.0, "points_most": 2000.0, "points_per_s": 100.0, "points_at": timezone.now()}
    make.ConnectionBudgetFactory(connection=connection, **told)
    figures = scraped()
    assert figures[("returnsops_lane_queue", connection.name, "10")] == 1
    assert figures[("returnsops_lane_queue", connection.name, "50")] == 1
    assert figures[("returnsops_points_most", connection.name)] == 2000
    assert 640 <= figures[("returnsops_points_left", connection.name)] < 1640
