"""WooCommerce as the pumps see it: what it can do, what it needs, and on what exactly-once rests."""

from typing import Final

from connectors.polled_only import WEBHOOKS
from connectors.ports import Capabilities, Connector, SettingSpec
from connectors.woocommerce import coupons, webhooks
from connectors.woocommerce.actions import EFFECTS
from connectors.woocommerce.catalogue import read_catalogue
from connectors.woocommerce.checks import check
from connectors.woocommerce.exchange_ends import DEFAULT_SHIPPED_META, DEFAULT_SHIPPED_STATUSES
from connectors.woocommerce.finding import find_order
from connectors.woocommerce.history import list_orders
from connectors.woocommerce.levels import read_levels
from connectors.woocommerce.links import order_url
from connectors.woocommerce.marks import read_marks
from connectors.woocommerce.normalise import normalise
from connectors.woocommerce.orders import (
    DEFAULT_CLOSED_STATUSES,
    DEFAULT_LOCKED_STATUSES,
    DEFAULT_META_PREFIX,
    DEFAULT_OPEN_STATUSES,
)
from connectors.woocommerce.polling import poll
from connectors.woocommerce.reading import read_order
from connectors.woocommerce.timing import CALL_DEADLINE_S, SETTLE_S

_SETTINGS: Final = (
    SettingSpec(
        name="locked_statuses",
        kind=list,
        help="Order statuses in which nothing is refunded or restocked; a case instead.",
        default=list(DEFAULT_LOCKED_STATUSES),
    ),
    SettingSpec(
        name="open_statuses",
        kind=list,
        help="Order statuses in which something is still to be done; comparing finds fully refunded orders in them.",
        default=list(DEFAULT_OPEN_STATUSES),
    ),
    SettingSpec(
        name="closed_statuses",
        kind=list,
        help="Order statuses in which an order is finished. A status in neither list is not compared.",
        default=list(DEFAULT_CLOSED_STATUSES),
    ),
    SettingSpec(name="locked_meta", kind=str, help="Order meta key that locks an order when it is set.", default=""),
    SettingSpec(name="kept_meta", kind=list, help="Order meta keys to keep with the order.", default=[]),
    SettingSpec(
        name="meta_prefix",
        kind=str,
        help="Prefix of the meta keys we write; changing it later hides what was written before.",
        default=DEFAULT_META_PREFIX,
    ),
    SettingSpec(
        name="order_screen",
        kind=str,
        help='Links to orders: "wc-orders" (order tables) or "posts" (older shops).',
        default="wc-orders",
    ),
    WEBHOOKS,
    SettingSpec(
        name="exchange_parent",
        kind=bool,
        help="Replacement orders name the original as parent order. Deleting the original for good may delete them.",
        default=False,
    ),
    SettingSpec(
        name="shipped_statuses",
        kind=list,
        help="Order statuses in which a replacement order has left and is not cancelled any more.",
        default=list(DEFAULT_SHIPPED_STATUSES),
    ),
    SettingSpec(
        name="shipped_meta",
        kind=list,
        help="Order meta keys that hold a tracking number; where one is filled the order has left.",
        default=list(DEFAULT_SHIPPED_META),
    ),
)

CONNECTOR: Final = Connector(
    vendor="woocommerce",
    title="WooCommerce",
    role="commerce",
    capabilities=Capabilities(
        rests_on="key in the remote record",
        holds_for="as long as the refund record exists in the shop",
        settle_s=SETTLE_S,
        call_deadline_s=CALL_DEADLINE_S,
        calls_per_minute=120,
        concurrency=2,
    ),
    settings=_SETTINGS,
    secrets=("consumer_key", "consumer_secret", webhooks.SECRET, coupons.KEY_SECRET),
    made_secrets=(coupons.KEY_SECRET,),
    default_verifier=webhooks.VERIFIER,
    receive=webhooks.receive,
    normalise=normalise,
    check=check,
    effects=EFFECTS,
    poll=poll,
    poll_interval_s=300,
    read_order=read_order,
    read_credit=coupons.read_credit,
    list_orders=list_orders,
    read_catalogue=read_catalogue,
    read_marks=read_marks,
    read_levels=read_levels,
    find_order=find_order,
    webhook_topics=webhooks.TOPICS,
    list_webhooks=webhooks.list_webhooks,
    ensure_webhooks=webhooks.ensure_webhooks,
    order_url=order_url,
)
