"""What tax the lines of an order carry now. Pure.

``LineItem.taxLines`` keep the tax of every unit ever ordered, removed and refunded ones too: an order edited from two
units to one still shows the tax of two (shopify.md section 5, worked recording). So they are scaled to the units that
stand, and where the order's own total says otherwise (a discount given by an edit) to that.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.shopify.money import ZERO, paid, weights_of
from returnsops.money import allocate, quantum, rounded

Json = Any


def current_taxes(
    lines: Sequence[Json], *, postage_tax: Decimal, total_tax: Decimal, currency: str
) -> list[dict[str, Decimal]]:
    """Per line its tax by rate, for its ``currentQuantity``, rounded so that together they are the order's.

    ``total_tax`` is ``currentTotalTaxSet``; whether it counts the tax of postage (``postage_tax``) differs between
    what its description says and what was recorded, so both are taken for right.
    """
    scaled = [_scaled(line) for line in lines]
    flat = [share for line in scaled for share in line.values()]
    raw = sum(flat, ZERO)
    wanted = _wanted(raw, postage_tax=postage_tax, total_tax=total_tax, slack=quantum(currency) * max(1, len(flat)))
    if not any(flat):
        return [dict.fromkeys(line, ZERO) for line in scaled]
    parts = iter(allocate(rounded(wanted, currency=currency), weights=flat, currency=currency))
    return [{rate: next(parts) for rate in line} for line in scaled]


def _scaled(line: Mapping[str, Any]) -> dict[str, Decimal]:
    ordered, standing = int(line.get("quantity") or 0), int(line.get("currentQuantity") or 0)
    share = Decimal(standing) / ordered if ordered else ZERO
    return {rate: amount * share for rate, amount in weights_of(line.get("taxLines") or ()).items()}


def _wanted(raw: Decimal, *, postage_tax: Decimal, total_tax: Decimal, slack: Decimal) -> Decimal:
    """The tax of all lines together: what scaling gives, unless the order's own total contradicts it."""
    if abs(total_tax - raw) <= slack or abs(total_tax - postage_tax - raw) <= slack:
        return raw
    return max(ZERO, total_tax - postage_tax)


def postage_tax_of(lines: Sequence[Json]) -> Decimal:
    """Tax on the postage as it stands: in proportion to what of its price was not given back."""
    found = ZERO
    for line in lines:
        first, now = paid(line.get("discountedPriceSet")), paid(line.get("currentDiscountedPriceSet"))
        whole = sum(weights_of(line.get("taxLines") or ()).values(), ZERO)
        found += whole * now / first if first else ZERO
    return found
