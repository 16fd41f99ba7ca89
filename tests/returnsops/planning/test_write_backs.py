"""What the returns platform is told, and by whom (issue 3, "Write-back to the platform")."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import ExchangeLine, RefundItem
from returnsops.planning import messages, write_backs
from returnsops.planning.keys import content_hash
from returnsops.planning.model import PlannedCase, PlannedEffect
from returnsops.planning.policy import Policy, RefundPolicy, WriteBackPolicy
from returnsops.planning.view import EffectView, ExchangeView, ReturnView, WaiverView
from tests.returnsops.planning import views
from tests.returnsops.planning.views import NOW, REF

ALL = frozenset(states.WRITE_BACK_MESSAGES)
BY_HAND = Policy(write_back=WriteBackPolicy(to_do=states.WRITE_BACK_MESSAGES))
TOLD = "this_return"


def effects(view: ReturnView, policy: Policy | None = None) -> list[PlannedEffect]:
    """The messages planned as calls."""
    return list(write_backs.plan_write_backs(view, policy or Policy(), NOW).effects)


def cases(view: ReturnView, policy: Policy | None = None) -> list[PlannedCase]:
    """The messages planned as work for people."""
    return list(write_backs.plan_write_backs(view, policy or BY_HAND, NOW).cases)


def by_call(**changes: Any) -> ReturnView:
    """A view whose platform takes every message by a call."""
    return views.view(write_backs=ALL, **changes)


def refunded(amount: str = "24.20", **changes: Any) -> dict[str, Any]:
    """A refund by hand that pays for this return, and lines of no interest."""
    refund = views.shop_refund(amount=amount, attribution=TOLD)
    return {"shop_refunds": (refund,), "currency": "USD", **changes}


def exchange(**changes: Any) -> ExchangeView:
    """Another size, placed by hand as order 4711."""
    values: dict[str, Any] = {
        "exchange_id": "ex_1",
        "lines": (ExchangeLine(sku="TSHIRT-L", quantity=1),),
        "is_cancelled": False,
        "is_settled": True,
        "commerce_order_id": "4711",
    }
    return ExchangeView(**(values | changes))


def sent(planned: PlannedEffect, state: str = states.DONE, **changes: Any) -> EffectView:
    """The effect as it is once it left."""
    content = {"payload_hash": content_hash(dict(planned.payload)), **changes}
    return views.effect(planned.key, states.WRITE_BACK, state, **content)


def swapped(**changes: Any) -> dict[str, Any]:
    """An exchange, so that there are no values of refund lines to tell."""
    return {"exchanges": (exchange(),), "currency": "USD", **changes}


# --- confirmed lines and values ------------------------------------------------------------------------------------


def test_lines_carry_what_each_item_is_worth_on_the_final_order() -> None:
    (planned,) = effects(by_call(lines=(views.shirt_item(quantity=2), views.mug_item())))
    assert planned.key == f"write_back:{REF}:lines:final"
    assert (planned.target, planned.serial_key, planned.holds) == ("platform", f"return:{REF}", ())
    assert planned.payload == {
        "message": "lines",
        "return_number": "RMA-1",
        "order_id": "500",
        "order_number": "500",
        "currency": "EUR",
        "total": "60.50",
        "items": [
            {
                "item_id": "a",
                "order_line_id": "11",
                "sku": "TSHIRT",
                "quantity": 2,
                "unit_net": "20.00",
                "unit_tax": "4.20",
                "unit_total": "24.20",
                "net": "40.00",
                "tax": "8.40",
                "total": "48.40",
            },
            {
                "item_id": "b",
                "order_line_id": "12",
                "sku": "MUG",
                "quantity": 1,
                "unit_net": "10.00",
                "unit_tax": "2.10",
                "unit_total": "12.10",
                "net": "10.00",
                "tax": "2.10",
                "total": "12.10",
            },
        ],
    }


def test_two_items_of_one_order_line_share_it_to_the_cent() -> None:
    odd = views.order(lines=(views.order_line(net=Decimal("10.01"), taxes=()),))
    two = (views.shirt_item(), views.shirt_item(item_id="b"))
    (planned,) = effects(by_call(order=odd, lines=two))
    assert [row["total"] for row in planned.payload["items"]] == ["5.01", "5.00"]


@pytest.mark.parametrize(
    "changes",
    [
        {"order": None},
        {"order": views.order(is_gone=True)},
        {"lines": ()},
        {"lines": (views.shirt_item(order_line_id=""),)},
        {"lines": (views.shirt_item(quantity=3),)},
        {"currency": "USD"},
        {"payouts": (views.payout(),)},
        {"status": states.CANCELLED},
        {"status": states.CLOSED},
    ],
)
def test_lines_are_not_told_before_all_is_known_nor_after_the_money_is_decided(changes: dict[str, Any]) -> None:
    assert effects(by_call(**changes)) == []


def test_values_the_platform_has_already_are_told_by_a_call_but_are_nobodys_work() -> None:
    assert len(effects(by_call())) == 1
    assert cases(views.view()) == []
    (case,) = cases(views.view(lines=(views.shirt_item(total=Decimal("20.00")),)))
    assert (case.kind, case.money_at_risk) == (states.CASE_PLATFORM_TO_DO, None)
    assert case.evidence["items"][0]["total"] == "24.20"
    assert case.evidence["deadline"] == "none"


# --- already refunded, do not pay ----------------------------------------------------------------------------------


def test_a_refund_made_outside_is_told_before_the_platform_decides() -> None:
    (planned,) = effects(by_call(**refunded()))
    at = NOW - timedelta(days=1)
    assert planned.key == f"write_back:{REF}:already_refunded:900"
    assert planned.deadline_at == at
    assert planned.payload == {
        "message": "already_refunded",
        "return_number": "RMA-1",
        "order_id": "500",
        "order_number": "500",
        "amount": "24.20",
        "currency": "EUR",
        "reference": "900",
        "refunded_at": at.isoformat(),
        "note": "Already refunded in the shop. Do not pay.",
    }


def test_the_deadline_is_the_platforms_date_for_a_decision_while_that_is_still_to_come() -> None:
    instant = refunded(mode="instant")
    due_at = NOW + timedelta(days=27)
    assert [one.deadline_at for one in effects(by_call(**instant))] == [due_at]
    (case,) = cases(views.view(**instant))
    assert "by 08 June 2026" in case.cause
    assert write_backs.plan_write_backs(views.view(**instant), BY_HAND, NOW).look_at == (due_at,)
    late = Policy(decision_days=1, decision_warn_day=1)
    assert [one.deadline_at for one in effects(by_call(**instant), late)] == [NOW - timedelta(days=1)]


def test_without_a_template_it_is_finances_case_with_the_money_at_risk() -> None:
    (case,) = cases(views.view(**refunded()), Policy())
    assert case.kind == states.CASE_TELL_ALREADY_REFUNDED
    assert (case.money_at_risk, case.currency) == (Decimal("24.20"), "EUR")
    assert case.cause == (
        "€24.20 of this return were refunded in the shop already (refund 900). Tell the returns platform not to pay "
        "that again. Do it at once, then say here that it is done."
    )
    assert case.evidence == {
        "to_enter": {
            "return_number": "RMA-1",
            "order_id": "500",
            "order_number": "500",
            "amount": "24.20",
            "currency": "EUR",
            "reference": "900",
            "refunded_at": (NOW - timedelta(days=1)).isoformat(),
        },
        "deadline": (NOW - timedelta(days=1)).isoformat(),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"attribution": "unattributed"},
        {"attribution": "unrelated"},
        {"attribution": "other_return"},
    ],
)
def test_a_refund_that_is_not_known_to_be_for_this_return_is_not_told(changes: dict[str, Any]) -> None:
    refund = replace(views.shop_refund(), **changes)
    assert effects(by_call(**refunded(shop_refunds=(refund,)))) == []


def test_our_own_refund_is_told_unless_a_payout_stands_behind_it() -> None:
    manual = f"refund:{REF}:manual:1"
    ours = views.shop_refund(attribution="ours", key=manual)
    own = views.effect(manual, states.REFUND, origin="person", amount=Decimal("24.20"))
    assert [one.key for one in effects(by_call(**refunded(shop_refunds=(ours,), effects=(own,))))] == [
        f"write_back:{REF}:already_refunded:900"
    ]
    key = f"refund:{REF}:re_1"
    served = refunded(
        shop_refunds=(views.shop_refund(attribution="ours", key=key),),
        effects=(views.effect(key, states.REFUND, amount=Decimal("24.20")),),
        payouts=(views.payout(items=()),),
    )
    assert effects(by_call(**served)) == []


def test_what_the_route_pays_by_its_own_rule_is_told_by_a_call_but_is_nobodys_work() -> None:
    key = f"refund:{REF}:a:1"
    rule = refunded(
        shop_refunds=(views.shop_refund(attribution="ours", key=key),),
        effects=(views.effect(key, states.REFUND, amount=Decimal("24.20")),),
    )
    policy = replace(BY_HAND, refund=RefundPolicy(initiator="policy_trigger"))
    assert len(effects(by_call(**rule), policy)) == 1
    assert cases(views.view(**rule), policy) == []
    by_person = refunded()
    assert len(cases(views.view(**by_person), policy)) == 1


def test_refunds_that_stand_for_a_decision_of_the_platform_are_not_told() -> None:
    two = (views.shirt_item(), views.mug_item())
    shirt = views.payout()  # decides the shirt only
    mug_refund = views.shop_refund("901", "12.10", attribution=TOLD)
    shirt_refund = views.shop_refund("900", "24.20", attribution=TOLD)
    told = effects(by_call(lines=two, payouts=(shirt,), shop_refunds=(shirt_refund, mug_refund)))
    assert [one.payload["reference"] for one in told] == ["901"]
    part = views.shop_refund("902", "20.00", attribution=TOLD)
    assert effects(by_call(lines=two, payouts=(shirt,), shop_refunds=(part,))) == []


PAYS_NOTHING: dict[str, Any] = {"platform_pays": False}


def test_a_platform_that_never_pays_is_nobodys_work_to_tell_and_a_call_tells_it_all_the_same() -> None:
    assert cases(views.view(**refunded(**PAYS_NOTHING)), Policy()) == []
    assert [one.payload["message"] for one in effects(by_call(**refunded(**PAYS_NOTHING)))] == ["already_refunded"]


@pytest.mark.parametrize("way", ["writes", "told"])
def test_one_that_writes_into_the_shop_or_told_of_a_refund_pays_after_all(way: str) -> None:
    policy = Policy(refund=RefundPolicy(writer="platform" if way == "writes" else "us"))
    payouts = (views.payout(amount="1.00", executed_by="merchant"),) if way == "told" else ()
    lines = (views.shirt_item(), views.mug_item())
    found = cases(views.view(**refunded(**PAYS_NOTHING, payouts=payouts, lines=lines)), policy)
    assert [case.kind for case in found] == [states.CASE_TELL_ALREADY_REFUNDED]


def test_a_platform_that_never_pays_is_not_asked_to_pay_after_all() -> None:
    (planned,) = effects(by_call(**refunded()))
    gone: dict[str, Any] = {"effects": (sent(planned),), "currency": "USD"}
    assert [case.kind for case in cases(by_call(**gone))] == [states.CASE_TELL_ALREADY_REFUNDED]
    assert cases(by_call(**gone, **PAYS_NOTHING)) == []


def test_a_payout_that_our_refund_serves_already_stands_for_no_other_refund() -> None:
    two = (views.shirt_item(), views.mug_item())
    key = f"refund:{REF}:re_1"
    served = views.shop_refund("899", "24.20", attribution="ours", key=key)
    by_hand = views.shop_refund("900", "12.10", attribution=TOLD)
    own = views.effect(key, states.REFUND, amount=Decimal("24.20"))
    told = effects(by_call(lines=two, payouts=(views.payout(),), shop_refunds=(served, by_hand), effects=(own,)))
    assert [one.payload["reference"] for one in told] == ["900"]


def test_nothing_is_told_once_every_unit_is_decided() -> None:
    items = (RefundItem(item_id="a", amount=Decimal("24.20"), quantity=1),)
    goodwill = refunded("5.00", payouts=(views.payout(items=items),))
    assert effects(by_call(**goodwill)) == []
    swap_only = refunded(lines=(views.shirt_item(resolution="exchange"),))
    assert len(effects(by_call(**swap_only))) == 1


@pytest.mark.parametrize("status", [states.DECLINED, states.CANCELLED, states.EXPIRED, states.CLOSED])
def test_a_platform_that_has_nothing_more_to_decide_is_not_told(status: str) -> None:
    assert effects(by_call(**refunded(status=status))) == []


def test_a_refund_that_is_gone_after_the_platform_was_told_is_a_case() -> None:
    (planned,) = effects(by_call(**refunded()))
    gone = by_call(currency="USD", effects=(sent(planned),))
    (case,) = cases(gone)
    assert case.fingerprint == f"tell_already_refunded:{REF}:withdrawn/900"
    assert case.evidence == {"reference": "900"}
    assert cases(replace(gone, is_live=False)) == []
    assert cases(replace(gone, payouts=(views.payout(items=()),))) == []
    accepted = WaiverView(hold_code=states.CASE_TELL_ALREADY_REFUNDED, subject="withdrawn/900")
    assert cases(replace(gone, waivers=(accepted,))) == []
    assert cases(replace(gone, status=states.EXPIRED)) == []


def test_a_refund_that_is_gone_after_a_person_told_the_platform_is_a_case_too() -> None:
    (case,) = cases(views.view(**refunded()))
    subject = case.fingerprint.removeprefix(f"tell_already_refunded:{REF}:")
    waivers = (
        WaiverView(hold_code=states.CASE_TELL_ALREADY_REFUNDED, subject=subject),
        WaiverView(hold_code=states.CASE_OUTSIDE_WINDOW),
    )
    assert cases(views.view(**refunded(waivers=waivers))) == []
    (gone,) = cases(views.view(currency="USD", waivers=waivers))
    assert gone.evidence == {"reference": "900"}


# --- what our own inspection found ---------------------------------------------------------------------------------


def test_our_verdict_is_told_with_units_and_dispositions() -> None:
    ours = views.verdict(source="warehouse", disposition="damaged")
    (planned,) = effects(by_call(currency="USD", verdicts=(ours,)))
    assert planned.key == f"write_back:{REF}:verdict:inspection"
    assert planned.payload["items"] == [
        {
            "item_id": "a",
            "sku": "TSHIRT",
            "quantity": 1,
            "outcome": "accepted",
            "disposition": "damaged",
            "is_final": True,
            "source": "warehouse",
            "inspected_at": (NOW - timedelta(hours=2)).isoformat(),
        }
    ]
    (case,) = cases(views.view(currency="USD", verdicts=(ours,)))
    assert case.kind == states.CASE_PLATFORM_TO_DO


def test_a_verdict_waits_until_everything_is_judged_or_a_person_lets_it_go() -> None:
    half = by_call(currency="USD", lines=(views.shirt_item(quantity=2),), verdicts=(views.verdict(source="wms"),))
    (planned,) = effects(half)
    assert [hold.text for hold in planned.holds] == ["waits for inspection of 1 of 2 items"]
    assert cases(replace(half, write_backs=frozenset())) == []
    released = replace(half, waivers=(WaiverView(hold_code="waits_for_confirmation"),))
    assert [one.holds for one in effects(released)] == [()]


def test_the_platforms_own_verdicts_are_not_told_to_it() -> None:
    assert effects(by_call(currency="USD", verdicts=(views.verdict(),))) == []
    both = (views.verdict(), views.verdict(source="warehouse"))
    assert cases(views.view(currency="USD", verdicts=both)) == []


# --- where the replacement is --------------------------------------------------------------------------------------


def test_a_replacement_placed_by_hand_is_told_with_its_number() -> None:
    (planned,) = effects(by_call(**swapped()))
    assert planned.key == f"write_back:{REF}:exchange_order:ex_1"
    assert planned.payload == {
        "message": "exchange_order",
        "return_number": "RMA-1",
        "order_id": "500",
        "order_number": "500",
        "exchange_id": "ex_1",
        "exchange_order_id": "4711",
    }
    assert effects(by_call(**swapped(status=states.CLOSED))) == [planned]
    assert effects(by_call(**swapped(status=states.DECLINED))) == []


def test_a_person_reads_what_is_sent_and_for_which_order_and_no_id_of_the_platform() -> None:
    goods = (ExchangeLine(sku="TEE-L", quantity=2), ExchangeLine(sku="", variant_id="77", quantity=1))
    named, unnamed = (
        cases(views.view(**swapped(exchanges=(exchange(lines=lines),))))[0].cause for lines in (goods, ())
    )
    enter = "Enter that number in the returns platform, which tells the customer. Do it, then say here that it is done."
    assert named == f"The replacement (2 x TEE-L, 1 x 77) for order 500 is order 4711 in the shop. {enter}"
    assert unnamed == f"The replacement for order 500 is order 4711 in the shop. {enter}"


@pytest.mark.parametrize("state", sorted(states.EFFECT_STATES))
def test_our_own_replacement_is_told_only_once_its_effect_is_done(state: str) -> None:
    open_one = exchange(is_settled=False, commerce_order_id="9")
    own = views.effect(f"exchange:{REF}:ex_1", states.EXCHANGE, state, remote_id="4712")
    told = [
        one.payload["exchange_order_id"] for one in effects(by_call(**swapped(exchanges=(open_one,), effects=(own,))))
    ]
    assert told == (["4712"] if state in (states.DONE, states.CONFIRMED) else [])


def test_the_replacement_of_another_exchange_or_of_a_cancelled_one_is_not_told() -> None:
    other = views.effect(f"exchange:{REF}:ex_2", states.EXCHANGE, remote_id="4712")
    open_one = exchange(is_settled=False, commerce_order_id="")
    assert effects(by_call(**swapped(exchanges=(open_one,), effects=(other,)))) == []
    assert effects(by_call(**swapped(exchanges=(exchange(is_cancelled=True),)))) == []


# --- once per content, by one way ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", sorted(states.COMMITTED))
def test_a_message_is_told_once_and_newer_content_is_a_message_of_its_own(state: str) -> None:
    (first,) = effects(by_call(**swapped()))
    done = sent(first, state)
    assert effects(by_call(**swapped(effects=(done,)))) == []
    corrected = swapped(exchanges=(exchange(commerce_order_id="4799"),))
    (second,) = effects(by_call(**{**corrected, "effects": (done,)}))
    assert second.key == f"{first.key}:2"
    after = (done, sent(second))
    assert effects(by_call(**{**corrected, "effects": after})) == []
    (third,) = effects(by_call(**swapped(effects=after)))
    assert third.key == f"{first.key}:3"


@pytest.mark.parametrize("state", sorted(set(states.EFFECT_STATES) - states.COMMITTED))
def test_newer_content_replaces_what_did_not_leave_yet(state: str) -> None:
    (first,) = effects(by_call(**swapped()))
    corrected = swapped(exchanges=(exchange(commerce_order_id="4799"),), effects=(sent(first, state),))
    assert [one.key for one in effects(by_call(**corrected))] == [first.key]


def test_what_the_platform_shows_is_told_no_more() -> None:
    shows = {"exchange_order": {"exchange_order_id": frozenset({"4711", "1"})}}
    assert effects(by_call(**swapped(platform_shows=shows))) == []
    assert cases(views.view(**swapped(platform_shows=shows))) == []
    other = {"exchange_order": {"exchange_order_id": frozenset({"4712"}), "unknown": frozenset({""})}}
    assert len(effects(by_call(**swapped(platform_shows=other)))) == 1


@pytest.mark.parametrize(("shown", "is_told"), [("", True), ("#2", True), (":2", False)])
def test_a_platform_may_show_our_key_instead(shown: str, is_told: bool) -> None:
    key = f"write_back:{REF}:exchange_order:ex_1"
    shows = {"exchange_order": {"key": frozenset({f"{key}{shown}"})}}
    assert (effects(by_call(**swapped(platform_shows=shows))) == []) is is_told


def test_a_person_answers_for_one_content_and_not_for_a_later_one() -> None:
    (case,) = cases(views.view(**swapped()))
    waiver = WaiverView(hold_code=case.kind, subject=case.fingerprint.removeprefix(f"{case.kind}:{REF}:"))
    assert cases(views.view(**swapped(waivers=(waiver,)))) == []
    assert effects(by_call(**swapped(waivers=(waiver,)))) == []
    corrected = swapped(exchanges=(exchange(commerce_order_id="4799"),), waivers=(waiver,))
    assert [one.evidence["to_enter"]["exchange_order_id"] for one in cases(views.view(**corrected))] == ["4799"]


def test_by_default_people_are_asked_for_two_messages_only_and_only_in_earnest() -> None:
    everything = {
        "lines": (views.shirt_item(total=Decimal("1.00")),),
        "verdicts": (views.verdict(source="warehouse"),),
        "exchanges": (exchange(),),
        "shop_refunds": (views.shop_refund(attribution=TOLD),),
    }
    found = cases(views.view(**everything), Policy())
    assert [case.kind for case in found] == [states.CASE_TELL_ALREADY_REFUNDED, states.CASE_PLATFORM_TO_DO]
    assert len(cases(views.view(**everything))) == 4
    assert cases(views.view(**everything, is_live=False)) == []
    assert cases(views.view(**everything, write_backs=ALL)) == []


def test_every_message_names_exactly_the_fields_that_templates_may_use() -> None:
    view = by_call(
        verdicts=(views.verdict(source="warehouse"),),
        exchanges=(exchange(),),
        shop_refunds=(views.shop_refund(attribution=TOLD),),
    )
    for one in effects(view):
        name = one.payload["message"]
        assert set(one.payload) == set(messages.FIELDS[name])
        for item in one.payload.get("items", []):
            assert set(item) == set(messages.ITEM_FIELDS[name])
    assert len(effects(view)) == 4


def test_messages_take_part_in_the_whole_plan() -> None:
    made = views.planned(by_call(**swapped(is_live=False)))
    (planned,) = views.of_kind(made, states.WRITE_BACK)
    assert views.codes(planned) == ["not_live"]
