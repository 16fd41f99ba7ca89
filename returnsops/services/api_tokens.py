"""Callers of our API: made, recognised, revoked. The secret leaves this module once, when it is made."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction

from returnsops.models import ApiToken, Route
from returnsops.models.api import SCOPES

from . import audit

PREFIX: Final = "rops_"  # so that scanners for leaked secrets know one when they see it
MIN_LENGTH: Final = 32
NOTE_USE_EVERY: Final = timedelta(minutes=1)


class TokenError(Exception):
    """A token that cannot be made or revoked; the text says why and never holds a secret."""


@transaction.atomic
def create_token(
    *, name: str, scopes: Sequence[str], routes: Iterable[Route], by: str, at: datetime, secret: str = ""
) -> tuple[ApiToken, str]:
    """Make a caller; returns its row and its secret, which is kept nowhere. ``secret``: one made elsewhere.

    Raises TokenError for a name in use, an unknown scope, or a secret that is too short or in use.
    """
    _check(name, scopes)
    secret = secret or PREFIX + secrets.token_urlsafe(32)
    if len(secret) < MIN_LENGTH or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise TokenError(f"The secret must be {MIN_LENGTH} or more printable ASCII characters without spaces.")
    if ApiToken.objects.filter(secret_hash=_hash(secret)).exists():
        raise TokenError("Another token has this secret; use a new one.")
    row = ApiToken.objects.create(
        name=name,
        secret_hash=_hash(secret),
        secret_end=secret[-4:],
        scopes=sorted(set(scopes)),
        created_at=at,
        created_by=by,
    )
    row.routes.set(routes)
    named = ", ".join(route.name for route in row.routes.all()) or "all routes"
    text = f"API token {name} made for {', '.join(row.scopes)} on {named}."
    audit.record(act="api_token_made", by=by, at=at, subject=row, text=text)
    return row, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, by: str, at: datetime, why: str = "") -> None:
    """The caller is refused from now on. Raises TokenError where it is revoked already."""
    done = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at, revoked_by=by)
    if not done:
        raise TokenError(f"API token {token.name} is revoked already.")
    audit.record(act="api_token_revoked", by=by, at=at, subject=token, text=f"API token {token.name} revoked.", why=why)


def token_of(*, secret: str, at: datetime) -> ApiToken | None:
    """The live caller with this secret, None where there is none.

    Found by its hash, so that no comparison tells how much of a guess was right; compared once more in constant time.
    """
    wanted = _hash(secret)
    row = ApiToken.objects.prefetch_related("routes").filter(secret_hash=wanted, revoked_at__isnull=True).first()
    if row is None or not hmac.compare_digest(row.secret_hash, wanted):
        return None
    if row.last_used_at is None or at - row.last_used_at >= NOTE_USE_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=at)
    return row


def _check(name: str, scopes: Sequence[str]) -> None:
    try:
        validate_slug(name)
    except ValidationError:
        raise TokenError("The name may hold letters, digits, hyphens and underscores only.") from None
    if ApiToken.objects.filter(name=name).exists():
        raise TokenError(f"There is a token named {name!r} already; history keeps its name, so choose another.")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise TokenError(f"Choose one or more of the scopes {', '.join(SCOPES)}.")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
