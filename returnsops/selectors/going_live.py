"""What keeps a route from going live, who owns what, and what going live would do (design section 6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse

from returnsops import states
from returnsops.models import Effect, PolicyVersion, Refund, ReturnAuthorisation, Route
from returnsops.planning.holds import NOT_LIVE
from returnsops.planning.keys import content_hash
from returnsops.planning.policy import OWNED, Policy, PolicyError, holes, parse_policy
from returnsops.services.routes import SIGNING_TEAMS, obstacles
from returnsops.services.views import begun_since

from . import words

OWNED_WORDS = {
    "order": "Orders",
    "refund": "Refunds (book of record of money)",
    "return_status": "Status of a return",
    "disposition": "What happens to returned goods",
    "stock": "Stock",
    "credit_note": "Credit notes",
}
OWNER_WORDS = {
    "commerce": "the shop",
    "platform": "the returns platform",
    "erp": "the ERP",
    "warehouse": "our warehouse",
    "": "nobody yet",
}
Person = User | AnonymousUser


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """One thing that is missing, and the page where it is seen to; '' = the configuration file."""

    text: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Owned:
    """One row of the ownership matrix."""

    thing: str
    owner: str
    hole: str


@dataclass(frozen=True, kw_only=True)
class SignedBy:
    """One team's signature of the policy in force; ``url`` leads this person to sign, where that is theirs to do."""

    team: str
    name: str
    at: datetime | None
    url: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What going live from a moment does, as planned now."""

    live_from: datetime
    waiting: int
    waiting_money: str
    going: tuple[tuple[str, int], ...]
    going_count: int
    going_returns: int
    going_money: str
    second_person: int
    counted: int
    counted_money: str
    asked: int
    asked_money: str
    unplanned: int

    @property
    def stamp(self) -> str:
        """Changes when what would be sent changes: whoever confirms has seen just this."""
        return content_hash({"count": self.going_count, "money": self.going_money, "returns": self.going_returns})


def obstacles_of(route: Route) -> tuple[Obstacle, ...]:
    """What still keeps it from going live, each with the page where it is seen to."""
    return tuple(Obstacle(text=text, url=_where(route, text)) for text in obstacles(route))


def _where(route: Route, text: str) -> str:
    if text.startswith("dispositions."):
        return reverse("admin:returnsops_dispositionmapping_changelist")
    if route.policy_id is not None and " has not signed " in text:
        return reverse("admin:returnsops_policyversion_act", args=[route.policy_id, "sign"])
    if route.policy_id is not None:
        return reverse("admin:returnsops_policyversion_change", args=[route.policy_id])
    return ""


def matrix(route: Route) -> tuple[Owned, ...]:
    """Who holds the truth of what; a hole says what to do about it."""
    policy = policy_of(route.policy)
    if policy is None:
        return ()
    found = holes(policy, has_commerce=route.commerce_id is not None, has_erp=route.erp_id is not None)
    wanting = {text.partition(":")[0].removeprefix("ownership."): text.partition(": ")[2] for text in found}
    things = [thing for thing in OWNED if thing != "credit_note" or route.erp_id is not None]
    return tuple(
        Owned(
            thing=OWNED_WORDS[thing],
            owner=OWNER_WORDS[policy.ownership.get(thing, "")],
            hole=wanting.get(thing, ""),
        )
        for thing in things
    )


def policy_of(version: PolicyVersion | None) -> Policy | None:
    """The settings of a policy version; None where there is none, or it cannot be read."""
    try:
        return None if version is None else parse_policy(version.document)
    except PolicyError:
        return None


def signatures(route: Route, user: Person) -> tuple[SignedBy, ...]:
    """Each of the three teams: who signed the policy in force and when, or where to sign it."""
    if route.policy is None:
        return ()
    signed = {row.team: row for row in route.policy.signatures.select_related("signed_by")}
    mine = set(user.groups.values_list("name", flat=True)) if user.has_perm("returnsops.sign_policy") else set()
    act = reverse("admin:returnsops_policyversion_act", args=[route.policy.pk, "sign"])
    return tuple(
        SignedBy(
            team=states.TEAMS[team],
            name=signed[team].signed_by.get_username() if team in signed else "",
            at=signed[team].signed_at if team in signed else None,
            url=f"{act}?team={team}" if team not in signed and states.TEAMS[team] in mine else "",
        )
        for team in SIGNING_TEAMS
    )


# --- returns from before --------------------------------------------------------------------------------------------


def waiting_for_release(rows: QuerySet[ReturnAuthorisation]) -> QuerySet[ReturnAuthorisation]:
    """Returns begun before their route went live that something is still planned for and nobody released."""
    return _from_before(rows.filter(route__mode=states.ROUTE_LIVE), F("route__live_from"))


def _from_before(rows: QuerySet[ReturnAuthorisation], live_from: datetime | F) -> QuerySet[ReturnAuthorisation]:
    # Where a return is closed and its money and goods are done, there is nothing to release.
    planned = Effect.objects.filter(rma=OuterRef("pk"), state__in=sorted(states.UNSENT))
    has_more = Exists(planned.exclude(kind__in=[states.MIRROR, states.NOTE]))
    still_open = Q(closed_at__isnull=True, end_status="")
    return rows.filter(released_at__isnull=True).exclude(begun_since(live_from)).filter(still_open | has_more)


def only_waits(effect: Effect) -> bool:
    """Whether nothing keeps an effect back but that its route does not send for its return."""
    return effect.state in states.UNSENT and all(hold.get("code") == NOT_LIVE for hold in effect.holds)


def would_send(rma: ReturnAuthorisation) -> tuple[Effect, ...]:
    """What would go out, or wait for a second person, as soon as the return is released."""
    rows = rma.effects.filter(state__in=sorted(states.UNSENT)).order_by("lane", "pk")
    return tuple(effect for effect in rows if only_waits(effect))


# --- what going live does -------------------------------------------------------------------------------------------


def preview(route: Route, *, live_from: datetime) -> Preview:
    """What going live from a moment would do, from what is planned now; changes nothing."""
    rows = _planned(route)
    later = set(_begun(route, live_from))
    going = [effect for effect in rows if effect.rma_id in later]
    waiting = _from_before(route.returns.all(), live_from)
    before = set(waiting.values_list("pk", flat=True))
    outside = _outside(route)
    counted = [refund for refund in outside if refund.rma_id is not None]
    asked = [refund for refund in outside if refund.rma_id is None]
    policy = policy_of(route.policy)
    return Preview(
        live_from=live_from,
        waiting=len(before),
        waiting_money=_money(effect for effect in rows if effect.rma_id in before),
        going=_by_kind(going),
        going_count=len(going),
        going_returns=len({effect.rma_id for effect in going}),
        going_money=_money(going),
        second_person=sum(1 for effect in going if policy is not None and _is_large(policy, effect)),
        counted=len(counted),
        counted_money=words.total((refund.amount, refund.currency) for refund in counted),
        asked=len(asked),
        asked_money=words.total((refund.amount, refund.currency) for refund in asked),
        unplanned=route.returns.filter(is_dirty=True).count(),
    )


def _planned(route: Route) -> list[Effect]:
    rows = Effect.objects.filter(route=route, rma__isnull=False, state__in=sorted(states.UNSENT))
    fields = ("rma_id", "kind", "state", "amount", "currency", "holds", "payload")
    return [effect for effect in rows.only(*fields) if only_waits(effect)]


def _begun(route: Route, live_from: datetime) -> Iterable[int]:
    """Returns that send once the route is live: begun since, or released before."""
    sends = begun_since(live_from) | Q(released_at__isnull=False)
    return route.returns.filter(sends).values_list("pk", flat=True)


def _outside(route: Route) -> list[Refund]:
    """Refunds made outside on orders of returns that are still open."""
    rows = Refund.objects.filter(origin=Refund.EXTERNAL, is_unrelated=False, vanished_at__isnull=True)
    mine = route.returns.filter(order=OuterRef("order"), closed_at__isnull=True, end_status="")
    return list(rows.exclude(amount=0).filter(Exists(mine)))


def _by_kind(effects: Iterable[Effect]) -> tuple[tuple[str, int], ...]:
    kinds = [effect.kind for effect in effects]
    return tuple((words.KIND_PLURALS[kind], kinds.count(kind)) for kind in states.EFFECT_KINDS if kind in kinds)


def _money(effects: Iterable[Effect]) -> str:
    rows: list[tuple[Decimal | None, str]] = [
        (effect.amount, effect.currency) for effect in effects if effect.kind in states.VALUE_KINDS
    ]
    return words.total(rows)


def _is_large(policy: Policy, effect: Effect) -> bool:
    is_ours = effect.payload.get("executed_by") == "commerce_platform"
    is_money = effect.kind in states.MONEY_KINDS and effect.amount is not None
    return is_money and is_ours and policy.is_over_threshold(effect.amount or Decimal(0), currency=effect.currency)
