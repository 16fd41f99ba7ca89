"""Replay recordings of a real Shopify store against the simulator.

A recording is one JSON file with requests and answers of one short history. Its requests are sent in their order,
with the store's ids replaced by ours as they become known. Fields that the simulator's schema does not have are
taken out of a question first; what remains is compared whole. A request kept without its text is asked for by the
shape of its answer.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    get_named_type,
    is_composite_type,
    parse,
    print_ast,
)

from connectors.simulators.shopify.graph import executable_schema
from connectors.simulators.shopify.inventory import stock_at
from connectors.simulators.shopify.roots import KEYED
from connectors.simulators.shopify.state import gid, number_of
from tests.connectors.simulators.shopify.asking import Bench, bench
from tests.settings import SHOPIFY_RECORDINGS

_LEFT_OUT = ("upstreamCalls", "cleanup", "proxyVariables")
_NOTHING = GraphQLObjectType("Nothing", {})
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_NOT_THERE = ("999999", "000000", "InventoryItem/42", "Location/515151", "ProductVariant/48540157378793")
"""Ids that the store did not have: made up, or (recorded by its effects) a variant of another store."""
_GID = re.compile(r"gid://shopify/\w+/[\w?=&-]+")
_NAME = re.compile(r"#\d{3,}")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One recorded request with its answer. `document` is empty where its text was not kept."""

    path: str
    is_old: bool
    document: str
    variables: dict[str, Any]
    answer: dict[str, Any]

    @property
    def roots(self) -> list[str]:
        """Names of the root fields: as asked where the text was kept, else as answered."""
        if not self.document:
            return list(self.answer.get("data") or {}) or [_root_of(self)]
        operations = [d for d in parsed(self.document).definitions if isinstance(d, OperationDefinitionNode)]
        return [one.name.value for one in operations[0].selection_set.selections if isinstance(one, FieldNode)]

    @property
    def unknown_roots(self) -> list[str]:
        """Root fields that the simulator's schema lacks."""
        schema = executable_schema()
        known = {*(schema.query_type or _NOTHING).fields, *(schema.mutation_type or _NOTHING).fields, "__type"}
        return [root for root in self.roots if root not in known]


@cache
def parsed(text: str) -> DocumentNode:
    """A document of a recording; each is looked at by several tests, and many recordings ask the same."""
    return parse(text, no_location=True)


def names() -> list[str]:
    """Every recording, by its path below the folder."""
    return sorted(path.relative_to(SHOPIFY_RECORDINGS).as_posix() for path in SHOPIFY_RECORDINGS.glob("*/*/*.json"))


@cache
def load(name: str) -> dict[str, Any]:
    """One recording."""
    found: dict[str, Any] = json.loads((SHOPIFY_RECORDINGS / name).read_text(encoding="utf-8"))
    return found


def exchanges(name: str) -> list[Exchange]:
    """The requests of a recording, in its order."""
    return [
        Exchange(path=path, is_old=name.startswith("2025"), document=text, variables=variables, answer=answer)
        for path, text, variables, answer in _walk(load(name), "", "", {})
    ]


def _walk(
    value: Any, path: str, document: str, variables: dict[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Text and variables are inherited from above where they stand there."""
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _walk(entry, f"{path}[{index}]", document, variables)
    if not isinstance(value, dict):
        return
    request = value["request"] if isinstance(value.get("request"), dict) else {}
    own = value.get("query") or value.get("document") or request.get("query") or document
    text = own if isinstance(own, str) and "{" in own else ""
    if "response" in value:
        answer = value["response"]
        for wrapper in ("payload", "body"):
            answer = answer.get(wrapper, answer)
        variables = value.get("variables") or request.get("variables") or variables
        yield path, text, variables, answer
        return
    for key, entry in value.items():
        if key not in _LEFT_OUT:
            yield from _walk(entry, f"{path}/{key}", text, value.get("variables") or variables)


@dataclass(kw_only=True)
class Replay:
    """A shop of ours that lives through one recording; `ids` are the store's ids and names with ours.

    `known` is what the recording says of each id anywhere.
    """

    own: Bench
    ids: dict[str, str] = field(default_factory=dict)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: int = 0

    def send(self, exchange: Exchange) -> dict[str, Any]:
        """Ask the simulator what was asked of the store."""
        self.sent += 1
        variables = self.ours(exchange.variables)
        if exchange.is_old:
            variables = modern(variables)
        document = asked(exchange, f"recorded-{self.sent}")
        body: dict[str, Any] = self.own.send(document, variables).json()
        return body

    def ours(self, value: Any) -> Any:
        """The same value with the store's ids and names replaced."""
        if isinstance(value, dict):
            return {key: self.ours(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self.ours(entry) for entry in value]
        if isinstance(value, str):
            known = _GID.sub(lambda found: self.ids.get(found[0], found[0]), value)
            return _NAME.sub(lambda name: self.ids.get(name[0], name[0]), known)
        return value

    def apart(self, theirs: Any, ours: Any, path: str) -> list[str]:
        """Where two answers differ, in words; ids that are new on both sides are taken for the same."""
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return [d for key in ours if key in theirs for d in self.apart(theirs[key], ours[key], f"{path}.{key}")]
        if isinstance(ours, list) and isinstance(theirs, list):
            if len(ours) != len(theirs):
                return [f"{path}: {len(theirs)} recorded, {len(ours)} of ours"]
            pairs = enumerate(zip(theirs, ours, strict=True))
            return [d for index, (a, b) in pairs for d in self.apart(a, b, f"{path}[{index}]")]
        if isinstance(theirs, str) and isinstance(ours, str) and self._is_same(theirs, ours, path):
            return []
        return [] if theirs == ours else [f"{path}: {theirs!r} recorded, {ours!r} of ours"]

    def _is_same(self, theirs: str, ours: str, path: str) -> bool:
        if path.endswith("Cursor") or (_MOMENT.fullmatch(theirs) and _MOMENT.fullmatch(ours)):
            return True
        if "?" in theirs and "?" in ours:
            self.ids.setdefault(theirs, ours)
            return theirs.rpartition("/")[0] == ours.rpartition("/")[0]
        if theirs.startswith("gid://") and ours.startswith("gid://"):
            return self.ids.setdefault(theirs, ours) == ours
        their_name, our_name = _NAME.match(theirs), _NAME.match(ours)
        if their_name and our_name:
            self.ids.setdefault(their_name[0], our_name[0])
        return bool(self.ours(theirs) == ours or self.ours(theirs) == self.ours(ours))


def modern(value: Any) -> Any:
    """Variables of 2025-01 as 2026-04 wants them: a comparison in each entry (null is none), none beside them."""
    if isinstance(value, list):
        return [modern(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: modern(entry) for key, entry in value.items() if key not in ("ignoreCompareQuantity", "compareQuantity")
    }
    is_entry = ("inventoryItemId" in value and "from" not in value) or {"name", "locationId"} <= set(value)
    return {"changeFromQuantity": None} | kept if is_entry else kept


def new_replay(name: str) -> Replay:
    """A shop in Canadian dollars that has every place and item the recording names, with nothing in stock."""
    own = bench(currency="CAD", is_tax_included=False)
    own.shop.state.access.scopes.append("write_order_edits")
    own.clock.advance((datetime(2026, 12, 1, tzinfo=UTC) - own.clock.now()).total_seconds())
    own.shop.state.locations.clear()
    own.shop.state.levels.clear()
    replay = Replay(own=own)
    found: dict[str, dict[str, Any]] = {}
    for exchange in exchanges(name):
        _collect(exchange.variables, found)
        _collect(exchange.answer, found)
    for part in ("setup", "locations"):
        _collect(load(name).get(part), found)
    replay.known = found
    found = {one: known for one, known in found.items() if not any(part in one for part in _NOT_THERE)}
    places = [one for one in found if one.startswith("gid://shopify/Location/")]
    if not places:
        own.shop.add_location("Shop location")
    for place in places:
        location = own.shop.add_location(found[place].get("name") or "Shop location")
        replay.ids[place] = gid("Location", location.id)
    for one, known in found.items():
        if one.startswith("gid://shopify/ProductVariant/"):
            item = (known.get("inventoryItem") or {}).get("id")
            _add_item(replay, one, item, places)
    for one in found:
        if one.startswith("gid://shopify/InventoryItem/") and one not in replay.ids:
            _add_item(replay, None, one, places)
    for item, place, units in _stocked(load(name).get("setup")):
        where = number_of("InventoryItem", replay.ids[item]), number_of("Location", replay.ids[place])
        own.shop.state.levels[where].quantities["available"] = units
    return replay


def _stocked(value: Any) -> Iterator[tuple[str, str, int]]:
    """What a look-up shows to be available, as (item, place, units)."""
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for entry in entries:
        yield from _stocked(entry)
    if isinstance(value, dict) and "inventoryLevels" in value:
        for level in value["inventoryLevels"]["nodes"]:
            found = [one["quantity"] for one in level["quantities"] if one["name"] == "available"]
            if found:
                yield value["id"], level["location"]["id"], found[0]


def _add_item(replay: Replay, variant: str | None, item: str | None, places: list[str]) -> None:
    made = replay.own.shop.add_product("Recorded product", sku="", price=Decimal("1.00"))
    if variant:
        replay.ids[variant] = gid("ProductVariant", made.id)
    if item:
        replay.ids[item] = gid("InventoryItem", made.item_id)
    for place in places:
        stock_at(replay.own.shop.state, made.item_id, number_of("Location", replay.ids[place]))


def _collect(value: Any, found: dict[str, dict[str, Any]]) -> None:
    """Every id in a value, with what is said of it beside."""
    if isinstance(value, dict):
        if str(value.get("id", "")).startswith("gid://"):
            found.setdefault(value["id"], {}).update(value)
        for entry in value.values():
            _collect(entry, found)
    elif isinstance(value, list):
        for entry in value:
            _collect(entry, found)
    elif isinstance(value, str) and value.startswith("gid://shopify/") and "?" not in value:
        found.setdefault(value, {})


def asked(exchange: Exchange, key: str) -> str:
    """The document to send: the recorded one without what our schema lacks, or one made from the answer's shape."""
    schema = executable_schema()
    if not exchange.document:
        return _made_up(schema, exchange, key)
    document = parsed(exchange.document)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    root = schema.get_root_type(operation.operation)
    body = _kept(schema, operation.selection_set.selections, root, fragments, key if _wants_key(exchange) else "")
    return _with_head(operation, body)


def _wants_key(exchange: Exchange) -> bool:
    """Older versions did without @idempotent; only where its absence was the point is it left away."""
    codes = [(error.get("extensions") or {}).get("code") for error in exchange.answer.get("errors") or []]
    return "BAD_REQUEST" not in codes


def _with_head(operation: OperationDefinitionNode, body: str) -> str:
    used = set(re.findall(r"\$(\w+)", body))
    wanted = [print_ast(d) for d in operation.variable_definitions or () if d.variable.name.value in used]
    return f"{operation.operation.value} Recorded{'(' + ', '.join(wanted) + ')' if wanted else ''} {{ {body} }}"


def _kept(schema: GraphQLSchema, selections: Any, parent: Any, fragments: dict[str, Any], key: str) -> str:
    parts: list[str] = []
    for one in selections:
        if isinstance(one, FieldNode):
            parts.append(_kept_field(schema, one, parent, fragments, key))
        elif isinstance(one, InlineFragmentNode) and one.type_condition is not None:
            parts.append(_kept_on(schema, one.type_condition.name.value, one, fragments))
        elif isinstance(one, FragmentSpreadNode):
            fragment = fragments[one.name.value]
            parts.append(_kept_on(schema, fragment.type_condition.name.value, fragment, fragments))
    return " ".join(part for part in parts if part)


def _kept_on(schema: GraphQLSchema, name: str, node: Any, fragments: dict[str, Any]) -> str:
    kind = schema.type_map.get(name)
    inside = _kept(schema, node.selection_set.selections, kind, fragments, "") if kind is not None else ""
    return f"... on {name} {{ {inside} }}" if inside else ""


def _kept_field(schema: GraphQLSchema, node: FieldNode, parent: Any, fragments: dict[str, Any], key: str) -> str:
    name = node.name.value
    known = getattr(parent, "fields", {}).get(name)
    alias = f"{node.alias.value}: " if node.alias else ""
    if name == "__typename":
        return f"{alias}{name}"
    if known is None:
        return ""
    arguments = [print_ast(one) for one in node.arguments or () if one.name.value in known.args]
    text = f"{alias}{name}{'(' + ', '.join(arguments) + ')' if arguments else ''}"
    text += "".join(f" {print_ast(one)}" for one in node.directives or ())
    if key and name in KEYED and not node.directives:
        text += f' @idempotent(key: "{key}")'
    if node.selection_set is None:
        return text
    inside = _kept(schema, node.selection_set.selections, get_named_type(known.type), fragments, "")
    return f"{text} {{ {inside} }}" if inside else ""


def _made_up(schema: GraphQLSchema, exchange: Exchange, key: str) -> str:
    """A document from the shape of the answer, its arguments from the variables of the same name."""
    root = exchange.roots[0]
    is_mutation = schema.mutation_type is not None and root in schema.mutation_type.fields
    kind = schema.mutation_type if is_mutation else schema.query_type
    known = kind.fields[root] if kind is not None else None
    assert known is not None, root
    given = [(name, argument) for name, argument in known.args.items() if name in exchange.variables]
    head = ", ".join(f"${name}: {argument.type}" for name, argument in given)
    arguments = ", ".join(f"{name}: ${name}" for name, _ in given)
    shape = _shape((exchange.answer.get("data") or {}).get(root), get_named_type(known.type))
    directive = f' @idempotent(key: "{key}")' if root in KEYED and _wants_key(exchange) else ""
    inside = f"{root}({arguments}){directive} {{ {shape or 'userErrors { message }'} }}"
    return f"{'mutation' if is_mutation else 'query'} Recorded({head}) {{ {inside} }}"


def _root_of(exchange: Exchange) -> str:
    """For an answer of errors only: the one mutation whose input is of this shape."""
    quantities = exchange.variables.get("input", {})
    return "inventorySetQuantities" if "quantities" in quantities else "inventoryAdjustQuantities"


def _shape(value: Any, kind: Any) -> str:
    while isinstance(value, list):
        value = value[0] if value else None
    if value is None and getattr(kind, "fields", None) and "message" in kind.fields:
        return " ".join(name for name in ("field", "message", "code") if name in kind.fields)
    if not isinstance(value, dict):
        return ""
    parts = []
    for name, entry in value.items():
        known = getattr(kind, "fields", {}).get(name)
        if known is None:
            continue
        below = get_named_type(known.type)
        if not is_composite_type(below):
            parts.append(name)
            continue
        inside = _shape(entry, below)
        first = "(first: 50)" if "first" in known.args else ""
        if inside:
            parts.append(f"{name}{first} {{ {inside} }}")
    return " ".join(parts)
