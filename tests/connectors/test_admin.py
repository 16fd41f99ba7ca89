"""Connections and inbox as operations see them: test, pause, webhooks, process again; nothing secret is shown."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connectors import admin as screens
from connectors import ports
from connectors.models import ConnectionBudget
from connectors.registry import connector_for
from returnsops import states
from returnsops.models import Connection, HistoryEntry
from returnsops.services.secrets import store_secret
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def operations() -> Client:
    client = Client()
    client.force_login(make.UserFactory(username="olivia", team="OPS"))
    return client


def page(row: Any, act: str = "") -> str:
    options = row._meta
    base = f"/admin/{options.app_label}/{options.model_name}/{row.pk}/"
    return f"{base}act/{act}/" if act else f"{base}change/"


def with_vendor(monkeypatch: pytest.MonkeyPatch, **abilities: Any) -> None:
    """The shop's connector with other abilities; no network."""
    vendor = replace(connector_for("woocommerce"), **abilities)
    monkeypatch.setattr(screens, "connector_for", lambda name: vendor)


def shop() -> Connection:
    made: Connection = make.ConnectionFactory()
    store_secret(connection=made, name="consumer_key", value="ck_very_secret", by="test", at=make.NOW)
    store_secret(connection=made, name="consumer_secret", value="cs_very_secret", by="test", at=make.NOW)
    return made


@pytest.mark.requirement("S1-11")
def test_secrets_are_named_and_never_shown(operations: Client) -> None:
    connection = shop()
    html = operations.get(page(connection)).content.decode()
    assert "consumer_key" in html
    assert "stored encrypted" in html
    assert "very_secret" not in html
    assert connection.secrets.first().ciphertext not in html  # type: ignore[union-attr]


def test_testing_a_connection_says_what_is_wrong_and_what_to_do(
    operations: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def check(link: ports.Link) -> Sequence[ports.CheckLine]:
        asked.append(link.config.name)
        return (
            ports.CheckLine(name="credentials", is_ok=True, text="fine"),
            ports.CheckLine(name="write permission", is_ok=False, text="read only", fix="Set it to Read/Write."),
        )

    connection = shop()
    with_vendor(monkeypatch, check=check)
    operations.get(page(connection, "test"))
    assert asked == []
    html = operations.post(page(connection, "test")).content.decode()
    assert asked == [connection.name]
    assert "1 of 2 checks failed. write permission: read only Set it to Read/Write." in html


def test_a_connection_that_is_well_says_so(operations: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = shop()
    with_vendor(monkeypatch, check=lambda link: (ports.CheckLine(name="credentials", is_ok=True, text="fine"),))
    html = operations.post(page(connection, "test"), follow=True).content.decode()
    assert "all 1 checks are well" in html


def test_a_connection_without_credentials_is_a_sentence(operations: Client) -> None:
    connection = make.ConnectionFactory(vendor="unheard-of")
    html = operations.post(page(connection, "test")).content.decode()
    assert "It could not be tested" in html
    assert operations.get(page(connection)).status_code == 200


def test_webhooks_are_repaired_to_our_address(operations: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []

    def ensure(link: ports.Link, url: str) -> Sequence[ports.WebhookState]:
        urls.append(url)
        return (ports.WebhookState(external_id="1", topic="order.updated", is_active=True, delivery_url=url),)

    connection = shop()
    with_vendor(monkeypatch, ensure_webhooks=ensure)
    html = operations.post(page(connection, "repair_webhooks"), follow=True).content.decode()
    assert urls == [f"http://127.0.0.1:8000/webhooks/{connection.name}/"]
    assert "order.updated" in html


def test_a_vendor_that_refuses_is_a_sentence(operations: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def ensure(link: ports.Link, url: str) -> Sequence[ports.WebhookState]:
        raise ports.Rejected("The shop refuses.", code="no")

    connection = shop()
    with_vendor(monkeypatch, ensure_webhooks=ensure)
    assert (
        "could not be repaired: The shop refuses."
        in operations.post(page(connection, "repair_webhooks")).content.decode()
    )


def test_pausing_and_resuming_want_a_reason_and_are_history(operations: Client) -> None:
    connection = shop()
    operations.post(page(connection, "pause"), {"why": ""})
    connection.refresh_from_db()
    assert not connection.is_paused
    operations.post(page(connection, "pause"), {"why": "The shop moves"})
    connection.refresh_from_db()
    assert (connection.is_paused, connection.pause_reason) == (True, "The shop moves")
    assert "paused already" in operations.post(page(connection, "pause"), {"why": "again"}).content.decode()
    operations.post(page(connection, "resume"), {"why": "Moved"})
    connection.refresh_from_db()
    assert not connection.is_paused
    acts = HistoryEntry.objects.filter(act__startswith="connection_").order_by("pk")
    assert [(entry.act, entry.by, entry.why) for entry in acts] == [
        ("connection_paused", "olivia", "The shop moves"),
        ("connection_resumed", "olivia", "Moved"),
    ]


def test_the_page_shows_budget_cursor_and_refusals(operations: Client) -> None:
    connection = shop()
    make.ConnectionBudgetFactory(connection=connection, call_count=321, last_failure_text="reset", failure_count=2)
    points = {"points_left": 1640.0, "points_most": 2000.0, "points_per_s": 100.0, "points_at": timezone.now()}
    ConnectionBudget.objects.filter(connection=connection).update(**points)
    make.EffectFactory(connection=connection, restock=True)
    make.SyncCursorFactory(connection=connection, cursor="2026-03-02T08:00:00", error_text="shop was down")
    make.WebhookRefusalFactory(connection=connection, count=7)
    html = operations.get(page(connection)).content.decode()
    for text in ("321", "2026-03-02T08:00:00", "shop was down", "7 deliveries refused", "does not answer"):
        assert (text in html) == (text != "does not answer")
    assert re.search(r"16\d\d of 2000, 100 come back a second", html)
    assert "lane 50: 1 ready, 0 under way, 0 with unknown outcome" in html


# --- inbox ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S1-11")
def test_a_body_is_shown_without_customer_data(operations: Client) -> None:
    body = b'{"type": "x", "amount": "30.00", "email": "sam@example.com", "note": "write to sam@example.com"}'
    html = operations.get(page(make.InboundEventFactory(body=body))).content.decode()
    assert "30.00" in html
    assert "sam@example.com" not in html


@pytest.mark.parametrize("body", [b"not json <script>alert(1)</script>", b"\xff\xfe\x00", b"[" * 3000, b""])
def test_an_unreadable_body_is_shown_as_text(body: bytes, operations: Client) -> None:
    answer = operations.get(page(make.InboundEventFactory(body=body)))
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_a_parked_event_is_put_in_line_again(operations: Client) -> None:
    event = make.InboundEventFactory(state=states.EVENT_PARKED, attempts=8)
    operations.get(page(event, "reprocess"))
    event.refresh_from_db()
    assert event.state == states.EVENT_PARKED
    operations.post(page(event, "reprocess"))
    event.refresh_from_db()
    assert (event.state, event.attempts) == (states.EVENT_RECEIVED, 0)


def test_acts_of_people_and_readings_are_not_offered_for_processing(operations: Client) -> None:
    for source in ("human", "read"):
        html = operations.get(page(make.InboundEventFactory(source=source))).content.decode()
        assert "/act/reprocess/" not in html


def test_the_tabs_of_the_inbox(operations: Client) -> None:
    make.InboundEventFactory(state=states.EVENT_PARKED, topic="parked.topic")
    make.InboundEventFactory(topic="processed.topic")
    html = operations.get("/admin/returnsops/inboundevent/?view=backlog").content.decode()
    assert "parked.topic" in html
    assert "processed.topic" not in html
