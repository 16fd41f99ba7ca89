"""Registration of kinds and teams."""

from dataclasses import replace

import pytest

from exceptions_queue import kinds
from exceptions_queue.errors import KindError
from exceptions_queue.kinds import ActionField
from tests.exceptions_queue.conftest import Shop, ask_again, kind_of, sizes


def test_a_registered_kind_is_found_by_its_code_and_listed_by_team(shop: Shop) -> None:
    assert kinds.lookup("amount_mismatch").title == "Amounts differ"
    assert [kind.code for kind in kinds.all_kinds()] == ["amount_mismatch", "outcome_unknown", "parcel_odd"]


def test_an_unknown_code_is_an_error_for_openers_and_nothing_for_screens() -> None:
    with pytest.raises(KindError, match="No case kind 'nonsense' is registered"):
        kinds.lookup("nonsense")
    assert kinds.find_kind("nonsense") is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"code": "amount_mismatch"}, "the code is taken"),
        ({"owner_team": ""}, "it has no owner team"),
        ({"owner_team": "HR"}, "its owner team 'HR' is not registered"),
        ({"actions": ()}, "it has no action, so nobody could do anything about it"),
        ({"how_to_fix": ()}, "it does not say how to fix it"),
        ({"meaning": " "}, "it has no meaning"),
        ({"sla_minutes": 5}, "it needs either sla_hours or sla_minutes"),
        ({"sla_hours": None}, "it needs either sla_hours or sla_minutes"),
        ({"sla_hours": 0}, "its deadline must be positive"),
    ],
)
def test_an_incomplete_kind_is_refused_at_registration(shop: Shop, changes: dict[str, object], complaint: str) -> None:
    kind = kind_of(shop, **{"code": "new", **changes})
    with pytest.raises(KindError, match=complaint):
        kinds.register(kind)


@pytest.mark.parametrize(
    ("field", "complaint"),
    [
        (ActionField(name="reason", label="R"), "use needs_reason"),
        (ActionField(name="size", label="S", kind="choice"), "must have choices if, and only if, it is one"),
        (ActionField(name="size", label="S", choices=sizes), "must have choices if, and only if, it is one"),
    ],
)
def test_a_wrong_field_is_refused(shop: Shop, field: ActionField, complaint: str) -> None:
    kind = kind_of(shop, code="new")
    action = replace(kind.actions[0], fields=(field,))
    with pytest.raises(KindError, match=complaint):
        kinds.register(replace(kind, actions=(action,)))


def test_two_actions_or_fields_of_one_name_are_refused(shop: Shop) -> None:
    kind = kind_of(shop, code="new")
    field = ActionField(name="a", label="A")
    action = replace(kind.actions[0], fields=(field, field))
    with pytest.raises(KindError, match=r"action code 'record' is used twice; field 'a' of 'record' is used twice"):
        kinds.register(replace(kind, actions=(action, action)))


def test_a_runner_named_by_its_path_is_imported_on_first_use(shop: Shop) -> None:
    action = kinds.lookup("amount_mismatch").action("ask")
    assert action is not None
    assert action.runner is ask_again


def test_a_team_keeps_its_one_title() -> None:
    kinds.register_team("FIN", "Finance")
    with pytest.raises(KindError, match="Team FIN is already called 'Finance'"):
        kinds.register_team("FIN", "Money")
    with pytest.raises(KindError, match="needs a code and a title"):
        kinds.register_team("OPS", "")
    assert kinds.team_title("FIN") == "Finance"
    assert kinds.team_title("XX") == "XX"
