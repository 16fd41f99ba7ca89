"""What an answer means beside its effect: the stored form of an error, the pause after it, the connection's health."""

from datetime import datetime
from typing import Final

from connectors import budget
from connectors.jobs import Answered, OwnMistake
from connectors.ports import (
    AuthFailed,
    Contradicted,
    Lookup,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Retryable,
    Sent,
    VendorError,
)
from returnsops.models import Effect
from returnsops.services import effect_rows, effects
from returnsops.services.effect_rows import Failure

LOOK_WAITS_S: Final = (10.0, 60.0, 300.0, 900.0, 3600.0, 6 * 3600.0)

_CLASSES: Final = (
    (RateLimited, "rate_limited"),
    (Retryable, "retryable"),
    (Rejected, "rejected"),
    (AuthFailed, "auth"),
    (Contradicted, effect_rows.CONTRADICTED),
)


def is_asked(error: VendorError) -> bool:
    """Whether the question itself failed; a vendor's pace and missing credentials say nothing of what was asked."""
    return not isinstance(error, AuthFailed | RateLimited)


def failure_of(error: VendorError) -> Failure:
    """The error as it is stored with effect and attempt."""
    error_class = next((name for kind, name in _CLASSES if isinstance(error, kind)), effects.NOT_KNOWN)
    code = error.code if isinstance(error, Rejected) else ""
    return Failure(error_class=error_class, text=error.text, code=code, evidence=error.evidence)


def wait_s(error: VendorError, *, looks: int) -> float:
    """Seconds until the next look: what the vendor asked for, nothing where the connection is paused, else growing."""
    if isinstance(error, RateLimited):
        return error.after_s
    return 0.0 if isinstance(error, AuthFailed) else look_wait_s(looks)


def sent_of(lookup: Lookup) -> Sent:
    """What a look-up found complete, as if it had just been acknowledged."""
    return Sent(remote_id=lookup.remote_id, evidence=lookup.evidence, stock_concern=lookup.stock_concern)


def look_wait_s(looks: int) -> float:
    """Seconds after the n-th look-up of one effect."""
    return LOOK_WAITS_S[min(looks, len(LOOK_WAITS_S)) - 1]


def note_health(*, effect: Effect, answer: Answered, at: datetime) -> None:
    """The breaker of an effect's connection counts what the transport did; a refusal is an answer.

    The budget hears of the vendor's own limit.
    """
    if isinstance(answer, budget.BudgetSpent | OwnMistake):
        return
    if isinstance(answer, RateLimited):
        budget.note_throttled(connection_id=effect.connection_id, after_s=answer.after_s, at=at)
    elif isinstance(answer, Retryable | OutcomeUnknown) and not isinstance(answer, Contradicted):
        budget.note_failure(connection=effect.connection, text=answer.text, at=at)
    else:
        budget.note_success(connection_id=effect.connection_id, at=at)
