"""Check a stored mapping before it is saved: every complaint says where it is and what to do. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from connectors import paths, signing
from connectors.mapping import FROM_CONNECTION, SNAPSHOT, STATUS_EVENTS
from connectors.mapping_targets import CONVERSIONS, EVENT_BLOCK, TARGETS, kind_of

MAX_RULES: Final = 100
WEBHOOKS: Final = "webhooks"
MAX_FIELDS: Final = 300
_TOP: Final = frozenset(
    {"version", "verifier", "envelope", "root", "rules", "status_events", "fields", "values", "fallback", WEBHOOKS}
)
_ENVELOPE: Final = frozenset({"id", "occurred_at", "account_id"})
_TESTS: Final = frozenset({"in", "not_in", "exists", "changed"})
_SOURCE: Final = frozenset({"path", "const", "default", "as", "norm"})
_FALLBACKS: Final[dict[str, frozenset[str]]] = {
    "missing_items": frozenset({"fetch", "exception"}),
    "unknown_status": frozenset({"exception", "ignore"}),
    "unmapped_value": frozenset({"exception", "ignore"}),
}
Complaints = Iterator[str]


def mapping_problems(document: Any) -> tuple[str, ...]:
    """What is wrong with a mapping, as ``where: what`` sentences; empty if it can be saved."""
    if not isinstance(document, Mapping):
        return ("mapping: must be a JSON object.",)
    return tuple(_document(document))


def unfilled(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Targets whose path still says ``<unknown>``: what the vendor does not publish and nobody has filled in yet."""
    pushed = document.get(WEBHOOKS, {}).get("fields", {})
    return (*_unfilled("fields", document.get("fields", {})), *_unfilled(f"{WEBHOOKS}.fields", pushed))


def _unfilled(where: str, node: Any) -> Iterator[str]:
    if paths.is_placeholder(node):
        yield where
    elif isinstance(node, Mapping):
        for name, inner in node.items():
            yield from _unfilled(f"{where}.{name}", inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _unfilled(where, inner)


def _document(document: Mapping[str, Any]) -> Complaints:
    yield from _unknown_keys("mapping", document, _TOP)
    version = document.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        yield "version: must be a whole number from 1."
    if "verifier" in document:
        yield from _verifier(document["verifier"])
    yield from _envelope(document.get("envelope"))
    yield from _path("root", document.get("root", "$"))
    yield from _rules(document)
    yield from _status_events(document.get(STATUS_EVENTS, {}))
    yield from _fields(document.get("fields"))
    yield from _values(document.get("values", {}))
    yield from _fallback(document.get("fallback", {}))
    if WEBHOOKS in document:
        yield from _webhooks(document[WEBHOOKS])


def _webhooks(inner: Any) -> Complaints:
    """A mapping of its own for what is pushed, of a vendor whose messages and answers differ."""
    if not isinstance(inner, Mapping) or WEBHOOKS in inner:
        yield f"{WEBHOOKS}: must be a mapping of its own, without another {WEBHOOKS} in it."
        return
    yield from (f"{WEBHOOKS}.{complaint}" for complaint in _document(inner))


def _verifier(verifier: Any) -> Complaints:
    if not isinstance(verifier, Mapping):
        yield "verifier: must be an object with a kind."
        return
    for problem in signing.verifier_problems(verifier):
        yield f"verifier.{problem}"


def _envelope(envelope: Any) -> Complaints:
    if not isinstance(envelope, Mapping):
        yield "envelope: must be an object with id and occurred_at."
        return
    yield from _unknown_keys("envelope", envelope, _ENVELOPE)
    for name in ("id", "occurred_at"):
        if name not in envelope:
            yield f"envelope.{name}: is missing; say where the message holds it."
    for name in _ENVELOPE & set(envelope):
        yield from _source(f"envelope.{name}", envelope[name])
    account = envelope.get("account_id")
    if isinstance(account, Mapping) and "const" in account and not isinstance(account["const"], str):
        yield f"envelope.account_id: const must be text ({FROM_CONNECTION!r} takes the connection's name)."


def _rules(document: Mapping[str, Any]) -> Complaints:
    rules = document.get("rules")
    if not isinstance(rules, list) or not 1 <= len(rules) <= MAX_RULES:
        yield f"rules: must be a list of 1 to {MAX_RULES} rules."
        return
    for number, rule in enumerate(rules):
        yield from _rule(f"rules[{number}]", rule, document)


def _rule(where: str, rule: Any, document: Mapping[str, Any]) -> Complaints:
    if not isinstance(rule, Mapping):
        yield f"{where}: must be an object with when and emit."
        return
    yield from _unknown_keys(where, rule, frozenset({"when", "emit", "emit_from"}))
    tests = rule.get("when", [])
    if not isinstance(tests, list):
        yield f"{where}.when: must be a list of tests."
        return
    for number, test in enumerate(tests):
        yield from _test(f"{where}.when[{number}]", test)
    if ("emit" in rule) == ("emit_from" in rule):
        yield f"{where}: needs exactly one of emit and emit_from."
    elif "emit" in rule:
        yield from _types(f"{where}.emit", rule["emit"])
    elif rule["emit_from"] not in (STATUS_EVENTS, SNAPSHOT):
        yield f"{where}.emit_from: must be {STATUS_EVENTS!r} or {SNAPSHOT!r}."
    elif rule["emit_from"] == STATUS_EVENTS:
        yield from _status_rule(where, tests, document)


def _status_rule(where: str, tests: list[Any], document: Mapping[str, Any]) -> Complaints:
    if sum(isinstance(test, Mapping) and "changed" in test for test in tests) != 1:
        yield f"{where}: emit_from {STATUS_EVENTS!r} needs exactly one 'changed' test, which names the status."
    if not document.get(STATUS_EVENTS):
        yield f"{STATUS_EVENTS}: is missing although {where} uses it."


def _test(where: str, test: Any) -> Complaints:
    if not isinstance(test, Mapping):
        yield f"{where}: must be an object with path and a test."
        return
    yield from _unknown_keys(where, test, _TESTS | {"path", "norm"})
    yield from _path(f"{where}.path", test.get("path"))
    if not _TESTS & set(test):
        yield f"{where}: needs one of {', '.join(sorted(_TESTS))}."
    for name in ("in", "not_in"):
        if name in test and not isinstance(test[name], list):
            yield f"{where}.{name}: must be a list of values."
    for name in ("exists", "changed"):
        if name in test and not isinstance(test[name], bool):
            yield f"{where}.{name}: must be true or false."
    yield from _norm(where, test)


def _status_events(table: Any) -> Complaints:
    if not isinstance(table, Mapping):
        yield f"{STATUS_EVENTS}: must be an object: status -> list of event types."
        return
    for status, types in table.items():
        yield from _types(f"{STATUS_EVENTS}.{status}", types)


def _types(where: str, types: Any) -> Complaints:
    if not isinstance(types, list):
        yield f"{where}: must be a list of event types."
        return
    for kind in types:
        if not isinstance(kind, str) or kind not in EVENT_BLOCK:
            yield f"{where}: {str(kind)[:60]!r} is not an event type of the contract."


def _fields(fields: Any) -> Complaints:
    if not isinstance(fields, Mapping) or not fields or len(fields) > MAX_FIELDS:
        yield f"fields: must be an object with 1 to {MAX_FIELDS} targets."
        return
    for target, source in fields.items():
        yield from _target(f"fields.{target}", source, kind_of(target, TARGETS))


def _target(where: str, source: Any, spec: Any) -> Complaints:
    if spec is None or isinstance(spec, Mapping):
        what = "is not a field of the contract" if spec is None else "is a group; name a field inside it"
        yield f"{where}: {what}."
    elif isinstance(spec, tuple):
        yield from _each(where, source, spec[0])
    else:
        yield from _source(where, source)


def _each(where: str, source: Any, spec: Any) -> Complaints:
    if not isinstance(source, Mapping) or set(source) != {"each", "map"} or not isinstance(source["map"], Mapping):
        yield f"{where}: is a list and needs exactly 'each' (a path) and 'map' (an object)."
        return
    yield from _path(f"{where}.each", source["each"])
    for name, inner in source["map"].items():
        yield from _target(f"{where}.map.{name}", inner, kind_of(name, spec))


def _source(where: str, source: Any) -> Complaints:
    if isinstance(source, str):
        yield from _path(where, source)
    elif isinstance(source, list):
        yield from _path_list(where, source)
    elif isinstance(source, Mapping):
        yield from _source_object(where, source)
    else:
        yield f"{where}: must be a path, a list of paths, or an object with path or const."


def _source_object(where: str, source: Mapping[str, Any]) -> Complaints:
    yield from _unknown_keys(where, source, _SOURCE)
    if ("path" in source) == ("const" in source):
        yield f"{where}: needs exactly one of path and const."
    elif "path" in source:
        listed = source["path"]
        yield from _path_list(where, listed) if isinstance(listed, list) else _path(where, listed)
    if "as" in source and source["as"] not in CONVERSIONS:
        yield f"{where}.as: {str(source['as'])[:40]!r} is not one of {', '.join(CONVERSIONS)}."
    yield from _norm(where, source)


def _path_list(where: str, listed: list[Any]) -> Complaints:
    if not listed:
        yield f"{where}: the list of paths is empty."
    for path in listed:
        yield from _path(where, path)


def _path(where: str, path: Any) -> Complaints:
    if not isinstance(path, str):
        yield f"{where}: must be a path such as $.data.id."
    elif not paths.is_placeholder(path):
        try:
            paths.parse_path(path)
        except paths.PathError as error:
            yield f"{where}: {error}"


def _norm(where: str, node: Mapping[str, Any]) -> Complaints:
    if "norm" in node and node["norm"] != "snake":
        yield f"{where}.norm: only 'snake' is known."


def _values(tables: Any) -> Complaints:
    if not isinstance(tables, Mapping):
        yield "values: must be an object of tables."
        return
    for name, table in tables.items():
        if not isinstance(table, Mapping) or not all(isinstance(ours, str) for ours in table.values()):
            yield f"values.{name}: must be a table of the vendor's word -> our word."


def _fallback(fallback: Any) -> Complaints:
    if not isinstance(fallback, Mapping):
        yield "fallback: must be an object."
        return
    yield from _unknown_keys("fallback", fallback, frozenset(_FALLBACKS))
    for name in set(_FALLBACKS) & set(fallback):
        if fallback[name] not in _FALLBACKS[name]:
            yield f"fallback.{name}: must be one of {', '.join(sorted(_FALLBACKS[name]))}."


def _unknown_keys(where: str, node: Mapping[str, Any], known: frozenset[str]) -> Complaints:
    for name in sorted(str(key) for key in set(node) - known):
        yield f"{where}: unknown key {name[:60]!r}; known are {', '.join(sorted(known))}."
