"""Store credit and gift cards of a return: what was granted, what became of it, and how far it is to be seen."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from returnsops import states
from returnsops.models import CreditRequest, Effect, ReturnAuthorisation
from returnsops.planning.credited import PLATFORM, void_key
from returnsops.planning.keys import business_key

from . import stops, words


@dataclass(frozen=True, kw_only=True)
class CreditShown:
    """One credit; amounts and times as text or '' where there is nothing to say, the code by its last four.

    ``is_sent_by_us``: an effect of ours issues it, and tells where that stands.
    """

    what: str
    bonus: str
    state: str
    tone: str
    last4: str
    expires_at: datetime | None
    used: str
    is_sent_by_us: bool


def of_return(rma: ReturnAuthorisation) -> tuple[CreditShown, ...]:
    """Every credit the platform granted for a return."""
    rows = rma.effects.filter(kind__in=[states.STORE_CREDIT, states.VOID_CREDIT])
    effects = {row.key: row for row in rows.select_related("connection", "route")}
    switches = stops.in_force() if effects else {}
    return tuple(_shown(row, rma, effects, switches) for row in rma.credits.all())


def _shown(
    row: CreditRequest, rma: ReturnAuthorisation, effects: dict[str, Effect], switches: stops.InForce
) -> CreditShown:
    key = business_key(states.STORE_CREDIT, rma.ref, row.kind, row.external_id)
    effect, void = effects.get(key), effects.get(void_key(key))
    state, tone = _state(row, effect, void, switches)
    seen = _last_seen(effect, void)
    return CreditShown(
        what=f"{words.plain(row.kind)} {words.amount(row.amount, row.currency)} ({row.external_id})",
        bonus=words.amount(row.bonus, row.currency) if row.bonus else "",
        state=state,
        tone=tone,
        last4=str(seen.get("code_last4") or row.code_last4),
        expires_at=parse_datetime(str(seen.get("expires") or "")),
        is_sent_by_us=effect is not None and effect.state != states.EFFECT_CANCELLED,
        used={"0": "not used when last looked at", "": ""}.get(str(seen.get("used", "")), "used by the customer"),
    )


def _state(row: CreditRequest, effect: Effect | None, void: Effect | None, switches: stops.InForce) -> tuple[str, str]:
    """Where it stands, in words, and the tone of them."""
    if void is not None and void.state != states.EFFECT_CANCELLED:
        state, tone = stops.state_of(void, switches=switches, now=timezone.now())
        return f"taken back: {state}", tone
    by = f" by {row.withdrawn_by}: {row.withdrawn_why}" if row.withdrawn_by else ""
    if by:
        return f"withdrawn{by}", "warn"
    if row.settled_at is not None:
        return f"issued by hand by {row.settled_by} ({row.settled_reference})", "good"
    if effect is not None and effect.state != states.EFFECT_CANCELLED:
        return stops.state_of(effect, switches=switches, now=timezone.now())
    if row.executed_by == PLATFORM:
        return "issued by the returns platform, recorded only", "good"
    return "not issued", "warn"


def _last_seen(*effects: Effect | None) -> dict[str, object]:
    """What the newest try that saw it in the shop kept of it."""
    for effect in reversed(effects):
        if effect is not None:
            for attempt in effect.attempts.order_by("-number"):
                if "code_last4" in attempt.evidence:
                    return dict(attempt.evidence)
    return {}
