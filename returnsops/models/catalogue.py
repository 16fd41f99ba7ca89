"""What a shop's catalogue says of its articles, as far as stock depends on it (S4-20)."""

from django.db import models

from .connections import Connection


class CatalogueItem(models.Model):
    """One thing that is bought and put back: a product without variations, or one variation.

    Its identity is product and variation id, never the SKU: a variation without one shows its parent's.
    """

    NONE, INHERITED, MISSING, SHARED = "", "inherited", "missing", "shared"
    PROBLEMS = [
        (NONE, "fine"),
        (INHERITED, "no SKU of its own, shows its parent's"),
        (MISSING, "no SKU at all"),
        (SHARED, "the SKU of another article too"),
    ]

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="catalogue")
    product_external_id = models.CharField(max_length=64)
    variation_external_id = models.CharField(max_length=64, blank=True)
    sku = models.CharField(max_length=128, blank=True, db_index=True)
    name = models.CharField(max_length=500, blank=True)
    is_stock_managed = models.BooleanField(default=False)
    problem = models.CharField(max_length=10, choices=PROBLEMS, blank=True, db_index=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["connection_id", "name", "id"]
        verbose_name = "article"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "product_external_id", "variation_external_id"], name="one_row_per_article"
            )
        ]

    def __str__(self) -> str:
        return self.name or self.sku or f"{self.product_external_id}/{self.variation_external_id}"
