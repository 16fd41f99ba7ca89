"""Which orders a comparison looks at: those touched in a window, those with open findings, those not seen for long."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from reconciliation.models import Finding
from returnsops import states
from returnsops.models import Effect, Inspection, Order, Refund, ReturnAuthorisation, Route

ROLLING: Final = timedelta(days=30)
LOOK_EVERY: Final = timedelta(hours=24)  # an order of the rolling window that nothing touched
LOOK_AT_OPEN_EVERY: Final = timedelta(minutes=50)  # an order with an open finding: with every hourly run


def in_window(*, route: Route, since: datetime, until: datetime) -> QuerySet[Order]:
    """Orders of the route touched between the two times, and every order of it with an open finding."""
    rows = _of_route(route).annotate(touched_at=_touched_at())
    return rows.filter(Q(touched_at__gte=since, touched_at__lte=until) | Q(_has_open())).order_by("pk")


def due(*, route: Route, at: datetime) -> QuerySet[Order]:
    """Orders of the rolling window never compared, touched since they were, or not compared for a day; new ones first.

    A refund that somebody deletes moves no date at all, so that every order of the window is read once a day.
    """
    rows = in_window(route=route, since=at - ROLLING, until=at + timedelta(days=1)).annotate(
        looked_at=F("look__looked_at")
    )
    is_touched = Q(looked_at__isnull=True) | Q(looked_at__lt=F("touched_at")) | Q(looked_at__lte=at - LOOK_EVERY)
    is_open = Q(_has_open()) & Q(looked_at__lte=at - LOOK_AT_OPEN_EVERY)
    return rows.filter(is_touched | is_open).order_by(F("looked_at").asc(nulls_first=True), "pk")


def _has_open() -> Exists:
    return Exists(Finding.objects.filter(order=OuterRef("pk"), healed_at__isnull=True))


def _of_route(route: Route) -> QuerySet[Order]:
    """Orders with a return on this route; of a shop's other orders the first route of the shop takes care."""
    mine = Exists(ReturnAuthorisation.objects.filter(order=OuterRef("pk"), route=route))
    anybodys = Exists(ReturnAuthorisation.objects.filter(order=OuterRef("pk"), route__commerce=route.commerce))
    wanted = Q(mine) | ~Q(anybodys) if _is_first(route) else Q(mine)
    return Order.objects.filter(wanted, connection=route.commerce).select_related("connection")


def _is_first(route: Route) -> bool:
    rows = Route.objects.filter(commerce=route.commerce).exclude(mode=states.ROUTE_OFF)
    first = rows.order_by("pk").values_list("pk", flat=True).first()
    return first in (None, route.pk)


def _touched_at() -> Greatest:
    """The newest thing that happened to the order there or here. A reading of ours touches nothing."""
    return Greatest(
        F("modified_at"),
        _newest(Effect.objects.filter(order=OuterRef("pk")), "done_at"),
        _newest(Refund.objects.filter(order=OuterRef("pk")), "refunded_at"),
        _newest(Refund.objects.filter(order=OuterRef("pk")), "vanished_at"),
        _newest(Inspection.objects.filter(rma__order=OuterRef("pk")), "recorded_at"),
        _newest(ReturnAuthorisation.objects.filter(order=OuterRef("pk")), "created_at"),
    )


def _newest(rows: QuerySet[Any, Any], field: str) -> Coalesce:
    newest = rows.filter(**{f"{field}__isnull": False}).order_by(f"-{field}").values(field)[:1]
    return Coalesce(Subquery(newest), F("modified_at"), output_field=DateTimeField())
