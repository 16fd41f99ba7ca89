"""The reads behind the view of a return, each built once per process: every plan asks for all of them.

By our ids of the return, of its order or of its route; in the platform's order, never in ours.
"""

from typing import Final

from django.db.models import Q

from returnsops.models import (
    CreditRequest,
    DispositionMapping,
    Effect,
    ExchangeRequest,
    Inspection,
    OrderLine,
    Parcel,
    PlatformRefund,
    Refund,
    ReturnAuthorisation,
    ReturnLine,
    Waiver,
)
from returnsops.prepared import Prepared

LINES: Final = Prepared(
    lambda rma_id: (
        ReturnLine.objects.filter(rma=rma_id, is_withdrawn=False)
        .select_related("reason", "order_line")
        .order_by("external_id")
    )
)
EVER_LINES: Final = Prepared(lambda rma_id: ReturnLine.objects.filter(rma=rma_id))  # withdrawn ones too
VERDICTS: Final = Prepared(
    lambda rma_id: Inspection.objects.filter(rma=rma_id, is_superseded=False).order_by("inspected_at", "identity")
)
PAYOUTS: Final = Prepared(lambda rma_id: PlatformRefund.objects.filter(rma=rma_id).order_by("issued_at", "external_id"))
CREDITS: Final = Prepared(lambda rma_id: CreditRequest.objects.filter(rma=rma_id).order_by("issued_at", "external_id"))
EXCHANGES: Final = Prepared(
    lambda rma_id: ExchangeRequest.objects.filter(rma=rma_id).order_by("requested_at", "external_id")
)
PARCELS: Final = Prepared(lambda rma_id: Parcel.objects.filter(rma=rma_id).order_by("external_id"))
WAIVERS: Final = Prepared(lambda rma_id: Waiver.objects.filter(rma=rma_id).order_by("pk"))
EFFECTS: Final = Prepared(lambda rma_id: Effect.objects.filter(rma=rma_id))
EFFECTS_ON_ORDER: Final = Prepared(lambda rma_id, order_id: Effect.objects.filter(Q(rma=rma_id) | Q(order=order_id)))
OTHER_RETURNS: Final = Prepared(
    lambda rma_id, order_id: (
        ReturnAuthorisation.objects.filter(order=order_id)
        .exclude(pk=rma_id)
        .order_by("pk")
        .values_list("pk", "status", "route_id", "connection__name", "external_id", "resolution")
    )
)
ORDER_LINES: Final = Prepared(lambda order_id: OrderLine.objects.filter(order=order_id))
ORDER_REFUNDS: Final = Prepared(
    lambda order_id: Refund.objects.filter(order=order_id).order_by("refunded_at", "external_id")
)
PLACES: Final = Prepared(
    lambda route_id: DispositionMapping.objects.filter(route=route_id).values_list(
        "disposition", "channel", "location__code"
    )
)
