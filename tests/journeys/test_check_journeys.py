"""The named checks over HTTP: each finds what was planted, leaves the clean order beside it alone, and heals (K19)."""

from decimal import Decimal

import pytest

from connectors.simulators.woocommerce import stock
from connectors.simulators.woocommerce.records import Meta, Order, Product
from connectors.simulators.woocommerce.refund_writing import RefundLine
from connectors.simulators.woocommerce.state import meta_value
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from reconciliation import causes
from reconciliation.models import Finding, Run
from returnsops import states
from returnsops.models import DispositionMapping
from tests.journeys.world import World, world
from tests.reconciliation.played import (
    FIVE,
    closed,
    compare,
    copy_of,
    finding,
    found,
    found_by_order,
    new_sku,
    note_of,
    only_money,
    owner_of,
    plain_order,
    returned,
)

pytestmark = pytest.mark.django_db
HOUR = 3600
FEW_MARKS = 'notes = ["authorised"]\nmirrors = ["status"]'
PLATFORM_WRITES = """
[routes.policy.refund]
writer = "platform"
"""


def later(w: World) -> tuple[Run, ...]:
    """Compare an hour on; nothing that was compared is written to the shop by that."""
    w.shift(HOUR)
    writes = w.writes()
    runs = compare(w)
    assert w.writes() == writes
    assert {run.state for run in runs} == {"finished"}
    return runs


def mended(w: World, cause: str, *, kind: str) -> None:
    """The next comparison no longer finds it: healed, and its own case closed."""
    later(w)
    assert cause not in {one for _, one in found()}
    assert closed(cause)[-1] == (kind, True)


def refund_by_hand(w: World, order: Order, amount: str) -> None:
    """The platform's own plugin, or somebody, enters a refund of the first line's units in the shop."""
    line = RefundLine(item_id=order.items[0].id, quantity=1, total=Decimal(amount))
    w.shop.staff_refund(order.id, Decimal(amount), lines=[line])


# --- S4-6 ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S4-6")
def test_refunded_at_the_platform_and_the_order_still_open_in_the_shop() -> None:
    with world(policy_tables=PLATFORM_WRITES) as w:
        (open_one, _), (paid_one, _), (whole_one, _) = returned(w), returned(w), returned(w, units=1)
        w.settle()
        refund_by_hand(w, paid_one, "30.00")
        refund_by_hand(w, whole_one, "30.00")
        w.settle()
        compare(w)
        assert found() == []  # the platform still has time to write it

        w.shop.set_status(whole_one.id, "processing")
        runs = {run.check_code: run for run in later(w)}
        assert found_by_order() == {
            (str(open_one.id), causes.REFUND_NOT_SHOWN),
            (str(whole_one.id), causes.ORDER_LEFT_OPEN),
        }
        row = finding(causes.REFUND_NOT_SHOWN)
        assert (row.amount, row.currency, row.here, row.there) == (
            Decimal("30.00"),
            "EUR",
            "30.00 EUR",
            "0.00 EUR for its return, order processing",
        )
        assert owner_of(causes.REFUND_NOT_SHOWN) == (causes.CASE_REFUND_NOT_SHOWN, states.FIN)
        assert owner_of(causes.ORDER_LEFT_OPEN) == (causes.CASE_ORDER_LEFT_OPEN, states.CX)
        assert runs["orders_left_open"].not_comparable == {}

        refund_by_hand(w, open_one, "30.00")
        w.shop.set_status(whole_one.id, "completed")
        w.settle()
        mended(w, causes.REFUND_NOT_SHOWN, kind=causes.CASE_REFUND_NOT_SHOWN)
        assert closed(causes.ORDER_LEFT_OPEN) == [(causes.CASE_ORDER_LEFT_OPEN, True)]
        assert (found(), w.open_cases()) == ([], [])

        w.shop.set_status(whole_one.id, "processing")
        w.shop.state.orders[whole_one.id].status = "at-the-tailor"  # of a plugin; nobody said what it means
        runs = {run.check_code: run for run in later(w)}
        assert found() == []
        assert list(runs["orders_left_open"].not_comparable.values()) == [1]


# --- S4-7 ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S4-7")
def test_stock_that_is_wrong_because_a_restock_was_not_mapped() -> None:
    with world() as w:
        returned(w)
        order = w.order((w.product(new_sku(w)), 2))
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.settle()
        later(w)
        assert found() == []  # received, and nobody has judged it yet

        document = w.platform.account.changed(return_id)
        w.platform.account.tell("return.restocked", document, {}, is_silent=False)
        w.settle()
        later(w)
        assert found_by_order() == {(str(order.id), causes.RESTOCK_EVENT_UNREAD)}
        row = finding(causes.RESTOCK_EVENT_UNREAD)
        assert (row.quantity, row.here, row.there) == (1, "1 unit", "still held as sold")
        assert owner_of(causes.RESTOCK_EVENT_UNREAD) == (states.CASE_UNMAPPED_EVENT, states.OPS)  # asked once

        place = DispositionMapping.objects.get(disposition=states.SELLABLE)
        place.delete()
        w.judge(return_id)
        w.settle()
        later(w)
        assert found_by_order() == {(str(order.id), causes.RESTOCK_UNMAPPED)}
        assert owner_of(causes.RESTOCK_UNMAPPED) == (states.CASE_DISPOSITION_UNMAPPED, states.OPS)

        place.save(force_insert=True)
        w.platform.update(return_id, {})
        w.settle()
        later(w)
        assert found() == []
        assert w.shop.stock_of(order.items[0].product_id) == 9
        assert w.open_cases() == [states.CASE_UNMAPPED_EVENT]  # operations still has a message to map


# --- S4-8 ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S4-8")
def test_a_note_or_status_that_is_missing_on_the_order_is_written_again() -> None:
    with world(is_telling=True) as w:
        order = w.order((w.product(new_sku(w)), 2))
        return_id = w.ask(order)
        w.ask(w.order((w.product(new_sku(w)), 2)))
        w.settle()
        later(w)
        assert found() == []

        token = f"[{w.rma(return_id).label}/authorised]"
        w.shop.state.notes.remove(note_of(w, order, token))
        w.shop.state.set_meta(order.meta, "_returnsops_status", "none")
        runs = {run.check_code: run for run in later(w)}
        assert found_by_order() == {(str(order.id), causes.NOTE_MISSING), (str(order.id), causes.FIELD_DIFFERS)}
        assert (runs["order_marks"].mismatched_count, runs["order_marks"].only_here_count) == (1, 1)
        assert owner_of(causes.NOTE_MISSING) == (causes.CASE_MARK_MISSING, states.CX)
        assert finding(causes.FIELD_DIFFERS).there == "none"

        for case in ExceptionCase.objects.active():
            queue.run_action(case=case, action_code="write_again", by=w.users["CX"], at=w.now(), reason="")
        w.settle()
        mended(w, causes.NOTE_MISSING, kind=causes.CASE_MARK_MISSING)
        assert (found(), w.open_cases()) == ([], [])
        assert note_of(w, order, token).text.startswith(f"Return {w.rma(return_id).label} authorised: 1 x ")
        assert meta_value(order.meta, "_returnsops_status") == "Return authorised, waiting for the goods"


# --- S4-9 ------------------------------------------------------------------------------------------------------------


def shelf(w: World, order: Order, difference: int) -> None:
    """Somebody, or another system, changes the article's figure."""
    with w.shop.state.lock:
        stock.move_stock(w.shop.state, product_of(w, order), difference)


def product_of(w: World, order: Order) -> Product:
    """The article of the first line."""
    return w.shop.state.products[order.items[0].product_id]


def hold_as_sold(w: World, order: Order, units: int) -> None:
    """A program writes what the order line still holds of the sale's stock."""
    w.shop.state.set_meta(order.items[0].meta, stock.REDUCED, str(units))


@pytest.mark.requirement("S4-9")
def test_a_restock_that_the_shelf_figure_does_not_show() -> None:
    with world(policy=FEW_MARKS) as w:
        (old_figure, _), (busy, _), (undone, _) = returned(w), returned(w), returned(w)
        w.settle()
        w.shift(HOUR)
        w.order((product_of(w, busy), 3))  # sold since: the figure falls, and rightly
        w.poll()
        w.settle()
        runs = {run.check_code: run for run in later(w)}
        assert found() == []
        assert (runs["stock_levels"].matched_count, runs["stock_levels"].not_comparable) == (6, {})

        shelf(w, old_figure, -1)
        shelf(w, busy, -2)  # two units went otherwise: says nothing about the one that was restocked
        hold_as_sold(w, undone, 2)
        compare(w)
        assert {cause for _, cause in found()} == {causes.LEVEL_NOT_UPDATED}  # of the line; figures just moved
        runs = {run.check_code: run for run in later(w)}
        assert found_by_order() == {
            (str(old_figure.id), causes.LEVEL_NOT_UPDATED),
            (str(undone.id), causes.LEVEL_NOT_UPDATED),
        }
        assert sorted(Finding.objects.values_list("there", flat=True)) == [
            "2 units of 2 still held as sold",
            "a figure of 8 instead of 9",
        ]
        assert owner_of(causes.LEVEL_NOT_UPDATED) == (causes.CASE_LEVEL_NOT_UPDATED, states.WH)
        assert list(runs["stock_levels"].not_comparable.values()) == [1]

        w.shift(3 * 24 * HOUR)
        compare(w)
        assert len(found()) == 2  # nothing heals by age
        shelf(w, old_figure, 1)
        hold_as_sold(w, undone, 1)
        mended(w, causes.LEVEL_NOT_UPDATED, kind=causes.CASE_LEVEL_NOT_UPDATED)
        assert (found(), w.open_cases()) == ([], [])

        shelf(w, old_figure, -1)  # days after the restock: nobody can tell what for
        later(w)
        assert found() == []


# --- S4-25 -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S4-25")
def test_a_refund_in_the_shop_without_a_return_reference() -> None:
    with world() as w:
        returned(w)  # its refund carries its reference
        w.settle()
        goodwill, strange = plain_order(w), plain_order(w)
        later(w)
        assert found() == []

        w.shop.staff_refund(goodwill.id, FIVE, reason="kind words")
        key = Meta(id=0, key="_returnsops_key", value="refund:reveni/ret_nobody:rfd_1")
        w.shop.staff_refund(strange.id, FIVE).meta.append(key)
        later(w)
        assert found() == [
            ("refunds_outside", causes.MADE_OUTSIDE),
            ("refunds_outside", causes.REFERENCE_UNKNOWN),
        ]
        assert found_by_order() == {
            (str(goodwill.id), causes.MADE_OUTSIDE),
            (str(strange.id), causes.REFERENCE_UNKNOWN),
        }
        assert finding(causes.REFERENCE_UNKNOWN).evidence["reference"] == key.value
        assert owner_of(causes.REFERENCE_UNKNOWN) == (causes.CASE_REFUND_UNEXPLAINED, states.FIN)

        for case in ExceptionCase.objects.active():
            queue.run_action(case=case, action_code="say_unrelated", by=w.users["FIN"], at=w.now(), reason="goodwill")
        mended(w, causes.MADE_OUTSIDE, kind=causes.CASE_REFUND_UNEXPLAINED)
        assert (found(), w.open_cases()) == ([], [])


# --- S4-10 -----------------------------------------------------------------------------------------------------------

DISPOSITIONS = ("sellable", "sellable", "sellable", "sellable", "sellable", "damaged", "quarantine")


@pytest.mark.requirement("S4-10")
def test_every_planted_mismatch_is_found_among_clean_returns_and_nothing_else() -> None:
    with world(policy=FEW_MARKS) as w:
        played = [returned(w, disposition=one, units=3, amount="30.01") for one in DISPOSITIONS]
        orders = [order for order, _ in played]
        bystander = plain_order(w)
        w.settle()
        runs = later(w)
        assert [run.order_count for run in runs] == [len(DISPOSITIONS) + 1] * len(runs)
        assert [(run.difference_count, run.not_comparable) for run in runs] == [(0, {})] * len(runs)
        paid = f"{sum((payout.amount for payout in w.shop.gateway_payouts), Decimal(0)):.2f}"
        assert runs[0].totals == {"EUR": {"here": paid, "there": paid}}
        assert runs[1].totals == {"units": {"here": "5", "there": "5"}}
        assert (found(), w.open_cases()) == ([], [])

        planted = plant(w, played, bystander)
        w.settle()
        later(w)
        assert found_by_order() == planted
        assert len(found()) == len(planted)  # each once, by one check
        assert all(row.case is not None and row.case.is_active for row in Finding.objects.all())
        assert not {str(orders[5].id), str(orders[6].id)} & {order for order, _ in found_by_order()}
        assert owner_of(causes.RETURNED_TWICE)[1] == states.CX

        w.platform.cancel(twin_of(w, orders[4]))
        w.settle()
        later(w)
        assert found_by_order() == planted - {(str(orders[4].id), causes.RETURNED_TWICE)}
        assert Finding.objects.count() == len(planted)  # what stands is seen again, never found again


def plant(w: World, played: list[tuple[Order, str]], bystander: Order) -> set[tuple[str, str]]:
    """One or more mistakes at each of the first five orders and at the bystander; order id and cause of each."""
    planted: set[tuple[str, str]] = {(str(bystander.id), causes.MADE_OUTSIDE)}

    def note(index: int, *found_causes: str) -> Order:
        order = played[index][0]
        planted.update((str(order.id), cause) for cause in found_causes)
        return order

    gone = note(0, causes.RECORD_DELETED, causes.RESTOCK_DELETED, causes.NOTE_MISSING)
    w.shop.delete_refund(only_money(w, gone).id)
    (restock,) = w.restock_records(gone)
    w.shop.delete_refund(restock.id)
    w.shop.state.notes.remove(note_of(w, gone, "/authorised]"))

    other = note(1, causes.AMOUNT_DIFFERS, causes.RESTOCKED_TWICE, causes.FIELD_DIFFERS)
    only_money(w, other).amount = Decimal("30.02")
    (restock,) = w.restock_records(other)
    copy_of(w, restock)
    w.shop.state.set_meta(other.meta, "_returnsops_status", "closed")

    twice = note(2, causes.RECORDED_TWICE, causes.RESTOCKED_BY_HAND, causes.MADE_OUTSIDE)
    copy_of(w, only_money(w, twice))
    hold_as_sold(w, twice, 1)
    w.shop.staff_refund(twice.id, FIVE, reason="goodwill")

    over = note(3, causes.MADE_OUTSIDE, causes.OVER_REFUNDED, causes.PLATFORM_AMOUNT_DIFFERS)
    copy_of(w, only_money(w, over), amount=Decimal("60.03"), meta=[], reason="")
    return_id = played[3][1]
    (refund,) = w.platform.account.returns[return_id]["refunds"]
    w.pay(return_id, "31.01", refund_id=refund["id"])

    doubled = note(4, causes.RETURNED_TWICE, causes.LEVEL_NOT_UPDATED)
    w.ask(doubled, quantity=3)
    shelf(w, doubled, -1)

    w.shop.staff_refund(bystander.id, FIVE, reason="kind")
    return planted


def twin_of(w: World, order: Order) -> str:
    """The newest return of an order."""
    mine = [key for key, one in w.platform.account.returns.items() if one["order"]["id"] == str(order.id)]
    return mine[-1]
