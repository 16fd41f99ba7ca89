"""What a plan is made of: effects wanted, holds in words, cases wanted. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Why an effect may not go yet, in words a CX agent can read to a customer."""

    code: str
    text: str
    until_at: datetime | None = None
    waits_for: str = ""  # key of an effect or fingerprint of a case

    def as_json(self) -> dict[str, Any]:
        """The stored form."""
        until = self.until_at.isoformat() if self.until_at else None
        return {"code": self.code, "text": self.text, "until": until, "waits_for": self.waits_for}


@dataclass(frozen=True, kw_only=True)
class PlannedEffect:
    """One effect that ought to exist. Without holds it may go, after approval where that is needed."""

    kind: str
    key: str
    target: Literal["commerce", "platform", "erp"]
    payload: Mapping[str, Any]
    serial_key: str = ""
    item_id: str = ""
    quantity: int | None = None
    amount: Decimal | None = None
    currency: str = ""
    deadline_at: datetime | None = None
    holds: tuple[Hold, ...] = ()
    needs_approval: bool = False


@dataclass(frozen=True, kw_only=True)
class PlannedCase:
    """Work for a person that the present state asks for; goes away when the next plan no longer names it."""

    kind: str
    fingerprint: str
    cause: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    money_at_risk: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What ought to exist because of one return, and when to look again though nothing happens."""

    effects: tuple[PlannedEffect, ...] = ()
    cases: tuple[PlannedCase, ...] = ()
    next_look_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one rule contributes."""

    effects: tuple[PlannedEffect, ...] = ()
    cases: tuple[PlannedCase, ...] = ()
    look_at: tuple[datetime, ...] = ()
