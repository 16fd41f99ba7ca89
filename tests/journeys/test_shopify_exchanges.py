"""Shopify: a replacement order worth nothing, made once, its stock claimed, to be shipped, taken back while it can."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.shopify.records import Order, Variant
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.services.exchange_actions import variations
from tests.journeys.shopify_world import ShopifyWorld, gid, shopify_world
from tests.journeys.test_crash_journeys import Dying, settled

pytestmark = pytest.mark.django_db

OURS = (
    '[routes.policy.write_back]\nto_do = []\n[routes.policy.exchange]\nwriter = "us"\n'
    '[routes.policy.reversal]\nexchange = "automatic"\n'
)


def asked(w: ShopifyWorld, *, stock: int = 5) -> tuple[Order, Variant, str, str]:
    """Size 40 comes back and 41 is wanted at once: the order, 41, the return, the exchange."""
    wanted = w.variant("TRAIN-41", stock=stock)
    address = {"firstName": "Ada", "address1": "1 High St", "city": "Leeds", "zip": "LS1 1AA", "countryCode": "GB"}
    order = w.sale((w.variant("TRAIN-40"), 1), shipping_address=address)
    return_id = w.returning(order, resolution="exchange")
    line = {"sku": wanted.sku, "variant_id": gid("ProductVariant", wanted.id), "quantity": 1, "unit_price": "30.00"}
    exchange_id = w.platform.request_exchange(
        return_id, lines=[{**line, "replaces_item_id": w.item_id(return_id)}], is_instant=True
    )
    return order, wanted, return_id, exchange_id


def replacements(w: ShopifyWorld, order: Order) -> list[Order]:
    """Every order but the original."""
    return [one for one in w.store.state.orders.values() if one.id != order.id]


FAULTS = (FaultKind.LOST_ANSWER, FaultKind.LATE_COMMIT, FaultKind.SERVER_ERROR_AFTER_COMMIT, FaultKind.RATE_LIMITED)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_replacement_is_placed_once_and_cancelled_when_the_shopper_thinks_again(fault: FaultKind) -> None:
    with shopify_world(policy_tables=OURS) as w:
        w.store.faults.script(Fault(kind=fault, path_pattern="#ExchangeOrderCreate$", delay_s=20, retry_after_s=20))
        order, wanted, return_id, exchange_id = asked(w)
        w.settle()
        (made,) = replacements(w, order)
        effect = w.effect(return_id, states.EXCHANGE)
        assert (effect.state, effect.remote_id, w.open_cases()) == (states.CONFIRMED, gid("Order", made.id), [])
        assert [(line.variant_id, line.quantity, line.is_shipped) for line in made.lines] == [(wanted.id, 1, True)]
        assert (made.customer_id, made.first_total.shop) == (w.customer.id, Decimal(0))
        assert made.shipping_address == {**(order.shipping_address or {})}
        assert dict(made.attributes)["exchange_of"] == order.name
        assert (w.stock(wanted), w.stock(wanted, "committed")) == (4, 1)

        w.platform.cancel_exchange(return_id, exchange_id)
        w.settle()
        assert made.cancelled_at is not None
        assert (w.stock(wanted), w.stock(wanted, "committed")) == (5, 0)
        assert w.effect(return_id, states.CANCEL_EXCHANGE).state == states.CONFIRMED


@pytest.mark.requirement("S1-30")
@pytest.mark.parametrize("moment", ["send_begun", "sent"])
def test_a_crash_leaves_one_order(moment: str) -> None:
    with shopify_world(policy_tables=OURS) as w:
        dying = Dying(w, kind=states.EXCHANGE, moment=moment)
        order, *_ = asked(w)
        settled(w)
        assert dying.has_died
        assert (len(replacements(w, order)), w.open_cases()) == (1, [])


@pytest.mark.requirement("S1-30")
def test_a_request_that_got_lost_is_a_persons_question_since_the_index_proves_nothing() -> None:
    with shopify_world(policy_tables=OURS) as w:
        w.store.faults.script(Fault(kind=FaultKind.LOST_REQUEST, path_pattern="#ExchangeOrderCreate$"))
        order, _, return_id, _ = asked(w)
        w.settle()
        assert (replacements(w, order), w.open_cases()) == ([], [states.CASE_AMBIGUOUS_EXCHANGE])
        assert w.effect(return_id, states.EXCHANGE).state == states.UNKNOWN
        assert len(w.asked("ExchangeOrderCreate")) == 1


def test_sold_out_goods_are_refused_before_anything_is_written_and_another_size_is_chosen() -> None:
    with shopify_world(policy_tables=OURS) as w:
        order, wanted, *_ = asked(w, stock=0)
        product = w.store.state.products[wanted.product_id]
        size: dict[str, Any] = {"price": Decimal("30.00"), "is_tracked": True}
        other = w.store.add_variant(product, sku="TRAIN-42", title="42", stock={w.main.id: 1}, **size)
        w.store.add_variant(product, sku="TRAIN-43", title="43", stock={w.main.id: 0}, **size)
        w.settle()
        assert (replacements(w, order), w.open_cases()) == ([], [states.CASE_EXCHANGE_UNAVAILABLE])
        assert w.asked("ExchangeOrderCreate") == []
        case = ExceptionCase.objects.active().get()
        assert variations(case) == [(gid("ProductVariant", other.id), "Article TRAIN-41 - 42 (TRAIN-42, 1 left)")]
        given = {"variation": gid("ProductVariant", other.id)}
        queue.run_action(
            case=case, action_code="choose_variation", by=w.users["CX"], at=w.now(), reason="agreed", data=given
        )
        w.settle()
        (made,) = replacements(w, order)
        assert ([line.variant_id for line in made.lines], w.open_cases()) == ([other.id], [])


def test_an_order_that_left_is_not_cancelled() -> None:
    with shopify_world(policy_tables=OURS) as w:
        order, _, return_id, exchange_id = asked(w)
        w.settle()
        (made,) = replacements(w, order)
        w.store.fulfil(made)
        w.platform.cancel_exchange(return_id, exchange_id)
        w.settle()
        assert (made.cancelled_at, w.open_cases()) == (None, [states.CASE_EXCHANGE_SHIPPED])
