"""Refunds made outside on the order of a return: what each may have been for, and the case that asks. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from returnsops import money, states
from returnsops.facts import RemoteRefundLine

from . import amounts, order_money, platform_writes
from .attribution import Answer, OpenReturn, Question, explain, shown
from .claims import payout_key
from .holds import Finding, problem
from .policy import Policy
from .view import LineView, PayoutView, ReturnView, ShopRefundView


def answers(view: ReturnView, policy: Policy) -> tuple[Answer, ...]:
    """What each refund made outside that is still a question may have been for."""
    open_ones = [refund for refund in order_money.questions(view, policy) if refund.attribution == "unattributed"]
    return tuple(_answer(view, policy, refund, open_ones) for refund in open_ones if view.order is not None)


def _answer(view: ReturnView, policy: Policy, refund: ShopRefundView, open_ones: Iterable[ShopRefundView]) -> Answer:
    assert view.order is not None
    others = [other for other in open_ones if other.refund_id != refund.refund_id]
    covering = order_money.covering(view, policy)
    elsewhere = [other for other in view.shop_refunds if other.attribution == "other_return"]
    taken = [line for other in (*others, *covering) for line in other.lines]
    question = Question(
        order=view.order,
        refund=refund,
        taken=(*order_money.taken_lines(view, policy), *taken),
        returns=(_own(view, policy, covering), *_siblings(view, policy)),
        is_sure=bool(refund.lines) or all(other.lines for other in (*others, *covering, *elsewhere)),
    )
    return platform_writes.answered(view, policy, refund, explain(question))


def _own(view: ReturnView, policy: Policy, covering: Iterable[ShopRefundView]) -> OpenReturn:
    """This return with the units that neither a refund of ours nor one made outside pays for yet."""
    paid = Counter[str]()
    for effect in view.effects:
        if effect.kind == states.REFUND and order_money.is_counted(effect):
            paid.update(_units(view, effect.lines, effect.item_id, effect.quantity or 0))
    for refund in covering:
        paid.update(_units(view, refund.lines, "", 0))
    sent = {effect.key for effect in view.effects if order_money.is_counted(effect)}
    payouts = [payout for payout in view.payouts if payout_key(view, payout) not in sent]
    return _open_return(
        view.ref, view.number, view.lines, payouts, policy, paid=paid, times=(view.requested_at, view.received_at)
    )


def _units(view: ReturnView, lines: Iterable[RemoteRefundLine], item_id: str, quantity: int) -> Counter[str]:
    named = Counter[str]()
    for line in lines:
        named[line.line_id] += line.quantity
    if not named and item_id:
        named.update({line.order_line_id: quantity for line in view.lines if line.item_id == item_id})
    return named


def _siblings(view: ReturnView, policy: Policy) -> Iterable[OpenReturn]:
    """The others with all they ever asked for: what may have been meant for them is never taken for certain."""
    for other in view.siblings:
        times = (other.requested_at, other.received_at)
        yield _open_return(other.ref, other.number, other.lines, other.payouts, policy, paid=Counter(), times=times)


def _open_return(
    ref: str,
    number: str,
    lines: Iterable[LineView],
    payouts: Iterable[PayoutView],
    policy: Policy,
    *,
    paid: Counter[str],
    times: tuple[datetime | None, datetime | None],
) -> OpenReturn:
    wanted = Counter[str]()
    every = [line for line in lines if line.order_line_id]
    for line in every:
        wanted[line.order_line_id] += line.quantity if line.resolution == "refund" else 0
    standing = [payout for payout in payouts if not payout.is_failed]
    requested_at, received_at = times
    return OpenReturn(
        ref=ref,
        number=number,
        wanted=tuple((line_id, max(0, units - paid[line_id])) for line_id, units in sorted(wanted.items())),
        lines=frozenset(line.order_line_id for line in every),
        payouts=tuple(payout.amount for payout in standing),
        has_shipping=policy.refund.shipping == "whole_order" or any(payout.shipping for payout in standing),
        requested_at=requested_at,
        received_at=received_at,
    )


# --- the case --------------------------------------------------------------------------------------------------------


def findings(view: ReturnView, policy: Policy) -> tuple[Finding, ...]:
    """One finding for all refunds on the order that nobody attributed yet (S1-23, S4-16)."""
    open_ones = order_money.questions(view, policy)
    if not open_ones or view.order is None:
        return ()
    currency = view.order.currency
    total = sum((refund.amount for refund in open_ones), amounts.gross(()))
    left = max(amounts.gross(()), view.order.total - order_money.refunded_in_shop(view))
    asked = answers(view, policy)
    return (
        problem(
            view,
            states.CASE_REFUNDED_OUTSIDE,
            _cause(view, open_ones, asked, left=money.display(left, currency=currency)),
            evidence={
                "refunds": [_refund(one, currency=currency) for one in open_ones],
                "explanations": [line for one in asked for line in shown(one)] or "none found",
                "remaining": amounts.text(left, currency=currency),
                "currency": currency,
            },
            money_at_risk=total,
            currency=currency,
        ),
    )


def _refund(one: ShopRefundView, *, currency: str) -> dict[str, str]:
    return {
        "id": one.refund_id,
        "amount": amounts.text(one.amount, currency=currency),
        "author": one.author or "not told by the shop",
        "reason": one.reason or "none given",
        "made_at": one.refunded_at.isoformat(),
        "record": "deleted in the shop" if one.attribution == "vanished" else "stands in the shop",
    }


def _cause(view: ReturnView, open_ones: Iterable[ShopRefundView], asked: Iterable[Answer], *, left: str) -> str:
    assert view.order is not None
    made = [refund for refund in open_ones if refund.attribution != "vanished"]
    gone = [refund for refund in open_ones if refund.attribution == "vanished"]
    parts = []
    if made:
        total = money.display(sum((one.amount for one in made), amounts.gross(())), currency=view.order.currency)
        who = sorted({refund.author for refund in made if refund.author})
        parts.append(
            f"{total} were refunded on the order outside of returnsops{' by ' + ', '.join(who) if who else ''}; "
            f"{left} can still be refunded. Say whether that was for this return."
        )
        parts.extend(_most_likely(one) for one in asked)
    parts.extend(
        f"Refund {one.refund_id} of {money.display(one.amount, currency=view.order.currency)} paid for this return, "
        "and its record has been deleted in the shop since. Deleting a record takes no money back: say whether the "
        "customer has it."
        for one in gone
    )
    return " ".join(parts)


def _most_likely(answer: Answer) -> str:
    if not answer.explanations:
        return f"Nothing on the order adds up to refund {answer.refund_id}."
    count = len(answer.explanations)
    ways = "the only explanation" if count == 1 else f"the likeliest of {count} explanations"
    return f"For refund {answer.refund_id}, {ways}: {answer.explanations[0].words}."
