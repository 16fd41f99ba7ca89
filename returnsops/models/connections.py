"""Connections to foreign systems, the routes between them, and the policy a route follows (design section 6)."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from returnsops import states
from returnsops.prepared import Prepared

NAME_RULE = RegexValidator(
    r"^[a-z0-9][a-z0-9-]{0,62}$", "Use small letters, digits and dashes, starting with a letter or digit."
)


class Connection(models.Model):
    """One account of one vendor."""

    name = models.SlugField(max_length=63, unique=True, validators=[NAME_RULE])
    vendor = models.CharField(max_length=32)
    title = models.CharField(max_length=120, blank=True)
    base_url = models.URLField(max_length=500)
    time_zone = models.CharField(max_length=64, default="UTC")
    settings = models.JSONField(default=dict, blank=True)
    verifier = models.JSONField(default=dict, blank=True)
    is_paused = models.BooleanField(default=False)
    pause_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        permissions = [
            ("stop_sending", "Can stop and resume sending"),
            ("test_connection", "Can test connections and repair their webhooks"),
        ]

    def __str__(self) -> str:
        return self.title or self.name


class ConnectionSecret(models.Model):
    """One secret of a connection: a name of an environment variable, or encrypted; several may be live at once."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=64)
    env_name = models.CharField(max_length=200, blank=True)
    ciphertext = models.TextField(blank=True)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="secret_is_env_or_stored",
                condition=(models.Q(env_name="") & ~models.Q(ciphertext=""))
                | (~models.Q(env_name="") & models.Q(ciphertext="")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.connection_id}"


class MappingVersion(models.Model):
    """A stored mapping of one connection; the newest is in force, older ones explain older events."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="mappings")
    version = models.PositiveIntegerField()
    document = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["connection_id", "-version"]
        constraints = [models.UniqueConstraint(fields=["connection", "version"], name="one_mapping_per_version")]

    def __str__(self) -> str:
        return f"mapping {self.version}"


class Route(models.Model):
    """Which platform, shop and ERP belong together."""

    MODES = [(states.ROUTE_OFF, "off"), (states.ROUTE_SHADOW, "shadow"), (states.ROUTE_LIVE, "live")]

    name = models.SlugField(max_length=63, unique=True, validators=[NAME_RULE])
    title = models.CharField(max_length=120, blank=True)
    platform = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="routes_as_platform")
    commerce = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="routes_as_commerce", null=True, blank=True
    )
    erp = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="routes_as_erp", null=True, blank=True)
    channels = models.JSONField(default=list, blank=True)  # channels of sale it serves; empty = all
    mode = models.CharField(max_length=8, choices=MODES, default=states.ROUTE_OFF)
    live_from = models.DateTimeField(null=True, blank=True)
    is_paused = models.BooleanField(default=False)
    pause_reason = models.CharField(max_length=300, blank=True)
    policy = models.ForeignKey("PolicyVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="route_has_commerce_or_erp",
                condition=models.Q(commerce__isnull=False) | models.Q(erp__isnull=False),
            ),
            models.CheckConstraint(
                name="live_route_has_start_and_policy",
                condition=~models.Q(mode=states.ROUTE_LIVE)
                | (models.Q(live_from__isnull=False) & models.Q(policy__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.name


class PolicyVersion(models.Model):
    """What the set-ups disagree on, as one immutable document (planning.policy reads it)."""

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="policies")
    version = models.PositiveIntegerField()
    document = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["route_id", "-version"]
        permissions = [("sign_policy", "Can sign a policy for the own team")]
        constraints = [models.UniqueConstraint(fields=["route", "version"], name="one_policy_per_version")]

    def __str__(self) -> str:
        return f"policy {self.version}"


class PolicySignature(models.Model):
    """One team's agreement to one policy version; a route cannot go live without three."""

    policy = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="signatures")
    team = models.CharField(max_length=16)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "team"], name="one_signature_per_team"),
            models.UniqueConstraint(fields=["policy", "signed_by"], name="one_signature_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.team} signed {self.policy_id}"


class Switch(models.Model):
    """A stop: sending is off for a scope ('all', 'connection:…', 'route:…', 'kind:…'); reading goes on."""

    scope = models.CharField(max_length=120, unique=True)
    reason = models.CharField(max_length=300)
    stopped_by = models.CharField(max_length=150)
    stopped_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.scope} stopped"


def newest_mapping(connection: Connection) -> MappingVersion | None:
    """The mapping in force, or None where the vendor's defaults apply."""
    found = _NEWEST_MAPPING.objects(connection_id=connection.pk)
    return found[0] if found else None


_NEWEST_MAPPING: Final = Prepared(
    lambda connection_id: MappingVersion.objects.filter(connection=connection_id).order_by("-version")[:1]
)


def live_secret_rows(connection: Connection, *, at: datetime) -> Any:
    """Secrets not retired at a moment, newest first per name."""
    return connection.secrets.filter(models.Q(retired_at__isnull=True) | models.Q(retired_at__gt=at))
