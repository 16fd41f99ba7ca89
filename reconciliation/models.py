"""Runs of the comparison and what they found."""

from django.db import models
from django.db.models import Q

from returnsops.models import Order, ReturnAuthorisation, Route


class Run(models.Model):
    """One comparison of one check on one route over a window."""

    STATES = [("running", "running"), ("finished", "finished"), ("failed", "failed")]

    check_code = models.CharField(max_length=63)
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="runs")
    trigger = models.CharField(max_length=10)  # schedule, command, person
    since_at = models.DateTimeField()
    until_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=STATES, default="running")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    compared_count = models.PositiveIntegerField(default=0)
    matched_count = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=dict)  # {"GBP": {"here": "10.00", "there": "12.00"}}
    error_text = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="run_end_has_state",
                condition=Q(state="running", ended_at__isnull=True) | (~Q(state="running") & Q(ended_at__isnull=False)),
            )
        ]

    def __str__(self) -> str:
        return f"{self.check_code} of {self.started_at:%Y-%m-%d %H:%M}"


class Finding(models.Model):
    """One difference. Open until a later run no longer finds it; then healed, never deleted."""

    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="findings")
    check_code = models.CharField(max_length=63)
    fingerprint = models.CharField(max_length=250)
    cause = models.CharField(max_length=63)
    text = models.CharField(max_length=500)
    here = models.CharField(max_length=200, blank=True)
    there = models.CharField(max_length=200, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    quantity = models.IntegerField(null=True, blank=True)
    evidence = models.JSONField(default=dict)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, blank=True, related_name="findings")
    rma = models.ForeignKey(
        ReturnAuthorisation, on_delete=models.PROTECT, null=True, blank=True, related_name="findings"
    )
    first_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="new_findings")
    last_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="findings")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    healed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-first_seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=Q(healed_at__isnull=True), name="one_open_finding_per_fingerprint"
            )
        ]

    def __str__(self) -> str:
        return self.text
