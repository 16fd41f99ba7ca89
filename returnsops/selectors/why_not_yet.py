"""What should happen because of a return, what has, what holds the rest and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime

from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect, Refund, ReturnAuthorisation
from returnsops.planning.exchange_ends import key_in_force
from returnsops.planning.plan import APPROVAL_REFUSED
from returnsops.planning.policy import Policy, PolicyError, parse_policy
from returnsops.services.views import is_live

from . import credits, remote_links, stops, words

# What the customer waits for, and what takes it back again.
TOLD_FIRST = states.VALUE_KINDS | {states.EXCHANGE, states.CANCEL_EXCHANGE, states.VOID_CREDIT}

Ahead = Mapping[tuple[int, str], Effect]  # by connection and what is written to there


@dataclass(frozen=True, kw_only=True)
class HoldShown:
    """One hold in words; ``waits_for`` names a case, an effect or where sending is resumed, with its page."""

    code: str
    text: str
    until_at: datetime | None
    waits_for: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class EffectShown:
    """One row of the table."""

    effect: Effect
    what: str
    item: str
    where: str
    state: str
    tone: str
    holds: tuple[HoldShown, ...]
    reasons: tuple[str, ...]
    next_at: datetime | None
    remote_url: str
    is_person_needed: bool


def effects_of(rma: ReturnAuthorisation, *, now: datetime) -> tuple[EffectShown, ...]:
    """Every effect of a return, what still moves first, cancelled ones last."""
    rows = list(rma.effects.select_related("connection", "route", "order", "proposed_by", "approved_by"))
    targets = _targets(rows, _cases_of(rows))
    items = {line.external_id: line.name or line.sku for line in rma.lines.all()}
    switches = stops.in_force()
    ahead = _ahead_of(rows)
    shown = [_shown(row, targets=targets, items=items, switches=switches, ahead=ahead, now=now) for row in rows]
    return tuple(sorted(shown, key=lambda row: (row.effect.state == states.EFFECT_CANCELLED, row.effect.lane)))


def shown(effect: Effect, *, now: datetime) -> EffectShown:
    """One effect by itself, for its own page."""
    targets = _targets([effect], _cases_of([effect]))
    lines = effect.rma.lines.all() if effect.rma else []
    return _shown(
        effect,
        targets=targets,
        items={line.external_id: line.name or line.sku for line in lines},
        switches=stops.in_force(),
        ahead=_ahead_of([effect]),
        now=now,
    )


def answer(rma: ReturnAuthorisation, rows: Sequence[EffectShown]) -> tuple[str, ...]:
    """The page's first words: is the customer's money or replacement there, and if not, why not."""
    told = [row for row in rows if row.effect.kind in TOLD_FIRST]
    live = [row for row in told if row.effect.state != states.EFFECT_CANCELLED]
    said = (*map(_sentence, live), *_exchanges_of_people(rma, live), *_credits_of_others(rma))
    return said or (_nothing_planned(rma),)


def _exchanges_of_people(rma: ReturnAuthorisation, live: Sequence[EffectShown]) -> Iterator[str]:
    """Replacements that no effect of ours places."""
    ours = {row.effect.key: row.effect.state for row in live}
    is_ended = rma.policy is None or rma.status in states.RETURN_ENDED
    for exchange in rma.exchanges.all():
        if key_in_force(rma.ref, exchange.external_id, ours) in ours:
            continue
        if exchange.settled_at is not None:
            yield f"Replacement order {exchange.commerce_order_id} was placed by hand by {exchange.settled_by}."
        elif exchange.cancelled_at is None and not is_ended and is_live(rma):
            yield "The replacement is not ordered yet, and a person has to see to it: see the open cases."


def _credits_of_others(rma: ReturnAuthorisation) -> Iterator[str]:
    """Credits that no effect of ours issues: by hand, by the platform, or not yet."""
    for credit in credits.of_return(rma):
        if not credit.is_sent_by_us:
            yield f"{credit.what}: {credit.state}."


def _sentence(row: EffectShown) -> str:
    texts = [hold.text.rstrip(".") for hold in row.holds] or [reason.rstrip(".") for reason in row.reasons]
    if not texts:
        return f"{row.what}: {row.state}."
    because = "; ".join(texts)
    return f"{row.what} {because}." if because.startswith("waits") else f"{row.what}: {row.state}. {because}."


def _nothing_planned(rma: ReturnAuthorisation) -> str:
    if rma.route is None or rma.policy is None:
        return "Nothing is planned: no route with a policy ties this platform to a shop."
    if rma.status in states.RETURN_ENDED:
        return f"No refund: the return was {rma.get_status_display()}."
    if rma.order is None:
        return "No refund is planned yet: the order has not been found in the shop."
    if not is_live(rma):
        return "No refund is planned yet, and this return would not be sent: see its route."
    return next(_settled_otherwise(rma), "No refund is planned yet: the returns platform has not asked for one.")


def _settled_otherwise(rma: ReturnAuthorisation) -> Iterator[str]:
    """Why nothing is planned although money was asked for or paid; the first that is true says it."""
    decided = list(rma.platform_refunds.all())
    standing = [row for row in decided if row.failed_at is None or row.failed_at < row.issued_at]
    asked = [(row.amount, row.currency) for row in standing]
    told = f" The returns platform asked for {words.total(asked)}." if asked else ""
    outside = rma.external_refunds.filter(origin=Refund.EXTERNAL, vanished_at__isnull=True).exclude(amount=0)
    paid = [(row.amount, row.currency) for row in outside]
    if paid:
        yield f"Refunded in the shop by somebody else: {words.total(paid)}. Nothing more is planned.{told}"
    for row in rma.effects.filter(kind=states.REFUND, state=states.EFFECT_CANCELLED).order_by("-pk"):
        if row.error_code == APPROVAL_REFUSED:
            yield f"{words.describe(row)}: its approval was refused, and nothing else is planned.{told}"
        yield f"{words.describe(row)} was cancelled, and no refund is planned now: see the timeline for why.{told}"
    if asked:
        yield f"No refund is planned now.{told} See the open cases and the timeline."
    if decided:
        yield "No refund is planned: the one that the returns platform decided failed there. See the open cases."
    if _is_by_policy(rma):
        yield "No refund is planned: by the policy, no unit of this return is to be refunded yet."


def _is_by_policy(rma: ReturnAuthorisation) -> bool:
    """Whether the route itself starts refunds, so that the platform is asked for none."""
    try:
        policy = parse_policy(rma.policy.document) if rma.policy is not None else Policy()
    except PolicyError:
        return False
    return policy.initiator(rma.resolution) == "policy_trigger"


def _cases_of(rows: Sequence[Effect]) -> Mapping[str, ExceptionCase]:
    wanted = {hold.get("waits_for", "") for row in rows for hold in row.holds} - {""}
    return {case.fingerprint: case for case in ExceptionCase.objects.active().filter(fingerprint__in=wanted)}


def _targets(rows: Sequence[Effect], cases: Mapping[str, ExceptionCase]) -> dict[str, tuple[str, str]]:
    wanted = {hold.get("waits_for", "") for row in rows for hold in row.holds} - {""}
    found = {
        effect.key: (words.describe(effect), reverse("admin:returnsops_effect_change", args=[effect.pk]))
        for effect in Effect.objects.filter(key__in=wanted)
    }
    for fingerprint, case in cases.items():
        url = reverse("admin:exceptions_queue_exceptioncase_change", args=[case.pk])
        found[fingerprint] = (f"case {case.pk} with {case.team_title}", url)
    return found


def _ahead_of(rows: Sequence[Effect]) -> Ahead:
    """Effects of unknown outcome that keep the next one of the same order back: one at a time is written there."""
    keys = {row.serial_key for row in rows if row.state == states.READY and row.serial_key}
    unknown = Effect.objects.filter(serial_key__in=keys, state=states.UNKNOWN) if keys else Effect.objects.none()
    return {(effect.connection_id, effect.serial_key): effect for effect in unknown}


def _behind(row: Effect, ahead: Ahead) -> tuple[HoldShown, ...]:
    first = ahead.get((row.connection_id, row.serial_key)) if row.state == states.READY and row.serial_key else None
    if first is None:
        return ()
    what = words.describe(first)
    return (
        HoldShown(
            code="waits_for_outcome",
            text=f"waits until it is known whether this went through: {what}. Where no machine can tell, a case asks a "
            "person",
            until_at=None,
            waits_for=what,
            url=reverse("admin:returnsops_effect_change", args=[first.pk]),
        ),
    )


def _shown(
    row: Effect,
    *,
    targets: Mapping[str, tuple[str, str]],
    items: Mapping[str, str],
    switches: stops.InForce,
    ahead: Ahead,
    now: datetime,
) -> EffectShown:
    kept_back = stops.of_effect(row, switches=switches)
    return EffectShown(
        effect=row,
        what=words.describe(row),
        item=items.get(row.item_external_id, ""),
        where=str(row.connection),
        state=words.state_of(row, now=now, is_stopped=bool(kept_back)),
        tone=words.tone_of(row, is_stopped=bool(kept_back)),
        holds=(*(_hold(hold, targets) for hold in row.holds), *_behind(row, ahead), *map(_stop, kept_back)),
        reasons=_reasons(row),
        next_at=None if kept_back else _next_at(row, now=now),
        remote_url=row.remote_url if remote_links.is_safe(row.remote_url) else "",
        is_person_needed=row.state in states.NEEDS_PERSON,
    )


def _hold(hold: Mapping[str, Any], targets: Mapping[str, tuple[str, str]]) -> HoldShown:
    label, url = targets.get(hold.get("waits_for") or "", ("", ""))
    until = hold.get("until")
    return HoldShown(
        code=hold["code"],
        text=hold["text"],
        until_at=parse_datetime(until) if until else None,
        waits_for=label,
        url=url,
    )


def _stop(stop: stops.Stop) -> HoldShown:
    return HoldShown(code="stopped", text=stop.text, until_at=None, waits_for=stop.label, url=stop.url)


def _next_at(row: Effect, *, now: datetime) -> datetime | None:
    at = row.confirm_after_at if row.state == states.DONE else row.next_attempt_at
    is_waiting = row.state in {states.READY, states.UNKNOWN, states.DONE}
    return at if is_waiting and at is not None and at > now else None


def _reasons(row: Effect) -> tuple[str, ...]:
    """What no hold says: a plan that is still to come, and the last error."""
    found = []
    if row.state == states.READY and row.rma is not None and row.rma.is_dirty:
        found.append("Waits for this return to be planned again, within a minute; a case says so where it cannot be.")
    if row.error_text and row.state not in {states.DONE, states.CONFIRMED, states.HELD}:
        found.append(row.error_text)
    return tuple(found)
