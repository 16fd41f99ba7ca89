"""What a query costs: requested before it runs, actual from its answer (shopify.md section 3).

Worked out from recordings and held to them by a test: a mutation 10 (refundCreate 20), an object 1, money, userErrors
and the object a mutation gives back 0, a connection 2 plus 1.8 times the natural logarithm of `first`, rounded, for
each node with what is inside it. The published text says only that connections are sized by first and last. The
actual cost counts the objects of the answer; Shopify's own figure is a little higher for small answers.
"""

from collections.abc import Iterator, Mapping
from math import ceil, log
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

MUTATION_COSTS = {"refundCreate": 20}
MUTATION_COST = 10
CONNECTION_COST = 2
SIZE_FACTOR = 1.8
UNSIZED = 10
FREE_TYPES = frozenset({"MoneyBag", "MoneyV2", "PageInfo", "TaxLine", "DiscountAllocation"})


class Reckoner:
    """Walks one operation; `variables` give the sizes of connections."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.schema = schema
        self.variables = variables
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}

    def requested(self, operation: OperationDefinitionNode) -> int:
        """Points to reserve."""
        root = self.schema.get_root_type(operation.operation)
        if root is None:
            return 0
        if operation.operation.value != "mutation":
            return ceil(self._selections(operation.selection_set, root))
        return ceil(sum(self._mutation(node, root) for node, _ in self._fields(operation.selection_set, root)))

    def actual(self, operation: OperationDefinitionNode, data: Mapping[str, Any] | None) -> int:
        """Points really spent: counted over the answer."""
        root = self.schema.get_root_type(operation.operation)
        if root is None or data is None:
            return 0
        is_mutation = operation.operation.value == "mutation"
        spent = 0
        for node, _ in self._fields(operation.selection_set, root):
            answer = data.get(key_of(node))
            field_type = get_named_type(root.fields[node.name.value].type) if node.name.value in root.fields else None
            if is_mutation:
                spent += MUTATION_COSTS.get(node.name.value, MUTATION_COST)
                spent += self._inside_payload(node, field_type, answer)
            else:
                spent += self._counted(node, field_type, answer)
        return spent

    def _mutation(self, node: FieldNode, root: Any) -> float:
        base = MUTATION_COSTS.get(node.name.value, MUTATION_COST)
        field = root.fields.get(node.name.value)
        if field is None or node.selection_set is None:
            return base
        payload = get_named_type(field.type)
        return base + sum(
            self._selections(child.selection_set, get_named_type(parent.fields[child.name.value].type))
            for child, parent in self._fields(node.selection_set, payload)
            if child.selection_set is not None and child.name.value != "userErrors"
        )

    def _selections(self, selections: SelectionSetNode | None, parent: Any) -> float:
        return 0 if selections is None else sum(self._field(node, at) for node, at in self._fields(selections, parent))

    def _field(self, node: FieldNode, parent: Any) -> float:
        field = parent.fields.get(node.name.value) if hasattr(parent, "fields") else None
        if field is None or node.selection_set is None:
            return 0
        named = get_named_type(field.type)
        if not is_composite_type(named) or named.name in FREE_TYPES:
            return 0
        if named.name.endswith("Connection"):
            return CONNECTION_COST + self._size(node) * self._node_cost(node, named)
        return 1 + self._selections(node.selection_set, named)

    def _node_cost(self, node: FieldNode, named: Any) -> float:
        """One node with what is inside; below edges it stands one step deeper."""
        for child, _ in self._fields(node.selection_set, named):
            below = get_named_type(named.fields[child.name.value].type)
            if child.name.value == "nodes":
                return 1 + self._selections(child.selection_set, below)
            if child.name.value == "edges":
                return max(1.0, self._selections(child.selection_set, below))
        return 1

    def _size(self, node: FieldNode) -> int:
        number = UNSIZED
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                given = self.variables.get(value.name.value) if isinstance(value, VariableNode) else None
                number = int(value.value) if isinstance(value, IntValueNode) else given or UNSIZED
        return max(1, round(SIZE_FACTOR * log(number)))

    def _fields(self, selections: SelectionSetNode | None, parent: Any) -> Iterator[tuple[FieldNode, Any]]:
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                yield selection, parent
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                yield from self._fields(
                    selection.selection_set, self.schema.type_map[condition.name.value] if condition else parent
                )
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                yield from self._fields(
                    fragment.selection_set, self.schema.type_map[fragment.type_condition.name.value]
                )

    def _inside_payload(self, node: FieldNode, payload: Any, answer: Any) -> int:
        if not isinstance(answer, dict) or not isinstance(payload, GraphQLObjectType):
            return 0
        return sum(
            self._below(child, get_named_type(payload.fields[child.name.value].type), answer.get(key_of(child)))
            for child, _ in self._fields(node.selection_set, payload)
            if child.selection_set is not None and child.name.value != "userErrors"
        )

    def _counted(self, node: FieldNode, named: Any, answer: Any) -> int:
        if answer is None or not is_composite_type(named) or named.name in FREE_TYPES:
            return 0
        if isinstance(answer, list):
            return sum(self._counted(node, named, one) for one in answer)
        return 1 + self._below(node, named, answer)

    def _below(self, node: FieldNode, named: Any, answer: Any) -> int:
        if isinstance(answer, list):
            return sum(self._below(node, named, one) for one in answer)
        if not isinstance(answer, dict):
            return 0
        spent = 0
        for child, parent in self._fields(node.selection_set, named):
            field = getattr(parent, "fields", {}).get(child.name.value)
            if field is not None and child.selection_set is not None and key_of(child) in answer:
                below = get_named_type(field.type)
                is_edge = child.name.value == "edges" and named.name.endswith("Connection")
                value = answer[key_of(child)]
                spent += self._below(child, below, value) if is_edge else self._counted(child, below, value)
        return spent


def key_of(node: FieldNode) -> str:
    """The name under which a field is answered."""
    return node.alias.value if node.alias else node.name.value
