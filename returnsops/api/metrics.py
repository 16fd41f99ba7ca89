"""``/metrics`` for Prometheus, read from the database at every scrape, so that it is right across all processes.

With METRICS_TOKEN set it wants ``Authorization: Bearer <token>``. Without, only this machine may read it, and never
through a proxy. Labels are our own names; no customer and no return appears in them.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from exceptions_queue.figures import queue_figures
from returnsops import states
from returnsops.models import Effect, InboundEvent, ReturnAuthorisation, Switch, WebhookRefusal

Source = Callable[[datetime], Iterable[Metric]]

_LOOPBACK = ("127.0.0.1", "::1")
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Add figures of another app; it does so when it is ready."""
    if source not in _sources:
        _sources.append(source)
    return source


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The present figures in Prometheus' text format; 403 for who may not read them."""
    if not may_read(request):
        reason = "Send METRICS_TOKEN as a bearer token; where none is set, ask from this machine, not through a proxy."
        return HttpResponse(reason, status=403, content_type="text/plain")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    """Whether the request carries the token or, where there is none, comes straight from this machine."""
    if settings.METRICS_TOKEN:
        sent = request.headers.get("Authorization", "")
        return secrets.compare_digest(sent.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    is_forwarded = any(request.META.get(name) for name in _FORWARDED)
    return request.META.get("REMOTE_ADDR") in _LOOPBACK and not is_forwarded


class _Figures:
    """What prometheus-client asks when it is scraped."""

    def collect(self) -> Iterator[Metric]:
        """All figures as of now."""
        at = timezone.now()
        for source in _sources:
            yield from source(at)


@register
def inbox_figures(at: datetime) -> Iterable[Metric]:
    """How much waits in the inbox, how long, and what was refused at the door."""
    waiting = InboundEvent.objects.filter(state__in=[states.EVENT_RECEIVED, states.EVENT_PARKED])
    counts = dict.fromkeys((states.EVENT_RECEIVED, states.EVENT_PARKED), 0)
    counts |= dict(waiting.order_by().values_list("state").annotate(Count("pk")))
    yield _gauge("inbox_events", "Messages not processed: waiting or parked.", "state", counts)
    oldest = waiting.filter(state=states.EVENT_RECEIVED).aggregate(at=Min("received_at"))["at"]
    yield _single("inbox_oldest_age_seconds", "Age of the oldest message that waits.", _age_s(oldest, at))
    refused = WebhookRefusal.objects.order_by().values_list("connection__name").annotate(Sum("count"))
    counter = CounterMetricFamily(
        "returnsops_webhook_refusals", "Deliveries refused for a wrong signature.", labels=["connection"]
    )
    for connection, count in refused:
        counter.add_metric([connection], count)
    yield counter


@register
def effect_figures(at: datetime) -> Iterable[Metric]:
    """The ledger by kind, connection and state, and how long what may be sent waits."""
    gauge = GaugeMetricFamily(
        "returnsops_effects", "Effects by kind, connection and state.", labels=["kind", "connection", "state"]
    )
    rows = Effect.objects.order_by().values_list("kind", "connection__name", "state").annotate(Count("pk"))
    for kind, connection, state, count in rows:
        gauge.add_metric([kind, connection, state], count)
    yield gauge
    due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at)
    queued = Effect.objects.filter(due, state=states.READY).order_by().values_list("connection__name", "kind")
    depth = GaugeMetricFamily("returnsops_send_queue", "Effects that may be sent now.", labels=["connection", "kind"])
    age = GaugeMetricFamily(
        "returnsops_send_oldest_age_seconds", "Age of the oldest of them.", labels=["connection", "kind"]
    )
    for connection, kind, count, oldest in queued.annotate(Count("pk"), Min("next_attempt_at")):
        depth.add_metric([connection, kind], count)
        age.add_metric([connection, kind], _age_s(oldest, at))
    yield from (depth, age)


@register
def return_figures(at: datetime) -> Iterable[Metric]:
    """Returns that wait to be planned, and stops in force."""
    wanted = Q(is_dirty=True) | Q(next_look_at__lte=at)
    count = ReturnAuthorisation.objects.filter(wanted).count()
    yield _single("returns_to_plan", "Returns whose plan is to be made again now.", count)
    stops = GaugeMetricFamily("returnsops_stopped", "Stops in force, by scope.", labels=["scope"])
    for scope in Switch.objects.order_by("scope").values_list("scope", flat=True):
        stops.add_metric([scope], 1)
    yield stops


@register
def case_figures(at: datetime) -> Iterable[Metric]:
    """Open cases by team: how many, how many late, how old."""
    figures = queue_figures(at)
    yield _gauge("cases_open", "Open cases.", "team", {row.team: row.open_count for row in figures})
    yield _gauge(
        "cases_overdue", "Open cases past their time.", "team", {row.team: row.overdue_count for row in figures}
    )
    ages = {row.team: row.oldest_age.total_seconds() for row in figures}
    yield _gauge("cases_oldest_age_seconds", "Age of the oldest open case.", "team", ages)


def _gauge(name: str, text: str, label: str, values: dict[str, int] | dict[str, float]) -> Metric:
    gauge = GaugeMetricFamily(f"returnsops_{name}", text, labels=[label])
    for value, figure in sorted(values.items()):
        gauge.add_metric([value], figure)
    return gauge


def _single(name: str, text: str, figure: float) -> Metric:
    return GaugeMetricFamily(f"returnsops_{name}", text, value=figure)


def _age_s(since: datetime | None, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds()) if since else 0.0
