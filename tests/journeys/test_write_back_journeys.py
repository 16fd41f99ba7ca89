"""What the returns platform is told: by calls from stored templates, else by people; each thing once (issue 3).

The platform's interface is assumed throughout: the simulator and the templates of these tests fit each other, and say
nothing of the real one.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import tomli_w

from connectors import configuration, configuration_apply, polling
from connectors.jobs import CHECKPOINTS
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.reveni_write_back import assumed_settings
from connectors.simulators.woocommerce.records import Order
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import facts, states
from returnsops.facts import InspectedItem
from returnsops.models import Refund
from returnsops.services import acts, switches
from tests.journeys.test_crash_journeys import Dying, settled
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db

ALL = 'to_do = ["lines", "already_refunded", "verdict", "exchange_order"]'
BY_HAND = f"[routes.policy.write_back]\n{ALL}"
BENCH = '[routes.policy.restock]\nconfirmation = "warehouse"'


def configured(w: World, settings: dict[str, Any]) -> None:
    """Operations applies a file with these settings of the platform's connection."""
    row = {"name": "reveni", "vendor": "reveni", "base_url": w.platform_server.url, "settings": settings}
    configuration_apply.apply(configuration.read(tomli_w.dumps({"connections": [row]})), by="ops", at=w.now())


def told_by_calls(w: World, *messages: str, is_idempotent: bool = False, pull: bool = True) -> None:
    """The platform takes these messages, and the connection has templates for them."""
    w.platform.merchant_desk.is_on = True
    w.platform.merchant_desk.is_idempotent = is_idempotent
    settings = assumed_settings(*messages, is_idempotent=is_idempotent)
    configured(w, {**settings, "pull_api": pull})


def asked(w: World, **details: Any) -> tuple[Order, str]:
    """A shopper wants to give back one of two."""
    order = w.order((w.product(), 2))
    return order, w.ask(order, **details)


def refund_by_hand(w: World, order: Order, return_id: str, amount: str = "30.00") -> str:
    """Somebody refunds in the shop, and finance says it was for this return; the refund's id."""
    made = w.shop.staff_refund(order.id, Decimal(amount), reason="helped on the phone")
    w.settle()
    row = Refund.objects.get(external_id=str(made.id))
    fact = facts.RefundAttributed(
        return_id=return_id,
        occurred_at=w.now(),
        by="fin",
        why="the customer asked on the phone",
        remote_refund_id=row.external_id,
        is_for_return=True,
    )
    acts.act(rma=w.rma(return_id), fact=fact, by="fin", at=w.now())
    return row.external_id


def judge_here(w: World, return_id: str, disposition: str = "sellable", outcome: str = "accepted") -> None:
    """Our own warehouse judges the first item."""
    verdict = InspectedItem(
        item_id=w.item_id(return_id),
        quantity=1,
        outcome=outcome,
        disposition=disposition,
        is_final=True,
        inspected_at=w.now(),
        inspected_by="wh",
    )
    fact = facts.ItemsInspected(
        return_id=return_id, occurred_at=w.now(), items=(verdict,), source="warehouse", decision_id=f"d{disposition}"
    )
    acts.act(rma=w.rma(return_id), fact=fact, by="wh", at=w.now())


def take_back(w: World, return_id: str) -> None:
    """Our own warehouse takes its verdict back."""
    row = w.rma(return_id).inspections.get(source="warehouse", is_superseded=False)
    fact = facts.InspectionUndone(
        return_id=return_id,
        occurred_at=w.now(),
        by="wh",
        why="the wrong shelf",
        item_id=row.item_external_id,
        identity=row.identity,
    )
    acts.act(rma=w.rma(return_id), fact=fact, by="wh", at=w.now())


def order_by_hand(w: World, return_id: str, exchange_id: str, number: str = "4711") -> None:
    """Customer service placed the replacement order."""
    run(w, states.CASE_MANUAL_EXCHANGE, "settle_exchange", "CX", exchange=exchange_id, reference=number)


def case(kind: str) -> ExceptionCase:
    """The only open case of a kind."""
    return ExceptionCase.objects.active().get(kind_code=kind)


def run(w: World, kind: str, action: str, who: str, **data: str) -> None:
    """A person does what a case asks for."""
    queue.run_action(case=case(kind), action_code=action, by=w.users[who], at=w.now(), reason="as agreed", data=data)


def platform_writes(w: World) -> list[tuple[str, str]]:
    """Every call to the platform that was not a read."""
    return [(call.method, call.path) for call in w.platform.calls.writes()]


def poll_platform(w: World) -> None:
    """One forced round of reading the platform's returns."""
    polling.poll_connection(connection=w.connection("reveni"), at=w.now(), is_forced=True)


def swap(w: World, return_id: str) -> str:
    """The shopper wants another size."""
    line = {"sku": "TEE-BLK-M", "quantity": 1, "variant_id": None, "unit_price": "30.00"}
    return w.platform.request_exchange(return_id, lines=[line])


# --- without a template ------------------------------------------------------------------------------------------


def test_without_a_template_nothing_at_all_is_sent_to_the_platform() -> None:
    with world(policy_tables=BENCH) as w:
        order, return_id = asked(w)
        exchange_id = swap(w, return_id)
        w.settle()
        refund_by_hand(w, order, return_id)
        judge_here(w, return_id)
        order_by_hand(w, return_id, exchange_id)
        w.settle()
        assert w.platform.calls.all() == []
        assert w.effects(return_id, states.WRITE_BACK) == []
        assert w.open_cases() == [states.CASE_PLATFORM_TO_DO, states.CASE_TELL_ALREADY_REFUNDED]


def test_already_refunded_is_a_case_of_finance_until_the_platform_decides_that_money() -> None:
    with world() as w:
        configured(w, {"return_url_template": "https://portal.example/returns/{id}"})
        order, return_id = asked(w, mode="instant")
        w.settle()
        reference = refund_by_hand(w, order, return_id)
        w.settle()
        found = case(states.CASE_TELL_ALREADY_REFUNDED)
        asked_at = w.rma(return_id).requested_at
        assert asked_at is not None
        due = asked_at + timedelta(days=30)
        assert found.owner_team == states.FIN
        assert found.remote_link == f"https://portal.example/returns/{return_id}"
        assert f"by {due:%d %B %Y}" in found.cause
        assert found.evidence["deadline"] == due.isoformat()
        assert (found.evidence["to_enter"]["amount"], found.evidence["to_enter"]["currency"]) == ("30.00", "EUR")
        assert found.evidence["to_enter"]["reference"] == reference

        w.pay(return_id, "30.00", executed_by="merchant")
        w.settle()
        assert w.open_cases() == []
        assert len(w.money_refunds(order)) == 1
        assert w.platform.calls.all() == []


def test_a_person_who_told_the_platform_says_so_with_the_reference_and_the_case_is_done() -> None:
    with world() as w:
        order, return_id = asked(w)
        w.settle()
        refund_by_hand(w, order, return_id)
        assert " at once" in case(states.CASE_TELL_ALREADY_REFUNDED).cause
        run(w, states.CASE_TELL_ALREADY_REFUNDED, "platform_told", "FIN", reference="note 17")
        w.settle()
        assert w.open_cases() == []
        (waiver,) = w.rma(return_id).waivers.all()
        assert (waiver.by, waiver.at, waiver.why) == ("fin", waiver.at, "Done in the platform: note 17. as agreed")

        second = refund_by_hand(w, order, return_id, amount="5.00")
        assert case(states.CASE_TELL_ALREADY_REFUNDED).evidence["to_enter"]["reference"] == second


def test_the_number_of_the_replacement_is_a_case_until_the_platforms_return_shows_it() -> None:
    with world() as w:
        configured(w, {"pull_api": True})
        _, return_id = asked(w, resolution="exchange")
        exchange_id = swap(w, return_id)
        w.settle()
        assert w.open_cases() == [states.CASE_MANUAL_EXCHANGE]  # nothing to tell before the order exists
        order_by_hand(w, return_id, exchange_id)
        found = case(states.CASE_PLATFORM_TO_DO)
        assert found.owner_team == states.CX
        assert found.evidence["to_enter"]["exchange_order_id"] == "4711"

        entry = w.platform.account.returns[return_id]["exchanges"][0]
        entry["commerce_order_id"] = "4712"  # a typing mistake there
        w.platform.update(return_id, {}, is_silent=True)
        poll_platform(w)
        w.settle()
        assert w.open_cases() == [states.CASE_PLATFORM_TO_DO]

        entry["commerce_order_id"] = "4711"
        w.platform.update(return_id, {}, is_silent=True)
        poll_platform(w)
        w.settle()
        assert w.open_cases() == []


def test_verdict_and_lines_are_cases_where_the_policy_asks_and_close_when_the_platform_has_the_same() -> None:
    with world(policy_tables=f"{BY_HAND}\n{BENCH}") as w:
        _, return_id = asked(w, item={"total": "28.00"})
        w.settle()
        found = case(states.CASE_PLATFORM_TO_DO)
        assert found.evidence["items"][0]["total"] == "30.00"
        w.platform.update(
            return_id, {"items": [{**w.platform.account.returns[return_id]["items"][0], "total": "30.00"}]}
        )
        w.settle()
        assert w.open_cases() == []

        judge_here(w, return_id, "damaged")
        found = case(states.CASE_PLATFORM_TO_DO)
        assert found.evidence["items"][0]["disposition"] == "damaged"
        w.judge(return_id, "damaged")
        w.settle()
        assert w.open_cases() == []
        assert w.platform.calls.all() == []


# --- by calls ----------------------------------------------------------------------------------------------------


def test_already_refunded_reaches_the_platform_before_it_pays_and_nobody_is_paid_twice() -> None:
    with world() as w:
        told_by_calls(w, states.TELL_ALREADY_REFUNDED)
        order, return_id = asked(w)
        w.settle()
        reference = refund_by_hand(w, order, return_id)
        w.settle()
        assert w.platform.merchant_desk.told_of(return_id, states.TELL_ALREADY_REFUNDED) == [
            {
                "amount": "30.00",
                "currency": "EUR",
                "reference": reference,
                "note": f"Already refunded in the shop. Do not pay. Order {order.id}.",
            }
        ]
        assert w.effect(return_id, states.WRITE_BACK).state == states.DONE
        w.pay(return_id, "30.00", executed_by="returns_platform", method="bank_transfer")
        w.settle()
        assert w.platform.payouts == []
        assert w.shop.gateway_payouts == []
        assert len(w.money_refunds(order)) == 1
        assert w.effects(return_id, states.REFUND) == []
        assert w.open_cases() == []


def test_confirmed_lines_and_values_come_from_the_final_order() -> None:
    with world() as w:
        told_by_calls(w, states.TELL_LINES)
        _, return_id = asked(w, item={"total": "28.00"})
        w.settle()
        (told,) = w.platform.merchant_desk.told_of(return_id, states.TELL_LINES)
        expected = {"id": w.item_id(return_id), "quantity": 1, "net": "30.00", "tax": "0.00", "total": "30.00"}
        assert told["items"] == [expected]
        w.settle()
        assert len(platform_writes(w)) == 1


def test_our_verdict_is_told_and_a_corrected_one_is_a_message_of_its_own() -> None:
    with world(policy_tables=BENCH) as w:
        told_by_calls(w, states.TELL_VERDICT)
        _, return_id = asked(w)
        w.settle()
        assert platform_writes(w) == []
        judge_here(w, return_id, "damaged")
        w.settle()
        w.shift(60)
        take_back(w, return_id)
        w.settle()
        judge_here(w, return_id, "quarantine")
        w.settle()
        told = w.platform.merchant_desk.told_of(return_id, states.TELL_VERDICT)
        assert [one["items"][0]["disposition"] for one in told] == ["damaged", "quarantine"]
        keys = [effect.key for effect in w.effects(return_id, states.WRITE_BACK)]
        assert keys == [f"write_back:reveni/{return_id}:verdict:inspection{end}" for end in ("", ":2")]


def test_what_the_platform_judged_itself_is_not_told_to_it() -> None:
    with world() as w:
        told_by_calls(w, states.TELL_VERDICT)
        _, return_id = asked(w)
        w.judge(return_id)
        w.settle()
        assert platform_writes(w) == []


def test_the_number_of_the_replacement_is_told_only_once_the_order_exists() -> None:
    with world() as w:
        told_by_calls(w, states.TELL_EXCHANGE_ORDER)
        _, return_id = asked(w, resolution="exchange")
        exchange_id = swap(w, return_id)
        w.settle()
        assert platform_writes(w) == []
        order_by_hand(w, return_id, exchange_id)
        w.settle()
        assert w.platform.merchant_desk.told_of(return_id, states.TELL_EXCHANGE_ORDER) == [{"order_id": "4711"}]
        assert platform_writes(w) == [("POST", f"/v1/returns/{return_id}/exchanges/{exchange_id}/order")]
        assert w.open_cases() == []


def test_our_own_replacement_is_told_with_its_number_after_the_shop_has_it_and_never_before() -> None:
    with world(policy_tables='[routes.policy.exchange]\nwriter = "us"') as w:
        told_by_calls(w, states.TELL_EXCHANGE_ORDER)
        w.shop.faults.script(
            Fault(kind=FaultKind.SERVER_ERROR, method="POST", path_pattern=r"/orders$", status=503, times=2)
        )
        order, return_id = asked(w, resolution="exchange", item={"resolution": "exchange"})
        product_id = order.items[0].product_id
        line = {"sku": "TEE-BLK-M", "quantity": 1, "variant_id": str(product_id), "unit_price": "30.00"}
        line["replaces_item_id"] = w.item_id(return_id)
        exchange_id = w.platform.request_exchange(return_id, lines=[line], is_instant=True)
        w.work()
        w.tell()
        w.work()
        assert platform_writes(w) == []  # the shop did not take the order yet
        w.settle()
        placed = w.effect(return_id, states.EXCHANGE)
        assert placed.state == states.CONFIRMED
        assert w.platform.merchant_desk.told_of(return_id, states.TELL_EXCHANGE_ORDER) == [
            {"order_id": placed.remote_id}
        ]
        assert platform_writes(w) == [("POST", f"/v1/returns/{return_id}/exchanges/{exchange_id}/order")]
        assert w.open_cases() == []


# --- exactly once ------------------------------------------------------------------------------------------------

NO_READ_BACK = tuple(name for name in CHECKPOINTS if not name.startswith("confirm"))
PATH = r"/external-refunds$"
FAULTS: tuple[Callable[[], Fault], ...] = (
    lambda: Fault(kind=FaultKind.LOST_ANSWER, method="POST", path_pattern=PATH),
    lambda: Fault(kind=FaultKind.LOST_REQUEST, method="POST", path_pattern=PATH),
    lambda: Fault(kind=FaultKind.LATE_COMMIT, method="POST", path_pattern=PATH, delay_s=20),
    lambda: Fault(kind=FaultKind.SERVER_ERROR_AFTER_COMMIT, method="POST", path_pattern=PATH, status=502),
    lambda: Fault(kind=FaultKind.SERVER_ERROR, method="POST", path_pattern=PATH, status=503),
    lambda: Fault(kind=FaultKind.RATE_LIMITED, method="POST", path_pattern=PATH, retry_after_s=20),
)


def check_told_once(w: World, return_id: str) -> None:
    """The platform took the message exactly once, and nobody has to look."""
    assert len(w.platform.merchant_desk.told_of(return_id, states.TELL_ALREADY_REFUNDED)) == 1
    assert w.effect(return_id, states.WRITE_BACK).state == states.DONE
    assert w.open_cases() == []


def already_refunded(w: World) -> str:
    """A return whose money somebody refunded by hand."""
    order, return_id = asked(w)
    settled(w)
    refund_by_hand(w, order, return_id)
    return return_id


@pytest.mark.requirement("S4-22")
@pytest.mark.parametrize("moment", NO_READ_BACK)
def test_a_crash_at_any_moment_leaves_the_platform_told_once(moment: str) -> None:
    with world() as w:
        told_by_calls(w, states.TELL_ALREADY_REFUNDED)
        return_id = already_refunded(w)
        dying = Dying(w, kind=states.WRITE_BACK, moment=moment)
        settled(w)
        assert dying.has_died
        check_told_once(w, return_id)


@pytest.mark.requirement("S4-22")
@pytest.mark.parametrize("number", range(len(FAULTS)))
@pytest.mark.parametrize("is_idempotent", [False, True])
def test_a_lost_or_late_answer_leaves_the_platform_told_once(number: int, is_idempotent: bool) -> None:
    """Seen in the platform's return; or not to be seen, but the platform takes one key once."""
    with world() as w:
        told_by_calls(w, states.TELL_ALREADY_REFUNDED, is_idempotent=is_idempotent, pull=not is_idempotent)
        w.platform.faults.script(FAULTS[number]())
        return_id = already_refunded(w)
        settled(w)
        check_told_once(w, return_id)


@pytest.mark.requirement("S4-22")
def test_what_can_neither_be_seen_nor_repeated_is_never_sent_twice_but_a_persons_to_clear_up() -> None:
    with world() as w:
        told_by_calls(w, states.TELL_ALREADY_REFUNDED, pull=False)
        w.platform.merchant_desk.is_shown = False
        w.platform.faults.script(FAULTS[0]())
        return_id = already_refunded(w)
        settled(w)
        assert len(w.platform.merchant_desk.told) == 1
        assert w.effect(return_id, states.WRITE_BACK).state == states.UNKNOWN
        assert w.open_cases() == [states.CASE_AMBIGUOUS_OUTCOME]


@pytest.mark.requirement("S4-22")
def test_a_message_a_person_says_did_not_arrive_is_sent_again() -> None:
    with world() as w:
        told_by_calls(w, states.TELL_ALREADY_REFUNDED, pull=False)
        w.platform.faults.script(FAULTS[1]())
        return_id = already_refunded(w)
        settled(w)
        assert w.platform.merchant_desk.told == []
        w.shift(600)
        run(w, states.CASE_AMBIGUOUS_OUTCOME, "not_done", "FIN")
        settled(w)
        assert len(w.platform.merchant_desk.told_of(return_id, states.TELL_ALREADY_REFUNDED)) == 1


def test_wrong_credentials_pause_the_connection_with_one_case_and_nothing_is_lost() -> None:
    with world() as w:
        told_by_calls(w, states.TELL_ALREADY_REFUNDED, pull=False)
        w.platform.api_key = "another"
        return_id = already_refunded(w)
        w.settle()
        assert w.open_cases() == [states.CASE_CONNECTION_AUTH]
        assert w.connection("reveni").is_paused
        assert w.effect(return_id, states.WRITE_BACK).state == states.READY
        assert len(platform_writes(w)) == 1

        w.platform.api_key = "reveni_test_key_0001"
        switches.resume_connection(connection=w.connection("reveni"), reason="new key", by="ops", at=w.now())
        w.settle()
        assert len(w.platform.merchant_desk.told) == 1


def test_a_refused_message_is_a_case_with_the_platforms_own_code() -> None:
    with world() as w:
        told_by_calls(w, states.TELL_ALREADY_REFUNDED, pull=False)
        w.platform.merchant_desk.is_on = False
        return_id = already_refunded(w)
        w.settle()
        assert w.effect(return_id, states.WRITE_BACK).state == states.REJECTED
        found = case(states.CASE_REJECTED)
        assert found.evidence["code"] == "method_not_allowed"
        assert len(platform_writes(w)) == 1


def test_a_template_taken_away_withdraws_what_was_not_sent_and_asks_a_person() -> None:
    with world() as w:
        told_by_calls(w, states.TELL_ALREADY_REFUNDED)
        w.platform.faults.script(
            Fault(kind=FaultKind.RATE_LIMITED, method="POST", path_pattern=PATH, retry_after_s=900)
        )
        return_id = already_refunded(w)
        w.work()
        configured(w, {})
        w.settle()
        assert w.effect(return_id, states.WRITE_BACK).state == states.EFFECT_CANCELLED
        assert w.platform.merchant_desk.told == []
        assert w.open_cases() == [states.CASE_TELL_ALREADY_REFUNDED]


def test_a_refund_deleted_after_the_platform_was_told_is_a_case_because_now_nobody_pays() -> None:
    with world(is_telling=True) as w:
        told_by_calls(w, states.TELL_ALREADY_REFUNDED)
        order, return_id = asked(w)
        w.settle()
        reference = refund_by_hand(w, order, return_id)
        w.settle()
        w.shop.delete_refund(int(reference))
        w.poll()
        w.settle()
        found = case(states.CASE_TELL_ALREADY_REFUNDED)
        assert found.evidence == {"reference": reference}
        assert "does not any more" in found.cause
