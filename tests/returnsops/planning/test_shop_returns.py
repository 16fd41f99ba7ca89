"""The shop's own return: opened early, tracked, ended once all is through; nothing where nobody keeps it."""

from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.planning.policy import parse_policy
from returnsops.planning.shop_returns import units_hash
from returnsops.planning.view import ParcelView
from tests.returnsops.planning import views as v

KINDS = (states.OPEN_RETURN, states.EDIT_RETURN, states.TRACK_RETURN, states.CLOSE_RETURN)
ONE, TWO = ([{"line_id": "11", "quantity": count}] for count in (1, 2))
OPENED = v.effect(
    "open_return:reveni/ret_1", "open_return", "done", remote_id="gid://shopify/Return/61", lines_hash=units_hash(ONE)
)
PAID = v.effect("refund:reveni/ret_1:re_1", "refund", "confirmed", amount=Decimal("24.20"))
PENDING = v.effect("refund:reveni/ret_1:re_1", "refund", "sending", amount=Decimal("24.20"))


def wanted(writer: str = "us", trigger: str = "authorised", **changes: Any) -> list[tuple[str, dict[str, Any]]]:
    """What is planned for the shop's own return."""
    policy = parse_policy({"shop_return": {"writer": writer, "trigger": trigger}})
    planned = v.planned(v.view(**changes), policy)
    return [(one.key, dict(one.payload)) for one in planned.effects if one.kind in KINDS]


def keys(**changes: Any) -> list[str]:
    return [key for key, _ in wanted(**changes)]


@pytest.mark.requirement("S5-4")
def test_it_is_opened_with_the_expected_lines_from_the_moment_the_policy_says() -> None:
    ((key, payload),) = wanted()
    assert key == "open_return:reveni/ret_1"
    assert [(line["line_id"], line["quantity"]) for line in payload["lines"]] == [("11", 1)]
    assert "adopt" not in payload
    assert wanted("platform")[0][1]["adopt"] is True
    assert wanted("nobody") == wanted(commerce="") == wanted(status="declined") == []
    asked = {"status": "requested", "authorised_at": None}
    assert keys(**asked) == []
    assert keys(trigger="requested", **asked) == ["open_return:reveni/ret_1"]


def test_goods_that_are_on_no_line_of_the_order_open_nothing() -> None:
    assert keys(lines=(v.shirt_item(order_line_id=""),)) == []


def test_each_parcel_is_tracked_once_and_only_in_a_return_of_ours() -> None:
    parcels = (ParcelView(tracking_number="1Z"), ParcelView(tracking_number=""))
    assert keys(parcels=parcels) == ["open_return:reveni/ret_1"]
    ((key, payload),) = wanted(parcels=parcels, effects=(OPENED,))
    assert (key, payload["remote_return_id"]) == ("track_return:reveni/ret_1:1Z", "gid://shopify/Return/61")
    sent = v.effect(key, "track_return", "unknown")
    assert keys(parcels=parcels, effects=(OPENED, sent)) == []
    assert wanted("platform", parcels=parcels, effects=(OPENED,)) == []


def test_a_parcel_is_shown_once_more_after_an_edit_is_done_which_may_have_opened_a_return_beside_the_first() -> None:
    changed: Any = {"parcels": (ParcelView(tracking_number="1Z"),), "lines": (v.shirt_item(quantity=2),)}
    tracked = v.effect("track_return:reveni/ret_1:1Z", "track_return", "done")
    assert keys(effects=(OPENED, tracked), **changed) == ["edit_return:reveni/ret_1:1"]
    sending, edited = (
        v.effect("edit_return:reveni/ret_1:1", "edit_return", state, lines_hash=units_hash(TWO))
        for state in ("unknown", "done")
    )
    assert keys(effects=(OPENED, tracked, sending), **changed) == []
    ((key, payload),) = wanted(effects=(OPENED, tracked, edited), **changed)
    assert (key, payload["is_edited"]) == ("track_return:reveni/ret_1:1Z:1", True)
    again = v.effect(key, "track_return", "done")
    assert keys(effects=(OPENED, tracked, edited, again), **changed) == []


@pytest.mark.parametrize(
    ("status", "effects", "how"),
    [
        ("received", (PAID,), ""),
        ("inspected", (), ""),
        ("inspected", (PENDING,), ""),
        ("inspected", (PAID,), "process"),
        ("closed", (), "process"),
        ("closed", (PENDING,), ""),
        ("expired", (), "cancel"),
    ],
)
def test_it_ends_when_the_goods_are_judged_and_the_money_is_through(status: str, effects: Any, how: str) -> None:
    found = wanted(status=status, effects=(OPENED, *effects))
    assert [payload["how"] for key, payload in found if key == "close_return:reveni/ret_1"] == ([how] if how else [])
    ended = v.effect("close_return:reveni/ret_1", "close_return", "done")
    assert keys(status=status, effects=(OPENED, ended, *effects)) == []


def test_it_ends_too_where_all_of_the_money_went_by_hand_before_any_of_ours_was_planned() -> None:
    """However it is told: a plan that never saw the money owed ends the return like one that did (S5-4)."""
    by_hand = v.shop_refund(attribution="this_return")
    known: Any = {"status": "inspected", "effects": (OPENED,), "payouts": (v.payout(),), "shop_refunds": (by_hand,)}
    assert keys(**known) == ["close_return:reveni/ret_1"]
    assert keys(**known | {"payouts": ()}) == []
    assert keys(**known | {"shop_refunds": (v.shop_refund(attribution="unrelated"),)}) == []
    half = v.shop_refund(amount="12.10", attribution="this_return")
    assert keys(**known | {"shop_refunds": (half,)}) == []
    assert keys(**known | {"verdicts": (v.verdict(),)}) == []  # a unit waits to be put back
    put_back = v.effect("restock:reveni/ret_1:a:1", "restock", "confirmed", item_id="a", quantity=1)
    assert keys(**known | {"verdicts": (v.verdict(),), "effects": (OPENED, put_back)}) == ["close_return:reveni/ret_1"]


def test_it_follows_what_the_platform_changed_until_it_is_closed_each_time_with_a_key_of_its_own() -> None:
    shirts = (v.shirt_item(quantity=2),)
    ((key, payload),) = wanted(lines=shirts, effects=(OPENED,))
    assert (key, payload["remote_return_id"]) == ("edit_return:reveni/ret_1:1", "gid://shopify/Return/61")
    edited = v.effect(key, "edit_return", "done", lines_hash=units_hash(TWO))
    assert keys(lines=shirts, effects=(OPENED, edited)) == []
    assert keys(effects=(OPENED, edited)) == ["edit_return:reveni/ret_1:2"]  # and back to one
    closed = v.effect("close_return:reveni/ret_1", "close_return", "done")
    assert keys(lines=shirts, effects=(OPENED, closed)) == []
    assert wanted("platform", lines=shirts, effects=(OPENED,)) == []
    ((_, ended),) = wanted(status="expired", effects=(OPENED, edited))
    assert (ended["how"], ended["is_edited"]) == ("cancel", True)
