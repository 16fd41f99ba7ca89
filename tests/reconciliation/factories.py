"""The factories of the comparison's own rows; as in ``tests/factories.py``, related rows fit together."""

from datetime import timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from reconciliation.models import AuditGap, Finding, Run
from tests.factories import NOW, ReturnFactory, RouteFactory


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
