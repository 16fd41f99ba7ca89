"""Is this an event of the returns contract, and a sane one? Pure.

The contract is assumed, not published by any vendor (docs/connectors/reveni.md). Shape is held against
``contract.schema.json``; sizes, amounts and currencies against the limits below, which are ours: a row must be able to
hold what an event says, and an absurd amount must reach a person instead of a shop.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from connectors.mapping_targets import EVENT_BLOCK
from connectors.ports import Json, Problem
from connectors.returns_contract.sanity import sanity_errors, unstorable_text
from returnsops import states

MAX_ERRORS: Final = 10
SHOWN: Final = 3
FIRST_YEAR, LAST_YEAR = 2000, 2100
_TYPE_WORDS: Final = {"object": "an object", "array": "a list", "string": "text", "integer": "a whole number"}


@dataclass(frozen=True)
class _Error:
    """Where an event breaks the contract, and how."""

    where: str
    text: str
    is_unknown_word: bool = False


def event_problem(event: Json, *, is_translated: bool = False, rests_on_order: bool = False) -> Problem | None:
    """What makes an event unusable, as one Problem that names each place; None for a good event.

    ``is_translated``: the event comes from a mapping, where the vendor gives no revision and holes are the mapping's.
    ``rests_on_order``: the vendor names the order by its number and no currency: both are the order's (rebound.md C2).
    """
    if not isinstance(event, Mapping):
        return _problem([_Error("$", "must be an object")], is_translated)
    bad_text = unstorable_text(event)
    if bad_text:
        return _problem([_Error(bad_text, "holds a character that cannot be stored (NUL or half a code point)")], False)
    kind = event.get("type")
    if isinstance(kind, str) and kind not in EVENT_BLOCK:
        error = _Error(
            "$.type", f"{kind[:60]!r} is not one of the {len(EVENT_BLOCK)} event types", is_unknown_word=True
        )
        return _problem([error], is_translated)
    errors = [
        _described(error)
        for error in _validator(is_translated=is_translated, rests_on_order=rests_on_order).iter_errors(event)
    ]
    if not errors:
        errors = [_Error(where, text) for where, text in sanity_errors(event)]
    return _problem(errors, is_translated) if errors else None


def parse_time(text: str) -> datetime:
    """An RFC 3339 moment in UTC. Raises ValueError without a time zone or outside the years 2000 to 2100."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise ValueError(f"the year {moment.year} cannot be right")
    return moment.astimezone(UTC)


def _problem(errors: list[_Error], is_translated: bool) -> Problem:
    is_unmapped = is_translated or all(error.is_unknown_word for error in errors)
    lines = list(dict.fromkeys(f"{error.where}: {error.text}" for error in errors))
    more = f" (and {len(lines) - SHOWN} more)" if len(lines) > SHOWN else ""
    lead = "The mapping does not yet give a whole event" if is_translated else "The event does not fit the contract"
    return Problem(
        case_kind=states.CASE_UNMAPPED_EVENT if is_unmapped else states.CASE_UNREADABLE_EVENT,
        text=f"{lead}: {'; '.join(lines[:SHOWN])}{more}.",
        detail={"errors": lines[:MAX_ERRORS]},
    )


# --- the schema ---------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """The contract as stored beside this module."""
    text = files("connectors.returns_contract").joinpath("contract.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def _validator(*, is_translated: bool, rests_on_order: bool) -> Draft202012Validator:
    loosened = deepcopy(schema())
    # Who moves the money may be missing: that is a question for a person (a case), not a broken message.
    loosened["$defs"]["refund"]["required"].remove("executed_by")
    if is_translated:
        loosened["$defs"]["return"]["properties"]["revision"]["minimum"] = 0
    if rests_on_order:
        loosened["$defs"]["return"]["required"].remove("currency")
        loosened["$defs"]["return"]["properties"]["order"]["required"] = ["number"]
    return Draft202012Validator(loosened, format_checker=_formats())


def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())

    @checker.checks("date-time", raises=(ValueError, OverflowError))
    def is_moment(value: object) -> bool:
        return not isinstance(value, str) or bool(parse_time(value))

    return checker


# --- words for what is wrong --------------------------------------------------------------------------------------


def _described(error: ValidationError) -> _Error:
    """The error in plain words; customer text is cut, never dumped whole."""
    error = _deepest(error)
    word = _WORDS.get(str(error.validator))
    text = word(error) if word else "is not allowed here"
    return _Error(error.json_path, text, is_unknown_word=error.validator == "enum")


def _deepest(error: ValidationError) -> ValidationError:
    """Inside a choice ("text or null"), the branch that came nearest."""
    while error.context:
        error = max(error.context, key=lambda inner: (len(inner.absolute_path), inner.validator != "type"))
    return error


def _shown(value: object) -> str:
    return repr(value[:60]) if isinstance(value, str) else type(value).__name__


def _missing(error: ValidationError) -> str:
    present = error.instance if isinstance(error.instance, Mapping) else {}
    names = [name for name in _strings(error.validator_value) if name not in present]
    return f"missing: {', '.join(names)}"


def _wrong_type(error: ValidationError) -> str:
    wanted = _TYPE_WORDS.get(str(error.validator_value), str(error.validator_value))
    return f"must be {wanted}, not {_shown(error.instance)}"


def _strings(value: Any) -> Iterator[str]:
    yield from (str(part) for part in value)


_WORDS: Final[dict[str, Any]] = {
    "required": _missing,
    "type": _wrong_type,
    "enum": lambda error: f"{_shown(error.instance)} is not one of {', '.join(_strings(error.validator_value))}",
    "const": lambda error: f"must be {error.validator_value!r}, not {_shown(error.instance)}",
    "pattern": lambda error: f"{_shown(error.instance)} does not have the agreed form {error.validator_value}",
    "format": lambda error: f"{_shown(error.instance)} is not a {error.validator_value} with a time zone",
    "minimum": lambda error: f"must be at least {error.validator_value}",
    "minLength": lambda error: "must not be empty",
    "maxLength": lambda error: f"is longer than {error.validator_value} characters",
    "minItems": lambda error: "must not be empty",
}


def decimal_of(value: object) -> Decimal | None:
    """The amount of a validated decimal string, None where the field is absent."""
    return Decimal(value) if isinstance(value, str) else None
