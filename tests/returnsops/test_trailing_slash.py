"""A write to an address whose slash was left out is told so, with DEBUG and without; reading is sent on as ever."""

import pytest
from django.test import Client
from pytest_django import Settings

from returnsops.models import InboundEvent

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_debug", [True, False])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["/webhooks/shop", "/api/v1/inspections", "/accounts/login"])
def test_a_write_without_the_slash_is_refused_in_words(
    settings: Settings, is_debug: bool, method: str, path: str
) -> None:
    settings.DEBUG = is_debug
    answer = getattr(Client(), method)(f"{path}?a=1", b"{}", content_type="application/json")
    assert answer.status_code == 404
    error = f"Nothing was taken: this address ends in a slash. Send it to {path}/ instead."
    assert answer.json() == {"error": error, "code": "slash_missing"}
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("is_debug", [True, False])
def test_reading_is_sent_on_and_what_does_not_exist_is_not_found(settings: Settings, is_debug: bool) -> None:
    settings.DEBUG = is_debug
    answer = Client().get("/accounts/login")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/accounts/login/")
    for path in ("/nothing", "/nothing/"):
        answer = Client().post(path)
        assert answer.status_code == 404
        assert "slash" not in answer.headers["Content-Type"]
        assert b"Nothing was taken" not in answer.content
