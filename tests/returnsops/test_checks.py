"""An unsafe installation does not start, and the message names the setting."""

import pytest
from django.conf import settings
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings

from returnsops import checks

LONG_KEY = "k" * 50
FERNET_KEY = "dGVzdHMtb25seS1rZXktMzItYnl0ZXMtbG9uZy0wMDE="


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


@pytest.mark.parametrize(
    ("secret_key", "is_debug", "expected"),
    [
        (LONG_KEY, False, []),
        ("k" * 31, False, ["returnsops.E001"]),
        ("default", False, ["returnsops.E001"]),
        ("default", True, []),
    ],
)
def test_secret_key(secret_key: str, is_debug: bool, expected: list[str]) -> None:
    key = settings.DEFAULT_SIGNING_KEY if secret_key == "default" else secret_key
    with override_settings(SECRET_KEY=key, DEBUG=is_debug):
        assert ids(checks.secret_key_is_set(None)) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([FERNET_KEY], None),
        ([FERNET_KEY, FERNET_KEY], None),
        ([], "FIELD_ENCRYPTION_KEYS is not set."),
        (
            [FERNET_KEY, "short"],
            "FIELD_ENCRYPTION_KEYS: key number 2 is not 32 bytes in URL-safe base64.",
        ),
    ],
)
def test_encryption_keys(keys: list[str], expected: str | None) -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=keys):
        messages = checks.encryption_keys_are_set(None)
    assert [message.msg for message in messages] == ([expected] if expected else [])
    assert "short" not in str(messages)


@pytest.mark.parametrize(
    ("hosts", "is_debug", "expected"),
    [
        (["localhost", "127.0.0.1", "[::1]", "shop.localhost"], True, []),
        (["returns.example.com"], True, ["returnsops.E003"]),
        (["*"], True, ["returnsops.E003"]),
        (["192.168.1.5"], True, ["returnsops.E003"]),
        (["returns.example.com"], False, []),
    ],
)
def test_debug_stays_on_loopback(hosts: list[str], is_debug: bool, expected: list[str]) -> None:
    with override_settings(ALLOWED_HOSTS=hosts, DEBUG=is_debug):
        assert ids(checks.debug_stays_on_loopback(None)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://returns.example.com", []),
        ("http://127.0.0.1:8000", []),
        ("http://[::1]:8000", []),
        ("http://returns.example.com", ["returnsops.E004"]),
        ("http://127.0.0.1.example.com", ["returnsops.E004"]),
        ("https://", ["returnsops.E004"]),
        ("returns.example.com", ["returnsops.E004"]),
    ],
)
def test_public_url(url: str, expected: list[str]) -> None:
    with override_settings(PUBLIC_URL=url):
        assert ids(checks.public_url_is_encrypted(None)) == expected


@pytest.mark.parametrize(
    ("timeout_s", "retry_s", "expected"),
    [(60, 150, []), (60, 60, ["returnsops.E005"]), (90, 60, ["returnsops.E005"]), (0, 60, ["returnsops.E005"])],
)
def test_task_lock_outlives_the_task(timeout_s: int, retry_s: int, expected: list[str]) -> None:
    with override_settings(Q_CLUSTER={"timeout": timeout_s, "retry": retry_s}):
        assert ids(checks.task_lock_outlives_the_task(None)) == expected


def test_atomic_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(checks.requests_are_not_transactions(None)) == []
    monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
    assert ids(checks.requests_are_not_transactions(None)) == ["returnsops.E006"]


@pytest.mark.parametrize(("engine", "expected"), [("sqlite3", ["returnsops.W001"]), ("postgresql", [])])
def test_sqlite_is_a_warning_of_deployment(monkeypatch: pytest.MonkeyPatch, engine: str, expected: list[str]) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", f"django.db.backends.{engine}")
    assert ids(checks.production_has_a_server_database(None)) == expected


@pytest.mark.parametrize(
    ("is_redirecting", "header", "expected"),
    [
        (True, None, ["returnsops.W002"]),
        (True, ("HTTP_X_FORWARDED_PROTO", "https"), []),
        (False, None, []),
    ],
)
def test_redirect_to_https_can_end(is_redirecting: bool, header: tuple[str, str] | None, expected: list[str]) -> None:
    with override_settings(SECURE_SSL_REDIRECT=is_redirecting, SECURE_PROXY_SSL_HEADER=header):
        assert ids(checks.redirect_to_https_can_end(None)) == expected


@override_settings(SECRET_KEY="short", FIELD_ENCRYPTION_KEYS=[])
def test_check_command_refuses_and_names_the_settings() -> None:
    with pytest.raises(SystemCheckError) as refusal:
        call_command("check")
    assert "SECRET_KEY is not set" in str(refusal.value)
    assert "FIELD_ENCRYPTION_KEYS is not set" in str(refusal.value)
