"""Old messages and old returns lose their customer data; what replay and people need stays (operations.md)."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from exceptions_queue import services as queue
from returnsops import states
from returnsops.models import (
    Connection,
    CreditRequest,
    Effect,
    InboundEvent,
    Inspection,
    Order,
    PlatformRefund,
    Refund,
    ReturnAuthorisation,
    ReturnLine,
    Waiver,
)
from returnsops.personal_data import REMOVED, without_mail, without_personal_data

from . import audit
from .cases import SUBJECT_RETURN

BATCH: Final = 200
_GONE: Final = ("", REMOVED)
# A short number, as of a house, is nobody's inside an amount, a date or a time; a longer one may be a phone's.
_SHORT: Final = re.compile(r"\d{1,6}")
_BEFORE: Final = r"(?<!\w)(?<!\d[.,:/-])(?<![€£$¥])(?<![A-Z][A-Z][A-Z]\s)"
_AFTER: Final = r"(?!\w)(?![.,:/-]\d)(?!\s?[A-Z][A-Z][A-Z]\b)"
# What staff gave as their reason stays with who decided what, without the e-mail addresses in it.
_Reasoned = type[Waiver | CreditRequest | Refund | Effect]
_REASONS: Final[tuple[tuple[_Reasoned, str], ...]] = (
    (Waiver, "why"),
    (CreditRequest, "withdrawn_why"),
    (Refund, "attributed_why"),
    (Effect, "proposed_why"),
    (Effect, "error_text"),  # why an approval was refused
)


@dataclass(frozen=True, kw_only=True)
class Purged:
    """How many messages were looked at, how many held customer data, and how many returns and closed cases did."""

    looked_at: int
    changed: int
    returns: int = 0
    cases: int = 0


def purge_payloads(*, before: datetime, by: str, at: datetime, is_dry_run: bool = False) -> Purged:
    """Take customer data out of messages received, and of returns that closed or ended, before a moment.

    So with cases of these returns that were closed before it. Messages not yet processed are left alone, and an order's
    address as long as one of its returns is younger. Repeating it changes nothing more. History entries per connection
    say how much was changed.
    """
    looked_at = 0
    changed: Counter[int] = Counter()
    for batch in _batches(before):
        looked_at += len(batch)
        changed.update(_purge_batch(batch, by=by, at=at, is_dry_run=is_dry_run))
    returns = _purge_returns(before, by=by, at=at, is_dry_run=is_dry_run)
    cases = _purge_cases(before, by=by, at=at, is_dry_run=is_dry_run)
    return Purged(looked_at=looked_at, changed=changed.total(), returns=returns, cases=cases)


def redacted(body: bytes) -> bytes:
    """The body without customer data; numbers keep their digits. A body that is not JSON is removed whole."""
    mark = secrets.token_hex(8)
    try:
        document = json.loads(body, parse_float=lambda digits: f"{mark}{digits}")
    except (ValueError, RecursionError):
        return REMOVED.encode()
    cleaned = without_personal_data(document)
    if cleaned == document:
        return body
    return re.sub(f'"{mark}([^"]*)"', r"\1", json.dumps(cleaned)).encode()


def _batches(before: datetime) -> Iterator[list[InboundEvent]]:
    last = 0
    rows = InboundEvent.objects.filter(received_at__lt=before).exclude(state=states.EVENT_RECEIVED).order_by("pk")
    while batch := list(rows.filter(pk__gt=last).only("pk", "body", "connection_id")[:BATCH]):
        yield batch
        last = batch[-1].pk


@transaction.atomic
def _purge_batch(batch: list[InboundEvent], *, by: str, at: datetime, is_dry_run: bool) -> Counter[int]:
    changed: Counter[int] = Counter()
    for event in batch:
        before = bytes(event.body)
        after = redacted(before)
        if after == before:
            continue
        changed[event.connection_id] += 1
        if not is_dry_run:
            InboundEvent.objects.filter(pk=event.pk).update(body=after)
    if not is_dry_run:
        _note(changed, by=by, at=at)
    return changed


def _note(changed: Counter[int], *, by: str, at: datetime) -> None:
    for connection in Connection.objects.filter(pk__in=changed):
        text = f"Customer data removed from {changed[connection.pk]} stored messages."
        audit.record(act="payloads_purged", by=by, at=at, subject=connection, text=text)


# --- rows of returns ------------------------------------------------------------------------------------------------


def _purge_returns(before: datetime, *, by: str, at: datetime, is_dry_run: bool) -> int:
    """E-mail addresses and what somebody wrote, on returns that are over since then; returns how many held any."""
    over = _over(before)
    mentioned = [row.rma_id for model, field in _REASONS for row in _with_mail(model, field, over)]
    holding = over.filter(
        ~Q(customer_email="")
        | ~Q(end_reason__in=_GONE)
        | Exists(ReturnLine.objects.filter(rma=OuterRef("pk")).exclude(reason_text__in=_GONE))
        | Exists(Inspection.objects.filter(rma=OuterRef("pk")).exclude(reject_reason__in=_GONE))
        | Exists(PlatformRefund.objects.filter(rma=OuterRef("pk")).exclude(failure_text__in=_GONE))
        | Q(pk__in=mentioned)
        | Q(order__in=_orders_over(before))
    )
    found = dict(holding.order_by("pk").values_list("pk", "connection_id"))
    ids = list(found)
    if not is_dry_run:
        for start in range(0, len(ids), BATCH):
            _empty(ids[start : start + BATCH], before)
        _note_returns(Counter(found.values()), by=by, at=at)
    return len(ids)


@transaction.atomic
def _empty(ids: list[int], before: datetime) -> None:
    returns = ReturnAuthorisation.objects.filter(pk__in=ids)
    Order.objects.filter(pk__in=_orders_over(before), returns__in=ids).update(customer_email="")
    returns.exclude(end_reason__in=_GONE).update(end_reason=REMOVED)
    returns.update(customer_email="")
    ReturnLine.objects.filter(rma__in=ids).exclude(reason_text__in=_GONE).update(reason_text=REMOVED)
    Inspection.objects.filter(rma__in=ids).exclude(reject_reason__in=_GONE).update(reject_reason=REMOVED)
    PlatformRefund.objects.filter(rma__in=ids).exclude(failure_text__in=_GONE).update(failure_text=REMOVED)
    for model, field in _REASONS:
        for row in _with_mail(model, field, returns):
            model.objects.filter(pk=row.pk).update(**{field: without_mail(getattr(row, field))})


def _with_mail(model: _Reasoned, field: str, returns: QuerySet[ReturnAuthorisation]) -> list[Any]:
    rows: QuerySet[Any] = model.objects.filter(rma__in=returns, **{f"{field}__contains": "@"})
    return [row for row in rows if without_mail(getattr(row, field)) != getattr(row, field)]


def _over(before: datetime) -> QuerySet[ReturnAuthorisation]:
    return ReturnAuthorisation.objects.annotate(over_at=Coalesce("closed_at", "ended_at")).filter(over_at__lt=before)


def _orders_over(before: datetime) -> QuerySet[Order]:
    """Orders with an address, all of whose returns are over."""
    young = ReturnAuthorisation.objects.filter(order=OuterRef("pk")).annotate(over_at=Coalesce("closed_at", "ended_at"))
    is_young = Q(over_at__isnull=True) | Q(over_at__gte=before)
    return Order.objects.exclude(customer_email="").filter(~Exists(young.filter(is_young)))


def _note_returns(changed: Counter[int], *, by: str, at: datetime) -> None:
    for connection in Connection.objects.filter(pk__in=changed):
        text = f"Customer data removed from {changed[connection.pk]} returns that are over."
        audit.record(act="returns_purged", by=by, at=at, subject=connection, text=text)


# --- closed cases of returns ----------------------------------------------------------------------------------------


def _purge_cases(before: datetime, *, by: str, at: datetime, is_dry_run: bool) -> int:
    """What closed cases of returns that are over say of a customer; returns how many said anything."""
    connections = {str(pk): connection_id for pk, connection_id in _over(before).values_list("pk", "connection_id")}
    ids = list(connections)
    changed: Counter[int] = Counter()
    for start in range(0, len(ids), BATCH):
        found = queue.clean_closed(
            subject_type=SUBJECT_RETURN,
            subject_ids=ids[start : start + BATCH],
            before=before,
            clean=_cleaned_case,
            is_dry_run=is_dry_run,
        )
        changed.update(connections[subject_id] for subject_id in found)
    if not is_dry_run:
        for connection in Connection.objects.filter(pk__in=changed):
            text = f"Customer data removed from {changed[connection.pk]} closed cases."
            audit.record(act="cases_purged", by=by, at=at, subject=connection, text=text)
    return changed.total()


def _cleaned_case(texts: queue.CaseTexts) -> queue.CaseTexts:
    """Evidence as messages are cleaned; what went there goes from the sentences that quote it too."""
    evidence = without_personal_data(dict(texts.evidence))
    if isinstance(evidence.get("failure"), str):  # why a payment did not arrive, in the platform's words
        evidence["failure"] = REMOVED if evidence["failure"] else ""
    gone = _texts(texts.evidence) - _texts(evidence)
    cause, reason = (_without(text, gone) for text in (texts.cause, texts.resolution_reason))
    return queue.CaseTexts(cause=cause, evidence=evidence, resolution_reason=reason)


def _without(text: str, gone: Iterable[str]) -> str:
    for said in sorted(gone, key=len, reverse=True):
        before, after = (_BEFORE, _AFTER) if _SHORT.fullmatch(said) else (r"(?<!\w)", r"(?!\w)")
        text = re.sub(f"{before}{re.escape(said)}{after}", REMOVED, text)
    return without_mail(text)


def _texts(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value} - set(_GONE)
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {text for one in inner for text in _texts(one)}
