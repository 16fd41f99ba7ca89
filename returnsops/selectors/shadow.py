"""How a route in shadow agrees with what people did: figures to decide by (design section 6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from returnsops.models import Route, ShadowComparison
from returnsops.planning.comparison import EQUAL, NOT_YET, PEOPLE_MORE, WE_MORE

from . import words

Rows = QuerySet[ShadowComparison]
_NEITHER = (EQUAL, NOT_YET)
CONDITIONS: dict[str, Q] = {
    "differ": ~Q(money__in=_NEITHER) | ~Q(stock__in=_NEITHER),
    WE_MORE: Q(money=WE_MORE) | Q(stock=WE_MORE),
    PEOPLE_MORE: Q(money=PEOPLE_MORE) | Q(stock=PEOPLE_MORE),
    NOT_YET: Q(money=NOT_YET, stock=NOT_YET),
    EQUAL: Q(money__in=_NEITHER, stock__in=_NEITHER) & ~Q(money=NOT_YET, stock=NOT_YET),
}


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Verdicts of one side, money or goods; the rate leaves out what people have not done yet."""

    equal: int
    we_more: int
    people_more: int
    not_yet: int

    @property
    def compared(self) -> int:
        """Returns that can be compared."""
        return self.equal + self.we_more + self.people_more

    @property
    def rate_percent(self) -> Decimal | None:
        """Share of the compared ones that agree, one digit; None where none can be compared."""
        if not self.compared:
            return None
        return (Decimal(100) * self.equal / self.compared).quantize(Decimal("0.1"))

    @property
    def in_words(self) -> str:
        """The rate with what it is made of."""
        if self.rate_percent is None:
            return "nothing to compare yet"
        return f"{self.rate_percent} % ({self.equal} of {self.compared})"


@dataclass(frozen=True, kw_only=True)
class MoneyOf:
    """Sums of one currency over the returns that can be compared, in major units."""

    currency: str
    ours: Decimal
    theirs: Decimal

    @property
    def difference(self) -> Decimal:
        """More than 0: we would have refunded more."""
        return self.ours - self.theirs

    @property
    def in_words(self) -> str:
        """Both sums and what lies between them."""
        ours, theirs = (words.amount(value, self.currency) for value in (self.ours, self.theirs))
        apart = words.amount(abs(self.difference), self.currency)
        more = "we would have refunded" if self.difference > 0 else "people refunded"
        return f"we {ours}, people {theirs}" + (f": {more} {apart} more" if self.difference else ": equal")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One route."""

    returns: int
    money: Agreement
    stock: Agreement
    sums: tuple[MoneyOf, ...]


def figures(route: Route) -> Figures:
    """The figures of a route over all of its returns that were compared."""
    rows = ShadowComparison.objects.filter(route=route)
    return Figures(
        returns=rows.count(),
        money=_agreement(rows, "money"),
        stock=_agreement(rows, "stock"),
        sums=tuple(_sums(rows)),
    )


def rows_in(code: str, rows: Rows) -> Rows:
    """The rows of one saved view; an unknown code shows all."""
    condition = CONDITIONS.get(code)
    return rows if condition is None else rows.filter(condition)


def _agreement(rows: Rows, name: str) -> Agreement:
    counts = dict(rows.order_by().values_list(name).annotate(count=Count("pk")))
    return Agreement(**{verdict: counts.get(verdict, 0) for verdict in (EQUAL, WE_MORE, PEOPLE_MORE, NOT_YET)})


def _sums(rows: Rows) -> Iterable[MoneyOf]:
    known = rows.exclude(money=NOT_YET).order_by("currency").values("currency")
    for row in known.annotate(ours=Sum("our_amount"), theirs=Sum("their_amount")):
        yield MoneyOf(currency=row["currency"], ours=row["ours"], theirs=row["theirs"])
