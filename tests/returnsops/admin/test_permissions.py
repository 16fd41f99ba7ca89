"""Who may see and do what: the matrix of roles, screen by screen and act by act (S1-11)."""

import uuid
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import roles, states
from returnsops.models import (
    Attempt,
    Connection,
    Effect,
    HistoryEntry,
    Inspection,
    ReturnAuthorisation,
    ReturnLine,
    Route,
    Switch,
    Waiver,
)
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


# --- who may not: the same forms, sent all the same ------------------------------------------------------------------

# The acts that the case of a refused refund and that of too large a one offer, each with finance's own rights.
CASES = {
    states.CASE_REJECTED: ("requeue", "adopt", "cancel"),
    states.CASE_WOULD_OVER_REFUND: ("accept_amount",),
    states.CASE_ORDER_LOCKED: ("waive_hold",),
    states.CASE_NEEDS_APPROVAL: ("approve", "refuse"),
}
KEPT: tuple[type[Model], ...] = (
    *(Attempt, Connection, Effect, ExceptionCase, HistoryEntry, Inspection, ReturnAuthorisation, ReturnLine),
    *(Route, Switch, Waiver),
)


def _everything() -> list[list[dict[str, Any]]]:
    """Whatever money, stock and sending hang on."""
    return [list(model._default_manager.order_by("pk").values()) for model in KEPT]


def _held() -> tuple[Effect, dict[str, set[str]]]:
    """A refund that waits for finance, in a return; the address of every act on both, with who may."""
    rma = make.ReturnLineFactory().rma
    effect = make.EffectFactory(rma=rma, state=states.AWAITING_APPROVAL)
    places = {
        f"returnsops/returnauthorisation/{rma.pk}": RETURN_ACTS,
        f"returnsops/effect/{effect.pk}": EFFECT_ACTS,
        f"returnsops/connection/{rma.route.commerce.pk}": CONNECTION_ACTS,
    }
    acts = {f"{place}/act/{code}/": teams for place, acts in places.items() for code, teams in acts.items()}
    for kind, codes in CASES.items():
        of_effect = kind == states.CASE_REJECTED
        case = queue.open_case(
            kind=kind,
            fingerprint=f"{kind}:1",
            subject_type="effect" if of_effect else "return",
            subject_id=str(effect.pk if of_effect else rma.pk),
            at=timezone.now(),
        )
        acts |= {f"exceptions_queue/exceptioncase/{case.pk}/action/{code}/": {"FIN"} for code in codes}
    return effect, {**acts, "stop/": {"OPS"}}


def _form(effect: Effect) -> dict[str, Any]:
    """What each of the acts asks for."""
    said = {
        "why": "Because.",
        "reason": "Because.",
        "request_id": str(uuid.uuid4()),
        "amount": "5.00",
        "ground": "other",
        "reference": "SEPA-1",
        "paid_on": "2026-05-01",
        "remote_id": "77",
        "revision": effect.payload_revision,
        "effect": str(effect.pk),
    }
    codes = {code for codes in CASES.values() for code in codes}
    return {**said, **{f"{code}-{name}": value for code in codes for name, value in said.items()}}


@pytest.mark.requirement("S1-11")
@pytest.mark.parametrize("team", list(roles.TEAMS))
def test_an_act_that_a_role_does_not_allow_is_refused_and_changes_nothing(team: str, sign_in: SignIn) -> None:
    effect, acts = _held()
    client, form, before = sign_in(team), _form(effect), _everything()
    refused = [path for path, teams in acts.items() if team not in teams]
    answers = {path: client.post(f"/admin/{path}", form).status_code for path in refused}
    # The page of a case says in a message whose it is; every other act has no page for who may not.
    assert answers == {path: 302 if "/action/" in path else 403 for path in refused}
    for name in () if team in EFFECT_ACTS["requeue"] else ("requeue_selected", "cancel_selected"):
        chosen = {"action": name, "_selected_action": [effect.pk], "confirmed": "yes", **form}
        client.post("/admin/returnsops/effect/", chosen)
    assert _everything() == before


@pytest.mark.parametrize(
    ("team", "act"),
    [("FIN", "/approve/"), ("CX", "/propose_refund/"), ("FIN", "/paid_outside/"), ("OPS", "/pause/"), ("OPS", "stop/")],
)
def test_the_same_form_of_a_team_that_may_changes_something(team: str, act: str, sign_in: SignIn) -> None:
    effect, acts = _held()
    before = _everything()
    (path,) = (path for path in acts if path.endswith(act) and "action" not in path)
    assert sign_in(team).post(f"/admin/{path}", _form(effect)).status_code == 302
    assert _everything() != before
