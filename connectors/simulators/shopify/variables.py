"""Variables held against their types, refused in the words Shopify uses (INVALID_VARIABLE)."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    type_from_ast,
)

_Problem = tuple[list[str | int], str]


def variable_errors(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One entry of `errors` per variable that does not fit its type."""
    found = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        kind = type_from_ast(schema, definition.type)
        if name not in variables and definition.default_value is not None:
            continue
        value = variables.get(name)
        problems = list(_problems(kind, value, []))
        if problems:
            found.append(_error(name, kind, value, problems, definition))
    return found


def _error(name: str, kind: Any, value: Any, problems: list[_Problem], definition: Any) -> dict[str, Any]:
    parts = [f"{'.'.join(str(step) for step in path)} ({why})" if path else f"({why})" for path, why in problems]
    said = f"for {', '.join(parts)}" if problems[0][0] else ""
    token = definition.loc.start_token
    return {
        "message": f"Variable ${name} of type {kind} was provided invalid value {said}".rstrip(),
        "locations": [{"line": token.line, "column": token.column}],
        "extensions": {
            "code": "INVALID_VARIABLE",
            "value": value,
            "problems": [{"path": path, "explanation": why} for path, why in problems],
        },
    }


def _problems(kind: Any, value: Any, path: list[str | int]) -> Iterator[_Problem]:
    if isinstance(kind, GraphQLNonNull):
        if value is None:
            yield path, "Expected value to not be null"
            return
        kind = kind.of_type
    if value is None:
        return
    if isinstance(kind, GraphQLList):
        for index, entry in enumerate(value if isinstance(value, list) else [value]):
            yield from _problems(kind.of_type, entry, [*path, index])
    elif isinstance(kind, GraphQLEnumType):
        if value not in kind.values:
            yield path, f'Expected "{value}" to be one of: {", ".join(kind.values)}'
    elif isinstance(kind, GraphQLInputObjectType):
        yield from _object_problems(kind, value, path)
    elif isinstance(kind, GraphQLScalarType):
        yield from _scalar_problems(kind, value, path)


def _object_problems(kind: GraphQLInputObjectType, value: Any, path: list[str | int]) -> Iterator[_Problem]:
    if not isinstance(value, dict):
        yield path, f"Expected {value!r} to be a key-value object."
        return
    for name, field in kind.fields.items():
        if name in value or field.default_value is Undefined:
            yield from _problems(field.type, value.get(name), [*path, name])
    for name in value:
        if name not in kind.fields:
            yield [*path, name], f"Field is not defined on {kind.name}"
    if kind.is_one_of and len([name for name in value if value[name] is not None]) != 1:
        yield path, f"'{kind.name}' requires exactly one argument, but {len(value)} were provided."


def _scalar_problems(kind: GraphQLScalarType, value: Any, path: list[str | int]) -> Iterator[_Problem]:
    if kind.name == "ID" and not str(value).startswith("gid://shopify/"):
        yield path, f"Invalid global id '{value}'"
        return
    try:
        kind.coerce_input_value(value)
    except Exception:  # whatever a scalar says, Shopify has one phrase
        yield path, f"Could not coerce value {value!r} to {kind.name}"
