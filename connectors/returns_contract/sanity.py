"""Limits an event must keep beyond the contract's schema: sizes, counts, amounts, currencies. Pure.

Lengths are those of the columns that will hold the values; texts only people read are cut later instead.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from returnsops import money

MAX_AMOUNT: Final = Decimal(1_000_000_000)
MAX_QUANTITY: Final = 10_000
MAX_ROWS: Final = 1_000
MAX_REVISION: Final = 2**63 - 1
MAX_CODE: Final = 120
MAX_NUMBER: Final = 128
MAX_LENGTHS: Final[dict[str, int]] = {
    "number": MAX_NUMBER,
    "channel": MAX_CODE,
    "email": 254,
    "reason_code": MAX_CODE,
    "code": MAX_CODE,
    "carrier": MAX_CODE,
    "tracking_number": 200,
    "tracking_url": 500,
    "hub": MAX_CODE,
    "location_code": MAX_CODE,
    "inspected_by": 150,
    "provider_reference": 200,
    "code_last4": 8,
}
_NOT_NEGATIVE: Final = frozenset({"unit_price", "discount", "tax", "total", "shipping", "fees", "bonus", "amount"})
_MONEY: Final = _NOT_NEGATIVE | {"price_difference", "items", "refund", "exchange", "credit"}
_PAID: Final = ("refund", "credit", "gift_card")
Errors = Iterator[tuple[str, str]]


def unstorable_text(node: Any) -> str:
    """Where a string holds NUL or a lone surrogate, '' where none does. No recursion: bodies may be deep."""
    waiting: list[tuple[str, Any]] = [("$", node)]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, str) and any(char == "\0" or "\ud800" <= char <= "\udfff" for char in value):
            return where
        if isinstance(value, Mapping):
            waiting += [(where, name) for name in value]
            waiting += [(f"{where}.{str(name)[:40]}"[:200], inner) for name, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{where}[{number}]", inner) for number, inner in enumerate(value)]
    return ""


def sanity_errors(event: Mapping[str, Any]) -> Errors:
    """(where, what) for everything beyond the limits, of an event that fits the schema."""
    data = event["data"]
    yield from _return(data["return"])
    for name in ("items", "shipment", "refund", "exchange", "credit", "gift_card", "risk", "reason"):
        if data.get(name) is not None:
            yield from _node(f"$.data.{name}", data[name])
    for name in _PAID:
        if data.get(name) is not None:
            yield from _payment(f"$.data.{name}", data[name])
    risk_currency = (data.get("risk") or {}).get("currency")
    if risk_currency:
        yield from _currency("$.data.risk.currency", risk_currency)


def _return(snapshot: Mapping[str, Any]) -> Errors:
    yield from _node("$.data.return", {name: value for name, value in snapshot.items() if name != "totals"})
    for name, value in (snapshot.get("totals") or {}).items():
        if isinstance(value, str) and abs(Decimal(value)) >= MAX_AMOUNT:
            yield f"$.data.return.totals.{name}", f"{value[:30]} is too large to be right"
    if "currency" in snapshot:
        yield from _currency("$.data.return.currency", snapshot["currency"])
    if snapshot["revision"] > MAX_REVISION:
        yield "$.data.return.revision", "is too large"
    ids = [item["id"] for item in snapshot["items"]]
    for twice in sorted({item_id for item_id in ids if ids.count(item_id) > 1})[:1] if len(ids) <= MAX_ROWS else []:
        yield "$.data.return.items", f"the item id {twice[:60]!r} appears twice"


def _node(where: str, node: Any) -> Errors:
    """Amounts, counts and lengths by field name; the schema bounds the depth of what it names."""
    if isinstance(node, list):
        if len(node) > MAX_ROWS:
            yield where, f"has {len(node)} entries; {MAX_ROWS} are allowed"
            return
        for number, inner in enumerate(node):
            yield from _node(f"{where}[{number}]", inner)
    elif isinstance(node, Mapping):
        for name in _NESTED & set(node):
            yield from _node(f"{where}.{name}", node[name])
        for name, value in node.items():
            yield from _field(f"{where}.{name}", name, value)


def _field(where: str, name: str, value: Any) -> Errors:
    if name in _MONEY and isinstance(value, str):
        amount = Decimal(value)
        if abs(amount) >= MAX_AMOUNT:
            yield where, f"{value[:30]} is too large to be right"
        elif amount < 0 and name in _NOT_NEGATIVE:
            yield where, f"{value[:30]} is negative"
    elif name == "quantity" and isinstance(value, int) and not 0 <= value <= MAX_QUANTITY:
        yield where, f"{str(value)[:20]} is not a sane quantity (0 to {MAX_QUANTITY})"
    elif name in MAX_LENGTHS and isinstance(value, str) and len(value) > MAX_LENGTHS[name]:
        yield where, f"is longer than {MAX_LENGTHS[name]} characters"


def _payment(where: str, block: Mapping[str, Any]) -> Errors:
    if Decimal(block["amount"]) <= 0:
        yield f"{where}.amount", f"{block['amount'][:30]} is not more than zero"
    known = list(_currency(f"{where}.currency", block["currency"]))
    yield from known
    if known:
        return
    for place, amount in [(".amount", block["amount"]), *_shares(block)]:
        is_sane = abs(Decimal(amount)) < MAX_AMOUNT  # the others are named already
        if is_sane and not money.is_exact(Decimal(amount), currency=block["currency"]):
            yield f"{where}{place}", f"{amount[:30]} has more digits than {block['currency']} allows"


def _shares(block: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(f".items[{number}].amount", item["amount"]) for number, item in enumerate(block.get("items") or [])]


def _currency(where: str, code: str) -> Errors:
    try:
        money.exponent(code)
    except money.MoneyError:
        yield where, f"{code[:10]!r} is not an ISO 4217 currency code"


_NESTED: Final = frozenset({"order", "customer", "items", "lines", "failure"})
