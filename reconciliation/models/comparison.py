"""Runs of the comparison, what they found, and when each order was compared last."""

from django.db import models
from django.db.models import Q

from exceptions_queue.models import ExceptionCase
from returnsops.models import Effect, Order, ReturnAuthorisation, Route


class Run(models.Model):
    """One comparison of one check on one route over a window."""

    STATES = [("running", "running"), ("finished", "finished"), ("failed", "failed")]
    TRIGGERS = [("schedule", "by schedule"), ("command", "by command"), ("person", "by a person")]

    check_code = models.CharField("check", max_length=63)
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="runs")
    trigger = models.CharField(max_length=10, choices=TRIGGERS)
    started_by = models.CharField(max_length=150)
    since_at = models.DateTimeField()
    until_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=STATES, default="running")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    order_count = models.PositiveIntegerField("orders", default=0)
    matched_count = models.PositiveIntegerField("matched", default=0)
    mismatched_count = models.PositiveIntegerField("mismatched", default=0)
    only_here_count = models.PositiveIntegerField("only here", default=0)
    only_there_count = models.PositiveIntegerField("only in the shop", default=0)
    totals = models.JSONField(default=dict)  # {"GBP": {"here": "10.00", "there": "12.00"}, "units": {…}}
    not_comparable = models.JSONField(default=dict, blank=True)  # why the shop cannot show it: how many
    error_text = models.CharField("error", max_length=500, blank=True)
    # Of an audit only: how far it came while it is not finished, what it set apart and could not compare.
    progress = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["route", "check_code", "started_at"], name="run_of_route_and_check")]
        constraints = [
            models.CheckConstraint(
                name="run_end_has_state",
                condition=Q(state="running", ended_at__isnull=True) | (~Q(state="running") & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(name="failed_run_has_text", condition=~Q(state="failed") | ~Q(error_text="")),
        ]

    def __str__(self) -> str:
        return f"{self.check_code} of {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def difference_count(self) -> int:
        """All differences of this run."""
        return self.mismatched_count + self.only_here_count + self.only_there_count


class Finding(models.Model):
    """One difference. Open until a later run no longer finds it; then healed, never deleted.

    A person may accept an open one with a reason; a change of its content takes the acceptance back.
    """

    SIDES = [("mismatched", "both, differently"), ("only_here", "only here"), ("only_there", "only in the shop")]

    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="findings")
    check_code = models.CharField("check", max_length=63)
    fingerprint = models.CharField(max_length=250)
    cause = models.CharField(max_length=63)
    side = models.CharField(max_length=10, choices=SIDES)
    text = models.CharField(max_length=500)
    suggestion = models.CharField(max_length=300)
    here = models.CharField(max_length=200, blank=True)
    there = models.CharField("in the shop", max_length=200, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    quantity = models.IntegerField(null=True, blank=True)
    evidence = models.JSONField(default=dict)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="findings")
    rma = models.ForeignKey(
        ReturnAuthorisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="findings",
        verbose_name="return",
    )
    effect = models.ForeignKey(Effect, on_delete=models.PROTECT, null=True, blank=True, related_name="findings")
    refund_external_id = models.CharField("refund record", max_length=128, blank=True)
    case = models.ForeignKey(ExceptionCase, on_delete=models.PROTECT, null=True, blank=True, related_name="findings")
    first_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="new_findings")
    last_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="findings")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    accepted_by = models.CharField(max_length=150, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_why = models.CharField(max_length=500, blank=True)
    healed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-first_seen_at", "-id"]
        indexes = [models.Index(fields=["order", "check_code"], name="finding_of_order_and_check")]
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=Q(healed_at__isnull=True), name="one_open_finding_per_fingerprint"
            ),
            models.CheckConstraint(
                name="acceptance_has_who_when_why",
                condition=Q(accepted_at__isnull=True, accepted_by="", accepted_why="")
                | (Q(accepted_at__isnull=False) & ~Q(accepted_by="") & ~Q(accepted_why="")),
            ),
            models.CheckConstraint(
                name="finding_amount_has_currency", condition=Q(amount__isnull=True) | ~Q(currency="")
            ),
        ]

    def __str__(self) -> str:
        return self.text


class OrderLook(models.Model):
    """When an order was compared last, by all checks: the schedule takes what changed since, and the oldest."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="look")
    looked_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.order} compared {self.looked_at:%Y-%m-%d %H:%M}"


class AuditGap(models.Model):
    """One thing that an audit found in the two connected systems. A record of the past, which no later run changes.

    It names orders and returns by their foreign ids: an audit stores neither.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="gaps")
    kind = models.CharField(max_length=31)
    cause = models.CharField(max_length=63)
    text = models.CharField(max_length=500)
    order_external_id = models.CharField(max_length=128, blank=True)
    order_number = models.CharField(max_length=128, blank=True)
    order_url = models.CharField(max_length=500, blank=True)
    return_external_id = models.CharField(max_length=128, blank=True)
    return_number = models.CharField(max_length=128, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    refund_external_id = models.CharField("refund record", max_length=128, blank=True)
    author = models.CharField(max_length=150, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    quantity = models.IntegerField(null=True, blank=True)
    happened_at = models.DateTimeField()
    evidence = models.JSONField(default=dict)

    class Meta:
        ordering = ["run", "kind", "happened_at", "id"]
        indexes = [models.Index(fields=["run", "order_external_id"], name="gap_of_run_and_order")]
        constraints = [
            models.CheckConstraint(name="gap_amount_has_currency", condition=Q(amount__isnull=True) | ~Q(currency="")),
        ]

    def __str__(self) -> str:
        return self.text
