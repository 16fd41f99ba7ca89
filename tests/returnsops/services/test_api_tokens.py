"""Callers: their secrets are kept as hashes, told once, recognised, and refused once revoked."""

import hashlib
from datetime import timedelta

import pytest

from returnsops.models import ApiToken, HistoryEntry
from returnsops.services.api_tokens import TokenError, create_token, revoke_token, token_of
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = make.NOW


def made(name: str = "wms", secret: str = "", **given: object) -> tuple[ApiToken, str]:
    fields: dict[str, object] = {"scopes": ["inspections"], "routes": [], "by": "olivia", "at": NOW, **given}
    return create_token(name=name, secret=secret, **fields)  # type: ignore[arg-type]


def test_only_the_hash_of_the_secret_is_kept() -> None:
    route = make.RouteFactory(name="eu")
    token, secret = made(routes=[route])
    row = ApiToken.objects.get()
    assert secret.startswith("rops_")
    assert len(secret) == 48
    assert row.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert row.secret_end == secret[-4:]
    (entry,) = HistoryEntry.objects.all()
    assert (entry.act, entry.by, entry.text) == (
        "api_token_made",
        "olivia",
        "API token wms made for inspections on eu.",
    )
    assert secret not in str(vars(row)) + str(vars(entry))
    assert token.may_use(route)
    assert not token.may_use(make.RouteFactory())
    assert not token.may_use(None)


def test_a_token_without_routes_may_use_all() -> None:
    token, _ = made()
    assert token.may_use(make.RouteFactory())
    assert token.may_use(None)


def test_a_caller_is_recognised_and_its_use_noted_at_most_once_a_minute() -> None:
    token, secret = made()
    at = NOW + timedelta(hours=1)
    found = token_of(secret=secret, at=at)
    assert found == token
    token_of(secret=secret, at=at + timedelta(seconds=59))
    token.refresh_from_db()
    assert token.last_used_at == at
    token_of(secret=secret, at=at + timedelta(seconds=60))
    token.refresh_from_db()
    assert token.last_used_at == at + timedelta(seconds=60)
    assert token_of(secret=secret + "x", at=at) is None
    assert token_of(secret="", at=at) is None


def test_a_revoked_token_is_refused_for_ever() -> None:
    token, secret = made()
    revoke_token(token=token, by="olivia", at=NOW, why="leaked")
    assert token_of(secret=secret, at=NOW) is None
    with pytest.raises(TokenError, match="revoked already"):
        revoke_token(token=token, by="olivia", at=NOW)
    with pytest.raises(TokenError, match="named 'wms' already"):
        made()
    entry = HistoryEntry.objects.get(act="api_token_revoked")
    assert (entry.by, entry.why) == ("olivia", "leaked")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"name": "two words"}, "letters, digits"),
        ({"scopes": ["everything"]}, "scopes eligibility, inspections"),
        ({"scopes": []}, "scopes eligibility, inspections"),
        ({"secret": "short"}, "32 or more"),
        ({"secret": "é" * 40}, "32 or more"),
        ({"secret": "a" * 31 + " b"}, "32 or more"),
    ],
)
def test_what_cannot_be_a_token_says_why(given: dict[str, object], text: str) -> None:
    with pytest.raises(TokenError, match=text):
        made(**given)  # type: ignore[arg-type]
    assert not ApiToken.objects.exists()


def test_two_callers_never_share_a_secret() -> None:
    made("one", secret="s" * 40)
    with pytest.raises(TokenError, match="Another token has this secret"):
        made("two", secret="s" * 40)
