"""The vendors and the pumps."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    """Django's entry for the connectors."""

    name = "connectors"
    verbose_name = "Connectors"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the case kinds of the pumps, and wake them when something may be sendable or is to be planned."""
        from connectors import case_kinds, metrics, registry, tasks
        from returnsops.api import metrics as scraped
        from returnsops.services import platforms, wakeups

        case_kinds.register_all()
        wakeups.register(pump=tasks.wake_pump_soon, planner=tasks.wake_inbox_soon)
        platforms.register(registry.pays)
        scraped.register(metrics.budget_figures)
        scraped.register(metrics.polling_figures)
        scraped.register(metrics.lane_figures)
