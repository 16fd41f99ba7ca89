"""What store credit and gift cards take of an order's money, without their bonus, and credit beside money. Pure.

A credit stands from the moment it is granted until it is withdrawn and known to be worthless.
"""

from decimal import Decimal

from returnsops import money, states

from . import amounts
from .holds import Finding, is_accepted, problem
from .keys import business_key
from .policy import Policy
from .view import CreditView, EffectView, ReturnView

RESOLUTIONS = frozenset({"store_credit", "gift_card"})
PLATFORM = "returns_platform"
_ARRIVED = frozenset({states.DONE, states.CONFIRMED})
# A sibling's credit that is held reserves nothing, else two returns would hold each other for ever.
_RESERVING = frozenset({states.READY, states.AWAITING_APPROVAL})


def key_of(view: ReturnView, credit: CreditView) -> str:
    """Key of the effect that issues a credit."""
    return business_key(states.STORE_CREDIT, view.ref, credit.kind, credit.credit_id)


def void_key(key: str) -> str:
    """Key of the effect that makes an issued credit worthless."""
    return f"reverse:{key}:1"


def issued(view: ReturnView, credit: CreditView) -> EffectView | None:
    """The effect that issued a credit, or may have; None where nothing of it left."""
    key = key_of(view, credit)
    return next((one for one in view.effects if one.key == key and one.state in states.COMMITTED), None)


def is_outside(credit: CreditView) -> bool:
    """Issued, but not by us: by the platform, or by hand."""
    return credit.is_settled or credit.executed_by == PLATFORM


def is_taken_back(view: ReturnView, credit: CreditView) -> bool:
    """Withdrawn by a person, or granted for a return that was called off; the platform sees to its own."""
    if credit.is_withdrawn:
        return True
    is_instant_expired = view.mode == "instant" and view.status == states.EXPIRED  # a case of its own
    return view.status in states.RETURN_ENDED and not is_instant_expired and credit.executed_by != PLATFORM


def stands(view: ReturnView, credit: CreditView) -> bool:
    """Whether a credit takes of the order's money: wanted, or issued and not known to be worthless."""
    if not is_taken_back(view, credit):
        return True
    if issued(view, credit) is None and not is_outside(credit):
        return False
    is_void = _is_void(view.effects, key_of(view, credit))
    return not is_void and not is_accepted(view, states.CASE_CREDIT_TO_VOID, credit.credit_id)


def certain(view: ReturnView, *, key: str = "") -> Decimal:
    """Money of the order that was given as credit for certain, by anybody, but for the effect with ``key``."""
    own = [one for one in _standing(view, key) if issued(view, one) is not None or is_outside(one)]
    others = (one for one in _elsewhere(view) if one.state in states.COMMITTED)
    return sum((one.amount for one in own), view.credited_elsewhere) + sum(map(_paid_part, others), Decimal(0))


def reserved(view: ReturnView, *, key: str = "") -> Decimal:
    """Money of the order that credits not issued yet will take, but for the effect with ``key``."""
    own = [one for one in _standing(view, key) if issued(view, one) is None and not is_outside(one)]
    others = (one for one in _elsewhere(view) if one.state in _RESERVING)
    return sum((one.amount for one in own), Decimal(0)) + sum(map(_paid_part, others), Decimal(0))


def paid_as_well(view: ReturnView, policy: Policy) -> Finding | None:
    """The same units as money and as credit: by what the platform's refunds name, or by more than they are worth."""
    standing = [credit for credit in view.credits if stands(view, credit)]
    refunded = _refunded(view, policy)
    if not standing or refunded == 0 or view.order is None:
        return None
    given = sum((credit.amount for credit in standing), Decimal(0))
    named = _named_twice(view)
    if not named and refunded + given <= _worth(view) + policy.tolerance(view.order.currency):
        return None
    currency = view.order.currency
    what = f" for the same item ({', '.join(named)})" if named else ", more than what came back is worth"
    return problem(
        view,
        states.CASE_CREDIT_AND_REFUND,
        f"{money.display(refunded, currency=currency)} are to be refunded and "
        f"{money.display(given, currency=currency)} given as credit{what}. Withdraw the credit, have the refund "
        "corrected in the returns platform, or accept both.",
        evidence={
            "refunds": amounts.text(refunded, currency=currency),
            "credits": amounts.text(given, currency=currency),
            "items": named,
            "currency": currency,
        },
        money_at_risk=min(refunded, given),
        currency=currency,
    )


def _standing(view: ReturnView, key: str) -> list[CreditView]:
    """Credits in another currency than the order's are a case of their own and count nothing."""
    currency = view.order.currency if view.order else view.currency
    return [
        one
        for one in view.credits
        if one.currency == currency and not (key and key_of(view, one) == key) and stands(view, one)
    ]


def _elsewhere(view: ReturnView) -> list[EffectView]:
    rows = view.sibling_effects
    return [one for one in rows if one.kind == states.STORE_CREDIT and not _is_void(rows, one.key)]


def _is_void(effects: tuple[EffectView, ...], key: str) -> bool:
    return any(one.key == void_key(key) and one.state in _ARRIVED for one in effects)


def _paid_part(effect: EffectView) -> Decimal:
    return (effect.amount or Decimal(0)) - effect.bonus


def _refunded(view: ReturnView, policy: Policy) -> Decimal:
    """Money wanted or paid for this return: by the platform's word, the units' worth, or in the shop by hand.

    Beside money that people proposed a credit is a question of its own (``proposed.beside``).
    """
    by_hand = sum((one.amount for one in view.shop_refunds if one.attribution == "this_return"), Decimal(0))
    if policy.initiator(view.resolution) == "policy_trigger":
        return max(by_hand, _worth_of_items(view, frozenset({"refund"})))
    told = sum((payout.amount for payout in view.payouts if not payout.is_failed), Decimal(0))
    return max(by_hand, told)


def _named_twice(view: ReturnView) -> list[str]:
    """Items that are to become credit and that a refund of the platform names."""
    as_credit = {line.item_id for line in view.lines if line.resolution in RESOLUTIONS}
    named = {item.item_id for payout in view.payouts if not payout.is_failed for item in payout.items}
    return sorted(as_credit & named)


def _worth(view: ReturnView) -> Decimal:
    assert view.order is not None  # asked before
    shipping = (amounts.line_gross(line) for line in view.order.lines if line.kind == "shipping")
    return _worth_of_items(view, None) + sum(shipping, Decimal(0))


def _worth_of_items(view: ReturnView, resolutions: frozenset[str] | None) -> Decimal:
    """What the units that come back were sold for; the most of equally right roundings."""
    if view.order is None:
        return Decimal(0)
    sold = {line.line_id: line for line in view.order.lines if line.kind == "item" and line.quantity}
    return sum(
        (
            amounts.span(bought, count=min(line.quantity, bought.quantity), currency=view.order.currency)[1]
            for line in view.lines
            if (resolutions is None or line.resolution in resolutions)
            and (bought := sold.get(line.order_line_id)) is not None
        ),
        Decimal(0),
    )
