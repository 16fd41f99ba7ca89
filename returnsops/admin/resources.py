"""What is imported and exported: reasons and their mappings, by names people know, never by our row numbers."""

from typing import Any

from django.utils import timezone
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import ForeignKeyWidget

from returnsops.models import Connection, ReasonCode, ReasonMapping
from returnsops.services import reasons


class NotedResource(ModelResource):  # type: ignore[misc]
    """Notes each imported row in the history and lets open returns see it, but not in the dry run."""

    def __init__(self, by: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by

    def after_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Called for every row that was saved; the dry run's rows are rolled back with their history."""
        if not kwargs.get("dry_run", False):
            reasons.note_edit(row=instance, is_new=False, changed=["import"], by=self.by, at=timezone.now())
            reasons.apply_edit(row=instance)


class ReasonCodeResource(NotedResource):
    """Code, title, active."""

    class Meta:
        model = ReasonCode
        import_id_fields = ("code",)
        fields = ("code", "title", "is_active")
        skip_unchanged = True
        clean_model_instances = True


class ReasonMappingResource(NotedResource):
    """Connection by name, foreign code, our code."""

    connection = Field(attribute="connection", column_name="connection", widget=ForeignKeyWidget(Connection, "name"))
    reason = Field(attribute="reason", column_name="reason", widget=ForeignKeyWidget(ReasonCode, "code"))

    class Meta:
        model = ReasonMapping
        import_id_fields = ("connection", "source_code")
        fields = ("connection", "source_code", "reason")
        skip_unchanged = True
        clean_model_instances = True
