"""The whole plan: gates, isolation of rules, notes and mirrors, cases of time, and when to look again."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import ExchangeLine
from returnsops.planning import plan as planning
from returnsops.planning.holds import Finding, holds_of, joined, waiting
from returnsops.planning.model import Part
from returnsops.planning.policy import Policy, parse_policy
from returnsops.planning.verdicts import has_passed
from returnsops.planning.view import CreditView, ExchangeView, ReturnView, RiskView, WaiverView

from . import views as v


def busy(**changes: Any) -> ReturnView:
    """A return with money, stock, notes and mirrors."""
    return v.view(**({"payouts": (v.payout(),), "verdicts": (v.verdict(),)} | changes))


def held_kinds(view: ReturnView, code: str, now: datetime = v.NOW) -> set[str]:
    made = v.planned(view, now=now)
    return {one.kind for one in made.effects if code in v.codes(one)}


# --- gates -----------------------------------------------------------------------------------------------------------


def test_effects_come_in_the_order_of_their_lanes() -> None:
    kinds = [one.kind for one in v.planned(busy()).effects]
    assert kinds == ["refund", "restock", "note", "note", "mirror", "mirror"]


def test_a_route_that_is_not_live_sends_nothing() -> None:
    assert held_kinds(busy(is_live=False), "not_live") == {"refund", "restock", "note", "mirror"}
    assert v.case_kinds(v.planned(busy(is_live=False))) == []


def test_a_risk_hold_freezes_everything_but_mirrors() -> None:
    found = busy(is_on_risk_hold=True, risks=(RiskView(risk_id="r1", kind="fraud_review", stage="hold"),))
    assert held_kinds(found, "risk_hold") == {"refund", "restock", "note"}
    assert v.case_kinds(v.planned(found)) == ["risk_hold"]
    assert "on hold for a risk review" in v.of_kind(v.planned(found), "mirror")[1].payload["value"]


def test_a_missing_order_is_waited_for_and_then_a_case() -> None:
    until_at = v.NOW + timedelta(hours=5)
    found = busy(order=None, order_wanted_until_at=until_at)
    made = v.planned(found)
    assert held_kinds(found, "order_not_found") == {"refund", "restock", "note", "mirror"}
    assert made.effects[0].holds[0].text == "waits for order 500 to be read from the shop"
    assert (made.cases, made.next_look_at) == ((), until_at)
    assert v.case_kinds(v.planned(found, now=until_at)) == ["order_not_found"]
    assert "waits for its order to be read" in v.planned(busy(order=None, order_id="")).effects[0].holds[0].text
    bare = v.view(order=None, order_id="", order_wanted_until_at=until_at, commerce="")
    assert [case.cause[:32] for case in v.planned(bare, now=until_at).cases] == ["the return waits for its order, "]


def test_a_locked_order_holds_money_and_stock() -> None:
    found = busy(order=v.order(is_locked=True, lock_reason="dispute"))
    assert held_kinds(found, "order_locked") == {"refund", "restock"}
    assert "is locked: dispute" in v.planned(found).effects[0].holds[0].text
    assert v.case_kinds(v.planned(found)) == ["order_locked"]
    silent = busy(order=v.order(is_locked=True, status="on-hold"))
    assert "its status is on-hold" in v.planned(silent).effects[0].holds[0].text


def test_a_released_lock_wants_a_second_person_for_money_and_never_pays_too_much() -> None:
    waiver = WaiverView(hold_code="order_locked")
    found = busy(order=v.order(is_locked=True), waivers=(waiver,))
    made = v.planned(found)
    assert [(one.kind, one.holds, one.needs_approval) for one in made.effects[:2]] == [
        ("refund", (), True),
        ("restock", (), False),
    ]
    before = v.shop_refund(attribution="unrelated", amount="60.00")
    assert v.codes(v.planned(replace(found, shop_refunds=(before,))).effects[0]) == ["would_over_refund"]


def test_an_order_in_the_bin_holds_everything_and_cannot_be_released() -> None:
    found = busy(order=v.order(is_gone=True), waivers=(WaiverView(hold_code="order_gone"),))
    assert held_kinds(found, "order_gone") == {"refund", "restock", "note", "mirror"}
    assert v.case_kinds(v.planned(found)) == ["order_locked"]


def test_one_rule_that_fails_blocks_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(view: ReturnView, policy: Policy, now: datetime) -> Part:
        raise ZeroDivisionError("ada@example.com")

    rules = tuple((name, broken if name == "refunds" else rule) for name, rule in planning.RULES)
    monkeypatch.setattr(planning, "RULES", rules)
    made = v.planned(busy())
    assert {one.kind for one in made.effects} == {"restock", "note", "mirror"}
    assert [(case.kind, case.fingerprint) for case in made.cases] == [
        ("planning_failed", "planning_failed:reveni/ret_1:refunds")
    ]
    assert "could not plan this return (ZeroDivisionError at test_plan.py:" in made.cases[0].cause
    assert "ada@example.com" not in made.cases[0].cause  # what a fault quotes may be a customer's


def test_a_persons_proposal_waits_for_approval_as_a_case() -> None:
    proposed = v.effect(
        "refund:reveni/ret_1:person:7", "refund", "awaiting_approval", origin="person", amount=Decimal("5.00")
    )
    made = v.planned(v.view(effects=(proposed,)))
    assert [(case.fingerprint, case.money_at_risk) for case in made.cases] == [
        ("needs_approval:reveni/ret_1:7", Decimal("5.00"))
    ]


def test_planning_kinds_are_all_known_to_the_queue() -> None:
    assert states.CASE_PLANNING_FAILED in states.PLANNER_CASES


# --- notes and mirrors -----------------------------------------------------------------------------------------------


def values(view: ReturnView) -> dict[str, str]:
    return {one.payload["field"]: one.payload["value"] for one in v.of_kind(v.planned(view), "mirror")}


def test_mirrors_say_where_the_return_is() -> None:
    assert values(v.view()) == {"status": "Return authorised, waiting for the goods", "return": "RMA-1"}
    paid = v.effect("refund:reveni/ret_1:re_1", "refund", "confirmed", amount=Decimal("24.20"))
    pending = v.effect("refund:reveni/ret_1:re_2", "refund", "done", amount=Decimal("5.00"))
    assert values(v.view(number="", status="closed", effects=(paid, pending))) == {
        "status": "Return closed; refunded €24.20",
        "return": "ret_1",
    }
    assert v.planned(v.view(commerce="")).effects == ()


@pytest.mark.parametrize(("writer", "who"), [("us", "hand"), ("platform", "the returns platform")])
def test_the_status_says_what_was_refunded_for_the_return_by_others(writer: str, who: str) -> None:
    names = ("this_return", "this_return", "other_return", "unattributed", "vanished")
    refunds = tuple(v.shop_refund(str(number), "5.00", attribution=name) for number, name in enumerate(names))
    policy = parse_policy({"refund": {"writer": writer}})
    mirrors = v.of_kind(v.planned(v.view(status="closed", shop_refunds=refunds), policy), "mirror")
    assert [one.payload["value"] for one in mirrors if one.payload["field"] == "status"] == [
        f"Return closed; refund of €10.00 made in the shop by {who}"
    ]


@pytest.mark.parametrize("status", states.RETURN_STATUSES)
def test_every_status_has_words_without_times(status: str) -> None:
    text = values(v.view(status=status))["status"]
    assert text
    assert not any(character.isdigit() for character in text)


def notes(view: ReturnView, policy: Policy | None = None) -> dict[str, str]:
    return {one.key: one.payload["text"] for one in v.of_kind(v.planned(view, policy), "note")}


def test_notes_are_written_once_per_milestone() -> None:
    assert notes(v.view()) == {
        "note:reveni/ret_1:authorised": "Return RMA-1 authorised: 1 x T-shirt expected back. [RMA-1/authorised]"
    }
    for state, is_planned in (("held", True), ("done", False), ("sending", False)):
        written = v.effect("note:reveni/ret_1:authorised", "note", state)
        assert ("note:reveni/ret_1:authorised" in notes(v.view(effects=(written,)))) is is_planned


def test_every_refund_and_restock_that_arrived_has_its_note() -> None:
    done = (
        v.effect("refund:reveni/ret_1:re_1", "refund", "confirmed", amount=Decimal("24.20")),
        v.effect("refund:reveni/ret_1:re_2", "refund", "done", amount=Decimal("3.00")),
        v.effect("restock:reveni/ret_1:a:1", "restock", "confirmed", item_id="a", quantity=1),
        v.effect("restock:reveni/ret_1:zz:1", "restock", "confirmed", item_id="zz", quantity=1),
    )
    assert notes(v.view(effects=done), parse_policy({"notes": ["refunded", "restocked"]})) == {
        "note:reveni/ret_1:refunded:re_1": "Return RMA-1: refunded €24.20. [RMA-1/refunded/re_1]",
        "note:reveni/ret_1:restocked:a%3A1": "Return RMA-1: 1 x T-shirt put back in stock. [RMA-1/restocked/a:1]",
        "note:reveni/ret_1:restocked:zz%3A1": "Return RMA-1: 1 x item put back in stock. [RMA-1/restocked/zz:1]",
    }


def test_notes_of_other_milestones() -> None:
    policy = parse_policy({"notes": ["in_transit", "received", "inspected", "ended"]})
    assert list(notes(v.view(status="inspected"), policy)) == [
        "note:reveni/ret_1:in_transit",
        "note:reveni/ret_1:inspected",
        "note:reveni/ret_1:received",
    ]
    assert notes(v.view(status="expired", authorised_at=None), policy) == {
        "note:reveni/ret_1:ended": "Return expired, goods never sent. [RMA-1/ended]"
    }


@pytest.mark.parametrize(
    ("changes", "milestone", "is_passed"),
    [
        ({"status": "requested", "authorised_at": None}, "authorised", False),
        ({"status": "requested", "authorised_at": None, "received_at": v.NOW}, "authorised", True),
        ({"status": "closed"}, "received", False),
        ({"status": "inspecting"}, "received", True),
        ({"status": "inspecting", "verdicts": (v.verdict(),)}, "inspected", False),
        ({"status": "cancelled", "verdicts": (v.verdict(),)}, "received", True),
        ({"status": "delivered"}, "received", False),
    ],
)
def test_milestones(changes: dict[str, Any], milestone: str, is_passed: bool) -> None:
    assert has_passed(v.view(**changes), milestone) is is_passed


# --- goods or credit instead of money --------------------------------------------------------------------------------


def test_exchanges_and_credits_are_to_dos_until_settled() -> None:
    exchange = ExchangeView(
        exchange_id="ex_1", lines=(ExchangeLine(sku="TSHIRT-M", quantity=1),), is_cancelled=False, is_settled=False
    )
    credit = CreditView(
        credit_id="cr_1",
        kind="store_credit",
        amount=Decimal("30.00"),
        currency="EUR",
        executed_by="",
        is_settled=False,
    )
    made = v.planned(v.view(resolution="mixed", exchanges=(exchange,), credits=(credit,)))
    assert [case.fingerprint for case in made.cases] == [
        "manual_credit:reveni/ret_1:cr_1",
        "manual_exchange:reveni/ret_1:ex_1",
    ]
    assert "store credit cr_1 over €30.00" in made.cases[0].cause
    assert "asks for 1 x TSHIRT-M" in made.cases[1].cause
    assert v.of_kind(made, "refund") == []
    settled = v.view(
        exchanges=(replace(exchange, is_settled=True), replace(exchange, is_cancelled=True)),
        credits=(replace(credit, is_settled=True),),
    )
    assert v.case_kinds(v.planned(settled)) == []


# --- time ------------------------------------------------------------------------------------------------------------

ASKED = v.NOW - timedelta(days=3)


CREDIT = CreditView(
    credit_id="c1",
    kind="store_credit",
    amount=Decimal("24.20"),
    currency="EUR",
    executed_by="commerce_platform",
    is_settled=False,
)
EXCHANGE = ExchangeView(exchange_id="x1", lines=(), is_cancelled=False, is_settled=False)


def instant(**changes: Any) -> ReturnView:
    return v.view(**({"mode": "instant", "requested_at": ASKED, "authorised_at": ASKED} | changes))


def test_the_platforms_decision_is_due_from_day_25() -> None:
    warn_at, due_at = ASKED + timedelta(days=25), ASKED + timedelta(days=30)
    found = instant(status="received", payouts=(v.payout(),))
    assert v.planned(found).next_look_at == warn_at
    assert v.case_kinds(v.planned(found, now=warn_at - timedelta(seconds=1))) == []
    made = v.planned(found, now=warn_at)
    assert v.case_kinds(made) == ["platform_decision_due"]
    assert (made.cases[0].money_at_risk, made.next_look_at) == (Decimal("24.20"), due_at)
    assert "until 08 June 2026" in made.cases[0].cause
    late = v.planned(found, now=due_at)
    assert "since 08 June 2026" in late.cases[0].cause
    assert late.next_look_at is None
    accepted = replace(found, waivers=(WaiverView(hold_code="platform_decision_due"),))
    assert v.case_kinds(v.planned(accepted, now=due_at)) == []
    for status in ("inspected", "closed", "declined"):
        assert "platform_decision_due" not in v.case_kinds(v.planned(instant(status=status), now=due_at))
    assert v.case_kinds(v.planned(replace(found, mode="on_receipt"), now=due_at)) == []
    assert v.case_kinds(v.planned(replace(found, requested_at=None, authorised_at=None), now=due_at)) == []


def test_instant_goods_that_never_come_are_a_case() -> None:
    limit_at = ASKED + timedelta(days=20)
    policy = parse_policy({"instant_return_days": 20})
    found = instant(payouts=(v.payout(),))
    assert v.planned(found, policy).next_look_at == limit_at
    assert v.case_kinds(v.planned(found, policy, limit_at)) == ["instant_never_returned"]
    accepted = replace(found, waivers=(WaiverView(hold_code="instant_never_returned"),))
    assert v.case_kinds(v.planned(accepted, policy, limit_at)) == []
    assert v.case_kinds(v.planned(replace(found, delivered_at=v.NOW), policy, limit_at)) == []
    assert v.case_kinds(v.planned(instant(status="cancelled"), policy, limit_at)) == []
    assert v.case_kinds(v.planned(replace(found, status="closed"), policy, limit_at)) == []
    expired = instant(status="expired", payouts=(v.payout(),))
    assert v.case_kinds(v.planned(expired)) == ["instant_never_returned"], "and not paid_after_end as well"
    timeless = replace(found, requested_at=None, authorised_at=None)
    assert v.case_kinds(v.planned(timeless, policy, limit_at)) == []


@pytest.mark.parametrize(
    ("changes", "is_case"),
    [
        ({}, False),
        ({"payouts": (v.payout(is_failed=True),)}, False),
        ({"payouts": (v.payout(executed_by="returns_platform"),)}, True),
        ({"effects": (v.effect("refund:a", "refund", amount=Decimal("24.20")),)}, True),
        ({"effects": (v.effect("refund:a", "refund", "held", amount=Decimal("24.20")),)}, False),
        ({"shop_refunds": (v.shop_refund(attribution="this_return"),)}, True),
        ({"shop_refunds": (v.shop_refund(attribution="other_return"),)}, False),
        ({"credits": (CREDIT,)}, False),
        ({"credits": (replace(CREDIT, is_settled=True),)}, True),
        ({"credits": (replace(CREDIT, executed_by="returns_platform"),)}, True),
        ({"credits": (replace(CREDIT, is_settled=True, is_withdrawn=True),)}, False),
        ({"exchanges": (EXCHANGE,)}, False),
        ({"exchanges": (replace(EXCHANGE, is_settled=True),)}, True),
        ({"exchanges": (replace(EXCHANGE, commerce_order_id="77", is_cancelled=True),)}, False),
        ({"effects": (v.effect("exchange:a", "exchange"),)}, True),
        ({"effects": (v.effect("exchange:a", "exchange"), v.effect("reverse:exchange:a", "cancel_exchange"))}, False),
    ],
)
@pytest.mark.parametrize("status", ["authorised", "expired"])
def test_goods_that_nobody_paid_in_advance_are_no_case_of_money(
    status: str, changes: dict[str, Any], is_case: bool
) -> None:
    made = v.planned(instant(status=status, **changes), now=ASKED + timedelta(days=40))
    assert ("instant_never_returned" in v.case_kinds(made)) is is_case


# --- what finance must see -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["charged", "failed", "reversed"])
def test_charges_are_cases_until_accepted(stage: str) -> None:
    risk = RiskView(risk_id="r1", kind="non_return", stage=stage, amount=Decimal("24.20"), currency="EUR")
    made = v.planned(v.view(risks=(risk,)))
    assert [(case.fingerprint, case.money_at_risk) for case in made.cases] == [
        (f"charge_problem:reveni/ret_1:r1/{stage}", Decimal("24.20"))
    ]
    assert "the charge of €24.20 for goods" in made.cases[0].cause
    nameless = replace(risk, amount=None)
    assert "the charge for goods" in v.planned(v.view(risks=(nameless,))).cases[0].cause
    for subject in ("r1", f"r1/{stage}"):
        accepted = v.view(risks=(risk,), waivers=(WaiverView(hold_code="charge_problem", subject=subject),))
        assert v.planned(accepted).cases == ()


def test_a_charge_that_was_accepted_as_made_is_a_case_when_it_is_undone() -> None:
    made = RiskView(risk_id="r1", kind="non_return", stage="charged")
    accepted = v.view(risks=(replace(made, stage="reversed"),), waivers=(acceptance(v.view(risks=(made,))),))
    assert v.case_kinds(v.planned(accepted)) == ["charge_problem"]


def acceptance(view: ReturnView) -> WaiverView:
    """What a person says by accepting the one case of a return."""
    (case,) = v.planned(view).cases
    return WaiverView(hold_code=case.kind, subject=case.fingerprint.removeprefix(f"{case.kind}:{view.ref}:"))


def test_a_failed_platform_refund_is_a_case_and_worse_when_it_is_written() -> None:
    failed = v.payout(is_failed=True, failure_text="account closed")
    made = v.planned(v.view(payouts=(failed,)))
    assert [case.fingerprint for case in made.cases] == [
        f"platform_refund_failed:reveni/ret_1:re_1/{failed.issued_at.isoformat()}"
    ]
    assert "did not reach the customer: account closed. Agree" in made.cases[0].cause
    sent = v.effect("refund:reveni/ret_1:re_1", "refund", "done", amount=Decimal("24.20"))
    worse = v.planned(v.view(payouts=(replace(failed, failure_text=""),), effects=(sent,)))
    assert "gives no reason. It is already written in the shop as refunded." in worse.cases[0].cause
    for subject in ("re_1", f"re_1/{failed.issued_at.isoformat()}"):
        accepted = (WaiverView(hold_code="platform_refund_failed", subject=subject),)
        assert v.planned(v.view(payouts=(failed,), waivers=accepted)).cases == ()


def test_a_platform_refund_that_is_issued_anew_and_fails_again_is_a_case_again() -> None:
    first = v.payout(is_failed=True)
    seen_to = (acceptance(v.view(payouts=(first,))),)
    again = replace(first, issued_at=first.issued_at + timedelta(days=2))
    assert v.case_kinds(v.planned(v.view(payouts=(again,), waivers=seen_to))) == ["platform_refund_failed"]


def test_money_of_an_ended_return_is_a_case() -> None:
    made = v.planned(v.view(status="cancelled", payouts=(v.payout(),)))
    assert v.case_kinds(made) == ["paid_after_end"]
    assert made.cases[0].money_at_risk == Decimal("24.20")
    sent = v.effect("refund:reveni/ret_1:re_1", "refund", "unknown", amount=Decimal("30.00"))
    assert v.planned(v.view(status="expired", effects=(sent,))).cases[0].money_at_risk == Decimal("30.00")
    assert v.case_kinds(v.planned(v.view(status="declined"))) == []
    for subject, cases in (("paid_after_end:reveni/ret_1", []), ("30", []), ("29.99", ["paid_after_end"])):
        waiver = WaiverView(hold_code="paid_after_end", subject=subject)
        assert v.case_kinds(v.planned(v.view(status="declined", effects=(sent,), waivers=(waiver,)))) == cases


def test_more_refunded_than_paid_is_a_case() -> None:
    twice = (v.shop_refund("1", "66.55", attribution="ours"), v.shop_refund("2", "66.55", attribution="unrelated"))
    made = v.planned(v.view(shop_refunds=twice))
    assert [(case.kind, case.money_at_risk) for case in made.cases] == [("over_refunded", Decimal("66.55"))]
    for subject, cases in (("", []), ("66.55", []), ("66.54", ["over_refunded"])):
        accepted = (WaiverView(hold_code="over_refunded", subject=subject),)
        assert v.case_kinds(v.planned(v.view(shop_refunds=twice, waivers=accepted))) == cases


def test_wrong_items_are_told_before_anything_waits_for_them() -> None:
    assert v.case_kinds(v.planned(v.view(lines=(v.shirt_item(reason_code=None),)))) == ["reason_unmapped"]
    ended = v.view(status="declined", lines=(v.shirt_item(reason_code=None),))
    assert v.case_kinds(v.planned(ended)) == []


# --- small parts -----------------------------------------------------------------------------------------------------


def test_holds_are_listed_once_and_parts_are_joined() -> None:
    finding = waiting("x", "waits", until_at=v.NOW)
    assert holds_of([finding, Finding(hold=finding.hold)]) == (finding.hold,)
    assert finding.hold.as_json() == {
        "code": "x",
        "text": "waits",
        "until": "2026-05-12T09:00:00+00:00",
        "waits_for": "",
    }
    assert waiting("x", "waits").hold.as_json()["until"] is None
    assert joined([Part(look_at=(v.NOW,)), Part()]) == Part(look_at=(v.NOW,))
