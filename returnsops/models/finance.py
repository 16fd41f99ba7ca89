"""Money records: what the platform decided, what exists in the shop, credits and exchanges asked for."""

from django.db import models

from .connections import Connection
from .orders import Order
from .returns import ReturnAuthorisation


class PlatformRefund(models.Model):
    """A refund the returns platform decided or paid (the payout); its id leads to one refund in the shop."""

    rma = models.ForeignKey(ReturnAuthorisation, on_delete=models.PROTECT, related_name="platform_refunds")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+")
    external_id = models.CharField(max_length=128)
    revision = models.PositiveBigIntegerField(default=0)
    content_hash = models.CharField(max_length=64)
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=32, blank=True)
    executed_by = models.CharField(max_length=20, blank=True)
    executed_by_decided_by = models.CharField(max_length=150, blank=True)
    is_instant = models.BooleanField(default=False)
    items = models.JSONField(default=list)  # [{"item_id","quantity","amount","tax"}]
    shipping = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    fees = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    provider_reference = models.CharField(max_length=200, blank=True)
    issued_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=120, blank=True)
    failure_text = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["issued_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="one_row_per_platform_refund"),
            models.CheckConstraint(name="platform_refund_is_positive", condition=models.Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"payout {self.external_id}"


class Refund(models.Model):
    """A refund record in the shop. EXTERNAL: we did not cause it. Never deleted; ``vanished_at`` when it is gone."""

    OURS, EXTERNAL = "ours", "external"
    ORIGINS = [(OURS, "ours"), (EXTERNAL, "made outside")]

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    external_id = models.CharField(max_length=128)
    origin = models.CharField(max_length=10, choices=ORIGINS)
    key = models.CharField(max_length=560, blank=True, db_index=True)
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    currency = models.CharField(max_length=3)
    lines = models.JSONField(default=list)  # [{"line_id","quantity","net","taxes":[{"rate_id","amount"}]}]
    reason = models.CharField(max_length=500, blank=True)
    author = models.CharField(max_length=150, blank=True)
    is_gateway_paid = models.BooleanField(default=False)
    refunded_at = models.DateTimeField()
    vanished_at = models.DateTimeField(null=True, blank=True)
    rma = models.ForeignKey(
        ReturnAuthorisation, on_delete=models.PROTECT, null=True, blank=True, related_name="external_refunds"
    )
    is_unrelated = models.BooleanField(default=False)
    attributed_by = models.CharField(max_length=150, blank=True)
    attributed_at = models.DateTimeField(null=True, blank=True)
    attributed_why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["refunded_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "external_id"], name="one_row_per_refund"),
            models.CheckConstraint(
                name="refund_attribution_has_who_and_when",
                condition=models.Q(attributed_at__isnull=True, attributed_by="")
                | (models.Q(attributed_at__isnull=False) & ~models.Q(attributed_by="")),
            ),
            models.CheckConstraint(
                name="refund_is_attributed_or_unrelated",
                condition=~(models.Q(is_unrelated=True) & models.Q(rma__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"refund {self.external_id}"


class CreditRequest(models.Model):
    """Store credit or a gift card the platform granted instead of money."""

    rma = models.ForeignKey(ReturnAuthorisation, on_delete=models.PROTECT, related_name="credits")
    external_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=14)
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    bonus = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    currency = models.CharField(max_length=3)
    executed_by = models.CharField(max_length=20, blank=True)
    executed_by_decided_by = models.CharField(max_length=150, blank=True)
    code_last4 = models.CharField(max_length=8, blank=True)
    issued_at = models.DateTimeField()
    settled_by = models.CharField(max_length=150, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_reference = models.CharField(max_length=200, blank=True)
    withdrawn_by = models.CharField(max_length=150, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["issued_at", "id"]
        permissions = [
            ("withdraw_credit", "Can take a credit back"),
            ("view_credit_code", "Can see the code of a credit, which is worth money"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["rma", "kind", "external_id"], name="one_row_per_credit"),
            models.CheckConstraint(
                name="withdrawal_has_who_and_when",
                condition=models.Q(withdrawn_at__isnull=True, withdrawn_by="")
                | (models.Q(withdrawn_at__isnull=False) & ~models.Q(withdrawn_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"


class ExchangeRequest(models.Model):
    """A replacement the platform asked for; ``commerce_order_id`` once it exists."""

    rma = models.ForeignKey(ReturnAuthorisation, on_delete=models.PROTECT, related_name="exchanges")
    external_id = models.CharField(max_length=128)
    lines = models.JSONField(default=list)
    choices = models.JSONField(default=list)  # [{"sku","variant_id","new_sku","new_variant_id"}], in order, by people
    is_instant = models.BooleanField(default=False)
    price_difference = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    commerce_order_id = models.CharField(max_length=128, blank=True)
    requested_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    wished_at = models.DateTimeField(null=True, blank=True)  # last told, by a platform that only has the wish
    unwished_at = models.DateTimeField(null=True, blank=True)  # last taken back there
    settled_by = models.CharField(max_length=150, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["requested_at", "id"]
        constraints = [models.UniqueConstraint(fields=["rma", "external_id"], name="one_row_per_exchange")]

    def __str__(self) -> str:
        return f"exchange {self.external_id}"

    @property
    def is_renewed(self) -> bool:
        """Whether it was taken back and is wished again."""
        return self.unwished_at is not None and self.wished_at is not None and self.wished_at > self.unwished_at

    @property
    def wanted(self) -> str:
        """The goods in words, as "1 x SHIRT-L"; the platform's id where it names none."""
        goods = [f"{line.get('quantity')} x {line.get('sku') or line.get('variant_id')}" for line in self.lines]
        return ", ".join(goods) or str(self)
