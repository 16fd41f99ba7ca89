"""Settings of a connection that say how returnsops writes into the shop."""

from typing import Final

from connectors.ports import SettingSpec
from connectors.shopify import inventory, keyed, marks, places, refunds, restocks, returns

WRITING: Final = (
    SettingSpec(
        name=places.SETTING,
        kind=dict,
        help='Our location codes: main = "gid://shopify/Location/1", scrap = "gid://shopify/Location/1 damaged".',
        default={},
    ),
    SettingSpec(
        name=restocks.FROM_SETTING,
        kind=str,
        help='State in which goods lie when they come in ("quality_control"); left out: they are not in stock yet.',
        default="",
    ),
    SettingSpec(
        name=inventory.HOURS_SETTING,
        kind=int,
        help="Hours the shop is assumed to keep our idempotency keys; Shopify does not publish it.",
        default=keyed.DEFAULT_HOURS,
    ),
    SettingSpec(
        name=refunds.MANUAL_SETTING,
        kind=bool,
        help="Refund manual payments (cash, bank transfer) too: the shop books them, a person has to pay.",
        default=False,
    ),
    SettingSpec(
        name=returns.REASONS_SETTING,
        kind=dict,
        help='Our reason codes as handles of the shop\'s return reasons: too_small = "too-small"; else "other-reason".',
        default={},
    ),
    SettingSpec(
        name=marks.TAG_SETTING,
        kind=str,
        help="Tag of orders that have a return; empty: none.",
        default=marks.DEFAULT_TAG,
    ),
)
