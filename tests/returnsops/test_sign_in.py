"""Staff sign in through allauth; nobody makes an account alone."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from returnsops.sign_in import DEMO_MAIL

pytestmark = pytest.mark.django_db
PASSWORD = "a long password 123"


def test_admin_sends_a_stranger_to_the_sign_in_page(client: Client) -> None:
    response = client.get("/admin/login/")
    assert response.status_code == 302
    assert response.headers["Location"] == "/accounts/login/?next=%2Fadmin%2Flogin%2F"


@pytest.mark.parametrize("login", ["olivia", "olivia@example.com"])
def test_staff_signs_in_by_name_or_mail(client: Client, login: str) -> None:
    User.objects.create_superuser("olivia", "olivia@example.com", PASSWORD)
    response = client.post("/accounts/login/", {"login": login, "password": PASSWORD})
    assert response.status_code == 302
    assert response.headers["Location"] == "/admin/"


def test_an_account_without_staff_rights_is_refused(client: Client) -> None:
    client.force_login(User.objects.create_user("carl", password=PASSWORD))
    assert client.get("/admin/login/").status_code == 403


def test_people_of_a_demo_are_let_in_while_debug_is_on_only(client: Client, settings: Settings) -> None:
    """What the demo printed opens nothing where somebody runs its database as a real installation."""
    settings.DEBUG = True
    User.objects.create_user("olivia", f"olivia{DEMO_MAIL}", PASSWORD, is_staff=True)
    printed = {"login": "olivia", "password": PASSWORD}
    assert client.post("/accounts/login/", printed).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200

    settings.DEBUG = False
    assert client.get("/admin/").status_code == 302, "the session of the demo has ended"
    for login in ("olivia", f"olivia{DEMO_MAIL}"):
        answer = client.post("/accounts/login/", printed | {"login": login})
        assert (answer.status_code, b"not correct" in answer.content) == (200, True)
    assert not client.login(username="olivia", password=PASSWORD)


def test_registration_is_closed(client: Client) -> None:
    form = {"username": "eve", "password1": PASSWORD, "password2": PASSWORD, "email": "eve@example.com"}
    client.post("/accounts/signup/", form)
    assert User.objects.count() == 0
    assert b"/accounts/signup/" not in client.get("/accounts/login/").content


def test_the_sixth_wrong_password_is_throttled(client: Client) -> None:
    User.objects.create_superuser("olivia", "olivia@example.com", PASSWORD)
    for _ in range(5):
        assert b"not correct" in client.post("/accounts/login/", {"login": "olivia", "password": "wrong"}).content
    answer = client.post("/accounts/login/", {"login": "olivia", "password": PASSWORD})
    assert b"Too many failed login attempts" in answer.content


def test_a_company_provider_gets_a_button_that_posts(client: Client, settings: Settings) -> None:
    app = {
        "provider_id": "company",
        "name": "Company account",
        "client_id": "app",
        "secret": "secret",
        "settings": {"server_url": "https://login.example.com"},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    page = client.get("/accounts/login/").content.decode()
    assert 'method="post" action="/accounts/oidc/company/login/?process=login"' in page
    assert "Sign in with Company account" in page
