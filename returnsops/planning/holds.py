"""What stands in the way of an effect: a finding is a hold in words, and a case where a person has to act. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from returnsops import states

from .model import Hold, Part, PlannedCase
from .view import ReturnView

# Codes of holds that are no case by themselves: something will happen, or a setting keeps them.
WAITS_FOR_TRIGGER = "waits_for_trigger"
WAITS_FOR_CONFIRMATION = "waits_for_confirmation"
WAITS_FOR_RESTOCK = "waits_for_restock"
WAITS_FOR_CREDIT = "waits_for_credit"
WAITS_FOR_PLACE = "waits_for_place"
NOT_LIVE = "not_live"
ORDER_GONE = "order_gone"
PLATFORM_WRITES = "platform_writes"
POLICY_INCOMPLETE = "policy_incomplete"

# Holds a person may release as they are. The others end when their cause does: a line is matched, a reason classified,
# an executor named, a refund made outside attributed; of amounts only the one named in the waiver is accepted.
WAIVABLE = frozenset(
    {
        WAITS_FOR_TRIGGER,
        WAITS_FOR_CONFIRMATION,
        WAITS_FOR_PLACE,
        PLATFORM_WRITES,
        states.CASE_OUTSIDE_WINDOW,
        states.CASE_ORDER_LOCKED,
        states.CASE_CREDIT_AND_REFUND,
        states.CASE_RISK_HOLD,
        states.CASE_EXCHANGE_WITHDRAWN,
    }
)

EVERY_UNIT = 1_000_000_000
IF_ACCEPTED = "by_hand_if_accepted"  # in the evidence of a case: the units that count as done by hand then, in all


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing in the way."""

    hold: Hold
    case: PlannedCase | None = None


def fingerprint(view: ReturnView, kind: str, subject: str = "") -> str:
    """Identity of a problem of one return: ``kind:ref`` and the item or refund it is about."""
    return ":".join([kind, view.ref, *([subject] if subject else [])])


def waiting(code: str, text: str, *, until_at: datetime | None = None) -> Finding:
    """A hold nobody needs to do anything about."""
    return Finding(hold=Hold(code=code, text=text, until_at=until_at))


def case_of(
    view: ReturnView,
    kind: str,
    text: str,
    *,
    subject: str = "",
    evidence: Mapping[str, Any] | None = None,
    money_at_risk: Decimal | None = None,
    currency: str = "",
) -> PlannedCase:
    """A case of this return."""
    return PlannedCase(
        kind=kind,
        fingerprint=fingerprint(view, kind, subject),
        cause=text,
        evidence=evidence or {},
        money_at_risk=money_at_risk,
        currency=(currency or view.currency) if money_at_risk is not None else "",
    )


def problem(
    view: ReturnView,
    kind: str,
    text: str,
    *,
    code: str = "",
    subject: str = "",
    evidence: Mapping[str, Any] | None = None,
    money_at_risk: Decimal | None = None,
    currency: str = "",
) -> Finding:
    """A hold that waits for a person: hold and case say the same. ``code`` is the case kind unless named."""
    case = case_of(view, kind, text, subject=subject, evidence=evidence, money_at_risk=money_at_risk, currency=currency)
    return Finding(hold=Hold(code=code or kind, text=text, waits_for=case.fingerprint), case=case)


def is_waived(view: ReturnView, code: str, effect_key: str) -> bool:
    """Whether a person released this hold for this effect, whatever the subject."""
    return code in WAIVABLE and any(
        waiver.hold_code == code and waiver.effect_key in ("", effect_key) for waiver in view.waivers
    )


def waived_amounts(view: ReturnView, code: str, effect_key: str) -> tuple[Decimal, ...]:
    """The amounts people accepted for one effect, newest first; a waiver whose subject is no amount accepts none."""
    subjects = [
        waiver.subject
        for waiver in reversed(view.waivers)
        if waiver.hold_code == code and waiver.effect_key in ("", effect_key)
    ]
    return tuple(amount for amount in map(_amount, subjects) if amount is not None)


def _amount(subject: str) -> Decimal | None:
    try:
        amount = Decimal(subject)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount > 0 else None


def is_accepted(view: ReturnView, kind: str, subject: str = "") -> bool:
    """Whether a person accepted a finding that holds nothing: by its subject, its fingerprint, or all of the kind."""
    return any(
        waiver.hold_code == kind and waiver.subject in ("", subject, fingerprint(view, kind, subject))
        for waiver in view.waivers
    )


def units_accepted(units: int, item_id: str) -> str:
    """Subject of an acceptance of so many units of an item, all accepted before included."""
    return f"{units} units of {item_id}"


def seen_to(view: ReturnView, kind: str, item_id: str) -> int:
    """Units of an item that people said they did by hand; all of them where an acceptance of before names no number."""
    if is_accepted(view, kind, item_id):
        return EVERY_UNIT
    named = [waiver.subject.partition(" units of ") for waiver in view.waivers if waiver.hold_code == kind]
    return max((int(units) for units, _, item in named if item == item_id and units.isdecimal()), default=0)


def is_accepted_up_to(view: ReturnView, kind: str, amount: Decimal) -> bool:
    """Whether a person accepted this much money or more; acceptances of before name no amount and stand for any."""
    return is_accepted(view, kind) or any(amount <= one for one in waived_amounts(view, kind, ""))


def accepted_before(units: int) -> str:
    """What a case says of the units that an earlier acceptance named, for the end of its cause."""
    return f" {units} of them {'was' if units == 1 else 'were'} accepted before." if units else ""


def unreleased(view: ReturnView, found: Iterable[Finding], effect_key: str) -> tuple[Finding, ...]:
    """The findings that no person released for this effect."""
    return tuple(finding for finding in found if not is_waived(view, finding.hold.code, effect_key))


def holds_of(findings: Iterable[Finding]) -> tuple[Hold, ...]:
    """The holds, each once."""
    return tuple(dict.fromkeys(finding.hold for finding in findings))


def cases_of(findings: Iterable[Finding]) -> tuple[PlannedCase, ...]:
    """The cases of findings that have one."""
    return tuple(finding.case for finding in findings if finding.case is not None)


def joined(parts: Iterable[Part]) -> Part:
    """Several contributions as one."""
    every = tuple(parts)
    return Part(
        effects=tuple(effect for part in every for effect in part.effects),
        cases=tuple(case for part in every for case in part.cases),
        look_at=tuple(at for part in every for at in part.look_at),
    )
