"""Shelf figures of articles as the shop shows them now, for comparisons."""

from collections.abc import Mapping, Sequence

from connectors.ports import Link
from connectors.woocommerce.goods import product_of, whole
from connectors.woocommerce.orders import time_of
from returnsops.facts import ArticleId, StockLevel


def read_levels(link: Link, articles: Sequence[ArticleId]) -> Mapping[ArticleId, StockLevel]:
    """The own figure of each product or variation; None where it is gone, not managed, or shares its parent's.

    That a sale moves a product's date is assumed; the API shows stock and date in one answer.
    """
    return {article: _level(link, article) for article in dict.fromkeys(articles)}


def _level(link: Link, article: ArticleId) -> StockLevel:
    product_id, variation_id = article
    product = product_of(link, variation_id or product_id)
    if product is None or product.get("manage_stock") is not True:
        return StockLevel(quantity=None)
    changed_at = time_of(product.get("date_modified_gmt"))
    return StockLevel(quantity=whole(product.get("stock_quantity")), changed_at=changed_at)
