"""The articles of the shops and what is wrong with their SKUs."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from returnsops.models import CatalogueItem
from returnsops.selectors.watch import View

from .base import ReadOnlyAdmin, SavedViews


class CatalogueViews(SavedViews):
    """Tabs of the list."""

    views = (View(code="wrong", title="Not told by their SKU"), View(code="all", title="All articles"))

    @staticmethod
    def rows(code: str, queryset: QuerySet[Any], /) -> QuerySet[Any]:
        """What is wrong, or all."""
        return queryset if code == "all" else queryset.exclude(problem="")


@admin.register(CatalogueItem)
class CatalogueItemAdmin(ReadOnlyAdmin):
    """What the last reading of the catalogue showed."""

    list_display = ("name", "sku", "problem", "product_external_id", "variation_external_id", "connection", "seen_at")
    list_filter = (CatalogueViews, ("connection", admin.RelatedOnlyFieldListFilter), "problem")
    list_select_related = ("connection",)
    list_before_template = "returnsops/tabs.html"
    search_fields = ("name", "sku", "product_external_id", "variation_external_id")
    search_help_text = "Name, SKU, product or variation id"
