"""Secrets of connections: from the environment by name, or encrypted in the database (S1-11)."""

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction

from returnsops.models import Connection, ConnectionSecret
from returnsops.models.connections import live_secret_rows
from returnsops.prepared import Prepared

from . import audit


class SecretError(Exception):
    """A secret that cannot be read; says which and what to do, never its value."""


def read_secrets(connection: Connection, *, at: datetime) -> Mapping[str, Sequence[str]]:
    """All live secrets by name, newest first. Raises SecretError for an unset variable or an unknown key."""
    return _by_name(live_secret_rows(connection, at=at), connection=connection)


def read_secrets_with_made(connection: Connection, *, made: Sequence[str], at: datetime) -> Mapping[str, Sequence[str]]:
    """All live secrets by name, newest first, and of those we make ourselves every value there ever was.

    Retired ones of ours count: what was derived from them (coupon codes) must be found again for ever. The first
    value of each is made here. Raises SecretError as ``read_secrets`` does.
    """
    rows = _ALL.objects(connection_id=connection.pk)
    missing = set(made) - {row.name for row in rows}
    for name in sorted(missing):
        _make(connection, name, at=at)
    if missing:
        rows = _ALL.objects(connection_id=connection.pk)
    counted = [row for row in rows if row.name in made or row.retired_at is None or row.retired_at > at]
    return _by_name(counted, connection=connection)


_ALL: Final = Prepared(lambda connection_id: ConnectionSecret.objects.filter(connection=connection_id))


def _by_name(rows: Iterable[ConnectionSecret], *, connection: Connection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(_value(row, connection=connection))
    return found


@transaction.atomic
def _make(connection: Connection, name: str, *, at: datetime) -> None:
    Connection.objects.select_for_update().get(pk=connection.pk)  # two workers must not make two
    if not connection.secrets.filter(name=name).exists():
        value = secrets.token_urlsafe(48)
        store_secret(connection=connection, name=name, value=value, by=audit.SYSTEM, at=at)


def read_stored(connection: Connection, *, name: str, at: datetime) -> list[str]:
    """The live values of one secret as they were given, newest first: ``env:NAME`` or the value itself.

    For comparing with a configuration file. Raises SecretError for a value under an unknown key.
    """
    rows = live_secret_rows(connection, at=at).filter(name=name)
    return [f"env:{row.env_name}" if row.env_name else _value(row, connection=connection) for row in rows]


@transaction.atomic
def store_secret(*, connection: Connection, name: str, value: str, by: str, at: datetime) -> ConnectionSecret:
    """Keep one more live secret; ``env:NAME`` names a variable, anything else is encrypted.

    The earlier ones stay live until ``retire_secrets``, so that a rotation loses no delivery.
    """
    is_env = value.startswith("env:")
    row = ConnectionSecret.objects.create(
        connection=connection,
        name=name,
        env_name=value.removeprefix("env:") if is_env else "",
        ciphertext="" if is_env else fernet().encrypt(value.encode()).decode(),
        created_at=at,
    )
    audit.record(act="secret_stored", by=by, at=at, subject=connection, text=f"Secret {name} stored.")
    return row


@transaction.atomic
def retire_secrets(*, connection: Connection, name: str, keep_newest: int, by: str, at: datetime) -> int:
    """Retire all but the newest live secrets of a name; returns how many."""
    rows = list(live_secret_rows(connection, at=at).filter(name=name))[keep_newest:]
    for row in rows:
        row.retired_at = at
        row.save(update_fields=["retired_at"])
    if rows:
        audit.record(act="secret_retired", by=by, at=at, subject=connection, text=f"{len(rows)} of {name} retired.")
    return len(rows)


@transaction.atomic
def rotate_keys(*, by: str, at: datetime) -> int:
    """Encrypt every stored secret anew under the newest key; returns how many."""
    rows = list(ConnectionSecret.objects.exclude(ciphertext=""))
    for row in rows:
        row.ciphertext = fernet().rotate(row.ciphertext.encode()).decode()
        row.save(update_fields=["ciphertext"])
    for connection in {row.connection for row in rows}:
        audit.record(act="keys_rotated", by=by, at=at, subject=connection, text="Secrets encrypted anew.")
    return len(rows)


def fernet() -> MultiFernet:
    """The keys of FIELD_ENCRYPTION_KEYS, newest first."""
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def _value(row: ConnectionSecret, *, connection: Connection) -> str:
    if row.env_name:
        value = os.environ.get(row.env_name, "")
        if not value:
            raise SecretError(
                f"Secret {row.name} of connection {connection.name} is read from the environment variable "
                f"{row.env_name}, which is not set. Set it and restart, or store the secret with apply_config."
            )
        return value
    try:
        return fernet().decrypt(row.ciphertext.encode()).decode()
    except InvalidToken:
        raise SecretError(
            f"Secret {row.name} of connection {connection.name} was encrypted with a key that is not in "
            "FIELD_ENCRYPTION_KEYS. Add that key, or store the secret again with apply_config."
        ) from None
