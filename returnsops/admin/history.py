"""Who did what, when and why. Read only, for ever."""

from django.contrib import admin

from returnsops.models import HistoryEntry

from .base import ReadOnlyAdmin


@admin.register(HistoryEntry)
class HistoryAdmin(ReadOnlyAdmin):
    """The whole book; the part of one return is on its page."""

    list_display = ("at", "by", "text", "why", "rma")
    list_display_links = ("at",)
    list_filter = ("act",)
    list_select_related = ("rma",)
    search_fields = ("by", "act", "rma__number", "rma__external_id", "subject_id")
    search_help_text = "Person, act or return number"
    fields = ("at", "by", "act", "text", "why", "subject_type", "subject_id", "rma", "detail")
    change_form_template = "returnsops/record.html"
