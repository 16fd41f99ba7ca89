"""What is already taken of an order, by whom, and what is left of what was paid. Pure.

Counted are refunds that stand in the shop, and effects of ours (and of sibling returns) that are sent or may go any
moment but do not show there yet. ``ShopRefundView.key`` of our own refunds is the key of their effect.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from returnsops import states
from returnsops.facts import RemoteRefundLine

from . import credited, proposed
from .keys import business_key
from .policy import Policy
from .view import EffectView, ReturnView, ShopRefundView

# A sibling's effect that is held reserves nothing, else two returns would hold each other for ever.
_RESERVING = frozenset({states.READY, states.AWAITING_APPROVAL})


@dataclass(frozen=True, kw_only=True)
class Left:
    """Money of an order: paid, refunded in the shop, on its way there, reserved by others, in major units."""

    paid: Decimal
    refunded: Decimal
    on_its_way: Decimal
    reserved: Decimal
    credited: Decimal = Decimal(0)  # given as store credit or gift card, without the bonus

    @property
    def certain(self) -> Decimal:
        """What may still be refunded if nobody else's unsent refund or credit went."""
        return self.paid - self.refunded - self.on_its_way - self.credited

    @property
    def free(self) -> Decimal:
        """What may still be refunded beside everybody else's."""
        return self.certain - self.reserved


def is_of_key(refund: ShopRefundView, key: str) -> bool:
    """Whether a refund in the shop carries this effect's key, of any generation."""
    return refund.key == key or refund.key.startswith(f"{key}#")


def is_seen(view: ReturnView, key: str) -> bool:
    """Whether the shop shows the refund of this effect already."""
    return any(is_of_key(refund, key) for refund in view.shop_refunds)


def questions(view: ReturnView, policy: Policy) -> tuple[ShopRefundView, ...]:
    """Refunds made outside that a person has to attribute before money of this return goes (S1-23, S4-16)."""
    answered = {
        waiver.subject for waiver in view.waivers if waiver.hold_code == states.CASE_REFUNDED_OUTSIDE and waiver.subject
    }
    return tuple(
        refund
        for refund in view.shop_refunds
        if refund.attribution in ("unattributed", "vanished")
        and refund.refund_id not in answered
        and not _is_platforms(view, policy, refund)
        and not _is_older(view, policy, refund)
    )


def covering(view: ReturnView, policy: Policy) -> tuple[ShopRefundView, ...]:
    """Refunds made outside that pay for this return: attributed to it, or written by the platform itself."""
    return tuple(
        refund
        for refund in view.shop_refunds
        if refund.attribution == "this_return"
        or (refund.attribution == "unattributed" and _is_platforms(view, policy, refund))
    )


def _is_platforms(view: ReturnView, policy: Policy, refund: ShopRefundView) -> bool:
    amounts = {payout.amount for payout in view.payouts if not payout.is_failed}
    return policy.refund.writer == "platform" and refund.amount in amounts


def _is_older(view: ReturnView, policy: Policy, refund: ShopRefundView) -> bool:
    """Refunded before the return was asked for, which a policy may allow to be only subtracted."""
    return (
        not policy.refund.review_partly_refunded
        and view.requested_at is not None
        and refund.refunded_at < view.requested_at
    )


def is_counted(effect: EffectView) -> bool:
    """Whether an effect of this return takes part in targets: sent, or made by a person and alive."""
    if effect.state in states.COMMITTED:
        return True
    return effect.origin == states.ORIGIN_PERSON and effect.state in states.UNSENT


def given_up(view: ReturnView) -> tuple[EffectView, ...]:
    """Refunds that the platform was to write into the shop and did not, and that a person said are not paid there."""
    keys = {one.effect_key for one in view.waivers if one.hold_code == states.CASE_PLATFORM_REFUND_MISSING}
    return tuple(effect for effect in view.effects if effect.key in keys and not is_counted(effect))


def committed(view: ReturnView, kind: str, item_id: str) -> int:
    """Units of an item for which effects of a kind count already."""
    return sum(
        effect.quantity or 0
        for effect in view.effects
        if effect.kind == kind and effect.item_id == item_id and is_counted(effect)
    )


def taken_out(view: ReturnView, item_id: str) -> int:
    """Units of an item that were on sale again and left it once more, or are on their way out."""
    return committed(view, states.TAKE_OUT, item_id)


def put_back(view: ReturnView, item_id: str) -> int:
    """Units of an item that our effects leave on sale: restocked less taken out again."""
    return committed(view, states.RESTOCK, item_id) - taken_out(view, item_id)


def taken_lines(view: ReturnView, policy: Policy, *, key: str = "") -> tuple[RemoteRefundLine, ...]:
    """Lines of everything taken, but for refunds that pay for this return, by whomever, or are not attributed yet.

    A refund in the shop that already carries ``key`` is the very one being planned, and takes nothing from itself.
    """
    apart = [*(one.key for one in view.effects if proposed.pays_for_return(one)), *([key] if key else [])]
    standing = [refund for refund in _standing(view, policy) if not any(is_of_key(refund, one) for one in apart)]
    own = [effect for effect in _own_unseen(view) if effect.key not in apart]
    return tuple(
        line for source in (standing, own, _sibling_unseen(view)) for record in source for line in record.lines
    ) + _tips_seen(view, key=key)


def _tips_seen(view: ReturnView, *, key: str) -> tuple[RemoteRefundLine, ...]:
    """Tips in refunds of ours that stand in the shop: its records show them as money, without a line of their own."""
    tips = {line.line_id for line in view.order.lines if line.kind == "tip"} if view.order is not None else set()
    return tuple(
        line
        for effect in (*view.effects, *view.sibling_effects)
        if effect.kind == states.REFUND and effect.state in states.COMMITTED and effect.key != key
        for line in effect.lines
        if line.line_id in tips and is_seen(view, effect.key)
    )


def lines_of_others(view: ReturnView, policy: Policy) -> tuple[RemoteRefundLine, ...]:
    """Lines taken by other returns and by hand: what makes units of this return too many."""
    own = {effect.key for effect in view.effects}
    prefix = f"{business_key(states.REFUND, view.ref)}:"
    foreign = [
        refund
        for refund in _standing(view, policy)
        if not refund.key.startswith(prefix) and not any(is_of_key(refund, key) for key in own)
    ]
    return tuple(line for source in (foreign, _sibling_unseen(view)) for record in source for line in record.lines)


def left(view: ReturnView, policy: Policy, *, paid: Decimal, key: str = "", waited_for: Collection[str] = ()) -> Left:
    """What is left of what was paid, seen by the effect with this key; open questions are not subtracted.

    ``waited_for``: keys of effects of this return that it waits for, and that will be counted against it once they go.
    """
    open_ids = {refund.refund_id for refund in questions(view, policy)}
    standing = [refund for refund in view.shop_refunds if refund.refund_id not in open_ids]
    siblings = _sibling_unseen(view)
    sent = [*_own_unseen(view), *(effect for effect in siblings if effect.state in states.COMMITTED)]
    return Left(
        paid=paid,
        refunded=_sum(refund.amount for refund in standing if not (key and is_of_key(refund, key))),
        on_its_way=_sum(effect.amount for effect in sent if effect.key != key and effect.key not in waited_for),
        reserved=_sum(effect.amount for effect in siblings if effect.state not in states.COMMITTED)
        + credited.reserved(view, key=key),
        credited=credited.certain(view, key=key),
    )


def refunded_in_shop(view: ReturnView) -> Decimal:
    """The sum of all refunds that stand in the shop, whoever made them."""
    return _sum(refund.amount for refund in view.shop_refunds if refund.attribution != "vanished")


def _standing(view: ReturnView, policy: Policy) -> list[ShopRefundView]:
    apart = {refund.refund_id for refund in (*questions(view, policy), *covering(view, policy))}
    return [refund for refund in view.shop_refunds if refund.refund_id not in apart]


def _own_unseen(view: ReturnView) -> list[EffectView]:
    return [
        effect
        for effect in view.effects
        if effect.kind == states.REFUND and is_counted(effect) and not is_seen(view, effect.key)
    ]


def _sibling_unseen(view: ReturnView) -> list[EffectView]:
    return [
        effect
        for effect in view.sibling_effects
        if effect.kind == states.REFUND
        and effect.state in states.COMMITTED | _RESERVING
        and not is_seen(view, effect.key)
    ]


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))
