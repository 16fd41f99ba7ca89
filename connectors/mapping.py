"""Apply a stored mapping: a vendor's message becomes events of the returns contract (reveni.md C7). Pure.

A mapping is data, versioned by its owner, validated by ``mapping_validation`` on save, and can only point, convert and
look up; it never computes. A value it cannot translate is left out, never replaced by a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors import paths
from connectors.mapping_targets import COLLECTIONS, EVENT_BLOCK, TARGETS, convert, fit, kind_of, snake
from connectors.ports import Json, Problem
from returnsops import states

FROM_CONNECTION: Final = "from-connection"
SNAPSHOT: Final = "snapshot"
STATUS_EVENTS: Final = "status_events"
HOLD_PLACED: Final = "risk.hold_placed"
HOLD_RELEASED: Final = "risk.hold_released"
MAX_ELEMENTS: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """What a mapping made of one message.

    ``events`` are contract events, perhaps with holes: the contract's own validation judges them. ``snapshot`` is set
    instead where the rule emits from a snapshot. ``status`` is the vendor's status word that led to the events.
    """

    events: tuple[Json, ...] = ()
    snapshot: Json = None
    status: str = ""
    problems: tuple[Problem, ...] = ()
    ignored_because: str = ""


@dataclass(kw_only=True)
class _Reading:
    """One message while it is read; problems gather here."""

    mapping: Mapping[str, Any]
    document: Json
    root: Json
    currency: str = ""
    problems: list[Problem] = field(default_factory=list)

    def complain(self, where: str, text: str) -> None:
        """Note one value that could not be translated."""
        self.problems.append(
            Problem(case_kind=states.CASE_UNMAPPED_EVENT, text=f"{where}: {text}", detail={"where": where})
        )


def apply_mapping(mapping: Mapping[str, Any], *, document: Json, previous: Json = None, account: str = "") -> Mapped:
    """Translate ``document``; ``previous`` is the message last seen about the same subject, for ``changed`` tests.

    Never raises for what the vendor sent: what cannot be translated is a Problem that says where and what.
    """
    rule = next((rule for rule in mapping["rules"] if _is_met(rule, document, previous)), None)
    if rule is None:
        return Mapped(problems=(_no_rule(mapping, document),))
    roots = paths.find(mapping.get("root", "$"), document=document, here=document)
    reading = _Reading(mapping=mapping, document=document, root=roots[0] if roots else None)
    reading.currency = str(_value(reading, "return.currency", mapping["fields"].get("return.currency"), None) or "")
    reading.problems.clear()  # the currency is read again in its place
    if rule.get("emit_from") == SNAPSHOT:
        snapshot = {**_fill(reading, ("return",)).get("return", {}), **_fill(reading, tuple(COLLECTIONS))}
        return Mapped(snapshot=snapshot, problems=tuple(reading.problems))
    types, status = _emitted(reading, rule, previous)
    if types is None:
        return Mapped(problems=tuple(reading.problems), status=status)
    if not types:
        return Mapped(ignored_because=f"The mapping says that this event means nothing to us (status {status!r}).")
    events = [_event(reading, kind, account, is_one_of_many=len(types) > 1) for kind in types]
    return Mapped(events=tuple(events), status=status, problems=tuple(_unique(reading.problems)))


# --- rules --------------------------------------------------------------------------------------------------------


def _is_met(rule: Mapping[str, Any], document: Json, previous: Json) -> bool:
    return all(_passes(test, document, previous) for test in rule.get("when", ()))


def _passes(test: Mapping[str, Any], document: Json, previous: Json) -> bool:
    value = _tested(test, document)
    checks = [
        "in" not in test or value in test["in"],
        "not_in" not in test or value not in test["not_in"],
        "exists" not in test or (value is not None) is test["exists"],
        "changed" not in test or (value != _tested(test, previous)) is test["changed"],
    ]
    return all(checks)


def _tested(test: Mapping[str, Any], document: Json) -> Json:
    found = paths.find(test["path"], document=document, here=document)
    value = found[0] if found else None
    return snake(value) if test.get("norm") == "snake" else value


def _emitted(reading: _Reading, rule: Mapping[str, Any], previous: Json) -> tuple[list[str] | None, str]:
    """The event types of a rule and the status they come from; None where the status means nothing to the mapping."""
    if "emit" in rule:
        return list(rule["emit"]), ""
    test = next(test for test in rule["when"] if "changed" in test)
    table = reading.mapping[STATUS_EVENTS]
    status = str(_tested(test, reading.document))
    if status not in table:
        if reading.mapping.get("fallback", {}).get("unknown_status") == "ignore":
            return [], status
        reading.complain(STATUS_EVENTS, f"the table has no entry for the status {status[:60]!r}; add what it means.")
        return None, status
    types = list(table[status])
    was_held = HOLD_PLACED in table.get(str(_tested(test, previous)), ())
    if was_held and HOLD_PLACED not in types:
        types.insert(0, HOLD_RELEASED)  # no vendor word for it: the next other status ends the hold (C7)
    return types, status


def _no_rule(mapping: Mapping[str, Any], document: Json) -> Problem:
    tried = sorted({test["path"] for rule in mapping["rules"] for test in rule.get("when", ())})
    seen = {path: str(paths.find(path, document=document, here=document)[:1])[:80] for path in tried}
    text = f"No rule of mapping version {mapping.get('version')} fits this event; add one to rules."
    return Problem(case_kind=states.CASE_UNMAPPED_EVENT, text=text, detail={"where": "rules", "seen": seen})


# --- events -------------------------------------------------------------------------------------------------------


def _event(reading: _Reading, kind: str, account: str, *, is_one_of_many: bool) -> dict[str, Json]:
    envelope = reading.mapping["envelope"]
    event_id = _value(reading, "envelope.id", envelope.get("id"), None)
    occurred_at = _value(reading, "envelope.occurred_at", envelope.get("occurred_at"), None)
    account_id = _value(reading, "envelope.account_id", envelope.get("account_id"), None)
    wanted = tuple(name for name in ("return", EVENT_BLOCK.get(kind, "")) if name)
    return {
        "id": f"{event_id}:{kind}" if is_one_of_many else str(event_id or ""),
        "type": kind,
        "timestamp": occurred_at,
        "schema_version": "1",
        "account": {"id": account if account_id in (None, FROM_CONNECTION) else str(account_id)},
        "data": _fill(reading, wanted),
    }


def _fill(reading: _Reading, blocks: Sequence[str]) -> dict[str, Json]:
    """The blocks of ``data`` that the mapping's fields give."""
    data: dict[str, Json] = {}
    for target, source in reading.mapping["fields"].items():
        if target.split(".")[0] not in blocks:
            continue
        value = _value(reading, target, source, kind_of(target, TARGETS))
        if value is not None:
            _put(data, target, value)
    return data


def _put(data: dict[str, Json], target: str, value: Json) -> None:
    *parents, name = target.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
    data[name] = value


def _value(reading: _Reading, where: str, source: Any, spec: Any, here: Json = None) -> Json:
    """What one source gives for a target: a scalar in the contract's form, a list for ``each``, None for nothing."""
    here = reading.root if here is None else here
    if isinstance(source, Mapping) and "each" in source:
        return _each(reading, where, source, spec, here)
    value = _raw(reading, source, here)
    if value is None:
        return None
    try:
        how = source if isinstance(source, Mapping) else {}
        if how.get("norm") == "snake":
            value = snake(value)
        if "as" in how and "const" not in how:
            value = convert(value, how["as"], currency=reading.currency)
        value = _translated(reading, where, value)
        return fit(value, spec) if isinstance(spec, str) and value is not None else value
    except (ValueError, OverflowError) as error:
        reading.complain(where if where.startswith("envelope.") else f"fields.{where}", f"{error}")
        return None


def _raw(reading: _Reading, source: Any, here: Json) -> Json:
    if source is None:
        return None
    if isinstance(source, Mapping) and "const" in source:
        return source["const"]
    listed = source.get("path", []) if isinstance(source, Mapping) else source
    for path in [listed] if isinstance(listed, str) else listed:
        for value in paths.find(path, document=reading.document, here=here):
            if value is not None:
                return value
    return source.get("default") if isinstance(source, Mapping) else None


def _each(reading: _Reading, where: str, source: Mapping[str, Any], spec: Any, here: Json) -> list[Json] | None:
    found = paths.find(source["each"], document=reading.document, here=here)
    elements = found[0] if len(found) == 1 and isinstance(found[0], list) else found
    if not elements and paths.is_placeholder(source["each"]):
        return None
    if len(elements) > MAX_ELEMENTS:
        reading.complain(f"fields.{where}", f"more than {MAX_ELEMENTS} elements.")
        return None
    rows = []
    for element in elements:
        row: dict[str, Json] = {}
        for name, inner in source["map"].items():
            value = _value(reading, f"{where}.{name}", inner, kind_of(name, spec[0]), element)
            if value is not None:
                _put(row, name, value)
        rows.append(row)
    return rows


# --- value tables -------------------------------------------------------------------------------------------------


def _translated(reading: _Reading, where: str, value: Json) -> Json:
    """The value by its table. Without a table it stays; with one that lacks it, nothing or the harmless word."""
    name, table = _table_of(reading.mapping.get("values", {}), where)
    if table is None or not isinstance(value, str | int):
        return value
    if str(value) in table:
        return table[str(value)]
    field_name = where.rsplit(".", 1)[-1]
    if field_name == "reason_code":
        return value  # stays the vendor's word: the reason tables of the back office open the case
    if reading.mapping.get("fallback", {}).get("unmapped_value", "exception") == "exception":
        reading.complain(f"values.{name}", f"the table has no entry for {str(value)[:60]!r}; add what it means.")
    return "unknown" if field_name == "disposition" else None


def _table_of(tables: Mapping[str, Any], where: str) -> tuple[str, Mapping[str, Any] | None]:
    """The table named like the target or like the longest end of it."""
    parts = where.split(".")
    for start in range(len(parts)):
        name = ".".join(parts[start:])
        if name in tables:
            return name, tables[name]
    return "", None


def _unique(problems: Sequence[Problem]) -> list[Problem]:
    """Several events of one message repeat the same complaint; once is enough."""
    return list({problem.text: problem for problem in problems}.values())
