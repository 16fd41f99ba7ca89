"""Rows of an audit: its gaps and the end of its run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from connectors.registry import config_without_secrets, connector_for
from reconciliation.audit import gaps
from reconciliation.audit.gaps import Gap
from reconciliation.models import AuditGap, Run
from reconciliation.wording import plain_amount
from returnsops.models import Connection
from returnsops.selectors.remote_links import is_safe

_ONLY_AT_PLATFORM: Final = (gaps.NOT_IN_SHOP, gaps.ORDER_NOT_FOUND, gaps.ORDER_IN_BIN)


def keep_gaps(run: Run, found: Iterable[Gap], *, link: Callable[[Gap], tuple[str, str]]) -> None:
    """Store what was found, with the links to both systems. The caller's transaction."""
    AuditGap.objects.bulk_create([_row(run, gap, *link(gap)) for gap in found])


def forget_order(run: Run, order_id: str) -> None:
    """An order is compared again, with more known: its first result does not count."""
    run.gaps.filter(order_external_id=order_id).delete()


def finish(run: Run, *, at: datetime) -> None:
    """Everything was read."""
    run.state, run.ended_at = "finished", at
    run.save(update_fields=["state", "ended_at"])


def fail(run: Run, text: str, *, at: datetime) -> None:
    """It stopped before the end; the gaps found so far stay."""
    run.state, run.ended_at, run.error_text = "failed", at, text[:500]
    run.save(update_fields=["state", "ended_at", "error_text"])


def _row(run: Run, gap: Gap, order_url: str, return_url: str) -> AuditGap:
    return AuditGap(
        run=run,
        kind=gap.kind,
        cause=gap.cause,
        text=gap.text[:500],
        order_external_id=gap.order_id[:128],
        order_number=gap.order_number[:128],
        order_url=order_url[:500],
        return_external_id=gap.return_id[:128],
        return_number=gap.return_number[:128],
        return_url=return_url[:500],
        refund_external_id=gap.refund_id[:128],
        author=gap.author[:150],
        amount=gap.amount,
        currency=gap.currency,
        quantity=gap.quantity,
        happened_at=gap.happened_at,
        evidence=dict(gap.evidence),
    )


def summed(run: Run, *, compared: Mapping[str, Sequence[str]]) -> Run:
    """The run's own figures from its gaps and the orders compared (order id → currency, decided, refunded)."""
    found = list(run.gaps.exclude(kind=gaps.OPEN_RETURN).values_list("cause", "order_external_id"))
    run.order_count = len(compared)
    run.only_there_count = sum(1 for cause, _ in found if cause == gaps.NOT_EXPLAINED)
    run.only_here_count = sum(1 for cause, _ in found if cause in _ONLY_AT_PLATFORM)
    run.mismatched_count = len(found) - run.only_there_count - run.only_here_count
    run.matched_count = len(compared.keys() - {order_id for _, order_id in found})
    run.totals = _totals(compared.values())
    run.save()
    return run


def order_link(connection: Connection, order_id: str) -> str:
    """The order in the shop's own screens, '' where nobody knows its address."""
    make = connector_for(connection.vendor).order_url
    link = make(config_without_secrets(connection), order_id) if make is not None and order_id else ""
    return link if is_safe(link) else ""


def return_link(connection: Connection | None, return_id: str) -> str:
    """The return in its platform's screens, '' where nobody knows its address."""
    make = connector_for(connection.vendor).return_url if connection is not None else None
    link = make(config_without_secrets(connection), return_id) if connection and make and return_id else ""
    return link if is_safe(link) else ""


def _totals(compared: Iterable[Sequence[str]]) -> dict[str, dict[str, str]]:
    sums: dict[str, list[Decimal]] = {}
    for currency, decided, refunded in compared:
        both = sums.setdefault(currency, [Decimal(0), Decimal(0)])
        both[0] += Decimal(decided)
        both[1] += Decimal(refunded)
    return {
        currency: {"here": plain_amount(here, currency), "there": plain_amount(there, currency)}
        for currency, (here, there) in sorted(sums.items())
        if here or there
    }
