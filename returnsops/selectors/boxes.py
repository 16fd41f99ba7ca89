"""The money box and the stock box of a return's page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from returnsops import states
from returnsops.models import Effect, Inspection, Order, Refund, ReturnAuthorisation, ReturnLine
from returnsops.planning import by_hand, proposed
from returnsops.services.proposals import remaining_of
from returnsops.services.views import view_of

from . import words

SOURCE_WORDS = {"platform": "Returns platform", "warehouse": "Our warehouse", "wms": "Warehouse system"}


@dataclass(frozen=True, kw_only=True)
class RefundShown:
    """A refund that stands in the shop, and whose it is."""

    refund: Refund
    amount: str
    whose: str
    by: str
    is_question: bool


@dataclass(frozen=True, kw_only=True)
class MoneyBox:
    """All amounts as text with their currency; '' where there is nothing to say."""

    ordered: str = ""
    said: tuple[str, ...] = ()
    in_shop: tuple[RefundShown, ...] = ()
    in_shop_total: str = ""
    planned: str = ""
    refundable: str = ""  # paid and not refunded in the shop
    remaining: str = ""  # of that, neither planned nor given as credit
    is_overdrawn: bool = False


@dataclass(frozen=True, kw_only=True)
class StockRow:
    """One item: how many came back, what each source found, how many went back into stock."""

    line: ReturnLine
    name: str
    returned: int
    verdicts: tuple[str, ...]
    restocked: int
    restocking: int
    by_hand: int = 0


def money_box(rma: ReturnAuthorisation) -> MoneyBox:
    """Ordered, what the platform says, what stands in the shop and by whom, what is planned, what is left."""
    said = tuple(_said(rma))
    planned = _planned(rma.effects.all())
    if rma.order is None:
        return MoneyBox(said=said, planned=planned)
    refunds = _standing(rma.order)
    left = remaining_of(rma.order)
    return MoneyBox(
        ordered=words.amount(rma.order.total, rma.order.currency),
        said=said,
        in_shop=tuple(refund_shown(row, rma=rma) for row in refunds),
        in_shop_total=words.total((row.amount, row.currency) for row in refunds),
        planned=planned,
        refundable=words.amount(not_refunded(rma.order), rma.order.currency),
        remaining=words.amount(left, rma.order.currency),
        is_overdrawn=left < 0,
    )


def not_refunded(order: Order) -> Decimal:
    """What was paid and does not stand refunded in the shop, whatever is planned; never below nothing."""
    return max(Decimal(0), order.total - sum((row.amount for row in _standing(order)), Decimal(0)))


def refunded_before(rma: ReturnAuthorisation, *, but: str = "") -> str:
    """What was refunded for a return, is on its way or is proposed, beside the effect with the key ``but``."""
    return proposed.already(view_of(rma), but=but)


def refund_shown(refund: Refund, *, rma: ReturnAuthorisation | None = None) -> RefundShown:
    """One refund in the shop, seen from a return (or from none)."""
    question = refund.origin == Refund.EXTERNAL and refund.rma_id is None and not refund.is_unrelated
    return RefundShown(
        refund=refund,
        amount=words.amount(refund.amount, refund.currency),
        whose=_whose(refund, rma),
        by=refund.author or ("returnsops" if refund.origin == Refund.OURS else "somebody in the shop"),
        is_question=question,
    )


def stock_box(rma: ReturnAuthorisation) -> tuple[StockRow, ...]:
    """One row per item that still belongs to the return."""
    effects = [row for row in rma.effects.all() if row.kind in states.STOCK_KINDS]
    lines = rma.lines.filter(is_withdrawn=False).prefetch_related("inspections")
    view = view_of(rma) if _has_records_of_others(rma) else None
    counted = {line.item_id: by_hand.units(view, line) for line in view.lines} if view else {}
    return tuple(_stock_row(line, effects, by_hand_units=counted.get(line.external_id, 0)) for line in lines)


def other_goods(rma: ReturnAuthorisation) -> tuple[str, ...]:
    """Verdicts in force on items that the return does not name, or not any more: nothing follows from them."""
    is_unknown = Q(line__isnull=True) | Q(line__is_withdrawn=True)
    rows = rma.inspections.filter(is_unknown, is_superseded=False).select_related("line")
    return tuple(f"{row.sku or row.item_external_id}: {words}" for row in rows if (words := _verdict(row)))


def _has_records_of_others(rma: ReturnAuthorisation) -> bool:
    """Whether anybody else made refund records on the order that name lines: only those can have restocked."""
    rows = Refund.objects.filter(order=rma.order_id, origin=Refund.EXTERNAL, vanished_at__isnull=True)
    return rma.order_id is not None and rows.exclude(lines=[]).exists()


def _standing(order: Order) -> list[Refund]:
    return list(order.refunds.filter(vanished_at__isnull=True).exclude(amount=0).select_related("rma"))


def _said(rma: ReturnAuthorisation) -> list[str]:
    found = []
    for row in rma.platform_refunds.all():
        who = words.EXECUTOR_WORDS.get(row.executed_by, "it does not say who pays")
        failed = f", failed: {row.failure_text or row.failure_code}" if row.failed_at else ""
        found.append(f"{words.amount(row.amount, row.currency)} ({row.external_id}), {who}{failed}")
    return found


def _planned(effects: Iterable[Effect]) -> str:
    live = states.UNSENT | states.IN_FLIGHT
    rows = [(row.amount, row.currency) for row in effects if row.kind in states.VALUE_KINDS and row.state in live]
    return words.total(rows) if rows else "nothing"


def _whose(refund: Refund, rma: ReturnAuthorisation | None) -> str:
    if refund.origin == Refund.OURS:
        return "ours"
    if refund.is_unrelated:
        return "made outside, unrelated to returns"
    if refund.rma_id is None:
        return "made outside, nobody said what it was for"
    return "made outside, for this return" if rma and refund.rma_id == rma.pk else f"for return {refund.rma}"


def _stock_row(line: ReturnLine, effects: Sequence[Effect], *, by_hand_units: int) -> StockRow:
    own = [row for row in effects if row.item_external_id == line.external_id and row.kind == states.RESTOCK]
    out = [row for row in effects if row.item_external_id == line.external_id and row.kind == states.TAKE_OUT]
    done = {states.DONE, states.CONFIRMED}
    return StockRow(
        line=line,
        name=line.name or line.sku,
        returned=line.quantity,
        verdicts=tuple(_verdicts(line)),
        restocked=sum(row.quantity or 0 for row in own if row.state in done)
        - sum(row.quantity or 0 for row in out if row.state in done),
        restocking=sum(row.quantity or 0 for row in own if row.state in states.UNSENT | states.IN_FLIGHT),
        by_hand=by_hand_units,
    )


def _verdicts(line: ReturnLine) -> list[str]:
    return [words for row in line.inspections.all() if (words := _verdict(row))]


def _verdict(row: Inspection) -> str:
    """Who judged how many units as what; '' for one that does not count any more, or says nothing yet."""
    if row.is_superseded or not row.quantity:
        return ""
    final = "" if row.is_final else ", not final"
    reason = f": {row.reject_reason}" if row.reject_reason else ""
    by = f" by {row.inspected_by}" if row.inspected_by else ""
    what = row.disposition.replace("_", " ")
    again = ", counted again" if row.is_recount else ""
    other = f", SKU {row.sku}" if row.line is not None and row.sku not in ("", row.line.sku) else ""
    return f"{SOURCE_WORDS[row.source]}{by}: {row.quantity} {row.outcome}, {what}{other}{final}{again}{reason}"
