"""What warehouse systems told, call by call and row by row."""

from django.contrib import admin

from returnsops.models import InspectionReport

from .base import ReadOnlyAdmin


@admin.register(InspectionReport)
class InspectionReportAdmin(ReadOnlyAdmin):
    """Read only: a verdict that was wrong is taken back on the return's page, or corrected by the caller."""

    list_display = ("received_at", "rma", "text", "warehouse", "origin", "key", "repeat_count")
    list_display_links = ("received_at",)
    list_select_related = ("rma",)
    search_fields = ("key", "origin", "rma__number", "rma__external_id")
    search_help_text = "Key, caller or return number"
    fields = (
        "received_at", "received_by", "origin", "key", "rma", "warehouse", "text", "answer", "repeat_count",
    )  # fmt: skip
    change_form_template = "returnsops/record.html"
