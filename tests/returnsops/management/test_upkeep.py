"""The commands that look after stored messages and secrets."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.utils import timezone

from returnsops.models import ConnectionSecret, HistoryEntry, InboundEvent
from returnsops.services.secrets import read_secrets, store_secret
from tests import factories

pytestmark = pytest.mark.django_db


def said(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_purge_payloads_by_age() -> None:
    at = timezone.now()
    for days in (10, 200):
        factories.InboundEventFactory(
            body=b'{"email": "pat@example.com"}', state="processed", received_at=at - timedelta(days=days)
        )
    assert "1 hold customer data (dry run" in said("purge_payloads", "--older-than", "180d", "--dry-run")
    assert "1 lost their customer data" in said("purge_payloads", "--older-than", "180d")
    assert [bytes(event.body) for event in InboundEvent.objects.order_by("received_at")] == [
        b'{"email": "removed@removed.invalid"}',
        b'{"email": "pat@example.com"}',
    ]


@pytest.mark.parametrize("age", ["180", "0d", "6m", "-3d", ""])
def test_purge_payloads_wants_whole_days(age: str) -> None:
    with pytest.raises(CommandError, match="give whole days, such as 180d"):
        said("purge_payloads", f"--older-than={age}")


def test_rotate_keys(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    connection = factories.ConnectionFactory()
    at = timezone.now()
    store_secret(connection=connection, name="webhook_secret", value="s3cret", by="ops", at=at)
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert said("rotate_keys", "--by", "ops").startswith("1 secrets are encrypted under the first key")
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert read_secrets(connection, at=at) == {"webhook_secret": ["s3cret"]}
    assert HistoryEntry.objects.get(act="keys_rotated").by == "ops"


def test_rotate_keys_without_the_old_key_changes_nothing(settings: Any) -> None:
    connection = factories.ConnectionFactory()
    store_secret(connection=connection, name="webhook_secret", value="s3cret", by="ops", at=timezone.now())
    before = ConnectionSecret.objects.get().ciphertext
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="Nothing was changed: add that key"):
        said("rotate_keys")
    assert ConnectionSecret.objects.get().ciphertext == before
