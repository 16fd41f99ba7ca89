"""One factory per model: ``EffectFactory()`` gives a row that satisfies every constraint; name what your test is about.

Related rows fit together: a return's route ties its platform to its shop, its order lies in that shop, its lines are
matched to lines of that order, its effects belong to its shop. The clock stands at ``NOW``.
"""

import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import factory
from django.contrib.auth.models import Group, Permission, User
from factory.django import DjangoModelFactory

from connectors.models import ConnectionBudget, PumpLease, SyncCursor, WakeUp
from exceptions_queue.models import CaseEvent, CaseState, ExceptionCase
from returnsops import models, roles, states
from returnsops.planning.keys import business_key, content_hash
from tests.kept import KeptRows

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "a long password 123"
# A policy that leaves nothing open, so that effects may go.
POLICY = {
    "return_window_days": 30,
    "refund": {"default_executed_by": "commerce_platform", "approval_threshold": {"GBP": "200.00"}},
    "restock": {"confirmation": "either"},
}


_groups: dict[int, KeptRows] = {}


def group_of(team: str) -> Group:
    """The group of a team; the first who asks in a test has all of them made with their permissions."""
    made = Group.objects.filter(name=roles.TEAMS[team]).first()
    if made is None:
        _make_groups()
    return made or Group.objects.get(name=roles.TEAMS[team])


def _make_groups() -> None:
    """As ``sync_roles`` does, which works once per process where nothing but what it made is there."""
    permission_id = Permission.objects.order_by("pk").values_list("pk", flat=True)[
        0
    ]  # others after an emptied database
    if Group.objects.exists():
        roles.sync_roles()
    elif permission_id in _groups:
        _groups[permission_id].insert(texts={})
    else:
        roles.sync_roles()
        _groups[permission_id] = KeptRows((Group, Group.permissions.through), texts={})


class UserFactory(DjangoModelFactory):
    """A member of staff without rights; ``team="FIN"`` puts the person into that team with the team's permissions."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda o: f"{o.username}@example.com")
    password = factory.django.Password(PASSWORD)
    is_staff = True

    @factory.post_generation
    def team(self: User, create: bool, extracted: str | None, **kwargs: object) -> None:
        """Join a team."""
        if create and extracted:
            self.groups.add(group_of(extracted))


class ConnectionFactory(DjangoModelFactory):
    """A shop; ``platform=True`` makes it a returns platform."""

    class Meta:
        model = models.Connection

    class Params:
        platform = factory.Trait(
            name=factory.Sequence(lambda n: f"reveni-{n}"), vendor="reveni", base_url="https://reveni.example.com"
        )

    name = factory.Sequence(lambda n: f"shop-{n}")
    vendor = "woocommerce"
    base_url = "https://shop.example.com"
    time_zone = "Europe/London"


class ConnectionSecretFactory(DjangoModelFactory):
    """A secret read from the environment."""

    class Meta:
        model = models.ConnectionSecret

    connection = factory.SubFactory(ConnectionFactory)
    name = "consumer_secret"
    env_name = "SHOP_CONSUMER_SECRET"
    created_at = NOW


class MappingVersionFactory(DjangoModelFactory):
    """A stored mapping."""

    class Meta:
        model = models.MappingVersion

    connection = factory.SubFactory(ConnectionFactory, platform=True)
    version = factory.Sequence(lambda n: n + 1)
    document = factory.Dict({})
    created_at = NOW
    created_by = "olivia"


class RouteFactory(DjangoModelFactory):
    """A live route with a complete policy."""

    class Meta:
        model = models.Route
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"route-{n}")
    platform = factory.SubFactory(ConnectionFactory, platform=True)
    commerce = factory.SubFactory(ConnectionFactory)
    mode = states.ROUTE_OFF
    live_from = NOW - timedelta(days=90)

    @factory.post_generation
    def live(self: models.Route, create: bool, extracted: bool | None, **kwargs: object) -> None:
        """Give it a policy and switch it on; ``live=False`` leaves it off and bare."""
        if create and extracted is not False:
            self.policy = PolicyVersionFactory(route=self)
            self.mode = states.ROUTE_LIVE
            self.save()


class PolicyVersionFactory(DjangoModelFactory):
    """A complete policy."""

    class Meta:
        model = models.PolicyVersion

    route = factory.SubFactory(RouteFactory, live=False)
    version = factory.LazyAttribute(lambda o: o.route.policies.count() + 1)
    document = factory.LazyFunction(lambda: json.loads(json.dumps(POLICY)))
    created_at = NOW
    created_by = "olivia"


class PolicySignatureFactory(DjangoModelFactory):
    """One team's signature."""

    class Meta:
        model = models.PolicySignature

    policy = factory.SubFactory(PolicyVersionFactory)
    team = "CX"
    signed_by = factory.SubFactory(UserFactory)
    signed_at = NOW


class SwitchFactory(DjangoModelFactory):
    """The global stop."""

    class Meta:
        model = models.Switch

    scope = "all"
    reason = "The shop is being moved."
    stopped_by = "olivia"
    stopped_at = NOW


class ApiTokenFactory(DjangoModelFactory):
    """A live caller on all routes; its secret is ``secret-of-<name>``."""

    class Meta:
        model = models.ApiToken

    name = factory.Sequence(lambda n: f"wms-{n}")
    secret_hash = factory.LazyAttribute(lambda o: hashlib.sha256(f"secret-of-{o.name}".encode()).hexdigest())
    secret_end = factory.LazyAttribute(lambda o: o.name[-4:])
    scopes = factory.LazyFunction(lambda: ["eligibility", "inspections"])
    created_at = NOW
    created_by = "olivia"


class ApiUseFactory(DjangoModelFactory):
    """One call in a window."""

    class Meta:
        model = models.ApiUse

    key = factory.Sequence(lambda n: f"{n:064x}")
    window_at = NOW
    count = 1


class InspectionReportFactory(DjangoModelFactory):
    """One call of a warehouse system."""

    class Meta:
        model = models.InspectionReport

    origin = "api:wms"
    key = factory.Sequence(lambda n: f"call-{n}")
    body_hash = "0" * 64
    rma = factory.SubFactory("tests.factories.ReturnFactory")
    warehouse = "Madrid"
    text = "1 x Tee: sellable"
    received_at = NOW
    received_by = "wms"


class ReasonCodeFactory(DjangoModelFactory):
    """An approved reason."""

    class Meta:
        model = models.ReasonCode
        django_get_or_create = ("code",)

    code = "too-small"
    title = factory.LazyAttribute(lambda o: o.code.replace("-", " ").capitalize())


class ReasonMappingFactory(DjangoModelFactory):
    """What a platform's code means."""

    class Meta:
        model = models.ReasonMapping

    connection = factory.SubFactory(ConnectionFactory, platform=True)
    source_code = factory.Sequence(lambda n: f"SIZE_{n}")
    reason = factory.SubFactory(ReasonCodeFactory)


class CatalogueItemFactory(DjangoModelFactory):
    """An article whose SKU is its own."""

    class Meta:
        model = models.CatalogueItem

    connection = factory.SubFactory(ConnectionFactory)
    product_external_id = factory.Sequence(lambda n: f"{1000 + n}")
    sku = factory.Sequence(lambda n: f"SKU-{n}")
    name = factory.LazyAttribute(lambda o: f"Article {o.sku}")
    is_stock_managed = True
    seen_at = NOW


class LocationFactory(DjangoModelFactory):
    """A sellable place."""

    class Meta:
        model = models.Location

    code = factory.Sequence(lambda n: f"location-{n}")
    title = factory.LazyAttribute(lambda o: o.code.capitalize())
    kind = models.Location.SELLABLE


class DispositionMappingFactory(DjangoModelFactory):
    """Where sellable units go."""

    class Meta:
        model = models.DispositionMapping

    route = factory.SubFactory(RouteFactory)
    disposition = states.SELLABLE
    location = factory.SubFactory(LocationFactory)


class OrderFactory(DjangoModelFactory):
    """A paid order of 60.00 GBP without lines; OrderLineFactory adds them."""

    class Meta:
        model = models.Order

    connection = factory.SubFactory(ConnectionFactory)
    external_id = factory.Sequence(lambda n: str(1000 + n))
    number = factory.LazyAttribute(lambda o: o.external_id)
    status = "completed"
    currency = "GBP"
    total = Decimal("60.00")
    placed_at = NOW - timedelta(days=10)
    modified_at = NOW - timedelta(days=10)
    paid_at = NOW - timedelta(days=10)
    customer_email = "sam@example.com"
    payment_method = "stripe"
    fingerprint = factory.LazyAttribute(lambda o: content_hash({"order": o.external_id}))
    read_at = NOW


class OrderLineFactory(DjangoModelFactory):
    """Two shirts at 25.00 net and 5.00 tax each."""

    class Meta:
        model = models.OrderLine

    order = factory.SubFactory(OrderFactory)
    external_id = factory.Sequence(lambda n: str(n + 1))
    kind = "item"
    name = "Blue shirt"
    sku = factory.Sequence(lambda n: f"SHIRT-{n}")
    product_external_id = "501"
    quantity = 2
    net = Decimal("50.00")
    taxes = factory.LazyFunction(lambda: [{"rate_id": "1", "amount": "10.00"}])


class ReturnFactory(DjangoModelFactory):
    """An authorised return whose order was read; ReturnLineFactory adds lines."""

    class Meta:
        model = models.ReturnAuthorisation

    route = factory.SubFactory(RouteFactory)
    connection = factory.SelfAttribute("route.platform")
    external_id = factory.Sequence(lambda n: f"ret_{n}")
    number = factory.Sequence(lambda n: f"RMA-{100 + n}")
    status = states.AUTHORISED
    order = factory.SubFactory(OrderFactory, connection=factory.SelfAttribute("..route.commerce"))
    order_external_id = factory.LazyAttribute(lambda o: o.order.external_id if o.order else "")
    order_number = factory.LazyAttribute(lambda o: o.order.number if o.order else "")
    customer_email = "sam@example.com"
    currency = "GBP"
    policy = factory.SelfAttribute("route.policy")
    requested_at = NOW - timedelta(days=3)
    authorised_at = NOW - timedelta(days=3)


class ReturnLineFactory(DjangoModelFactory):
    """One unit, matched to a line of the order, with a reason."""

    class Meta:
        model = models.ReturnLine

    rma = factory.SubFactory(ReturnFactory)
    external_id = factory.Sequence(lambda n: f"item_{n}")
    order_line = factory.Maybe(
        "is_matched", factory.SubFactory(OrderLineFactory, order=factory.SelfAttribute("..rma.order")), None
    )
    order_line_external_id = factory.LazyAttribute(lambda o: o.order_line.external_id if o.order_line else "")
    sku = factory.LazyAttribute(lambda o: o.order_line.sku if o.order_line else "UNKNOWN-1")
    name = "Blue shirt"
    quantity = 1
    reason_source_code = "SIZE"
    reason = factory.SubFactory(ReasonCodeFactory)
    total = Decimal("30.00")

    class Params:
        is_matched = True


class ShadowComparisonFactory(DjangoModelFactory):
    """We would have refunded 30.00 GBP and put one unit back; people refunded just that."""

    class Meta:
        model = models.ShadowComparison

    rma = factory.SubFactory(ReturnFactory)
    route = factory.SelfAttribute("rma.route")
    money = "equal"
    currency = "GBP"
    our_amount = Decimal("30.00")
    their_amount = Decimal("30.00")
    our_units = 1
    compared_at = NOW


class ParcelFactory(DjangoModelFactory):
    """A parcel with the carrier."""

    class Meta:
        model = models.Parcel

    rma = factory.SubFactory(ReturnFactory)
    external_id = factory.Sequence(lambda n: f"parcel_{n}")
    carrier = "Royal Mail"
    tracking_number = factory.Sequence(lambda n: f"RM{n:09d}GB")
    in_transit_at = NOW - timedelta(days=1)


class InspectionFactory(DjangoModelFactory):
    """One unit found sellable by the platform, finally."""

    class Meta:
        model = models.Inspection

    line = factory.SubFactory(ReturnLineFactory)
    rma = factory.SelfAttribute("line.rma")
    item_external_id = factory.SelfAttribute("line.external_id")
    source = "platform"
    identity = factory.LazyFunction(lambda: str(uuid.uuid4()))
    quantity = 1
    outcome = "approved"
    disposition = states.SELLABLE
    is_final = True
    inspected_at = NOW


class PlatformRefundFactory(DjangoModelFactory):
    """A payout of 30.00 GBP that the shop has to pay."""

    class Meta:
        model = models.PlatformRefund

    rma = factory.SubFactory(ReturnFactory)
    connection = factory.SelfAttribute("rma.connection")
    external_id = factory.Sequence(lambda n: f"payout_{n}")
    content_hash = factory.LazyFunction(lambda: uuid.uuid4().hex)
    amount = Decimal("30.00")
    currency = "GBP"
    executed_by = "commerce_platform"
    issued_at = NOW


class RefundFactory(DjangoModelFactory):
    """A refund of 30.00 GBP somebody made in the shop's own screens."""

    class Meta:
        model = models.Refund

    order = factory.SubFactory(OrderFactory)
    external_id = factory.Sequence(lambda n: str(9000 + n))
    origin = models.Refund.EXTERNAL
    amount = Decimal("30.00")
    currency = "GBP"
    author = "shop manager"
    refunded_at = NOW


class CreditRequestFactory(DjangoModelFactory):
    """Store credit granted by the platform."""

    class Meta:
        model = models.CreditRequest

    rma = factory.SubFactory(ReturnFactory)
    external_id = factory.Sequence(lambda n: f"credit_{n}")
    kind = "store_credit"
    amount = Decimal("30.00")
    currency = "GBP"
    issued_at = NOW


class ExchangeRequestFactory(DjangoModelFactory):
    """A replacement asked for."""

    class Meta:
        model = models.ExchangeRequest

    rma = factory.SubFactory(ReturnFactory)
    external_id = factory.Sequence(lambda n: f"exchange_{n}")
    lines = factory.LazyFunction(
        lambda: [{"sku": "SHIRT-L", "quantity": 1, "variant_id": "", "unit_price": None, "replaces_item_id": ""}]
    )
    requested_at = NOW


class EffectFactory(DjangoModelFactory):
    """A refund of 30.00 GBP, ready to go; ``restock=True`` or ``note=True`` make another kind."""

    class Meta:
        model = models.Effect

    class Params:
        restock = factory.Trait(
            kind=states.RESTOCK,
            amount=None,
            currency="",
            quantity=1,
            payload=factory.LazyAttribute(
                lambda o: {
                    "line_id": "1",
                    "quantity": 1,
                    "disposition": "sellable",
                    "product_id": "501",
                    "variation_id": "",
                    "rma_number": o.rma.label,
                }
            ),
        )
        note = factory.Trait(
            kind=states.NOTE,
            amount=None,
            currency="",
            payload=factory.LazyAttribute(
                lambda o: {"token": f"[{o.rma.label}/received]", "text": f"[{o.rma.label}/received] Goods are in."}
            ),
        )

    rma = factory.SubFactory(ReturnFactory)
    order = factory.SelfAttribute("rma.order")
    route = factory.SelfAttribute("rma.route")
    connection = factory.SelfAttribute("route.commerce")
    kind = states.REFUND
    number = factory.Sequence(lambda n: str(n))
    key = factory.LazyAttribute(lambda o: business_key(o.kind, o.rma.ref, o.number))
    serial_key = factory.LazyAttribute(lambda o: f"order:{o.order.external_id}" if o.order else "")
    lane = factory.LazyAttribute(lambda o: states.LANES[o.kind])
    amount = Decimal("30.00")
    currency = "GBP"
    payload = factory.LazyAttribute(
        lambda o: {
            "amount": format(o.amount, "f"),
            "currency": o.currency,
            "executed_by": "commerce_platform",
            "lines": [],
            "reason": f"Return {o.rma.label}",
            "rma_number": o.rma.label,
            "reference": "",
        }
    )
    payload_hash = factory.LazyAttribute(lambda o: content_hash(o.payload))
    policy = factory.SelfAttribute("rma.policy")
    state = states.READY
    planned_at = NOW
    claim_token = factory.LazyAttribute(lambda o: uuid.uuid4().hex if o.state == states.SENDING else "")
    lease_until_at = factory.LazyAttribute(lambda o: NOW + timedelta(minutes=2) if o.state == states.SENDING else None)
    done_at = factory.LazyAttribute(lambda o: NOW if o.state in (states.DONE, states.CONFIRMED) else None)
    remote_id = factory.LazyAttribute(lambda o: f"9{o.number}" if o.state in (states.DONE, states.CONFIRMED) else "")

    @classmethod
    def _create(cls, model_class: type[models.Effect], *args: object, **kwargs: object) -> object:
        kwargs.pop("number", None)
        made: object = super()._create(model_class, *args, **kwargs)
        return made


class AttemptFactory(DjangoModelFactory):
    """One try that went well."""

    class Meta:
        model = models.Attempt

    effect = factory.SubFactory(EffectFactory)
    number = factory.LazyAttribute(lambda o: o.effect.attempts.count() + 1)
    generation = factory.SelfAttribute("effect.generation")
    purpose = "send"
    token = factory.LazyFunction(lambda: uuid.uuid4().hex)
    started_at = NOW
    has_sent = True
    ended_at = NOW + timedelta(seconds=1)
    outcome = "done"
    text = "Remote record 901."
    evidence = factory.LazyFunction(lambda: {"request": {"method": "POST", "url": "https://shop.example.com/x"}})


class InboundEventFactory(DjangoModelFactory):
    """A processed webhook."""

    class Meta:
        model = models.InboundEvent

    connection = factory.SubFactory(ConnectionFactory, platform=True)
    source = "webhook"
    delivery_key = factory.Sequence(lambda n: f"delivery-{n}")
    topic = "refund.issued"
    body = b'{"type": "refund.issued", "customer": {"email": "sam@example.com"}, "amount": "30.00"}'
    content_type = "application/json"
    state = states.EVENT_PROCESSED
    received_at = NOW
    processed_at = factory.LazyAttribute(lambda o: NOW if o.state == states.EVENT_PROCESSED else None)
    outcome = "RefundIssued"


class WebhookRefusalFactory(DjangoModelFactory):
    """Three refused deliveries."""

    class Meta:
        model = models.WebhookRefusal

    connection = factory.SubFactory(ConnectionFactory, platform=True)
    slot_at = NOW
    count = 3
    last_reason = "bad signature"


class WaiverFactory(DjangoModelFactory):
    """A released hold."""

    class Meta:
        model = models.Waiver

    rma = factory.SubFactory(ReturnFactory)
    hold_code = states.CASE_OUTSIDE_WINDOW
    by = "fiona"
    at = NOW
    why = "Loyal customer, one day late."


class HistoryEntryFactory(DjangoModelFactory):
    """One line of history about a return."""

    class Meta:
        model = models.HistoryEntry

    rma = factory.SubFactory(ReturnFactory)
    at = NOW
    by = "system"
    act = "effect_planned"
    subject_type = "returnauthorisation"
    subject_id = factory.LazyAttribute(lambda o: str(o.rma.pk))
    text = "Planned: refund of 30 GBP."


class PumpLeaseFactory(DjangoModelFactory):
    """Nobody pumps."""

    class Meta:
        model = PumpLease

    connection = factory.SubFactory(ConnectionFactory)


class ConnectionBudgetFactory(DjangoModelFactory):
    """A connection in good health."""

    class Meta:
        model = ConnectionBudget

    connection = factory.SubFactory(ConnectionFactory)


class SyncCursorFactory(DjangoModelFactory):
    """Polled at NOW."""

    class Meta:
        model = SyncCursor

    connection = factory.SubFactory(ConnectionFactory)
    cursor = "2026-03-02T09:00:00"
    polled_at = NOW


class WakeUpFactory(DjangoModelFactory):
    """A hint nobody asked for yet."""

    class Meta:
        model = WakeUp

    name = factory.Sequence(lambda number: f"task:{number}")


class CaseFactory(DjangoModelFactory):
    """An open case of customer service about a return."""

    class Meta:
        model = ExceptionCase

    class Params:
        rma = factory.SubFactory(ReturnFactory)

    kind_code = states.CASE_REASON_UNMAPPED
    fingerprint = factory.Sequence(lambda n: f"reason_unmapped:test-{n}")
    state = CaseState.OPEN
    subject_type = "return"
    subject_id = factory.LazyAttribute(lambda o: str(o.rma.pk))
    subject_label = factory.LazyAttribute(lambda o: o.rma.label)
    group_key = factory.LazyAttribute(lambda o: f"return:{o.rma.ref}")
    title = "The reason is not mapped"
    cause = "The platform's reason 'SIZE' is not in the list."
    owner_team = roles.CX
    first_opened_at = NOW
    opened_at = NOW
    last_seen_at = NOW
    due_at = NOW + timedelta(hours=4)


class CaseEventFactory(DjangoModelFactory):
    """A line on a case's timeline."""

    class Meta:
        model = CaseEvent

    case = factory.SubFactory(CaseFactory)
    at = NOW
    by_name = "system"
    act = "opened"
