"""What is wrong with this installation: keys, database, worker, connections, and work that does not move."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.core.checks import ERROR, run_checks
from django.db import DatabaseError
from django.db.models import Min
from django_q.models import Schedule

from connectors.models import ConnectionBudget, SyncCursor
from connectors.polled_only import is_polled_only
from connectors.ports import CheckLine, Connector, VendorError
from connectors.registry import UnknownVendorError, connector_for, link_for, utc_now
from connectors.views import secret_name
from connectors.webhook_health import faults_of
from returnsops import states
from returnsops.api.health import not_ready_reason
from returnsops.models import Connection, Effect, InboundEvent, Route, Switch
from returnsops.services.secrets import SecretError, read_secrets

STUCK: Final = timedelta(hours=1)
INBOX_LATE: Final = timedelta(minutes=10)
WORKER_LATE: Final = timedelta(minutes=3)
SWEEP: Final = "connectors.tasks.sweep"


def examine(*, is_remote: bool = False) -> list[CheckLine]:
    """Everything, in the order in which one would fix it. ``is_remote`` also asks shops about their webhooks."""
    first = [_settings(), _database()]
    if not first[-1].is_ok:
        return first
    now = utc_now()
    found = [*first, _worker(now), _stops(), _routes(), _inbox(now), _effects(now)]
    for connection in Connection.objects.order_by("pk"):
        found.extend(_connection(connection, now))
        if is_remote:
            found.append(_webhooks(connection))
    return found


def _line(name: str, problem: str, *, well: str, fix: str) -> CheckLine:
    return CheckLine(name=name, is_ok=not problem, text=problem or well, fix=fix if problem else "")


def _settings() -> CheckLine:
    """Keys, hosts and the rest of the settings: what would keep it from starting."""
    errors = [message for message in run_checks() if message.level >= ERROR]
    fixes = " ".join(str(message.hint) for message in errors if message.hint)
    return _line("settings", " ".join(str(message.msg) for message in errors), well="keys and hosts are set", fix=fixes)


def _database() -> CheckLine:
    reason = not_ready_reason() or ""
    return _line("database", reason, well="answers and is up to date", fix="")


def _worker(now: datetime) -> CheckLine:
    """The schedule of the sweep moves on each minute where a worker runs."""
    fix = "Start it: make run (or manage.py worker as a service of its own)."
    schedule = Schedule.objects.filter(func=SWEEP).first()
    if schedule is None:
        return _line("worker", "The schedules are not set up.", well="", fix="Run: manage.py setup_schedules")
    late = now - schedule.next_run if schedule.next_run else WORKER_LATE
    problem = f"No worker has run for {_words(late)}." if late >= WORKER_LATE else ""
    return _line("worker", problem, well="runs", fix=fix)


def _stops() -> CheckLine:
    stops = [f"{row.scope} by {row.stopped_by}: {row.reason}" for row in Switch.objects.order_by("stopped_at")]
    problem = f"Sending is stopped: {'; '.join(stops)}." if stops else ""
    return _line("stop switches", problem, well="nothing is stopped", fix="When the reason is gone: manage.py resume")


def _routes() -> CheckLine:
    paused = [f"{row.name} ({row.pause_reason})" for row in Route.objects.filter(is_paused=True)]
    problem = f"Paused: {', '.join(paused)}." if paused else ""
    modes = ", ".join(f"{row.name} {row.mode}" for row in Route.objects.order_by("name"))
    return _line("routes", problem, well=modes or "none yet; run apply_config", fix="Read its case, then resume it.")


def _inbox(now: datetime) -> CheckLine:
    waiting = InboundEvent.objects.filter(state=states.EVENT_RECEIVED)
    oldest_at = waiting.aggregate(at=Min("received_at"))["at"]
    parked = InboundEvent.objects.filter(state=states.EVENT_PARKED).count()
    problems = []
    if oldest_at is not None and now - oldest_at > INBOX_LATE:
        problems.append(f"{waiting.count()} messages wait, the oldest for {_words(now - oldest_at)}.")
    if parked:
        problems.append(f"{parked} messages could not be processed.")
    fix = "See that the worker runs; parked messages have a case each with the reason."
    return _line("inbox", " ".join(problems), well=f"{waiting.count()} messages wait", fix=fix)


def _effects(now: datetime) -> CheckLine:
    """Outcomes unknown or sends due for over an hour, and what no machine moves any more."""
    under_way = Effect.objects.filter(state__in=[states.READY, states.SENDING, states.UNKNOWN])
    stuck = under_way.filter(planned_at__lt=now - STUCK).count()
    failed = Effect.objects.filter(state__in=[states.FAILED, states.REJECTED]).count()
    problem = f"{stuck} effects have been under way for over an hour." if stuck else ""
    well = f"{under_way.count()} under way, {failed} with people (each has a case)"
    return _line(
        "effects", problem, well=well, fix="Look at Effects, tab “Outcome unknown”, and at the connections below."
    )


def _connection(connection: Connection, now: datetime) -> Iterator[CheckLine]:
    name = f"connection {connection.name}"
    looks: tuple[Callable[[Connection, datetime], tuple[str, str]], ...] = (_paused, _secrets, _breaker, _polling)
    problems = [(text, fix) for look in looks for text, fix in [look(connection, now)] if text]
    for text, fix in problems:
        yield CheckLine(name=name, is_ok=False, text=text, fix=fix)
    if not problems:
        yield CheckLine(name=name, is_ok=True, text="well")


def _paused(connection: Connection, now: datetime) -> tuple[str, str]:
    if not connection.is_paused:
        return "", ""
    return f"is paused: {connection.pause_reason or 'no reason given'}", "Fix the reason, then: manage.py resume"


def _secrets(connection: Connection, now: datetime) -> tuple[str, str]:
    try:
        known = read_secrets(connection, at=now)
        connector = connector_for(connection.vendor)
    except (SecretError, UnknownVendorError) as error:
        return str(error), "Set FIELD_ENCRYPTION_KEYS or the variable as before, or store the secret anew."
    name = secret_name(connection.verifier or connector.default_verifier)
    if known.get(name) or _is_without_webhooks(connection, connector):
        return "", ""
    return f"has no {name}, so every webhook is refused.", "Set it with apply_config."


def _is_without_webhooks(connection: Connection, connector: Connector) -> bool:
    """Whether nobody sends it any: by choice, or its vendor sends none and nobody said how others sign theirs."""
    return is_polled_only(connection.settings) or not (connector.sends_webhooks or connection.verifier)


def _breaker(connection: Connection, now: datetime) -> tuple[str, str]:
    row = ConnectionBudget.objects.filter(connection=connection, open_until_at__isnull=False).first()
    if row is None:
        return "", ""
    return f"does not answer: {row.last_failure_text}", f"Run: manage.py check_connection {connection.name}"


def _polling(connection: Connection, now: datetime) -> tuple[str, str]:
    row = SyncCursor.objects.filter(connection=connection, failure_count__gt=0).first()
    if row is None:
        return "", ""
    text = f"could not be polled {row.failure_count} times: {row.error_text}"
    return text, f"Run: manage.py check_connection {connection.name}"


def _webhooks(connection: Connection) -> CheckLine:
    """Ask the vendor which of our webhooks are on."""
    name = f"webhooks of {connection.name}"
    connector = connector_for(connection.vendor)
    if connector.list_webhooks is None:
        return CheckLine(name=name, is_ok=True, text="set up in the platform's own screens")
    if is_polled_only(connection.settings):
        return CheckLine(name=name, is_ok=True, text="polled only, as its settings say (webhooks = false)")
    fix = f"Run: manage.py check_connection {connection.name} --repair-webhooks PUBLIC_URL"
    try:
        faults = faults_of(connection, connector.list_webhooks(link_for(connection)))
    except (VendorError, DatabaseError) as error:
        return CheckLine(name=name, is_ok=False, text=str(error), fix=fix)
    well = f"{len(faults.on)} on" if faults.on else "none is registered: changes are found by polling"
    return _line(name, faults.words, well=well, fix=fix)


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
