"""Facts about one return into rows. Each may arrive twice, late or in any order and changes nothing more then.

Milestone times are the earliest ever stated, so they do not depend on the order of arrival; the status is derived
from them and never set.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from returnsops import facts, states
from returnsops.models import (
    Connection,
    Inspection,
    Parcel,
    ReasonCode,
    ReasonMapping,
    ReturnAuthorisation,
    ReturnLine,
    Route,
)
from returnsops.planning.keys import content_hash
from returnsops.prepared import Prepared, PreparedUpdate

from . import view_reads
from .locks import lock_return
from .orders import ORDER_NAMED, link_order, match_lines
from .row_values import values_of

DEFAULT_ORDER_WANTED_H = 24

# The milestone a platform's own status implies, where the event itself was lost.
MILESTONE_OF_STATUS: Mapping[str, str] = {
    "requested": "requested_at",
    "authorised": "authorised_at",
    "in_transit": "in_transit_at",
    "delivered": "delivered_at",
    "received": "received_at",
    "inspecting": "inspecting_at",
    "inspected": "inspected_at",
    "closed": "closed_at",
}


def get_or_create_return(*, connection: Connection, return_id: str, at: datetime) -> ReturnAuthorisation:
    """The row of a return, locked after its order; made when its first fact arrives, whichever that is."""
    known = _NAMED.rows(connection_id=connection.pk, external_id=return_id)
    rma_id = known[0][0] if known else _made(connection=connection, return_id=return_id, at=at)
    rma = lock_return(rma_id=rma_id, related=("route", "policy"))
    rma.connection = connection  # it need not be read again
    return rma


_NAMED: Final = Prepared(
    lambda connection_id, external_id: (
        ReturnAuthorisation.objects.filter(connection=connection_id, external_id=external_id)
        .order_by()
        .values_list("pk")
    )
)


def _made(*, connection: Connection, return_id: str, at: datetime) -> int:
    row, _ = ReturnAuthorisation.objects.get_or_create(
        connection=connection, external_id=return_id, defaults={"order_next_read_at": at}
    )
    return row.pk


def apply_snapshot(*, rma: ReturnAuthorisation, fact: facts.ReturnSeen, at: datetime) -> None:
    """Take over the whole return if its (revision, updated_at, mapping version, content hash) is the highest seen.

    The caller saves the return.
    """
    snapshot = fact.snapshot
    reach_status(rma=rma, status=snapshot.status, at=snapshot.updated_at)
    reach(rma=rma, milestone="requested_at", at=snapshot.created_at)
    moment = snapshot.updated_at.isoformat()
    rank = [snapshot.revision, moment, fact.mapping_version, content_hash(_document(snapshot))]
    if rma.content_rank and rank <= _stored_rank(rma):
        return
    if _names_another_order(rma, snapshot):
        _forget_order(rma)
    rma.content_rank = rank
    rma.revision = snapshot.revision
    _copy_header(rma, snapshot)
    _choose_route(rma)
    _store_lines(rma, snapshot.items)
    _find_order(rma, at=at)
    match_lines(rma=rma)


def _stored_rank(rma: ReturnAuthorisation) -> list[Any]:
    """Ranks of rows stored by older versions have no mapping version in them."""
    stored = list(rma.content_rank)
    return stored if len(stored) == 4 else [*stored[:2], 0, *stored[2:]]


def reach(*, rma: ReturnAuthorisation, milestone: str, at: datetime) -> None:
    """Note the earliest time of a milestone; the caller saves."""
    known = getattr(rma, milestone)
    if known is None or at < known:
        setattr(rma, milestone, at)


def reach_status(*, rma: ReturnAuthorisation, status: str, at: datetime) -> None:
    """What a status named by the platform implies."""
    if status in states.RETURN_ENDED:
        end(rma=rma, status=status, at=at, reason="")
    elif status in MILESTONE_OF_STATUS:
        reach(rma=rma, milestone=MILESTONE_OF_STATUS[status], at=at)


def end(*, rma: ReturnAuthorisation, status: str, at: datetime, reason: str) -> None:
    """Declined, cancelled or expired: the earliest end counts, ties by name, so that order does not matter.

    A snapshot tells the end without its reason, the event a little later with it: the first by name of all reasons.
    """
    if rma.ended_at is None or (at, status) < (rma.ended_at, rma.end_status):
        rma.ended_at, rma.end_status = at, status
    rma.end_reason = min((text for text in (rma.end_reason, reason[:300]) if text), default="")


def derive_status(rma: ReturnAuthorisation) -> str:
    """The status from the milestones: an end outranks progress, else the furthest point reached."""
    if rma.end_status:
        return rma.end_status
    for status in reversed(states.RETURN_PROGRESS):
        if getattr(rma, MILESTONE_OF_STATUS[status]) is not None:
            return status
    return states.REQUESTED


def apply_parcel(*, rma: ReturnAuthorisation, fact: facts.ParcelFact) -> None:
    """Note where a parcel is; the return's own milestone follows."""
    parcel, _ = Parcel.objects.get_or_create(rma=rma, external_id=fact.parcel_id)
    parcel_milestone, return_milestone = PARCEL_MILESTONES[type(fact)]
    known = getattr(parcel, parcel_milestone)
    if known is None or fact.occurred_at < known:
        setattr(parcel, parcel_milestone, fact.occurred_at)
    for name in PARCEL_DETAILS:
        _tell_detail(parcel, name, getattr(fact, name), at=fact.occurred_at)
    parcel.save()
    if return_milestone:
        reach(rma=rma, milestone=return_milestone, at=fact.occurred_at)


def _tell_detail(parcel: Parcel, name: str, value: str, *, at: datetime) -> None:
    """The latest word counts, ties by content, whichever arrived first; silence takes nothing back."""
    rank = [at.isoformat(), value]
    if value and rank > [parcel.told_at.get(name, ""), getattr(parcel, name)]:
        setattr(parcel, name, value)
        parcel.told_at[name] = rank[0]


PARCEL_DETAILS = ("carrier", "tracking_number", "tracking_url")
PARCEL_MILESTONES: Mapping[type[facts.ParcelFact], tuple[str, str]] = {
    facts.ParcelLabelled: ("labelled_at", ""),
    facts.ParcelInTransit: ("in_transit_at", "in_transit_at"),
    facts.ParcelDelivered: ("delivered_at", "delivered_at"),
    facts.ParcelReceived: ("received_at", "received_at"),
}


def _document(snapshot: facts.ReturnSnapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in snapshot.__dataclass_fields__ if name != "items"} | {
        "items": [repr(item) for item in snapshot.items]
    }


def _copy_header(rma: ReturnAuthorisation, snapshot: facts.ReturnSnapshot) -> None:
    rma.number = snapshot.number
    rma.mode = snapshot.mode
    rma.resolution = snapshot.resolution
    rma.order_external_id = snapshot.order_id or rma.order_external_id  # found by its number, it stays
    rma.order_number = snapshot.order_number
    rma.channel = snapshot.channel
    rma.customer_external_id = snapshot.customer_id
    rma.customer_email = snapshot.customer_email
    rma.currency = snapshot.currency or (rma.order.currency if rma.order else "")
    rma.totals = {name: format(amount, "f") for name, amount in snapshot.totals.items()}
    rma.return_by_at = snapshot.return_by


def _choose_route(rma: ReturnAuthorisation) -> None:
    """The route of its channel of sale, else the platform's only route for all channels. Never changed later."""
    if rma.route_id is not None:
        return
    routes = list(Route.objects.filter(platform=rma.connection).select_related("policy"))
    named = [route for route in routes if rma.channel and rma.channel in route.channels]
    fits = named or [route for route in routes if not route.channels]
    if len(fits) == 1:
        rma.route = fits[0]
        rma.policy = fits[0].policy


def _store_lines(rma: ReturnAuthorisation, items: tuple[facts.ReturnItem, ...]) -> None:
    known = {line.external_id: line for line in view_reads.EVER_LINES.objects(rma_id=rma.pk)}
    meanings = {row.source_code: row.reason for row in _MEANINGS.objects(connection_id=rma.connection_id)}
    for item in items:
        line = known.pop(item.item_id, None) or ReturnLine(rma=rma, external_id=item.item_id)
        before, is_joining = values_of(line), line.pk is None or line.is_withdrawn
        _copy_item(line, item, meanings)
        if line.pk is None or values_of(line) != before:
            line.save()
        if is_joining:
            _JUDGED_BEFORE.run(rma_id=rma.pk, item_id=item.item_id, line_id=line.pk)
    if any(not line.is_withdrawn for line in known.values()):
        rma.lines.filter(external_id__in=list(known)).update(is_withdrawn=True)
        rma.inspections.filter(line__is_withdrawn=True).update(line=None)  # as if they had never been heard of


_MEANINGS: Final = Prepared(
    lambda connection_id: ReasonMapping.objects.filter(connection=connection_id).select_related("reason")
)
_JUDGED_BEFORE: Final = PreparedUpdate(
    lambda rma_id, item_id, line_id: (
        Inspection.objects.filter(rma=rma_id, item_external_id=item_id, line__isnull=True),
        {"line": line_id},
    )
)


def _copy_item(line: ReturnLine, item: facts.ReturnItem, meanings: Mapping[str, ReasonCode]) -> None:
    line.order_line_external_id = item.order_line_id
    line.sku = item.sku
    line.variant_external_id = item.variant_id
    line.name = item.name
    line.quantity = item.quantity
    line.reason_source_code = item.reason_code or ""
    line.reason_text = item.reason_text
    line.resolution = item.resolution
    line.unit_price, line.discount, line.tax, line.total = item.unit_price, item.discount, item.tax, item.total
    line.is_withdrawn = False
    if not line.reason_by:
        line.reason = meanings.get(line.reason_source_code)


def _names_another_order(rma: ReturnAuthorisation, snapshot: facts.ReturnSnapshot) -> bool:
    """By id where the platform knows it; a platform that knows the number only names the order by that."""
    if snapshot.order_id:
        return rma.order_external_id != snapshot.order_id
    return rma.order_number != snapshot.order_number


def _forget_order(rma: ReturnAuthorisation) -> None:
    """The platform names another order: it is looked for anew, with a deadline of its own."""
    rma.order = None
    rma.order_external_id = ""
    rma.order_wanted_until_at = None
    rma.order_read_tries = 0
    rma.lines.update(order_line=None)


def _find_order(rma: ReturnAuthorisation, *, at: datetime) -> None:
    if rma.order_id is not None:
        return
    if rma.order_wanted_until_at is None:
        rma.order_wanted_until_at = at + timedelta(hours=_order_wanted_h(rma))
        rma.order_next_read_at = at
    if rma.route is None or rma.route.commerce_id is None or not rma.order_external_id:
        return
    for order in ORDER_NAMED.objects(connection_id=rma.route.commerce_id, external_id=rma.order_external_id):
        link_order(rma=rma, order=order)


def know_order(*, rma: ReturnAuthorisation, order_id: str) -> None:
    """The shop's id of the order that the platform named by its number; nothing where it names another by now."""
    rows = ReturnAuthorisation.objects.filter(pk=rma.pk, order__isnull=True, order_external_id="")
    rows.filter(order_number=rma.order_number).update(order_external_id=order_id)


def _order_wanted_h(rma: ReturnAuthorisation) -> int:
    document = rma.policy.document if rma.policy else {}
    return int(document.get("order_wanted_h", DEFAULT_ORDER_WANTED_H))
