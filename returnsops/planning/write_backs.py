"""Telling the returns platform: by a call where the connection has a template for it, else by a person. Pure.

Their interfaces are not published, so every message is off until somebody stores a template. A message is told once
per content: newer content replaces what was not sent yet, and is a message of its own after that.
"""

from datetime import datetime
from typing import Any
from urllib.parse import unquote

from returnsops import states

from . import messages
from .holds import WAITS_FOR_CONFIRMATION, case_of, holds_of, is_accepted, unreleased, waiting
from .keys import business_key, content_hash
from .messages import Message
from .model import Part, PlannedCase, PlannedEffect
from .policy import Policy
from .view import EffectView, ReturnView

# Whose work a message is while no call does it: money that could be paid twice is finance's.
TO_DO_KINDS = {states.TELL_ALREADY_REFUNDED: states.CASE_TELL_ALREADY_REFUNDED}


def plan_write_backs(view: ReturnView, policy: Policy, now: datetime) -> Part:
    """The messages the platform was not told yet, each as an effect or as a to-do with its deadline."""
    wanted = [message for message in messages.messages_of(view, policy) if not _is_known(view, message)]
    by_call = [message for message in wanted if message.name in view.write_backs]
    by_hand = [message for message in wanted if _is_to_do(view, policy, message)]
    return Part(
        effects=tuple(_effect(view, message) for message in by_call),
        cases=(*(_to_do(view, message, now) for message in by_hand), *_withdrawn(view, policy)),
        look_at=tuple(message.deadline_at for message in by_hand if message.deadline_at is not None),
    )


def _is_to_do(view: ReturnView, policy: Policy, message: Message) -> bool:
    """Whether a person is asked: only in earnest, only for what the policy names, and not for what is there already."""
    is_asked = message.name in policy.write_back.to_do and message.name not in view.write_backs
    return view.is_live and is_asked and not (message.is_shown or message.is_expected or message.waits)


# --- what the platform knows already -------------------------------------------------------------------------------


def _is_known(view: ReturnView, message: Message) -> bool:
    """Shown there, told by us with this very content, or told by a person."""
    latest = _latest(view, message)
    is_told = latest is not None and latest.payload_hash == content_hash(dict(message.document))
    return is_told or _is_shown(view, message) or is_accepted(view, _kind(message), _subject(message))


def _is_shown(view: ReturnView, message: Message) -> bool:
    """Whether a place of the platform's return, named in the connection's settings, holds what we would tell."""
    key = _next_key(view, message)
    for field, values in view.platform_shows.get(message.name, {}).items():
        if field == "key" and any(value == key or value.startswith(f"{key}#") for value in values):
            return True
        if field in message.document and str(message.document[field]) in values:
            return True
    return False


def _latest(view: ReturnView, message: Message) -> EffectView | None:
    """The message of this series that left last."""
    sent = _sent(view, message)
    return sent[max(sent)] if sent else None


def _sent(view: ReturnView, message: Message) -> dict[int, EffectView]:
    """What left of this series, by its number."""
    first = _key(view, message, 1)
    return {
        int(effect.key.removeprefix(first).removeprefix(":") or 1): effect
        for effect in view.effects
        if effect.state in states.COMMITTED and (effect.key == first or effect.key.startswith(f"{first}:"))
    }


# --- by a call -----------------------------------------------------------------------------------------------------


def _effect(view: ReturnView, message: Message) -> PlannedEffect:
    key = _next_key(view, message)
    found = [waiting(WAITS_FOR_CONFIRMATION, message.waits)] if message.waits else []
    return PlannedEffect(
        kind=states.WRITE_BACK,
        key=key,
        target="platform",
        payload=message.document,
        serial_key=f"return:{view.ref}",  # one message about a return at a time, so that the newest comes last
        deadline_at=message.deadline_at,
        holds=holds_of(unreleased(view, found, key)),
    )


def _next_key(view: ReturnView, message: Message) -> str:
    return _key(view, message, max(_sent(view, message), default=0) + 1)


def _key(view: ReturnView, message: Message, number: int) -> str:
    """The second content of one subject is a message of its own; the first carries no number."""
    ordinal = (str(number),) if number > 1 else ()
    return business_key(states.WRITE_BACK, view.ref, message.name, message.subject, *ordinal)


# --- by a person ---------------------------------------------------------------------------------------------------


def _to_do(view: ReturnView, message: Message, now: datetime) -> PlannedCase:
    due_at = message.deadline_at
    return case_of(
        view,
        _kind(message),
        f"{message.text} Do it{_when(due_at, now)}, then say here that it is done.",
        subject=_subject(message),
        evidence=_evidence(message),
        money_at_risk=message.amount,
        currency=message.currency,
    )


def _when(due_at: datetime | None, now: datetime) -> str:
    if due_at is None:
        return ""
    return f" by {due_at:%d %B %Y}" if due_at > now else " at once"


def _evidence(message: Message) -> dict[str, Any]:
    """The values to type in, in one table, and the items in another; without what only a call needs."""
    plain = {
        name: value
        for name, value in message.document.items()
        if not isinstance(value, list) and name not in ("message", "note") and value != ""
    }
    lists = {name: value for name, value in message.document.items() if isinstance(value, list)}
    due_at = message.deadline_at
    return {"to_enter": plain, **lists, "deadline": due_at.isoformat() if due_at else "none"}


def _kind(message: Message) -> str:
    return TO_DO_KINDS.get(message.name, states.CASE_PLATFORM_TO_DO)


def _subject(message: Message) -> str:
    """What a person answers for: this content of this message, and no later one."""
    return f"{message.name}/{message.subject}/{content_hash(dict(message.document))[:12]}"


# --- what was told and is no longer true ---------------------------------------------------------------------------


def _withdrawn(view: ReturnView, policy: Policy) -> tuple[PlannedCase, ...]:
    """The platform was told not to pay, and the refund it was told of is gone: now nobody pays."""
    is_over = view.status in states.RETURN_ENDED or messages.is_all_decided(view)
    if is_over or not view.is_live or not messages.may_pay(view, policy):
        return ()
    standing = {refund.refund_id for refund in messages.paying_refunds(view, policy)}
    gone = sorted(_told_refunds(view) - standing)
    subjects = [(refund_id, f"withdrawn/{refund_id}") for refund_id in gone]
    return tuple(
        case_of(
            view,
            states.CASE_TELL_ALREADY_REFUNDED,
            f"the returns platform was told that refund {refund_id} in the shop pays for this return, and it does not "
            "any more (deleted, or attributed to something else). Tell the platform to pay after all, or refund again.",
            subject=subject,
            evidence={"reference": refund_id},
        )
        for refund_id, subject in subjects
        if not is_accepted(view, states.CASE_TELL_ALREADY_REFUNDED, subject)
    )


def _told_refunds(view: ReturnView) -> set[str]:
    """Refunds the platform was told of, by a call or by a person."""
    prefix = business_key(states.WRITE_BACK, view.ref, states.TELL_ALREADY_REFUNDED) + ":"
    by_call = {
        unquote(effect.key.removeprefix(prefix).partition(":")[0])
        for effect in view.effects
        if effect.state in states.COMMITTED and effect.key.startswith(prefix)
    }
    by_hand = {
        waiver.subject.removeprefix(f"{states.TELL_ALREADY_REFUNDED}/").rpartition("/")[0]
        for waiver in view.waivers
        if waiver.hold_code == states.CASE_TELL_ALREADY_REFUNDED
        and waiver.subject.startswith(f"{states.TELL_ALREADY_REFUNDED}/")
    }
    return by_call | by_hand
