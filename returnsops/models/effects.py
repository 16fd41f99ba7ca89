"""The outbox, the ledger of expectations, and what the screens show (design sections 2 and 5)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from returnsops import states

from .connections import Connection, PolicyVersion, Route
from .orders import Order
from .returns import ReturnAuthorisation


class Effect(models.Model):
    """One intended change in one foreign system. ``key`` is its business identity, unique for ever."""

    STATES = [(state, state.replace("_", " ")) for state in states.EFFECT_STATES]
    ORIGINS = [
        (states.ORIGIN_PLAN, "plan"),
        (states.ORIGIN_PERSON, "person"),
        (states.ORIGIN_RECONCILIATION, "reconciliation"),
    ]

    rma = models.ForeignKey(
        ReturnAuthorisation, on_delete=models.PROTECT, related_name="effects", null=True, blank=True
    )
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="effects", null=True, blank=True)
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="effects", null=True, blank=True)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="effects")
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=520, unique=True)
    generation = models.PositiveIntegerField(default=1)
    serial_key = models.CharField(max_length=200, blank=True)
    lane = models.PositiveSmallIntegerField()
    origin = models.CharField(max_length=14, choices=ORIGINS, default=states.ORIGIN_PLAN)
    item_external_id = models.CharField(max_length=128, blank=True)
    quantity = models.IntegerField(null=True, blank=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    payload = models.JSONField(default=dict)
    payload_hash = models.CharField(max_length=64)
    payload_revision = models.PositiveIntegerField(default=1)
    sent_hash = models.CharField(max_length=64, blank=True)  # content that was last acknowledged (mirrors)
    basis_hash = models.CharField(max_length=64, blank=True)  # fingerprint of the order the plan rests on
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=18, choices=STATES, default=states.HELD)
    holds = models.JSONField(default=list)  # [{"code","text","until","waits_for"}]
    deadline_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempt_count = models.PositiveIntegerField(default=0)
    claim_token = models.CharField(max_length=36, blank=True)
    lease_until_at = models.DateTimeField(null=True, blank=True)
    error_class = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=120, blank=True)
    error_text = models.CharField(max_length=500, blank=True)
    remote_id = models.CharField(max_length=200, blank=True)
    remote_url = models.CharField(max_length=500, blank=True)
    planned_at = models.DateTimeField()
    first_attempt_at = models.DateTimeField(null=True, blank=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirm_after_at = models.DateTimeField(null=True, blank=True)
    confirm_tries = models.PositiveIntegerField(default=0)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    proposed_why = models.CharField(max_length=500, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_revision = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["lane", "id"]
        permissions = [
            ("propose_refund", "Can propose a refund by hand"),
            ("approve_refund", "Can approve refunds and send them"),
            ("record_paid_outside", "Can record that a refund was paid outside"),
            ("adopt_effect", "Can say that an effect exists remotely"),
            ("requeue_effect", "Can send a failed effect again"),
            ("cancel_effect", "Can cancel an effect that was not sent"),
        ]
        indexes = [
            models.Index(fields=["connection", "state", "lane", "next_attempt_at"], name="effect_due"),
            models.Index(fields=["connection", "serial_key"], name="effect_serial"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "serial_key"],
                name="one_in_flight_per_serial_key",
                condition=Q(state__in=[states.SENDING, states.UNKNOWN]) & ~Q(serial_key=""),
            ),
            models.CheckConstraint(
                name="approval_has_who_when_what",
                condition=Q(approved_by__isnull=True, approved_at__isnull=True, approved_revision__isnull=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False, approved_revision__isnull=False),
            ),
            models.CheckConstraint(
                name="approval_by_second_person",
                condition=Q(approved_by__isnull=True)
                | Q(proposed_by__isnull=True)
                | ~Q(approved_by=models.F("proposed_by")),
            ),
            models.CheckConstraint(
                name="money_has_amount_and_currency",
                condition=~Q(kind__in=sorted(states.VALUE_KINDS)) | (Q(amount__gt=0) & ~Q(currency="")),
            ),
            models.CheckConstraint(
                name="stock_has_quantity",
                condition=~Q(kind__in=sorted(states.STOCK_KINDS)) | Q(quantity__gt=0),
            ),
            models.CheckConstraint(
                name="in_flight_has_claim",
                condition=~Q(state=states.SENDING) | (~Q(claim_token="") & Q(lease_until_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def remote_key(self) -> str:
        """What is written into the remote record: the key, and from the second generation on its number."""
        return self.key if self.generation == 1 else f"{self.key}#{self.generation}"

    @property
    def is_approved(self) -> bool:
        """Whether the present payload was approved."""
        return self.approved_at is not None and self.approved_revision == self.payload_revision


class Attempt(models.Model):
    """One try to send or look up an effect; written before the call, completed after. Never deleted."""

    PURPOSES = [("send", "send"), ("look_up", "look up"), ("confirm", "read back")]

    effect = models.ForeignKey(Effect, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    generation = models.PositiveIntegerField()
    purpose = models.CharField(max_length=8, choices=PURPOSES)
    token = models.CharField(max_length=36, unique=True)
    started_at = models.DateTimeField()
    has_sent = models.BooleanField(default=False)  # the write may have left: set before it does
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    text = models.CharField(max_length=500, blank=True)
    evidence = models.JSONField(default=dict)  # redacted request and answer

    class Meta:
        ordering = ["effect_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["effect", "number"], name="one_row_per_attempt"),
            models.CheckConstraint(
                name="attempt_end_has_outcome",
                condition=Q(ended_at__isnull=True, outcome="") | (Q(ended_at__isnull=False) & ~Q(outcome="")),
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"
