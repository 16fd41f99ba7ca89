"""What journeys of reconciliation share: played returns, comparisons over HTTP, and what they found."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from connectors.simulators.woocommerce.records import Note, Order, Refund
from reconciliation import services
from reconciliation.models import Finding, Run
from returnsops.models import Order as OrderRow
from returnsops.models import Route
from tests.journeys.world import World

MONTH = timedelta(days=30)


def route() -> Route:
    """The only route."""
    return Route.objects.select_related("commerce").get(name="main")


def compare(w: World, *, trigger: str = "command", **options: Any) -> tuple[Run, ...]:
    """Every check over the last 30 days."""
    at = w.now()
    return services.reconcile(route=route(), since=at - MONTH, until=at, trigger=trigger, at=at, by="test", **options)


def found() -> list[tuple[str, str]]:
    """Check and cause of each open finding that nobody accepted."""
    return sorted((row.check_code, row.cause) for row in services.open_findings(routes=[route()]))


def found_by_order() -> set[tuple[str, str]]:
    """Order id in the shop and cause of each open finding."""
    return {(row.order.external_id, row.cause) for row in services.open_findings(routes=[route()])}


def finding(cause: str) -> Finding:
    """The newest finding of a cause."""
    row = Finding.objects.filter(cause=cause).order_by("-pk").first()
    assert row is not None
    return row


def returned(w: World, *, disposition: str = "sellable", amount: str = "30.00", units: int = 2) -> tuple[Order, str]:
    """One unit of two comes back, is judged and refunded; nothing is delivered yet."""
    order = w.order((w.product(new_sku(w), price=amount), units))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.judge(return_id, disposition)
    w.pay(return_id, amount)
    return order, return_id


def new_sku(w: World) -> str:
    """One that no product has yet."""
    return f"TEE-{len(w.shop.state.products)}"


def closed(cause: str) -> list[tuple[str, bool]]:
    """Kind of each case that findings of a cause had, and whether it is closed."""
    rows = Finding.objects.filter(cause=cause).exclude(case=None).select_related("case").order_by("pk")
    return [(row.case.kind_code, not row.case.is_active) for row in rows if row.case is not None]


def owner_of(cause: str) -> tuple[str, str]:
    """Kind and team of the case that the newest finding of a cause asks for."""
    case = finding(cause).case
    assert case is not None
    return case.kind_code, case.owner_team


def note_of(w: World, order: Order, token: str) -> Note:
    """The note of the order that holds a token."""
    (note,) = [note for note in w.shop.state.notes if note.order_id == order.id and token in note.text]
    return note


def only_money(w: World, order: Order) -> Refund:
    """The one record with money."""
    (refund,) = w.money_refunds(order)
    return refund


def copy_of(w: World, refund: Refund, **changes: Any) -> Refund:
    """Another record like it, as a second program would have made it."""
    with w.shop.state.lock:
        made = Refund(
            id=w.shop.state.next_id("post"),
            order_id=refund.order_id,
            amount=refund.amount,
            reason=refund.reason,
            created_at=w.now(),
            items=list(refund.items),
            meta=list(refund.meta),
        )
        for name, value in changes.items():
            setattr(made, name, value)
        w.shop.state.refunds[made.id] = made
    return made


def plain_order(w: World) -> Order:
    """An order without returns, known to us by polling."""
    order = w.order((w.product(new_sku(w)), 2))
    w.poll()
    w.settle()
    assert OrderRow.objects.filter(external_id=str(order.id)).exists()
    return order


FIVE = Decimal("5.00")
