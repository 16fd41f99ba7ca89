"""What the returns platform is told, and from which state of a return each message follows. Pure.

A message is a small document; how it travels (a call, or a person who types it in) is not known here. Amounts are
decimal strings in major units of the order's currency.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from returnsops import money, states
from returnsops.facts import OrderSnapshot, RemoteRefundLine

from . import amounts, items, order_money, platform_writes, verdicts
from .claims import payout_key, payouts
from .exchange_ends import key_of
from .policy import Policy
from .view import ExchangeView, LineView, PayoutView, ReturnView, ShopRefundView, VerdictView

DO_NOT_PAY = "Already refunded in the shop. Do not pay."
# The fields of each message, for call templates; lists of items have fields of their own.
ALWAYS = ("message", "return_number", "order_id", "order_number")
FIELDS: Mapping[str, tuple[str, ...]] = {
    states.TELL_LINES: (*ALWAYS, "currency", "total", "items"),
    states.TELL_ALREADY_REFUNDED: (*ALWAYS, "amount", "currency", "reference", "refunded_at", "note"),
    states.TELL_VERDICT: (*ALWAYS, "items"),
    states.TELL_EXCHANGE_ORDER: (*ALWAYS, "exchange_id", "exchange_order_id"),
}
ITEM_FIELDS: Mapping[str, tuple[str, ...]] = {
    states.TELL_LINES: (
        "item_id",
        "order_line_id",
        "sku",
        "quantity",
        "unit_net",
        "unit_tax",
        "unit_total",
        "net",
        "tax",
        "total",
    ),
    states.TELL_VERDICT: ("item_id", "sku", "quantity", "outcome", "disposition", "is_final", "source", "inspected_at"),
}


@dataclass(frozen=True, kw_only=True)
class Message:
    """One thing to tell the platform. ``subject`` is what it is about, ``text`` what a person would have to do."""

    name: str
    subject: str
    document: Mapping[str, Any]
    text: str
    deadline_at: datetime | None = None  # by when the platform should know; None: no date of its own
    is_shown: bool = False  # the platform's own data say the same, so nobody has to type it in
    is_expected: bool = False  # the platform knows from the set-up; a person is not asked to say it
    waits: str = ""  # what it waits for, in words
    amount: Decimal | None = None
    currency: str = ""


def messages_of(view: ReturnView, policy: Policy) -> tuple[Message, ...]:
    """Everything the platform ought to know by now; nothing for a return that ended."""
    if view.status in states.RETURN_ENDED:
        return ()
    exchanges = tuple(_exchange_orders(view, policy))
    if view.status == states.CLOSED:  # the platform decided everything but where the replacement is
        return exchanges
    return (*_lines(view, policy), *_already_refunded(view, policy), *_verdict(view, policy), *exchanges)


def decision_due_at(view: ReturnView, policy: Policy) -> datetime | None:
    """When the platform wants a decision on an instant return (reveni.md A3)."""
    start = view.requested_at or view.authorised_at
    return start + timedelta(days=policy.decision_days) if view.mode == "instant" and start is not None else None


# --- confirmed lines and values ------------------------------------------------------------------------------------


def _lines(view: ReturnView, policy: Policy) -> Iterable[Message]:
    """What comes back is worth on the final order, once all of it was found there and before money is decided."""
    order = view.order
    if order is None or order.is_gone or not view.lines or payouts(view) or order.currency != view.currency:
        return
    if any(items.order_line(view, line) is None or _is_too_many(view, policy, line) for line in view.lines):
        return
    rows = _worths(view, policy, order)
    total = sum((Decimal(row["total"]) for row in rows), Decimal(0))
    told = {line.item_id: line.total for line in view.lines}
    yield Message(
        name=states.TELL_LINES,
        subject="final",
        document={
            **_always(view, states.TELL_LINES),
            "currency": order.currency,
            "total": amounts.text(total, currency=order.currency),
            "items": rows,
        },
        text="The final order gives the values below. Correct the return's items in the returns platform to them.",
        deadline_at=decision_due_at(view, policy),
        is_shown=all(told[row["item_id"]] == Decimal(row["total"]) for row in rows),
    )


def _is_too_many(view: ReturnView, policy: Policy, line: LineView) -> bool:
    return any(found.hold.code == states.CASE_TOO_MANY_UNITS for found in items.findings(view, policy, line))


def _worths(view: ReturnView, policy: Policy, order: OrderSnapshot) -> list[dict[str, Any]]:
    """Each item's share of its order line, after what other returns and other people took of it."""
    taken = list(order_money.lines_of_others(view, policy))
    rows = []
    for line in sorted(view.lines, key=lambda line: line.item_id):
        bought = items.order_line(view, line)
        assert bought is not None
        share = amounts.unit_share(bought, count=line.quantity, taken=taken, currency=order.currency)
        taken.append(share)
        rows.append(_worth(line, share, currency=order.currency))
    return rows


def _worth(line: LineView, share: RemoteRefundLine, *, currency: str) -> dict[str, Any]:
    tax = sum((part.amount for part in share.taxes), Decimal(0))
    figures = {"net": share.net, "tax": tax, "total": share.net + tax}
    # Units may differ by a cent: the figures per unit are rounded, those of the item are exact.
    each = {
        f"unit_{name}": amounts.text(money.rounded(figure / line.quantity, currency=currency), currency=currency)
        for name, figure in figures.items()
    }
    whole = {name: amounts.text(figure, currency=currency) for name, figure in figures.items()}
    return {
        "item_id": line.item_id,
        "order_line_id": line.order_line_id,
        "sku": line.sku,
        "quantity": line.quantity,
        **each,
        **whole,
    }


# --- already refunded, do not pay ----------------------------------------------------------------------------------


def _already_refunded(view: ReturnView, policy: Policy) -> Iterable[Message]:
    """Each refund in the shop that pays for something of this return the platform has not decided yet."""
    if is_all_decided(view):
        return
    due_at = decision_due_at(view, policy)
    is_ours = policy.initiator(view.resolution) == "policy_trigger"
    for refund in _undecided(view, paying_refunds(view, policy)):
        amount = amounts.text(refund.amount, currency=refund.currency)
        is_in_time = due_at is not None and due_at > refund.refunded_at
        yield Message(
            name=states.TELL_ALREADY_REFUNDED,
            subject=refund.refund_id,
            document={
                **_always(view, states.TELL_ALREADY_REFUNDED),
                "amount": amount,
                "currency": refund.currency,
                "reference": refund.refund_id,
                "refunded_at": refund.refunded_at.isoformat(),
                "note": DO_NOT_PAY,
            },
            text=f"{money.display(refund.amount, currency=refund.currency)} of this return were refunded in the shop "
            f"already (refund {refund.refund_id}). Tell the returns platform not to pay that again.",
            deadline_at=due_at if is_in_time else refund.refunded_at,
            is_expected=not may_pay(view, policy)
            or (is_ours and _is_planned(view, refund))
            or platform_writes.is_written(view, policy, refund)
            or platform_writes.is_of_given_up(view, policy, refund),
            amount=refund.amount,
            currency=refund.currency,
        )


def may_pay(view: ReturnView, policy: Policy) -> bool:
    """Whether the platform may move money: by itself, by writing into the shop, or it told of a refund of its own."""
    return view.platform_pays or policy.refund.writer == "platform" or bool(view.payouts)


def paying_refunds(view: ReturnView, policy: Policy) -> tuple[ShopRefundView, ...]:
    """Refunds standing in the shop that pay for this return without a decision of the platform behind them."""
    decided = {payout_key(view, payout) for payout in view.payouts}
    own = {effect.key for effect in view.effects if effect.kind == states.REFUND} - decided
    covering = order_money.covering(view, policy)
    ours = [refund for refund in view.shop_refunds if any(order_money.is_of_key(refund, key) for key in own)]
    return tuple(dict.fromkeys((*covering, *ours)))


def _is_planned(view: ReturnView, refund: ShopRefundView) -> bool:
    """Refunded by the rule of the route, which the platform leaves to us."""
    return any(
        order_money.is_of_key(refund, effect.key) and effect.origin == states.ORIGIN_PLAN for effect in view.effects
    )


def is_all_decided(view: ReturnView) -> bool:
    """Every unit that wants money is named by a payout: the platform has nothing left to pay."""
    wanted = [line for line in view.lines if line.resolution == "refund"]
    told = payouts(view)
    return bool(wanted) and all(_is_decided(line, told) for line in wanted)


def _is_decided(line: LineView, told: Iterable[PayoutView]) -> bool:
    units = [
        line.quantity if not payout.items else sum(i.quantity for i in payout.items if i.item_id == line.item_id)
        for payout in told
    ]
    return sum(units) >= line.quantity


def _undecided(view: ReturnView, refunds: Iterable[ShopRefundView]) -> list[ShopRefundView]:
    """The refunds less those that stand for a payout: same amounts first, the rest in order."""
    sent = {effect.key: effect.amount or Decimal(0) for effect in view.effects if order_money.is_counted(effect)}
    open_payouts = [payout.amount - sent.get(payout_key(view, payout), Decimal(0)) for payout in payouts(view)]
    rest = []
    for refund in refunds:
        if refund.amount in open_payouts:
            open_payouts.remove(refund.amount)
        else:
            rest.append(refund)
    pool = sum(open_payouts, Decimal(0))
    found = []
    for refund in rest:
        if refund.amount > pool:
            found.append(refund)
        pool = max(Decimal(0), pool - refund.amount)
    return found


# --- what our own inspection found ---------------------------------------------------------------------------------


def _verdict(view: ReturnView, policy: Policy) -> Iterable[Message]:
    """The newest verdicts of our own warehouse, for a platform that did not judge itself."""
    ours = {line.item_id: verdicts.of_warehouse(view, line.item_id) for line in view.lines}
    if not any(ours.values()):
        return
    needed = sum(line.quantity for line in view.lines)
    done = sum(min(line.quantity, verdicts.judged(ours[line.item_id])) for line in view.lines)
    rows = [
        _judged(line, verdict)
        for line in sorted(view.lines, key=lambda line: line.item_id)
        for verdict in ours[line.item_id]
    ]
    theirs = {line.item_id: verdicts.of_platform(view, line.item_id) for line in view.lines}
    yield Message(
        name=states.TELL_VERDICT,
        subject="inspection",
        document={**_always(view, states.TELL_VERDICT), "items": rows},
        text="Our warehouse judged the goods as below. Enter the same verdicts in the returns platform.",
        deadline_at=decision_due_at(view, policy),
        is_shown=all(_counts(ours[item_id]) == _counts(theirs[item_id]) for item_id in ours),
        waits="" if done >= needed else f"waits for inspection of {needed - done} of {needed} items",
    )


def _judged(line: LineView, verdict: VerdictView) -> dict[str, Any]:
    return {
        "item_id": line.item_id,
        "sku": line.sku,
        "quantity": verdict.quantity,
        "outcome": verdict.outcome,
        "disposition": verdict.disposition,
        "is_final": verdict.is_final,
        "source": verdict.source,
        "inspected_at": verdict.inspected_at.isoformat(),
    }


def _counts(given: Sequence[VerdictView]) -> Counter[tuple[str, str]]:
    units: Counter[tuple[str, str]] = Counter()
    for verdict in given:
        units[verdict.outcome, verdict.disposition] += verdict.quantity
    return units


# --- where the replacement is --------------------------------------------------------------------------------------


def _exchange_orders(view: ReturnView, policy: Policy) -> Iterable[Message]:
    """The number of each replacement order that exists: its effect is done, or a person placed it (S4-19)."""
    for exchange in view.exchanges:
        order_id = "" if exchange.is_cancelled else _order_of(view, exchange.exchange_id)
        if order_id:
            yield Message(
                name=states.TELL_EXCHANGE_ORDER,
                subject=exchange.exchange_id,
                document={
                    **_always(view, states.TELL_EXCHANGE_ORDER),
                    "exchange_id": exchange.exchange_id,
                    "exchange_order_id": order_id,
                },
                text=f"{_replacement(view, exchange)} is order {order_id} in the shop. Enter that number in the "
                "returns platform, which tells the customer.",
                deadline_at=decision_due_at(view, policy),
            )


def _replacement(view: ReturnView, exchange: ExchangeView) -> str:
    """What is sent instead, in words of the shop; ids of the platform mean nothing to people."""
    goods = ", ".join(f"{line.quantity} x {line.sku or line.variant_id}" for line in exchange.lines)
    return f"The replacement{f' ({goods})' if goods else ''} for order {_order_number(view)}"


def _order_of(view: ReturnView, exchange_id: str) -> str:
    placed = [
        effect.remote_id
        for effect in view.effects
        if effect.kind == states.EXCHANGE
        and effect.state in (states.DONE, states.CONFIRMED)
        and effect.key == key_of(view, exchange_id)
    ]
    by_hand = [one.commerce_order_id for one in view.exchanges if one.exchange_id == exchange_id and one.is_settled]
    return next((order_id for order_id in (*placed, *by_hand) if order_id), "")


def _always(view: ReturnView, name: str) -> dict[str, Any]:
    return {
        "message": name,
        "return_number": view.number,
        "order_id": view.order_id,
        "order_number": _order_number(view),
    }


def _order_number(view: ReturnView) -> str:
    return (view.order.number if view.order is not None else "") or view.order_id
