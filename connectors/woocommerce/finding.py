"""From the number a customer knows to the id of the order.

WooCommerce has no filter by number (woocommerce.md section 3): the number is the id unless a plugin renumbers. Its
``search`` looks at ids, names and addresses; whether it finds a plugin's number, which lies in meta, is the plugin's
doing (woocommerce-observed.md section 3: a meta value was not found). What it finds is compared exactly.
"""

from typing import Final

from connectors.ports import Link
from connectors.woocommerce import client
from connectors.woocommerce.reading import fetch_order

PAGES: Final = 3


def find_order(link: Link, number: str) -> str | None:
    """The id of the one order with exactly this number; None where there is none, or more than one.

    Raises the errors of ports.py.
    """
    order = fetch_order(link, number)
    if order is not None and str(order.get("number") or order["id"]) == number:
        return str(order["id"])
    found: set[str] = set()
    for page in range(1, PAGES + 1):
        params = {"search": number, "per_page": str(client.PER_PAGE), "page": str(page)}
        answer = client.get(link, "/orders", params=params)
        listed = client.rows_of(answer, "/orders")
        found.update(str(row["id"]) for row in listed if str(row.get("number")) == number)
        if page >= client.total_pages(answer, listed, page=page):
            break
    return found.pop() if len(found) == 1 else None
