"""Operations make a token and see its secret once."""

import re

import pytest

from returnsops.models import ApiToken
from returnsops.services.api_tokens import token_of
from tests import factories as make
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db
ADD = "/admin/returnsops/apitoken/add/"


def test_the_secret_is_shown_once_and_never_again(sign_in: SignIn) -> None:
    client = sign_in("OPS")
    route = make.RouteFactory(name="eu")
    answer = client.post(ADD, {"name": "wms", "scopes": ["inspections"], "routes": [route.pk]})
    (secret,) = re.findall(r"rops_[\w-]{43}", answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    token = token_of(secret=secret, at=make.NOW)
    assert token is not None
    assert (token.created_by, token.scopes) == ("ops", ["inspections"])
    for url in ("/admin/returnsops/apitoken/", f"/admin/returnsops/apitoken/{token.pk}/change/"):
        page = client.get(url)
        assert page.status_code == 200
        assert secret not in page.content.decode()


def test_what_is_wrong_stands_on_the_form(sign_in: SignIn) -> None:
    client = sign_in("OPS")
    make.ApiTokenFactory(name="wms")
    assert (
        "named &#x27;wms&#x27; already" in client.post(ADD, {"name": "wms", "scopes": ["inspections"]}).content.decode()
    )
    assert "Choose one." in client.post(ADD, {"name": "other"}).content.decode()
    assert ApiToken.objects.count() == 1


def test_revoking_wants_a_reason_and_is_final(sign_in: SignIn) -> None:
    client = sign_in("OPS")
    token = make.ApiTokenFactory(name="wms")
    url = f"/admin/returnsops/apitoken/{token.pk}/act/revoke/"
    client.post(url, {"why": ""})
    token.refresh_from_db()
    assert token.revoked_at is None
    client.post(url, {"why": "leaked"})
    token.refresh_from_db()
    assert (token.revoked_by, token_of(secret="secret-of-wms", at=make.NOW)) == ("ops", None)
    assert b"Revoke this token" not in client.get(f"/admin/returnsops/apitoken/{token.pk}/change/").content


@pytest.mark.parametrize("team", ["CX", "FIN", "WH", "MER"])
def test_no_other_team_makes_one(team: str, sign_in: SignIn) -> None:
    assert sign_in(team).post(ADD, {"name": "wms", "scopes": ["inspections"]}).status_code == 403
    assert not ApiToken.objects.exists()
