"""The base of our screens: lists and pages that read, and acts that go through services.

django-unfold's own row and detail actions change data by GET and need no permission; none is used here. An act is a
link to a form (``acts.py``). A bulk action goes through a page that shows count and money (``bulk.py``).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets, SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin
from unfold.decorators import display

from returnsops.selectors.watch import View

from .acts import Act, act_page, offers

__all__ = ["ModelAdmin", "ReadOnlyAdmin", "SavedViews", "display"]


def never(model_admin: Any, request: HttpRequest, obj: Model | None = None) -> bool:
    """A permission nobody has: rows of the ledger are written by services only."""
    return False


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """A screen nobody adds, edits or removes anything on; what people may do are its ``acts``."""

    acts: ClassVar[Sequence[Act]] = ()
    list_per_page = 25
    show_facets = ShowFacets.NEVER
    show_full_result_count = False
    list_filter_sheet = False
    list_fullwidth = True
    compressed_fields = True
    actions: ClassVar[Sequence[Any]] = ()

    has_add_permission = has_change_permission = has_delete_permission = never

    @staticmethod
    def page_of(row: Any, request: HttpRequest, /) -> dict[str, Any]:
        """What the page of one row shows; each screen says."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        """The acts beside the usual pages."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        view = self.admin_site.admin_view(partial(act_page, self))
        return [path("<path:object_id>/act/<slug:code>/", view, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one row. A POST to it is refused; acts have addresses of their own."""
        row = self.get_object(request, object_id)
        page: dict[str, Any] = {"subtitle": None, **(extra_context or {})}
        if row is not None and self.has_view_permission(request, row):
            page |= {"offered": offers(self.acts, row, request.user), **self.page_of(row, request)}
        response: HttpResponse = super().change_view(request, object_id, form_url, page)
        return response


class SavedViews(SimpleListFilter):
    """Saved views as tabs above the list; templates/returnsops/tabs.html shows them."""

    title = "view"
    parameter_name = "view"
    views: ClassVar[Sequence[View]] = ()
    template = "returnsops/no_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Code and title of each view."""
        return [(view.code, view.title) for view in self.views]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen view."""
        return self.rows(self.value() or self.views[0].code, queryset)

    @staticmethod
    def rows(code: str, queryset: QuerySet[Any], /) -> QuerySet[Any]:
        """The rows of one view; each list says how."""
        return queryset
