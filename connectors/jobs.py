"""A claimed effect on its way through the steps of delivery: what to ask of the vendor, and the asking.

``perform`` is the only place where delivery talks to a vendor. It touches no row, so it may run in any thread.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import random as system_random
from typing import Any, Final

from connectors.ports import (
    Answer,
    Capabilities,
    Connector,
    EffectActions,
    Intent,
    Json,
    Link,
    Lookup,
    OutcomeUnknown,
    Retryable,
    Sent,
    VendorError,
)
from connectors.purses import Purse
from connectors.registry import connector_for, link_for, utc_now
from returnsops.models import Connection, Effect
from returnsops.services import effects
from returnsops.services.effect_rows import Claim

log = logging.getLogger(__name__)

# The moments at which the process may die, in order of appearance; fault tests crash at each.
CHECKPOINTS: Final = (
    "claimed",
    "looked_up",
    "send_begun",
    "sent",
    "settled",
    "replanned",
    "confirm_claimed",
    "confirm_looked_up",
    "confirm_settled",
)
LEASE_MARGIN_S: Final = 30.0

Answered = Lookup | Sent | VendorError


class OwnMistake(OutcomeUnknown):
    """Our own program failed during a call; says nothing of the vendor's health."""


def _no_checkpoint(name: str) -> None:
    """Nothing happens here but in fault tests."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What a test may replace: the clock, chance, the way to a vendor, and a place to crash."""

    now: Callable[[], datetime] = utc_now
    random: Callable[[], float] = system_random
    checkpoint: Callable[[str], None] = _no_checkpoint
    connector: Callable[[str], Connector] = connector_for
    sleep: Callable[[float], None] = time.sleep
    before_call: Callable[[str], None] | None = None  # None: each call takes its slot of the budget by itself
    purse: Purse | None = None  # the same for the points of vendors that count them
    link: Callable[..., Link] = field(default=link_for)

    def link_to(self, connection: Connection) -> Link:
        """The connection in use. Raises AuthFailed where a secret cannot be read."""
        return self.link(connection, now=self.now, before_call=self.before_call, purse=self.purse)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One step of one claimed effect; ``lookup`` is set when the step is to send."""

    claim: Claim
    capabilities: Capabilities
    actions: EffectActions
    link: Link
    intent: Intent
    payload_hash: str
    started_at: datetime
    lease_until_at: datetime
    lookup: Lookup | None = None

    @property
    def checkpoint(self) -> str:
        """The moment at which its answer is there."""
        if self.lookup is not None:
            return "sent"
        return "confirm_looked_up" if self.claim.purpose == effects.CONFIRM else "looked_up"


def lease_s(capabilities: Capabilities) -> float:
    """Long enough for two calls at their deadline, with a margin for our own work."""
    return 2.0 * capabilities.call_deadline_s + LEASE_MARGIN_S


def perform(job: Job) -> Answered:
    """The HTTP of one step. Errors are answers too."""
    link = replace(job.link, call=_LeasedCaller(job=job))
    try:
        if job.lookup is not None:
            return job.actions.send(link, job.intent, job.lookup)
        return job.actions.look_up(link, job.intent)
    except VendorError as error:
        return error
    except Exception as error:  # what was sent before our mistake is not known
        log.exception("%s of effect %s failed in our own program", job.claim.purpose, job.claim.effect_id)
        return OwnMistake(f"{type(error).__name__} in our own program.", evidence={"error": type(error).__name__})


def intent_of(effect: Effect) -> Intent:
    """An effect as a vendor sees it. The remote key is the key, with the generation from the second one on."""
    order_id = effect.order.external_id if effect.order else ""
    remote_keys = [effect.key, *(f"{effect.key}#{number}" for number in range(2, effect.generation + 1))]
    return Intent(
        kind=effect.kind,
        key=effect.key,
        remote_key=remote_keys[-1],
        order_id=order_id or (effect.rma.order_external_id if effect.rma else ""),
        payload=effect.payload,
        amount=effect.amount,
        currency=effect.currency,
        planned_at=effect.planned_at,
        first_attempt_at=effect.first_attempt_at,
        earlier_remote_keys=tuple(remote_keys[:-1]),
        return_id=effect.rma.external_id if effect.rma else "",
        remote_id=effect.remote_id,
        shown=effect.rma.platform_shows.get(effect.payload.get("message"), {}) if effect.rma else {},
    )


@dataclass(frozen=True, kw_only=True)
class _LeasedCaller:
    """The link's caller; refuses calls that could outlast the claim, so that nothing leaves without a living lease."""

    job: Job

    def __call__(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Json = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
        timeout_s: float = 30.0,
        is_write: bool = False,
    ) -> Answer:
        """Send one request. Raises Retryable where the lease would not outlive it."""
        deadline_s = min(timeout_s, float(self.job.capabilities.call_deadline_s))
        if self.job.link.now() + timedelta(seconds=deadline_s) > self.job.lease_until_at:
            raise Retryable("The claim would end before the call could; nothing was sent.")
        return self.job.link.call(
            method,
            url,
            params=params,
            json=json,
            form=form,
            headers=headers,
            auth=auth,
            timeout_s=deadline_s,
            is_write=is_write,
        )
