"""System checks: an installation that would be unsafe does not start, and says which setting to change.

Each check is a plain function that Django calls; importing this module (in apps.py) registers them.
Errors stop every management command, and the web server through wsgi.py; warnings are printed.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from exceptions_queue.configuration import alert_settings, calendar_of, weights

Apps = Sequence[AppConfig] | None

SECRET_KEY_LENGTH_AT_LEAST = 32


def is_loopback(host: str) -> bool:
    """Say whether `host` (name or address, IPv6 with or without brackets) can only be this machine."""
    bare = host.strip("[]").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


@register(Tags.security)
def secret_key_is_set(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E001: without DEBUG, sessions must not be signed with the key everyone can read in the source, or a short one."""
    if settings.DEBUG:
        return []
    if settings.SECRET_KEY != settings.DEFAULT_SIGNING_KEY and len(settings.SECRET_KEY) >= SECRET_KEY_LENGTH_AT_LEAST:
        return []
    return [
        Error(
            f"SECRET_KEY is not set, or is shorter than {SECRET_KEY_LENGTH_AT_LEAST} characters.",
            hint="Put a long random SECRET_KEY into the environment or .env: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="returnsops.E001",
        ),
    ]


@register(Tags.security)
def encryption_keys_are_set(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E002: secrets of connections are encrypted at rest, which needs at least one valid Fernet key."""
    hint = (
        "Put FIELD_ENCRYPTION_KEYS into the environment or .env (newest first, separated by commas): "
        "python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
    )
    keys = settings.FIELD_ENCRYPTION_KEYS
    if not keys:
        return [Error("FIELD_ENCRYPTION_KEYS is not set.", hint=hint, id="returnsops.E002")]
    bad = [str(number) for number, key in enumerate(keys, start=1) if not _is_fernet_key(key)]
    if not bad:
        return []
    return [
        Error(
            f"FIELD_ENCRYPTION_KEYS: key number {', '.join(bad)} is not 32 bytes in URL-safe base64.",
            hint=hint,
            id="returnsops.E002",
        ),
    ]


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


@register(Tags.security)
def debug_stays_on_loopback(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E003: DEBUG prints settings in error pages and knows the demo passwords, so it may serve this machine only."""
    foreign = [host for host in settings.ALLOWED_HOSTS if not is_loopback(host)]
    if not settings.DEBUG or not foreign:
        return []
    return [
        Error(
            f"DEBUG is on while ALLOWED_HOSTS admits {', '.join(foreign)}.",
            hint="Set DEBUG=false, or let ALLOWED_HOSTS and PUBLIC_URL name loopback addresses only.",
            id="returnsops.E003",
        ),
    ]


@register(Tags.security)
def public_url_is_encrypted(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E004: beyond this machine, passwords and customer data travel over https only."""
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme == "https" and public.hostname:
        return []
    if public.scheme == "http" and is_loopback(public.hostname or ""):
        return []
    return [
        Error(
            f"PUBLIC_URL is {settings.PUBLIC_URL!r}, which is not an https address.",
            hint="Set PUBLIC_URL to the https address at which people and vendors reach this installation.",
            id="returnsops.E004",
        ),
    ]


@register(Tags.security)
def redirect_to_https_can_end(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """W002: our web server speaks plain http; unless a proxy's header says "https", the redirect leads to itself."""
    if not settings.SECURE_SSL_REDIRECT or settings.SECURE_PROXY_SSL_HEADER:
        return []
    return [
        Warning(
            "Requests are redirected to https, and no proxy is believed to have ended TLS: the redirect never ends.",
            hint="Set BEHIND_TLS_PROXY=true where a proxy sets X-Forwarded-Proto, else SECURE_SSL_REDIRECT=false.",
            id="returnsops.W002",
        ),
    ]


@register()
def task_lock_outlives_the_task(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E005: django-q2 gives a task out a second time when `retry` ends before `timeout` has stopped the first."""
    timeout_s, retry_s = settings.Q_CLUSTER["timeout"], settings.Q_CLUSTER["retry"]
    if 0 < timeout_s < retry_s:
        return []
    return [
        Error(
            f"Q_TIMEOUT_S ({timeout_s}) must be above 0 and below Q_RETRY_S ({retry_s}).",
            hint="Leave both unset for 60 and 150 seconds.",
            id="returnsops.E005",
        ),
    ]


@register(Tags.database)
def requests_are_not_transactions(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E006: a request or task must never be one transaction, because calls to vendors happen between transactions."""
    if not settings.DATABASES["default"].get("ATOMIC_REQUESTS"):
        return []
    return [
        Error(
            "ATOMIC_REQUESTS is on.",
            hint="Take ATOMIC_REQUESTS out of the database settings.",
            id="returnsops.E006",
        ),
    ]


@register()
def cases_are_configured(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E007: what is urgent, when teams work and who is told; a slip there would show when a case is due to open."""
    try:
        alert_settings()
        weights()
        for team in ("default", *settings.EXCEPTIONS_QUEUE_CALENDARS):
            calendar_of(team)
    except (AttributeError, ValueError) as error:
        names = "CASE_PRIORITY, CASE_CALENDARS and CASE_ALERTS are EXCEPTIONS_QUEUE_… here."
        return [Error(str(error), hint=f"{names} See docs/configuration.md.", id="returnsops.E007")]
    return []


@register(deploy=True)
def production_has_a_server_database(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """W001 (check --deploy): SQLite is right for one machine; several web or worker processes want PostgreSQL."""
    if "sqlite" not in settings.DATABASES["default"]["ENGINE"]:
        return []
    return [
        Warning(
            "The database is SQLite.",
            hint="Set DATABASE_URL to a PostgreSQL database once there is more than one machine, or a backup plan.",
            id="returnsops.W001",
        ),
    ]
