"""What a claim is worth on the final order, and whether the platform's figure agrees (design section 7). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from returnsops import money, states
from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefundLine

from . import amounts, items
from .claims import Claim
from .holds import Finding, problem, waived_amounts
from .policy import Policy
from .view import LineView, ReturnView

MOVED_ALREADY = frozenset({"returns_platform", "merchant"})


@dataclass(frozen=True, kw_only=True)
class Valued:
    """A claim with the amount to be sent and the lines that carry it; ``amount`` None: it cannot be said yet."""

    claim: Claim
    amount: Decimal | None
    lines: tuple[RemoteRefundLine, ...] = ()
    findings: tuple[Finding, ...] = ()
    is_released: bool = False  # a person accepted the amount
    covered: Decimal = Decimal(0)  # what refunds made outside took off the amount


@dataclass(frozen=True, kw_only=True)
class _Sum:
    """The arithmetic: lines with shipping, less fees; the span of equally right sums; what is left of the lines."""

    lines: tuple[RemoteRefundLine, ...]
    worth: Decimal
    low: Decimal
    high: Decimal
    most: Decimal


def valued(view: ReturnView, policy: Policy, claim: Claim, taken: Sequence[RemoteRefundLine]) -> Valued:
    """Amount and lines of a claim after everything that is taken of the order, and what is wrong with it."""
    found = _of_claim(view, policy, claim)
    if view.order is None or any(finding.hold.code in _UNCOUNTABLE for finding in found):
        return Valued(claim=claim, amount=claim.amount, findings=found)
    wanted, too_many = _units(view, view.order, claim, taken)
    if too_many:
        return Valued(claim=claim, amount=claim.amount, findings=(*found, *too_many))
    total = _sum_of(view.order, policy, claim, wanted, taken)
    accepted = _accepted(view, claim, total)
    is_difference = _is_difference(view, claim)
    amount = _preferred(policy, claim, total, takes_theirs=is_difference) if accepted is None else accepted
    is_fine = accepted is not None or is_difference or _agrees(policy, claim, total)
    return Valued(
        claim=claim,
        amount=amount,
        lines=amounts.scaled(total.lines, amount, currency=claim.currency),
        findings=found if is_fine else (*found, _mismatch(view, policy, claim, total)),
        is_released=accepted is not None,
    )


_UNCOUNTABLE = frozenset(
    {
        states.CASE_CURRENCY_MISMATCH,
        states.CASE_LINE_NOT_ON_ORDER,
        states.CASE_TOO_MANY_UNITS,
        "inexact_amount",
    }
)


def _of_claim(view: ReturnView, policy: Policy, claim: Claim) -> tuple[Finding, ...]:
    found = [finding for line, _ in claim.wanted for finding in items.findings(view, policy, line)]
    found.extend(_unknown_item(view, claim, item_id) for item_id in claim.unknown_items)
    if view.order is not None and claim.currency != view.order.currency:
        found.append(_foreign(view, claim, view.order))
    elif view.order is not None and _is_inexact(view, claim):
        found.append(_inexact(view, claim))
    return tuple(found)


def _is_inexact(view: ReturnView, claim: Claim) -> bool:
    """More digits than the currency has, and no amount accepted instead."""
    if claim.amount is None or money.is_exact(claim.amount, currency=claim.currency):
        return False
    return not waived_amounts(view, states.CASE_AMOUNT_MISMATCH, claim.key)


def _unknown_item(view: ReturnView, claim: Claim, item_id: str) -> Finding:
    return problem(
        view,
        states.CASE_LINE_NOT_ON_ORDER,
        f"refund {claim.subject} pays for item {item_id}, which is not part of this return. "
        "Correct the return in the returns platform, or refund by hand with a second person.",
        subject=item_id,
        evidence={"item": item_id, "refund": claim.subject},
        money_at_risk=claim.amount,
        currency=claim.currency,
    )


def _foreign(view: ReturnView, claim: Claim, order: OrderSnapshot) -> Finding:
    return problem(
        view,
        states.CASE_CURRENCY_MISMATCH,
        f"the refund is in {claim.currency}, the order in {order.currency}. "
        "Correct the refund in the returns platform, or refund by hand with a second person.",
        subject=claim.subject,
        evidence={"refund": claim.currency, "order": order.currency, "amount": str(claim.amount)},
        money_at_risk=claim.amount,
        currency=claim.currency,
    )


def _inexact(view: ReturnView, claim: Claim) -> Finding:
    amount = claim.amount or Decimal(0)
    return problem(
        view,
        states.CASE_AMOUNT_MISMATCH,
        f"the platform decided {amount.normalize():f} {claim.currency}, which has more digits than the currency. "
        "Correct the refund in the returns platform, or accept one amount.",
        code="inexact_amount",
        subject=claim.subject,
        evidence={"platform": f"{amount.normalize():f}", "currency": claim.currency},
        money_at_risk=amount,
        currency=claim.currency,
    )


def _units(
    view: ReturnView, order: OrderSnapshot, claim: Claim, taken: Sequence[RemoteRefundLine]
) -> tuple[list[tuple[OrderLineSnapshot, int]], list[Finding]]:
    """Order lines with the units claimed of each; a finding where a line has not that many left."""
    wanted: dict[str, tuple[OrderLineSnapshot, int]] = {}
    found = []
    for line, asked in claim.wanted:
        bought = items.order_line(view, line)
        assert bought is not None
        before = wanted[bought.line_id][1] if bought.line_id in wanted else 0
        free = amounts.units_left(bought, taken) - before
        units = asked or min(line.quantity, free)
        if not 0 < units <= free:
            found.append(_none_left(view, claim, line, units, free))
        wanted[bought.line_id] = (bought, before + units)
    return list(wanted.values()), found


def _none_left(view: ReturnView, claim: Claim, line: LineView, units: int, free: int) -> Finding:
    return problem(
        view,
        states.CASE_TOO_MANY_UNITS,
        f"refund {claim.subject} pays for {units or line.quantity} x {items.label(line)}, but only {max(0, free)} of "
        "them are not refunded yet. Correct the refund in the returns platform, or refund by hand.",
        subject=claim.subject,
        evidence={"item": line.item_id, "asked": units or line.quantity, "left": max(0, free)},
        money_at_risk=claim.amount,
        currency=claim.currency,
    )


def _sum_of(
    order: OrderSnapshot,
    policy: Policy,
    claim: Claim,
    wanted: Sequence[tuple[OrderLineSnapshot, int]],
    taken: Sequence[RemoteRefundLine],
) -> _Sum:
    shares = [amounts.unit_share(line, count=units, taken=taken, currency=claim.currency) for line, units in wanted]
    spans = [amounts.span(line, count=units, currency=claim.currency) for line, units in wanted]
    after = [*taken, *shares]
    shipping = (*_shipping(order, policy, claim, after), *_duties_and_tips(order, policy, claim, after))
    rest = amounts.gross(shipping) - claim.fees
    return _Sum(
        lines=(*shares, *shipping),
        worth=amounts.gross(shares) + rest,
        low=sum((low for low, _ in spans), rest),
        high=sum((high for _, high in spans), rest),
        most=sum((amounts.money_left(line, taken) for line, _ in wanted), amounts.gross(shipping)),
    )


def _shipping(
    order: OrderSnapshot, policy: Policy, claim: Claim, taken: Sequence[RemoteRefundLine]
) -> tuple[RemoteRefundLine, ...]:
    """The part of the order's shipping lines this claim gets: never more than is left of them."""
    left = amounts.shipping_left(order, taken)
    most = money.rounded(amounts.gross(left), currency=claim.currency)
    mode = policy.refund.shipping
    if mode == "never" or (mode == "whole_order" and not _is_last(order, taken)):
        return ()
    asked = most if claim.amount is None and mode == "whole_order" else claim.shipping
    amount = min(asked, most)
    return amounts.scaled(left, amount, currency=claim.currency) if amount > 0 else ()


def _duties_and_tips(
    order: OrderSnapshot, policy: Policy, claim: Claim, taken: Sequence[RemoteRefundLine]
) -> tuple[RemoteRefundLine, ...]:
    """Duties and tips with the last units, where the policy starts the refund: a platform names neither."""
    modes = {"duty": policy.refund.duties, "tip": policy.refund.tips}
    kinds = [kind for kind, mode in modes.items() if mode == "whole_order"]
    if claim.amount is not None or not kinds or not _is_last(order, taken):
        return ()
    return amounts.untouched(order, taken, kinds)


def _is_last(order: OrderSnapshot, taken: Sequence[RemoteRefundLine]) -> bool:
    """Whether nothing of the order's goods is left to be refunded."""
    return all(amounts.units_left(line, taken) == 0 for line in order.lines if line.kind == "item")


def _accepted(view: ReturnView, claim: Claim, total: _Sum) -> Decimal | None:
    """The amount a person accepted for this claim; another than the two figures only for a single refund."""
    if claim.amount is None:
        return None
    is_only = len(view.payouts) == 1
    for amount in waived_amounts(view, states.CASE_AMOUNT_MISMATCH, claim.key):
        if (is_only or amount in (claim.amount, total.worth)) and money.is_exact(amount, currency=claim.currency):
            return amount
    return None


def _preferred(policy: Policy, claim: Claim, total: _Sum, *, takes_theirs: bool) -> Decimal:
    """The figure to send while both agree. Money that moved already is recorded as it moved."""
    if claim.amount is None:
        return total.worth
    has_moved = claim.executed_by in MOVED_ALREADY
    takes_theirs = takes_theirs or has_moved or policy.refund.amount_source == "platform" or total.worth <= 0
    return claim.amount if takes_theirs else total.worth


def _agrees(policy: Policy, claim: Claim, total: _Sum) -> bool:
    slack = policy.tolerance(claim.currency)
    if claim.amount is None:
        return True
    return total.low - slack <= claim.amount <= min(total.high, total.most) + slack


def _is_difference(view: ReturnView, claim: Claim) -> bool:
    """Exactly what the replacements of these items cost less, and not what the items were worth."""
    less = sum((-one.price_difference for one in view.exchanges if one.price_difference < 0), Decimal(0))
    is_exchange = bool(claim.wanted) and all(line.resolution == "exchange" for line, _ in claim.wanted)
    return is_exchange and 0 < less == claim.amount


def _mismatch(view: ReturnView, policy: Policy, claim: Claim, total: _Sum) -> Finding:
    assert claim.amount is not None
    evidence = _arithmetic(policy, claim, total)
    theirs = money.display(claim.amount, currency=claim.currency)
    ours = money.display(total.worth, currency=claim.currency)
    return problem(
        view,
        states.CASE_AMOUNT_MISMATCH,
        f"the platform decided {theirs}, the order gives {ours}: {_in_words(claim, total)}. Accept one of the amounts.",
        subject=claim.subject,
        evidence=evidence,
        money_at_risk=abs(claim.amount - total.worth),
        currency=claim.currency,
    )


def _arithmetic(policy: Policy, claim: Claim, total: _Sum) -> dict[str, Any]:
    assert claim.amount is not None

    def text(amount: Decimal) -> str:
        return amounts.text(amount, currency=claim.currency)

    return {
        "platform": text(claim.amount),
        "computed": text(total.worth),
        "difference": text(claim.amount - total.worth),
        "tolerance": text(policy.tolerance(claim.currency)),
        "currency": claim.currency,
        "lines": amounts.lines_document(total.lines, currency=claim.currency),
        "fees": text(claim.fees),
        "asked_shipping": text(claim.shipping),
    }


def _in_words(claim: Claim, total: _Sum) -> str:
    units = [line for line in total.lines if line.quantity]
    shipping = [line for line in total.lines if not line.quantity]
    words = [
        f"{line.quantity} x line {line.line_id} {money.display(amounts.gross([line]), currency=claim.currency)}"
        for line in units
    ]
    words.append(f"shipping {money.display(amounts.gross(shipping), currency=claim.currency)}")
    return f"{' + '.join(words)} - fees {money.display(claim.fees, currency=claim.currency)}"
