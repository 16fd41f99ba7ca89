"""``doctor``: says what is wrong, in words, and nothing where all is well."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings

from connectors import doctor
from connectors.configuration import read
from connectors.configuration_apply import apply
from connectors.models import ConnectionBudget, SyncCursor
from returnsops.models import Connection, InboundEvent

pytestmark = pytest.mark.django_db
CONFIG = """
[[connections]]
name = "reveni"
vendor = "reveni"
base_url = "https://platform.example"
secrets.webhook_secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
"""


@pytest.fixture
def well() -> Connection:
    """An installation with nothing wrong."""
    Schedule.objects.create(name="sweep", func=doctor.SWEEP, next_run=timezone.now())
    apply(read(CONFIG), by="test", at=timezone.now())
    return Connection.objects.get()


def wrong() -> dict[str, str]:
    """Name and text of every line that is not well."""
    return {line.name: line.text for line in doctor.examine() if not line.is_ok}


def test_a_well_installation_has_nothing_to_say(well: Connection) -> None:
    assert wrong() == {}
    out = StringIO()
    call_command("doctor", stdout=out)
    assert "FAIL" not in out.getvalue()
    assert "ok   connection reveni: well" in out.getvalue()


def test_a_worker_that_does_not_run_is_seen_by_its_schedule(well: Connection) -> None:
    Schedule.objects.update(next_run=timezone.now() - timedelta(minutes=7))
    assert wrong() == {"worker": "No worker has run for 7 minutes."}
    Schedule.objects.all().delete()
    assert wrong() == {"worker": "The schedules are not set up."}
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("doctor", stdout=out)
    assert stop.value.code == 1
    assert "FAIL worker: The schedules are not set up.\n     Run: manage.py setup_schedules" in out.getvalue()


def test_unsafe_settings_are_named(well: Connection, settings: Settings) -> None:
    settings.SECRET_KEY = "short"
    assert "SECRET_KEY is not set" in wrong()["settings"]


def test_what_is_wrong_with_a_connection_is_said_in_words(well: Connection) -> None:
    Connection.objects.update(is_paused=True, pause_reason="revoked key")
    assert wrong() == {"connection reveni": "is paused: revoked key"}
    Connection.objects.update(is_paused=False)
    ConnectionBudget.objects.create(
        connection=well, open_until_at=timezone.now(), last_failure_text="Timed out.", opened_count=1
    )
    assert wrong() == {"connection reveni": "does not answer: Timed out."}
    ConnectionBudget.objects.all().delete()
    SyncCursor.objects.create(connection=well, failure_count=3, error_text="403")
    assert wrong() == {"connection reveni": "could not be polled 3 times: 403"}
    SyncCursor.objects.all().delete()
    well.secrets.all().delete()
    assert wrong() == {"connection reveni": "has no webhook_secret, so every webhook is refused."}


def test_messages_that_wait_or_are_parked_are_counted(well: Connection) -> None:
    long_ago = timezone.now() - timedelta(hours=3)
    for key, state in (("a", "received"), ("b", "parked")):
        InboundEvent.objects.create(
            connection=well, source="webhook", delivery_key=key, body=b"{}", received_at=long_ago, state=state
        )
    assert wrong() == {"inbox": "1 messages wait, the oldest for 3 hours. 1 messages could not be processed."}


REBOUND = """
[[connections]]
name = "rebound"
vendor = "rebound"
base_url = "https://platform.example/api"
settings.login = "retailer"
secrets.api_key = "k"
"""
POLLED = """
[[connections]]
name = "shop"
vendor = "woocommerce"
base_url = "https://shop.example"
settings.webhooks = false
secrets.consumer_key = "ck_1"
secrets.consumer_secret = "cs_1"
"""


@pytest.mark.parametrize("text", [REBOUND, POLLED])
def test_a_connection_that_is_polled_wants_no_webhook_secret(well: Connection, text: str) -> None:
    apply(read(text), by="test", at=timezone.now())
    assert wrong() == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (POLLED.replace("settings.webhooks = false\n", ""), "shop"),
        (REBOUND + 'verifier = { kind = "standard_webhooks", tolerance_s = 300 }\n', "rebound"),
    ],
)
def test_one_that_is_to_receive_webhooks_wants_it(well: Connection, text: str, name: str) -> None:
    apply(read(text), by="test", at=timezone.now())
    assert wrong() == {f"connection {name}": "has no webhook_secret, so every webhook is refused."}
