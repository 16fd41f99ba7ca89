"""The policy every page carries, and the one relaxation for the admin."""

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from returnsops.content_security import relax_admin, strict


def directives(response: HttpResponseBase) -> dict[str, str]:
    parts = response.headers["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


@pytest.mark.django_db
def test_pages_outside_the_admin_are_strict(client: Client) -> None:
    policy = directives(client.get("/accounts/login/"))
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"


@pytest.mark.django_db
def test_admin_may_evaluate_and_style_but_never_run_inline_scripts(client: Client) -> None:
    client.force_login(User.objects.create_superuser("olivia", password="a long password 123"))
    policy = directives(client.get("/admin/"))
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"


def test_a_view_below_the_admin_can_stay_strict(rf: RequestFactory) -> None:
    @strict
    def scan(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    assert not hasattr(relax_admin(scan)(rf.get("/admin/scan/")), "_csp_update")
    assert hasattr(relax_admin(lambda request: HttpResponse())(rf.get("/admin/scan/")), "_csp_update")
