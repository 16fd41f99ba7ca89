"""What we would have sent for a return of a route in shadow, against what people did (design section 6)."""

from django.db import models

from .connections import Route
from .returns import ReturnAuthorisation


class ShadowComparison(models.Model):
    """One return compared, as of its last plan; kept as it was once the return is sent by us."""

    VERDICTS = [
        ("equal", "equal"),
        ("we_more", "we would have done more"),
        ("people_more", "people did more"),
        ("not_yet", "not done by people yet"),
    ]

    rma = models.OneToOneField(ReturnAuthorisation, on_delete=models.CASCADE, related_name="shadow")
    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="shadow_comparisons")
    money = models.CharField(max_length=12, choices=VERDICTS)
    stock = models.CharField(max_length=12, choices=VERDICTS, default="not_yet")
    currency = models.CharField(max_length=3)
    our_amount = models.DecimalField(max_digits=20, decimal_places=4)
    our_amount_waiting = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    their_amount = models.DecimalField(max_digits=20, decimal_places=4)
    our_units = models.PositiveIntegerField()
    our_units_waiting = models.PositiveIntegerField(default=0)
    their_units = models.PositiveIntegerField(null=True, blank=True)  # None: the shop does not say
    waits = models.TextField(blank=True)  # what ours still waits for, in words
    compared_at = models.DateTimeField()

    class Meta:
        ordering = ["-compared_at", "-id"]

    def __str__(self) -> str:
        return f"{self.rma}: {self.get_money_display()}"
