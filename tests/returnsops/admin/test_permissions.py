"""Who may see and do what: the matrix of roles, screen by screen and act by act (S1-11)."""

import pytest

from returnsops import roles, states
from tests import factories as make
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db

LISTS = {
    "returnsops/returnauthorisation": {"CX", "FIN", "WH", "OPS", "MER"},
    "returnsops/effect": {"CX", "FIN", "WH", "OPS"},
    "returnsops/attempt": {"CX", "FIN", "WH", "OPS"},
    "returnsops/order": {"CX", "FIN", "WH", "OPS"},
    "returnsops/inspectionreport": {"CX", "FIN", "WH", "OPS"},
    "returnsops/inspectionreport/import": {"WH"},
    "returnsops/refund": {"CX", "FIN", "WH", "OPS"},
    "returnsops/historyentry": {"CX", "FIN", "WH", "OPS"},
    "returnsops/inboundevent": {"OPS"},
    "returnsops/connection": {"OPS"},
    "returnsops/switch": {"OPS"},
    "returnsops/apitoken": {"OPS"},
    "returnsops/apitoken/add": {"OPS"},
    "returnsops/route": {"CX", "FIN", "WH", "OPS"},
    "returnsops/policyversion": {"CX", "FIN", "WH", "OPS"},
    "returnsops/reasoncode": {"CX", "FIN", "WH", "OPS", "MER"},
    "returnsops/reasoncode/add": {"OPS"},
    "returnsops/reasonmapping/import": {"OPS"},
    "returnsops/dispositionmapping/add": {"OPS"},
    "exceptions_queue/exceptioncase": {"CX", "FIN", "WH", "OPS", "MER"},
}
RETURN_ACTS = {
    "receive_parcel": {"WH"},
    "confirm_inspection": {"WH"},
    "undo_inspection": {"WH"},
    "classify_reason": {"CX", "OPS"},
    "attribute_refund": {"FIN"},
    "undo_attribution": {"FIN"},
    "decide_executor": {"FIN"},
    "waive_hold": {"FIN"},
    "settle_exchange": {"CX", "FIN"},
    "settle_credit": {"CX", "FIN"},
    "withdraw_credit": {"CX", "FIN"},
    "propose_refund": {"CX", "FIN"},
    "paid_outside": {"FIN"},
    "release_return": {"OPS"},
    "look_again": {"CX", "FIN", "WH", "OPS"},
    "note": {"CX", "FIN", "WH", "OPS"},
}
EFFECT_ACTS = {
    "look_at_credit": {"CX", "FIN"},
    "approve": {"FIN"},
    "refuse": {"FIN"},
    "approve_stock": {"WH"},
    "refuse_stock": {"WH"},
    "approve_exchange": {"CX", "FIN"},
    "refuse_exchange": {"CX", "FIN"},
    "cancel": {"FIN", "OPS"},
    "adopt": {"FIN", "OPS"},
    "requeue": {"FIN", "OPS"},
    "look_again": {"FIN", "OPS"},
}
CONNECTION_ACTS = {"test": {"OPS"}, "repair_webhooks": {"OPS"}, "pause": {"OPS"}, "resume": {"OPS"}}


@pytest.mark.requirement("S1-11")
@pytest.mark.parametrize("team", list(roles.TEAMS))
def test_a_team_sees_the_lists_it_may(team: str, sign_in: SignIn) -> None:
    client = sign_in(team)
    seen = {path for path in LISTS if client.get(f"/admin/{path}/").status_code == 200}
    assert seen == {path for path, teams in LISTS.items() if team in teams}


@pytest.mark.requirement("S1-11")
@pytest.mark.parametrize("team", list(roles.TEAMS))
def test_a_team_may_do_what_its_role_allows(team: str, sign_in: SignIn) -> None:
    client = sign_in(team)
    rma = make.ReturnLineFactory().rma
    effect = make.EffectFactory(rma=rma, state=states.AWAITING_APPROVAL)
    shop = rma.route.commerce
    for path, pk, acts in (
        ("returnsops/returnauthorisation", rma.pk, RETURN_ACTS),
        ("returnsops/effect", effect.pk, EFFECT_ACTS),
        ("returnsops/connection", shop.pk, CONNECTION_ACTS),
    ):
        may = {code for code in acts if client.get(f"/admin/{path}/{pk}/act/{code}/").status_code == 200}
        assert may == {code for code, teams in acts.items() if team in teams}, path


def test_the_matrix_names_every_act() -> None:
    from returnsops.admin.effect_acts import EFFECT_ACTS as OF_EFFECT
    from returnsops.admin.return_acts import RETURN_ACTS as OF_RETURN

    assert {act.code for act in OF_RETURN} == set(RETURN_ACTS)
    assert {act.code for act in OF_EFFECT} == set(EFFECT_ACTS)


def test_merchandising_sees_a_return_without_money_and_timeline(sign_in: SignIn) -> None:
    rma = make.ReturnLineFactory().rma
    make.EffectFactory(rma=rma)
    html = sign_in("MER").get(f"/admin/returnsops/returnauthorisation/{rma.pk}/change/").content.decode()
    assert "Items" in html
    assert "Money" not in html
    assert "£30.00" not in html
    assert "/act/" not in html


def test_a_person_without_a_role_sees_nothing(client: object) -> None:
    from django.test import Client

    person = Client()
    person.force_login(make.UserFactory())
    assert "Your account has no role yet" in person.get("/admin/").content.decode()
    assert person.get("/admin/returnsops/returnauthorisation/").status_code == 403


def test_only_operations_may_stop_everything(sign_in: SignIn) -> None:
    answers = {team: sign_in(team).get("/admin/stop/").status_code for team in roles.TEAMS}
    assert answers == {"CX": 403, "FIN": 403, "WH": 403, "MER": 403, "OPS": 200}
