"""Before a return begins: is this order theirs, are these units returnable, is the window open (S4-5, as S1-7)."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
import requests

from connectors import eligibility_view
from connectors.simulators.faults import Fault, FaultKind
from connectors.simulators.woocommerce.records import Order
from connectors.simulators.woocommerce.refund_writing import RefundLine
from returnsops import states
from returnsops.models import InboundEvent
from returnsops.models import Order as OrderRow
from tests.journeys.calling import call, token
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db

WINDOW = "return_window_days = 30"
EMAIL = "ana@example.com"


@pytest.fixture(autouse=True)
def pauses() -> Iterator[mock.Mock]:
    """Nothing is waited for; what would have been is seen."""
    with mock.patch.object(eligibility_view, "pause") as pause:
        yield pause


def bought(w: World, *, units: int = 2, **details: Any) -> Order:
    shirt, mug = w.product(), w.product("MUG", price="12.00")
    return w.order((shirt, units), (mug, 1), email=EMAIL, **details)


def asked(order: Order, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    entries = list(lines) or [{"line_id": str(order.items[0].id), "quantity": 1}]
    return {"order_number": str(order.id), "email": EMAIL, "lines": entries, **changes}


def ask(body: Any, *, secret: str) -> requests.Response:
    return call("eligibility", body, secret=secret)


def codes(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [line["code"] for line in response.json()["lines"]]


@pytest.mark.requirement("S4-5")
def test_table_of_reasons() -> None:
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w)
        shirt, mug = (str(item.id) for item in order.items)
        table: list[tuple[dict[str, Any], str]] = [
            ({"line_id": shirt, "quantity": 2}, "eligible"),
            ({"sku": "TEE-BLK-M", "quantity": 1}, "eligible"),
            ({"line_id": mug, "sku": "MUG", "quantity": 1}, "eligible"),
            ({"line_id": "999999", "quantity": 1}, "line_not_on_order"),
            ({"sku": "HAT", "quantity": 1}, "line_not_on_order"),
            ({"line_id": shirt, "quantity": 3}, "too_many"),
        ]
        assert [codes(ask(asked(order, entry), secret=secret))[0] for entry, _ in table] == [code for _, code in table]

        answer = ask(asked(order, table[0][0], table[3][0]), secret=secret).json()
        assert answer["eligible"] is False
        assert answer["window"] == {
            "days": 30,
            "last_date": "2026-12-02",
            "closes_at": "2026-12-03T00:00:00+01:00",
            "time_zone": "Europe/Madrid",
        }
        assert answer["lines"][0] == {
            "line_id": shirt,
            "sku": "TEE-BLK-M",
            "quantity": 2,
            "eligible": True,
            "code": "eligible",
            "text": "This can be returned.",
            "bought": 2,
            "returned": 0,
            "returnable": 2,
        }
        assert OrderRow.objects.count() == 0  # asking keeps nothing of the customer
        assert InboundEvent.objects.count() == 0
        assert w.writes() == []


@pytest.mark.requirement("S4-5")
@pytest.mark.parametrize(
    ("days", "closes_at"),
    [
        (30, "2026-12-02T23:00:00+00:00"),
        (146, "2027-03-28T22:00:00+00:00"),  # the night in which Madrid's clocks go forward
    ],
)
def test_the_window_closes_by_one_second_in_the_shop_s_time_zone(days: int, closes_at: str) -> None:
    with world(policy=f"return_window_days = {days}") as w:
        secret, order = token(w), bought(w)
        closing = datetime.fromisoformat(closes_at)
        w.shift((closing - w.now()).total_seconds() - 1)
        assert codes(ask(asked(order), secret=secret)) == ["eligible"]
        w.shift(1)
        late = ask(asked(order), secret=secret)
        assert codes(late) == ["window_closed"]
        assert late.json()["lines"][0]["returnable"] == 0


@pytest.mark.requirement("S4-5")
def test_an_unknown_order_and_a_wrong_address_are_told_the_same(pauses: mock.Mock) -> None:
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w)
        nameless = w.order((w.product("CAP"), 1), email="")
        answers = [
            ask(asked(order, order_number="999999"), secret=secret),
            ask(asked(order, email="eve@example.com"), secret=secret),
            ask(asked(order, order_number="none such"), secret=secret),
            ask(asked(order, order_number=str(nameless.id)), secret=secret),
            ask(asked(order, order_number="\u0661\u0662"), secret=secret),  # digits, but no number of a shop
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
        assert pauses.call_count == len(answers)  # none is told sooner than the others

        assert codes(ask(asked(order, email=" ANA@Example.com "), secret=secret)) == ["eligible"]
        assert pauses.call_count == len(answers)


def test_an_order_in_the_bin_is_unknown_and_a_cancelled_one_not_returnable() -> None:
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w)
        w.shop.set_status(order.id, "cancelled")
        assert codes(ask(asked(order), secret=secret)) == ["order_locked"]
        w.shop.trash(order.id)
        assert ask(asked(order), secret=secret).status_code == 404


def test_an_id_serves_without_an_address_and_checks_one_that_is_given() -> None:
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w)
        lines = asked(order)["lines"]
        assert codes(ask({"order_id": str(order.id), "lines": lines}, secret=secret)) == ["eligible"]
        wrong = ask({"order_id": str(order.id), "email": "eve@example.com", "lines": lines}, secret=secret)
        assert wrong.status_code == 404


@pytest.mark.requirement("S4-5")
def test_open_returns_and_refunds_by_anyone_count_once() -> None:
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w, units=4)
        return_id = w.ask(order, quantity=1)
        w.settle()
        first = str(order.items[0].id)

        def left() -> tuple[int, int]:
            line = ask(asked(order, {"line_id": first, "quantity": 1}), secret=secret).json()["lines"][0]
            return line["returned"], line["returnable"]

        assert left() == (1, 3)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00", executed_by="commerce_platform")
        w.settle()
        assert len(w.money_refunds(order)) == 1
        assert left() == (1, 3)  # our refund and our restock are of that same unit

        by_hand = RefundLine(item_id=order.items[0].id, quantity=1, total=Decimal("30.00"))
        w.shop.staff_refund(order.id, Decimal("30.00"), lines=[by_hand])
        assert left() == (2, 2)
        w.platform.cancel(w.ask(order, quantity=1))
        w.settle()
        assert left() == (2, 2)  # a return that ended takes no unit


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.LOST_ANSWER, FaultKind.RATE_LIMITED])
def test_what_cannot_be_read_is_never_guessed(kind: FaultKind) -> None:
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w)
        w.shop.faults.script(Fault(kind=kind))
        response = ask(asked(order), secret=secret)
        assert (response.status_code, response.json()["code"]) == (503, "shop_unavailable")
        assert int(response.headers["Retry-After"]) >= 1
        w.shop.faults.clear()
        assert codes(ask(asked(order), secret=secret)) == ["eligible"]


def test_one_order_and_one_address_may_be_asked_about_only_so_often(settings: Any) -> None:
    settings.ELIGIBILITY_TRIES_PER_HOUR = 3
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w)
        other = token(w, name="other")
        statuses = [ask(asked(order, email=f"{n}@example.com"), secret=secret).status_code for n in range(4)]
        assert statuses == [404, 404, 404, 429]
        # Another caller gets no further tries, and the right address no exception.
        refused = ask(asked(order), secret=other)
        assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
        assert 0 < int(refused.headers["Retry-After"]) <= 3600
        w.shift(3600)
        w.shift(60)
        assert codes(ask(asked(order), secret=secret)) == ["eligible"]


def test_one_token_may_call_only_so_often(settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w)
        assert [ask(asked(order), secret=secret).status_code for _ in range(3)] == [200, 200, 429]
        assert ask(asked(order), secret=token(w, name="other")).status_code == 200


def test_the_final_order_counts_not_the_one_we_stored() -> None:
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w)
        w.ask(order, quantity=1)
        w.settle()
        assert OrderRow.objects.get().number == str(order.id)
        w.shop.edit_order(order.id, quantities={order.items[0].id: 1})
        found = ask(asked(order), secret=secret).json()["lines"][0]
        assert (found["code"], found["bought"], found["returned"]) == ("too_many", 1, 1)


def test_a_route_that_is_off_or_not_the_token_s_serves_nobody() -> None:
    with world(policy=WINDOW) as w:
        secret, order = token(w), bought(w)
        route = w.connection("shop").routes_as_commerce.get()
        assert codes(ask(asked(order, connection="shop", route="main"), secret=secret)) == ["eligible"]
        wrong = ask(asked(order, connection="elsewhere"), secret=secret)
        assert (wrong.status_code, wrong.json()["fields"][0]["field"]) == (422, "connection")
        route.mode = states.ROUTE_OFF
        route.save()
        assert ask(asked(order), secret=secret).status_code == 422
