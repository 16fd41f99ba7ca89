"""What saving a row would write, for saving only what changed."""

from typing import Any

from django.db.models import Model


def values_of(row: Model) -> dict[str, Any]:
    """Every column by name as the row holds it now: most passes change nothing, and writing nothing says so best."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
