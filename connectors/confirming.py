"""Read-back of what was acknowledged: ``done`` → ``confirmed`` when seen, ``failed`` where it did not work after all.

What the other system shows as still under way (a refund its gateway has not paid yet) stays ``done`` and is looked at
again, less and less often; after some days a person hears of it. So does one where the record cannot be read. A record
that a person named is verified the same way, and may be named anew. Nothing here ever sends anything.
"""

from datetime import timedelta
from typing import Final

from django.db import transaction

from connectors import delivery_cases, outcomes, read_back
from connectors.desk import Desk
from connectors.jobs import Job
from connectors.ports import Found, Lookup, VendorError
from returnsops import states
from returnsops.services import effects
from returnsops.services.effect_rows import Failure

WAITS_S: Final = (5.0, 30.0, 120.0, 600.0)
SLOW_S: Final = 6 * 3600.0
PENDING_FIRST_S: Final = 300.0
PENDING_TO_CASE: Final = timedelta(days=5)  # banks settle within days; then somebody has to ask the gateway


def settle(job: Job, desk: Desk, lookup: Lookup) -> None:
    """Write what a read-back showed; money also compares the order's whole refunded sum."""
    with transaction.atomic():
        if lookup.order is not None:
            desk.keep_order(job, lookup.order)
        is_it = read_back.is_about(desk.effect, lookup)
        if lookup.failed_because and is_it:
            _settle_failed(desk, lookup)
        elif lookup.is_pending and is_it:
            _settle_pending(desk, lookup)
        elif not read_back.is_seen(desk.effect, lookup):
            _settle_not_seen(desk, lookup)
        elif effects.settle_confirmed(claim=desk.claim, evidence=lookup.evidence, at=desk.at):
            delivery_cases.close_not_seen(effect=desk.effect, at=desk.at)
        if lookup.order is not None and desk.effect.kind in states.MONEY_KINDS:
            read_back.compare_refunded_sum(effect=desk.effect, order=lookup.order, at=desk.at)
        desk.mark_dirty()
    desk.runtime.checkpoint("confirm_settled")
    desk.plan_again()


def settle_error(desk: Desk, error: VendorError, failure: Failure) -> None:
    """The record could not be read: again later, never sent; after some such answers in a row a person hears of it."""
    is_exhausted = outcomes.is_asked(error) and desk.failed_reads(up_to=len(WAITS_S) + 1) > len(WAITS_S)
    after = desk.later(outcomes.wait_s(error, looks=desk.looks()))
    is_ours = effects.postpone_confirm(claim=desk.claim, failure=failure, confirm_after_at=after, at=desk.at)
    if is_ours and is_exhausted:
        text = f"It cannot be read back: {failure.text}"
        delivery_cases.open_not_seen(effect=desk.effect, text=text, evidence=failure.evidence or {}, at=desk.at)


def _settle_not_seen(desk: Desk, lookup: Lookup) -> None:
    """Acknowledged and not there: looked for again and again, never sent again; after some tries a case."""
    tries = desk.effect.confirm_tries
    is_exhausted = tries >= len(WAITS_S) or lookup.found is Found.AMBIGUOUS
    after = desk.later(SLOW_S if is_exhausted else WAITS_S[tries])
    text = read_back.why_not_seen(desk.effect, lookup)
    failure = Failure(error_class="absent", text=text, evidence=lookup.evidence)
    is_ours = effects.postpone_confirm(claim=desk.claim, failure=failure, confirm_after_at=after, at=desk.at)
    if is_ours and is_exhausted:
        evidence = {**lookup.evidence, "refunds_there": read_back.refunds_there(lookup)}
        delivery_cases.open_not_seen(effect=desk.effect, text=text, evidence=evidence, at=desk.at)


def _settle_pending(desk: Desk, lookup: Lookup) -> None:
    """There and still under way: as often again as it took until now, at most six hours apart."""
    waited = desk.at - (desk.effect.done_at or desk.at)
    after = desk.later(min(SLOW_S, max(PENDING_FIRST_S, waited.total_seconds())))
    text = lookup.text or "It is there, and the other system is still working on it."
    failure = Failure(error_class="pending", text=text, evidence=lookup.evidence)
    is_ours = effects.postpone_confirm(claim=desk.claim, failure=failure, confirm_after_at=after, at=desk.at)
    if is_ours and waited >= PENDING_TO_CASE:
        delivery_cases.open_not_seen(effect=desk.effect, text=text, evidence=lookup.evidence, at=desk.at)


def _settle_failed(desk: Desk, lookup: Lookup) -> None:
    """It was taken and did not work: failed for good, a person decides; what was acknowledged is never sent again."""
    failure = Failure(error_class="failed_later", text=lookup.failed_because, evidence=lookup.evidence)
    if effects.settle_failed_later(claim=desk.claim, failure=failure, at=desk.at):
        delivery_cases.close_not_seen(effect=desk.effect, at=desk.at)
        delivery_cases.open_failed_later(effect=desk.effect, failure=failure, at=desk.at)
