"""Routes: their policy versions, who signed them, and whether they send (design section 6)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from returnsops import states
from returnsops.models import PolicySignature, PolicyVersion, ReturnAuthorisation, Route
from returnsops.planning.policy import holes, parse_policy

from . import audit
from .replan import mark_dirty, plan_if_possible
from .views import is_live

SIGNING_TEAMS = (states.CX, states.FIN, states.OPS)


class RouteError(Exception):
    """An act on a route that is not possible; the text says what is missing and what to do."""


@transaction.atomic
def save_policy(*, route: Route, document: Mapping[str, Any], by: str, at: datetime) -> PolicyVersion:
    """Make a new policy version in force if it differs from the present one; open returns keep theirs.

    Raises PolicyError for a document that cannot be used. A live route whose policy changes goes back to shadow:
    nobody signed the new one yet.
    """
    parse_policy(document)
    present = route.policy
    if present is not None and present.document == dict(document):
        return present
    last = route.policies.order_by("-version").first()
    version = PolicyVersion.objects.create(
        route=route, version=last.version + 1 if last else 1, document=dict(document), created_at=at, created_by=by
    )
    route.policy = version
    ReturnAuthorisation.objects.filter(route=route, policy__isnull=True).update(policy=version, is_dirty=True)
    audit.record(act="policy_saved", by=by, at=at, subject=route, text=f"Policy {version.version} of {route.name}.")
    if route.mode == states.ROUTE_LIVE:
        _switch(route, states.ROUTE_SHADOW, by=by, at=at)
    route.save(update_fields=["policy"])
    return version


@transaction.atomic
def sign_policy(*, policy: PolicyVersion, team: str, by: User, at: datetime) -> PolicySignature:
    """One team agrees to one version. Raises RouteError for a stranger to the team or a second signature."""
    if team not in SIGNING_TEAMS or not by.groups.filter(name=states.TEAMS[team]).exists():
        raise RouteError(f"Only a member of {states.TEAMS.get(team, team)} can sign for that team.")
    known = policy.signatures.filter(team=team).first()
    if known is not None:
        return known
    if policy.signatures.filter(signed_by=by).exists():
        raise RouteError("One person signs for one team only; ask a colleague of the other team.")
    row = PolicySignature.objects.create(policy=policy, team=team, signed_by=by, signed_at=at)
    text = f"Policy {policy.version} of {policy.route.name} signed for {states.TEAMS[team]}."
    audit.record(act="policy_signed", by=str(by), at=at, subject=policy, text=text)
    return row


def obstacles(route: Route) -> tuple[str, ...]:
    """What still keeps a route from going live, in words; empty if nothing does."""
    if route.policy is None:
        return ("The route has no policy.",)
    placed = frozenset(route.disposition_mappings.values_list("disposition", flat=True))
    policy = parse_policy(route.policy.document)
    found = holes(policy, has_commerce=route.commerce_id is not None, has_erp=route.erp_id is not None, placed=placed)
    signed = set(route.policy.signatures.values_list("team", flat=True))
    unsigned = [f"{states.TEAMS[team]} has not signed policy {route.policy.version}." for team in SIGNING_TEAMS]
    return (*found, *(text for team, text in zip(SIGNING_TEAMS, unsigned, strict=True) if team not in signed))


@transaction.atomic
def set_mode(
    *, route: Route, mode: str, by: str, at: datetime, live_from: datetime | None = None, why: str = ""
) -> Route:
    """Switch a route off, to shadow, or live. Raises RouteError listing what keeps it from going live.

    Its returns are marked for planning in the same transaction; until they are planned, ``stops`` keeps back what the
    switch no longer allows.
    """
    route = Route.objects.select_for_update(of=("self",)).get(pk=route.pk)
    if mode == route.mode and (live_from is None or live_from == route.live_from):
        return route
    if mode == states.ROUTE_LIVE:
        missing = obstacles(route)
        if missing:
            raise RouteError(f"Route {route.name} cannot go live yet: {' '.join(missing)}")
        route.live_from = live_from or route.live_from or at
    _switch(route, mode, by=by, at=at, why=why)
    return route


def _switch(route: Route, mode: str, *, by: str, at: datetime, why: str = "") -> None:
    route.mode = mode
    route.save(update_fields=["mode", "live_from"])
    since = {"live_from": route.live_from.isoformat()} if route.live_from and mode == states.ROUTE_LIVE else {}
    text = f"Route {route.name} is {mode}."
    audit.record(act="route_mode", by=by, at=at, subject=route, text=text, why=why, detail={"mode": mode, **since})
    mark_dirty(rma_ids=route.returns.values_list("pk", flat=True))


def release_returns(*, rma_ids: Iterable[int], by: str, at: datetime, why: str) -> list[ReturnAuthorisation]:
    """Release several returns, each in a transaction of its own, and plan them; those that were released.

    Those that need no release (any more) are left out. Raises RouteError without a reason.
    """
    released = []
    for rma in ReturnAuthorisation.objects.filter(pk__in=list(rma_ids)).select_related("route").order_by("pk"):
        if not needs_release(rma):
            continue
        release_return(rma=rma, by=by, at=at, why=why)
        released.append(rma)
        plan_if_possible(rma_id=rma.pk, at=at)
    return released


def needs_release(rma: ReturnAuthorisation) -> bool:
    """Whether only a person's release lets this return send: its route is live, and it began before."""
    is_on_live_route = rma.route is not None and rma.route.mode == states.ROUTE_LIVE
    return is_on_live_route and rma.released_at is None and not is_live(rma)


@transaction.atomic
def release_return(*, rma: ReturnAuthorisation, by: str, at: datetime, why: str) -> None:
    """Let a return begun before its route went live send its effects. Raises RouteError without a reason."""
    if not why.strip():
        raise RouteError("Releasing a return needs a reason.")
    if rma.released_at is not None:
        return
    rma.released_by, rma.released_at, rma.is_dirty = by, at, True
    rma.save(update_fields=["released_by", "released_at", "is_dirty"])
    text = f"Return {rma.label} released though it began before the route went live."
    audit.record(act="return_released", by=by, at=at, subject=rma, text=text, why=why, rma=rma)
