"""Duties and tips that were partly given back outside, and whose rest no refund of ours gives: a case. Pure.

A shop gives a duty back whole or by units (schema 2026-07, ``RefundDutyInput``), so that of one which is touched
nothing more goes by itself (``amounts.untouched``), also where the policy gives them back with the last units.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from returnsops import money, states
from returnsops.facts import OrderLineSnapshot, RemoteRefundLine

from . import amounts, order_money
from .claims import claims_of
from .covered import in_turn, uncovered
from .holds import case_of, is_accepted
from .model import Part, PlannedCase
from .policy import Policy
from .view import EffectView, ReturnView


def plan_duties(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """A case for each duty or tip of which a part is left though all goods of the order are refunded, or are due."""
    modes = {"duty": policy.refund.duties, "tip": policy.refund.tips}
    kinds = [kind for kind, mode in modes.items() if mode == "whole_order"]
    starts = policy.initiator(view.resolution) == "policy_trigger"
    if not kinds or not starts or not view.commerce or view.status in states.RETURN_ENDED or view.order is None:
        return Part()
    if order_money.questions(view, policy) or not _is_the_one_to_ask(view, policy):
        return Part()
    given = _given(view, policy)
    if any(amounts.units_left(line, given) for line in view.order.lines if line.kind == "item"):
        return Part()
    lines = [line for line in view.order.lines if line.kind in kinds]
    return Part(cases=tuple(case for line in lines for case in _partly(view, line, _net(line, given))))


def _given(view: ReturnView, policy: Policy) -> list[RemoteRefundLine]:
    """Everything refunded and due. A duty that is named twice, by our effect and by the shop, has nothing left."""
    due = uncovered(view, policy, in_turn(view, policy, claims_of(view, policy)))
    return [
        *order_money.taken_lines(view, policy),
        *(line for refund in order_money.covering(view, policy) for line in refund.lines),
        *(line for one in due if not one.claim.waits for line in one.lines),
        *(line for effect in _refunds(view) for line in effect.lines if not line.quantity),
    ]


def _refunds(view: ReturnView) -> Iterable[EffectView]:
    """Refunds of the order that are sent, of any return."""
    every = (*view.effects, *view.sibling_effects)
    return (effect for effect in every if effect.kind == states.REFUND and order_money.is_counted(effect))


def _is_the_one_to_ask(view: ReturnView, policy: Policy) -> bool:
    """Of several returns of the order that ask, one does: it is nobody's duty in particular."""
    others = [one.ref for one in view.open_returns if policy.initiator(one.resolution) == "policy_trigger"]
    return all(ref < view.ref for ref in others)


def _net(line: OrderLineSnapshot, given: Iterable[RemoteRefundLine]) -> Decimal:
    """What was given back of a line without its taxes, which the shop does not name beside a duty."""
    return sum((other.net for other in given if other.line_id == line.line_id), Decimal(0))


def _partly(view: ReturnView, line: OrderLineSnapshot, given: Decimal) -> Iterable[PlannedCase]:
    left = line.net - given
    if given <= 0 or left <= 0 or is_accepted(view, states.CASE_DUTY_LEFT, line.line_id):
        return
    assert view.order is not None
    currency = view.order.currency
    words = [money.display(figure, currency=currency) for figure in (given, line.net, left)]
    yield case_of(
        view,
        states.CASE_DUTY_LEFT,
        f"{words[0]} of {words[1]} ({line.name or line.kind}) were given back by hand, and all goods of the order are "
        f"refunded: {words[2]} are left, and no refund gives them back by itself.",
        subject=line.line_id,
        evidence={
            "line": line.line_id,
            "whole": amounts.text(line.net, currency=currency),
            "given back": amounts.text(given, currency=currency),
            "left": amounts.text(left, currency=currency),
            "currency": currency,
        },
        money_at_risk=left,
        currency=currency,
    )
