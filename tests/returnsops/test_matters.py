"""Whose matter an effect is, and that its cases are that team's, with acts that the team may do (S4-12)."""

import pytest

from exceptions_queue import kinds
from returnsops import matters, states

OWNERS = {
    matters.OF_MONEY: states.FIN,
    matters.OF_STOCK: states.WH,
    matters.OF_EXCHANGES: states.CX,
    matters.OF_MESSAGES: states.OPS,
}


def test_every_kind_of_effect_is_somebodys_matter() -> None:
    assert set(matters.MATTERS) == set(states.EFFECT_KINDS)
    assert {kind for kind in states.EFFECT_KINDS if matters.MATTERS[kind] == matters.OF_STOCK} == {
        *states.STOCK_KINDS,
        states.SET_ASIDE,
    }
    assert {kind for kind in states.EFFECT_KINDS if matters.MATTERS[kind] == matters.OF_MONEY} >= states.VALUE_KINDS
    read_back = {matters.MATTERS[kind] for kind in states.READ_BACK_KINDS}
    assert read_back == set(matters.OUTCOME_CASES[states.CASE_NOT_SEEN_AFTER_DONE])


@pytest.mark.requirement("S4-12")
def test_goods_are_the_warehouses_money_is_finances_exchanges_are_customer_services() -> None:
    cases = [(matter, code) for codes in matters.OUTCOME_CASES.values() for matter, code in codes.items()]
    cases += list(matters.APPROVAL_CASES.items())
    assert len({code for _, code in cases}) == len(cases)
    assert {code: kinds.lookup(code).owner_team for _, code in cases} == {
        code: OWNERS[matter] for matter, code in cases
    }


def test_only_whoever_may_approve_money_is_asked_to() -> None:
    rights = {
        matter: {action.permission for action in kinds.lookup(code).actions if action.code in ("approve", "refuse")}
        for matter, code in matters.APPROVAL_CASES.items()
    }
    assert rights == {
        matters.OF_MONEY: {"returnsops.approve_refund"},
        matters.OF_STOCK: {"returnsops.confirm_inspection"},
        matters.OF_EXCHANGES: {"returnsops.settle_by_hand"},
    }
