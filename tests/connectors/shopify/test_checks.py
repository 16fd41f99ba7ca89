"""check_connection: what is wrong and what to do, in words; nothing is changed in the shop."""

from typing import Any

import pytest

from connectors.ports import CheckLine
from connectors.shopify.checks import check
from connectors.shopify.webhooks import TOPICS, ensure_webhooks
from tests.connectors.shopify.served import Stage, stage

URL = "https://ops.example/webhooks/shop/"


def lines_of(own: Stage) -> dict[str, CheckLine]:
    return {line.name: line for line in check(own.link)}


def test_a_shop_in_good_order() -> None:
    with stage() as own:
        ensure_webhooks(own.link, URL)
        lines = lines_of(own)
        assert own.asked()[-2:] == ["ShopInfo", "WebhookList"]
    assert [line for line in lines.values() if not line.is_ok] == []
    assert lines["API version"].text == "2026-07 answers."
    assert [name for name in lines if name.startswith("webhook ") and "/" in name] == [f"webhook {t}" for t in TOPICS]


def test_a_version_that_is_gone_or_another_one_than_tested() -> None:
    with stage(settings={"api_version": "2025-07"}) as own:
        gone = lines_of(own)["API version"]
    assert (gone.is_ok, gone.text) == (False, "2025-07 was asked for and 2025-10 answered.")
    with stage(settings={"api_version": "2026-04"}) as own:
        other = lines_of(own)["API version"]
    assert (other.is_ok, other.text) == (
        True,
        "2026-04 answers. Newer: 2026-07. This connector is tested with 2026-07.",
    )


def test_a_version_that_ends_soon_is_told_with_the_date() -> None:
    with stage(settings={"api_version": "2025-10"}) as own:
        own.clock.advance(86400)
        line = lines_of(own)["API version"]
    assert (line.is_ok, line.text) == (False, "2025-10 is supported until 2026-10-01 at least.")


def test_missing_scopes_are_named_with_the_work_they_are_for() -> None:
    with stage() as own:
        own.shop.remove_scope("write_inventory")
        own.shop.remove_scope("write_gift_cards")
        lines = lines_of(own)
    assert (lines["scopes"].is_ok, lines["scopes"].text) == (False, "Missing: moving stock needs write_inventory.")
    assert (lines["optional scopes"].is_ok, lines["optional scopes"].text) == (
        True,
        "without write_gift_cards: no gift cards.",
    )


def test_another_time_zone_and_webhooks_that_are_missing_or_elsewhere() -> None:
    with stage(timezone="Europe/Madrid") as own:
        ensure_webhooks(own.link, "https://old.example/webhooks/shop/")
        lines = lines_of(own)
        assert lines["time zone"].fix == 'Set time_zone of the connection to "Europe/Madrid".'
        assert "delivers to https://old.example/webhooks/shop/" in lines["webhook orders/updated"].text
        own.shop.state.subscriptions.clear()
        assert lines_of(own)["webhook orders/updated"].text == "missing"


@pytest.mark.parametrize(
    ("status", "said"), [(0, "access token"), (402, "frozen"), (403, "no access"), (423, "locked")]
)
def test_a_shop_that_refuses_everything_is_one_line(status: int, said: str) -> None:
    with stage() as own:
        own.shop.revoke_tokens() if status == 0 else own.shop.refuse(status)
        (line,) = check(own.link)
    assert (line.is_ok, said in line.text) == (False, True)


def test_without_the_apps_secret_webhooks_cannot_be_verified() -> None:
    secrets: dict[str, Any] = {"access_token": ("shpat_simulated",)}
    with stage(secrets=secrets) as own:
        assert not lines_of(own)["webhook signature"].is_ok
