"""What of an order's money was given as store credit or gift card, without what was given on top."""

from collections.abc import Iterable
from decimal import Decimal

from returnsops import states
from returnsops.models import CreditRequest, Effect, Order
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
    returns = order.returns.values_list("pk", flat=True)
    return sum(ours, outside_credits(returns=returns, currency=order.currency))


def outside_credits(*, returns: Iterable[int], currency: str) -> Decimal:
    """Credit that the platform or a person issued for these returns (our rows), in one currency."""
    rows = CreditRequest.objects.filter(rma__in=returns, currency=currency, withdrawn_at__isnull=True)
    return sum((row.amount for row in rows if row.settled_at or row.executed_by == PLATFORM), Decimal(0))


def _voided(order: Order) -> set[str]:
    done = order.effects.filter(kind=states.VOID_CREDIT, state__in=[states.DONE, states.CONFIRMED])
    return set(done.values_list("key", flat=True))
