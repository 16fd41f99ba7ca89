"""Effects as the delivery pump hands them to the connector."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.ports import Intent
from tests.connectors.woocommerce.scripted import NOW

KEY = "refund:reveni/ret-1:rf-1"


def refund_intent(order_id: str, *, amount: str, lines: list[dict[str, Any]] | None = None, **changes: Any) -> Intent:
    """A refund of ``amount`` EUR, recorded only."""
    executed_by = changes.pop("executed_by", "returns_platform")
    payload = {
        "amount": amount,
        "currency": "EUR",
        "executed_by": executed_by,
        "lines": lines or [],
        "reason": "too small",
        "rma_number": "RMA-77",
        "reference": "",
    }
    intent = Intent(
        kind="refund",
        key=KEY,
        remote_key=KEY,
        order_id=order_id,
        payload=payload,
        amount=Decimal(amount),
        currency="EUR",
        planned_at=NOW - timedelta(minutes=5),
        first_attempt_at=None,
    )
    return replace(intent, **changes)


def line(line_id: str, quantity: int, net: str, taxes: dict[str, str]) -> dict[str, Any]:
    """One line of a refund's payload."""
    shares = [{"rate_id": rate_id, "amount": amount} for rate_id, amount in taxes.items()]
    return {"line_id": line_id, "quantity": quantity, "net": net, "taxes": shares}


def restock_intent(order_id: str, *, line_id: str, quantity: int, planned_at: datetime, **changes: Any) -> Intent:
    """A restock of some units of a line."""
    key = changes.pop("key", f"restock:reveni/ret-1:item-1:{quantity}")
    payload = {
        "line_id": line_id,
        "quantity": quantity,
        "disposition": "sellable",
        "product_id": changes.pop("product_id", ""),
        "variation_id": changes.pop("variation_id", ""),
        "rma_number": "RMA-77",
    }
    intent = Intent(
        kind="restock",
        key=key,
        remote_key=key,
        order_id=order_id,
        payload=payload,
        amount=None,
        currency="EUR",
        planned_at=planned_at,
        first_attempt_at=None,
    )
    return replace(intent, **changes)


def mark_intent(kind: str, order_id: str, payload: dict[str, Any]) -> Intent:
    """A note or a mirror."""
    return Intent(
        kind=kind,
        key=f"{kind}:RMA-77:received",
        remote_key=f"{kind}:RMA-77:received",
        order_id=order_id,
        payload=payload,
        amount=None,
        currency="",
        planned_at=NOW,
        first_attempt_at=None,
    )
