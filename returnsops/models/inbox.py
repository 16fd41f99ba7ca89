"""What came in, verbatim (design section 4)."""

from django.db import models

from returnsops import states

from .connections import Connection


class InboundEvent(models.Model):
    """One delivery, polled item, read or human act. Never deleted; payloads are redacted by purge_payloads."""

    STATES = [(state, state) for state in states.EVENT_STATES]
    SOURCES = [
        ("webhook", "webhook"),
        ("poll", "polling"),
        ("read", "read"),
        ("human", "person"),
        ("wms", "warehouse system"),
    ]

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="events")
    source = models.CharField(max_length=8, choices=SOURCES)
    delivery_key = models.CharField(max_length=200)
    topic = models.CharField(max_length=120, blank=True)
    open_hint_key = models.CharField(max_length=200, blank=True)  # emptied when claimed
    subject_key = models.CharField(max_length=200, blank=True, db_index=True)
    body = models.BinaryField()
    content_type = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=STATES, default=states.EVENT_RECEIVED)
    received_at = models.DateTimeField()
    duplicate_count = models.PositiveIntegerField(default=0)
    claim_token = models.CharField(max_length=36, blank=True)
    claimed_until_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=500, blank=True)
    mapping_version = models.PositiveIntegerField(null=True, blank=True)
    rma = models.ForeignKey(
        "ReturnAuthorisation", on_delete=models.SET_NULL, null=True, blank=True, related_name="events"
    )
    order = models.ForeignKey("Order", on_delete=models.SET_NULL, null=True, blank=True, related_name="events")
    by = models.CharField(max_length=150, blank=True)  # who, for human acts

    class Meta:
        ordering = ["-received_at", "-id"]
        permissions = [("reprocess_event", "Can process an event again")]
        indexes = [models.Index(fields=["state", "next_attempt_at", "id"], name="inbox_due")]
        constraints = [
            models.UniqueConstraint(fields=["connection", "delivery_key"], name="one_row_per_delivery"),
            models.UniqueConstraint(
                fields=["connection", "open_hint_key"],
                name="one_open_hint",
                condition=~models.Q(open_hint_key=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic or 'event'} {self.delivery_key}"


class WebhookRefusal(models.Model):
    """Deliveries with a bad signature are only counted: one row per connection and ten minutes, from ``slot_at`` on."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="refusals")
    slot_at = models.DateTimeField("from")
    count = models.PositiveIntegerField(default=0)
    last_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-slot_at"]
        constraints = [models.UniqueConstraint(fields=["connection", "slot_at"], name="one_refusal_row_per_slot")]

    def __str__(self) -> str:
        return f"{self.count} refused"
