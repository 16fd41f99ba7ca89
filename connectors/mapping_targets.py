"""What a stored mapping may fill: the fields of the returns event contract, and how values are brought into shape.

The contract is ``returns_contract/contract.schema.json`` (a test holds this table against it). Pure.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from returnsops import money

TEXT: Final = "text"
MONEY: Final = "money"
WHOLE: Final = "whole"
FLAG: Final = "flag"
TIME: Final = "time"

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", re.ASCII)

Spec = Mapping[str, Any]  # a name -> a kind above, a Spec (an object), or a tuple of one Spec (a list of objects)


def _all(kind: str, *names: str) -> dict[str, Any]:
    return dict.fromkeys(names, kind)


ITEM: Final[Spec] = {
    **_all(TEXT, "id", "order_line_id", "sku", "variant_id", "name", "reason_code", "reason_text", "resolution"),
    **_all(MONEY, "unit_price", "discount", "tax", "total"),
    "quantity": WHOLE,
}
RETURN: Final[Spec] = {
    **_all(TEXT, "id", "number", "status", "mode", "resolution", "currency"),
    **_all(TIME, "return_by", "created_at", "updated_at"),
    "revision": WHOLE,
    "order": _all(TEXT, "id", "number", "channel"),
    "customer": _all(TEXT, "id", "email"),
    "items": (ITEM,),
    "totals": _all(MONEY, "items", "tax", "shipping", "fees", "bonus", "refund", "exchange", "credit"),
}
INSPECTED_ITEM: Final[Spec] = {
    **_all(TEXT, "item_id", "sku", "outcome", "grade", "disposition", "reject_reason", "location_code", "inspected_by"),
    "quantity": WHOLE,
    "disposition_final": FLAG,
    "inspected_at": TIME,
}
SHIPMENT: Final[Spec] = {
    **_all(TEXT, "id", "carrier", "tracking_number", "tracking_url", "method", "hub"),
    "occurred_at": TIME,
}
REFUND: Final[Spec] = {
    **_all(TEXT, "id", "currency", "method", "executed_by", "provider_reference"),
    **_all(MONEY, "amount", "shipping", "fees"),
    "instant": FLAG,
    "issued_at": TIME,
    "items": ({"item_id": TEXT, "quantity": WHOLE, "amount": MONEY, "tax": MONEY},),
    "failure": {"code": TEXT, "message": TEXT, "retriable": FLAG},
}
EXCHANGE: Final[Spec] = {
    **_all(TEXT, "id", "commerce_order_id"),
    "instant": FLAG,
    "price_difference": MONEY,
    "lines": ({"sku": TEXT, "variant_id": TEXT, "quantity": WHOLE, "unit_price": MONEY, "replaces_item_id": TEXT},),
}
CREDIT: Final[Spec] = {
    **_all(TEXT, "id", "currency", "code_last4", "executed_by"),
    **_all(MONEY, "amount", "bonus"),
    "issued_at": TIME,
}
RISK: Final[Spec] = {
    **_all(TEXT, "id", "kind", "currency", "liable", "provider_reference", "note"),
    "amount": MONEY,
    "occurred_at": TIME,
}
BLOCKS: Final[Spec] = {
    "return": RETURN,
    "items": (INSPECTED_ITEM,),
    "shipment": SHIPMENT,
    "refund": REFUND,
    "exchange": EXCHANGE,
    "credit": CREDIT,
    "gift_card": CREDIT,
    "risk": RISK,
    "reason": {"code": TEXT, "text": TEXT},
}
# The lists of the pull API's answer (C6), filled only by rules that emit from a snapshot.
COLLECTIONS: Final[Spec] = {
    "shipments": (SHIPMENT,),
    "inspections": ({**INSPECTED_ITEM, "revision": WHOLE},),
    "refunds": (REFUND,),
    "exchanges": ({**EXCHANGE, "status": TEXT},),
    "credits": (CREDIT,),
    "gift_cards": (CREDIT,),
    "risks": ({**RISK, "stage": TEXT},),
}
TARGETS: Final[Spec] = {**BLOCKS, **COLLECTIONS}

EVENT_BLOCK: Final[dict[str, str]] = {
    "return.requested": "",
    "return.authorised": "",
    "return.declined": "reason",
    "return.cancelled": "reason",
    "return.expired": "",
    "return.updated": "",
    "return.closed": "",
    "return.label_created": "shipment",
    "return.in_transit": "shipment",
    "return.carrier_delivered": "shipment",
    "return.received": "shipment",
    "return.item_inspected": "items",
    "return.inspection_completed": "items",
    "refund.issued": "refund",
    "refund.failed": "refund",
    "exchange.requested": "exchange",
    "exchange.cancelled": "exchange",
    "credit.issued": "credit",
    "gift_card.issued": "gift_card",
    "risk.hold_placed": "risk",
    "risk.hold_released": "risk",
    "risk.non_return_charged": "risk",
    "risk.charge_failed": "risk",
    "risk.charge_reversed": "risk",
}


def kind_of(target: str, within: Spec = TARGETS) -> Any:
    """The kind, Spec or list of a dotted target, None where the contract has no such field."""
    found: Any = within
    for name in target.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found


# --- conversions --------------------------------------------------------------------------------------------------


def fit(value: Any, kind: str) -> Any:
    """A value in the contract's form of a kind. Raises ValueError saying what it cannot be."""
    return _FIT[kind](value)


def convert(value: Any, how: str, *, currency: str) -> Any:
    """Apply an ``as`` of a mapping. Raises ValueError (money.MoneyError is one) in words."""
    if how == "minor_units":
        return f"{money.from_minor(_whole(value), currency=currency):f}"
    return _CONVERT[how](value)


def snake(value: Any) -> Any:
    """Lower case, spaces and dashes to ``_``."""
    return value.strip().lower().replace(" ", "_").replace("-", "_") if isinstance(value, str) else value


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"expected text, got {type(value).__name__}")
    return str(value)


def _decimal(value: Any) -> str:
    return f"{money.parse_amount(value):f}"


def _whole(value: Any) -> int:
    number = _number(value)
    if number != number.to_integral_value():
        raise ValueError(f"{number} is not a whole number")
    return int(number)


def _number(value: Any) -> Decimal:
    """A number that is no amount: a count, a revision, a time (which may pass what money may)."""
    text = str(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{str(value)[:40]!r} is not a number")
    return Decimal(text)


def _flag(value: Any) -> bool:
    known = {True: True, False: False, "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    key = value.strip().lower() if isinstance(value, str) else value
    if not isinstance(key, bool | str | int) or key not in known:
        raise ValueError(f"{str(value)[:40]!r} is not yes or no")
    return known[key]


def _time(value: Any) -> str:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value[:40]!r} has no time zone")
    return moment.isoformat()


def _epoch(value: Any, *, per_second: int) -> str:
    seconds = _number(value) / per_second
    if not 0 <= seconds < 4_102_444_800:  # the year 2100
        raise ValueError(f"{str(value)[:40]!r} is not a time in this century")
    return datetime.fromtimestamp(float(seconds), tz=UTC).isoformat()


_FIT: Final[dict[str, Callable[[Any], Any]]] = {TEXT: _text, MONEY: _decimal, WHOLE: _whole, FLAG: _flag, TIME: _time}
_CONVERT: Final[dict[str, Callable[[Any], Any]]] = {
    "decimal": _decimal,
    "int": _whole,
    "bool": _flag,
    "iso": _time,
    "epoch_s": lambda value: _epoch(value, per_second=1),
    "epoch_ms": lambda value: _epoch(value, per_second=1000),
    "upper": lambda value: _text(value).upper(),
    "lower": lambda value: _text(value).lower(),
    "strip": lambda value: _text(value).strip(),
}
CONVERSIONS: Final = (*_CONVERT, "minor_units")
