"""Who may call our API, how often they did, and what they told us once."""

from django.db import models

from .connections import Route
from .returns import ReturnAuthorisation

ELIGIBILITY = "eligibility"
INSPECTIONS = "inspections"
SCOPES = (ELIGIBILITY, INSPECTIONS)


class ApiToken(models.Model):
    """One caller of our API. Only the SHA-256 of its secret is kept: the secret is shown once, when it is made."""

    name = models.SlugField(max_length=63, unique=True)
    secret_hash = models.CharField(max_length=64, unique=True)
    secret_end = models.CharField(max_length=4)  # its last characters, so that people can tell secrets apart
    scopes = models.JSONField(default=list)
    routes = models.ManyToManyField(Route, blank=True, related_name="api_tokens")  # none = all
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "API token"
        permissions = [("revoke_apitoken", "Can revoke API tokens")]
        constraints = [
            models.CheckConstraint(
                name="revocation_has_who_and_when",
                condition=models.Q(revoked_at__isnull=True, revoked_by="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoked_by="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def may_use(self, route: Route | None) -> bool:
        """Whether this caller may see or change what belongs to a route; None is a return without one."""
        limits = {row.pk for row in self.routes.all()}
        return not limits or (route is not None and route.pk in limits)


class ApiUse(models.Model):
    """Calls counted in one window of time, in the database so that all web processes count together.

    ``key`` is a hash: it may stand for an e-mail address.
    """

    key = models.CharField(max_length=64)
    window_at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window_at"], name="one_count_per_window")]

    def __str__(self) -> str:
        return f"{self.count} calls"


class InspectionReport(models.Model):
    """What a warehouse system told about one return in one call or row; its key makes it count once (S4-14)."""

    origin = models.CharField(max_length=80)  # 'api:<token>' or 'csv'
    key = models.CharField(max_length=200)  # the caller's Idempotency-Key
    body_hash = models.CharField(max_length=64)
    rma = models.ForeignKey(
        ReturnAuthorisation, on_delete=models.PROTECT, null=True, blank=True, related_name="inspection_reports"
    )
    warehouse = models.CharField(max_length=120, blank=True)
    text = models.CharField(max_length=500, blank=True)
    answer = models.JSONField(default=dict)
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=150)
    repeat_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name = "warehouse report"
        constraints = [models.UniqueConstraint(fields=["origin", "key"], name="one_report_per_key")]

    def __str__(self) -> str:
        return f"report {self.key}"
