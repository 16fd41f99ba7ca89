"""What a comparison asks of a shop beside the order itself: our notes on it, and shelf figures. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.registry import connector_for, link_for
from reconciliation.checks import Check
from reconciliation.ledger_shop import articles_of, tokens_of
from returnsops.facts import ArticleId, StockLevel
from returnsops.models import Connection, Order


@dataclass(frozen=True, kw_only=True)
class Shown:
    """None: the shop cannot show it, or no check asked."""

    tokens: frozenset[str] | None = None
    levels: Mapping[ArticleId, StockLevel] | None = None


def shown_of(*, commerce: Connection, order: Order, checks: Sequence[Check]) -> Shown:
    """What these checks need to see; nothing is asked where there is nothing to compare. Raises VendorError."""
    return Shown(
        tokens=_tokens(commerce, order) if any(check.needs_notes for check in checks) else None,
        levels=_levels(commerce, order) if any(check.needs_levels for check in checks) else None,
    )


def _tokens(commerce: Connection, order: Order) -> frozenset[str] | None:
    read, wanted = connector_for(commerce.vendor).read_marks, tokens_of(order)
    if read is None:
        return None
    return read(link_for(commerce), order.external_id, wanted) if wanted else frozenset()


def _levels(commerce: Connection, order: Order) -> Mapping[ArticleId, StockLevel] | None:
    read, wanted = connector_for(commerce.vendor).read_levels, articles_of(order)
    if read is None:
        return None
    return read(link_for(commerce), wanted) if wanted else {}
