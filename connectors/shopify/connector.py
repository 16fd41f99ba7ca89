"""Shopify as the pumps see it: what it can do, what it needs, and on what exactly-once rests."""

from typing import Final

from connectors.ports import Capabilities, Connector, SettingSpec
from connectors.shopify import gift_cards, places, receiving, showing, webhooks
from connectors.shopify.actions import EFFECTS
from connectors.shopify.catalogue import read_catalogue
from connectors.shopify.checks import check
from connectors.shopify.finding import find_order
from connectors.shopify.history import list_orders
from connectors.shopify.links import API_VERSION, order_url
from connectors.shopify.normalise import normalise
from connectors.shopify.orders import DEFAULT_LOCKED_STATUSES
from connectors.shopify.pacing import STANDARD
from connectors.shopify.polling import poll
from connectors.shopify.reading import read_order
from connectors.shopify.timing import CALL_DEADLINE_S, SETTLE_S
from connectors.shopify.writing_settings import WRITING

_SETTINGS: Final = (
    SettingSpec(
        name="api_version",
        kind=str,
        help="Version of the Admin API to ask for, YYYY-MM. Each lives a year; the connector is tested with this one.",
        default=API_VERSION,
    ),
    SettingSpec(
        name="meta_namespace",
        kind=str,
        help="Namespace of the metafields we write; changing it later hides what was written before.",
        default="returnsops",
    ),
    SettingSpec(
        name="locked_statuses",
        kind=list,
        help='Financial statuses, or "cancelled", in which nothing is refunded or restocked; a case instead.',
        default=list(DEFAULT_LOCKED_STATUSES),
    ),
    SettingSpec(
        name="locked_tags", kind=list, help="Order tags that lock an order: a case instead of any act.", default=[]
    ),
)

CONNECTOR: Final = Connector(
    vendor="shopify",
    title="Shopify",
    role="commerce",
    capabilities=Capabilities(
        rests_on="native idempotency",
        holds_for="money: our key in the refund's note, for ever; stock: while the shop keeps keys (idempotency_hours)",
        settle_s=SETTLE_S,
        call_deadline_s=CALL_DEADLINE_S,
        calls_per_minute=1200,  # a ceiling; the pace is the bucket's
        concurrency=4,
        points=STANDARD,
    ),
    settings=(*_SETTINGS, *WRITING),
    secrets=("access_token", "client_id", "client_secret", gift_cards.KEY_SECRET),
    made_secrets=(gift_cards.KEY_SECRET,),
    default_verifier=receiving.VERIFIER,
    receive=receiving.receive,
    normalise=normalise,
    check=check,
    effects=EFFECTS,
    read_credit=gift_cards.read_credit,
    read_marks=showing.read_marks,
    read_levels=showing.read_levels,
    read_movements=showing.read_movements,
    settings_problems=places.problems,
    poll=poll,
    poll_interval_s=300,
    read_order=read_order,
    find_order=find_order,
    list_orders=list_orders,
    read_catalogue=read_catalogue,
    webhook_topics=webhooks.TOPICS,
    list_webhooks=webhooks.list_webhooks,
    ensure_webhooks=webhooks.ensure_webhooks,
    order_url=order_url,
)
