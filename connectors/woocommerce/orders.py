"""An order of the shop as our OrderSnapshot. Pure: everything fetched is passed in.

Sources: woocommerce.md section 3 (fields), woocommerce-observed.md sections 3 to 5 and 9 (what they really hold).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from returnsops.facts import OrderLineSnapshot, OrderSnapshot, RemoteRefund, RemoteRefundLine, TaxShare
from returnsops.money import MoneyError, parse_amount, rounded

Json = Any

DEFAULT_META_PREFIX: Final = "_returnsops_"
DEFAULT_LOCKED_STATUSES: Final = (
    "cancelled",
    "failed",
    "pending",
    "on-hold",
    "checkout-draft",
    "auto-draft",
    "trash",
)
DEFAULT_OPEN_STATUSES: Final = ("pending", "on-hold", "processing", "checkout-draft", "auto-draft")
DEFAULT_CLOSED_STATUSES: Final = ("completed", "refunded", "cancelled", "failed", "trash")
TRASH: Final = "trash"
REDUCED_STOCK: Final = "_reduced_stock"
REFUNDED_ITEM: Final = "_refunded_item_id"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_AMOUNT: Final = frozenset({"", "-", "-."})  # what the shop prints for a refund without amount (observed 4.8)
_KEY_IN_REASON: Final = re.compile(r"((?:refund|restock):\S+)(?:\s|$)")
_FALSE: Final = frozenset({"", "0", "no", "false", "off"})
_KINDS: Final[tuple[tuple[str, Literal["item", "shipping", "fee"]], ...]] = (
    ("line_items", "item"),
    ("shipping_lines", "shipping"),
    ("fee_lines", "fee"),
)


@dataclass(frozen=True, kw_only=True)
class Product:
    """What the catalogue says of a product that an order line names (the parent, for a variation)."""

    product_id: str
    kind: str  # simple, variable, …
    sku: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How this shop's orders are to be read: the connection's settings."""

    meta_prefix: str = DEFAULT_META_PREFIX
    locked_statuses: frozenset[str] = frozenset(DEFAULT_LOCKED_STATUSES)
    locked_meta: str = ""
    kept_meta: frozenset[str] = field(default_factory=frozenset)
    open_statuses: frozenset[str] = frozenset(DEFAULT_OPEN_STATUSES)
    closed_statuses: frozenset[str] = frozenset(DEFAULT_CLOSED_STATUSES)


def reading_of(settings: Mapping[str, Any]) -> Reading:
    """The connection's settings table as a Reading; absent keys have their defaults."""
    return Reading(
        meta_prefix=str(settings.get("meta_prefix") or DEFAULT_META_PREFIX),
        locked_statuses=frozenset(str(s) for s in settings.get("locked_statuses", DEFAULT_LOCKED_STATUSES)),
        locked_meta=str(settings.get("locked_meta") or ""),
        kept_meta=frozenset(str(key) for key in settings.get("kept_meta", ())),
        open_statuses=frozenset(str(s) for s in settings.get("open_statuses", DEFAULT_OPEN_STATUSES)),
        closed_statuses=frozenset(str(s) for s in settings.get("closed_statuses", DEFAULT_CLOSED_STATUSES)),
    )


def order_snapshot(
    order: Json, refunds: Iterable[Json], *, products: Mapping[str, Product] | None = None, reading: Reading
) -> OrderSnapshot:
    """The order with its lines and all refunds.

    ``products`` maps product ids to the catalogue where it was asked; None = not asked, and then only lines without
    SKU are ambiguous. Raises MoneyError where an amount is no number at all.
    """
    currency = str(order.get("currency") or "")
    status = str(order.get("status") or "")
    placed_at = time_of(order.get("date_created_gmt")) or _EPOCH
    lock_reason = _lock_reason(order, status=status, reading=reading)
    return OrderSnapshot(
        order_id=str(order["id"]),
        number=str(order.get("number") or order["id"]),
        status=status,
        currency=currency,
        total=amount_of(order.get("total")),
        lines=tuple(_lines(order, currency=currency, products=products)),
        refunds=tuple(remote_refund(refund, currency=currency, reading=reading) for refund in refunds),
        placed_at=placed_at,
        modified_at=time_of(order.get("date_modified_gmt")) or placed_at,
        customer_id=_id(order.get("customer_id")),
        customer_email=str((order.get("billing") or {}).get("email") or ""),
        channel=str(order.get("created_via") or ""),
        payment_method=str(order.get("payment_method") or ""),
        payment_reference=str(order.get("transaction_id") or "")[:200],
        paid_at=time_of(order.get("date_paid_gmt")),
        is_locked=bool(lock_reason),
        lock_reason=lock_reason,
        is_gone=status == TRASH,
        is_open=_is_open(status, reading=reading),
        meta=_kept_meta(order, reading=reading),
        mirrored=_mirrored(order, reading=reading),
    )


def remote_refund(refund: Json, *, currency: str, reading: Reading) -> RemoteRefund:
    """One refund record; money and quantities positive (the shop keeps its lines negative, observed 4.14)."""
    return RemoteRefund(
        refund_id=str(refund["id"]),
        amount=abs(amount_of(refund.get("amount"))),
        currency=currency,
        created_at=time_of(refund.get("date_created_gmt")) or _EPOCH,
        lines=tuple(_refund_lines(refund, currency=currency)),
        key=key_of(refund, meta_prefix=reading.meta_prefix),
        reason=str(refund.get("reason") or ""),
        author=_author(refund.get("refunded_by")),
        is_gateway_paid=refund.get("refunded_payment") is True,
    )


def key_of(refund: Json, *, meta_prefix: str) -> str:
    """Our key in a refund record: from its meta, else from the start of its reason, '' where it is not ours.

    The reason is saved with the record, the meta after it (observed 4.6): a crash between leaves only the reason.
    """
    in_meta = meta_of(refund).get(meta_prefix + "key", "")
    if in_meta:
        return in_meta
    found = _KEY_IN_REASON.match(str(refund.get("reason") or ""))
    return found.group(1) if found else ""


def meta_of(record: Json) -> dict[str, str]:
    """The scalar entries of ``meta_data`` as text; of a key that is there twice the last one."""
    entries = record.get("meta_data")
    if not isinstance(entries, list):
        return {}
    return {
        str(entry["key"]): str(entry["value"])
        for entry in entries
        if isinstance(entry, dict) and "key" in entry and isinstance(entry.get("value"), str | int | Decimal)
    }


def amount_of(value: object) -> Decimal:
    """An amount of the shop; what it prints for "nothing" ('', '-', null) is 0. Raises MoneyError for other text."""
    if value is None or (isinstance(value, str) and value.strip() in _NO_AMOUNT):
        return Decimal(0)
    amount = parse_amount(value.strip() if isinstance(value, str) else value)
    return abs(amount) if amount == 0 else amount  # "-0.00"


def _lines(order: Json, *, currency: str, products: Mapping[str, Product] | None) -> Iterable[OrderLineSnapshot]:
    for group, kind in _KINDS:
        for line in order.get(group) or ():
            yield _line(line, kind=kind, currency=currency, products=products)


def _line(
    line: Json,
    *,
    kind: Literal["item", "shipping", "fee"],
    currency: str,
    products: Mapping[str, Product] | None,
) -> OrderLineSnapshot:
    is_item = kind == "item"
    return OrderLineSnapshot(
        line_id=str(line["id"]),
        kind=kind,
        name=str(line.get("name") or line.get("method_title") or ""),
        quantity=_quantity(line.get("quantity")) if is_item else 1,
        net=amount_of(line.get("total")),
        taxes=_taxes(line, currency=currency, sign=1),
        sku=str(line.get("sku") or ""),
        product_id=_id(line.get("product_id")),
        variation_id=_id(line.get("variation_id")),
        is_sku_ambiguous=is_item and _is_sku_ambiguous(line, products),
        reduced_stock=_reduced_stock(line) if is_item else None,
    )


def _is_sku_ambiguous(line: Json, products: Mapping[str, Product] | None) -> bool:
    """Whether the SKU does not say which thing was sold (observed 5).

    A variation without an SKU of its own shows its parent's, and an order made by the parent's SKU books the parent.
    """
    sku = str(line.get("sku") or "")
    if not sku:
        return True
    product = (products or {}).get(_id(line.get("product_id")))
    if product is None:
        return False
    return product.sku == sku if _id(line.get("variation_id")) else product.kind == "variable"


def _reduced_stock(line: Json) -> int | None:
    value = meta_of(line).get(REDUCED_STOCK)
    if value is None:
        return None
    try:
        return int(amount_of(value))
    except MoneyError:
        return None


def _refund_lines(refund: Json, *, currency: str) -> Iterable[RemoteRefundLine]:
    for group, _ in _KINDS:
        for line in refund.get(group) or ():
            line_id = meta_of(line).get(REFUNDED_ITEM, "")
            if line_id:
                yield RemoteRefundLine(
                    line_id=line_id,
                    quantity=abs(_quantity(line.get("quantity"))),
                    net=_positive_zero(-amount_of(line.get("total"))),
                    taxes=_taxes(line, currency=currency, sign=-1),
                )


def _taxes(line: Json, *, currency: str, sign: int) -> tuple[TaxShare, ...]:
    """Taxes by RATE id, rounded so that they add up to the line's stored total (versions differ in the digits)."""
    entries = [tax for tax in line.get("taxes") or () if isinstance(tax, dict) and tax.get("total") not in (None, "")]
    if not entries:
        return ()
    amounts = [_rounded(amount_of(tax.get("total")) * sign, currency=currency) for tax in entries]
    difference = amount_of(line.get("total_tax")) * sign - sum(amounts, Decimal(0))
    if difference and line.get("total_tax") not in (None, ""):
        largest = max(range(len(amounts)), key=lambda i: abs(amounts[i]))
        amounts[largest] += difference
    return tuple(
        TaxShare(rate_id=str(tax.get("id")), amount=_positive_zero(amount))
        for tax, amount in zip(entries, amounts, strict=True)
    )


def _rounded(amount: Decimal, *, currency: str) -> Decimal:
    try:
        return rounded(amount, currency=currency)
    except MoneyError:  # a currency of a plugin: what the shop stores is all there is
        return amount


def _positive_zero(amount: Decimal) -> Decimal:
    return abs(amount) if amount == 0 else amount


def _lock_reason(order: Json, *, status: str, reading: Reading) -> str:
    if status in reading.locked_statuses:
        return f"The order is {status} in the shop."
    flag = meta_of(order).get(reading.locked_meta, "") if reading.locked_meta else ""
    if flag.strip().lower() not in _FALSE:
        return f"The order carries the mark {reading.locked_meta} in the shop."
    return ""


def _kept_meta(order: Json, *, reading: Reading) -> dict[str, str]:
    """Only what is ours or asked for: plugins keep customer data in the rest."""
    wanted = reading.kept_meta | ({reading.locked_meta} if reading.locked_meta else set())
    return {key: value for key, value in meta_of(order).items() if key.startswith(reading.meta_prefix) or key in wanted}


def _mirrored(order: Json, *, reading: Reading) -> dict[str, str]:
    """Our own entries, by the names they have here."""
    prefix = reading.meta_prefix
    return {key.removeprefix(prefix): value for key, value in meta_of(order).items() if key.startswith(prefix)}


def _is_open(status: str, *, reading: Reading) -> bool | None:
    """Whether something is still to be done with the order; None for a status of a plugin that nobody sorted in."""
    if status in reading.closed_statuses:
        return False
    return True if status in reading.open_statuses else None


def time_of(value: object) -> datetime | None:
    """A ``…_gmt`` field: UTC without a suffix (observed 3)."""
    if not isinstance(value, str) or not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _id(value: object) -> str:
    """An id as text; the shop writes 0 for none."""
    return "" if value in (None, "", 0, "0") else str(value)


def _quantity(value: object) -> int:
    try:
        return int(amount_of(value))
    except MoneyError:
        return 0


def refunds_sum(refunds: Sequence[RemoteRefund]) -> Decimal:
    """What has been refunded by anyone."""
    return sum((refund.amount for refund in refunds), Decimal(0))


def _author(user: object) -> str:
    """The WordPress user who made a refund; the API tells the id only, 0 for none."""
    user_id = _id(user)
    return f"WordPress user {user_id}" if user_id else ""
