"""The connector against the simulated shop over real HTTP: every effect once, whatever happens to the answer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from requests.auth import HTTPBasicAuth

from connectors.http import make_caller, new_session
from connectors.ports import (
    AuthFailed,
    Found,
    Intent,
    Link,
    Lookup,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Retryable,
    Sent,
)
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.faults import Fault, FaultKind
from connectors.simulators.server import serve
from connectors.simulators.woocommerce import CartLine, Order, Product, RefundLine, WooShop
from connectors.woocommerce import polling, webhooks
from connectors.woocommerce.actions import EFFECTS
from connectors.woocommerce.checks import check
from connectors.woocommerce.connector import CONNECTOR
from connectors.woocommerce.links import API, api_url
from connectors.woocommerce.reading import read_order
from connectors.woocommerce.timing import SETTLE_S
from returnsops.planning.view import order_fingerprint
from tests.connectors.woocommerce.intents import KEY, line, mark_intent, refund_intent, restock_intent
from tests.connectors.woocommerce.scripted import NOW, config

D = Decimal
REFUNDS = r"/orders/\d+/refunds$"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A shop on loopback and a link to it."""

    shop: WooShop
    link: Link
    clock: SimulatedClock
    shirt: Product
    book: Product

    def look_up(self, intent: Intent) -> Lookup:
        return EFFECTS[intent.kind].look_up(self.link, intent)

    def send(self, intent: Intent, lookup: Lookup | None = None) -> Sent:
        return EFFECTS[intent.kind].send(self.link, intent, lookup or self.look_up(intent))

    def deliver(self, intent: Intent) -> Sent:
        """Look up, send what is absent, look up again: the happy path."""
        found = self.look_up(intent)
        assert found.found is Found.ABSENT
        sent = self.send(intent, found)
        assert self.look_up(intent).found is Found.COMPLETE
        return sent

    def linked(self, **changes: Any) -> Link:
        """The same shop with other settings."""
        values = {"base_url": self.link.config.base_url, "time_zone": "Europe/Madrid"}
        return Link(config=config(**{**values, **changes}), call=self.link.call, now=self.clock.now)

    def fault(self, kind: FaultKind, **details: Any) -> None:
        self.shop.faults.script(Fault(kind=kind, **({"method": "POST", "path_pattern": REFUNDS} | details)))


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = SimulatedClock(NOW)
    with requests.Session() as deliveries, new_session() as session:
        shop = WooShop(clock=clock, session=deliveries)
        shop.add_key("ck_test", "cs_test")
        shop.add_tax_rate(D("21"), name="IVA 21", country="ES")
        shop.add_tax_rate(D("10"), name="IVA 10", country="ES", tax_class="reduced-rate")
        server = serve(shop.app)
        try:
            yield Stage(
                shop=shop,
                link=Link(
                    config=config(base_url=server.url, time_zone="Europe/Madrid"),
                    call=make_caller(session=session, before_call=None, record=None, now=clock.now),
                    now=clock.now,
                ),
                clock=clock,
                shirt=shop.add_product("Linen shirt", D("24.99"), sku="SHIRT-1", stock_quantity=50),
                book=shop.add_product(
                    "Guide book", D("13.33"), sku="BOOK-1", stock_quantity=30, tax_class="reduced-rate"
                ),
            )
        finally:
            server.stop()


def place(stage: Stage, quantity: int = 3, **more: Any) -> Order:
    """The recorded order: three shirts and two books, 5 % off, shipping."""
    lines = [
        CartLine(product_id=stage.shirt.id, quantity=quantity),
        CartLine(product_id=stage.book.id, quantity=2),
    ]
    coupon = stage.shop.add_coupon(f"five{len(stage.shop.state.coupons)}", D(5))
    return stage.shop.place_order(lines, coupons=[coupon], shipping=D("5.00"), **more)


def shirt_refund(order: Order, **changes: Any) -> Intent:
    """One of the three shirts."""
    item = line(str(order.items[0].id), 1, "23.74", {"1": "4.99"})
    return refund_intent(str(order.id), **({"amount": "28.73", "lines": [item]} | changes))


def shirt_restock(stage: Stage, order: Order, quantity: int = 1, **changes: Any) -> Intent:
    return restock_intent(
        str(order.id),
        line_id=str(order.items[0].id),
        quantity=quantity,
        planned_at=stage.clock.now() - timedelta(seconds=1),
        **changes,
    )


# --- reading -----------------------------------------------------------------------------------------------------


def test_the_final_order_as_the_recorded_store_gave_it(stage: Stage) -> None:
    order = place(stage)

    snapshot = read_order(stage.link, str(order.id))

    assert snapshot is not None
    assert snapshot.total == D("120.09")
    assert [(one.kind, one.net, [(t.rate_id, t.amount) for t in one.taxes]) for one in snapshot.lines] == [
        ("item", D("71.22"), [("1", D("14.96"))]),
        ("item", D("25.33"), [("2", D("2.53"))]),
        ("shipping", D("5.00"), [("1", D("1.05"))]),
    ]
    assert [one.reduced_stock for one in snapshot.lines] == [3, 2, None]
    assert snapshot.placed_at == NOW


def test_an_edited_order_is_read_as_it_is_now(stage: Stage) -> None:
    order = place(stage)
    before = read_order(stage.link, str(order.id))
    stage.shop.edit_order(order.id, quantities={order.items[0].id: 2})
    after = read_order(stage.link, str(order.id))
    assert before is not None
    assert after is not None
    assert (before.lines[0].quantity, after.lines[0].quantity) == (3, 2)
    assert order_fingerprint(before) != order_fingerprint(after)


def test_unknown_orders_and_orders_in_the_bin(stage: Stage) -> None:
    order = place(stage)
    stage.shop.trash(order.id)
    in_bin = read_order(stage.link, str(order.id))
    assert read_order(stage.link, "999999") is None
    assert in_bin is not None
    assert (in_bin.is_gone, in_bin.is_locked) == (True, True)


def test_variations_with_their_parents_sku_are_ambiguous(stage: Stage) -> None:
    parent = stage.shop.add_product("Trainer", None, type="variable", sku="TRAIN")
    own = stage.shop.add_variation(parent, D(80), options={"size": "40"}, sku="TRAIN-40", stock_quantity=5)
    inherited = stage.shop.add_variation(parent, D(80), options={"size": "41"}, stock_quantity=5)
    lines = [CartLine(product_id=parent.id, variation_id=v.id) for v in (own, inherited)]
    order = stage.shop.place_order([*lines, CartLine(product_id=parent.id)])

    snapshot = read_order(stage.link, str(order.id))

    assert snapshot is not None
    assert [(one.sku, one.is_sku_ambiguous) for one in snapshot.lines] == [
        ("TRAIN-40", False),
        ("TRAIN", True),
        ("TRAIN", True),
    ]


@pytest.mark.parametrize(("currency", "decimals", "price"), [("JPY", 0, "2499"), ("KWD", 3, "24.995")])
def test_currencies_of_other_digits(stage: Stage, currency: str, decimals: int, price: str) -> None:
    stage.shop.settings.currency, stage.shop.settings.price_decimals = currency, decimals
    shirt = stage.shop.add_product("Shirt", D(price), sku="S", stock_quantity=5)
    order = stage.shop.place_order([CartLine(product_id=shirt.id, quantity=3)])
    snapshot = read_order(stage.link, str(order.id))
    assert snapshot is not None
    sold = snapshot.lines[0]
    intent = refund_intent(
        str(order.id),
        amount=str(snapshot.total),
        lines=[line(sold.line_id, 3, str(sold.net), {"1": str(sold.taxes[0].amount)})],
        currency=currency,
    )

    stage.deliver(intent)

    assert sold.net + sold.taxes[0].amount == snapshot.total == stage.shop.refunded_total(order.id)
    assert stage.shop.state.orders[order.id].status == "refunded"


# --- money -------------------------------------------------------------------------------------------------------


def test_a_refund_by_line_moves_money_on_paper_only(stage: Stage) -> None:
    order = place(stage)

    sent = stage.deliver(shirt_refund(order))

    [made] = stage.shop.refunds_of(order.id)
    assert (str(made.id), made.amount, made.reason) == (sent.remote_id, D("28.73"), f"{KEY} too small")
    assert {meta.key: meta.value for meta in made.meta}["_returnsops_key"] == KEY
    assert stage.shop.gateway_payouts == []
    assert stage.shop.stock_of(stage.shirt.id) == 47, "a refund never restocks"
    assert (
        sent.remote_url == f"{stage.link.config.base_url}/wp-admin/admin.php?page=wc-orders&action=edit&id={order.id}"
    )


def test_the_remainder_on_the_last_unit_refunds_the_order_to_the_cent(stage: Stage) -> None:
    order = stage.shop.place_order([CartLine(product_id=stage.shirt.id, quantity=3, discount=D("3.75"))])
    item = str(order.items[0].id)
    for number, (net, tax, amount) in enumerate(
        [("23.74", "4.99", "28.73"), ("23.74", "4.98", "28.72"), ("23.74", "4.99", "28.73")], start=1
    ):
        key = f"refund:reveni/ret-{number}:rf"
        lines = [line(item, 1, net, {"1": tax})]
        stage.deliver(refund_intent(str(order.id), amount=amount, lines=lines, key=key, remote_key=key))

    assert stage.shop.refunded_total(order.id) == D("86.18")
    assert stage.shop.state.orders[order.id].status == "refunded"


@pytest.mark.parametrize(
    ("kind", "is_there"),
    [
        (FaultKind.LOST_ANSWER, True),
        (FaultKind.LOST_REQUEST, False),
        (FaultKind.SERVER_ERROR, False),
        (FaultKind.SERVER_ERROR_AFTER_COMMIT, True),
    ],
)
def test_an_answer_that_does_not_come_is_looked_up(stage: Stage, kind: FaultKind, is_there: bool) -> None:
    order = place(stage)
    intent = shirt_refund(order)
    stage.fault(kind)

    with pytest.raises(OutcomeUnknown):
        stage.send(intent)

    assert stage.look_up(intent).found is (Found.COMPLETE if is_there else Found.ABSENT)
    assert len(stage.shop.refunds_of(order.id)) == int(is_there)


def test_a_commit_after_we_gave_up_is_found_later(stage: Stage) -> None:
    order = place(stage)
    intent = shirt_refund(order)
    stage.fault(FaultKind.LATE_COMMIT)
    with pytest.raises(OutcomeUnknown):
        stage.send(intent)
    assert stage.look_up(intent).found is Found.ABSENT

    stage.shop.app.release()

    assert stage.look_up(intent).found is Found.COMPLETE
    assert len(stage.shop.refunds_of(order.id)) == 1


def test_a_crash_before_the_meta_leaves_the_key_in_the_reason(stage: Stage) -> None:
    order = place(stage)
    intent = shirt_refund(order)
    stage.send(intent)
    stage.shop.refunds_of(order.id)[0].meta.clear()
    assert stage.look_up(intent).found is Found.COMPLETE


def test_429_says_when_to_come_back_and_did_nothing(stage: Stage) -> None:
    order = place(stage)
    stage.fault(FaultKind.RATE_LIMITED, retry_after_s=17)
    with pytest.raises(RateLimited) as limited:
        stage.send(shirt_refund(order))
    assert limited.value.after_s == 17
    assert stage.shop.refunds_of(order.id) == []


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_page_instead_of_data_is_no_order(stage: Stage, status: int) -> None:
    order = place(stage)
    stage.fault(FaultKind.SERVER_ERROR, method="GET", path_pattern="/orders", status=status)
    with pytest.raises(Retryable, match=f"HTTP {status} with a page instead of data"):
        read_order(stage.link, str(order.id))


def test_an_order_refunded_meanwhile_by_hand_is_refused_as_http_500_and_definite(stage: Stage) -> None:
    order = place(stage)
    intent = shirt_refund(order)
    found = stage.look_up(intent)
    stage.shop.staff_refund(order.id, D("100.00"))

    with pytest.raises(Rejected) as refusal:
        stage.send(intent, found)

    assert refusal.value.code == "woocommerce_rest_cannot_create_order_refund"
    assert refusal.value.evidence["status"] == 500
    assert stage.shop.refunded_total(order.id) == D("100.00")


def test_our_refund_is_found_behind_pages_of_ten(stage: Stage) -> None:
    """The list gives ten unless asked, and ours is the oldest."""
    order = place(stage)
    intent = shirt_refund(order)
    stage.deliver(intent)
    for _ in range(25):
        stage.shop.staff_refund(order.id, D("0.10"))

    found = stage.look_up(intent)

    assert found.found is Found.COMPLETE
    assert found.order is not None
    assert len(found.order.refunds) == 26
    assert sum(refund.amount for refund in found.order.refunds) == D("31.23")


def test_two_workers_at_once_make_two_records_and_a_person_hears_of_it(stage: Stage) -> None:
    """The shop has no lock (observed 4.5): the effect's lease and the serial key prevent it, the look-up shows it."""
    order = place(stage)
    intent = shirt_refund(order)
    found = stage.look_up(intent)
    stage.shop.settings.has_refund_lock = False
    both = threading.Barrier(2, timeout=10)
    stage.shop.state.refund_pause = both.wait

    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(lambda _: stage.send(intent, found), range(2)))

    again = stage.look_up(intent)
    assert {one.remote_id for one in sent} == set(again.remote_ids.values())
    assert again.found is Found.AMBIGUOUS


def test_a_twin_by_hand_is_not_doubled(stage: Stage) -> None:
    order = place(stage)
    intent = shirt_refund(order)
    item = order.items[0]
    taken = RefundLine(item_id=item.id, quantity=1, total=D("23.74"), taxes={1: D("4.99")})
    stage.shop.staff_refund(order.id, D("28.73"), lines=[taken])
    assert stage.look_up(intent).found is Found.AMBIGUOUS


# --- the gateway -------------------------------------------------------------------------------------------------


def paid_by_gateway(stage: Stage, **gateway: Any) -> tuple[Order, Intent]:
    stage.shop.add_gateway("stripe", **gateway)
    order = place(stage, payment_method="stripe")
    return order, shirt_refund(order, executed_by="commerce_platform")


def test_the_shops_gateway_pays_once(stage: Stage) -> None:
    order, intent = paid_by_gateway(stage)
    stage.deliver(intent)
    assert [(payout.amount, payout.currency) for payout in stage.shop.gateway_payouts] == [(D("28.73"), "EUR")]
    assert len(stage.shop.refunds_of(order.id)) == 1


def test_a_gateway_that_paid_and_then_erred_is_never_asked_again(stage: Stage) -> None:
    order, intent = paid_by_gateway(stage, failure="paid_then_error")
    with pytest.raises(OutcomeUnknown):
        stage.send(intent)

    attempted = refund_intent(
        str(order.id),
        amount="28.73",
        lines=list(intent.payload["lines"]),
        executed_by="commerce_platform",
        first_attempt_at=stage.clock.now(),
    )
    stage.clock.advance(SETTLE_S)

    found = stage.look_up(attempted)
    assert found.found is Found.AMBIGUOUS
    assert "Look for the payment at the gateway first" in found.text
    assert len(stage.shop.gateway_payouts) == 1
    assert stage.shop.refunds_of(order.id) == []


def test_a_payment_method_that_cannot_refund_is_refused_before_anything_is_sent(stage: Stage) -> None:
    order = place(stage)
    with pytest.raises(Rejected) as refusal:
        stage.send(shirt_refund(order, executed_by="commerce_platform"))
    assert refusal.value.code == "gateway_cannot_refund"
    assert stage.shop.refunds_of(order.id) == []
    assert not [call for call in stage.shop.calls.all() if call.method == "POST" and call.path.endswith("/refunds")]


def test_where_gateways_cannot_be_read_the_refusal_with_500_says_nothing(stage: Stage) -> None:
    order = place(stage)
    stage.fault(FaultKind.SERVER_ERROR, method="GET", path_pattern="/payment_gateways/", times=9)
    with pytest.raises(OutcomeUnknown):
        stage.send(shirt_refund(order, executed_by="commerce_platform"))
    assert stage.shop.refunds_of(order.id) == []


# --- stock -------------------------------------------------------------------------------------------------------


def test_a_restock_moves_stock_and_no_money(stage: Stage) -> None:
    order = place(stage)
    assert stage.shop.stock_of(stage.shirt.id) == 47

    sent = stage.deliver(shirt_restock(stage, order, 2))

    assert stage.shop.stock_of(stage.shirt.id) == 49
    assert stage.shop.refunded_total(order.id) == 0
    assert sent.evidence["read_back"] == "reduced stock 3 -> 1"
    snapshot = read_order(stage.link, str(order.id))
    assert snapshot is not None
    assert snapshot.lines[0].reduced_stock == 1
    assert [refund.is_zero_money for refund in snapshot.refunds] == [True]


def test_restock_and_refund_of_one_line_do_not_mind_each_other(stage: Stage) -> None:
    order = place(stage)
    basis = stage.look_up(shirt_refund(order)).order
    stage.deliver(shirt_restock(stage, order))
    after = stage.look_up(shirt_refund(order)).order
    assert basis is not None
    assert after is not None
    assert order_fingerprint(basis) == order_fingerprint(after), "a restock does not send a refund back to planning"
    stage.deliver(shirt_refund(order))
    assert (stage.shop.stock_of(stage.shirt.id), stage.shop.refunded_total(order.id)) == (48, D("28.73"))


def test_a_refunded_order_can_still_be_restocked(stage: Stage) -> None:
    order = place(stage)
    stage.deliver(refund_intent(str(order.id), amount="120.09"))
    stage.deliver(shirt_restock(stage, order, 3))
    assert stage.shop.stock_of(stage.shirt.id) == 50


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.SERVER_ERROR_AFTER_COMMIT])
def test_a_restock_whose_answer_is_lost_is_found(stage: Stage, kind: FaultKind) -> None:
    order = place(stage)
    intent = shirt_restock(stage, order)
    stage.fault(kind)
    with pytest.raises(OutcomeUnknown):
        stage.send(intent)
    assert stage.look_up(intent).found is Found.COMPLETE
    assert stage.shop.stock_of(stage.shirt.id) == 48


def impossible(stage: Stage, intent: Intent) -> str:
    found = stage.look_up(intent)
    stage.shop.calls.clear()
    with pytest.raises(Rejected) as refusal:
        stage.send(intent, found)
    assert refusal.value.code == "restock_impossible"
    assert stage.shop.calls.writes() == []
    return refusal.value.text


def test_what_cannot_be_restocked_is_never_posted(stage: Stage) -> None:
    box = stage.shop.add_product("Gift box", D("5.00"), sku="BOX", stock_quantity=None)
    order = stage.shop.place_order([CartLine(product_id=box.id)])
    assert "taken from stock" in impossible(stage, shirt_restock(stage, order))

    order = place(stage)
    assert "will not put 4 back" in impossible(stage, shirt_restock(stage, order, 4))

    stage.shop.set_status(order.id, "cancelled")
    assert "will not put 1 back" in impossible(stage, shirt_restock(stage, order))

    order = place(stage)
    stage.shop.delete_product(stage.shirt.id)
    assert "no longer exists" in impossible(stage, shirt_restock(stage, order))


def test_a_variation_goes_back_to_its_own_stock(stage: Stage) -> None:
    parent = stage.shop.add_product("Trainer", None, type="variable", sku="TRAIN")
    size = stage.shop.add_variation(parent, D(80), options={"size": "40"}, sku="TRAIN-40", stock_quantity=5)
    order = stage.shop.place_order([CartLine(product_id=parent.id, variation_id=size.id)])
    stage.deliver(shirt_restock(stage, order, product_id=str(parent.id), variation_id=str(size.id)))
    assert stage.shop.stock_of(parent.id, size.id) == 5


# --- notes and mirrors -------------------------------------------------------------------------------------------


def test_a_note_once_and_for_staff_only(stage: Stage) -> None:
    order = place(stage)
    token = "[RMA-77/received]"
    intent = mark_intent("note", str(order.id), {"token": token, "text": f"{token} 2 items <b>arrived</b> & counted."})
    stage.deliver(intent)
    notes = [note for note in stage.shop.state.notes if token in note.text]
    assert [(note.is_for_customer, note.author) for note in notes] == [(False, "WooCommerce")]


def test_a_mirror_changes_one_meta_entry_and_no_total(stage: Stage) -> None:
    order = place(stage)
    before = read_order(stage.link, str(order.id))
    for value in ("received", "inspected: 1 sellable"):
        intent = mark_intent("mirror", str(order.id), {"field": "status", "value": value})
        stage.deliver(intent)
    after = read_order(stage.link, str(order.id))
    assert before is not None
    assert after is not None
    assert after.meta == {"_returnsops_status": "inspected: 1 sellable"}
    assert (after.total, after.lines, after.status) == (before.total, before.lines, before.status)
    assert order_fingerprint(after) == order_fingerprint(before)


# --- credentials -------------------------------------------------------------------------------------------------


def test_basic_over_http_looks_like_no_rights_which_is_why_we_sign(stage: Stage) -> None:
    url = api_url(stage.link.config, "/orders")
    answer = stage.link.call("GET", url, auth=HTTPBasicAuth("ck_test", "cs_test"))
    assert (answer.status, answer.json["code"]) == (401, "woocommerce_rest_cannot_view")
    assert read_order(stage.link, "999999") is None, "signed, the same keys may read"


def test_wrong_and_read_only_keys(stage: Stage) -> None:
    order = place(stage)
    stage.shop.add_key("ck_read", "cs_read", permissions="read")
    wrong = stage.linked(secrets={"consumer_key": ("ck_test",), "consumer_secret": ("wrong",)})
    reader = stage.linked(secrets={"consumer_key": ("ck_read",), "consumer_secret": ("cs_read",)})

    with pytest.raises(AuthFailed):
        read_order(wrong, str(order.id))
    found = EFFECTS["refund"].look_up(reader, shirt_refund(order))
    with pytest.raises(AuthFailed):
        EFFECTS["refund"].send(reader, shirt_refund(order), found)
    assert stage.shop.refunds_of(order.id) == []


def test_every_call_is_signed_anew(stage: Stage) -> None:
    order = place(stage)
    for _ in range(3):
        assert read_order(stage.link, str(order.id)) is not None
    assert len(stage.shop.state.nonces) == len(stage.shop.calls.all())


def test_no_call_names_a_key_in_its_address(stage: Stage) -> None:
    stage.deliver(shirt_refund(place(stage)))
    assert all(API in call.path for call in stage.shop.calls.all())
    names = {name for call in stage.shop.calls.all() for name, _ in call.query}
    assert names <= {"per_page", "page", "include"}


# --- polling -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/New_York", "Pacific/Auckland", "UTC"])
def test_polling_finds_the_same_orders_in_every_time_zone(stage: Stage, zone: str) -> None:
    stage.shop.settings.timezone = zone
    old = place(stage)
    stage.clock.advance(3600)
    cursor = polling.write_cursor(polling.parse_cursor("", now=stage.clock.now()))
    fresh = place(stage)
    stage.shop.staff_refund(fresh.id, D("1.00"))
    items: list[Any] = []
    for _ in range(9):
        page = polling.poll(stage.link, cursor)
        items, cursor = items + list(page.items), page.cursor
        if page.is_last:
            break

    assert [(item.topic, item.hint_key) for item in items] == [
        ("poll.order", f"order:{fresh.id}"),
        ("poll.refund", f"order:{fresh.id}"),
    ]
    assert old.id != fresh.id


def test_a_mark_of_ours_comes_back_as_one_hint(stage: Stage) -> None:
    order = place(stage)
    stage.clock.advance(3600)
    before = polling.poll(stage.link, "")
    stage.deliver(mark_intent("mirror", str(order.id), {"field": "status", "value": "received"}))
    after = polling.poll(stage.link, "")
    assert before.items == ()
    assert [item.hint_key for item in after.items] == [f"order:{order.id}"]


# --- webhooks and the check --------------------------------------------------------------------------------------


def test_webhooks_are_registered_watched_and_switched_on_again(stage: Stage) -> None:
    url = f"{stage.link.config.base_url}/nobody-listens"
    webhooks.ensure_webhooks(stage.link, url)
    webhooks.ensure_webhooks(stage.link, url)
    assert sorted(hook.topic for hook in stage.shop.state.webhooks.values()) == sorted(webhooks.TOPICS)
    assert {hook.secret for hook in stage.shop.state.webhooks.values()} == {"abcdefgh12345678"}

    order = place(stage)
    for _ in range(8):
        stage.shop.set_status(order.id, "completed")
        stage.shop.webhooks.deliver_pending()
    off = [state.topic for state in webhooks.list_webhooks(stage.link) if not state.is_active]
    assert off == ["order.updated"]

    assert all(state.is_active for state in webhooks.ensure_webhooks(stage.link, url))
    assert all(state.is_active for state in webhooks.list_webhooks(stage.link))


def test_the_check_of_a_shop_in_good_order(stage: Stage) -> None:
    place(stage)
    url = f"{stage.link.config.base_url}/nobody-listens"
    webhooks.ensure_webhooks(stage.link, url)
    stage.shop.calls.clear()

    lines = {one.name: one for one in check(stage.linked(webhook_url=url))}
    del lines["clock"]  # the answer's Date is real time, the clock of the test is not

    assert [one for one in lines.values() if not one.is_ok] == []
    assert [call.path for call in stage.shop.calls.writes()] == [f"{API}/orders/0"]


def test_the_check_finds_a_read_only_key_and_a_wrong_time_zone(stage: Stage) -> None:
    place(stage)
    stage.shop.add_key("ck_read", "cs_read", permissions="read")
    secrets = {"consumer_key": ("ck_read",), "consumer_secret": ("cs_read",), "webhook_secret": ("abcdefgh12345678",)}
    lines = {one.name: one for one in check(stage.linked(secrets=secrets, time_zone="America/New_York"))}
    assert (lines["credentials"].is_ok, lines["write permission"].is_ok) == (True, False)
    assert lines["time zone"].is_ok is False


def test_what_the_connector_declares() -> None:
    assert (CONNECTOR.vendor, CONNECTOR.role) == ("woocommerce", "commerce")
    assert set(CONNECTOR.effects) >= {"refund", "restock", "take_out", "store_credit", "void_credit", "note", "mirror"}
    assert CONNECTOR.capabilities.settle_s >= CONNECTOR.capabilities.call_deadline_s
