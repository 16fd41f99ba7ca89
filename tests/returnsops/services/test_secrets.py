"""Secrets of connections: several live at once, never readable in the database, never in a message."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from returnsops.models import Connection, ConnectionSecret, HistoryEntry
from returnsops.services import secrets
from returnsops.services.secrets import SecretError
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
NAME = "webhook_secret"


@pytest.fixture
def shop() -> Connection:
    """A connection without secrets."""
    connection: Connection = make.ConnectionFactory(name="shop")
    return connection


def history() -> list[tuple[str, str, str]]:
    return list(HistoryEntry.objects.order_by("pk").values_list("act", "by", "text"))


def test_a_stored_secret_is_read_back_and_is_not_in_the_database(shop: Connection) -> None:
    row = secrets.store_secret(connection=shop, name=NAME, value="Kx81-very-secret", by="olivia", at=NOW)
    assert (row.env_name, row.created_at, row.retired_at) == ("", NOW, None)
    assert "Kx81" not in row.ciphertext
    assert secrets.read_secrets(shop, at=NOW) == {NAME: ["Kx81-very-secret"]}
    assert history() == [("secret_stored", "olivia", "Secret webhook_secret stored.")]
    entry = HistoryEntry.objects.get()
    assert (entry.at, entry.subject_type, entry.subject_id) == (NOW, "connection", str(shop.pk))


def test_a_secret_of_the_environment_is_kept_by_name_only(shop: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOF_SECRET", "from-outside")
    row = secrets.store_secret(connection=shop, name=NAME, value="env:PROOF_SECRET", by="olivia", at=NOW)
    assert (row.env_name, row.ciphertext) == ("PROOF_SECRET", "")
    assert secrets.read_secrets(shop, at=NOW) == {NAME: ["from-outside"]}
    assert secrets.read_stored(shop, name=NAME, at=NOW) == ["env:PROOF_SECRET"]


def test_all_live_secrets_are_read_newest_first_by_name(shop: Connection) -> None:
    secrets.store_secret(connection=shop, name=NAME, value="old", by="olivia", at=NOW)
    secrets.store_secret(connection=shop, name=NAME, value="new", by="olivia", at=LATER)
    secrets.store_secret(connection=shop, name="consumer_key", value="ck", by="olivia", at=NOW)
    secrets.store_secret(connection=make.ConnectionFactory(), name=NAME, value="other", by="olivia", at=LATER)
    assert secrets.read_secrets(shop, at=LATER) == {"consumer_key": ["ck"], NAME: ["new", "old"]}
    assert secrets.read_stored(shop, name=NAME, at=LATER) == ["new", "old"]


def test_a_retired_secret_counts_until_it_is_retired_and_history_names_how_many(shop: Connection) -> None:
    for hour, value in enumerate(("first", "second", "third")):
        at = NOW + timedelta(hours=hour)
        secrets.store_secret(connection=shop, name=NAME, value=value, by="olivia", at=at)
    end = NOW + timedelta(hours=3)
    assert secrets.retire_secrets(connection=shop, name=NAME, keep_newest=1, by="oscar", at=end) == 2
    assert secrets.read_secrets(shop, at=end - timedelta(seconds=1)) == {NAME: ["third", "second", "first"]}
    assert secrets.read_secrets(shop, at=end) == {NAME: ["third"]}
    assert history()[-1] == ("secret_retired", "oscar", "2 of webhook_secret retired.")
    assert secrets.retire_secrets(connection=shop, name=NAME, keep_newest=1, by="oscar", at=end) == 0
    assert len(history()) == 4


def test_an_unset_variable_is_named_with_what_to_do(shop: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROOF_SECRET", raising=False)
    make.ConnectionSecretFactory(connection=shop, name=NAME, env_name="PROOF_SECRET")
    with pytest.raises(SecretError) as caught:
        secrets.read_secrets(shop, at=NOW)
    assert str(caught.value) == (
        "Secret webhook_secret of connection shop is read from the environment variable PROOF_SECRET, which is not "
        "set. Set it and restart, or store the secret with apply_config."
    )


def test_a_secret_under_a_lost_key_is_named_and_neither_value_nor_key_is_shown(
    shop: Connection, settings: Settings
) -> None:
    row = secrets.store_secret(connection=shop, name=NAME, value="Kx81", by="olivia", at=NOW)
    key = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [key]
    for read in (
        lambda: secrets.read_secrets(shop, at=NOW),
        lambda: secrets.read_stored(shop, name=NAME, at=NOW),
    ):
        with pytest.raises(SecretError, match="key that is not in FIELD_ENCRYPTION_KEYS") as caught:
            read()
        assert caught.value.__cause__ is None
        assert not any(text in str(caught.value) for text in ("Kx81", key, row.ciphertext))


def test_rotation_moves_every_secret_under_the_newest_key(shop: Connection, settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    other = make.ConnectionFactory()
    for connection in (shop, shop, other):
        secrets.store_secret(connection=connection, name=NAME, value=f"of {connection.name}", by="olivia", at=NOW)
    make.ConnectionSecretFactory(connection=shop, name="consumer_key", env_name="PROOF_SECRET")
    HistoryEntry.objects.all().delete()

    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert secrets.rotate_keys(by="oscar", at=LATER) == 3
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert secrets.read_stored(shop, name=NAME, at=LATER) == ["of shop", "of shop"]
    assert ConnectionSecret.objects.get(name="consumer_key").ciphertext == ""
    entries = HistoryEntry.objects.all()
    assert {(row.act, row.by, row.at, row.subject_id, row.text) for row in entries} == {
        ("keys_rotated", "oscar", LATER, str(connection.pk), "Secrets encrypted anew.") for connection in (shop, other)
    }
    assert len(entries) == 2


def test_a_secret_of_our_own_is_made_once_and_stays_readable_for_ever(shop: Connection) -> None:
    def kept(at: datetime) -> Sequence[str]:
        return secrets.read_secrets_with_made(shop, made=["coupon_key"], at=at)["coupon_key"]

    (made,) = kept(NOW)
    assert len(made) >= 64
    assert kept(LATER) == [made]
    secrets.store_secret(connection=shop, name="coupon_key", value="newer", by="olivia", at=LATER)
    secrets.retire_secrets(connection=shop, name="coupon_key", keep_newest=1, by="olivia", at=LATER)
    assert kept(LATER + timedelta(days=1)) == ["newer", made]
    assert secrets.read_secrets(shop, at=LATER + timedelta(days=1))["coupon_key"] == ["newer"]
    assert made not in ConnectionSecret.objects.values_list("ciphertext", flat=True)
