"""What the simulated platform lets a merchant tell it (assumed), and what it does about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connectors.call_templates import template_problems
from connectors.simulators.base import SimulatedClock
from connectors.simulators.reveni import API_KEY, ReveniPlatform
from connectors.simulators.reveni_write_back import PATHS, assumed_settings
from connectors.simulators.server import serve

ITEMS: list[dict[str, Any]] = [{"sku": "TEE", "quantity": 2, "unit_price": "15.00"}]
REFUND = {"amount": "30.00", "currency": "EUR", "reference": "900"}


@dataclass
class Desk:
    """A served platform with one return, whose write calls are on."""

    platform: ReveniPlatform
    url: str
    return_id: str

    def call(self, path: str, body: Any, *, method: str = "POST", key: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {API_KEY}", **({"Idempotency-Key": key} if key else {})}
        address = f"{self.url}/v1/returns/{self.return_id}{path}"
        return requests.request(method, address, json=body, headers=headers, timeout=10)

    def shown(self) -> dict[str, Any]:
        (document,) = self.platform.whole_returns()
        return document


@pytest.fixture
def desk() -> Iterator[Desk]:
    platform = ReveniPlatform(clock=SimulatedClock(datetime(2026, 5, 4, 9, tzinfo=UTC)))
    platform.merchant_desk.is_on = True
    server = serve(platform.simulator)
    yield Desk(platform=platform, url=server.url, return_id=platform.create_return(order_id="7", items=ITEMS))
    server.stop()


def test_off_it_only_reads(desk: Desk) -> None:
    desk.platform.merchant_desk.is_on = False
    answer = desk.call("/external-refunds", REFUND)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert desk.platform.merchant_desk.told == []


def test_what_it_was_told_of_refunds_is_shown_and_not_paid_again(desk: Desk) -> None:
    assert desk.call("/external-refunds", REFUND).status_code == 200
    assert desk.shown()["external_refunds"] == [{"key": "", **REFUND}]
    refund_id = desk.platform.issue_refund(desk.return_id, amount="30.00", executed_by="returns_platform")
    assert desk.platform.payouts == []
    (refund,) = desk.shown()["refunds"]
    assert (refund["id"], refund["executed_by"], refund["provider_reference"]) == (refund_id, "merchant", "900")


def test_more_than_it_was_told_of_is_paid(desk: Desk) -> None:
    desk.call("/external-refunds", {**REFUND, "amount": "29.99"})
    desk.platform.issue_refund(desk.return_id, amount="30.00", executed_by="returns_platform")
    assert [payout.amount for payout in desk.platform.payouts] == ["30.00"]


def test_lines_verdict_and_replacement_are_shown(desk: Desk) -> None:
    line = {"line": {"sku": "L", "quantity": 1}}
    exchange_id = desk.platform.request_exchange(desk.return_id, lines=[line["line"]])
    assert desk.call("/confirmed-lines", {"currency": "EUR", "items": [], "key": "k1"}, method="PUT").ok
    assert desk.call("/inspection", {"items": [{"id": "rit_1"}], "key": "k2"}).ok
    assert desk.call(f"/exchanges/{exchange_id}/order", {"order_id": "4711"}).ok
    shown = desk.shown()
    assert (shown["confirmed_lines"]["key"], shown["merchant_inspection"]["key"]) == ("k1", "k2")
    assert [row["commerce_order_id"] for row in shown["exchanges"]] == ["4711"]
    assert [event["type"] for event in desk.platform.told][-3:] == ["return.updated"] * 3
    assert desk.platform.told[-1]["data"]["exchange"]["commerce_order_id"] == "4711"


def test_a_platform_that_keeps_it_to_itself_shows_and_tells_nothing(desk: Desk) -> None:
    desk.platform.merchant_desk.is_shown = False
    exchange_id = desk.platform.request_exchange(desk.return_id, lines=[])
    before = (desk.shown(), len(desk.platform.told))
    desk.call("/confirmed-lines", {"currency": "EUR", "items": []}, method="PUT")
    desk.call("/external-refunds", REFUND)
    desk.call("/inspection", {"items": []})
    desk.call(f"/exchanges/{exchange_id}/order", {"order_id": "4711"})
    assert (desk.shown(), len(desk.platform.told)) == before
    assert len(desk.platform.merchant_desk.told) == 4


@pytest.mark.parametrize(("is_idempotent", "count"), [(True, 1), (False, 2)])
def test_one_key_counts_once_only_where_it_is_promised(desk: Desk, is_idempotent: bool, count: int) -> None:
    desk.platform.merchant_desk.is_idempotent = is_idempotent
    assert [desk.call("/external-refunds", REFUND, key="k").status_code for _ in range(2)] == [200, 200]
    assert len(desk.platform.merchant_desk.told) == count


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/external-refunds", [], 422),
        ("/external-refunds", {"amount": "1.00"}, 422),
        ("/external-refunds", {**REFUND, "amount": "much"}, 422),
        ("/external-refunds", {**REFUND, "amount": "-1"}, 422),
        ("/external-refunds", {**REFUND, "currency": "USD"}, 422),
        ("/exchanges/exc_9/order", {"order_id": "1"}, 404),
        ("/nothing", REFUND, 405),
        ("/exchanges/exc_9/order/more", {"order_id": "1"}, 405),
    ],
)
def test_what_it_does_not_take(desk: Desk, path: str, body: Any, status: int) -> None:
    assert desk.call(path, body).status_code == status
    assert desk.platform.merchant_desk.told == []


def test_an_unknown_return_and_wrong_credentials(desk: Desk) -> None:
    address = f"{desk.url}/v1/returns/ret_none/external-refunds"
    good = {"Authorization": f"Bearer {API_KEY}"}
    assert requests.post(address, json=REFUND, headers=good, timeout=10).status_code == 404
    assert requests.post(address, json=REFUND, timeout=10).status_code == 401


def test_its_page_shows_what_it_was_told(desk: Desk) -> None:
    desk.call("/external-refunds", REFUND)
    page = requests.get(desk.url, timeout=10).text
    assert "Told by the merchant" in page
    assert "amount 30.00, currency EUR, reference 900" in page


@pytest.mark.parametrize("is_idempotent", [True, False])
def test_the_settings_that_fit_it_are_good_templates(is_idempotent: bool) -> None:
    settings = assumed_settings(is_idempotent=is_idempotent)
    assert list(template_problems(settings, base_url="https://platform.example")) == []
    assert set(settings["write_back"]) == set(PATHS)
    assert set(assumed_settings("lines")["write_back_seen"]) == {"lines"}
