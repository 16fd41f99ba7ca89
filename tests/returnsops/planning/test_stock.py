"""Restocks: whose word counts, exactly the sellable units, and what blocks them."""

from dataclasses import replace
from typing import Any

import pytest

from returnsops.planning.model import PlannedEffect
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.view import ReturnView, VerdictView, WaiverView

from . import views as v

CONFIRMATIONS = ("platform", "warehouse", "either", "both")


def restocks(view: ReturnView, policy: Policy | None = None) -> list[PlannedEffect]:
    return v.of_kind(v.planned(view, policy), "restock")


def by(confirmation: str) -> Policy:
    return parse_policy({"restock": {"confirmation": confirmation}})


def two(*verdicts: VerdictView, **changes: Any) -> ReturnView:
    return v.view(**({"lines": (v.shirt_item(quantity=2),), "verdicts": verdicts} | changes))


def test_final_sellable_units_are_restocked() -> None:
    (one,) = restocks(two(v.verdict(quantity=2)))
    assert (one.key, one.quantity, one.serial_key, one.holds) == ("restock:reveni/ret_1:a:2", 2, "order:500", ())
    assert one.payload == {
        "line_id": "11",
        "quantity": 2,
        "disposition": "sellable",
        "location": "shelf",
        "product_id": "101",
        "variation_id": "",
        "rma_number": "RMA-1",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"is_final": False},
        {"disposition": "damaged"},
        {"disposition": "quarantine"},
        {"outcome": "rejected"},
        {"outcome": "missing"},
        {"outcome": "unexpected"},
    ],
)
def test_nothing_else_ever_moves_stock(changes: dict[str, Any]) -> None:
    for confirmation in CONFIRMATIONS:
        assert restocks(two(v.verdict(**changes), v.verdict(source="warehouse", **changes)), by(confirmation)) == []


def test_only_what_is_not_sent_yet_is_planned() -> None:
    sent = v.effect("restock:reveni/ret_1:a:1", "restock", "sending", item_id="a", quantity=1)
    (one,) = restocks(two(v.verdict(quantity=2), effects=(sent,)))
    assert (one.key, one.quantity) == ("restock:reveni/ret_1:a:2", 1)
    assert restocks(two(v.verdict(), effects=(sent,))) == []


def test_never_more_units_than_come_back() -> None:
    (one,) = restocks(two(v.verdict(quantity=9)))
    assert one.quantity == 2


def theirs(units: int, **changes: Any) -> VerdictView:
    return v.verdict(quantity=units, **changes)


def ours(units: int, **changes: Any) -> VerdictView:
    return v.verdict(source="warehouse", quantity=units, **changes)


def denied(units: int, *, by: str = "the warehouse") -> tuple[int, str]:
    """Units held because the two judges say the opposite."""
    other = "the warehouse" if by == "the returns platform" else "the returns platform"
    return (
        units,
        f"{units} x T-shirt: sellable by {other}, and not by {by}. They stay out of stock: look at the goods and count "
        "them again, which is the last word.",
    )


@pytest.mark.parametrize(
    ("confirmation", "verdicts", "expected"),
    [
        ("platform", (theirs(2), ours(2, disposition="damaged")), [denied(2)]),
        ("platform", (theirs(2), ours(1, disposition="damaged")), [(1, ""), denied(1)]),
        ("platform", (theirs(2), ours(1), ours(1, disposition="missing", outcome="missing")), [(1, ""), denied(1)]),
        ("platform", (theirs(2), ours(2, disposition="quarantine", is_final=False)), [(2, "")]),
        ("platform", (theirs(1), theirs(1, disposition="damaged"), ours(1, disposition="damaged")), [(1, "")]),
        ("platform", (theirs(1), ours(1), ours(1, disposition="damaged")), [(1, "")]),
        ("platform", (ours(2, disposition="damaged"),), []),
        ("platform", (theirs(1, disposition="damaged"), ours(1)), [denied(1, by="the returns platform")]),
        (
            "platform",
            (ours(2),),
            [
                (
                    2,
                    "waits for the returns platform to confirm 2 sellable units: by the policy of the route its word "
                    "decides, not the warehouse's alone",
                )
            ],
        ),
        ("warehouse", (theirs(2),), [(2, "waits for the warehouse to confirm 2 sellable units")]),
        ("warehouse", (theirs(2), ours(1)), [(1, ""), (1, "waits for the warehouse to confirm 1 sellable unit")]),
        ("warehouse", (theirs(2), ours(2, disposition="damaged")), [denied(2)]),
        ("warehouse", (theirs(2, disposition="damaged"), ours(2)), [(2, "")]),
        ("warehouse", (ours(2),), [(2, "")]),
        ("either", (theirs(2),), [(2, "")]),
        ("either", (ours(2),), [(2, "")]),
        ("either", (theirs(2), ours(1, disposition="damaged")), [(1, ""), denied(1)]),
        ("either", (theirs(1), ours(1, disposition="damaged")), [denied(1)]),
        ("either", (theirs(2, disposition="damaged"), ours(2)), [(2, "")]),
        ("either", (theirs(1), theirs(1, outcome="rejected"), ours(1, disposition="damaged")), [(1, "")]),
        (
            "either",
            (theirs(1), ours(1, disposition="quarantine", is_final=False)),
            [(1, "waits for the warehouse to confirm 1 sellable unit")],
        ),
        ("both", (theirs(2),), [(2, "waits for the warehouse to confirm 2 sellable units")]),
        ("both", (ours(1),), [(1, "waits for the returns platform to confirm 1 sellable unit")]),
        ("both", (theirs(2), ours(1)), [(1, ""), (1, "waits for the warehouse to confirm 1 sellable unit")]),
        ("both", (theirs(2), ours(1), ours(1, disposition="damaged")), [(1, ""), denied(1)]),
        ("both", (theirs(1, disposition="damaged"), ours(1)), [denied(1, by="the returns platform")]),
        ("both", (theirs(2), ours(2)), [(2, "")]),
        ("", (theirs(1), ours(1)), [(1, "waits for the policy to say who to confirm 1 sellable unit")]),
    ],
)
def test_whose_word_counts(
    confirmation: str, verdicts: tuple[VerdictView, ...], expected: list[tuple[int, str]]
) -> None:
    made = restocks(two(*verdicts), by(confirmation))
    assert [(one.quantity, one.holds[0].text if one.holds else "") for one in made] == expected


@pytest.mark.parametrize("confirmation", CONFIRMATIONS)
def test_a_contradiction_is_a_case_with_two_ways_out(confirmation: str) -> None:
    found = two(theirs(2), ours(1, disposition="damaged"), lines=(v.shirt_item(quantity=2, name="Tee"),))
    policy = by(confirmation)
    (case,) = v.planned(found, policy).cases
    assert (case.kind, case.fingerprint) == ("verdicts_differ", "verdicts_differ:reveni/ret_1:a")
    assert case.evidence == {
        "item": "a",
        "units": 1,
        "sellable_by": "the returns platform",
        "not_sellable_by": "the warehouse",
    }
    (held,) = [one for one in restocks(found, policy) if v.codes(one) == ["verdicts_differ"]]
    assert (held.quantity, held.holds[0].waits_for) == (1, case.fingerprint)

    # Nobody releases it as it is: what is there has to be counted.
    waived = WaiverView(hold_code="verdicts_differ", effect_key=held.key, subject="not this item")
    assert [one.key for one in restocks(replace(found, waivers=(waived,)), policy) if one.holds].count(held.key) == 1

    counted = replace(found, verdicts=(*found.verdicts[:1], ours(2, is_recount=True)))
    assert [(one.quantity, one.holds) for one in restocks(counted, policy)] == [(2, ())]
    assert v.case_kinds(v.planned(counted, policy)) == []


@pytest.mark.parametrize("confirmation", CONFIRMATIONS)
@pytest.mark.parametrize("subject", ["", "a", "verdicts_differ:reveni/ret_1:a"])
def test_after_a_dispute_that_was_accepted_no_unit_goes_before_it_is_counted_again(
    confirmation: str, subject: str
) -> None:
    accepted = (WaiverView(hold_code="verdicts_differ", subject=subject),)
    policy = by(confirmation)
    differing = two(theirs(2), ours(2, disposition="damaged"), waivers=accepted)
    assert (restocks(differing, policy), v.case_kinds(v.planned(differing, policy))) == ([], [])

    agreeing = replace(differing, verdicts=(theirs(2), ours(2)))
    (held,) = restocks(agreeing, policy)
    assert (held.quantity, v.codes(held), v.case_kinds(v.planned(agreeing, policy))) == (
        2,
        ["verdicts_differ"],
        ["verdicts_differ"],
    )
    assert held.holds[0].text.startswith("2 x T-shirt would go back into stock now, but a person accepted earlier")

    sent = v.effect("restock:reveni/ret_1:a:1", "restock", "confirmed", item_id="a", quantity=1)
    (rest,) = restocks(replace(agreeing, effects=(sent,)), policy)
    assert (rest.key, rest.quantity, v.codes(rest)) == ("restock:reveni/ret_1:a:2", 1, ["verdicts_differ"])

    counted = replace(agreeing, verdicts=(theirs(2), ours(1, is_recount=True)))
    assert [(one.quantity, one.holds) for one in restocks(counted, policy)] == [(1, ())]
    assert v.case_kinds(v.planned(counted, policy)) == ["fewer_units"]


@pytest.mark.parametrize("confirmation", ["platform", "either"])
def test_units_on_sale_already_are_the_case_of_the_restock_alone(confirmation: str) -> None:
    sent = v.effect("restock:reveni/ret_1:a:2", "restock", "confirmed", item_id="a", quantity=2)
    made = v.planned(two(theirs(2), ours(2, disposition="damaged"), effects=(sent,)), by(confirmation))
    assert v.of_kind(made, "restock") == []
    assert [(case.kind, case.evidence["sellable"]) for case in made.cases] == [("restock_contradicted", 0)]


def test_units_taken_out_again_are_held_under_a_key_of_their_own() -> None:
    sent = v.effect("restock:reveni/ret_1:a:1", "restock", "confirmed", item_id="a", quantity=1)
    out = v.effect("reverse:restock:reveni/ret_1:a:1", "take_out", "confirmed", item_id="a", quantity=1)
    view = two(theirs(1), ours(1, disposition="damaged"), effects=(sent, out))
    (held,) = restocks(view)
    assert (held.key, v.codes(held)) == ("restock:reveni/ret_1:a:2", ["verdicts_differ"])
    (again,) = restocks(replace(view, verdicts=(theirs(1),)))
    assert (again.key, again.quantity, again.holds) == ("restock:reveni/ret_1:a:2", 1, ())


def test_units_that_may_go_and_units_that_wait_never_share_a_key() -> None:
    """A part that was released went before the others; its key is the highest."""
    sent = v.effect("restock:reveni/ret_1:a:3", "restock", "confirmed", item_id="a", quantity=1)
    view = two(theirs(3), ours(2), ours(1, disposition="damaged"), lines=(v.shirt_item(quantity=3),), effects=(sent,))
    view = replace(view, order=v.order(lines=(v.order_line(quantity=3, reduced_stock=3),)))
    assert [(one.key, one.quantity, v.codes(one)) for one in restocks(view, by("both"))] == [
        ("restock:reveni/ret_1:a:1", 1, ["verdicts_differ"]),
        ("restock:reveni/ret_1:a:2", 1, []),
    ]


def test_the_bench_outranks_the_warehouse_system() -> None:
    system = v.verdict(source="wms", quantity=2)
    assert [one.quantity for one in restocks(two(system), by("warehouse"))] == [2]
    assert restocks(two(system, ours(2, disposition="damaged")), by("warehouse")) == []


def test_an_ambiguous_sku_blocks_stock_only() -> None:
    unclear = v.order(lines=(v.order_line(is_sku_ambiguous=True),))
    found = two(v.verdict(), order=unclear, payouts=(v.payout(),), lines=(v.shirt_item(),))
    made = v.planned(found)
    assert [v.codes(one) for one in v.of_kind(made, "restock")] == [["sku_ambiguous"]]
    assert [v.codes(one) for one in v.of_kind(made, "refund")] == [[]]
    assert v.case_kinds(made) == ["sku_ambiguous"]
    other = two(v.verdict(), lines=(v.shirt_item(sku="TSHIRT-XL"),))
    assert "came back as SKU TSHIRT-XL, but the order sold SKU TSHIRT" in restocks(other)[0].holds[0].text


def test_an_item_without_a_place_is_a_case_never_a_default() -> None:
    (one,) = restocks(two(v.verdict(), locations={}))
    assert v.codes(one) == ["disposition_unmapped"]
    final = [v.verdict(disposition=name) for name in ("damaged", "unknown", "missing")]
    made = v.planned(two(*final, locations={"sellable": "shelf", "damaged": "bin"}))
    assert v.of_kind(made, "restock") == []
    assert v.case_kinds(made) == ["disposition_unmapped", "goods_missing"]
    assert v.case_kinds(v.planned(two(v.verdict(disposition="unknown", is_final=False), locations={}))) == []


def test_a_line_that_holds_no_stock_cannot_be_restocked() -> None:
    table = ((None, "101", "still holds 0"), (1, "101", "still holds 1"), (None, "", "was deleted there"))
    for reduced, product_id, words in table:
        line = v.order_line(reduced_stock=reduced, product_id=product_id)
        found = two(v.verdict(quantity=2), order=v.order(lines=(line,)))
        (one,) = restocks(found)
        assert v.codes(one) == ["restock_impossible"]
        assert words in one.holds[0].text
        by_hand = replace(found, waivers=(WaiverView(hold_code="restock_impossible", subject="a"),))
        assert v.of_kind(v.planned(by_hand), "restock") == []
        assert v.case_kinds(v.planned(by_hand)) == []


def seen_to(*subjects: str, kind: str = "restock_impossible") -> tuple[WaiverView, ...]:
    return tuple(WaiverView(hold_code=kind, subject=subject) for subject in subjects)


def without_stock(*verdicts: VerdictView, reduced: int | None = None, **changes: Any) -> ReturnView:
    """Two T-shirts of an order line that holds no stock, unless said."""
    return two(*verdicts, order=v.order(lines=(v.order_line(reduced_stock=reduced),)), **changes)


def test_units_put_in_stock_by_hand_are_never_put_back_by_us_though_we_could_now() -> None:
    accepted = seen_to("1 units of a", "9 units of b", "some units of a", "of a")
    assert restocks(without_stock(v.verdict(), waivers=accepted)) == []
    assert restocks(without_stock(v.verdict(), waivers=accepted, reduced=2)) == []
    assert restocks(without_stock(v.verdict(quantity=2), waivers=seen_to("a"), reduced=2)) == []
    (rest,) = restocks(without_stock(v.verdict(quantity=2), waivers=accepted, reduced=2))
    assert (rest.key, rest.quantity, rest.holds) == ("restock:reveni/ret_1:a:2", 1, ())


def test_units_that_come_to_those_put_in_stock_by_hand_are_asked_about_anew() -> None:
    found = without_stock(v.verdict(quantity=2), waivers=seen_to("1 units of a"))
    (case,) = v.planned(found).cases
    assert (case.kind, case.evidence["units"], case.evidence["by_hand_if_accepted"]) == ("restock_impossible", 1, 2)
    again = replace(found, waivers=seen_to("1 units of a", "2 units of a"))
    assert (restocks(again), v.case_kinds(v.planned(again))) == ([], [])


def test_goods_put_in_stock_by_hand_and_found_damaged_afterwards_are_a_case() -> None:
    found = without_stock(v.verdict(), v.verdict(disposition="damaged"), waivers=seen_to("2 units of a"))
    (case,) = v.planned(found).cases
    assert (case.kind, case.evidence["sellable"], case.evidence["by_hand_if_accepted"]) == ("restocked_by_hand", 1, 1)
    done = (*found.waivers, *seen_to("1 units of a", kind="restocked_by_hand"))
    assert v.case_kinds(v.planned(replace(found, waivers=done))) == []
    assert v.case_kinds(v.planned(replace(found, waivers=seen_to("a")))) == []


def test_two_items_of_one_line_share_its_stock() -> None:
    lines = (v.shirt_item(), v.shirt_item(item_id="b"))
    found = two(v.verdict(), v.verdict("b"), lines=lines, order=v.order(lines=(v.order_line(reduced_stock=1),)))
    assert [v.codes(one) for one in restocks(found)] == [[], ["restock_impossible"]]


def test_an_item_that_is_not_on_the_order_is_held() -> None:
    (one,) = restocks(two(v.verdict(), lines=(v.shirt_item(order_line_id=""),)))
    assert v.codes(one) == ["line_not_on_order"]
    assert one.payload["product_id"] == ""


def test_a_missing_reason_holds_stock_too() -> None:
    (one,) = restocks(two(v.verdict(), lines=(v.shirt_item(reason_code=None),)))
    assert v.codes(one) == ["reason_unmapped"]


def test_a_released_confirmation_goes() -> None:
    waiver = WaiverView(hold_code="waits_for_confirmation", effect_key="restock:reveni/ret_1:a:2")
    (one,) = restocks(two(theirs(2), waivers=(waiver,)), by("both"))
    assert one.holds == ()


def test_missing_goods_are_a_case_until_somebody_accepts_it() -> None:
    found = two(v.verdict(outcome="missing", disposition="missing"))
    made = v.planned(found)
    assert [case.cause for case in made.cases] == ["1 of 2 x T-shirt were not in the parcel."]
    accepted = replace(found, waivers=(WaiverView(hold_code="goods_missing", subject="a"),))
    assert v.case_kinds(v.planned(accepted)) == []


def test_a_verdict_corrected_after_the_restock_is_a_case() -> None:
    sent = v.effect("restock:reveni/ret_1:a:2", "restock", "confirmed", item_id="a", quantity=2)
    found = two(v.verdict(), v.verdict(disposition="damaged"), effects=(sent,))
    made = v.planned(found)
    assert v.of_kind(made, "restock") == []
    assert [(case.kind, case.evidence["restocked"], case.evidence["sellable"]) for case in made.cases] == [
        ("restock_contradicted", 2, 1)
    ]
    accepted = replace(found, waivers=(WaiverView(hold_code="restock_contradicted", subject="a"),))
    assert v.case_kinds(v.planned(accepted)) == []


def test_a_route_without_a_shop_restocks_nothing() -> None:
    assert restocks(two(v.verdict(), commerce="")) == []


@pytest.mark.parametrize(
    ("reduced_stock", "changes", "is_held"),
    [
        (1, {}, True),  # one of two is back, and not by us
        (2, {}, False),
        (None, {}, False),  # stock is not managed: nothing to be seen (and another hold)
        (1, {"effects": (v.effect("restock:x", "restock", item_id="b", quantity=1),)}, False),
        (1, {"sibling_effects": (v.effect("restock:y", "restock", item_id="z", quantity=1),)}, False),
        (1, {"is_released": False}, False),
    ],
)
def test_units_put_back_by_hand_before_the_route_went_live_are_not_put_back_again(
    reduced_stock: int | None, changes: dict[str, Any], is_held: bool
) -> None:
    order = v.order(lines=(v.order_line(reduced_stock=reduced_stock),))
    view = v.view(**({"order": order, "verdicts": (v.verdict(),), "is_released": True} | changes))
    (one,) = restocks(view)
    assert any("back in stock already, and not by us" in hold.text for hold in one.holds) is is_held
    if is_held:
        said = WaiverView(hold_code="restock_impossible", subject="a")
        assert restocks(replace(view, waivers=(said,))) == []


def test_units_put_back_by_hand_before_and_accepted_explain_no_other_unit() -> None:
    view = without_stock(v.verdict(), reduced=1, is_released=True)
    (case,) = v.planned(view).cases
    assert (case.kind, case.evidence["by_hand_if_accepted"]) == ("restock_impossible", 1)
    both = replace(view, verdicts=(v.verdict(quantity=2),), waivers=seen_to("1 units of a"))
    assert [(one.quantity, one.holds) for one in restocks(both)] == [(1, ())]
