"""Refunds that people proposed on a return: a lost parcel, a gateway that refuses, money paid past the shop. Pure.

Each pays for the return itself and counts against its own refund, as one made outside does; goodwill alone comes on
top. Until it is certain that such a refund goes or does not go, the return's own refund waits, and so do the credit and
the goods that it is to be resolved with. Those never go beside such money unless people say so.
"""

from collections.abc import Iterator
from decimal import Decimal

from returnsops import money, states

from . import credited, exchange_ends
from .holds import Finding, is_accepted, problem
from .model import Hold
from .view import EffectView, ReturnView

WAITS_FOR_PROPOSAL = "waits_for_proposal"
_ARRIVED = frozenset({states.DONE, states.CONFIRMED})
# Neither on its way nor given up: people still decide. What was refused or failed may be tried again.
_UNDECIDED = states.UNSENT | {states.REJECTED, states.FAILED}


def pays_for_return(effect: EffectView) -> bool:
    """Whether a refund that a person proposed counts against what its return is owed."""
    return (
        effect.kind == states.REFUND
        and effect.origin == states.ORIGIN_PERSON
        and effect.ground != states.GROUND_GOODWILL
    )


def paying(view: ReturnView) -> tuple[EffectView, ...]:
    """Those that left, or may have; by their keys, never by what was sent first."""
    left = (one for one in view.effects if pays_for_return(one) and one.state in states.COMMITTED)
    return tuple(sorted(left, key=lambda one: one.key))


def undecided(view: ReturnView) -> tuple[EffectView, ...]:
    """Those that may still go; refused and cancelled ones do not, nor one that failed after it was acknowledged and
    was paid in another way since.
    """
    is_paid_otherwise = bool(paying(view))
    open_ones = (one for one in view.effects if pays_for_return(one) and one.state in _UNDECIDED)
    return tuple(one for one in open_ones if not (one.remote_id and is_paid_otherwise))


def findings(view: ReturnView) -> tuple[Finding, ...]:
    """What keeps the return's own refund back until each of them is decided; their own cases ask the people."""
    return tuple(map(_waits, undecided(view)))


def _waits(effect: EffectView) -> Finding:
    return Finding(hold=Hold(code=WAITS_FOR_PROPOSAL, text=_words(effect), waits_for=effect.key))


def beside(view: ReturnView, what: str, subject: str) -> tuple[Finding, ...]:
    """What keeps back ``what`` is given instead of money: undecided refunds, and money that people paid already.

    A refund that failed after it was acknowledged brought no money; paid in another way, it is a question then.
    """
    waits = tuple(_waits(effect) for effect in undecided(view) if not effect.remote_id)
    if is_given_as_well(view, subject) or not paying(view):
        return waits
    shown = shown_total(view)
    currency, at_risk = next(iter(_totals(view).items()))
    question = problem(
        view,
        states.CASE_PEOPLE_PAID_AS_WELL,
        f"people paid {shown} for this return, and {what} is to be given for it. Say whether the customer is to have "
        "both.",
        subject=_exactly(view, subject),
        evidence={"paid": shown, "also": what},
        money_at_risk=at_risk,
        currency=currency,
    )
    return (*waits, question)


def is_given_as_well(view: ReturnView, subject: str) -> bool:
    """Whether a person said that the customer is to have it beside exactly the money that people paid."""
    return bool(paying(view)) and is_accepted(view, states.CASE_PEOPLE_PAID_AS_WELL, _exactly(view, subject))


def approved_beside(view: ReturnView, subject: str) -> dict[str, object]:
    """For the payload of what goes beside money: an approval holds for just that, one given before does not."""
    return {"beside": shown_total(view)} if is_given_as_well(view, subject) else {}


def warning(view: ReturnView) -> str:
    """For the person who gives something by hand, where people paid money as well; '' where they did not."""
    if not paying(view):
        return ""
    shown = shown_total(view)
    return f" People paid {shown} for this return already: see that the customer does not get both."


def shown_total(view: ReturnView) -> str:
    """What people paid in all, for people; of each currency on its own."""
    return ", ".join(money.display(total, currency=currency) for currency, total in _totals(view).items())


def _exactly(view: ReturnView, subject: str) -> str:
    """What is accepted is just that beside just this money."""
    return f"{subject}={shown_total(view)}"


def _totals(view: ReturnView) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {}
    for one in sorted(paying(view), key=lambda one: one.currency):
        totals[one.currency] = totals.get(one.currency, Decimal(0)) + _amount(one)
    return totals


def already(view: ReturnView, *, but: str = "") -> str:
    """What was refunded or given for this return, is on its way, or proposed beside the effect ``but``; '' = nothing.

    Sentences with amounts in the order's currency, for the people who propose and approve.
    """
    own = [one for one in view.effects if one.kind == states.REFUND and one.key != but]
    outside = (refund.amount for refund in view.shop_refunds if refund.attribution == "this_return")
    arrived = sum(outside, sum((_amount(one) for one in own if one.state in _ARRIVED), Decimal(0)))
    moving = sum((_amount(one) for one in own if one.state in states.IN_FLIGHT), Decimal(0))
    others = sum((_amount(one) for one in undecided(view) if one.key != but), Decimal(0))
    currency = view.order.currency if view.order is not None else view.currency
    words = (
        (arrived, "were refunded for this return already."),
        (moving, "are being sent for this return right now."),
        (others, "are proposed for this return and not decided."),
    )
    said = [f"{money.display(amount, currency=currency)} {text}" for amount, text in words if amount]
    return " ".join((*said, *_given(view)))


def _given(view: ReturnView) -> Iterator[str]:
    """Credit and goods that the customer has instead of money, by whomever."""
    for credit in view.credits:
        is_issued = credited.issued(view, credit) is not None or credited.is_outside(credit)
        if is_issued and credited.stands(view, credit):
            shown = money.display(credit.amount, currency=credit.currency)
            yield f"{shown} were given as credit for this return already."
    sent = {one.key for one in view.effects if one.state in states.COMMITTED}
    for exchange in view.exchanges:
        is_placed = exchange.is_settled or exchange_ends.key_of(view, exchange.exchange_id) in sent
        if is_placed and not exchange_ends.is_withdrawn(view, exchange):
            yield "A replacement was ordered for this return already."


def _amount(effect: EffectView) -> Decimal:
    assert effect.amount is not None  # every refund names one
    return effect.amount


def _words(effect: EffectView) -> str:
    shown = money.display(_amount(effect), currency=effect.currency)
    if effect.state == states.AWAITING_APPROVAL:
        return f"waits until a second person decides on the {shown} proposed for this return, which counts here"
    if effect.state in states.UNSENT:
        return f"waits for the {shown} that people approved for this return, which counts here"
    if effect.remote_id:
        return f"waits: {shown} proposed for this return failed later; pay them in another way and record that"
    return f"waits: {shown} proposed for this return did not go through; try that again, or cancel it"
