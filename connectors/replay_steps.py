"""What happened to some returns, in order: messages with the facts in them, sends, and what people did by hand."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q

from connectors import inbox
from returnsops import facts, states
from returnsops.models import (
    Connection,
    CreditRequest,
    Effect,
    ExchangeRequest,
    InboundEvent,
    MappingVersion,
    ReturnAuthorisation,
)
from returnsops.services.acts import HUMAN_FACTS
from returnsops.services.attribution import BY

# At one and the same moment: what was told, then what was sent, then a reading that shows what was sent.
_TOLD, _SENT, _SEEN = 0, 1, 2
_TIMES: Final = ("occurred_at", "inspected_at")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened at one moment."""

    at: datetime
    rank: int
    number: int  # the row's own id: the order of arrival within a moment
    connection: Connection
    event: int | None = None
    told: tuple[facts.Fact, ...] = ()
    effect: Effect | None = None
    settled: CreditRequest | ExchangeRequest | None = None


def steps_of(returns: Sequence[ReturnAuthorisation]) -> list[Step]:
    """All recorded steps of these returns and their order, oldest first."""
    effects = list(_effects(returns))
    keys = {effect.remote_key for effect in effects}
    told = [_told(event, keys) for event in _events(returns)]
    sent = [step for effect in effects if (step := _sent(effect))]
    steps = [*told, *sent, *_by_hand(returns)]
    return sorted(steps, key=lambda step: (step.at, step.rank, step.number))


def fact_of_act(topic: str, document: Mapping[str, Any]) -> facts.ReturnFact:
    """The fact that a person's recorded act stated. Raises KeyError for an act this version does not know."""
    fields = {name: _value(name, value) for name, value in document.items() if name != "fact"}
    return HUMAN_FACTS[topic](**fields)


def _value(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value)
    if name == "items":
        return tuple(facts.InspectedItem(**{key: _value(key, inner) for key, inner in item.items()}) for item in value)
    return value


def _events(returns: Sequence[ReturnAuthorisation]) -> list[InboundEvent]:
    """Processed messages that name one of the returns, and readings of their order."""
    wanted = Q(rma__in=returns) | Q(source="read", order__in=[row.order_id for row in returns if row.order_id])
    for row in returns:
        wanted |= Q(connection=row.connection, subject_key=f"return:{row.external_id}")
    processed = InboundEvent.objects.filter(state=states.EVENT_PROCESSED, processed_at__isnull=False)
    return list(processed.filter(wanted).select_related("connection").order_by("pk"))


def _told(event: InboundEvent, keys: set[str]) -> Step:
    assert event.processed_at is not None
    found = _facts(event)
    shows_ours = any(
        refund.key in keys
        for fact in found
        if isinstance(fact, facts.OrderChanged)
        for refund in fact.snapshot.refunds
        if refund.key
    )
    return Step(
        at=event.processed_at,
        rank=_SEEN if shows_ours or event.by == BY else _TOLD,  # what explained itself was read before
        number=event.pk,
        connection=event.connection,
        event=event.pk,
        told=found,
    )


def _facts(event: InboundEvent) -> tuple[facts.Fact, ...]:
    if event.source in ("human", "wms"):
        return (fact_of_act(event.topic, json.loads(bytes(event.body), parse_float=Decimal)),)
    mapping = MappingVersion.objects.filter(connection=event.connection, version=event.mapping_version or 0).first()
    return inbox.normalise_with(event, mapping=mapping).facts


def _effects(returns: Sequence[ReturnAuthorisation]) -> Sequence[Effect]:
    orders = [row.order_id for row in returns if row.order_id]
    rows = Effect.objects.filter(Q(rma__in=returns) | Q(order__in=orders)).order_by("pk")
    return list(rows.select_related("connection"))


def _sent(effect: Effect) -> Step | None:
    """When an effect left for the last time, or a person asked for it; None for one that is the plan's own still."""
    if effect.origin != states.ORIGIN_PLAN:
        moment: datetime | None = effect.planned_at
    elif effect.state in states.UNSENT | {states.EFFECT_CANCELLED}:
        return None
    else:
        moment = _left_at(effect)
    at = moment or effect.planned_at
    return Step(at=at, rank=_SENT, number=effect.pk, connection=effect.connection, effect=effect)


def _left_at(effect: Effect) -> datetime | None:
    last = effect.attempts.filter(has_sent=True, generation=effect.generation).order_by("-started_at").first()
    return last.started_at if last else effect.done_at or effect.last_attempt_at


def _by_hand(returns: Sequence[ReturnAuthorisation]) -> list[Step]:
    credits = CreditRequest.objects.filter(rma__in=returns).select_related("rma__connection")
    exchanges = ExchangeRequest.objects.filter(rma__in=returns).select_related("rma__connection")
    rows: list[CreditRequest | ExchangeRequest] = [*credits, *exchanges]
    return [
        Step(at=row.settled_at, rank=_SENT, number=row.pk, connection=row.rma.connection, settled=row)
        for row in rows
        if row.settled_at is not None
    ]
