"""The claimed effect in delivery's hands: its rows as they are now, and what follows once a result is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import Final

from django.db.models import QuerySet

from connectors.jobs import Job, Runtime
from connectors.ports import Capabilities
from connectors.reads import keep_read
from returnsops.facts import OrderChanged, OrderSnapshot
from returnsops.models import Attempt, Effect, ReturnAuthorisation
from returnsops.prepared import Prepared
from returnsops.services.apply_facts import apply_facts
from returnsops.services.effect_rows import Claim
from returnsops.services.effects import CONFIRM
from returnsops.services.replan import mark_dirty, plan_if_possible

ANSWERED: Final = ("absent", "pending")  # outcomes of read-backs that found something out
NOT_ASKED: Final = ("auth", "rate_limited")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The claimed effect as its rows are now, and when we look at them."""

    claim: Claim
    effect: Effect
    capabilities: Capabilities
    at: datetime
    runtime: Runtime

    def later(self, seconds: float) -> datetime:
        """That many seconds after we looked."""
        return self.at + timedelta(seconds=seconds)

    def looks(self) -> int:
        """How often this effect was looked up since its last write, or read back since it is done; this time too."""
        return max(1, self._asked().count())

    def failed_reads(self, *, up_to: int) -> int:
        """How many of the last read-backs in a row found nothing out, this one included; at most ``up_to``."""
        outcomes = self._asked().exclude(outcome__in=NOT_ASKED).order_by("-number").values_list("outcome", flat=True)
        return len(list(takewhile(lambda outcome: outcome not in ANSWERED, outcomes[:up_to])))

    def _asked(self) -> QuerySet[Attempt]:
        """The attempts of the claim's purpose since the last write, or since the effect is done."""
        effect = self.effect
        since = effect.done_at if self.claim.purpose == CONFIRM else effect.last_attempt_at
        return effect.attempts.filter(purpose=self.claim.purpose, started_at__gte=since or effect.planned_at)

    def keep_order(self, job: Job, order: OrderSnapshot) -> None:
        """Record the reading and apply it, as of when it began; its returns are marked for planning."""
        connection = self.effect.connection
        fact = OrderChanged(order_id=order.order_id, snapshot=order, occurred_at=job.started_at)
        applied = apply_facts(connection=connection, new_facts=[fact], at=job.started_at)
        keep_read(connection=connection, snapshot=order, at=job.started_at, order_row_id=applied.order_ids[0])
        mark_dirty(order_ids=applied.order_ids)

    def mark_dirty(self) -> None:
        """Ask for a new plan, in the transaction of the result, so that it cannot be forgotten."""
        effect = self.effect
        mark_dirty(
            rma_ids=[effect.rma_id] if effect.rma_id else [], order_ids=[effect.order_id] if effect.order_id else []
        )

    def finish(self) -> None:
        """The result is kept: plan what follows from it."""
        self.runtime.checkpoint("settled")
        self.plan_again()

    def plan_again(self) -> None:
        """Plan the returns of this order now; one that cannot be planned stays dirty and never undoes the result."""
        effect = self.effect
        if effect.order_id:
            dirty = _DIRTY_OF_ORDER.rows(order_id=effect.order_id)
        else:
            dirty = _DIRTY_OF_EFFECT.rows(effect_id=effect.pk)
        for (rma_id,) in dirty:
            plan_if_possible(rma_id=rma_id, at=self.at)
        self.runtime.checkpoint("replanned")


_DIRTY_OF_ORDER: Final = Prepared(
    lambda order_id: ReturnAuthorisation.objects.filter(is_dirty=True, order=order_id).order_by("pk").values_list("pk")
)
_DIRTY_OF_EFFECT: Final = Prepared(
    lambda effect_id: (
        ReturnAuthorisation.objects.filter(is_dirty=True, effects=effect_id).order_by("pk").values_list("pk")
    )
)


def desk_of(
    claim: Claim, capabilities: Capabilities, runtime: Runtime, *, related: Sequence[str] = ("connection",)
) -> Desk:
    """The desk for a claim; ``related`` is what is read with the effect, the rest when somebody asks for it."""
    effect = _with(tuple(related)).one(effect_id=claim.effect_id)
    return Desk(claim=claim, effect=effect, capabilities=capabilities, at=runtime.now(), runtime=runtime)


@cache
def _with(related: tuple[str, ...]) -> Prepared[Effect]:
    return Prepared(lambda effect_id: Effect.objects.select_related(*related or (None,)).filter(pk=effect_id))
