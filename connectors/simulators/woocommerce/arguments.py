"""Arguments of a request, read and checked as WordPress does before a handler runs."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import WooError, invalid_parameter, invalid_type

_INDEX = re.compile(r"\[\d*\]$")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(Z|[+-]\d{2}:?\d{2})?$")
_TRUE, _FALSE = ("true", "1"), ("false", "0", "")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request for a handler: the shop, the base URL of the API, query lists by name, and the JSON body."""

    shop: ShopState
    method: str
    base: str
    url: str
    query: dict[str, list[str]]
    body: dict[str, Any]

    def text(self, name: str, default: str = "") -> str:
        """The last value of a query argument."""
        return self.query.get(name, [default])[-1]

    def words(self, name: str) -> list[str]:
        """A list argument: repeated, indexed or comma separated."""
        return [word.strip() for value in self.query.get(name, []) for word in value.split(",") if word.strip()]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a handler gives back."""

    body: Any
    status: int = 200
    total: int | None = None
    per_page: int = 10
    page: int = 1
    location: str = ""


def query_lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Query arguments by name, `name[0]` and `name[]` counted to `name`."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(_INDEX.sub("", name), []).append(value)
    return found


def json_body(raw: bytes, content_type: str) -> dict[str, Any]:
    """The JSON object of a request. Raises WooError 400 rest_invalid_json."""
    if not raw or "json" not in content_type:
        return {}
    try:
        # Decimal, so that a money value written as a JSON number stays what the caller wrote.
        body = json.loads(raw, parse_float=Decimal)
    except ValueError as error:
        data = {"status": 400, "json_error_code": 4, "json_error_message": "Syntax error"}
        message = "Invalid JSON body passed."
        raise WooError(status=400, code="rest_invalid_json", message=message, data=data) from error
    return body if isinstance(body, dict) else {}


def integer(call: Call, name: str, default: int, *, minimum: int | None = None, maximum: int | None = None) -> int:
    """A whole number from the query, within bounds."""
    raw = call.text(name, str(default))
    if not re.fullmatch(r"-?\d+", raw):
        raise invalid_type(name, "integer")
    value = int(raw)
    is_low, is_high = minimum is not None and value < minimum, maximum is not None and value > maximum
    if (is_low or is_high) and maximum is not None:
        message = f"{name} must be between {minimum} (inclusive) and {maximum} (inclusive)"
        raise invalid_parameter(name, message, "rest_out_of_bounds")
    if is_low:
        message = f"{name} must be greater than or equal to {minimum}"
        raise invalid_parameter(name, message, "rest_out_of_bounds")
    return value


def integers(call: Call, name: str) -> list[int]:
    """A list of whole numbers from the query."""
    words = call.words(name)
    for index, word in enumerate(words):
        if not re.fullmatch(r"-?\d+", word):
            raise invalid_type(f"{name}[{index}]", "integer")
    return [int(word) for word in words]


def listed(names: list[str]) -> str:
    """A list in words, as WordPress writes it."""
    return f"{', '.join(names[:-1])}, and {names[-1]}" if len(names) > 2 else " and ".join(names)


def one_of(name: str, value: str, allowed: list[str]) -> str:
    """`value`, if it is allowed."""
    if value not in allowed:
        raise invalid_parameter(name, f"{name} is not one of {listed(allowed)}.", "rest_not_in_enum")
    return value


def boolean(name: str, value: Any) -> bool:
    """A boolean as WordPress reads it: true/false, 1/0 and their strings."""
    text = str(value).lower()
    if isinstance(value, bool | int | str) and text in _TRUE + _FALSE:
        return text in _TRUE
    raise invalid_type(name, "boolean")


def string(body: dict[str, Any], name: str, default: str = "") -> str:
    """A string of the body; a number is refused."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise invalid_type(name, "string")
    return value


def whole(body: dict[str, Any], name: str, default: int = 0) -> int:
    """A whole number of the body, or digits in a string; null is the default. Raises WooError 400 for anything else."""
    value = body.get(name)
    if value is None or value == "":
        return default
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        raise invalid_type(name, "integer")
    return int(value)


def decimal_or_none(value: Any) -> Decimal | None:
    """A numeric value as Decimal, None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def moment(call: Call, name: str) -> datetime | None:
    """A date argument as a UTC instant, with WooCommerce's reading of it (woocommerce-observed.md section 3).

    Naive: shop-local. Naive with dates_are_gmt: UTC. With offset: right as it stands, but with dates_are_gmt too the
    shop's offset is applied twice, so that a shop east of Greenwich looks later than asked.
    """
    raw = call.text(name)
    if not raw:
        return None
    if not _DATE.match(raw):
        raise invalid_parameter(name, "Invalid date.", "rest_invalid_date")
    is_gmt = boolean("dates_are_gmt", call.text("dates_are_gmt", "false"))
    zone = call.shop.zone
    given = datetime.fromisoformat(raw)
    if given.tzinfo is None:
        return given.replace(tzinfo=UTC if is_gmt else zone).astimezone(UTC)
    return _wall_time_as_utc(given, zone) if is_gmt else given.astimezone(UTC)


def _wall_time_as_utc(given: datetime, zone: ZoneInfo) -> datetime:
    return given.astimezone(zone).replace(tzinfo=UTC)


def page_of(call: Call, rows: list[Any], show: Callable[[Any], dict[str, Any]]) -> Answer:
    """One page of a list, 10 by default and at most 100; past the end it is empty with a total of 0."""
    per_page = integer(call, "per_page", 10, minimum=1, maximum=100)
    page = integer(call, "page", 1, minimum=1)
    offset = integer(call, "offset", (page - 1) * per_page)
    chosen = rows[offset : offset + per_page]
    fields = call.words("_fields")
    shown = [_limited(show(row), fields) for row in chosen]
    return Answer(body=shown, total=len(rows) if chosen else 0, per_page=per_page, page=page)


def _limited(body: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key in fields} if fields else body
