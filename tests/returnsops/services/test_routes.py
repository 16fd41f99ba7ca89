"""Routes: a new policy wants new signatures, and nothing goes live with a hole in it."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from returnsops import states
from returnsops.models import HistoryEntry, PolicySignature, PolicyVersion, Route
from returnsops.planning.policy import PolicyError
from returnsops.services import routes
from returnsops.services.routes import RouteError
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db
WHOLE: dict[str, Any] = make.POLICY | {
    "ownership": {
        "order": "commerce",
        "refund": "commerce",
        "return_status": "platform",
        "disposition": "warehouse",
        "stock": "commerce",
    },
}


def history() -> list[tuple[str, str, str]]:
    return list(HistoryEntry.objects.order_by("pk").values_list("act", "by", "text"))


def whole_route(*, mode: str = states.ROUTE_SHADOW) -> Route:
    """A route without holes: every place is named, and the three teams signed."""
    route: Route = make.RouteFactory(name="uk", live=False, mode=mode, live_from=None)
    for disposition in ("sellable", "quarantine", "refurbish", "damaged", "write_off"):
        make.DispositionMappingFactory(route=route, disposition=disposition)
    route.policy = make.PolicyVersionFactory(route=route, document=json.loads(json.dumps(WHOLE)))
    route.save()
    for team in routes.SIGNING_TEAMS:
        routes.sign_policy(policy=route.policy, team=team, by=make.UserFactory(team=team), at=NOW)
    HistoryEntry.objects.all().delete()
    return route


# --- policies ------------------------------------------------------------------------------------------------------


def test_the_first_policy_reaches_the_returns_that_wait_for_one() -> None:
    route = make.RouteFactory(name="uk", live=False)
    waiting = make.ReturnFactory(route=route, is_dirty=False)
    version = routes.save_policy(route=route, document=make.POLICY, by="olivia", at=NOW)
    route.refresh_from_db()
    waiting.refresh_from_db()
    assert (version.version, version.created_by, version.created_at) == (1, "olivia", NOW)
    assert (route.policy, route.mode) == (version, states.ROUTE_OFF)
    assert (waiting.policy, waiting.is_dirty) == (version, True)
    assert history() == [("policy_saved", "olivia", "Policy 1 of uk.")]


def test_the_same_policy_again_is_no_new_version() -> None:
    route = make.RouteFactory()
    present = route.policy
    assert routes.save_policy(route=route, document=make.POLICY, by="olivia", at=NOW) == present
    assert (PolicyVersion.objects.count(), history()) == (1, [])
    route.refresh_from_db()
    assert (route.policy, route.mode) == (present, states.ROUTE_LIVE)


def test_another_policy_sends_a_live_route_back_to_shadow_and_its_returns_hear_of_it() -> None:
    rma = make.ReturnFactory(route=make.RouteFactory(name="uk"), is_dirty=False)
    stranger = make.ReturnFactory(is_dirty=False)
    old = rma.policy
    new = routes.save_policy(route=rma.route, document=make.POLICY | {"order_wanted_h": 12}, by="olivia", at=NOW)
    route = Route.objects.get(pk=rma.route_id)
    assert (new.version, route.policy, route.mode) == (2, new, states.ROUTE_SHADOW)
    rma.refresh_from_db()
    stranger.refresh_from_db()
    assert (rma.policy, rma.is_dirty) == (old, True)  # an open return keeps the policy it began under
    assert (stranger.is_dirty, Route.objects.get(pk=stranger.route_id).mode) == (False, states.ROUTE_LIVE)
    assert history() == [
        ("policy_saved", "olivia", "Policy 2 of uk."),
        ("route_mode", "olivia", "Route uk is shadow."),
    ]


def test_versions_count_on_though_the_route_lost_its_policy() -> None:
    route = make.RouteFactory(live=False)
    make.PolicyVersionFactory(route=route, version=4)
    assert routes.save_policy(route=route, document={}, by="olivia", at=NOW).version == 5


def test_a_policy_that_cannot_be_used_changes_nothing() -> None:
    route = make.RouteFactory()
    with pytest.raises(PolicyError, match="return_window_days"):
        routes.save_policy(route=route, document={"return_window_days": -1}, by="olivia", at=NOW)
    route.refresh_from_db()
    assert (route.mode, PolicyVersion.objects.count(), history()) == (states.ROUTE_LIVE, 1, [])


# --- signatures ----------------------------------------------------------------------------------------------------


def test_a_team_signs_once_and_history_says_who() -> None:
    policy = make.PolicyVersionFactory(route=make.RouteFactory(name="uk", live=False))
    fiona = make.UserFactory(username="fiona", team=states.FIN)
    signature = routes.sign_policy(policy=policy, team=states.FIN, by=fiona, at=NOW)
    assert (signature.policy, signature.team, signature.signed_by, signature.signed_at) == (policy, "FIN", fiona, NOW)
    second = routes.sign_policy(policy=policy, team=states.FIN, by=make.UserFactory(team=states.FIN), at=NOW)
    assert second == signature
    assert history() == [("policy_signed", "fiona", "Policy 1 of uk signed for Finance.")]


@pytest.mark.parametrize(
    ("team", "text"),
    [
        (states.FIN, "Only a member of Finance can sign"),
        (states.WH, "Only a member of Warehouse can sign"),  # it is a member, and has no signature to give
        ("XX", "Only a member of XX can sign"),
    ],
)
def test_nobody_signs_for_a_team_that_is_not_theirs_or_does_not_sign(team: str, text: str) -> None:
    policy = make.PolicyVersionFactory()
    with pytest.raises(RouteError, match=text):
        routes.sign_policy(policy=policy, team=team, by=make.UserFactory(team=states.WH), at=NOW)
    assert (PolicySignature.objects.count(), history()) == (0, [])


def test_one_person_in_two_teams_signs_for_one() -> None:
    policy = make.PolicyVersionFactory()
    both = make.UserFactory(team=states.FIN)
    both.groups.add(*make.UserFactory(team=states.OPS).groups.all())
    routes.sign_policy(policy=policy, team=states.FIN, by=both, at=NOW)
    with pytest.raises(RouteError, match="ask a colleague of the other team"):
        routes.sign_policy(policy=policy, team=states.OPS, by=both, at=NOW)
    assert list(policy.signatures.values_list("team", flat=True)) == ["FIN"]
    # Another version is another question.
    newer = make.PolicyVersionFactory(route=policy.route)
    assert routes.sign_policy(policy=newer, team=states.OPS, by=both, at=NOW).team == "OPS"


# --- going live -----------------------------------------------------------------------------------------------------


def test_a_route_without_a_policy_says_so() -> None:
    assert routes.obstacles(make.RouteFactory(live=False)) == ("The route has no policy.",)


def test_everything_that_is_missing_is_named_at_once() -> None:
    route = make.RouteFactory(live=False)
    route.policy = make.PolicyVersionFactory(route=route)
    routes.sign_policy(policy=route.policy, team=states.CX, by=make.UserFactory(team=states.CX), at=NOW)
    found = routes.obstacles(route)
    assert "ownership.refund: nobody owns it; name one of commerce, platform, erp, warehouse." in found
    assert found[-2:] == ("Finance has not signed policy 1.", "Operations has not signed policy 1.")
    assert "Customer service has not signed policy 1." not in found


def test_a_whole_and_signed_route_goes_live_from_now_on() -> None:
    route = whole_route()
    rma = make.ReturnFactory(route=route, is_dirty=False)
    assert routes.obstacles(route) == ()
    routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="olivia", at=NOW)
    route.refresh_from_db()
    rma.refresh_from_db()
    assert (route.mode, route.live_from, rma.is_dirty) == (states.ROUTE_LIVE, NOW, True)
    assert history() == [("route_mode", "olivia", "Route uk is live.")]


def test_live_from_is_what_is_given_and_stays_through_a_pause_in_shadow() -> None:
    route = whole_route()
    start = NOW + timedelta(days=1)
    routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="olivia", at=NOW, live_from=start)
    routes.set_mode(route=route, mode=states.ROUTE_SHADOW, by="olivia", at=NOW)
    routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="olivia", at=NOW + timedelta(days=9))
    route.refresh_from_db()
    assert (route.mode, route.live_from) == (states.ROUTE_LIVE, start)


def test_a_route_with_a_hole_stays_where_it_is() -> None:
    route = whole_route()
    PolicySignature.objects.filter(team=states.FIN).delete()
    rma = make.ReturnFactory(route=route, is_dirty=False)
    with pytest.raises(RouteError, match="Route uk cannot go live yet: Finance has not"):
        routes.set_mode(route=route, mode=states.ROUTE_LIVE, by="olivia", at=NOW)
    route.refresh_from_db()
    rma.refresh_from_db()
    assert (route.mode, route.live_from, rma.is_dirty) == (states.ROUTE_SHADOW, None, False)
    assert history() == []


@pytest.mark.parametrize("live_from", [None, make.NOW - timedelta(days=90)])
def test_the_mode_it_has_already_is_no_switch(live_from: datetime | None) -> None:
    rma = make.ReturnFactory(is_dirty=False)
    routes.set_mode(route=rma.route, mode=states.ROUTE_LIVE, by="olivia", at=NOW, live_from=live_from)
    rma.refresh_from_db()
    assert (rma.is_dirty, history()) == (False, [])


def test_switching_off_wants_nobodys_leave() -> None:
    rma = make.ReturnFactory(is_dirty=False)
    routes.set_mode(route=rma.route, mode=states.ROUTE_OFF, by="olivia", at=NOW)
    rma.refresh_from_db()
    assert (Route.objects.get().mode, rma.is_dirty) == (states.ROUTE_OFF, True)


# --- returns from before --------------------------------------------------------------------------------------------


def test_a_person_releases_a_return_from_before_once_and_says_why() -> None:
    rma = make.ReturnFactory(number="RMA-7", is_dirty=False)
    routes.release_return(rma=rma, by="olivia", at=NOW, why="Checked by hand.")
    routes.release_return(rma=rma, by="oscar", at=NOW + timedelta(hours=1), why="Again.")
    rma.refresh_from_db()
    assert (rma.released_by, rma.released_at, rma.is_dirty) == ("olivia", NOW, True)
    entry = HistoryEntry.objects.get()
    assert (entry.act, entry.by, entry.at, entry.why, entry.rma) == (
        "return_released",
        "olivia",
        NOW,
        "Checked by hand.",
        rma,
    )
    assert entry.text == "Return RMA-7 released though it began before the route went live."


@pytest.mark.parametrize("why", ["", "  "])
def test_a_release_without_a_reason_releases_nothing(why: str) -> None:
    rma = make.ReturnFactory(is_dirty=False)
    with pytest.raises(RouteError, match="needs a reason"):
        routes.release_return(rma=rma, by="olivia", at=NOW, why=why)
    rma.refresh_from_db()
    assert (rma.released_at, rma.is_dirty, history()) == (None, False, [])
