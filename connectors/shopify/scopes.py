"""Which access scopes the work needs (shopify.md section 16). Pure.

A missing scope shows as work silently left undone (section 17.18), so check_connection compares.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Need:
    """A piece of work and what allows it: one of ``any_of``. Optional work does without."""

    work: str
    any_of: tuple[str, ...]
    is_optional: bool = False


NEEDS: Final = (
    Need(work="reading orders", any_of=("read_orders", "write_orders")),
    Need(work="refunds, notes and tags", any_of=("write_orders",)),
    Need(work="orders older than 60 days", any_of=("read_all_orders",)),
    Need(work="reading returns", any_of=("read_returns", "write_returns")),
    Need(work="writing returns", any_of=("write_returns",)),
    Need(
        work="what was sent",
        any_of=(
            "read_fulfillments",
            "write_fulfillments",
            "read_merchant_managed_fulfillment_orders",
            "write_merchant_managed_fulfillment_orders",
        ),
    ),
    Need(work="reading stock", any_of=("read_inventory", "write_inventory")),
    Need(work="moving stock", any_of=("write_inventory",)),
    Need(work="stock locations", any_of=("read_locations",)),
    Need(work="products", any_of=("read_products", "write_products")),
    Need(work="customers", any_of=("read_customers", "write_customers")),
    Need(work="marks on customers", any_of=("write_customers",), is_optional=True),
    Need(work="names of staff who refunded", any_of=("read_users",), is_optional=True),
    Need(work="store credit", any_of=("write_store_credit_account_transactions",), is_optional=True),
    Need(work="gift cards", any_of=("write_gift_cards",), is_optional=True),
)


def missing(granted: Iterable[str], *, is_optional: bool = False) -> tuple[Need, ...]:
    """The work that cannot be done with these scopes."""
    have = set(granted)
    return tuple(need for need in NEEDS if need.is_optional is is_optional and not have & set(need.any_of))
