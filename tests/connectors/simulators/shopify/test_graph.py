"""The simulator's schema is a true part of Shopify's, and every field of it is answered."""

from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    Undefined,
    build_schema,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
    is_scalar_type,
    is_specified_scalar_type,
    is_union_type,
    validate_schema,
)

from connectors.simulators.shopify.graph import SDL, unanswered
from tests.connectors.shopify.published import published_schema


def test_every_field_and_mutation_of_the_schema_is_answered_from_a_map() -> None:
    assert unanswered() == []


@pytest.mark.shopify_files
def test_the_schema_is_a_true_subset_of_the_published_one() -> None:
    ours = build_schema(SDL.read_text(encoding="utf-8"))
    published = published_schema()
    assert validate_schema(ours) == []
    assert len([name for name in ours.type_map if not name.startswith("__")]) > 200
    assert differences(ours, published) == []
    stale = [path for path in KEPT_THOUGH_DEPRECATED if path.partition(".")[2] not in fields_of(ours, path)]
    assert stale == []


def fields_of(schema: GraphQLSchema, path: str) -> Any:
    return getattr(schema.type_map[path.partition(".")[0]], "fields", {})


@pytest.mark.parametrize(
    ("invented", "said"),
    [
        ("type Order { id: ID! colour: String }", ["Order.colour is not there"]),
        ("type Order { id: String! }", ["Order.id is String! and there ID!"]),
        ("type Order { note(first: Int): String }", ["Order.note(first) is not there", "Order.note needs length"]),
        ("type Parcel { id: ID! }", ["Parcel is not there"]),
        ("enum Status { OPEN LOST }", ["Status.LOST is not there"]),
        ("input RefundInput { note: String }", ["RefundInput needs orderId"]),
        ("input RefundInput { orderId: ID!, note: String = \"x\" }", ["RefundInput.note has another default"]),
    ],
)  # fmt: skip
def test_a_field_that_does_not_exist_cannot_pass(invented: str, said: list[str]) -> None:
    published = build_schema(
        "type Query { order: Order } type Order { id: ID! note(length: Int!): String } enum Status { OPEN } "
        "input RefundInput { orderId: ID!, note: String }"
    )
    ours = build_schema(invented, assume_valid_sdl=True)
    assert differences(ours, published) == said


def differences(ours: GraphQLSchema, published: GraphQLSchema) -> list[str]:
    """What our schema says that the published one does not, in words."""
    found: list[str] = []
    kinds: dict[str, Any] = dict(ours.type_map)
    for name, kind in kinds.items():
        if name.startswith("__") or (is_scalar_type(kind) and is_specified_scalar_type(kind)):
            continue
        theirs: Any = published.type_map.get(name)
        if theirs is None or type(theirs) is not type(kind):
            found.append(f"{name} is not there")
        elif is_object_type(kind) or is_interface_type(kind):
            found += fields_apart(name, kind, theirs)
        elif is_input_object_type(kind):
            found += inputs_apart(name, kind, theirs)
        elif is_enum_type(kind):
            found += [f"{name}.{value} is not there" for value in kind.values if value not in theirs.values]
        elif is_union_type(kind):
            members = {member.name for member in theirs.types}
            found += [f"{name} = {one.name} is not there" for one in kind.types if one.name not in members]
    return found + directives_apart(ours, published)


def fields_apart(name: str, kind: Any, theirs: Any) -> list[str]:
    found = [
        f"{name} does not implement {one.name}"
        for one in kind.interfaces
        if one.name not in {other.name for other in theirs.interfaces}
    ]
    for field_name, field in kind.fields.items():
        other = theirs.fields.get(field_name)
        if other is None:
            found.append(f"{name}.{field_name} is not there")
            continue
        if str(field.type) != str(other.type):
            found.append(f"{name}.{field_name} is {field.type} and there {other.type}")
        if other.deprecation_reason and f"{name}.{field_name}" not in KEPT_THOUGH_DEPRECATED:
            found.append(f"{name}.{field_name} is deprecated")
        found += arguments_apart(f"{name}.{field_name}", field.args, other.args)
    return found


def arguments_apart(path: str, ours: Any, theirs: Any) -> list[str]:
    found = []
    for name, argument in ours.items():
        other = theirs.get(name)
        if other is None:
            found.append(f"{path}({name}) is not there")
        elif str(argument.type) != str(other.type):
            found.append(f"{path}({name}) is {argument.type} and there {other.type}")
        elif default_of(argument) != default_of(other):
            found.append(f"{path}({name}) has another default")
    return found + [f"{path} needs {n}" for n, other in theirs.items() if is_required_argument(other) and n not in ours]


def inputs_apart(name: str, kind: Any, theirs: Any) -> list[str]:
    found = [] if kind.is_one_of == theirs.is_one_of else [f"{name} is oneOf in one place only"]
    for field_name, field in kind.fields.items():
        other = theirs.fields.get(field_name)
        if other is None:
            found.append(f"{name}.{field_name} is not there")
        elif str(field.type) != str(other.type):
            found.append(f"{name}.{field_name} is {field.type} and there {other.type}")
        elif default_of(field) != default_of(other):
            found.append(f"{name}.{field_name} has another default")
    needed = [n for n, other in theirs.fields.items() if is_required_input_field(other) and n not in kind.fields]
    return found + [f"{name} needs {one}" for one in needed]


def default_of(element: Any) -> str:
    """A default value in one form, "" for none."""
    node = element.ast_node.default_value if element.ast_node else None
    return "" if node is None or node is Undefined else str(node.to_dict())


def directives_apart(ours: GraphQLSchema, published: GraphQLSchema) -> list[str]:
    directive = ours.get_directive("idempotent")
    if directive is None:
        return []
    other = published.get_directive("idempotent")
    if other is None:
        return ["@idempotent is not there"]
    apart = arguments_apart("@idempotent", directive.args, other.args)
    return apart + ([] if directive.locations == other.locations else ["@idempotent stands elsewhere"])


KEPT_THOUGH_DEPRECATED = {
    "Customer.email": "what the REST-style webhook body calls it too",
    "ReturnLineItem.returnReason": "recorded answers carry it",
}
