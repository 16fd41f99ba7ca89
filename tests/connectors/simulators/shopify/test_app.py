"""The addresses of the shop: tokens, versions, refusals, the shapes of errors, bulk files, the page."""

import json
from typing import Any

import pytest

from connectors.shopify import links
from connectors.simulators.shopify import STATIC_TOKEN
from connectors.simulators.shopify.graphql_faults import internal_error, throttled
from connectors.simulators.shopify.state import gid
from tests.connectors.shopify.scripted import config
from tests.connectors.simulators.shopify.asking import HOST, REFUND, Bench, bench, refund_input

SHOP = "query Shop { shop { name currencyCode } publicApiVersions { handle supported } }"
BULK = """
mutation Bulk($query: String!) {
  bulkOperationRunQuery(query: $query) { bulkOperation { id status } userErrors { field message code } }
}
"""
STATUS = "query Status($id: ID!) { bulkOperation(id: $id) { status url objectCount rootObjectCount errorCode } }"
EVERYTHING = """{ orders { edges { node { id name lineItems { edges { node { id sku quantity } } } } } } }"""


def token(own: Bench, secret: str) -> Any:
    form = {"grant_type": "client_credentials", "client_id": "simulated-client-id", "client_secret": secret}
    return own.http.post(f"{HOST}/admin/oauth/access_token", data=form)


def test_a_token_of_the_app_s_credentials_ends_after_a_day_and_a_static_one_only_when_revoked() -> None:
    own = bench()
    assert token(own, "wrong").status_code == 400
    given = token(own, "simulated-client-secret").json()
    assert (given["expires_in"], "write_inventory" in given["scope"].split(",")) == (86399, True)
    assert own.send(SHOP, token=given["access_token"]).status_code == 200
    own.clock.advance(86400)
    assert own.send(SHOP, token=given["access_token"]).status_code == 401
    assert own.send(SHOP, token=STATIC_TOKEN).status_code == 200
    own.shop.revoke_tokens()
    assert own.send(SHOP, token=STATIC_TOKEN).status_code == 401


def test_a_version_that_is_gone_falls_forward_and_says_so() -> None:
    own = bench()
    assert own.send(SHOP).headers["X-Shopify-API-Version"] == "2026-07"
    old = own.http.post(
        f"{HOST}/admin/api/2024-01/graphql.json",
        json={"query": SHOP},
        headers={"X-Shopify-Access-Token": STATIC_TOKEN},
    )
    assert old.headers["X-Shopify-API-Version"] == "2025-10"
    own.shop.retire_version("2026-01")
    assert own.send(SHOP).headers["X-Shopify-API-Version"] == "2026-07"
    assert own.shop.settings.supported_versions == ("2026-04", "2026-07")
    own.shop.retire_version("2026-07")
    assert own.send(SHOP).headers["X-Shopify-API-Version"] == "2026-10"
    own.shop.retire_version("2026-10")
    assert own.send(SHOP).headers["X-Shopify-API-Version"] == "2027-01"
    assert own.http.get(f"{HOST}/admin/api/2026-07/orders.json").status_code == 404


@pytest.mark.parametrize("status", [402, 403, 423])
def test_a_closed_shop_hears_nothing(status: int) -> None:
    own = bench()
    own.shop.refuse(status)
    assert own.send(SHOP).status_code == status
    own.shop.refuse()
    assert own.send(SHOP).status_code == 200


@pytest.mark.parametrize(
    ("document", "variables", "code", "message"),
    [
        ("query {", {}, "syntaxError", "Syntax Error: Expected Name, found <EOF>."),
        (
            REFUND.replace("userErrors { field message }", "userErrors { code }"),
            {},
            "undefinedField",
            "Field 'code' doesn't exist on type 'UserError'",
        ),
        (
            'mutation { refundCreate(input: {orderId: "gid://shopify/Order/1", locationId: "x"}) { refund { id } } }',
            {},
            "argumentNotAccepted",
            "InputObject 'RefundInput' doesn't accept argument 'locationId'",
        ),
        (
            'mutation Two @idempotent(key: "k") { refundCreate(input: {orderId: "x"}) { refund { id } } }',
            {},
            "directiveCannotBeApplied",
            "'@idempotent' can't be applied to mutations",
        ),
        (
            REFUND,
            {"key": "k", "input": {"orderId": "gid://shopify/Order/1", "userId": 1}},
            "INVALID_VARIABLE",
            "Variable $input of type RefundInput! was provided invalid value for userId "
            "(Field is not defined on RefundInput)",
        ),
        ("query { orders { nodes { id } } }", {}, "BAD_REQUEST", "you must provide one of first or last"),
    ],
)
def test_errors_of_the_document_have_shopify_s_words(
    document: str, variables: dict[str, Any], code: str, message: str
) -> None:
    error = bench().ask(document, **variables)["errors"][0]
    assert (error["extensions"]["code"], error["message"]) == (code, message)


def test_a_scope_that_was_taken_away_denies_the_field_and_does_nothing() -> None:
    own = bench()
    order = own.order()
    own.shop.remove_scope("write_orders")
    body = own.ask(REFUND, key="key-1", input=refund_input(order, "25.00"))
    assert body["data"] == {"refundCreate": None}
    assert body["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert own.shop.refunds_of(order) == []


@pytest.mark.parametrize("is_committed", [True, False])
def test_an_error_inside_leaves_the_caller_in_doubt(is_committed: bool) -> None:
    own = bench()
    order = own.order()
    own.shop.faults.script(internal_error("Refund", is_committed=is_committed), throttled("Shop"))
    failed = own.send(REFUND, {"key": "key-1", "input": refund_input(order, "25.00")})
    assert (failed.status_code, failed.json()["errors"][0]["extensions"]["code"]) == (200, "INTERNAL_SERVER_ERROR")
    assert len(own.shop.refunds_of(order)) == int(is_committed)
    assert own.ask(SHOP)["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert own.refund(order, "25.00")["userErrors"] == []
    assert len(own.shop.refunds_of(order)) == 1


def test_a_bulk_query_ends_in_a_file_with_children_below_their_parents() -> None:
    own = bench()
    order = own.order()
    started = own.data(BULK, query=EVERYTHING)["bulkOperationRunQuery"]["bulkOperation"]
    assert started["status"] == "CREATED"
    done = own.data(STATUS, id=started["id"])["bulkOperation"]
    assert (done["status"], done["objectCount"], done["rootObjectCount"]) == ("COMPLETED", "2", "1")
    lines = [json.loads(line) for line in own.http.get(done["url"]).text.splitlines()]
    assert lines == [
        {"id": gid("Order", order.id), "name": order.name},
        {
            "id": gid("LineItem", order.lines[0].id),
            "sku": "ABC-1",
            "quantity": 2,
            "__parentId": gid("Order", order.id),
        },
    ]


def test_five_bulk_queries_run_at_a_time_and_an_empty_result_has_no_file() -> None:
    own = bench(bulk_duration_s=60)
    made = [own.data(BULK, query=EVERYTHING)["bulkOperationRunQuery"]["bulkOperation"] for _ in range(5)]
    sixth = own.data(BULK, query=EVERYTHING)["bulkOperationRunQuery"]
    assert (sixth["bulkOperation"], sixth["userErrors"][0]["code"]) == (None, "OPERATION_IN_PROGRESS")
    own.clock.advance(60)
    done = own.data(STATUS, id=made[0]["id"])["bulkOperation"]
    assert (done["status"], done["url"]) == ("COMPLETED", None)
    refused = own.data(BULK, query="{ shop { name } }")["bulkOperationRunQuery"]
    assert refused["userErrors"][0]["code"] == "INVALID"


def test_the_page_shows_orders_refunds_stock_and_calls_and_takes_no_call_itself() -> None:
    own = bench()
    order = own.order()
    own.refund(order, "25.00", lines=1)
    page = own.http.get(f"{HOST}/").text
    for shown in (order.name, "PARTIALLY_REFUNDED", "returnsops RET-42", "ABC-1", "mutation Refund"):
        assert shown in page
    assert len(own.shop.calls.all()) == 1
    assert STATIC_TOKEN not in page


def test_a_link_of_ours_to_an_order_opens_its_page_outside_the_call_log() -> None:
    own = bench()
    order, other = own.order(), own.order()
    own.refund(order, "25.00", lines=1)
    calls = len(own.shop.calls.all())
    link = links.order_url(config(base_url=HOST), gid("Order", order.id))
    page = own.http.get(link)
    assert page.status_code == 200
    assert f"Order {order.name} of the simulated Shopify shop" in page.text
    assert ("returnsops RET-42" in page.text, f"<td>{other.name}</td>" in page.text) == (True, False)
    assert [own.http.get(f"{HOST}/admin/orders/{name}").status_code for name in ("99999", "x")] == [404, 404]
    assert len(own.shop.calls.all()) == calls
