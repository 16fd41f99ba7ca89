"""One return: its lines, parcels and inspections."""

from django.db import models

from returnsops import states

from .connections import Connection, PolicyVersion, Route
from .orders import Order, OrderLine
from .reference import ReasonCode


class ReturnAuthorisation(models.Model):
    """Permission and plan to return given lines. Money and stock are not in its status."""

    STATUSES = [(status, status.replace("_", " ")) for status in states.RETURN_STATUSES]

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="returns")
    route = models.ForeignKey(Route, on_delete=models.PROTECT, related_name="returns", null=True, blank=True)
    external_id = models.CharField(max_length=128)
    number = models.CharField(max_length=128, blank=True, db_index=True)
    revision = models.PositiveBigIntegerField(default=0)
    content_rank = models.JSONField(
        default=list
    )  # [revision, updated_at, mapping version, content hash] of what is stored
    status = models.CharField(max_length=16, choices=STATUSES, default=states.REQUESTED)
    mode = models.CharField(max_length=12, default="on_receipt")
    resolution = models.CharField(max_length=14, default="refund")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="returns", null=True, blank=True)
    order_external_id = models.CharField(max_length=128, blank=True)
    order_number = models.CharField(max_length=128, blank=True)
    order_wanted_until_at = models.DateTimeField(null=True, blank=True)  # then a missing order is a case
    order_next_read_at = models.DateTimeField(null=True, blank=True, db_index=True)
    order_read_tries = models.PositiveIntegerField(default=0)
    channel = models.CharField(max_length=120, blank=True)
    customer_external_id = models.CharField(max_length=128, blank=True)
    customer_email = models.CharField(max_length=254, blank=True, db_index=True)
    currency = models.CharField(max_length=3, blank=True)
    totals = models.JSONField(default=dict)
    is_on_risk_hold = models.BooleanField(default=False)
    risks = models.JSONField(default=list)  # one entry per risk id: kind, stage, amount, currency, liable
    platform_shows = models.JSONField(default=dict)  # message → field → values its platform has shown for it
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="returns")
    return_by_at = models.DateTimeField(null=True, blank=True)
    requested_at = models.DateTimeField(null=True, blank=True)
    authorised_at = models.DateTimeField(null=True, blank=True)
    in_transit_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    inspecting_at = models.DateTimeField(null=True, blank=True)
    inspected_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    end_status = models.CharField(max_length=16, blank=True)  # declined, cancelled or expired
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    released_by = models.CharField(max_length=150, blank=True)  # begun before live_from, released by a person
    released_at = models.DateTimeField(null=True, blank=True)
    is_dirty = models.BooleanField(default=False, db_index=True)
    planned_at = models.DateTimeField(null=True, blank=True)
    next_look_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = "return"
        permissions = [
            ("classify_reason", "Can classify reasons"),
            ("confirm_inspection", "Can receive parcels and confirm inspections"),
            ("waive_hold", "Can release holds"),
            ("attribute_refund", "Can say what a refund made outside is for"),
            ("decide_executor", "Can say who pays a refund"),
            ("release_return", "Can release returns begun before the route went live"),
            ("settle_by_hand", "Can mark an exchange or a credit as done by hand"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="one_row_per_return"),
            models.CheckConstraint(
                name="release_has_who_and_when",
                condition=models.Q(released_at__isnull=True, released_by="")
                | (models.Q(released_at__isnull=False) & ~models.Q(released_by="")),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name people use."""
        return self.number or self.external_id

    @property
    def ref(self) -> str:
        """Identity in keys and case groups: platform connection and the platform's id."""
        return f"{self.connection.name}/{self.external_id}"


class ReturnLine(models.Model):
    """One item of a return; ``order_line`` is set once it is matched to the final order."""

    rma = models.ForeignKey(ReturnAuthorisation, on_delete=models.CASCADE, related_name="lines")
    external_id = models.CharField(max_length=128)
    order_line_external_id = models.CharField(max_length=128, blank=True)
    order_line = models.ForeignKey(OrderLine, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    sku = models.CharField(max_length=128, db_index=True)
    variant_external_id = models.CharField(max_length=128, blank=True)
    name = models.CharField(max_length=500, blank=True)
    quantity = models.PositiveIntegerField()
    reason_source_code = models.CharField(max_length=120, blank=True)
    reason_text = models.TextField(blank=True)
    reason = models.ForeignKey(ReasonCode, on_delete=models.PROTECT, null=True, blank=True, related_name="lines")
    reason_by = models.CharField(max_length=150, blank=True)  # who classified it by hand; '' = by mapping
    resolution = models.CharField(max_length=14, default="refund")
    unit_price = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    discount = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    tax = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    total = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    is_withdrawn = models.BooleanField(default=False)  # a newer revision no longer names it

    class Meta:
        ordering = ["rma_id", "id"]
        constraints = [models.UniqueConstraint(fields=["rma", "external_id"], name="one_row_per_return_line")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name or self.sku}"


class Parcel(models.Model):
    """One parcel on its way back."""

    rma = models.ForeignKey(ReturnAuthorisation, on_delete=models.CASCADE, related_name="parcels")
    external_id = models.CharField(max_length=128)
    carrier = models.CharField(max_length=120, blank=True)
    tracking_number = models.CharField(max_length=200, blank=True, db_index=True)
    tracking_url = models.CharField(max_length=500, blank=True)
    told_at = models.JSONField(default=dict)  # when the fact occurred that each detail above is taken from
    labelled_at = models.DateTimeField(null=True, blank=True)
    in_transit_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["rma_id", "id"]
        constraints = [models.UniqueConstraint(fields=["rma", "external_id"], name="one_row_per_parcel")]

    def __str__(self) -> str:
        return self.tracking_number or self.external_id


class Inspection(models.Model):
    """A verdict on some units of one line, by one source. Rows are never changed, only superseded."""

    SOURCES = [("platform", "returns platform"), ("warehouse", "our warehouse"), ("wms", "warehouse system")]

    rma = models.ForeignKey(ReturnAuthorisation, on_delete=models.CASCADE, related_name="inspections")
    line = models.ForeignKey(ReturnLine, on_delete=models.CASCADE, null=True, blank=True, related_name="inspections")
    item_external_id = models.CharField(max_length=128)
    sku = models.CharField(max_length=128, blank=True)  # of the goods judged, where the judge named it
    source = models.CharField(max_length=10, choices=SOURCES)
    identity = models.CharField(max_length=300)
    revision = models.PositiveBigIntegerField(default=0)
    is_absolute = models.BooleanField(default=False)
    statement = models.CharField(max_length=110, blank=True)  # which judgement of all of its return or item it is of
    is_superseded = models.BooleanField(default=False)
    is_recount = models.BooleanField(default=False)  # a person counted the item again: the last word on it
    quantity = models.PositiveIntegerField()
    outcome = models.CharField(max_length=16)
    disposition = models.CharField(max_length=20)
    is_final = models.BooleanField(default=False)
    grade = models.CharField(max_length=4, blank=True)
    reject_reason = models.CharField(max_length=300, blank=True)
    location_code = models.CharField(max_length=120, blank=True)
    inspected_at = models.DateTimeField()
    inspected_by = models.CharField(max_length=150, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["rma_id", "inspected_at", "id"]
        constraints = [models.UniqueConstraint(fields=["rma", "identity"], name="one_row_per_verdict")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.disposition}"
