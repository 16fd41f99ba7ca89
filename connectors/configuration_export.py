"""The present configuration as a file that apply_config reads again. Stored secrets are never written out."""

from datetime import datetime
from typing import Any

import tomli_w

from returnsops import states
from returnsops.models import Connection, Location, ReasonCode, Route
from returnsops.models.connections import live_secret_rows, newest_mapping


def export(*, at: datetime) -> str:
    """TOML text. Secrets read from the environment appear as ``env:NAME``; stored ones are left out."""
    document = {
        "reasons": [
            {"code": row.code, "title": row.title, "is_active": row.is_active} for row in ReasonCode.objects.all()
        ],
        "connections": [_connection(row, at=at) for row in Connection.objects.all()],
        "locations": [_location(row) for row in Location.objects.select_related("connection")],
        "routes": [_route(row) for row in Route.objects.select_related("platform", "commerce", "erp", "policy")],
    }
    return tomli_w.dumps({name: rows for name, rows in document.items() if rows})


def _connection(row: Connection, *, at: datetime) -> dict[str, Any]:
    mapping = newest_mapping(row)
    fields: dict[str, Any] = {
        "name": row.name,
        "vendor": row.vendor,
        "title": row.title,
        "base_url": row.base_url,
        "time_zone": row.time_zone,
        "settings": row.settings,
        "verifier": row.verifier,
        "mapping": _without_null(mapping.document) if mapping else {},
        "secrets": _secrets(row, at=at),
        "reason_codes": {m.source_code: m.reason.code for m in row.reason_mappings.select_related("reason")},
    }
    return {name: value for name, value in fields.items() if value not in ("", {})}


def _secrets(connection: Connection, *, at: datetime) -> dict[str, list[str]]:
    """Those read from the environment. One with a stored value beside is left out: half would retire the rest."""
    found: dict[str, list[str]] = {}
    for row in live_secret_rows(connection, at=at):
        found.setdefault(row.name, []).append(f"env:{row.env_name}" if row.env_name else "")
    return {name: values for name, values in found.items() if all(values)}


def _location(row: Location) -> dict[str, Any]:
    fields = {
        "code": row.code,
        "title": row.title,
        "kind": row.kind,
        "connection": row.connection.name if row.connection else "",
        "external_id": row.external_id,
    }
    return {name: value for name, value in fields.items() if value != ""}


def _route(row: Route) -> dict[str, Any]:
    mappings = row.disposition_mappings.select_related("location")
    fields: dict[str, Any] = {
        "name": row.name,
        "title": row.title,
        "platform": row.platform.name,
        "commerce": row.commerce.name if row.commerce else "",
        "erp": row.erp.name if row.erp else "",
        "channels": row.channels,
        "mode": row.mode,
        "dispositions": {_disposition_key(m.disposition, m.channel): m.location.code for m in mappings},
        "policy": _without_null(row.policy.document) if row.policy else {},
    }
    if row.mode == states.ROUTE_LIVE:
        fields["live_from"] = row.live_from
    return {name: value for name, value in fields.items() if value not in ("", [], {})}


def _disposition_key(disposition: str, channel: str) -> str:
    return f"{disposition}@{channel}" if channel else disposition


def _without_null(document: Any) -> Any:
    """TOML has no null; a key without a value is the same as a key left out."""
    if isinstance(document, dict):
        return {name: _without_null(value) for name, value in document.items() if value is not None}
    if isinstance(document, list):
        return [_without_null(value) for value in document]
    return document
