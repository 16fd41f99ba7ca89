"""An edit of an order while it is open: what was changed by it so far, and not yet on the order."""

from dataclasses import dataclass, field
from decimal import Decimal

from connectors.simulators.shopify.amounts import ZERO, Bag
from connectors.simulators.shopify.records import OrderLine, ShippingLine


@dataclass(frozen=True, kw_only=True)
class StagedDiscount:
    """A discount on one line: `each` off every unit, or `percent` of its price. `id` is that of the staged change."""

    id: int
    line_id: int
    description: str
    each: Bag
    percent: Decimal = ZERO


@dataclass(kw_only=True)
class Edit:
    """The changes. Lines, postage and discounts that it adds stand under the keys by which Shopify names them.

    `quantities` are units by line id, `restocked` the lines whose taken units go back into stock.
    """

    id: int
    order_id: int
    quantities: dict[int, int] = field(default_factory=dict)
    restocked: set[int] = field(default_factory=set)
    lines: dict[str, OrderLine] = field(default_factory=dict)
    discounts: dict[str, StagedDiscount] = field(default_factory=dict)
    postage: dict[str, ShippingLine] = field(default_factory=dict)
    removed_postage: set[int] = field(default_factory=set)
