"""What a changed mapping means for returns that are already here (S3-17)."""

from datetime import datetime

from django.db import transaction
from django.db.models import Model

from returnsops.models import DispositionMapping, ReasonMapping, ReturnLine, Route

from . import audit
from .replan import mark_dirty


@transaction.atomic
def apply_mapping(*, mapping: ReasonMapping) -> int:
    """Give every item with this code its reason, unless a person classified it; returns how many changed."""
    lines = ReturnLine.objects.filter(
        rma__connection=mapping.connection, reason_source_code=mapping.source_code, reason_by=""
    ).exclude(reason=mapping.reason)
    ids = list(lines.values_list("rma_id", flat=True))
    changed = lines.update(reason=mapping.reason)
    mark_dirty(rma_ids=ids)
    return changed


@transaction.atomic
def apply_place(*, mapping: DispositionMapping) -> None:
    """Returns of the route are planned again: goods have another place now."""
    plan_route_again(route=mapping.route)


@transaction.atomic
def plan_route_again(*, route: Route) -> None:
    """Mark every return of a route that is not closed."""
    mark_dirty(rma_ids=route.returns.filter(closed_at__isnull=True).values_list("pk", flat=True))


@transaction.atomic
def note_edit(*, row: Model, is_new: bool, changed: list[str], by: str, at: datetime) -> None:
    """History of a row that people edit in a form or import."""
    what = "added" if is_new else f"changed ({', '.join(changed) or 'nothing'})"
    name = row._meta.verbose_name
    audit.record(act="list_edited", by=by, at=at, subject=row, text=f"{str(name).capitalize()} {row}: {what}.")


def apply_edit(*, row: Model) -> None:
    """Let open returns see an edited row of a list."""
    if isinstance(row, ReasonMapping):
        apply_mapping(mapping=row)
    elif isinstance(row, DispositionMapping):
        apply_place(mapping=row)
