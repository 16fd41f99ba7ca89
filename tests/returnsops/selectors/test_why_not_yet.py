"""What should happen, what has, and what holds the rest, in words."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.selectors import why_not_yet, words
from tests import factories as make

pytestmark = pytest.mark.django_db


def shown(effect: Any) -> why_not_yet.EffectShown:
    return why_not_yet.shown(effect, now=make.NOW)


def hold(code: str, text: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "text": text, "until": None, "waits_for": "", **more}


def test_every_state_has_words_and_a_tone() -> None:
    assert set(words.EFFECT_WORDS) == set(states.EFFECT_STATES)
    assert {tone for _, tone in words.EFFECT_WORDS.values()} == {"good", "info", "warn", "bad", "quiet"}


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"state": states.HELD}, "waits"),
        ({"state": states.READY}, "goes out next"),
        ({"state": states.READY, "next_attempt_at": make.NOW + timedelta(minutes=1)}, "will be tried again"),
        ({"state": states.AWAITING_APPROVAL}, "waits for a second person"),
        ({"state": states.UNKNOWN}, "sent, outcome not known yet: being looked up"),
        ({"state": states.DONE}, "acknowledged, being verified"),
        ({"state": states.DONE, "note": True}, "done"),
        ({"state": states.CONFIRMED}, "done and seen in the shop"),
        ({"state": states.REJECTED}, "refused by the other system"),
        ({"state": states.FAILED}, "given up, needs a person"),
    ],
)
def test_a_state_in_words(fields: dict[str, Any], wanted: str) -> None:
    assert shown(make.EffectFactory(**fields)).state == wanted


def test_a_hold_names_the_case_or_effect_it_waits_for() -> None:
    rma = make.ReturnFactory()
    case = make.CaseFactory(rma=rma)
    other = make.EffectFactory(rma=rma, restock=True)
    effect = make.EffectFactory(
        rma=rma,
        state=states.HELD,
        holds=[
            hold("reason_unmapped", "waits for a reason", waits_for=case.fingerprint),
            hold("after", "waits for stock", waits_for=other.key, until="2026-03-05T10:00:00+00:00"),
            hold("gone", "waits for a closed case", waits_for="nobody-knows"),
        ],
    )
    first, second, third = shown(effect).holds
    assert (first.waits_for, first.url) == (
        f"case {case.pk} with Customer service",
        f"/admin/exceptions_queue/exceptioncase/{case.pk}/change/",
    )
    assert (second.waits_for, second.url) == ("Restock 1", f"/admin/returnsops/effect/{other.pk}/change/")
    assert second.until_at is not None
    assert (third.waits_for, third.url) == ("", "")


def test_what_is_ready_waits_where_sending_is_stopped_and_says_by_whom_and_where_to_resume_it() -> None:
    effect = make.EffectFactory(state=states.READY, next_attempt_at=make.NOW + timedelta(minutes=1))
    assert (shown(effect).state, shown(effect).tone, shown(effect).holds) == ("will be tried again", "info", ())
    make.SwitchFactory(scope="kind:refund", stopped_by="ola", reason="prices look wrong")
    effect.connection.is_paused, effect.connection.pause_reason = True, "wrong key"
    effect.route.is_paused, effect.route.pause_reason = True, "limit"
    row = shown(effect)
    assert (row.state, row.tone, row.next_at, row.reasons) == ("waits: sending is stopped", "warn", None, ())
    assert [(hold.text, hold.waits_for, hold.url) for hold in row.holds] == [
        (
            "waits because sending of refunds is stopped by ola: prices look wrong",
            "stop switches",
            "/admin/returnsops/switch/",
        ),
        (
            f"waits because connection {effect.connection} is paused: wrong key",
            "page of the connection",
            f"/admin/returnsops/connection/{effect.connection_id}/change/",
        ),
        (
            f"waits because route {effect.route} is paused: limit",
            "page of the route",
            f"/admin/returnsops/route/{effect.route_id}/change/",
        ),
    ]
    (sentence,) = why_not_yet.answer(effect.rma, (row,))
    assert sentence.startswith("Refund £30.00 (the shop pays) waits because sending of refunds is stopped by ola: ")


@pytest.mark.parametrize("scope", ["all", "connection:{connection}", "route:{route}", "kind:refund"])
def test_every_switch_that_covers_an_effect_is_named(scope: str) -> None:
    effect = make.EffectFactory(state=states.READY)
    other = make.EffectFactory(state=states.READY, restock=True)
    make.SwitchFactory(scope=scope.format(connection=effect.connection.name, route=effect.route.name))
    assert [one.state for one in map(shown, (effect, other))] == [
        "waits: sending is stopped",
        "waits: sending is stopped" if scope == "all" else "goes out next",
    ]


def test_what_has_left_is_not_kept_back_by_a_stop() -> None:
    make.SwitchFactory(scope="all")
    rows = [shown(make.EffectFactory(state=state)) for state in (states.UNKNOWN, states.DONE, states.HELD)]
    assert [len(row.holds) for row in rows] == [0, 0, 1]
    assert [row.state for row in rows][2] == "waits"


def test_what_waits_for_the_next_plan_of_its_return_says_so() -> None:
    ready, held = (make.EffectFactory(state=state, rma__is_dirty=True) for state in (states.READY, states.HELD))
    assert [len(shown(effect).reasons) for effect in (ready, held)] == [1, 0]
    assert shown(ready).reasons[0].startswith("Waits for this return to be planned again")
    assert shown(make.EffectFactory(state=states.READY)).reasons == ()


def test_what_waits_behind_an_unknown_outcome_of_the_same_order_says_so() -> None:
    rma = make.ReturnFactory()
    restock = make.EffectFactory(rma=rma, restock=True)
    assert shown(restock).holds == ()
    refund = make.EffectFactory(rma=rma, state=states.UNKNOWN)
    make.EffectFactory(state=states.UNKNOWN)  # of another order
    (hold,) = shown(restock).holds
    assert hold.text.startswith("waits until it is known whether this went through: Refund £30.00")
    assert hold.url == f"/admin/returnsops/effect/{refund.pk}/change/"
    assert shown(refund).holds == ()
    rows = {row.effect.pk: row for row in why_not_yet.effects_of(rma, now=make.NOW)}
    assert rows[restock.pk].holds == (hold,)
    refund.state = states.DONE
    refund.save()
    assert shown(restock).holds == ()


def test_another_connections_stop_is_no_reason() -> None:
    effect = make.EffectFactory(state=states.READY)
    make.SwitchFactory(scope="connection:somewhere-else")
    assert (shown(effect).state, shown(effect).holds) == ("goes out next", ())


def test_only_safe_links_are_links() -> None:
    bad = make.EffectFactory(state=states.DONE, remote_url="javascript:alert(1)")
    good = make.EffectFactory(state=states.DONE, remote_url="https://shop.example.com/1")
    assert (shown(bad).remote_url, shown(good).remote_url) == ("", "https://shop.example.com/1")


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"route": None, "policy": None}, "no route with a policy"),
        ({"status": states.DECLINED}, "No refund: the return was declined."),
        ({"order": None}, "the order has not been found"),
        ({"requested_at": make.NOW - timedelta(days=365)}, "would not be sent"),
        ({}, "the returns platform has not asked for one"),
    ],
)
def test_without_a_refund_the_page_says_why(change: dict[str, Any], wanted: str) -> None:
    rma = make.ReturnFactory()
    for name, value in change.items():
        setattr(rma, name, value)
    (sentence,) = why_not_yet.answer(rma, ())
    assert wanted in sentence


def _sentence(rma: Any) -> str:
    (sentence,) = why_not_yet.answer(rma, why_not_yet.effects_of(rma, now=make.NOW))
    return sentence


def test_money_that_was_asked_for_or_paid_is_never_said_not_to_be() -> None:
    rma = make.ReturnFactory()
    told = make.PlatformRefundFactory(rma=rma, amount=Decimal("29.95"), currency="GBP")
    assert _sentence(rma) == (
        "No refund is planned now. The returns platform asked for £29.95. See the open cases and the timeline."
    )
    row = make.EffectFactory(rma=rma, state=states.EFFECT_CANCELLED, amount=Decimal("29.95"), currency="GBP")
    assert _sentence(rma).startswith("Refund £29.95")
    assert _sentence(rma).endswith(
        "was cancelled, and no refund is planned now: see the timeline for why. The returns platform asked for £29.95."
    )
    row.error_code = "approval_refused"
    row.save()
    assert "its approval was refused, and nothing else is planned." in _sentence(rma)
    make.RefundFactory(order=rma.order, rma=rma, origin="external", amount=Decimal("29.95"), currency="GBP", key="")
    assert _sentence(rma) == (
        "Refunded in the shop by somebody else: £29.95. Nothing more is planned. The returns platform asked for £29.95."
    )
    told.delete()
    assert _sentence(rma) == "Refunded in the shop by somebody else: £29.95. Nothing more is planned."


def test_a_refund_that_failed_at_the_platform_was_asked_for() -> None:
    rma = make.ReturnFactory()
    make.PlatformRefundFactory(rma=rma, failed_at=make.NOW)
    assert "the one that the returns platform decided failed there" in _sentence(rma)


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        ({"refund": {"initiator": "policy_trigger"}}, "by the policy, no unit of this return is to be refunded yet"),
        ({"refund": {"initiator": "nonsense"}}, "the returns platform has not asked for one"),
    ],
)
def test_where_the_policy_starts_refunds_the_platform_is_asked_for_none(document: Any, wanted: str) -> None:
    rma = make.ReturnFactory()
    rma.policy.document = document
    rma.policy.save()
    assert wanted in _sentence(rma)


def test_a_replacement_that_a_person_orders_is_no_missing_refund() -> None:
    rma = make.ReturnFactory()
    make.ExchangeRequestFactory(rma=rma, external_id="e1")
    make.ExchangeRequestFactory(rma=rma, external_id="e2", cancelled_at=make.NOW)
    settled = {"settled_at": make.NOW, "settled_by": "carla", "commerce_order_id": "4711"}
    make.ExchangeRequestFactory(rma=rma, external_id="e3", **settled)
    ours = make.ExchangeRequestFactory(rma=rma, external_id="e4")
    key = f"exchange:{rma.ref}:{ours.external_id}"
    sent: dict[str, Any] = {
        "kind": states.EXCHANGE,
        "key": key,
        "amount": None,
        "currency": "",
        "remote_id": "902",
        "payload": {},
    }
    make.EffectFactory(rma=rma, state=states.CONFIRMED, **sent)
    rows = why_not_yet.effects_of(rma, now=make.NOW)
    assert why_not_yet.answer(rma, rows) == (
        "Replacement order 902: done and seen in the shop.",
        "The replacement is not ordered yet, and a person has to see to it: see the open cases.",
        "Replacement order 4711 was placed by hand by carla.",
    )


def test_a_credit_is_told_with_who_issued_it_and_with_its_withdrawal() -> None:
    rma = make.ReturnFactory()
    settled = {"settled_at": make.NOW, "settled_by": "carla", "settled_reference": "77"}
    make.CreditRequestFactory(rma=rma, external_id="c1", **settled)
    make.CreditRequestFactory(rma=rma, external_id="c2", kind="gift_card")
    key = f"store_credit:{rma.ref}:gift_card:c2"
    make.EffectFactory(rma=rma, kind=states.STORE_CREDIT, key=key, state=states.CONFIRMED)
    make.EffectFactory(rma=rma, kind=states.VOID_CREDIT, key=f"reverse:{key}:1", state=states.CONFIRMED)
    rows = why_not_yet.effects_of(rma, now=make.NOW)
    told = why_not_yet.answer(rma, rows)
    assert sorted(sentence.replace(" (the shop pays)", "") for sentence in told) == [
        "Credit £30.00: done and seen in the shop.",
        "Store credit £30.00 (c1): issued by hand by carla (77).",
        "Voiding the credit £30.00: done and seen in the shop.",
    ]


def test_a_refund_is_answered_in_one_sentence() -> None:
    rma = make.ReturnFactory()
    make.EffectFactory(rma=rma, state=states.HELD, holds=[hold("x", "waits for inspection of 1 of 1 item")])
    make.EffectFactory(rma=rma, state=states.REJECTED, error_text="Order is locked.")
    make.EffectFactory(rma=rma, state=states.EFFECT_CANCELLED)
    rows = why_not_yet.effects_of(rma, now=make.NOW)
    assert why_not_yet.answer(rma, rows) == (
        "Refund £30.00 (the shop pays) waits for inspection of 1 of 1 item.",
        "Refund £30.00 (the shop pays): refused by the other system. Order is locked.",
    )
    assert rows[-1].effect.state == states.EFFECT_CANCELLED
