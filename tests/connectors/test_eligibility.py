"""Asking the shop within bounds: whatever keeps the answer away is "not now", never a guess."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from connectors import budget, eligibility, ports
from connectors.eligibility import Question, QuestionError, ShopUnavailable, check, route_for
from connectors.registry import connector_for
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.facts import OrderSnapshot
from returnsops.models import Route
from returnsops.planning.eligibility import Asked
from tests import factories as make
from tests.returnsops.planning import views

pytestmark = pytest.mark.django_db
NOW = make.NOW


def question(route: Route, **changes: Any) -> Question:
    given: dict[str, Any] = {"order_id": "18", "asked": [Asked(quantity=1, line_id="1")], **changes}
    return Question(route=route, **given)


def refused(route: Route, call: Any) -> ShopUnavailable:
    """What becomes of a question where the shop's HTTP does ``call``."""
    link = ports.Link(config=mock.Mock(settings={}, base_url="https://shop.example.com"), call=call, now=lambda: NOW)
    with mock.patch.object(eligibility, "link_for", return_value=link), pytest.raises(ShopUnavailable) as refusal:
        check(question(route), at=NOW)
    return refusal.value


def raising(error: Exception) -> mock.Mock:
    return mock.Mock(side_effect=error)


@pytest.fixture(autouse=True)
def unsigned() -> Any:
    with mock.patch("connectors.woocommerce.client.auth_for", return_value=None):
        yield


def test_an_open_breaker_and_a_vendor_that_asked_for_peace_are_not_asked() -> None:
    route = make.RouteFactory()
    row = make.ConnectionBudgetFactory(connection=route.commerce, blocked_until_at=NOW + timedelta(seconds=90))
    call = mock.Mock()
    assert refused(route, call).after_s == 90
    row.blocked_until_at, row.open_until_at = None, NOW + timedelta(seconds=40)
    row.save()
    assert refused(route, call).after_s == 40
    assert call.call_count == 0


def test_a_budget_that_refunds_need_is_left_to_them() -> None:
    route = make.RouteFactory()
    taken = {"next_slot_at": NOW + timedelta(seconds=budget.BURST_S + 3)}
    make.ConnectionBudgetFactory(connection=route.commerce, **taken)
    with (
        mock.patch.object(eligibility, "link_for", side_effect=_asking),
        pytest.raises(ShopUnavailable) as refusal,
    ):
        check(question(route), at=NOW)
    assert 1 <= refusal.value.after_s <= 5


def _asking(connection: Any, *, max_wait_s: float) -> ports.Link:
    """A link whose every call asks the budget first, as the real one does."""
    capabilities = connector_for("woocommerce").capabilities
    before_call = budget.before_call(
        connection_id=connection.pk, capabilities=capabilities, now=lambda: NOW, max_wait_s=max_wait_s
    )

    def call(method: str, url: str, **fields: Any) -> ports.Answer:
        before_call(f"{method} {url}")
        raise AssertionError("The budget let a call through.")

    return ports.Link(config=mock.Mock(settings={}, base_url="https://shop.example.com"), call=call, now=lambda: NOW)


def test_refused_credentials_pause_the_connection_with_one_case() -> None:
    route = make.RouteFactory()
    assert refused(route, raising(ports.AuthFailed("The key is wrong."))).after_s == eligibility.AGAIN_S
    assert [case.kind_code for case in ExceptionCase.objects.all()] == [states.CASE_CONNECTION_AUTH]


@pytest.mark.parametrize(
    ("error", "after_s"),
    [
        (ports.Retryable("no answer in time"), eligibility.AGAIN_S),
        (ports.RateLimited("too many", after_s=7.4), 7),
        (ports.Rejected("no permission", code="odd"), eligibility.AGAIN_S),
    ],
)
def test_every_error_of_the_shop_is_not_now(error: Exception, after_s: int) -> None:
    assert refused(make.RouteFactory(), raising(error)).after_s == after_s


def test_all_reads_of_a_question_share_one_deadline() -> None:
    route = make.RouteFactory()
    clock = mock.Mock(side_effect=[100.0, 100.0, 109.0, 116.0])
    seen: list[float] = []

    def call(method: str, url: str, *, timeout_s: float, **fields: Any) -> ports.Answer:
        seen.append(timeout_s)
        document = {"id": 18, "number": "18", "line_items": []} if url.endswith("/orders/18") else []
        return ports.Answer(status=200, headers={"x-wp-totalpages": "3"}, body=b"", json=document)

    with mock.patch("connectors.eligibility.time", mock.Mock(monotonic=clock)):
        refused(route, call)
    assert seen == [15.0, 6.0]


def test_a_number_we_stored_is_only_a_guess_at_the_id() -> None:
    """The shop renumbered: what our row calls 1001 is another order now, and the shop knows which one is meant."""
    route = make.RouteFactory()
    make.OrderFactory(connection=route.commerce, external_id="18", number="1001")
    orders = {"18": _order("18", "2001"), "19": _order("19", "1001")}
    connector = replace(
        connector_for("woocommerce"),
        read_order=lambda link, order_id: orders.get(order_id),
        find_order=lambda link, number: "19",
    )
    asked = question(route, order_id="", order_number="1001", email="sam@example.com")
    with mock.patch.object(eligibility, "connector_for", return_value=connector):
        assert check(asked, at=NOW).order.order_id == "19"
        orders["18"] = _order("18", "1001")
        assert check(asked, at=NOW).order.order_id == "18"


def _order(order_id: str, number: str) -> OrderSnapshot:
    return replace(views.order(), order_id=order_id, number=number, customer_email="Sam@example.com")


def test_a_shop_without_orders_is_not_now() -> None:
    route = make.RouteFactory(commerce__vendor="reveni")
    assert refused(route, mock.Mock()).after_s == eligibility.AGAIN_S


def test_the_route_is_named_where_several_could_be_meant() -> None:
    token = make.ApiTokenFactory()
    one = make.RouteFactory(name="one", commerce__name="shop-a")
    assert route_for(token=token, connection="", route="") == one
    two = make.RouteFactory(name="two", commerce=one.commerce)
    with pytest.raises(QuestionError, match="name the route") as error:
        route_for(token=token, connection="shop-a", route="")
    assert error.value.field == "route"
    assert route_for(token=token, connection="", route="two") == two
    make.RouteFactory(name="three", commerce__name="shop-b")
    with pytest.raises(QuestionError, match="name the connection"):
        route_for(token=token, connection="", route="")
    token.routes.add(two)
    assert route_for(token=token, connection="", route="") == two
    with pytest.raises(QuestionError) as error:
        route_for(token=token, connection="", route="one")
    assert error.value.field == "route"
