"""One GraphQL request: parse, validate, coerce, pay, run; refusals in Shopify's own shape (shopify.md section 2)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    execute_sync,
    get_directive_values,
    parse,
    validate,
)

from connectors.simulators.shopify.cost import Reckoner
from connectors.simulators.shopify.graph import Info, Question, answer_field, denied, executable_schema, type_of
from connectors.simulators.shopify.keys import MESSAGES, KeyRefusal
from connectors.simulators.shopify.refusals import Refused, problem
from connectors.simulators.shopify.roots import KEYED, MUTATIONS, SCOPES
from connectors.simulators.shopify.state import ShopState
from connectors.simulators.shopify.variables import variable_errors

DOCUMENTATION = "https://shopify.dev/api/usage/rate-limits"


def run(shop: ShopState, request: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON body of the answer to one request; the HTTP status is 200 whatever it says."""
    text, variables = str(request.get("query") or ""), dict(request.get("variables") or {})
    try:
        document, problems = _validated(text)
    except GraphQLSyntaxError as error:
        return {"errors": [_shown(error, code="syntaxError")]}
    if problems:
        return {"errors": [_rephrased(error, document) for error in problems]}
    operation = _operation(document, request.get("operationName"))
    if operation is None:
        return {"errors": [{"message": "An operation name is required", "extensions": {"code": "BAD_REQUEST"}}]}
    refused = variable_errors(executable_schema(), operation, variables)
    if refused:
        return {"errors": refused}
    return _paid(shop, document, operation, variables)


@lru_cache(maxsize=256)
def _validated(text: str) -> tuple[DocumentNode, list[GraphQLError]]:
    """A document with what is wrong with it: the same few are asked again and again. Raises GraphQLSyntaxError."""
    document = parse(text)
    return document, validate(executable_schema(), document)


def _operation(document: DocumentNode, name: Any) -> OperationDefinitionNode | None:
    found = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if name:
        found = [d for d in found if d.name is not None and d.name.value == name]
    return found[0] if len(found) == 1 else None


def _paid(
    shop: ShopState, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any]
) -> dict[str, Any]:
    """Run what the bucket can pay for; the part that was not needed flows back."""
    reckoner = Reckoner(executable_schema(), document, variables)
    requested = reckoner.requested(operation)
    most = shop.settings.most_points_per_query
    if requested > most:
        message = f"Query cost is {requested}, which exceeds the single query max cost limit ({most})."
        error = {"message": message, "extensions": {"code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": most}}
        return {"errors": [error]}
    if not shop.bucket.take(requested):
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": DOCUMENTATION}}
        return {"errors": [error], "extensions": {"cost": _cost(shop, requested, None)}}
    result = execute_sync(
        executable_schema(),
        document,
        root_value={},
        context_value=Question(shop=shop),
        variable_values=variables,
        operation_name=operation.name.value if operation.name else None,
        field_resolver=_resolve,
        type_resolver=type_of,
    )
    actual = min(requested, reckoner.actual(operation, result.data))
    shop.bucket.give_back(requested - actual)
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [_shown(error) for error in result.errors]
    body["data"] = result.data
    return body | {"extensions": {"cost": _cost(shop, requested, actual)}}


def run_bulk(shop: ShopState, text: str) -> dict[str, Any] | None:
    """The data of a bulk query, whole and without cost; None where it cannot be answered."""
    document, problems = _validated(text)
    if problems:
        return None
    result = execute_sync(
        executable_schema(),
        document,
        root_value={},
        context_value=Question(shop=shop, is_bulk=True),
        field_resolver=_resolve,
        type_resolver=type_of,
    )
    return None if result.errors else result.data


def _cost(shop: ShopState, requested: int, actual: int | None) -> dict[str, Any]:
    status = shop.bucket.status()
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}


def _resolve(source: Any, info: Info, **args: Any) -> Any:
    shop: ShopState = info.context.shop
    is_mutation = info.parent_type.name == "Mutation"
    if is_mutation or info.parent_type.name == "QueryRoot":
        scope = SCOPES.get(info.field_name)
        if scope and scope not in shop.access.scopes:
            raise denied(f"{info.field_name} field", scope)
    return _mutate(shop, info, args) if is_mutation else answer_field(source, info, **args)


def _mutate(shop: ShopState, info: Info, args: dict[str, Any]) -> dict[str, Any]:
    """One mutation, at most once per key; what was refused leaves its key unused unless the settings say otherwise."""
    root = info.field_name
    key = _key(info)
    if key is None:
        if root in KEYED:
            message = "The @idempotent directive is required for this mutation but was not provided."
            raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
        return _performed(shop, root, args)
    if not key.strip():
        raise GraphQLError("The idempotency key can't be blank.", extensions={"code": "BAD_REQUEST"})
    known = shop.keys.find(key, root, args, shop.now(), shop.settings.key_life_s)
    if isinstance(known, KeyRefusal):
        return {"userErrors": [problem(None, MESSAGES[known], str(known))]}
    if known is not None:
        return known.answer or {}
    answer = _performed(shop, root, args)
    if not answer.get("userErrors"):
        shop.keys.keep(key, root, args, shop.now(), answer)
    elif shop.settings.are_failed_keys_spent:
        shop.keys.keep_failure(key, root, args, shop.now())
    return answer


def _key(info: Info) -> str | None:
    directive = info.schema.get_directive("idempotent")
    if directive is None:
        return None
    values = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    return None if values is None else str(values["key"])


def _performed(shop: ShopState, root: str, args: dict[str, Any]) -> dict[str, Any]:
    try:
        return MUTATIONS[root](shop, args) | {"userErrors": []}
    except Refused as refused:
        return refused.payload | {"userErrors": refused.problems}


def _shown(error: GraphQLError, code: str = "") -> dict[str, Any]:
    shown: dict[str, Any] = {"message": error.message}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    extensions = dict(error.extensions or {})
    if code or not extensions:
        extensions.setdefault("code", code or "INTERNAL_SERVER_ERROR")
    shown["extensions"] = extensions
    if error.path:
        shown["path"] = list(error.path)
    return shown


_PHRASES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        r"Cannot query field '(\w+)' on type '(\w+)'",
        "Field '{0}' doesn't exist on type '{1}'",
        "undefinedField",
        ("fieldName", "typeName"),
    ),
    (
        r"Expected value of type '(\w+)!?' not to include unknown field '(\w+)'",
        "InputObject '{0}' doesn't accept argument '{1}'",
        "argumentNotAccepted",
        ("name", "argumentName"),
    ),
    (
        r"Unknown argument '(\w+)' on field '(?:\w+\.)?(\w+)'",
        "Field '{1}' doesn't accept argument '{0}'",
        "argumentNotAccepted",
        ("argumentName", "name"),
    ),
    (
        r"Argument '\w+\.(\w+)\((\w+):\)' of type '[^']+' is required",
        "Field '{0}' is missing required arguments: {1}",
        "missingRequiredArguments",
        ("name", "arguments"),
    ),
    (
        r"Expected value of type '(\w+)!?' to include required field '(\w+)'",
        "Argument '{1}' on InputObject '{0}' is required. Expected type {kind}",
        "missingRequiredInputObjectAttribute",
        ("inputObjectType", "argumentName"),
    ),
    (
        r"Directive '@(\w+)' may not be used on (\w+)",
        "'@{0}' can't be applied to {1}s",
        "directiveCannotBeApplied",
        ("name", "targetName"),
    ),
)


def _rephrased(error: GraphQLError, document: DocumentNode) -> dict[str, Any]:
    """A validation error in Shopify's words where they were recorded, else in graphql-core's."""
    shown = _shown(error, code="invalidDocument")
    for pattern, phrase, code, names in _PHRASES:
        match = re.match(pattern, error.message)
        if match is not None:
            shown["message"] = phrase.format(*match.groups(), kind=_kind_of(*match.groups()))
            shown["extensions"] = {"code": code, **dict(zip(names, match.groups(), strict=True))}
            if names == ("name", "argumentName"):
                shown["extensions"]["typeName"] = "InputObject"
    return shown


def _kind_of(parent: str, field: str) -> str:
    """The type of a field of an input object; empty for anything else."""
    found = getattr(executable_schema().type_map.get(parent), "fields", {}).get(field)
    return "" if found is None else str(found.type)
