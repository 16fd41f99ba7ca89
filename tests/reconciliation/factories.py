"""The factories of the comparison's own rows; as in ``tests/factories.py``, related rows fit together."""

from datetime import timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from reconciliation.models import (
    AuditGap,
    Batch,
    Finding,
    Period,
    Posting,
    Run,
    SettledElsewhere,
    Settlement,
    SettlementLine,
)
from tests.factories import NOW, ConnectionFactory, RefundFactory, ReturnFactory, RouteFactory


class RunFactory(DjangoModelFactory):
    """A finished comparison without differences."""

    class Meta:
        model = Run

    check_code = "refunded_sums"
    route = factory.SubFactory(RouteFactory)
    trigger = "schedule"
    since_at = NOW - timedelta(days=1)
    until_at = NOW
    state = "finished"
    started_at = NOW
    ended_at = NOW


class FindingFactory(DjangoModelFactory):
    """An open difference of 5.00 GBP about a return's order."""

    class Meta:
        model = Finding

    check_code = "refunded_sums"
    rma = factory.SubFactory(ReturnFactory)
    route = factory.SelfAttribute("rma.route")
    order = factory.SelfAttribute("rma.order")
    fingerprint = factory.Sequence(lambda n: f"refunded_sums:test-{n}")
    cause = "refunded_outside"
    side = "mismatched"
    text = "The shop refunded more than we know of."
    suggestion = "Look at the order's refunds."
    amount = Decimal("5.00")
    currency = "GBP"
    first_run = factory.SubFactory(RunFactory, route=factory.SelfAttribute("..route"))
    last_run = factory.SelfAttribute("first_run")
    first_seen_at = NOW
    last_seen_at = NOW


class AuditGapFactory(DjangoModelFactory):
    """A shop refund of 5.00 GBP that an audit could not explain."""

    class Meta:
        model = AuditGap

    run = factory.SubFactory(RunFactory, check_code="audit", trigger="command")
    kind = "no_record"
    cause = "not_explained"
    text = "5.00 GBP refunded by WordPress user 1, and no return explains it."
    order_external_id = "42"
    order_number = "42"
    refund_external_id = "43"
    amount = Decimal("5.00")
    currency = "GBP"
    happened_at = NOW


class PeriodFactory(DjangoModelFactory):
    """An open month of a shop."""

    class Meta:
        model = Period

    connection = factory.SubFactory(ConnectionFactory)
    name = "2026-03"
    starts_at = NOW.replace(day=1, hour=0)
    ends_at = NOW.replace(month=4, day=1, hour=0)


class BatchFactory(DjangoModelFactory):
    """Its pounds, not closed."""

    class Meta:
        model = Batch

    period = factory.SubFactory(PeriodFactory)
    currency = "GBP"


class PostingFactory(DjangoModelFactory):
    """A refund of 10.00 GBP by card, in March."""

    class Meta:
        model = Posting

    batch = factory.SubFactory(BatchFactory)
    refund = factory.SubFactory(
        RefundFactory, order__connection=factory.SelfAttribute("...batch.period.connection"), origin="external"
    )
    order = factory.SelfAttribute("refund.order")
    key = factory.LazyAttribute(lambda o: f"refund:{o.refund.pk}:1")
    kind = "outside"
    amount_minor = 1000
    gateway = "card"
    happened_at = NOW
    posted_at = NOW


class SettlementFactory(DjangoModelFactory):
    """A statement of a card gateway."""

    class Meta:
        model = Settlement

    connection = factory.SubFactory(ConnectionFactory)
    gateway = "card"
    file_name = "march.csv"
    line_count = 1
    imported_at = NOW
    imported_by = "fin"


class SettlementLineFactory(DjangoModelFactory):
    """A payout of 10.00 GBP that no refund is matched to."""

    class Meta:
        model = SettlementLine

    settlement = factory.SubFactory(SettlementFactory)
    connection = factory.SelfAttribute("settlement.connection")
    gateway = factory.SelfAttribute("settlement.gateway")
    external_id = factory.Sequence(lambda n: f"id:{n}")
    row_number = factory.Sequence(lambda n: n + 1)
    amount_minor = 1000
    currency = "GBP"
    settled_date = NOW.date()
    order_number = "42"


class SettledElsewhereFactory(DjangoModelFactory):
    """A refund that was paid from another account."""

    class Meta:
        model = SettledElsewhere

    posting = factory.SubFactory(PostingFactory)
    by = "fin"
    at = NOW
    why = "Paid from the other account."
