"""Goods not for sale at their place in the shop: by final verdicts, target less what is there, out again if changed."""

from dataclasses import replace
from typing import Any

import pytest

from returnsops.planning.model import PlannedEffect
from returnsops.planning.policy import Policy, RestockPolicy
from returnsops.planning.view import EffectView
from tests.returnsops.planning import views as v

POLICY = replace(Policy(), restock=RestockPolicy(set_aside=("damaged",)))
KEY = "set_aside:reveni/ret_1:a:damaged:1"
DAMAGED = v.verdict(disposition="damaged")


def asides(*verdicts: Any, effects: tuple[EffectView, ...] = (), policy: Policy = POLICY) -> list[PlannedEffect]:
    view = v.view(lines=(v.shirt_item(quantity=2),), verdicts=verdicts, effects=effects)
    return v.of_kind(v.planned(view, policy), "set_aside")


def entered(key: str = KEY, *, quantity: int = 1, state: str = "confirmed") -> EffectView:
    return v.effect(key, "set_aside", state, item_id="a", quantity=quantity)


def test_a_damaged_unit_is_entered_at_the_place_of_its_disposition() -> None:
    (one,) = asides(DAMAGED, v.verdict())
    assert (one.key, one.quantity, one.serial_key, one.holds) == (KEY, 1, "product:101", ())
    assert (one.payload["disposition"], one.payload["quantity"], "is_out" in one.payload) == ("damaged", 1, False)


@pytest.mark.parametrize(
    ("verdicts", "policy"),
    [
        ((DAMAGED,), Policy()),
        ((v.verdict(disposition="quarantine"),), POLICY),
        ((replace(DAMAGED, is_final=False),), POLICY),
        ((replace(DAMAGED, outcome="rejected"),), POLICY),
    ],
)
def test_what_the_policy_does_not_name_or_nobody_said_for_good_stays_out(verdicts: Any, policy: Policy) -> None:
    assert asides(*verdicts, policy=policy) == []


def test_only_the_difference_is_sent_and_a_changed_verdict_takes_units_out_again() -> None:
    assert asides(DAMAGED, v.verdict(), effects=(entered(),)) == []
    (more,) = asides(DAMAGED, DAMAGED, effects=(entered(),))
    assert (more.key, more.quantity) == ("set_aside:reveni/ret_1:a:damaged:2", 1)
    (out,) = asides(v.verdict(), effects=(entered(),))
    out_key = f"reverse:{KEY}"
    assert (out.key, out.quantity, out.payload["is_out"]) == (out_key, 1, True)
    assert asides(v.verdict(), effects=(entered(), entered(out_key))) == []
    (again,) = asides(DAMAGED, effects=(entered(), entered(out_key)))
    assert again.key == "set_aside:reveni/ret_1:a:damaged:2"
