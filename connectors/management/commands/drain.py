"""``drain``: work until nothing more can move now, and say what is where."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Count

from connectors import inbox, pump, reads
from connectors.jobs import Runtime
from connectors.registry import utc_now
from returnsops.models import Connection, Effect, InboundEvent
from returnsops.services.replan import replan_due


class Command(BaseCommand):
    """Inbox, planning and effects, until nothing is due; exit 1 where the time did not suffice."""

    help = "Process the inbox, plan and deliver until nothing more can move now; print JSON counts by state."

    def add_arguments(self, parser: CommandParser) -> None:
        """--timeout."""
        parser.add_argument("--timeout", type=float, default=300.0, metavar="S", help="seconds at most (300)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Drain and print."""
        is_empty = drain(timeout_s=options["timeout"])
        self.stdout.write(json.dumps({"drained": is_empty, **counts()}, indent=2, sort_keys=True))
        if not is_empty:
            raise SystemExit(1)


def drain(*, timeout_s: float) -> bool:
    """Work until nothing moves; False where the time ran out first."""
    ends = time.monotonic() + timeout_s
    while time.monotonic() < ends:
        if not one_round():
            return True
    return False


def one_round() -> int:
    """Everything that is due now, once; returns how much moved."""
    at = utc_now()
    moved = inbox.process_due(at=at) + reads.read_wanted_orders(at=at) + replan_due(at=at)
    for connection_id in list(Connection.objects.order_by("pk").values_list("pk", flat=True)):
        result = pump.run(connection_id=connection_id, runtime=Runtime(), is_threaded=False)
        moved += result.worked + result.recovered
    return moved


def counts() -> dict[str, dict[str, int]]:
    """How many effects and events are in which state."""
    effects = Effect.objects.order_by().values_list("state").annotate(count=Count("pk"))
    events = InboundEvent.objects.order_by().values_list("state").annotate(count=Count("pk"))
    return {"effects": dict(effects), "events": dict(events)}
