"""One search for everything people have in hand: order number, RMA, refund id, SKU, tracking number, e-mail."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.urls import reverse

from returnsops.models import Order, Refund, ReturnAuthorisation

from . import words

MOST = 25
SHORTEST = 2


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One thing found, and why it fits."""

    kind: str
    title: str
    detail: str
    url: str


def find(text: str, *, user: User | AnonymousUser) -> tuple[Hit, ...]:
    """What fits the text, returns first; nothing for one character, nothing the person may not see."""
    wanted = text.strip()
    if len(wanted) < SHORTEST:
        return ()
    hits: list[Hit] = []
    if user.has_perm("returnsops.view_returnauthorisation"):
        hits.extend(_return_hits(wanted))
    if user.has_perm("returnsops.view_order"):
        hits.extend(_order_hits(wanted))
    if user.has_perm("returnsops.view_refund"):
        hits.extend(_refund_hits(wanted))
    return tuple(hits)


def _return_hits(wanted: str) -> Iterable[Hit]:
    exact = Q(number__iexact=wanted) | Q(external_id__iexact=wanted) | Q(order_number__iexact=wanted)
    ids = Q(platform_refunds__external_id__iexact=wanted) | Q(effects__remote_id__iexact=wanted)
    goods = Q(lines__sku__iexact=wanted) | Q(parcels__tracking_number__iexact=wanted)
    people = Q(customer_email__iexact=wanted) | Q(customer_email__istartswith=wanted)
    rows = ReturnAuthorisation.objects.filter(exact | ids | goods | people).distinct()[:MOST]
    for row in rows:
        yield Hit(
            kind="Return",
            title=row.label,
            detail=f"order {row.order_number or row.order_external_id}, {words.plain(row.status).lower()}",
            url=reverse("admin:returnsops_returnauthorisation_change", args=[row.pk]),
        )


def _order_hits(wanted: str) -> Iterable[Hit]:
    named = Q(number__iexact=wanted) | Q(external_id__iexact=wanted) | Q(customer_email__iexact=wanted)
    rows = Order.objects.filter(named | Q(lines__sku__iexact=wanted)).distinct()[:MOST]
    for row in rows:
        yield Hit(
            kind="Order",
            title=row.number or row.external_id,
            detail=f"{words.amount(row.total, row.currency)}, {row.status}",
            url=reverse("admin:returnsops_order_change", args=[row.pk]),
        )


def _refund_hits(wanted: str) -> Iterable[Hit]:
    rows = Refund.objects.filter(external_id__iexact=wanted).select_related("order")[:MOST]
    for row in rows:
        yield Hit(
            kind="Refund in the shop",
            title=row.external_id,
            detail=f"{words.amount(row.amount, row.currency)} of order {row.order.number or row.order.external_id}",
            url=reverse("admin:returnsops_refund_change", args=[row.pk]),
        )
