"""Lists people keep: reasons, what foreign codes mean, places of goods. Every edit is in the history."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from import_export.admin import ImportExportModelAdmin
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from returnsops.models import DispositionMapping, Location, ReasonCode, ReasonMapping
from returnsops.services import reasons

from .base import ModelAdmin
from .resources import ReasonCodeResource, ReasonMappingResource


class ListAdmin(ModelAdmin):  # type: ignore[misc]
    """A list edited in forms; nothing is ever removed from it."""

    list_per_page = 25
    show_full_result_count = False
    compressed_fields = True

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows are switched off or pointed elsewhere; history needs them."""
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: "ModelForm[Any]", change: bool) -> None:
        """Save, note who changed what, and let open returns see it."""
        super().save_model(request, obj, form, change)
        by = cast(User, request.user).get_username()
        reasons.note_edit(row=obj, is_new=not change, changed=form.changed_data, by=by, at=timezone.now())
        reasons.apply_edit(row=obj)


class ImportedListAdmin(ListAdmin, ImportExportModelAdmin):  # type: ignore[misc]
    """A list that is also imported, with a dry run and its errors row by row."""

    import_form_class = ImportForm
    export_form_class = ExportForm

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Who may add and change."""
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Who may see."""
        return bool(self.has_view_permission(request))

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        """The resource notes who imported."""
        return {"by": cast(User, request.user).get_username()}


@admin.register(ReasonCode)
class ReasonCodeAdmin(ImportedListAdmin):
    """The approved reasons (S3-17)."""

    resource_classes = (ReasonCodeResource,)
    list_display = ("code", "title", "is_active")
    list_filter = ("is_active",)
    search_fields = ("code", "title")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """A code never changes once it exists."""
        return ("code",) if obj else ()


@admin.register(ReasonMapping)
class ReasonMappingAdmin(ImportedListAdmin):
    """What a platform's reason code means."""

    resource_classes = (ReasonMappingResource,)
    list_display = ("source_code", "connection", "reason")
    list_filter = (("connection", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("connection", "reason")
    search_fields = ("source_code", "reason__code", "reason__title")


@admin.register(Location)
class LocationAdmin(ListAdmin):
    """Where stock lies."""

    list_display = ("code", "title", "kind", "connection")
    list_filter = ("kind",)
    list_select_related = ("connection",)
    search_fields = ("code", "title")


@admin.register(DispositionMapping)
class DispositionMappingAdmin(ListAdmin):
    """Where units of one disposition go."""

    list_display = ("disposition", "route", "channel", "location")
    list_filter = (("route", admin.RelatedOnlyFieldListFilter), "disposition")
    list_select_related = ("route", "location")
