"""``setup_schedules``: tell django-q2 what to call regularly. Idempotent."""

from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import transaction
from django_q.models import Schedule

SCHEDULES: Final = (
    ("returnsops sweep", "connectors.tasks.sweep", 1),
    ("returnsops polling", "connectors.tasks.poll_all", 1),
)


class Command(BaseCommand):
    """One row per schedule, whatever was there before."""

    help = "Create or correct the schedules of the background work."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Write the rows."""
        for name, func, minutes in SCHEDULES:
            row, _ = Schedule.objects.update_or_create(
                name=name,
                defaults={"func": func, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1},
            )
            Schedule.objects.filter(name=name).exclude(pk=row.pk).delete()
        self.stdout.write(f"{len(SCHEDULES)} schedules are set.")
