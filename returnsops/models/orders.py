"""Orders as the shop shows them now."""

from django.db import models

from .connections import Connection


class Order(models.Model):
    """The final state of one order; ``fingerprint`` covers all that money and stock decisions rest on."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="orders")
    external_id = models.CharField(max_length=128)
    number = models.CharField(max_length=128, blank=True, db_index=True)
    status = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=20, decimal_places=4)
    placed_at = models.DateTimeField()
    modified_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    customer_external_id = models.CharField(max_length=128, blank=True)
    customer_email = models.CharField(max_length=254, blank=True, db_index=True)
    channel = models.CharField(max_length=120, blank=True)
    payment_method = models.CharField(max_length=120, blank=True)
    payment_reference = models.CharField(max_length=200, blank=True)  # of the payment at its gateway
    is_locked = models.BooleanField(default=False)
    lock_reason = models.CharField(max_length=300, blank=True)
    is_gone = models.BooleanField(default=False)
    fingerprint = models.CharField(max_length=64)
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["-placed_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["connection", "external_id"], name="one_row_per_order")]

    def __str__(self) -> str:
        return f"order {self.number or self.external_id}"


class OrderLine(models.Model):
    """One line of the final order; ``net`` after discounts, without tax, for the whole quantity."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    external_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=500, blank=True)
    sku = models.CharField(max_length=128, blank=True, db_index=True)
    product_external_id = models.CharField(max_length=128, blank=True)
    variation_external_id = models.CharField(max_length=128, blank=True)
    quantity = models.PositiveIntegerField()
    net = models.DecimalField(max_digits=20, decimal_places=4)
    taxes = models.JSONField(default=list)  # [{"rate_id": "75", "amount": "7.00"}]
    is_sku_ambiguous = models.BooleanField(default=False)
    reduced_stock = models.IntegerField(null=True, blank=True)
    position = models.PositiveIntegerField(default=0)
    is_removed = models.BooleanField(default=False)  # no longer on the order, still named by a return

    class Meta:
        ordering = ["order_id", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["order", "external_id"], name="one_row_per_order_line")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name or self.sku}"
