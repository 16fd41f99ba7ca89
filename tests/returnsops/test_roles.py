"""Who may do what: the table of the roles, and that it becomes exactly the rights of five groups."""

import pytest
from django.contrib.auth.models import Group, Permission

from returnsops import roles, states
from tests.factories import UserFactory

# Acts, and the only teams that may do them.
ACTS = {
    "returnsops.classify_reason": {states.CX, states.OPS},
    "returnsops.propose_refund": {states.CX, states.FIN},
    "returnsops.approve_refund": {states.FIN},
    "returnsops.record_paid_outside": {states.FIN},
    "returnsops.waive_hold": {states.FIN},
    "returnsops.attribute_refund": {states.FIN},
    "returnsops.decide_executor": {states.FIN},
    "returnsops.settle_by_hand": {states.CX, states.FIN},
    "returnsops.confirm_inspection": {states.WH},
    "returnsops.adopt_effect": {states.FIN, states.OPS},
    "returnsops.cancel_effect": {states.FIN, states.OPS},
    "returnsops.requeue_effect": {states.FIN, states.OPS},
    "returnsops.release_return": {states.OPS},
    "returnsops.reprocess_event": {states.OPS},
    "returnsops.stop_sending": {states.OPS},
    "returnsops.test_connection": {states.OPS},
    "returnsops.change_connection": {states.OPS},
    "returnsops.view_connection": {states.OPS},
    "returnsops.view_inboundevent": {states.OPS},
    "returnsops.sign_policy": {states.CX, states.FIN, states.OPS},
    "exceptions_queue.work_exceptioncase": {states.CX, states.FIN, states.WH, states.OPS},
    "returnsops.view_returnauthorisation": set(states.TEAMS),
    "exceptions_queue.view_exceptioncase": set(states.TEAMS),
}
READ_ONLY = ("view_",)


@pytest.mark.parametrize(("permission", "teams"), ACTS.items())
def test_only_these_teams_hold_a_right(permission: str, teams: set[str]) -> None:
    assert {team for team, given in roles.PERMISSIONS.items() if permission in given} == teams


def test_no_role_may_delete_or_add_money_or_effects() -> None:
    for given in roles.PERMISSIONS.values():
        for name in given:
            model = name.partition(".")[2]
            assert not model.startswith("delete_")
            assert model not in {"add_effect", "change_effect", "change_refund", "add_refund", "change_historyentry"}


def test_merchandising_only_reads() -> None:
    assert all(name.partition(".")[2].startswith(READ_ONLY) for name in roles.PERMISSIONS[states.MER])


@pytest.mark.django_db
def test_groups_get_exactly_the_table_and_a_second_run_changes_nothing() -> None:
    roles.sync_roles()
    stray = Permission.objects.get(codename="delete_effect")
    Group.objects.get(name=states.TEAMS[states.CX]).permissions.add(stray)
    roles.sync_roles()
    for team, title in states.TEAMS.items():
        held = Group.objects.get(name=title).permissions.select_related("content_type")
        names = {f"{row.content_type.app_label}.{row.codename}" for row in held}
        assert names == set(roles.PERMISSIONS[team])


@pytest.mark.django_db
def test_members_have_the_rights_of_their_team_and_no_others() -> None:
    clerk = UserFactory(team=states.CX)
    assert clerk.has_perm("returnsops.propose_refund")
    assert not clerk.has_perm("returnsops.approve_refund")


@pytest.mark.django_db
def test_a_right_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "PERMISSIONS", dict.fromkeys(states.TEAMS, ("returnsops.fly",)))
    with pytest.raises(roles.MissingPermissionError, match=r"returnsops\.fly"):
        roles.sync_roles()
