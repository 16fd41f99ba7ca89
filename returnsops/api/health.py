"""Liveness and readiness for whatever watches the processes; they tell nothing about the data."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Alive: the process answers. Touches nothing else, so that a slow database restarts no process."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Ready: the database answers and carries every migration of this version; else 503 with the reason."""
    reason = not_ready_reason()
    if reason:
        return JsonResponse({"status": "not ready", "reason": reason}, status=503)
    return JsonResponse({"status": "ready"})


def not_ready_reason() -> str | None:
    """Return why this process should get no traffic yet, in words, or None."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "The database does not answer. Check DATABASE_URL and that the server is up."
    if pending:
        return f"{len(pending)} migration(s) are not applied. Run: manage.py migrate"
    return None
