"""Goods not for sale at their place in the shop: by final verdicts, target less what is there, out again if changed."""

from dataclasses import replace
from typing import Any

import pytest

from returnsops.planning.model import PlannedEffect
from returnsops.planning.policy import Policy, RestockPolicy
from returnsops.planning.view import EffectView, WaiverView
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


OUT_KEY = f"reverse:{KEY}"


def planned(*verdicts: Any, effects: tuple[EffectView, ...], quantity: int = 1) -> dict[str, list[str]]:
    """What each planned effect waits for."""
    view = v.view(lines=(v.shirt_item(quantity=quantity),), verdicts=verdicts, effects=effects)
    policy = replace(Policy(), restock=RestockPolicy(set_aside=("damaged", "quarantine")))
    return {effect.key: [hold.text for hold in effect.holds] for effect in v.planned(view, policy).effects}


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_unit_found_sellable_waits_until_it_left_its_place(state: str) -> None:
    restock = "restock:reveni/ret_1:a:1"
    waits = ["waits for 1 unit to leave the place of goods that are not for sale"]
    both = planned(v.verdict(), effects=(entered(),))
    assert (both[OUT_KEY], both[restock]) == ([], waits)
    under_way = planned(v.verdict(), effects=(entered(), entered(OUT_KEY, state=state)))
    assert (OUT_KEY in under_way, under_way[restock]) == (False, waits)
    assert planned(v.verdict(), effects=(entered(), entered(OUT_KEY, state="done")))[restock] == []


def test_a_unit_moves_from_one_place_to_the_next_in_this_order() -> None:
    moved = planned(v.verdict(disposition="quarantine"), effects=(entered(),))
    key = "set_aside:reveni/ret_1:a:quarantine:1"
    assert (moved[OUT_KEY], len(moved[key])) == ([], 1)
    assert planned(v.verdict(disposition="quarantine"), effects=(entered(), entered(OUT_KEY)))[key] == []


def test_only_units_that_lie_elsewhere_are_waited_for() -> None:
    """Another unit of the item is in hand; two are not, of which one still lies aside."""
    restock = "restock:reveni/ret_1:a"
    aside = (entered(),)
    assert planned(v.verdict(), v.verdict(disposition="refurbish"), effects=aside, quantity=2)[f"{restock}:1"] == []
    assert planned(DAMAGED, v.verdict(), effects=aside, quantity=2)[f"{restock}:1"] == []
    assert len(planned(v.verdict(quantity=2), effects=aside, quantity=2)[f"{restock}:2"]) == 1


def test_a_person_may_let_it_go_all_the_same() -> None:
    waiver = WaiverView(hold_code="waits_for_place", effect_key="restock:reveni/ret_1:a:1")
    view = v.view(verdicts=(v.verdict(),), effects=(entered(),), waivers=(waiver,))
    (restock,) = v.of_kind(v.planned(view, POLICY), "restock")
    assert restock.holds == ()
