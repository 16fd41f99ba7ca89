"""The shop's articles: products without variations, and every variation with its parent beside it (observed 5)."""

from typing import Any, Final

from connectors.listing import Article, CataloguePage
from connectors.ports import Link, Retryable
from connectors.woocommerce import client

PAGE_SIZE: Final = 20  # each variable product costs calls of its own, and refunds use the same budget


def read_catalogue(link: Link, cursor: str) -> CataloguePage:
    """One page of products with their variations; ``cursor`` is the page's number.

    Raises the errors of ports.py. Products that come or go while paging may be missed once; the next round has them.
    """
    page = int(cursor) if cursor.isdigit() else 1
    answer = client.get(link, "/products", params={"per_page": str(PAGE_SIZE), "page": str(page)})
    products = client.rows_of(answer, "/products")
    articles = tuple(article for product in products for article in _articles(link, product))
    count = answer.headers.get("x-wp-totalpages", "")
    is_last = page >= int(count) if count.isdigit() else len(products) < PAGE_SIZE
    return CataloguePage(articles=articles, cursor="" if is_last else str(page + 1))


def _articles(link: Link, product: dict[str, Any]) -> list[Article]:
    if product.get("type") != "variable":
        return [_article(product, product_id=str(product["id"]))]
    path = f"/products/{product['id']}/variations"
    return [
        _article(row, product_id=str(product["id"]), parent=product)
        for row in client.get_all(link, path)
        if isinstance(row, dict)
    ]


def _article(row: dict[str, Any], *, product_id: str, parent: dict[str, Any] | None = None) -> Article:
    if not row.get("id"):
        raise Retryable("The shop answered something that is no product.")
    sku, name = str(row.get("sku") or ""), str(row.get("name") or "")
    parent_sku = str(parent.get("sku") or "") if parent else ""
    return Article(
        product_id=product_id,
        variation_id=str(row["id"]) if parent else "",
        sku=sku,
        name=f"{parent.get('name') or ''} - {name}" if parent else name,
        is_sku_inherited=bool(sku) and sku == parent_sku,  # an own SKU equal to the parent's is refused by the shop
        is_stock_managed=row.get("manage_stock") in (True, "parent"),
    )
