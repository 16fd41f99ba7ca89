"""URL map of the project."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from returnsops.admin import site, stopping
from returnsops.api import health, metrics
from returnsops.api.inspections import InspectionsView

# allauth throttles, asks for the second factor and then comes back here.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


def icon(request: HttpRequest) -> HttpResponseRedirect:
    """Browsers ask for /favicon.ico on pages that name no icon; the path of the file is known once apps are ready."""
    return HttpResponseRedirect(static("returnsops/icon.svg"))


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("connectors.urls")),
    path("api/v1/inspections/", InspectionsView.as_view(), name="inspections"),
    path(
        "api/schema/",
        SpectacularAPIView.as_view(authentication_classes=(), permission_classes=()),  # it tells nothing of the data
        name="schema",
    ),
    path("accounts/", include("allauth.urls")),
    path("admin/find/", admin.site.admin_view(site.find_view), name="find"),
    path("admin/stop/", admin.site.admin_view(stopping.stop_view), name="stop"),
    path("admin/", admin.site.urls),
    path("favicon.ico", icon),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
]
