"""Shopify read: the final order, who may return what, refunds by hand, the pace, and a shop that stops answering."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
import tomli_w

from connectors import configuration, configuration_apply, tasks
from connectors.models import ConnectionBudget
from connectors.registry import connector_for, link_for
from connectors.shopify import documents
from connectors.simulators.faults import WebhookFault, WebhookFaultKind
from connectors.simulators.shopify.order_writing import CartLine
from exceptions_queue import kinds
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import InboundEvent, Refund
from returnsops.services import switches
from tests.journeys.calling import call, token
from tests.journeys.shopify_world import ShopifyWorld, gid, shopify_world
from tests.journeys.test_write_back_journeys import told_by_calls
from tests.journeys.world import OPS_URL

pytestmark = pytest.mark.django_db

WRITES = [name for name in documents.names() if "mutation " in documents.document(name)]
EMAIL = "ada@example.test"


def with_webhooks(w: ShopifyWorld) -> None:
    """The shop tells us of changes, as after a set-up."""
    ensure = connector_for("shopify").ensure_webhooks
    assert ensure is not None
    ensure(link_for(w.connection("shop")), f"{OPS_URL}/webhooks/shop/")


def through(w: ShopifyWorld, return_id: str, amount: str, **details: Any) -> None:
    """Received, sellable, and to be paid by the shop."""
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, amount, executed_by="commerce_platform", **details)
    w.settle()


# --- the final order -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S1-27")
def test_an_edited_order_pays_what_it_is_worth_now_and_never_the_old_value() -> None:
    """Two shirts with 10 off and a mug; one shirt and the mug are taken out and a cap comes in before the return."""
    with shopify_world() as w:
        shirt, mug, cap = w.variant(), w.variant("MUG", price="12.00"), w.variant("CAP", price="8.00")
        cart = [CartLine(variant=shirt, quantity=2, order_discount=Decimal("10.00")), CartLine(variant=mug)]
        order = w.store.place(cart, customer=w.customer)
        first, second = order.lines[0].id, order.lines[1].id
        w.store.edit(order, quantities={first: 1, second: 0}, add=[cap])
        w.store.fulfil(order)
        return_id = w.returning(order)
        through(w, return_id, "30.00")
        assert (w.paid_back(order), w.open_cases()) == ([], [states.CASE_AMOUNT_MISMATCH])
        row = w.rma(return_id).order
        assert row is not None
        lines = {line.external_id: line for line in row.lines.all()}
        kept = lines[gid("LineItem", first)]
        assert (kept.quantity, kept.net + sum(Decimal(tax["amount"]) for tax in kept.taxes)) == (1, Decimal("25.00"))
        assert lines[gid("LineItem", second)].quantity == 0
        assert {line.sku for line in lines.values()} == {"TEE-BLK-M", "MUG", "CAP"}

        other = w.store.place([CartLine(variant=shirt, quantity=3, order_discount=Decimal("15.00"))])
        w.store.edit(other, quantities={other.lines[0].id: 2})
        w.store.fulfil(other)
        through(w, w.returning(other), "25.00")
        assert w.paid_back(other) == [Decimal("25.00")]
        (sent,) = w.asked("RefundCreate")
        refunded = [(line["lineItemId"], line["quantity"]) for line in sent["input"]["refundLineItems"]]
        assert refunded == [(gid("LineItem", other.lines[0].id), 1)]


@pytest.mark.requirement("S1-28")
def test_the_final_order_is_looked_up_before_its_confirmed_items_are_passed_on() -> None:
    with shopify_world() as w:
        told_by_calls(w, states.TELL_LINES)
        order = w.sale((w.variant(), 2), is_fulfilled=False)
        w.store.edit(order, quantities={order.lines[0].id: 1})
        w.store.fulfil(order)
        sequence: list[str] = []

        def noted(what: str, record: Any) -> Any:
            def note(made: Any) -> None:
                body = made.body if isinstance(made.body, dict) else {}
                sequence.append(f"{what}: {body.get('operationName') or made.method}")
                record(made)

            return note

        calls, theirs = w.store.calls, w.platform.simulator.calls
        with (
            mock.patch.object(calls, "record", noted("shop", calls.record)),
            mock.patch.object(theirs, "record", noted("platform", theirs.record)),
        ):
            return_id = w.returning(order)
            w.settle()
        assert sequence[0] == "shop: OrderFinalState"
        writes = [step for step in sequence if step in ("platform: POST", "platform: PUT", "platform: PATCH")]
        assert len(writes) == 1
        assert sequence.index("shop: OrderFinalState") < sequence.index(writes[0])
        (told,) = w.platform.merchant_desk.told_of(return_id, states.TELL_LINES)
        (item,) = told["items"]
        assert (item["quantity"], item["net"], item["tax"], item["total"]) == (1, "25.00", "5.00", "30.00")


# --- who may return what ---------------------------------------------------------------------------------------------


@pytest.mark.requirement("S1-7")
def test_order_lines_units_and_window_are_checked_against_shopify_before_a_return_begins() -> None:
    with shopify_world(policy="return_window_days = 30") as w:
        secret, mug_sold = token(w), w.variant("MUG", price="12.00")
        order = w.sale((w.variant(), 2), (mug_sold, 1), is_fulfilled=False)
        w.store.fulfil(order, quantities={line.id: 1 for line in order.lines})
        shirt, mug = (gid("LineItem", line.id) for line in order.lines)

        def codes(*lines: dict[str, Any], number: str = order.name) -> list[str]:
            body = {"order_number": number, "email": EMAIL, "lines": list(lines)}
            answer = call("eligibility", body, secret=secret)
            return [line["code"] for line in answer.json()["lines"]] if answer.ok else [str(answer.status_code)]

        table: list[tuple[dict[str, Any], str]] = [
            ({"line_id": shirt, "quantity": 2}, "eligible"),
            ({"sku": "MUG", "quantity": 1}, "eligible"),
            ({"line_id": gid("LineItem", 1), "quantity": 1}, "line_not_on_order"),
            ({"sku": "HAT", "quantity": 1}, "line_not_on_order"),
            ({"line_id": shirt, "quantity": 3}, "too_many"),
            ({"line_id": mug, "quantity": 2}, "too_many"),
        ]
        assert [codes(entry)[0] for entry, _ in table] == [code for _, code in table]
        assert codes(table[0][0], number="#9") == ["404"]
        w.store.edit(order, quantities={order.lines[0].id: 1})
        assert codes(table[0][0]) == ["too_many"]
        closes_at = datetime.fromisoformat("2026-12-03T00:00:00+01:00")  # midnight in the shop's own time zone
        w.shift((closes_at - w.now()).total_seconds() - 1)
        assert codes(table[1][0]) == ["eligible"]
        w.shift(1)
        assert codes(table[1][0]) == ["window_closed"]
        assert w.asked("RefundCreate") == []


@pytest.mark.requirement("S1-7")
@pytest.mark.parametrize(
    ("changes", "case"),
    [
        ({"order_line_id": gid("LineItem", 1)}, states.CASE_LINE_NOT_ON_ORDER),
        ({"quantity": 3}, states.CASE_TOO_MANY_UNITS),
    ],
)
def test_a_return_that_is_not_right_stops_with_a_case_and_moves_nothing(changes: dict[str, Any], case: str) -> None:
    with shopify_world() as w:
        tee = w.variant()
        order = w.sale((tee, 2))
        line = order.lines[0]
        item = {"order_line_id": gid("LineItem", line.id), "sku": line.sku, "quantity": 1, "reason_code": "too_small"}
        return_id = w.returning(order, items=[item | changes])
        through(w, return_id, "30.00")
        assert case in w.open_cases()
        assert (w.paid_back(order), w.asked("RefundCreate")) == ([], [])


def test_a_platform_that_names_order_line_and_variant_by_plain_numbers_is_understood() -> None:
    with shopify_world() as w:
        tee = w.variant()
        order = w.sale((tee, 2))
        line = order.lines[0]
        item = {
            "order_line_id": str(line.id),
            "sku": line.sku,
            "variant_id": str(tee.id),
            "quantity": 1,
            "reason_code": "too_small",
            "total": "30.00",
        }
        return_id = w.platform.create_return(order_id=str(order.id), items=[item])
        w.platform.authorise(return_id)
        through(w, return_id, "30.00")
        assert (w.paid_back(order), w.stock(tee), w.open_cases()) == ([Decimal("30.00")], 9, [])
        again = w.platform.create_return(order_id=str(order.id), items=[{**item, "quantity": 2}])
        w.platform.authorise(again)
        w.settle()
        assert w.open_cases() == [states.CASE_TOO_MANY_UNITS]


# --- refunds by hand -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S1-36")
def test_a_refund_by_hand_reaches_the_platform_before_it_pays() -> None:
    with shopify_world() as w:
        with_webhooks(w)
        told_by_calls(w, states.TELL_ALREADY_REFUNDED)
        order = w.sale((w.variant(), 2))
        return_id = w.returning(order)
        w.settle()
        anna = w.store.add_staff("Anna", email="anna@example.test")
        number = w.rma(return_id).label
        made = w.store.staff_refund(
            order, Decimal("30.00"), lines={order.lines[0].id: 1}, staff=anna, note=f"for return {number}"
        )
        w.settle()
        row = Refund.objects.get(external_id=gid("Refund", made.id))
        assert (row.origin, row.amount, row.rma) == (Refund.EXTERNAL, Decimal("30.00"), w.rma(return_id))
        assert row.author.startswith("Anna (Shopify staff ")
        (told,) = w.platform.merchant_desk.told_of(return_id, states.TELL_ALREADY_REFUNDED)
        assert (told["amount"], told["currency"], told["reference"]) == ("30.00", "EUR", gid("Refund", made.id))
        w.pay(return_id, "30.00", executed_by="returns_platform", method="bank_transfer")
        w.settle()
        assert (w.platform.payouts, w.asked("RefundCreate")) == ([], [])
        assert w.paid_back(order) == [Decimal("30.00")]


def test_a_delivery_makes_it_quick_and_a_forged_one_changes_nothing() -> None:
    with shopify_world() as w:
        with_webhooks(w)
        order = w.sale((w.variant(), 3), is_fulfilled=False)
        w.store.fulfil(order, quantities={order.lines[0].id: 1})
        return_id = w.returning(order)
        w.settle()

        def known() -> int:
            row = w.rma(return_id).order
            assert row is not None
            return row.lines.get(kind="item").quantity

        w.store.faults.script(WebhookFault(kind=WebhookFaultKind.DUPLICATE, topic_pattern="orders/updated"))
        w.store.edit(order, quantities={order.lines[0].id: 2})
        assert {sent.status for sent in w.store.webhooks.deliver_pending()} <= {200, 202}
        w.settle()
        assert known() == 2
        stored = InboundEvent.objects.filter(connection__name="shop", source="webhook").count()
        w.store.state.access.client_secret = "somebody-else"
        w.store.edit(order, quantities={order.lines[0].id: 1})
        assert {sent.status for sent in w.store.webhooks.deliver_pending()} == {401}
        w.work()
        assert InboundEvent.objects.filter(connection__name="shop", source="webhook").count() == stored
        assert known() == 2
        w.poll()
        w.work()
        assert known() == 1


def test_deliveries_that_are_late_reordered_or_lost_never_bring_an_older_order_back() -> None:
    with shopify_world() as w:
        with_webhooks(w)
        shirt = w.variant(stock=10)
        order = w.sale((shirt, 4), is_fulfilled=False)
        w.store.fulfil(order, quantities={order.lines[0].id: 1})
        return_id = w.returning(order)
        w.settle()
        for kind, quantity in (("late", 3), ("reordered", 2), ("drop", 1)):
            w.store.faults.script(
                WebhookFault(kind=WebhookFaultKind(kind), topic_pattern="orders/updated", delay_s=3600)
            )
            w.store.edit(order, quantities={order.lines[0].id: quantity})
        w.poll()
        through(w, return_id, "30.00")
        assert w.store.faults.webhooks == []
        w.shift(3600)
        assert [sent.topic for sent in w.store.webhooks.deliver_pending()] == ["orders/updated"]
        w.settle()
        row = w.rma(return_id).order
        assert row is not None
        assert row.lines.get(kind="item").quantity == 1
        assert (w.paid_back(order), w.open_cases()) == ([Decimal("30.00")], [])


# --- the pace --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S5-22")
@pytest.mark.requirement("S1-3")
def test_ten_times_what_the_shop_allows_is_worked_off_without_one_throttled_answer_and_refunds_first() -> None:
    """All is due in one moment, and costs more than ten times what the bucket holds (and gives in ten seconds)."""
    with shopify_world(is_telling=True) as w:
        w.store.bucket.size, w.store.bucket.restore_rate = 115, 12
        tee = w.variant(stock=500)
        orders = [w.sale((tee, 1)) for _ in range(6)]
        returns = [w.returning(order) for order in orders]
        w.settle()
        began_at, spent = w.now(), w.store.bucket.spent
        for return_id in returns:
            w.platform.receive(return_id)
            w.judge(return_id)
            w.pay(return_id, "30.00", executed_by="commerce_platform")
        w.settle()
        took_s = (w.now() - began_at).total_seconds()
        points = w.store.bucket.spent - spent
        assert points > 10 * w.store.bucket.size
        assert w.store.throttled == 0
        assert took_s >= (points - w.store.bucket.size) / w.store.bucket.restore_rate
        assert {state for one in returns for state in (w.effect(one, states.REFUND).state,)} == {states.CONFIRMED}
        assert [w.paid_back(order) for order in orders] == [[Decimal("30.00")]] * 6
        assert w.stock(tee) == 500
        names = [row.body["operationName"] for row in w.store.calls.matching("POST", r"graphql\.json")]
        last_refund = max(index for index, name in enumerate(names) if name == "RefundCreate")
        first_restock = min(index for index, name in enumerate(names) if name == "InventoryAdjust")
        assert (last_refund < first_restock, w.open_cases()) == (True, [])
        row = ConnectionBudget.objects.get(connection__name="shop")
        assert (row.points_most, row.points_per_s, row.points_under_way, row.throttled_count) == (115, 12, 0, 0)


# --- a shop that stops answering -------------------------------------------------------------------------------------


def test_a_revoked_token_pauses_with_one_case_and_resumes_without_loss() -> None:
    with shopify_world() as w:
        tee = w.variant()
        orders = [w.sale((tee, 1)) for _ in range(3)]
        returns = [w.returning(order) for order in orders]
        w.settle()
        w.store.revoke_tokens()
        for return_id in returns:
            through(w, return_id, "30.00")
        assert (w.connection("shop").is_paused, w.open_cases()) == (True, [states.CASE_CONNECTION_AUTH])
        assert [w.paid_back(order) for order in orders] == [[]] * 3
        refused = len(w.store.calls.all())
        w.poll()
        w.settle()
        assert len(w.store.calls.all()) <= refused + 1
        w.store.add_token()
        switches.resume_connection(connection=w.connection("shop"), reason="new token", by="ops", at=w.now())
        w.settle()
        assert ([w.paid_back(order) for order in orders], w.open_cases()) == ([[Decimal("30.00")]] * 3, [])
        assert w.stock(tee) == 10


def test_a_message_that_comes_before_its_order_waits_and_nothing_of_it_is_lost() -> None:
    """The platform is quicker than the shop: the order it names cannot be read yet, then for too long, then it can."""
    with shopify_world(policy="order_wanted_h = 1") as w:
        tee = w.variant()
        order = w.sale((tee, 2))
        orders = w.store.state.orders
        del orders[order.id]
        return_id = w.returning(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00", executed_by="commerce_platform")
        w.settle()
        assert (w.rma(return_id).order, w.open_cases()) == (None, [states.CASE_ORDER_NOT_FOUND])
        assert {name for name in WRITES if w.asked(name)} == set()
        orders[order.id] = order
        w.settle(horizon=timedelta(hours=12))
        assert (w.paid_back(order), w.stock(tee), w.open_cases()) == ([Decimal("30.00")], 9, [])


def test_a_retired_api_version_is_one_case_while_work_goes_on_and_closes_when_the_new_one_is_asked_for() -> None:
    with shopify_world() as w:
        order = w.sale((w.variant(), 1))
        w.poll()
        assert w.open_cases() == []
        w.store.retire_version("2026-07")
        w.poll()
        w.poll()
        return_id = w.returning(order)
        through(w, return_id, "30.00")
        assert (w.paid_back(order), w.open_cases()) == ([Decimal("30.00")], [states.CASE_API_VERSION])
        found = ExceptionCase.objects.active().get()
        assert found.cause == "Shopify answered with API version 2026-10 where 2026-07 was asked for."
        assert (found.owner_team, "Set api_version" in kinds.lookup(found.kind_code).how_to_fix[1]) == (
            states.OPS,
            True,
        )
        ask_for(w, "2026-10")
        w.settle()
        assert w.open_cases() == [states.CASE_API_VERSION]
        w.poll()
        w.settle()
        assert w.open_cases() == []


def ask_for(w: ShopifyWorld, version: str) -> None:
    """Operations set the version in the configuration file."""
    settings = {**w.connection("shop").settings, "api_version": version}
    row = {"name": "shop", "vendor": "shopify", "base_url": w.shop_server.url, "settings": settings}
    row["time_zone"] = "Europe/Madrid"
    configuration_apply.apply(configuration.read(tomli_w.dumps({"connections": [row]})), by="ops", at=w.now())


def test_a_version_that_ends_soon_is_a_case_with_the_date_without_anybody_asking() -> None:
    with shopify_world() as w:
        days = (datetime(2027, 5, 2, 12, tzinfo=UTC) - w.now()).days
        for _ in range(2):
            w.shift(86400 * days)
            tasks.poll_all()
            tasks.wake_inbox()
            days = 1
        found = ExceptionCase.objects.active().get(kind_code=states.CASE_API_VERSION_ENDING)
        assert found.cause.startswith("API version 2026-07 is supported until 2027-07-01 at least.")
        assert (found.owner_team, found.occurrences) == (states.OPS, 2)
        w.store.settings.supported_versions = (*w.store.settings.supported_versions, "2026-10")
        ask_for(w, "2026-10")
        w.shift(3600)
        tasks.poll_all()
        tasks.wake_inbox()
        assert w.open_cases() == []
