"""What of this domain a person can raise a case about, and how it is found by the number in hand.

A number that fits more than one thing is refused with what it fits: a case about the wrong return is worse than none.
"""

from collections.abc import Callable
from typing import Any, Final

from django.db.models import Q, QuerySet

from exceptions_queue.errors import InvalidInputError
from exceptions_queue.subjects import Subject, SubjectType
from returnsops.models import Connection, Effect, Order, ReturnAuthorisation

from . import cases
from .effect_rows import label

SUBJECT_GOODS: Final = "goods"  # of no return that we know
MOST_NAMED: Final = 5


def find_return(number: str) -> Subject:
    """A return by its own number, else by its id, else by its order's, a parcel's or a refund's.

    Raises InvalidInputError.
    """
    others = Q(order_number__iexact=number) | Q(order_external_id__iexact=number)
    others |= Q(parcels__tracking_number__iexact=number)
    others |= Q(platform_refunds__external_id__iexact=number) | Q(effects__remote_id__iexact=number)
    rows = ReturnAuthorisation.objects.select_related("connection")
    for fits in (Q(number__iexact=number) | _ref(number), Q(external_id__iexact=number), others):
        rma = _only(rows.filter(fits).distinct(), number, what="return", named=lambda row: f"{row.ref} ({row.label})")
        if rma is not None:
            return about_return(rma)
    raise InvalidInputError(f"There is no return {number!r}. Give its number, or that of its order, parcel or refund.")


def about_return(rma: ReturnAuthorisation) -> Subject:
    """A return as the subject of a case, which its page shows then."""
    return Subject(
        subject_type=cases.SUBJECT_RETURN,
        subject_id=str(rma.pk),
        subject_label=rma.label,
        group_key=cases.group_of(rma),
        deep_link=cases.link_of(rma),
        waiting_since_at=cases.waiting_since(rma),
    )


def find_order(number: str) -> Subject:
    """An order by its number or id in the shop. Raises InvalidInputError."""
    rows = Order.objects.select_related("connection")
    rows = rows.filter(Q(number__iexact=number) | Q(external_id__iexact=number) | _ref(number))
    order = _only(rows, number, what="order", named=_order_ref)
    if order is None:
        raise InvalidInputError(f"No order {number!r} was read from a shop yet. Give its number as the shop shows it.")
    return Subject(
        subject_type="order",
        subject_id=str(order.pk),
        subject_label=f"Order {order.number or order.external_id}",
        group_key=f"order:{_order_ref(order)}",
        deep_link=f"/admin/returnsops/order/{order.pk}/change/",
    )


def find_effect(number: str) -> Subject:
    """A refund, restock or other effect by its key, or the id of its record in the other system."""
    rows = Effect.objects.select_related("rma__connection", "connection")
    effect = _only(rows.filter(Q(key=number) | Q(remote_id=number)), number, what="effect", named=str)
    if effect is None:
        raise InvalidInputError(f"We know no refund, restock or message {number!r}. Give its key, or its id there.")
    rma = effect.rma
    return Subject(
        subject_type="effect",
        subject_id=str(effect.pk),
        subject_label=f"{label(effect)}, {rma.label if rma else effect.key}",
        group_key=cases.group_of(rma) if rma else f"effect:{effect.pk}",
        deep_link=f"/admin/returnsops/effect/{effect.pk}/change/",
        waiting_since_at=cases.waiting_since(rma) if rma else None,
    )


def find_connection(number: str) -> Subject:
    """A connected system by its name. Raises InvalidInputError with the names there are."""
    rows = Connection.objects.filter(Q(name__iexact=number) | Q(title__iexact=number))
    connection = _only(rows, number, what="system", named=lambda row: row.name)
    if connection is None:
        names = ", ".join(Connection.objects.order_by("name").values_list("name", flat=True))
        raise InvalidInputError(f"No system is called {number!r}. There are: {names or 'none'}.")
    return Subject(
        subject_type="connection",
        subject_id=str(connection.pk),
        subject_label=str(connection),
        group_key=f"connection:{connection.name}",
        deep_link=f"/admin/returnsops/connection/{connection.pk}/change/",
    )


def goods(number: str) -> Subject:
    """Goods that came without a return we know, by what is written on them."""
    return Subject(subject_type=SUBJECT_GOODS, subject_id=number, subject_label=number)


def _ref(number: str) -> Q:
    """By connection and id there, as a refusal names them."""
    name, _, external_id = number.partition("/")
    return Q(connection__name=name, external_id=external_id)


def _order_ref(order: Order) -> str:
    return f"{order.connection.name}/{order.external_id}"


def _only(rows: QuerySet[Any], number: str, *, what: str, named: Callable[[Any], str]) -> Any:
    """The only row, None where there is none. Raises InvalidInputError with the names where there are more."""
    found = list(rows.order_by("pk")[: MOST_NAMED + 1])
    if len(found) > 1:
        names = ", ".join(named(row) for row in found[:MOST_NAMED])
        more = " and others" if len(found) > MOST_NAMED else ""
        raise InvalidInputError(f"{number!r} fits more than one {what}: {names}{more}. Give one of these names.")
    return found[0] if found else None


SUBJECTS: Final = (
    SubjectType(
        code=cases.SUBJECT_RETURN,
        title="Return",
        help="Its number, or that of its order, parcel or refund.",
        find=find_return,
    ),
    SubjectType(code="order", title="Order", help="Its number in the shop.", find=find_order),
    SubjectType(
        code="effect", title="Refund, restock or message", help="Its id in the other system.", find=find_effect
    ),
    SubjectType(code="connection", title="Connected system", help="Its name.", find=find_connection),
    SubjectType(
        code=SUBJECT_GOODS, title="Goods of no return we know", help="What is written on the parcel.", find=goods
    ),
)
