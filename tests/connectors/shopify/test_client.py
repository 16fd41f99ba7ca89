"""Tokens, the three layers of errors, costs and paging."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.ports import Answer, AuthFailed, OutcomeUnknown, RateLimited, Rejected, Retryable, VendorError
from connectors.shopify import client, documents, tokens
from tests.connectors.shopify.scripted import (
    CLIENT,
    GRAPHQL,
    NOW,
    TOKENS,
    answered,
    cost,
    failed,
    page,
    scripted_link,
)

GOOD = {"data": {"shop": {"name": "A shop"}}, "extensions": {"cost": cost(3, 1997, actual=3)}}


def outcome(answer: Answer, *, is_write: bool) -> VendorError:
    link, _ = scripted_link(lambda *_: answer)
    with pytest.raises(VendorError) as failure:
        client.execute(link, "ShopInfo", {}, is_write=is_write)
    return failure.value


def error(code: str = "", message: str = "no", path: list[str] | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {"message": message}
    if code:
        row["extensions"] = {"code": code}
    if path:
        row["path"] = path
    return row


# --- what is sent --------------------------------------------------------------------------------------------------


def test_a_document_is_posted_with_its_token_to_the_version_asked_for() -> None:
    link, asked = scripted_link(lambda *_: answered(GOOD, x_shopify_api_version="2026-10"))
    reply = client.reply(link, "ShopInfo", {"a": 1})
    (call,) = asked
    assert (call["method"], call["url"], call["is_write"]) == ("POST", GRAPHQL, False)
    assert call["headers"]["X-Shopify-Access-Token"] == "shpat_test"
    wanted = {"query": documents.document("ShopInfo"), "operationName": "ShopInfo", "variables": {"a": 1}}
    assert call["json"] == wanted
    assert (reply.version, reply.data["shop"]["name"]) == ("2026-10", "A shop")
    assert reply.cost is not None
    assert (reply.cost.requested, reply.cost.left) == (3, 1997)


def test_the_version_is_a_setting() -> None:
    link, asked = scripted_link(lambda *_: answered(GOOD), settings={"api_version": "2026-10"})
    client.execute(link, "ShopInfo", {})
    assert asked[0]["url"] == GRAPHQL.replace("2026-07", "2026-10")


def test_a_token_never_travels_over_plain_http() -> None:
    link, asked = scripted_link(lambda *_: answered(GOOD), base_url="http://shop.example")
    with pytest.raises(AuthFailed, match="https only"):
        client.execute(link, "ShopInfo", {})
    assert asked == []


# --- tokens --------------------------------------------------------------------------------------------------------


class Shop:
    """Gives out numbered tokens and takes only the one named last."""

    def __init__(self) -> None:
        self.given = 0
        self.is_revoked = False

    def __call__(self, url: str, request: Mapping[str, Any]) -> Answer:
        if url == TOKENS:
            assert request["form"] == {
                "grant_type": "client_credentials",
                "client_id": "app-1",
                "client_secret": "hush",
            }
            if self.is_revoked:
                return answered({"error": "invalid_client"}, status=400)
            self.given += 1
            return answered({"access_token": f"shpat_{self.given}", "scope": "read_orders", "expires_in": 86399})
        is_known = request["headers"]["X-Shopify-Access-Token"] == f"shpat_{self.given}"
        return answered(GOOD) if is_known and not self.is_revoked else answered({"errors": "no"}, status=401)


def test_a_token_by_client_credentials_is_kept_and_renewed_before_its_end() -> None:
    shop = Shop()
    link, asked = scripted_link(shop, name="tokens-1", secrets=CLIENT)
    client.execute(link, "ShopInfo", {})
    client.execute(link, "ShopInfo", {})
    assert [call["url"] for call in asked] == [TOKENS, GRAPHQL, GRAPHQL]
    later = replace(link, now=lambda: NOW + timedelta(seconds=86399) - tokens.RENEW_BEFORE)
    client.execute(later, "ShopInfo", {})
    assert shop.given == 2


def test_a_refused_token_is_renewed_once_and_then_the_connection_pauses() -> None:
    shop = Shop()
    link, asked = scripted_link(shop, name="tokens-2", secrets=CLIENT)
    client.execute(link, "ShopInfo", {})
    shop.given += 1  # somebody else asked for a token, ours is not taken any more
    client.execute(link, "ShopInfo", {}, is_write=True)
    assert [call["url"] for call in asked[2:]] == [GRAPHQL, TOKENS, GRAPHQL]
    shop.is_revoked = True
    with pytest.raises(AuthFailed, match="client_id and client_secret"):
        client.execute(link, "ShopInfo", {}, is_write=True)


def test_a_static_token_that_is_refused_pauses_at_once() -> None:
    link, asked = scripted_link(lambda *_: answered({"errors": "[API] Invalid API key"}, status=401))
    with pytest.raises(AuthFailed, match="access token"):
        client.execute(link, "ShopInfo", {}, is_write=True)
    assert len(asked) == 1


# --- layers one and two --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 423])
@pytest.mark.parametrize("is_write", [True, False])
def test_a_shop_that_lets_us_do_nothing_pauses_the_connection(status: int, *, is_write: bool) -> None:
    assert type(outcome(answered({"errors": "no"}, status=status), is_write=is_write)) is AuthFailed


def test_missing_scopes_pause_the_connection_and_are_named() -> None:
    said = "Access denied for orders field. Required access: `read_orders` access scope."
    failure = outcome(failed(error("ACCESS_DENIED", said, ["order"]), data={"order": None}), is_write=False)
    assert isinstance(failure, AuthFailed)
    assert "`read_orders` access scope" in failure.text


def test_throttled_inside_a_200_says_when_it_fits() -> None:
    failure = outcome(failed(error("THROTTLED"), cost=cost(752, 666)), is_write=True)
    assert isinstance(failure, RateLimited)
    assert failure.after_s == pytest.approx(0.86)


@pytest.mark.parametrize(
    "answer",
    [
        page(502),
        page(200),
        answered({"data": None}),
        answered(["x"]),
        failed(error("INTERNAL_SERVER_ERROR", path=["refundCreate"]), data={"refundCreate": None}),
        failed(error("SOMETHING_NEW")),
        failed(error()),
        answered({"errors": "a text"}),
        # The root was carried out; only its answer could not be read to the end.
        failed(error("ACCESS_DENIED", path=["refundCreate", "refund", "staffMember"]), data={"refundCreate": {}}),
        failed(error("THROTTLED"), data={"refundCreate": {}}),
    ],
)
def test_whatever_is_no_known_refusal_leaves_a_write_unknown(answer: Answer) -> None:
    assert type(outcome(answer, is_write=True)) is OutcomeUnknown


@pytest.mark.parametrize("code", ["INVALID_VARIABLE", "BAD_REQUEST", "undefinedField", "MAX_COST_EXCEEDED"])
def test_refused_before_it_was_carried_out(code: str) -> None:
    failure = outcome(failed(error(code), data={"refundCreate": None}), is_write=True)
    assert isinstance(failure, Rejected)
    assert failure.code == code


def test_a_read_may_be_tried_again_where_the_shop_failed_and_is_refused_where_it_said_so() -> None:
    assert type(outcome(page(503), is_write=False)) is Retryable
    assert type(outcome(failed(error("INTERNAL_SERVER_ERROR")), is_write=False)) is Retryable
    assert type(outcome(failed(error("undefinedField")), is_write=False)) is Rejected


# --- layer three ---------------------------------------------------------------------------------------------------


def test_user_errors_are_refusals_with_code_and_field() -> None:
    row = {
        "field": ["refundLineItems", "0", "quantity"],
        "message": "Quantity cannot refund more items",
        "code": "INVALID",
    }
    with pytest.raises(Rejected) as refusal:
        client.refuse_user_errors({"userErrors": [row]}, name="RefundCreate")
    assert refusal.value.code == "INVALID"
    assert refusal.value.evidence["errors"][0]["path"] == "refundLineItems.0.quantity"
    assert "Quantity cannot refund more items" in refusal.value.text
    with pytest.raises(Rejected) as plain:  # many types have neither code nor field
        client.refuse_user_errors({"userErrors": [{"field": None, "message": "Refund amount"}]}, name="RefundCreate")
    assert plain.value.code == "user_error"
    client.refuse_user_errors({"userErrors": []}, name="RefundCreate")


# --- paging --------------------------------------------------------------------------------------------------------


def test_a_connection_is_read_to_its_end() -> None:
    def respond(url: str, request: Mapping[str, Any]) -> Answer:
        after = request["json"]["variables"]["after"]
        info = {"hasNextPage": after is None, "endCursor": "c1"}
        nodes = [{"id": "1"}, None] if after is None else [{"id": "2"}]
        return answered({"data": {"order": {"lineItems": {"pageInfo": info, "nodes": nodes}}}})

    link, asked = scripted_link(respond)
    found = client.nodes_to_end(link, "OrderFinalState", {"id": "x"}, path=("order", "lineItems"))
    assert found == ({"id": "1"}, {"id": "2"})
    assert [call["json"]["variables"] for call in asked] == [{"id": "x", "after": None}, {"id": "x", "after": "c1"}]


def test_no_such_record_is_an_empty_connection_and_an_endless_one_is_no_list() -> None:
    link, _ = scripted_link(lambda *_: answered({"data": {"order": None}}))
    assert client.nodes_to_end(link, "OrderFinalState", {}, path=("order", "lineItems")) == ()
    info = {"hasNextPage": True, "endCursor": "c"}
    endless, asked = scripted_link(lambda *_: answered({"data": {"list": {"pageInfo": info, "nodes": []}}}))
    with pytest.raises(Retryable, match="not read to its end"):
        client.nodes_to_end(endless, "OrderFinalState", {}, path=("list",))
    assert len(asked) == client.MAX_PAGES
