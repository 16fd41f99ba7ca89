"""Every GraphQL document is one operation named like its file, right for the simulator and for the published schema."""

import re
from functools import cache

import pytest
from graphql import (
    GraphQLSchema,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    build_schema,
    parse,
    print_ast,
    specified_rules,
    validate,
)
from graphql.execution.values import get_variable_values

from connectors.shopify import documents
from connectors.simulators.shopify.graph import SDL
from tests.connectors.shopify.published import published_schema
from tests.connectors.shopify.samples import SAMPLES


@cache
def simulated() -> GraphQLSchema:
    """The part of it that the simulator serves."""
    return build_schema(SDL.read_text(encoding="utf-8"), assume_valid=True)


def operation(name: str) -> OperationDefinitionNode:
    (found,) = [d for d in parse(documents.document(name)).definitions if isinstance(d, OperationDefinitionNode)]
    return found


def complaints(schema: GraphQLSchema, name: str) -> list[str]:
    """What is wrong with a document or with its sample variables, deprecated fields and arguments included."""
    rules = [*specified_rules, NoDeprecatedCustomRule]
    found = [error.message for error in validate(schema, parse(documents.document(name)), rules)]
    if not found:
        coerced = get_variable_values(schema, operation(name).variable_definitions or (), dict(SAMPLES[name]))
        found = [error.message for error in coerced] if isinstance(coerced, list) else []
    return found


def complaints_by_name(schema: GraphQLSchema) -> dict[str, list[str]]:
    """The documents that have any."""
    every = {name: complaints(schema, name) for name in documents.names()}
    return {name: found for name, found in every.items() if found}


def test_each_document_is_one_operation_named_like_its_file_and_has_a_sample() -> None:
    names = {name: operation(name).name for name in documents.names()}
    assert {file: node.value for file, node in names.items() if node} == {name: name for name in documents.names()}
    assert sorted(SAMPLES) == sorted(documents.names())


def test_the_simulator_knows_every_field_and_argument_in_use() -> None:
    assert complaints_by_name(simulated()) == {}


def test_orders_are_read_alike_alone_and_in_pages_by_the_same_fragments() -> None:
    alone, paged = (documents.document(name) for name in ("OrderFinalState", "OrdersPast"))
    assert alone[alone.index("fragment ") :] == paged[paged.index("fragment ") :]
    assert print_ast(parse(alone)).count("fragment ") == 5
    shared = {path.stem for path in documents.FRAGMENTS.glob("*.graphql")}
    spread = {name for name in shared for text in map(documents.document, documents.names()) if f"...{name}" in text}
    assert spread == shared


def test_no_document_hides_in_a_string_of_the_program() -> None:
    for path in documents.FOLDER.parent.glob("*.py"):
        assert not re.search(r"\b(query|mutation|fragment)\s+[A-Z]\w*[^\"]*\{", path.read_text()), path


def test_an_unknown_document_is_named_with_the_known_ones() -> None:
    with pytest.raises(documents.UnknownDocumentError, match="known are AdjustmentById"):
        documents.document("../connector")


@pytest.mark.shopify_files
def test_every_document_is_right_for_the_published_schema() -> None:
    assert complaints_by_name(published_schema()) == {}
