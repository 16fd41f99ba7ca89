"""Replay: rebuild a return from what was recorded, compare, and undo everything (design sections 2 and 4).

Within one transaction that is rolled back, the return (with the returns that share its order) is set aside and built
anew from its inbox: webhooks, polled items, readings and acts of people, each with the mapping version and at the time
of then. What left for foreign systems, and what people proposed, is taken over as it happened; what the plan wanted is
computed again and compared. No vendor is called.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import CharField, F, Model, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from connectors import replay_rows
from connectors.replay_steps import Step, steps_of
from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.models import CreditRequest, Effect, Order, PlatformRefund, ReturnAuthorisation
from returnsops.planning.model import Plan
from returnsops.services.apply_facts import apply_facts
from returnsops.services.cases import group_of
from returnsops.services.decisions import DecisionError
from returnsops.services.replan import replan, replan_as_recorded

LOOKS_IN_BETWEEN: Final = 100  # a plan asks to be looked at again a few times; more is a plan that never rests


class ReplayError(LookupError):
    """A return that cannot be replayed; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One value that the records do not lead to."""

    what: str
    stored: Any
    replayed: Any


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """The outcome: how much was replayed, and what differs."""

    ref: str
    events: int
    sent: int
    differences: tuple[Difference, ...]


@dataclass(kw_only=True)
class _Stage:
    """The rows being rebuilt: stored returns and their doubles, and every content a plan asked for, by key."""

    stored: list[ReturnAuthorisation]
    doubles: dict[int, ReturnAuthorisation] = field(default_factory=dict)  # by the stored row's id
    wanted: dict[str, list[replay_rows.Row]] = field(default_factory=dict)
    refused: list[Difference] = field(default_factory=list)


def find(name: str) -> ReturnAuthorisation:
    """The return with this number, platform id, or connection/id. Raises ReplayError unless exactly one fits."""
    connection, _, external_id = name.partition("/")
    by_ref = Q(connection__name=connection, external_id=external_id)
    rows = list(ReturnAuthorisation.objects.filter(Q(number=name) | Q(external_id=name) | by_ref).order_by("pk")[:2])
    if not rows:
        raise ReplayError(f"There is no return {name!r}. Give its number, the platform's id, or connection/id.")
    if len(rows) > 1:
        raise ReplayError(f"{name!r} is more than one return; give one of: {', '.join(row.ref for row in rows)}.")
    return rows[0]


def replay(*, rma: ReturnAuthorisation, at: datetime) -> Replayed:
    """Rebuild and compare one return; leaves every row as it was. ``at`` is now, for what waits to be planned."""
    with transaction.atomic():
        outcome = _replayed(rma, at=at)
        transaction.set_rollback(True)
    return outcome


def _replayed(rma: ReturnAuthorisation, *, at: datetime) -> Replayed:
    if rma.is_dirty:
        replan(rma_id=rma.pk, at=at)
    stored = _together(rma)
    steps = steps_of(stored)
    target = next(row for row in stored if row.pk == rma.pk)
    facts_before = replay_rows.fact_rows(target)
    effects_before = replay_rows.effect_rows(target)
    _set_aside(stored)
    stage = _Stage(stored=stored)
    _make_doubles(stage)
    for step in steps:
        _play(stage, step)
    _plan_at_last(stage, target)
    double = ReturnAuthorisation.objects.get(pk=stage.doubles[target.pk].pk)
    differences = [
        *stage.refused,
        *_differences(facts_before, replay_rows.fact_rows(double)),
        *_effect_differences(stage, effects_before, replay_rows.effect_rows(double)),
    ]
    sent = sum(row["state"] not in states.UNSENT | {states.EFFECT_CANCELLED} for row in effects_before.values())
    events = sum(step.event is not None for step in steps)
    return Replayed(ref=target.ref, events=events, sent=sent, differences=tuple(differences))


# --- making room -------------------------------------------------------------------------------------------------


def _together(rma: ReturnAuthorisation) -> list[ReturnAuthorisation]:
    """The return and all that share its order: they reserve money and units from each other."""
    same = Q(pk=rma.pk) | Q(order__isnull=False, order_id=rma.order_id)
    rows = ReturnAuthorisation.objects.filter(same).order_by("pk")
    return list(rows.select_related("connection", "route", "policy", "order"))


def _set_aside(stored: list[ReturnAuthorisation]) -> None:
    """Free every identity, so that the doubles get the same ones."""
    returns = ReturnAuthorisation.objects.filter(pk__in=[row.pk for row in stored])
    orders = Order.objects.filter(pk__in=[row.order_id for row in stored if row.order_id])
    cases = ExceptionCase.objects.filter(group_key__in=[group_of(row) for row in stored])
    _rename(cases, "group_key", "fingerprint")
    _rename(PlatformRefund.objects.filter(rma__in=returns), "external_id")
    _rename(CreditRequest.objects.filter(rma__in=returns), "external_id")
    effects = Effect.objects.filter(Q(rma__in=returns) | Q(order__in=orders))
    effects.update(serial_key="")
    _rename(effects, "key")
    _rename(orders, "external_id")
    _rename(returns, "external_id")


def _rename(rows: QuerySet[Any], *names: str) -> None:
    aside = Concat(Value("aside:"), Cast(F("pk"), CharField()))
    rows.update(**dict.fromkeys(names, aside))


def _make_doubles(stage: _Stage) -> None:
    """In the order of the stored rows, with route, policy version and what people decided about their start."""
    for row in stage.stored:
        double = ReturnAuthorisation.objects.create(
            connection=row.connection,
            external_id=row.external_id,
            route=row.route,
            policy=row.policy,
            released_by=row.released_by,
            released_at=row.released_at,
        )
        ReturnAuthorisation.objects.filter(pk=double.pk).update(created_at=row.created_at)
        stage.doubles[row.pk] = double


# --- playing -----------------------------------------------------------------------------------------------------


def _play(stage: _Stage, step: Step) -> None:
    _look_in_between(stage, until=step.at)
    if step.told:
        _apply(stage, step)
    if step.effect is not None:
        _take_over(stage, step.effect)
    if step.settled is not None:
        _settle(stage, step.settled)
    _replan(stage, ReturnAuthorisation.objects.filter(is_dirty=True), at=step.at)


def _apply(stage: _Stage, step: Step) -> None:
    """Facts about these returns and their orders; an event may tell of others too."""
    names = {row.external_id for row in stage.stored}
    mine = [fact for fact in step.told if not isinstance(fact, facts.ReturnFact) or fact.return_id in names]
    try:
        with transaction.atomic():
            apply_facts(connection=step.connection, new_facts=mine, at=step.at)
    except DecisionError as error:
        stage.refused.append(Difference(what=f"event {step.event}", stored="applied", replayed=str(error)))


def _take_over(stage: _Stage, stored: Effect) -> None:
    """What left, or was asked for by a person, stands in the ledger from then on exactly as it did."""
    rma = stage.doubles.get(stored.rma_id or 0)
    order = Order.objects.filter(returns__in=[double.pk for double in stage.doubles.values()]).first()
    row = Effect.objects.filter(key=stored.key).first() or Effect(key=stored.key)
    for column in Effect._meta.concrete_fields:
        if column.name not in ("id", "key", "rma", "order"):
            setattr(row, column.attname, getattr(stored, column.attname))
    row.rma, row.order = rma, order
    row.save()
    _mark_dirty(stage)


def _settle(stage: _Stage, stored: Model) -> None:
    """A credit or an exchange that a person carried out by hand."""
    rma = stage.doubles[stored.rma_id]  # type: ignore[attr-defined]
    names = [name for name in replay_rows.BY_HAND if hasattr(stored, name)]
    rows = type(stored)._default_manager.filter(rma=rma, external_id=stored.external_id)  # type: ignore[attr-defined]
    rows.update(**{name: getattr(stored, name) for name in names})
    _mark_dirty(stage)


def _mark_dirty(stage: _Stage) -> None:
    _doubles(stage).update(is_dirty=True)


def _look_in_between(stage: _Stage, *, until: datetime) -> None:
    """Plans that asked to be made again at a time that has passed since."""
    for _ in range(LOOKS_IN_BETWEEN):
        row = _doubles(stage).filter(next_look_at__lte=until).order_by("next_look_at", "pk").first()
        if row is None or row.next_look_at is None:
            return
        _replan(stage, [row], at=row.next_look_at)


def _plan_at_last(stage: _Stage, target: ReturnAuthorisation) -> None:
    """Plan the return at the moment of its stored plan."""
    if target.planned_at is not None:
        _look_in_between(stage, until=target.planned_at)
        _replan(stage, _doubles(stage).filter(pk=stage.doubles[target.pk].pk), at=target.planned_at)


def _replan(stage: _Stage, rows: Iterable[ReturnAuthorisation], *, at: datetime) -> None:
    mine = {double.pk for double in stage.doubles.values()}
    for rma_id in sorted(row.pk for row in rows if row.pk in mine):
        _remember(stage, replan_as_recorded(rma_id=rma_id, at=at))


def _remember(stage: _Stage, plan: Plan) -> None:
    for effect in plan.effects:
        stage.wanted.setdefault(effect.key, []).append(replay_rows.planned_row(effect))


def _doubles(stage: _Stage) -> QuerySet[ReturnAuthorisation]:
    return ReturnAuthorisation.objects.filter(pk__in=[double.pk for double in stage.doubles.values()])


# --- comparing ---------------------------------------------------------------------------------------------------


def _differences(stored: replay_rows.Rows, replayed: replay_rows.Rows) -> Iterable[Difference]:
    """Every field of every row; a row that only one side has is one difference."""
    for name in sorted(stored.keys() | replayed.keys()):
        before, after = stored.get(name), replayed.get(name)
        if before is None or after is None:
            yield Difference(what=name, stored=before, replayed=after)
            continue
        for column in before:
            if before[column] != after[column]:
                yield Difference(what=f"{name}: {column}", stored=before[column], replayed=after[column])


def _effect_differences(stage: _Stage, stored: replay_rows.Rows, replayed: replay_rows.Rows) -> Iterable[Difference]:
    """What was sent must have been wanted exactly so; what was not sent must be what the plan wants at last."""
    for key in sorted(stored.keys() | replayed.keys()):
        before, after = stored.get(key), replayed.get(key)
        if before is not None and _is_taken_over(before):
            if before["origin"] == states.ORIGIN_PLAN and _content(before) not in stage.wanted.get(key, []):
                wanted = stage.wanted.get(key, [None])[-1]
                yield Difference(what=f"effect {key}", stored=_content(before), replayed=wanted)
        elif _live(before) != _live(after):
            yield Difference(what=f"effect {key}", stored=_live(before), replayed=_live(after))


def _is_taken_over(row: replay_rows.Row) -> bool:
    return row["state"] not in states.UNSENT | {states.EFFECT_CANCELLED} or row["origin"] != states.ORIGIN_PLAN


def _live(row: replay_rows.Row | None) -> replay_rows.Row | None:
    """The content of an effect that is still to be sent; None where there is none."""
    return _content(row) if row is not None and row["state"] in states.UNSENT else None


def _content(row: replay_rows.Row) -> replay_rows.Row:
    return {name: row[name] for name in replay_rows.CONTENT}
