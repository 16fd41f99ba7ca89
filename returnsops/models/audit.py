"""Who did what, when and why: append-only."""

from typing import Any

from django.db import models


class HistoryEntry(models.Model):
    """One act. Written inside the transaction of the act; never changed or deleted."""

    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    act = models.CharField(max_length=60)
    why = models.CharField(max_length=500, blank=True)
    subject_type = models.CharField(max_length=30)
    subject_id = models.CharField(max_length=64)
    rma = models.ForeignKey(
        "ReturnAuthorisation", on_delete=models.PROTECT, null=True, blank=True, related_name="history"
    )
    text = models.CharField(max_length=500)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="history_subject")]

    def __str__(self) -> str:
        return self.text

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only."""
        if self.pk is not None:
            raise TypeError("History is append-only: an entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise TypeError("History is append-only: an entry is never deleted.")
