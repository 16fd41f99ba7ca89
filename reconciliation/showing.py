"""What a comparison asks of a shop beside the order: notes and fields of ours, shelf figures, restocks. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.ports import MarksShown
from connectors.registry import connector_for, link_for
from reconciliation.checks import Check
from reconciliation.ledger_shop import articles_of, has_marks, restocked_ids_of, tokens_of
from returnsops.facts import ArticleId, StockLevel, StockMovement
from returnsops.models import Connection, Order


@dataclass(frozen=True, kw_only=True)
class Shown:
    """None: the shop cannot show it, or no check asked."""

    tokens: frozenset[str] | None = None
    fields: Mapping[str, str] | None = None  # None too where the order itself shows them
    levels: Mapping[ArticleId, StockLevel] | None = None
    movements: Mapping[str, StockMovement | None] | None = None  # None: restocks are records on the order


NOTHING_SHOWN: Final = Shown()


def shown_of(*, commerce: Connection, order: Order, checks: Sequence[Check]) -> Shown:
    """What these checks need to see; nothing is asked where there is nothing to compare. Raises VendorError."""
    marks = _marks(commerce, order) if any(check.needs_notes for check in checks) else None
    return Shown(
        tokens=marks.tokens if marks else None,
        fields=marks.fields if marks else None,
        levels=_levels(commerce, order) if any(check.needs_levels for check in checks) else None,
        movements=_movements(commerce, order),
    )


def _marks(commerce: Connection, order: Order) -> MarksShown | None:
    read = connector_for(commerce.vendor).read_marks
    if read is None:
        return None
    if not has_marks(order):
        return MarksShown(tokens=frozenset())
    return read(link_for(commerce), order.external_id, tokens_of(order))


def _movements(commerce: Connection, order: Order) -> Mapping[str, StockMovement | None] | None:
    read, wanted = connector_for(commerce.vendor).read_movements, restocked_ids_of(order)
    if read is None:
        return None
    return read(link_for(commerce), wanted) if wanted else {}


def _levels(commerce: Connection, order: Order) -> Mapping[ArticleId, StockLevel] | None:
    read, wanted = connector_for(commerce.vendor).read_levels, articles_of(order)
    if read is None:
        return None
    return read(link_for(commerce), wanted) if wanted else {}
