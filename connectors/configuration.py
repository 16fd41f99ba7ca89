"""The configuration file: read it, and say everything that is wrong with it before anything is changed.

Connections, reasons, locations and routes as TOML (docs/configuration.md). Secrets are ``env:NAME``, or a value given
once that is stored encrypted.
"""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from connectors import finance_settings
from connectors.mapping_validation import mapping_problems
from connectors.pace_settings import COMMON_SETTINGS
from connectors.ports import SettingSpec
from connectors.registry import CONNECTORS, connector_for
from connectors.signing import verifier_problems
from returnsops import states
from returnsops.checks import is_loopback
from returnsops.models import Connection, Location, ReasonCode
from returnsops.planning.policy import Policy, PolicyError, parse_policy

Document = Mapping[str, Any]
_KIND_WORDS: Mapping[type, str] = {dict: "a table"}
_TYPE_WORDS = {"object": "a table", "array": "a list", "string": "text", "boolean": "true or false"}


class ConfigurationError(Exception):
    """A file that cannot be applied; ``problems`` are ``where: what to do`` sentences, all of them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def read(text: str) -> Document:
    """Parse and check a file. Raises ConfigurationError naming every problem."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError((f"The file is not valid TOML: {error}.",)) from None
    problems = tuple(_shape(document))
    if not problems:
        problems = tuple(_contents(document))
    if problems:
        raise ConfigurationError(problems)
    return document


def _shape(document: Document) -> Iterator[str]:
    errors = sorted(_validator().iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    for error in errors:
        yield f"{_where(error.absolute_path)}: {_expected(error)}."


def _expected(error: ValidationError) -> str:
    """What is expected there, in words; never the value, which may be a secret in the wrong place."""
    wanted: Any = error.validator_value
    given: Any = error.instance
    match error.validator:
        case "additionalProperties" if wanted is False:
            schema: Any = error.schema
            known = set(schema["properties"])
            unknown = ", ".join(sorted(set(given) - known))
            return f"unknown key {unknown}; known are {', '.join(sorted(known))}"
        case "required":
            return f"missing: {', '.join(name for name in wanted if name not in given)}"
        case "type":
            return f"must be {_TYPE_WORDS.get(wanted, wanted)}"
        case "enum":
            return f"must be one of {', '.join(wanted)}"
        case "pattern":
            return f"does not have the form {wanted}"
        case "anyOf":
            return "must be text, or a list of one to five texts"
        case _:
            return f"breaks the limit {error.validator} {wanted}"


@cache
def _validator() -> Draft202012Validator:
    schema = files("connectors").joinpath("configuration.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(schema))


def _where(path: Any) -> str:
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "file"


def _contents(document: Document) -> Iterator[str]:
    yield from _twice(document)
    for row in document.get("connections", []):
        yield from _connection(row, document)
    for row in document.get("locations", []):
        name = row.get("connection", "")
        if name and name not in _connection_names(document):
            yield f"location {row['code']}: there is no connection {name!r}; add it above or correct the name."
    for row in document.get("routes", []):
        yield from _route(row, document)


def _twice(document: Document) -> Iterator[str]:
    for table, field in (("connections", "name"), ("reasons", "code"), ("locations", "code"), ("routes", "name")):
        seen: set[str] = set()
        for row in document.get(table, []):
            if row[field] in seen:
                yield f"{table}: {row[field]!r} is there twice; keep one."
            seen.add(row[field])


def _connection(row: Document, document: Document) -> Iterator[str]:
    where = f"connection {row['name']}"
    if row["vendor"] not in CONNECTORS:
        yield f"{where}: there is no vendor {row['vendor']!r}; known are {', '.join(sorted(CONNECTORS))}."
        return
    present = Connection.objects.filter(name=row["name"]).first()
    if present is not None and present.vendor != row["vendor"]:
        yield f"{where}: is a {present.vendor} connection already; give the new one another name."
    yield from _base_url(row, where)
    yield from _time_zone(row, where)
    wrong = tuple(_settings(row, where))
    yield from wrong or _vendors_own(row, where)
    yield from _secrets(row, where)
    if row.get("verifier"):
        yield from (f"{where}.verifier: {text}" for text in verifier_problems(row["verifier"]))
    if row.get("mapping"):
        yield from (f"{where}.mapping.{text}" for text in mapping_problems(row["mapping"]))
    known = _codes(document, "reasons", ReasonCode)
    for source, code in row.get("reason_codes", {}).items():
        if code not in known:
            yield f"{where}.reason_codes.{source}: there is no reason {code!r}; add it under [[reasons]]."


def _base_url(row: Document, where: str) -> Iterator[str]:
    try:
        parts = urlsplit(row["base_url"])
    except ValueError:  # an address like http://[broken
        yield f"{where}.base_url: is no address; write it like https://shop.example.com."
        return
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield (
            f"{where}.base_url: http:// to {parts.hostname} would show keys and customer data on the way; write its"
            " https:// address. Plain http is for this machine only."
        )


def _time_zone(row: Document, where: str) -> Iterator[str]:
    try:
        ZoneInfo(row.get("time_zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the time zone database
        yield f"{where}.time_zone: {row['time_zone']!r} is no time zone; write it like Europe/Madrid."


def _specs(vendor: str) -> Iterator[SettingSpec]:
    connector = connector_for(vendor)
    yield from (*COMMON_SETTINGS, *connector.settings)
    if connector.role == "commerce":  # the books are kept by shop
        yield finance_settings.FINANCE


def _settings(row: Document, where: str) -> Iterator[str]:
    specs = {spec.name: spec for spec in _specs(row["vendor"])}
    given = row.get("settings", {})
    for name, value in given.items():
        if name not in specs:
            yield f"{where}.settings.{name}: unknown; known are {', '.join(sorted(specs)) or 'none'}."
        elif specs[name].kind is list and not _is_list_of_texts(value):
            yield f"{where}.settings.{name}: must be a list of texts."
        elif not isinstance(value, specs[name].kind) or (isinstance(value, bool) and specs[name].kind is not bool):
            yield f"{where}.settings.{name}: must be {_KIND_WORDS.get(specs[name].kind, specs[name].kind.__name__)}."
    for spec in COMMON_SETTINGS:
        if isinstance(pace := given.get(spec.name), int) and pace < 1:
            yield f"{where}.settings.{spec.name}: must be 1 or more."
    for spec in specs.values():
        if spec.is_required and spec.name not in given:
            yield f"{where}.settings.{spec.name}: is missing. {spec.help}"


def _vendors_own(row: Document, where: str) -> Iterator[str]:
    """What the vendor's connector says of the table as a whole, once the types are right; and of its finance part."""
    try:
        finance_settings.parse(row.get("settings", {}).get(finance_settings.FINANCE.name, {}))
    except finance_settings.FinanceSettingsError as error:
        yield from (f"{where}.settings.{finance_settings.FINANCE.name}.{text}" for text in error.problems)
    check = connector_for(row["vendor"]).settings_problems
    if check is not None:
        found = check(row.get("settings", {}), base_url=row["base_url"])
        yield from (f"{where}.settings.{text}" for text in found)


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _secrets(row: Document, where: str) -> Iterator[str]:
    known = connector_for(row["vendor"]).secrets
    for name, given in row.get("secrets", {}).items():
        if name not in known:
            yield f"{where}.secrets.{name}: unknown; known are {', '.join(sorted(known))}."
        for value in secret_values(given):
            variable = value.removeprefix("env:") if value.startswith("env:") else ""
            if variable and not os.environ.get(variable):
                yield f"{where}.secrets.{name}: the environment variable {variable} is not set."


def secret_values(given: str | list[str]) -> list[str]:
    """One or several live values, newest first."""
    return [given] if isinstance(given, str) else given


def _route(row: Document, document: Document) -> Iterator[str]:
    where = f"route {row['name']}"
    roles = _connection_roles(document)
    if not row.get("commerce") and not row.get("erp"):
        yield f"{where}: names neither a commerce connection nor an ERP; it needs one of them."
    for role in ("platform", "commerce", "erp"):
        name = row.get(role, "")
        if name and name not in roles:
            yield f"{where}.{role}: there is no connection {name!r}; add it above or correct the name."
        elif name and roles[name] != role:
            yield f"{where}.{role}: connection {name!r} is a {roles[name]}, not a {role}."
    try:
        live_from_of(row)
    except ValueError:
        yield f"{where}.live_from: must be a date with time and time zone, like 2026-11-01T00:00:00Z."
    yield from _dispositions(row, document, where)
    try:
        policy = parse_policy(row.get("policy", {}))
    except PolicyError as error:
        yield from (f"{where}.policy.{problem}" for problem in error.problems)
    else:
        yield from _cannot(policy, vendor=_vendors(document).get(row.get("commerce", ""), ""), where=where)


def _cannot(policy: Policy, *, vendor: str, where: str) -> Iterator[str]:
    """What the policy wants of a shop that its vendor has nothing of."""
    if vendor not in CONNECTORS:
        return
    connector = connector_for(vendor)
    if policy.shop_return.writer != "nobody" and states.OPEN_RETURN not in connector.effects:
        yield f"{where}.policy.shop_return.writer: {connector.title} has no returns of its own; leave it at nobody."
    if policy.restock.set_aside and states.SET_ASIDE not in connector.effects:
        yield f"{where}.policy.restock.set_aside: {connector.title} has one figure per article; leave it out."


def live_from_of(row: Document) -> datetime | None:
    """From when a route is live, given as a TOML date-time or as text. Raises ValueError for anything else."""
    given = row.get("live_from") or None
    moment = datetime.fromisoformat(given) if isinstance(given, str) else given
    if moment is not None and not (isinstance(moment, datetime) and moment.tzinfo is not None):
        raise ValueError("not a moment with a time zone")
    return moment


def _dispositions(row: Document, document: Document, where: str) -> Iterator[str]:
    known = _codes(document, "locations", Location)
    for disposition, location in row.get("dispositions", {}).items():
        name = disposition.partition("@")[0]
        if name not in states.DISPOSITIONS:
            yield f"{where}.dispositions.{disposition}: unknown; known are {', '.join(states.DISPOSITIONS)}."
        if location not in known:
            yield f"{where}.dispositions.{disposition}: there is no location {location!r}; add it under [[locations]]."


def _connection_names(document: Document) -> set[str]:
    return set(_connection_roles(document))


def _connection_roles(document: Document) -> dict[str, str]:
    vendors = _vendors(document)
    return {name: connector_for(vendor).role for name, vendor in vendors.items() if vendor in CONNECTORS}


def _vendors(document: Document) -> dict[str, str]:
    known = dict(Connection.objects.values_list("name", "vendor"))
    return known | {row["name"]: row["vendor"] for row in document.get("connections", [])}


def _codes(document: Document, table: str, model: Any) -> set[str]:
    return set(model.objects.values_list("code", flat=True)) | {row["code"] for row in document.get(table, [])}
