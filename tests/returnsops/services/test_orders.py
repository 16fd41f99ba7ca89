"""Order snapshots into rows: what changes, what never does, and which line of a return is which line of the order."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from returnsops import facts, states
from returnsops.models import Connection, HistoryEntry, Order, OrderLine, Refund, ReturnAuthorisation
from returnsops.planning.view import order_fingerprint
from returnsops.services import orders
from returnsops.services.order_rows import snapshot_of
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def shirt(line_id: str = "1", **more: Any) -> facts.OrderLineSnapshot:
    fields: dict[str, Any] = {
        "line_id": line_id,
        "kind": "item",
        "name": "Blue shirt",
        "quantity": 2,
        "net": Decimal("50.00"),
        "taxes": (facts.TaxShare(rate_id="1", amount=Decimal("10.00")),),
        "sku": "SHIRT-M",
        "product_id": "501",
    }
    return facts.OrderLineSnapshot(**(fields | more))


def refund(refund_id: str = "77", **more: Any) -> facts.RemoteRefund:
    fields: dict[str, Any] = {
        "refund_id": refund_id,
        "amount": Decimal("30.00"),
        "currency": "GBP",
        "created_at": NOW - timedelta(hours=1),
        "author": "shop manager",
    }
    return facts.RemoteRefund(**(fields | more))


def snapshot(*lines: facts.OrderLineSnapshot, **more: Any) -> facts.OrderSnapshot:
    fields: dict[str, Any] = {
        "order_id": "9001",
        "number": "9001",
        "status": "completed",
        "currency": "GBP",
        "total": Decimal("60.00"),
        "lines": lines or (shirt(),),
        "refunds": (),
        "placed_at": NOW - timedelta(days=10),
        "modified_at": NOW - timedelta(days=1),
        "paid_at": NOW - timedelta(days=10),
        "customer_email": "sam@example.com",
    }
    return facts.OrderSnapshot(**(fields | more))


@pytest.fixture
def shop() -> Connection:
    """Where the orders are."""
    connection: Connection = make.ConnectionFactory()
    return connection


def read(shop: Connection, seen: facts.OrderSnapshot, minutes: int = 0) -> Order:
    return orders.apply_order(connection=shop, snapshot=seen, at=NOW + timedelta(minutes=minutes))


def a_return_of(order: Order, **more: Any) -> ReturnAuthorisation:
    route = make.RouteFactory(commerce=order.connection)
    rma: ReturnAuthorisation = make.ReturnFactory(route=route, order=order, is_dirty=False, **more)
    return rma


def is_dirty(rma: ReturnAuthorisation) -> bool:
    rma.refresh_from_db()
    return rma.is_dirty


# --- the snapshot --------------------------------------------------------------------------------------------------


def test_an_order_is_stored_whole_and_reads_back_the_same(shop: Connection) -> None:
    paid_back = facts.RemoteRefundLine(
        line_id="1",
        quantity=1,
        net=Decimal("25.00"),
        taxes=(facts.TaxShare(rate_id="1", amount=Decimal("5.00")),),
    )
    seen = snapshot(
        shirt(variation_id="502", is_sku_ambiguous=True, reduced_stock=2),
        shirt("2", kind="shipping", name="Post", quantity=1, net=Decimal("4.17"), sku="", product_id="", taxes=()),
        refunds=(refund(lines=(paid_back,), reason="too small", is_gateway_paid=True),),
        customer_id="12",
        channel="uk",
        payment_method="stripe",
        is_locked=True,
        lock_reason="on hold",
    )
    order = read(shop, seen)
    assert snapshot_of(Order.objects.get(pk=order.pk)) == seen
    assert (order.fingerprint, order.read_at) == (order_fingerprint(seen), NOW)
    assert [row.position for row in order.lines.all()] == [0, 1]


def test_the_same_order_twice_changes_nothing_and_asks_for_no_plan(shop: Connection) -> None:
    seen = snapshot(refunds=(refund(),))
    rma = a_return_of(read(shop, seen))
    order = read(shop, replace(seen, modified_at=NOW, customer_email="other@example.com"), minutes=1)
    assert (order.customer_email, order.read_at) == ("other@example.com", NOW + timedelta(minutes=1))
    assert not is_dirty(rma)
    assert (OrderLine.objects.count(), Refund.objects.count()) == (1, 1)
    assert not HistoryEntry.objects.exists()


def test_an_older_read_changes_nothing(shop: Connection) -> None:
    rma = a_return_of(read(shop, snapshot(refunds=(refund(),)), minutes=5))
    order = read(shop, snapshot(shirt("2"), total=Decimal("10.00"), status="cancelled", refunds=()), minutes=4)
    order.refresh_from_db()
    assert (order.total, order.status, order.read_at) == (Decimal("60.00"), "completed", LATER)
    assert [(line.external_id, line.is_removed) for line in order.lines.all()] == [("1", False)]
    assert order.refunds.get().vanished_at is None
    assert not is_dirty(rma)


@pytest.mark.parametrize(
    "change",
    [
        {"total": Decimal("59.00")},
        {"refunds": (refund(),)},
        {"refunds": (refund(amount=Decimal(0)),)},
        {"is_locked": True, "lock_reason": "on hold"},
        {"lines": (shirt(quantity=1),)},
        {"lines": (shirt(), shirt("2"))},
        {"lines": ()},
        {"lines": (shirt(is_sku_ambiguous=True),)},
        {"lines": (shirt(reduced_stock=2),)},
    ],
)
def test_what_a_decision_rests_on_asks_for_a_new_plan(shop: Connection, change: dict[str, Any]) -> None:
    rma = a_return_of(read(shop, snapshot()))
    stranger = make.ReturnFactory(is_dirty=False)
    read(shop, replace(snapshot(), **change), minutes=1)
    assert is_dirty(rma)
    assert not is_dirty(stranger)


def test_a_line_taken_off_the_order_is_marked_and_comes_back_as_it_was(shop: Connection) -> None:
    read(shop, snapshot(shirt(), shirt("2")))
    order = read(shop, snapshot(shirt("2")), minutes=1)
    assert [(line.external_id, line.is_removed) for line in order.lines.order_by("pk")] == [("1", True), ("2", False)]
    assert [line.line_id for line in snapshot_of(order).lines] == ["2"]
    order = read(shop, snapshot(shirt(), shirt("2")), minutes=2)
    assert [line.line_id for line in snapshot_of(order).lines] == ["1", "2"]
    assert order.lines.count() == 2


# --- gone -----------------------------------------------------------------------------------------------------------


def test_an_order_in_the_bin_is_marked_and_planned_again(shop: Connection) -> None:
    rma = a_return_of(read(shop, snapshot()))
    gone = orders.mark_gone(connection=shop, order_id="9001", at=LATER)
    assert gone is not None
    gone.refresh_from_db()
    assert (gone.is_gone, gone.read_at, gone.fingerprint) == (True, LATER, "")
    assert is_dirty(rma)


def test_an_order_back_from_the_bin_is_planned_again(shop: Connection) -> None:
    rma = a_return_of(read(shop, snapshot()))
    orders.mark_gone(connection=shop, order_id="9001", at=LATER)
    ReturnAuthorisation.objects.update(is_dirty=False)
    order = read(shop, snapshot(), minutes=6)
    assert (order.is_gone, order.fingerprint) == (False, order_fingerprint(snapshot()))
    assert is_dirty(rma)


def test_word_that_is_older_than_the_last_read_moves_no_order_to_the_bin(shop: Connection) -> None:
    rma = a_return_of(read(shop, snapshot(), minutes=5))
    found = orders.mark_gone(connection=shop, order_id="9001", at=NOW)
    assert found is not None
    found.refresh_from_db()
    assert (found.is_gone, found.read_at) == (False, LATER)
    assert not is_dirty(rma)


def test_an_order_never_seen_cannot_be_gone(shop: Connection) -> None:
    read(make.ConnectionFactory(), snapshot())
    assert orders.mark_gone(connection=shop, order_id="9001", at=LATER) is None
    assert not Order.objects.filter(is_gone=True).exists()


# --- refunds --------------------------------------------------------------------------------------------------------


def test_a_refund_no_longer_listed_has_vanished_and_history_says_so_once(shop: Connection) -> None:
    rma = a_return_of(read(shop, snapshot(refunds=(refund(),))))
    read(shop, snapshot(), minutes=5)
    order = read(shop, snapshot(), minutes=6)
    row = order.refunds.get()
    assert (row.vanished_at, row.amount) == (LATER, Decimal("30.00"))
    assert is_dirty(rma)
    entry = HistoryEntry.objects.get()
    assert (entry.act, entry.by, entry.at, entry.subject_id, entry.text) == (
        "refund_vanished",
        "system",
        LATER,
        str(row.pk),
        "Refund 77 is no longer in the shop.",
    )


def test_a_refund_that_reappears_counts_again_and_history_says_so(shop: Connection) -> None:
    read(shop, snapshot(refunds=(refund(),)))
    rma = a_return_of(read(shop, snapshot(), minutes=1))
    order = read(shop, snapshot(refunds=(refund(),)), minutes=5)
    assert order.refunds.get().vanished_at is None
    assert is_dirty(rma)
    entry = HistoryEntry.objects.latest("pk")
    assert (entry.act, entry.by, entry.at, entry.text) == (
        "refund_reappeared",
        "system",
        LATER,
        "Refund 77 is in the shop again.",
    )


def test_what_a_person_said_of_a_refund_survives_that_the_shop_edits_it(shop: Connection) -> None:
    order = read(shop, snapshot(refunds=(refund(),)))
    rma = a_return_of(order)
    order.refunds.update(rma=rma, attributed_by="fiona", attributed_at=NOW)
    read(shop, snapshot(refunds=(refund(amount=Decimal("29.00"), reason="edited"),)), minutes=1)
    row = order.refunds.get()
    assert (row.amount, row.reason) == (Decimal("29.00"), "edited")
    assert (row.rma, row.attributed_by) == (rma, "fiona")


def test_a_refund_with_our_key_is_ours_whatever_its_generation(shop: Connection) -> None:
    order = read(shop, snapshot())
    effect = make.EffectFactory(rma=a_return_of(order))
    seen = (
        refund("1", key=effect.key),
        refund("2", key=f"{effect.key}#2"),
        refund("3", key="refund:elsewhere/ret_1:payout_1"),
        refund("4"),
    )
    order = read(shop, snapshot(refunds=seen), minutes=1)
    assert {row.external_id: (row.origin, row.key) for row in order.refunds.all()} == {
        "1": ("ours", effect.key),
        "2": ("ours", f"{effect.key}#2"),
        "3": ("external", "refund:elsewhere/ret_1:payout_1"),
        "4": ("external", ""),
    }


@pytest.mark.parametrize(
    ("state", "amount", "origin"),
    [
        (states.DONE, "30.00", "ours"),
        (states.DONE, "0", "external"),  # a restock is a refund of nothing, and pays nobody
        (states.FAILED, "30.00", "external"),
    ],
)
def test_a_record_adopted_by_our_effect_is_ours_without_a_key(
    shop: Connection, state: str, amount: str, origin: str
) -> None:
    order = read(shop, snapshot())
    effect = make.EffectFactory(rma=a_return_of(order), state=state, remote_id="77", done_at=NOW)
    order = read(shop, snapshot(refunds=(refund(amount=Decimal(amount)),)), minutes=1)
    row = order.refunds.get()
    assert (row.origin, row.key) == (origin, effect.key if origin == "ours" else "")


# --- returns and their lines ----------------------------------------------------------------------------------------


def test_returns_that_waited_are_tied_to_their_order_and_no_others(shop: Connection) -> None:
    route = make.RouteFactory(commerce=shop)
    waits = {"order": None, "order_external_id": "9001", "order_next_read_at": NOW, "is_dirty": False}
    waiting = make.ReturnFactory(route=route, **waits)
    make.ReturnLineFactory(rma=waiting, is_matched=False, order_line_external_id="1")
    of_another_shop = make.ReturnFactory(**waits)
    of_another_order = make.ReturnFactory(route=route, **(waits | {"order_external_id": "9002"}))
    order = read(shop, snapshot())
    waiting.refresh_from_db()
    assert (waiting.order, waiting.order_next_read_at, waiting.is_dirty) == (order, None, True)
    assert waiting.lines.get().order_line == order.lines.get()
    for other in (of_another_shop, of_another_order):
        other.refresh_from_db()
        assert (other.order, other.order_next_read_at, other.is_dirty) == (None, NOW, False)


def test_a_second_return_of_an_order_asks_for_a_new_plan_of_the_first(shop: Connection) -> None:
    order = read(shop, snapshot())
    first = a_return_of(order)
    second = make.ReturnFactory(route=first.route, order=None, order_external_id="9001", is_dirty=False)
    orders.link_order(rma=second, order=order)
    assert is_dirty(first)
    assert is_dirty(second)


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({"order_line_external_id": "2", "sku": "SHIRT-M"}, "2"),  # the id wins over the article
        ({"order_line_external_id": "99", "sku": "SHIRT-M"}, None),  # and nothing stands in for a wrong one
        ({"variant_external_id": "502", "sku": "no such"}, "2"),
        ({"variant_external_id": "501", "sku": "SHIRT-L"}, "1"),  # a product without variations is its own variant
        ({"variant_external_id": "999", "sku": "SHIRT-M"}, None),
        ({"sku": "SHIRT-M"}, "1"),
        ({"sku": "TWICE"}, None),
        ({"sku": "PARENT"}, None),  # the shop shows the parent's SKU: it names no one article
        ({"sku": "POST"}, None),  # postage is not goods
        ({"sku": ""}, None),
    ],
)
def test_which_line_of_the_order_an_item_is(shop: Connection, named: dict[str, str], found: str | None) -> None:
    order = read(
        shop,
        snapshot(
            shirt("1", sku="SHIRT-M", product_id="501"),
            shirt("2", sku="SHIRT-L", product_id="500", variation_id="502"),
            shirt("3", sku="TWICE", product_id="503"),
            shirt("4", sku="TWICE", product_id="504"),
            shirt("5", sku="PARENT", product_id="505", is_sku_ambiguous=True),
            shirt("6", kind="shipping", sku="POST", product_id="", net=Decimal("4.17")),
        ),
    )
    fields = {"order_line_external_id": "", "variant_external_id": "", "is_matched": False} | named
    line = make.ReturnLineFactory(rma=a_return_of(order), **fields)
    orders.match_lines(rma=line.rma)
    line.refresh_from_db()
    assert (line.order_line.external_id if line.order_line else None) == found


def test_without_an_order_nothing_is_matched() -> None:
    line = make.ReturnLineFactory(rma=make.ReturnFactory(order=None), is_matched=False)
    orders.match_lines(rma=line.rma)
    line.refresh_from_db()
    assert line.order_line is None


def test_a_line_added_by_an_edit_is_found_by_the_return_that_named_it(shop: Connection) -> None:
    rma = a_return_of(read(shop, snapshot()))
    line = make.ReturnLineFactory(rma=rma, is_matched=False, order_line_external_id="2")
    order = read(shop, snapshot(shirt(), shirt("2", sku="SHIRT-L")), minutes=1)
    line.refresh_from_db()
    assert line.order_line == order.lines.get(external_id="2")
    assert is_dirty(rma)


def test_an_article_removed_and_added_again_by_an_edit_is_not_ambiguous(shop: Connection) -> None:
    rma = a_return_of(read(shop, snapshot(shirt("1"))))
    line = make.ReturnLineFactory(rma=rma, is_matched=False, order_line_external_id="", sku="SHIRT-M")
    orders.match_lines(rma=rma)
    order = read(shop, snapshot(shirt("2")), minutes=1)
    line.refresh_from_db()
    assert line.order_line == order.lines.get(external_id="2")


def test_an_article_that_an_edit_makes_ambiguous_is_let_go(shop: Connection) -> None:
    rma = a_return_of(read(shop, snapshot(shirt("1"))))
    line = make.ReturnLineFactory(rma=rma, is_matched=False, order_line_external_id="", sku="SHIRT-M")
    orders.match_lines(rma=rma)
    read(shop, snapshot(shirt("1"), shirt("2")), minutes=1)
    line.refresh_from_db()
    assert line.order_line is None
