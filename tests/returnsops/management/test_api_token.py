"""API tokens from the command line."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from returnsops.models import ApiToken
from returnsops.services.api_tokens import token_of
from tests import factories as make

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("api_token", *arguments, stdout=out)
    return out.getvalue()


def test_a_new_secret_is_printed_once() -> None:
    make.RouteFactory(name="eu")
    secret = said("create", "wms", "--scope", "inspections", "--route", "eu").splitlines()[-1]
    token = token_of(secret=secret, at=make.NOW)
    assert token is not None
    assert [route.name for route in token.routes.all()] == ["eu"]
    assert said("list").startswith("wms: live; inspections on eu; ")
    assert secret not in said("list")
    assert "revoked" in said("revoke", "wms", "--reason", "moved")
    assert token_of(secret=secret, at=make.NOW) is None


def test_a_secret_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WMS_TOKEN", "w" * 40)
    said_then = said("create", "wms", "--scope", "inspections", "--scope", "eligibility", "--secret", "env:WMS_TOKEN")
    assert "w" * 40 not in said_then
    assert token_of(secret="w" * 40, at=make.NOW) == ApiToken.objects.get()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("create", "wms", "--scope", "inspections", "--secret", "s" * 40), "never on the command line"),
        (("create", "wms", "--scope", "inspections", "--secret", "env:NOT_SET_HERE"), "NOT_SET_HERE is not set"),
        (("create", "wms", "--scope", "inspections", "--route", "uk"), "no route 'uk'; known are none"),
        (("create", "two words", "--scope", "inspections"), "letters, digits"),
        (("revoke", "nobody"), "no API token 'nobody'"),
    ],
)
def test_what_does_not_work_says_why(arguments: tuple[str, ...], text: str) -> None:
    with pytest.raises(CommandError, match=text):
        said(*arguments)
    assert not ApiToken.objects.exists()
