"""What the environment turns into, read in a fresh process each time."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as running
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent
SAFE = {
    "SECRET_KEY": "a-long-random-key-" * 4,
    "FIELD_ENCRYPTION_KEYS": "dGVzdHMtb25seS1rZXktMzItYnl0ZXMtbG9uZy0wMDE=",
    "PUBLIC_URL": "https://returns.example.com",
    "BEHIND_TLS_PROXY": "true",
}
PRINT = """
import json, sys
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""
JOURNAL_MODE = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("PRAGMA journal_mode")
    print(cursor.fetchone()[0])
"""


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with exactly these variables."""
    base = {"PATH": os.environ["PATH"], "ENV_FILE": "", "DJANGO_SETTINGS_MODULE": "returnsops.settings"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**base, **environment}, capture_output=True, text=True, check=False
    )


def settings_of(*names: str, **environment: str) -> dict[str, Any]:
    result = python("-c", PRINT, *names, **environment)
    assert result.returncode == 0, result.stderr
    values: dict[str, Any] = json.loads(result.stdout)
    return values


def test_embedded_default() -> None:
    values = settings_of("DATABASES", "Q_CLUSTER", "DEBUG", "CACHES", "FIELD_ENCRYPTION_KEYS")
    database = values["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert database["OPTIONS"]["timeout"] == 20
    assert database["ATOMIC_REQUESTS"] is False
    assert values["DEBUG"] is False
    assert values["FIELD_ENCRYPTION_KEYS"] == []
    assert values["Q_CLUSTER"]["orm"] == "default"
    assert values["Q_CLUSTER"]["workers"] == 1
    assert values["Q_CLUSTER"]["catch_up"] is False
    assert values["Q_CLUSTER"]["timeout"] < values["Q_CLUSTER"]["retry"]
    assert values["CACHES"]["default"]["BACKEND"].endswith("LocMemCache")


def test_production_differs_by_environment_only() -> None:
    names = (
        "DATABASES",
        "Q_CLUSTER",
        "CACHES",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
    )
    values = settings_of(
        *names,
        **SAFE,
        DATABASE_URL="postgres://app:pw@db:5432/returns",
        REDIS_URL="redis://redis:6379/0",
        Q_WORKERS="4",
    )
    assert values["DATABASES"]["default"]["ENGINE"] == "django.db.backends.postgresql"
    assert values["DATABASES"]["default"]["CONN_HEALTH_CHECKS"] is True
    assert values["DATABASES"]["default"]["ATOMIC_REQUESTS"] is False
    assert values["Q_CLUSTER"]["redis"] == "redis://redis:6379/0"
    assert "orm" not in values["Q_CLUSTER"]
    assert values["Q_CLUSTER"]["workers"] == 4
    assert values["CACHES"]["default"]["BACKEND"].endswith("RedisCache")
    assert values["ALLOWED_HOSTS"] == ["returns.example.com", "localhost", "127.0.0.1"]
    assert values["CSRF_TRUSTED_ORIGINS"] == ["https://returns.example.com"]
    assert values["SESSION_COOKIE_SECURE"] is values["CSRF_COOKIE_SECURE"] is values["SECURE_SSL_REDIRECT"] is True
    assert values["SECURE_HSTS_SECONDS"] == 31_536_000


def test_several_encryption_keys_keep_their_order() -> None:
    keys = settings_of("FIELD_ENCRYPTION_KEYS", FIELD_ENCRYPTION_KEYS="new,old")
    assert keys == {"FIELD_ENCRYPTION_KEYS": ["new", "old"]}


def test_debug_derives_a_key_from_the_secret_key() -> None:
    one = settings_of("FIELD_ENCRYPTION_KEYS", DEBUG="true", SECRET_KEY="a" * 50)
    two = settings_of("FIELD_ENCRYPTION_KEYS", DEBUG="true", SECRET_KEY="b" * 50)
    assert len(one["FIELD_ENCRYPTION_KEYS"]) == 1
    assert one != two


def test_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("TIME_ZONE=Europe/Madrid\nLOG_LEVEL=ERROR\n", encoding="utf-8")
    values = settings_of("TIME_ZONE", "LOG_LEVEL", ENV_FILE=str(file), LOG_LEVEL="DEBUG")
    assert values == {"TIME_ZONE": "Europe/Madrid", "LOG_LEVEL": "DEBUG"}


def test_openid_connect_is_configured_by_variables() -> None:
    names = ("SOCIALACCOUNT_PROVIDERS", "CONTENT_SECURITY_POLICY")
    without = settings_of(*names)
    assert without["SOCIALACCOUNT_PROVIDERS"] == {}
    assert without["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"] == ["'self'"]
    server = "https://login.example.com/realms/staff"
    given = settings_of(*names, OIDC_SERVER_URL=server, OIDC_CLIENT_ID="app", OIDC_CLIENT_SECRET="secret")
    (app,) = given["SOCIALACCOUNT_PROVIDERS"]["openid_connect"]["APPS"]
    assert (app["client_id"], app["settings"]) == ("app", {"server_url": server})
    assert given["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"] == ["'self'", "https://login.example.com"]


def test_unfold_stands_before_what_it_restyles() -> None:
    apps = running.INSTALLED_APPS
    assert apps.index("unfold") < apps.index("django.contrib.admin")
    assert apps.index("unfold.contrib.import_export") < apps.index("import_export")


def test_an_unsafe_installation_does_not_boot() -> None:
    for arguments in (["manage.py", "migrate", "--plan"], ["-c", "import returnsops.wsgi"]):
        result = python(*arguments, DATABASE_URL="sqlite://:memory:")
        assert result.returncode != 0
        assert "SECRET_KEY is not set" in result.stderr
        assert "FIELD_ENCRYPTION_KEYS is not set" in result.stderr


def test_the_web_application_writes_nothing_to_stdout() -> None:
    """`manage.py demo --once` loads it, and its stdout is one JSON document."""
    result = python("-c", "import returnsops.wsgi", **SAFE, DATABASE_URL="sqlite://:memory:")
    assert (result.returncode, result.stdout) == (0, "")
    assert "System check identified no issues" in result.stderr


def test_a_production_environment_passes_the_deployment_checks() -> None:
    result = python(
        "manage.py",
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        **SAFE,
        DATABASE_URL="postgres://app:pw@127.0.0.1/app",
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.django_db
def test_sqlite_connections_carry_the_pragmas() -> None:
    if connection.vendor != "sqlite":
        assert connection.settings_dict["CONN_HEALTH_CHECKS"] is True
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (2,)  # FULL
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (20_000,)
        cursor.execute("PRAGMA foreign_keys")
        assert cursor.fetchone() == (1,)


def test_a_sqlite_file_is_in_wal_mode(tmp_path: Path) -> None:
    result = python("-c", JOURNAL_MODE, **SAFE, DATABASE_URL=f"sqlite:///{tmp_path}/x.sqlite3")
    assert result.stdout == "wal\n"
