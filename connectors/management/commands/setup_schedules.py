"""``setup_schedules``: tell django-q2 what to call regularly. Idempotent."""

from typing import Any, Final

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction
from django_q.models import Schedule

SCHEDULES: Final = (
    ("returnsops sweep", "connectors.tasks.sweep", 1),
    ("returnsops polling", "connectors.tasks.poll_all", 1),
    ("returnsops cases", "exceptions_queue.tasks.upkeep", 1),
    ("returnsops cases looked at again", "exceptions_queue.tasks.recheck_open", 5),
)


def all_schedules() -> tuple[tuple[str, str, int], ...]:
    """Name, function and minutes between; an app adds its own as ``schedules`` of its AppConfig."""
    added = [row for app in apps.get_app_configs() for row in getattr(app, "schedules", ())]
    return (*SCHEDULES, *added)


class Command(BaseCommand):
    """One row per schedule, whatever was there before."""

    help = "Create or correct the schedules of the background work."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Write the rows."""
        schedules = all_schedules()
        for name, func, minutes in schedules:
            row, _ = Schedule.objects.update_or_create(
                name=name,
                defaults={"func": func, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1},
            )
            Schedule.objects.filter(name=name).exclude(pk=row.pk).delete()
        self.stdout.write(f"{len(schedules)} schedules are set.")
