"""What gateways say they paid out: statements as imported, their lines, and what people said about them."""

from django.db import models
from django.db.models import Q

from returnsops import money
from returnsops.models import Connection

from .periods import Posting


class Settlement(models.Model):
    """One imported statement of one gateway of a shop."""

    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="settlements", verbose_name="shop"
    )
    gateway = models.CharField(max_length=120)
    file_name = models.CharField("file", max_length=200, blank=True)
    line_count = models.PositiveIntegerField("lines", default=0)
    left_out_count = models.PositiveIntegerField("rows left out", default=0)
    format = models.JSONField(default=dict)  # the stored format as it was then
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-imported_at", "-id"]
        verbose_name = "statement"

    def __str__(self) -> str:
        return f"{self.file_name or 'statement'} of {self.gateway}"


class SettlementLine(models.Model):
    """One payout of a refund, as its gateway states it. ``posting``: the refund it pays.

    ``decided_*``: without a posting a person set it aside, with one a person accepted that the amounts differ.
    """

    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="lines", verbose_name="statement")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+", verbose_name="shop")
    gateway = models.CharField(max_length=120)
    external_id = models.CharField("line", max_length=260)
    row_number = models.PositiveIntegerField("row")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    settled_date = models.DateField("settled")
    reference = models.CharField("payment", max_length=200, blank=True)
    refund_reference = models.CharField("refund", max_length=200, blank=True)
    order_number = models.CharField("order", max_length=200, blank=True)
    posting = models.OneToOneField(
        Posting, on_delete=models.PROTECT, null=True, blank=True, related_name="line", verbose_name="pays"
    )
    matched_by = models.CharField(max_length=150, blank=True)  # a rule in words, or a person
    matched_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-settled_date", "settlement", "row_number"]
        verbose_name = "statement line"
        permissions = [
            ("import_statement", "Can import statements of gateways"),
            ("match_line", "Can say which refund a statement line pays"),
        ]
        indexes = [models.Index(fields=["connection", "settled_date"], name="line_of_shop")]
        constraints = [
            models.UniqueConstraint(fields=["connection", "gateway", "external_id"], name="one_row_per_statement_line"),
            models.CheckConstraint(name="statement_line_is_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="match_has_who_and_when",
                condition=Q(posting__isnull=True, matched_by="", matched_at__isnull=True)
                | (Q(posting__isnull=False, matched_at__isnull=False) & ~Q(matched_by="")),
            ),
            models.CheckConstraint(
                name="line_decision_has_who_when_why",
                condition=Q(decided_by="", decided_at__isnull=True, decided_why="")
                | (Q(decided_at__isnull=False) & ~Q(decided_by="") & ~Q(decided_why="")),
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.row_number} of {self.settlement}"

    @property
    def amount_words(self) -> str:
        """The amount as people read it."""
        return money.display(money.from_minor(self.amount_minor, currency=self.currency), currency=self.currency)


class SettledElsewhere(models.Model):
    """A person said that no statement will name this refund: it was settled otherwise."""

    posting = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="settled_elsewhere")
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    why = models.CharField(max_length=500)

    class Meta:
        constraints = [models.CheckConstraint(name="settled_elsewhere_has_why", condition=~Q(by="") & ~Q(why=""))]

    def __str__(self) -> str:
        return f"settled elsewhere by {self.by}"
