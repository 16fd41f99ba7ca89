"""Rows the pumps and polling keep per connection: who pumps, what may be called, how far polling came."""

from django.db import models
from django.db.models import Q

from returnsops.models import Connection


class PumpLease(models.Model):
    """At most one pump works on a connection: whoever wrote ``holder`` last, until ``lease_until_at``."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="pump_lease")
    holder = models.CharField(max_length=36, blank=True)
    lease_until_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="pump_holder_has_lease",
                condition=Q(holder="", lease_until_at__isnull=True) | (~Q(holder="") & Q(lease_until_at__isnull=False)),
            )
        ]

    def __str__(self) -> str:
        return f"pump of {self.connection_id}"


class ConnectionBudget(models.Model):
    """Pace and health of one connection, changed by compare-and-set on ``version`` only.

    ``next_slot_at`` is when the next call would be due at an even pace: calls may run ahead of it by the burst and
    no further, which is a token bucket in one column. ``blocked_until_at`` is what the vendor asked for (429).
    ``open_until_at`` is set while the breaker is open; one call is let through as a probe when it has passed.
    ``points_*`` are of vendors that count points (points.py): what was certainly left at ``points_at`` beside what
    calls under way asked for, how many come back each second, how many fit.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="budget")
    version = models.PositiveBigIntegerField(default=0)
    next_slot_at = models.DateTimeField(null=True, blank=True)
    blocked_until_at = models.DateTimeField(null=True, blank=True)
    call_count = models.PositiveBigIntegerField(default=0)
    throttled_count = models.PositiveBigIntegerField(default=0)
    failure_count = models.PositiveIntegerField(default=0)  # transport failures in a row
    opened_count = models.PositiveIntegerField(default=0)  # openings in a row, for the growing pause
    open_until_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure_text = models.CharField(max_length=500, blank=True)
    points_left = models.FloatField(null=True, blank=True)
    points_under_way = models.FloatField(default=0.0)
    points_per_s = models.FloatField(null=True, blank=True)
    points_most = models.FloatField(null=True, blank=True)
    points_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"budget of {self.connection_id}"


class SyncCursor(models.Model):
    """How far polling of one stream of a connection came; stored only after the items of the page are."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="cursors")
    stream = models.CharField(max_length=63, default="main")
    cursor = models.TextField(blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)  # when the last round ended
    next_poll_at = models.DateTimeField(null=True, blank=True)
    failure_count = models.PositiveIntegerField(default=0)
    error_text = models.CharField(max_length=500, blank=True)
    claim_token = models.CharField(max_length=36, blank=True)
    claimed_until_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "stream"], name="one_cursor_per_stream")]

    def __str__(self) -> str:
        return f"{self.stream} of {self.connection_id}"


class WakeUp(models.Model):
    """A hint under way: asked for and not begun yet. One at a time per task keeps the queue short under load."""

    name = models.CharField(max_length=120, unique=True)
    asked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
