"""The shop's articles: every variant is one, by one bulk operation, or by pages where the shop runs too many."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.listing import Article, CataloguePage
from connectors.ports import Link, Rejected, Retryable
from connectors.shopify import bulk, client

WAIT_S: Final = 15.0  # until the next look at an operation that runs
_BULK: Final = "bulk"
_PAGES: Final = "pages"
_ONLY_VARIANT: Final = "Default Title"  # what Shopify calls the variant of a product without any


def read_catalogue(link: Link, cursor: str) -> CataloguePage:
    """Begin, wait for, or read on. The cursor is ours: ``bulk <id> <offset>`` or ``pages <cursor of the shop>``.

    Raises the errors of ports.py. A bulk operation that failed is given up for pages.
    """
    way, _, rest = cursor.partition(" ")
    if way == _PAGES:
        return _page(link, rest)
    try:
        return _file(link, rest) if way == _BULK else _begun(link)
    except Rejected:
        return _page(link, "")


def _begun(link: Link) -> CataloguePage:
    bulk_id = bulk.start(link, "CatalogueBulk")
    return CataloguePage(articles=(), cursor=f"{_BULK} {bulk_id} 0", wait_s=WAIT_S)


def _file(link: Link, rest: str) -> CataloguePage:
    bulk_id, _, offset = rest.partition(" ")
    state = bulk.look(link, bulk_id)
    if not state.is_done:
        return CataloguePage(articles=(), cursor=f"{_BULK} {rest}", wait_s=WAIT_S)
    if not state.url:
        return CataloguePage(articles=(), cursor="")
    chunk = bulk.read(link, state.url, offset=int(offset) if offset.isdigit() else 0)
    following = "" if chunk.next_offset is None else f"{_BULK} {bulk_id} {chunk.next_offset}"
    return CataloguePage(articles=tuple(_article(row) for row in chunk.rows), cursor=following)


def _page(link: Link, after: str) -> CataloguePage:
    data = client.execute(link, "CataloguePage", {"after": after or None})
    rows, following = client.page_of(data, path=("productVariants",))
    articles = tuple(_article(row) for row in rows)
    return CataloguePage(articles=articles, cursor=f"{_PAGES} {following}" if following else "")


def _article(row: Mapping[str, Any]) -> Article:
    product = row.get("product")
    if not row.get("id") or not isinstance(product, Mapping):
        raise Retryable("The shop answered something that is no variant.")
    title, name = str(row.get("title") or ""), str(product.get("title") or "")
    return Article(
        product_id=str(product["id"]),
        variation_id=str(row["id"]),
        sku=str(row.get("sku") or ""),
        name=name if title in ("", _ONLY_VARIANT) else f"{name} - {title}",
        is_stock_managed=(row.get("inventoryItem") or {}).get("tracked") is True,
    )
