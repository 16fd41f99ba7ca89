"""Signing in, in a real browser: the sign-in page works under the strict content security policy."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_staff_signs_in_and_reaches_the_back_office(page: Page) -> None:
    User.objects.create_superuser("olivia", "olivia@example.com", "a long password 123")
    page.goto("/")
    page.get_by_label("Username or e-mail").fill("olivia")
    page.get_by_label("Password").fill("a long password 123")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url("/admin/")
