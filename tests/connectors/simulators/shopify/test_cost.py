"""Costs of queries, as a real store reckoned them."""

from functools import cache
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, validate

from connectors.simulators.shopify.cost import Reckoner
from connectors.simulators.shopify.graph import executable_schema
from tests.connectors.shopify.published import published_schema
from tests.connectors.simulators.shopify import recorded

REQUEST = """mutation Request($input: ReturnRequestInput!) { returnRequest(input: $input) {
  return { id returnLineItems(first: 5) { nodes { id quantity } } } userErrors { field message } } }"""
RETURNABLE = """query Returnable($orderId: ID!) { returnableFulfillments(orderId: $orderId, first: 5) { nodes {
  fulfillment { id }
  returnableFulfillmentLineItems(first: 5) { nodes { quantity fulfillmentLineItem { id lineItem { id } } } } } } }"""
APPROVE = """mutation Approve($input: ReturnApproveRequestInput!) { returnApproveRequest(input: $input) {
  return { id returnLineItems(first: 5) { nodes { id } } reverseFulfillmentOrders(first: 5) { nodes { id
    lineItems(first: 5) { nodes { id fulfillmentLineItem { id lineItem { id } } } } } } } userErrors { code } } }"""


@pytest.mark.parametrize(("document", "points"), [(REQUEST, 15), (RETURNABLE, 41), (APPROVE, 53)])
def test_the_requested_cost_is_the_recorded_one(document: str, points: int) -> None:
    assert requested(executable_schema(), document, {}) == points


@pytest.mark.shopify_files
def test_nine_of_ten_recorded_requests_are_reckoned_to_the_point() -> None:
    published = published_schema()
    pairs = set()
    for name in recorded.names():
        for exchange in recorded.exchanges(name):
            cost = (exchange.answer.get("extensions") or {}).get("cost")
            if exchange.document and cost and is_valid(exchange.document):
                ours = requested(published, exchange.document, exchange.variables)
                pairs.add((exchange.document, cost["requestedQueryCost"], ours))
    equal = sum(theirs == ours for _, theirs, ours in pairs)
    assert len(pairs) > 180
    assert equal / len(pairs) > 0.88


def requested(schema: GraphQLSchema, text: str, variables: dict[str, Any]) -> int:
    document = recorded.parsed(text)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    return Reckoner(schema, document, variables).requested(operation)


@cache
def is_valid(text: str) -> bool:
    try:
        return not validate(published_schema(), recorded.parsed(text))
    except GraphQLError:
        return False
