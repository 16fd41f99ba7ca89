"""The comparison with the shops."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    """Django's entry for reconciliation."""

    name = "reconciliation"
    verbose_name = "Checks"
    default_auto_field = "django.db.models.BigAutoField"
    # Name, function and minutes between: set by the command setup_schedules, which knows nothing of this app.
    schedules = (
        ("returnsops reconciliation", "reconciliation.tasks.reconcile_recent", 60),
        ("returnsops books", "reconciliation.tasks.keep_books", 15),
    )

    def ready(self) -> None:
        """Register the case kinds of differences."""
        from reconciliation import book_case_kinds, case_kinds

        case_kinds.register_all()
        book_case_kinds.register_all()
