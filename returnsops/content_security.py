"""The one relaxation of the content security policy: the admin's own scripts need eval and inline style (ux.md, traps).

A view inside the admin's URL space that needs neither, such as the scan page, is wrapped in `strict`.
"""

from collections.abc import Callable

from csp.decorators import csp
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

ADMIN_RELAXATION = {"script-src": ["'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}

strict = csp(settings.CONTENT_SECURITY_POLICY["DIRECTIVES"])


def relax_admin(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: allow 'unsafe-eval' scripts and inline style below the admin's path, never inline scripts."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.path_info.startswith(reverse("admin:index")) and not hasattr(response, "_csp_config"):
            response._csp_update = ADMIN_RELAXATION  # type: ignore[attr-defined]
        return response

    return middleware
