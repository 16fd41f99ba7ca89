"""A credit as it is in the shop now, with its code: for one person, who is noted; nothing of it is stored.

The connectors know how to read one and register it, as they do for links.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from returnsops import money, states
from returnsops.models import Connection, Effect

from . import audit
from .effect_rows import EffectError


@dataclass(frozen=True, kw_only=True)
class CreditRead:
    """What the shop says; ``code`` is worth money and goes to the screen of who may see it, nowhere else."""

    code: str = field(repr=False)
    amount: Decimal
    expires_at: datetime | None
    usage_count: int
    is_usable: bool


ReadCredit = Callable[[Connection, str], CreditRead]

_readers: list[ReadCredit] = []


def register(reader: ReadCredit) -> None:
    """Add what reads credits by their remote id; it raises EffectError in words where it cannot."""
    if reader not in _readers:
        _readers.append(reader)


def look(*, effect: Effect, by: str, at: datetime) -> str:
    """Read an issued credit for one person and note that they saw its code. Raises EffectError."""
    if effect.kind != states.STORE_CREDIT or not effect.remote_id:
        raise EffectError("It was not issued in the shop, so there is no code.")
    if not _readers:
        raise EffectError("Nothing here knows how to read credits.")
    read = _readers[0](effect.connection, effect.remote_id)
    text = f"Code of credit {effect.remote_id} shown; used {read.usage_count} times."
    audit.record(act="credit_code_shown", by=by, at=at, subject=effect, rma=effect.rma, text=text)
    return in_words(read, currency=effect.currency)


def in_words(read: CreditRead, *, currency: str) -> str:
    """One sentence: code, worth, until when, used or not."""
    until = f"until {read.expires_at:%d %B %Y %H:%M} UTC" if read.expires_at else "without end"
    if read.usage_count:
        state = "the customer has used it"
    else:
        state = f"not used yet, holds {until}" if read.is_usable else "not used, and can no longer be spent"
    return f"{read.code}: {money.display(read.amount, currency=currency)}, {state}."
