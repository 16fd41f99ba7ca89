"""Tables of the queue: cases, their append-only timeline, alerts waiting to be sent, and who exported what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NoReturn, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.base import ModelBase

from exceptions_queue.kinds import CaseKind, find_kind, team_title
from exceptions_queue.sla import in_words


class CaseState(models.TextChoices):
    """open → snoozed → resolved | auto_resolved; a closed case that comes back is open again and `is_regressed`."""

    OPEN = "open", "Open"
    SNOOZED = "snoozed", "Snoozed"
    RESOLVED = "resolved", "Resolved"
    AUTO_RESOLVED = "auto_resolved", "Resolved by itself"


class Resolution(models.TextChoices):
    """Why a case is closed."""

    ACTION = "action", "One of the case's actions"
    FIXED = "fixed", "Fixed by hand"
    NOT_A_PROBLEM = "not_a_problem", "Not a problem"
    ACCEPTED = "accepted", "Accepted as it is"
    CAUSE_GONE = "cause_gone", "The cause is gone"


ACTIVE_STATES = (CaseState.OPEN, CaseState.SNOOZED)
CLOSED_STATES = (CaseState.RESOLVED, CaseState.AUTO_RESOLVED)


class CaseQuerySet(models.QuerySet["ExceptionCase"]):
    """Questions about many cases."""

    def active(self) -> Self:
        """Cases that somebody still has to do something about, snoozed ones included."""
        return self.filter(state__in=ACTIVE_STATES)

    def open(self) -> Self:
        """Cases that want attention now."""
        return self.filter(state=CaseState.OPEN)

    def closed(self) -> Self:
        """Cases that are done."""
        return self.filter(state__in=CLOSED_STATES)

    def breaching(self, now: datetime) -> Self:
        """Open cases whose deadline has passed."""
        return self.open().filter(due_at__lte=now)

    def most_urgent_first(self) -> Self:
        """By priority, then by deadline, then by age."""
        return self.order_by("-priority", F("due_at").asc(nulls_last=True), "pk")


class ExceptionCase(models.Model):
    """One problem that needs a person: one row per kind and fingerprint, reopened when it comes back."""

    kind_code = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=250)
    state = models.CharField(max_length=16, choices=CaseState, default=CaseState.OPEN)
    is_regressed = models.BooleanField(default=False)
    times_reopened = models.PositiveIntegerField(default=0)

    subject_type = models.CharField(max_length=50)
    subject_id = models.CharField(max_length=150)
    subject_label = models.CharField(max_length=250, blank=True)
    group_key = models.CharField(max_length=250, blank=True)
    title = models.CharField(max_length=250)
    cause = models.TextField(blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    deep_link = models.CharField(max_length=1000, blank=True)
    remote_link = models.CharField(max_length=1000, blank=True)

    money_at_risk = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    waiting_since_at = models.DateTimeField(null=True, blank=True)
    priority = models.IntegerField(default=0)

    owner_team = models.CharField(max_length=16)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="assigned_cases"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)

    first_opened_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField()
    occurrences = models.PositiveIntegerField(default=1)
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="raised_cases"
    )

    snoozed_until_at = models.DateTimeField(null=True, blank=True)
    snooze_until_money = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)

    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by_name = models.CharField(max_length=150, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="resolved_cases"
    )
    resolution = models.CharField(max_length=16, choices=Resolution, blank=True)
    resolution_reason = models.TextField(blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = "case"
        ordering = ("-priority", "due_at", "pk")
        default_permissions = ("view",)
        permissions = (("work_exceptioncase", "Can work on the cases of the own team"),)
        indexes = (
            models.Index(fields=("state", "owner_team", "-priority"), name="case_by_team"),
            models.Index(fields=("group_key", "kind_code"), name="case_by_group"),
            models.Index(fields=("subject_type", "subject_id"), name="case_by_subject"),
            models.Index(fields=("state", "due_at"), name="case_by_deadline"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("kind_code", "fingerprint"),
                condition=Q(state__in=ACTIVE_STATES),
                name="case_one_per_fingerprint",
            ),
            models.CheckConstraint(
                condition=Q(assigned_to__isnull=True, assigned_at__isnull=True)
                | Q(assigned_to__isnull=False, assigned_at__isnull=False),
                name="case_assigned_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ACTIVE_STATES, resolved_at__isnull=True, resolved_by_name="", resolution="")
                | (
                    Q(state__in=CLOSED_STATES, resolved_at__isnull=False)
                    & ~Q(resolved_by_name="")
                    & Q(resolution__in=Resolution.values)
                ),
                name="case_resolved_who_when_how",
            ),
            models.CheckConstraint(
                condition=Q(resolved_by__isnull=True) | Q(resolved_at__isnull=False),
                name="case_resolver_only_if_resolved",
            ),
            models.CheckConstraint(
                condition=Q(state=CaseState.RESOLVED) & ~Q(resolution_reason="") | ~Q(state=CaseState.RESOLVED),
                name="case_resolved_with_reason",
            ),
            models.CheckConstraint(
                condition=(
                    Q(state=CaseState.SNOOZED)
                    & (Q(snoozed_until_at__isnull=False) | Q(snooze_until_money__isnull=False))
                )
                | (~Q(state=CaseState.SNOOZED) & Q(snoozed_until_at__isnull=True) & Q(snooze_until_money__isnull=True)),
                name="case_snoozed_until_something",
            ),
            models.CheckConstraint(
                condition=Q(money_at_risk__isnull=True, currency="")
                | (Q(money_at_risk__isnull=False) & ~Q(currency="")),
                name="case_money_has_currency",
            ),
            models.CheckConstraint(condition=Q(occurrences__gte=1), name="case_seen_at_least_once"),
            models.CheckConstraint(
                condition=~Q(kind_code="") & ~Q(fingerprint="") & ~Q(owner_team=""), name="case_has_identity_and_owner"
            ),
        )

    def __str__(self) -> str:
        return f"Case {self.pk}: {self.title}"

    @property
    def kind(self) -> CaseKind | None:
        """The registered kind, or None if no app registers it any more."""
        return find_kind(self.kind_code)

    @property
    def is_active(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state in ACTIVE_STATES

    @property
    def is_raised_by_hand(self) -> bool:
        """Whether a person opened it; machines never close such a case."""
        return self.raised_by_id is not None

    @property
    def team_title(self) -> str:
        """The owner team as people call it."""
        return team_title(self.owner_team)

    def deadline_in_words(self, now: datetime) -> str:
        """ "2 h late", "due in 40 min"; empty once closed."""
        return in_words(self.due_at, now) if self.is_active else ""


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete a row of the record."""


def _refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
    raise AppendOnlyError("This record is append-only: rows are never changed and never deleted.")


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """A query set that reads and adds only."""

    update = _refuse
    delete = _refuse
    bulk_update = _refuse
    update_or_create = _refuse


class AppendOnly(models.Model):
    """Base of rows that are written once."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Insert; raises `AppendOnlyError` for a row that exists."""
        if not self._state.adding or force_update or update_fields:
            _refuse()
        super().save(force_insert=True, using=using)

    def delete(self, using: str | None = None, keep_parents: bool = False) -> NoReturn:
        """Refused always."""
        _refuse()


class CaseEvent(AppendOnly):
    """One line of a case's timeline. `by_name` always says who; `by_user` only if it was a person."""

    case = models.ForeignKey(ExceptionCase, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=150)
    act = models.CharField(max_length=64)
    note = models.TextField(blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ("at", "pk")
        indexes = (models.Index(fields=("case", "at"), name="event_by_case"),)
        constraints = (models.CheckConstraint(condition=~Q(by_name="") & ~Q(act=""), name="event_says_who_and_what"),)

    def __str__(self) -> str:
        return f"{self.act} by {self.by_name}"


class CaseExport(AppendOnly):
    """Who took which list of cases out of the system, and how long it was."""

    at = models.DateTimeField()
    by_user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    view = models.CharField(max_length=250)
    row_count = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        ordering = ("-at", "pk")

    def __str__(self) -> str:
        return f"{self.row_count} cases exported by {self.by_user}"


class AlertReason(models.TextChoices):
    """What an alert is about."""

    OPENED = "opened", "was opened"
    REGRESSED = "regressed", "came back after it was closed"
    ESCALATED = "escalated", "is urgent and will be late soon"
    OVERDUE = "overdue", "is past its deadline"
    AGEING = "ageing", "has an ageing backlog"


class AlertChannel(models.TextChoices):
    """How an alert travels."""

    MAIL = "mail", "Mail"
    WEBHOOK = "webhook", "Webhook"


class AlertState(models.TextChoices):
    """waiting → sending → sent; back to waiting after a failure; given_up after the last attempt."""

    WAITING = "waiting", "Waiting"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    GIVEN_UP = "given_up", "Given up"


class CaseAlert(models.Model):
    """One message to one team by one channel; `dedupe_key` makes it once per case, reason and spell of being open."""

    case = models.ForeignKey(ExceptionCase, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    team = models.CharField(max_length=16)
    reason = models.CharField(max_length=16, choices=AlertReason)
    channel = models.CharField(max_length=16, choices=AlertChannel)
    dedupe_key = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=16, choices=AlertState, default=AlertState.WAITING)
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=250, blank=True)

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=("state", "next_try_at"), name="alert_by_time"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(state=AlertState.SENT, sent_at__isnull=False)
                | (~Q(state=AlertState.SENT) & Q(sent_at__isnull=True)),
                name="alert_sent_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(reason=AlertReason.AGEING, case__isnull=True)
                | (~Q(reason=AlertReason.AGEING) & Q(case__isnull=False)),
                name="alert_about_a_case_or_a_backlog",
            ),
        )

    def __str__(self) -> str:
        return f"{self.reason} to {self.team} by {self.channel}"
