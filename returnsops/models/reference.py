"""Lists people keep: reason codes, locations, and what foreign words mean in ours."""

from django.db import models

from returnsops import states

from .connections import Connection, Route


class ReasonCode(models.Model):
    """One approved reason (S3-17)."""

    code = models.SlugField(max_length=63, unique=True)
    title = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.title


class ReasonMapping(models.Model):
    """What a platform's reason code means in our list."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="reason_mappings")
    source_code = models.CharField(max_length=120)
    reason = models.ForeignKey(ReasonCode, on_delete=models.PROTECT, related_name="mappings")

    class Meta:
        ordering = ["connection_id", "source_code"]
        constraints = [models.UniqueConstraint(fields=["connection", "source_code"], name="one_meaning_per_reason")]

    def __str__(self) -> str:
        return f"{self.source_code} → {self.reason_id}"


class Location(models.Model):
    """A place where stock lies."""

    SELLABLE, QUARANTINE, SCRAP = "sellable", "quarantine", "scrap"
    KINDS = [(SELLABLE, "sellable"), (QUARANTINE, "quarantine"), (SCRAP, "scrap")]

    code = models.SlugField(max_length=63, unique=True)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=KINDS)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, null=True, blank=True)
    external_id = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.title


class DispositionMapping(models.Model):
    """Where units of one disposition go on one route; an unmapped one is a case, never a default (S1-21)."""

    DISPOSITIONS = [(name, name.replace("_", " ")) for name in states.DISPOSITIONS]

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="disposition_mappings")
    disposition = models.CharField(max_length=20, choices=DISPOSITIONS)
    channel = models.CharField(max_length=120, blank=True)
    location = models.ForeignKey(Location, on_delete=models.PROTECT)

    class Meta:
        ordering = ["route_id", "disposition"]
        constraints = [
            models.UniqueConstraint(fields=["route", "disposition", "channel"], name="one_place_per_disposition")
        ]

    def __str__(self) -> str:
        return f"{self.disposition} → {self.location_id}"
