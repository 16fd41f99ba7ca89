"""What a returns platform says of one return, folded from its facts, as the audit compares it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from returnsops import facts, states
from returnsops.planning.verdicts import REFUSED_OUTCOMES

MONEY_RESOLUTIONS: Final = frozenset({"refund", "mixed"})


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A refund the platform decided or paid; amounts in major units, tax included."""

    refund_id: str
    amount: Decimal
    currency: str
    executed_by: str
    issued_at: datetime
    item_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Returned:
    """One return. ``sellable`` and ``unsellable`` are units per item whose verdict is final."""

    return_id: str
    number: str
    platform: str  # name of the connection
    order_id: str
    order_number: str
    channel: str
    currency: str
    status: str
    created_at: datetime
    updated_at: datetime
    items: tuple[facts.ReturnItem, ...]
    decided: tuple[Decided, ...] = ()
    sellable: Mapping[str, int] = field(default_factory=dict)
    unsellable: Mapping[str, int] = field(default_factory=dict)
    judged_at: datetime | None = None
    exchanges_wanted: int = 0
    credits_wanted: tuple[tuple[Decimal, str], ...] = ()

    @property
    def label(self) -> str:
        """As people know it."""
        return self.number or self.return_id

    @property
    def is_ended(self) -> bool:
        """Declined, withdrawn or expired: it explains no refund by its goods."""
        return self.status in states.RETURN_ENDED

    @property
    def is_open(self) -> bool:
        """Whether the platform still works on it."""
        return not self.is_ended and self.status != states.CLOSED

    @property
    def is_about_money(self) -> bool:
        """Whether any of its items asks for money back."""
        return any(item.resolution in MONEY_RESOLUTIONS for item in self.items)

    @property
    def goods_total(self) -> Decimal | None:
        """What its items asked back for money cost together, None where one has no total."""
        totals = [item.total for item in self.items if item.resolution in MONEY_RESOLUTIONS]
        if not totals or any(total is None for total in totals):
            return None
        return sum((total for total in totals if total is not None), Decimal(0))


def returned(told: Iterable[facts.Fact], *, platform: str) -> Returned | None:
    """One return from all its facts, None where none of them shows the return itself."""
    known = list(told)
    seen = [fact.snapshot for fact in known if isinstance(fact, facts.ReturnSeen)]
    if not seen:
        return None
    shown = max(seen, key=lambda snapshot: (snapshot.revision, snapshot.updated_at))
    verdicts = _verdicts(known)
    return Returned(
        return_id=shown.return_id,
        number=shown.number,
        platform=platform,
        order_id=shown.order_id,
        order_number=shown.order_number,
        channel=shown.channel,
        currency=shown.currency,
        status=shown.status,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
        items=shown.items,
        decided=_decided(known),
        sellable=_units(verdicts, shown.items, is_sellable=True),
        unsellable=_units(verdicts, shown.items, is_sellable=False),
        judged_at=max((verdict.inspected_at for verdict in verdicts), default=None),
        exchanges_wanted=_exchanges(known),
        credits_wanted=_credits(known),
    )


def _decided(told: list[facts.Fact]) -> tuple[Decided, ...]:
    failed = {fact.refund_id for fact in told if isinstance(fact, facts.RefundFailed)}
    issued = {fact.refund_id: fact for fact in told if isinstance(fact, facts.RefundIssued)}
    return tuple(
        Decided(
            refund_id=fact.refund_id,
            amount=fact.amount,
            currency=fact.currency,
            executed_by=fact.executed_by,
            issued_at=fact.occurred_at,
            item_ids=frozenset(item.item_id for item in fact.items),
        )
        for fact in issued.values()
        if fact.refund_id not in failed and fact.amount > 0
    )


def _verdicts(told: list[facts.Fact]) -> list[facts.InspectedItem]:
    """Those in force: a completed inspection replaces the parts told before it."""
    completed = [fact for fact in told if isinstance(fact, facts.InspectionCompleted)]
    if completed:
        return list(max(completed, key=lambda fact: (fact.revision, fact.occurred_at)).items)
    parts = [item for fact in told if isinstance(fact, facts.ItemsInspected) for item in fact.items]
    return list(dict.fromkeys(parts))


def _units(
    verdicts: list[facts.InspectedItem], items: tuple[facts.ReturnItem, ...], *, is_sellable: bool
) -> dict[str, int]:
    """Final units per item, never more than come back."""
    found: dict[str, int] = {}
    for item in items:
        units = sum(
            verdict.quantity
            for verdict in verdicts
            if verdict.item_id == item.item_id and verdict.is_final and _is_sellable(verdict) is is_sellable
        )
        if units:
            found[item.item_id] = min(units, item.quantity)
    return found


def _is_sellable(verdict: facts.InspectedItem) -> bool:
    return verdict.disposition == states.SELLABLE and verdict.outcome not in REFUSED_OUTCOMES


def _exchanges(told: list[facts.Fact]) -> int:
    """Replacements wanted that have no order yet."""
    gone = {fact.exchange_id for fact in told if isinstance(fact, facts.ExchangeCancelled)}
    wanted = {fact.exchange_id: fact for fact in told if isinstance(fact, facts.ExchangeRequested)}
    return sum(1 for fact in wanted.values() if fact.exchange_id not in gone and not fact.commerce_order_id)


def _credits(told: list[facts.Fact]) -> tuple[tuple[Decimal, str], ...]:
    """Store credit that the shop is to issue."""
    issued = {fact.credit_id: fact for fact in told if isinstance(fact, facts.CreditIssued)}
    return tuple(
        (fact.amount + fact.bonus, fact.currency) for fact in issued.values() if fact.executed_by == "commerce_platform"
    )
