"""What of an order's money was given as store credit or gift card, without what was given on top."""

from decimal import Decimal

from returnsops import states
from returnsops.models import CreditRequest, Effect, Order, ReturnAuthorisation
from returnsops.planning.credited import PLATFORM, void_key


def bonus_of(effect: Effect) -> Decimal:
    """What of a credit's amount was given on top of the money; nothing for every other kind."""
    return Decimal(effect.payload.get("bonus") or 0) if effect.kind == states.STORE_CREDIT else Decimal(0)


def credited(order: Order) -> Decimal:
    """All credit of an order that stands or is planned, in the order's currency."""
    live = states.COMMITTED | states.UNSENT
    rows = order.effects.filter(kind=states.STORE_CREDIT, state__in=live, currency=order.currency)
    void = _voided(order)
    ours = ((row.amount or Decimal(0)) - bonus_of(row) for row in rows if void_key(row.key) not in void)
    return sum(ours, outside_credits(order))


def outside_credits(order: Order, *, without: ReturnAuthorisation | None = None) -> Decimal:
    """Credit that the platform or a person issued for returns of an order, but for one return."""
    rows = CreditRequest.objects.filter(rma__order=order, currency=order.currency, withdrawn_at__isnull=True)
    if without is not None:
        rows = rows.exclude(rma=without)
    return sum((row.amount for row in rows if row.settled_at or row.executed_by == PLATFORM), Decimal(0))


def _voided(order: Order) -> set[str]:
    done = order.effects.filter(kind=states.VOID_CREDIT, state__in=[states.DONE, states.CONFIRMED])
    return set(done.values_list("key", flat=True))
