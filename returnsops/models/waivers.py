"""Holds a person released."""

from django.db import models

from .returns import ReturnAuthorisation


class Waiver(models.Model):
    """One hold of one effect released, or one finding of a return accepted, by a person with a reason."""

    rma = models.ForeignKey(ReturnAuthorisation, on_delete=models.PROTECT, related_name="waivers")
    effect_key = models.CharField(max_length=520, blank=True)  # '' = the hold of this code on every effect
    hold_code = models.CharField(max_length=40)
    subject = models.CharField(max_length=200, blank=True)  # what exactly was accepted, e.g. an amount
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    why = models.CharField(max_length=500)

    class Meta:
        ordering = ["rma_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["rma", "effect_key", "hold_code", "subject"], name="one_waiver_per_hold"),
            models.CheckConstraint(name="waiver_has_who_and_why", condition=~models.Q(by="") & ~models.Q(why="")),
        ]

    def __str__(self) -> str:
        return f"{self.hold_code} waived"
