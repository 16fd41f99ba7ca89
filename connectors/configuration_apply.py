"""Apply a checked configuration file: one transaction, idempotent, and every change leaves history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from connectors import mappings
from connectors.configuration import Document, live_from_of, secret_values
from returnsops import states
from returnsops.models import (
    Connection,
    DispositionMapping,
    Location,
    ReasonCode,
    ReasonMapping,
    ReturnAuthorisation,
    ReturnLine,
    Route,
)
from returnsops.services import audit, routes
from returnsops.services.replan import mark_dirty
from returnsops.services.secrets import read_stored, retire_secrets, store_secret


@transaction.atomic
def apply(document: Document, *, by: str, at: datetime) -> tuple[str, ...]:
    """Bring the database to what the file says; returns what changed, in words (empty: nothing).

    What the file leaves out stays as it is: connections and routes are never deleted by a file.
    Raises RouteError if a route is to go live and may not; then nothing at all is changed.
    """
    changes: list[str] = []
    for row in document.get("reasons", []):
        _reason(row, changes)
    for row in document.get("connections", []):
        _connection(row, changes, by=by, at=at)
    for row in document.get("locations", []):
        _location(row, changes)
    for row in document.get("routes", []):
        _route(row, changes, by=by, at=at)
    return tuple(changes)


def _reason(row: Document, changes: list[str]) -> None:
    fields = {"title": row["title"], "is_active": row.get("is_active", True)}
    _upsert(ReasonCode, {"code": row["code"]}, fields, f"reason {row['code']}", changes)


def _location(row: Document, changes: list[str]) -> None:
    name = row.get("connection", "")
    fields = {
        "title": row["title"],
        "kind": row["kind"],
        "connection": Connection.objects.get(name=name) if name else None,
        "external_id": row.get("external_id", ""),
    }
    _upsert(Location, {"code": row["code"]}, fields, f"location {row['code']}", changes)


def _connection(row: Document, changes: list[str], *, by: str, at: datetime) -> None:
    fields = {
        "vendor": row["vendor"],
        "title": row.get("title", ""),
        "base_url": row["base_url"].rstrip("/"),
        "time_zone": row.get("time_zone", "UTC"),
        "settings": dict(row.get("settings", {})),
        "verifier": dict(row.get("verifier", {})),
    }
    where = f"connection {row['name']}"
    connection = _upsert(Connection, {"name": row["name"]}, fields, where, changes)
    if where in changes:
        audit.record(act="connection_saved", by=by, at=at, subject=connection, text=f"Connection {connection.name}.")
        # What the platform is told, and by whom, follows from its settings.
        mark_dirty(rma_ids=connection.returns.filter(end_status="").values_list("pk", flat=True))
    for name, given in row.get("secrets", {}).items():
        _secret(connection, name, secret_values(given), changes, by=by, at=at)
    if row.get("mapping"):
        _mapping(connection, row["mapping"], changes, by=by, at=at)
    for source, code in row.get("reason_codes", {}).items():
        _reason_mapping(connection, source, code, changes)


def _secret(connection: Connection, name: str, wanted: list[str], changes: list[str], *, by: str, at: datetime) -> None:
    """Store the values that are not live yet, newest last, and retire what the file no longer names."""
    present = read_stored(connection, name=name, at=at)
    if present == wanted:
        return
    for value in reversed(wanted):
        store_secret(connection=connection, name=name, value=value, by=by, at=at)
    retire_secrets(connection=connection, name=name, keep_newest=len(wanted), by=by, at=at)
    changes.append(f"secret {name} of {connection.name}")


def _mapping(connection: Connection, wanted: Mapping[str, Any], changes: list[str], *, by: str, at: datetime) -> None:
    present, version = mappings.in_force(connection)
    if dict(present) == dict(wanted):
        return
    mappings.save(connection=connection, document=wanted, based_on=version, by=by, at=at, why="the configuration file")
    changes.append(f"mapping of {connection.name}")


def _reason_mapping(connection: Connection, source: str, code: str, changes: list[str]) -> None:
    reason = ReasonCode.objects.get(code=code)
    where = f"reason {source} of {connection.name}"
    _upsert(ReasonMapping, {"connection": connection, "source_code": source}, {"reason": reason}, where, changes)
    if where not in changes:
        return
    waiting = ReturnLine.objects.filter(rma__connection=connection, reason_source_code=source, reason_by="")
    waiting.update(reason=reason)
    mark_dirty(rma_ids=waiting.values_list("rma_id", flat=True))


def _route(row: Document, changes: list[str], *, by: str, at: datetime) -> None:
    fields = {"title": row.get("title", ""), "channels": list(row.get("channels", []))}
    for role in ("platform", "commerce", "erp"):
        name = row.get(role, "")
        fields[role] = Connection.objects.get(name=name) if name else None
    where = f"route {row['name']}"
    route = _upsert(Route, {"name": row["name"]}, fields, where, changes)
    if where in changes:
        audit.record(act="route_saved", by=by, at=at, subject=route, text=f"Route {route.name}.")
        _offer(route)
    for disposition, location in row.get("dispositions", {}).items():
        _disposition(route, disposition, location, changes)
    before = route.policy_id
    routes.save_policy(route=route, document=_plain(row.get("policy", {})), by=by, at=at)
    if route.policy_id != before:
        changes.append(f"policy of route {route.name}")
    _mode(route, row, changes, by=by, at=at)


def _offer(route: Route) -> None:
    """Returns that came before their route existed choose it with their next plan."""
    stray = ReturnAuthorisation.objects.filter(connection=route.platform, route__isnull=True)
    if not route.channels:
        stray.update(route=route, policy=route.policy, is_dirty=True)
    else:
        stray.filter(channel__in=route.channels).update(route=route, policy=route.policy, is_dirty=True)


def _disposition(route: Route, key: str, location: str, changes: list[str]) -> None:
    disposition, _, channel = key.partition("@")
    where = f"disposition {key} of route {route.name}"
    identity = {"route": route, "disposition": disposition, "channel": channel}
    _upsert(DispositionMapping, identity, {"location": Location.objects.get(code=location)}, where, changes)
    if where in changes:
        mark_dirty(rma_ids=route.returns.values_list("pk", flat=True))


def _mode(route: Route, row: Document, changes: list[str], *, by: str, at: datetime) -> None:
    wanted = row.get("mode")
    live_from = live_from_of(row) if wanted == states.ROUTE_LIVE else None
    if wanted is None or (wanted == route.mode and live_from in (None, route.live_from)):
        return
    routes.set_mode(route=route, mode=wanted, by=by, at=at, live_from=live_from)
    changes.append(f"mode of route {route.name}")


def _plain(policy: Mapping[str, Any]) -> dict[str, Any]:
    """TOML tables as plain dicts."""
    return {name: _plain(value) if isinstance(value, Mapping) else value for name, value in policy.items()}


def _upsert(model: Any, identity: Mapping[str, Any], fields: Mapping[str, Any], where: str, changes: list[str]) -> Any:
    row, is_new = model.objects.get_or_create(**identity, defaults=fields)
    changed = [name for name, value in fields.items() if not is_new and getattr(row, name) != value]
    for name in changed:
        setattr(row, name, fields[name])
    if changed:
        row.save(update_fields=changed)
    if is_new or changed:
        changes.append(where)
    return row
