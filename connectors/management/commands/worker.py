"""``manage.py worker``: django-q2's cluster, with all that its processes share loaded before they are forked."""

import gc
from typing import Any

from django.core.management import BaseCommand, call_command

from connectors.registry import CONNECTORS, connector_for


class Command(BaseCommand):
    """Sending, reading and planning in the background; django-q2's ``qcluster`` does the same with more memory."""

    help = "Run the background work: messages, plans, calls to the vendors, schedules. Ctrl-C ends it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load every vendor, then start the cluster; the processes it forks share what is there by then."""
        for vendor in CONNECTORS:
            connector_for(vendor)
        # A collection writes into every object it visits, and what is written to is shared no more. These stay anyway.
        gc.collect()
        gc.freeze()
        call_command("qcluster")
