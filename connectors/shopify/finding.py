"""From the number a customer knows to the id of the order.

``name`` is searched with and without the shop's prefix and by an index that follows writes by seconds (shopify.md
section 5); what it finds is compared exactly.
"""

from connectors.ports import Link
from connectors.shopify import client


def find_order(link: Link, number: str) -> str | None:
    """The id of the one order with exactly this name, with or without a leading #; None for none or more than one.

    Raises the errors of ports.py.
    """
    wanted = number.strip()
    if not wanted or any(char in wanted for char in "\"\\'"):
        return None
    data = client.execute(link, "OrdersByName", {"query": f'name:"{wanted}"'})
    rows, _ = client.page_of(data, path=("orders",))
    exact = {str(row["id"]) for row in rows if row.get("name") == wanted}
    bare = {str(row["id"]) for row in rows if str(row.get("name") or "").removeprefix("#") == wanted.removeprefix("#")}
    found = exact or bare
    return found.pop() if len(found) == 1 else None
