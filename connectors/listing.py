"""What vendors list page by page: a shop's catalogue, and the past of shop and platform for an audit. Data only.

The port ``list_orders(link, since, cursor)`` gives orders changed or refunded since a moment, oldest change first;
``list_returns(link, since, cursor)`` a platform's returns changed since a moment, each read whole (S1-37). Both only
read.
"""

from dataclasses import dataclass
from typing import Final

from returnsops.facts import OrderSnapshot

CANNOT_LIST: Final = "cannot_list"  # code of Rejected: this account is not set up so that its past can be read


@dataclass(frozen=True, kw_only=True)
class OrdersPage:
    """Some orders of a shop's past with all their refunds; ``cursor`` asks for the next ones, '' = that was all.

    ``mentioned`` are ids of orders to be read by themselves: they hold a refund of the time, whatever their own date.
    ``unreadable`` says which orders cannot be understood, and why.
    """

    orders: tuple[OrderSnapshot, ...]
    cursor: str
    mentioned: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Article:
    """One thing of the catalogue; ``variation_id`` '' = a product without variations. ``sku`` is what is shown."""

    product_id: str
    variation_id: str = ""
    sku: str = ""
    name: str = ""
    is_sku_inherited: bool = False
    is_stock_managed: bool = False


@dataclass(frozen=True, kw_only=True)
class CataloguePage:
    """Some articles; ``cursor`` asks for the next ones, '' = that was all, not before ``wait_s`` seconds."""

    articles: tuple[Article, ...]
    cursor: str
    wait_s: float = 0.0
