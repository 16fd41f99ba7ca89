"""The books: months of a shop, batches of one currency in them, and postings, which are only ever added."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from returnsops import money
from returnsops.models import Connection, CreditRequest, Order, Refund, ReturnAuthorisation


class Period(models.Model):
    """One month of one shop. Proposed by one person and closed by another; never opened again."""

    OPEN, PROPOSED, CLOSED = "open", "proposed", "closed"

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="periods", verbose_name="shop")
    name = models.CharField("month", max_length=10)  # 2026-10: the month it begins in
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()  # the first moment after it
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_why = models.CharField(max_length=500, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-starts_at", "connection"]
        verbose_name = "month"
        permissions = [("close_period", "Can propose and confirm the closing of a month")]
        constraints = [
            models.UniqueConstraint(fields=["connection", "name"], name="one_period_per_month"),
            models.UniqueConstraint(fields=["connection", "starts_at"], name="one_period_per_start"),
            models.CheckConstraint(name="period_ends_after_its_start", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="period_proposal_has_who_when_why",
                condition=Q(proposed_by__isnull=True, proposed_at__isnull=True, proposed_why="")
                | (Q(proposed_by__isnull=False, proposed_at__isnull=False) & ~Q(proposed_why="")),
            ),
            models.CheckConstraint(
                name="period_closing_has_who_and_when",
                condition=Q(closed_by__isnull=True, closed_at__isnull=True)
                | Q(closed_by__isnull=False, closed_at__isnull=False, proposed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="period_is_closed_by_second_person",
                condition=Q(closed_by__isnull=True) | ~Q(closed_by=F("proposed_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.connection}"

    @property
    def state(self) -> str:
        """Open, proposed or closed."""
        if self.closed_at is not None:
            return self.CLOSED
        return self.PROPOSED if self.proposed_at is not None else self.OPEN


class Batch(models.Model):
    """The postings of one currency in one month. Its sums and its seal are written once, when the month closes."""

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="batches")
    currency = models.CharField(max_length=3)
    posting_count = models.PositiveIntegerField(null=True, blank=True)
    posted_minor = models.BigIntegerField(null=True, blank=True)
    settled_minor = models.BigIntegerField(null=True, blank=True)
    coming_minor = models.BigIntegerField(null=True, blank=True)
    elsewhere_minor = models.BigIntegerField(null=True, blank=True)
    seal = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["period", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["period", "currency"], name="one_batch_per_period_and_currency"),
            models.CheckConstraint(
                name="sealed_batch_has_its_sums",
                condition=Q(
                    seal="",
                    posting_count__isnull=True,
                    posted_minor__isnull=True,
                    settled_minor__isnull=True,
                    coming_minor__isnull=True,
                    elsewhere_minor__isnull=True,
                )
                | (
                    ~Q(seal="")
                    & Q(
                        posting_count__isnull=False,
                        posted_minor__isnull=False,
                        settled_minor__isnull=False,
                        coming_minor__isnull=False,
                        elsewhere_minor__isnull=False,
                    )
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} in {self.period}"


class AppendOnly(models.QuerySet["Posting"]):
    """Rows that are added and never changed: what a month held when it closed, it holds for ever."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("Postings are append-only: a correction is another posting.")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise TypeError("Postings are append-only: none is ever deleted.")


class Posting(models.Model):
    """Money or value that a customer got back, in exactly one month and currency.

    ``key`` names the source and counts its postings: a refund that turns out not to be one is posted again, with the
    opposite sign, in the month that is open then. ``late_for``: the closed month it belonged to.
    """

    REFUND, OUTSIDE, CREDIT, ROUNDING = "refund", "outside", "credit", "rounding"
    KINDS = [
        (REFUND, "refund"),
        (OUTSIDE, "refund made outside"),
        (CREDIT, "store credit or gift card"),
        (ROUNDING, "rounding"),
    ]

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="postings")
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=10, choices=KINDS)
    amount_minor = models.BigIntegerField()
    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="postings")
    credit = models.ForeignKey(CreditRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="postings")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, blank=True, related_name="postings")
    rma = models.ForeignKey(
        ReturnAuthorisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="postings",
        verbose_name="return",
    )
    gateway = models.CharField("paid by", max_length=120, blank=True)  # the tender; '' where no gateway paid
    happened_at = models.DateTimeField()
    posted_at = models.DateTimeField()
    late_for = models.CharField(max_length=10, blank=True)
    why = models.CharField(max_length=500, blank=True)

    objects = AppendOnly.as_manager()

    class Meta:
        ordering = ["-happened_at", "-id"]
        indexes = [models.Index(fields=["batch", "happened_at"], name="posting_of_batch")]
        constraints = [
            models.CheckConstraint(name="posting_is_not_zero", condition=~Q(amount_minor=0)),
            models.CheckConstraint(
                name="posting_has_one_source",
                condition=Q(kind="rounding", refund__isnull=True, credit__isnull=True)
                | Q(kind__in=["refund", "outside"], refund__isnull=False, credit__isnull=True)
                | Q(kind="credit", refund__isnull=True, credit__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {money.display(self.amount, currency=self.currency)}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only."""
        if self.pk is not None:
            raise TypeError("Postings are append-only: a correction is another posting.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("Postings are append-only: none is ever deleted.")

    @property
    def currency(self) -> str:
        """Its batch's."""
        return self.batch.currency

    @property
    def amount(self) -> Any:
        """In major units; negative takes an earlier posting back."""
        return money.from_minor(self.amount_minor, currency=self.currency)
