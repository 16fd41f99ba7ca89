"""Effects as the delivery pump hands them to the connector, and a shop that answers by the name of the document."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from connectors.ports import Answer, Intent, Link
from tests.connectors.shopify.documents_of_orders import ORDER_ID
from tests.connectors.shopify.scripted import NOW, answered, scripted_link

REFUND_KEY = "refund:reveni/ret-1:rf-1"
RESTOCK_KEY = "restock:reveni/ret-1:item-1:1"
LOCATION = "gid://shopify/Location/1"

Json = dict[str, Any]


@dataclass
class Shop:
    """Answers documents by name; ``asked`` holds name and variables of each call."""

    answers: dict[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Json]] = field(default_factory=list)
    link: Link = field(init=False)

    def __post_init__(self) -> None:
        """Make the link."""
        self.link, _ = scripted_link(self._respond, settings=dict(self.settings))

    def _respond(self, url: str, given: Mapping[str, Any]) -> Answer:
        name, variables = given["json"]["operationName"], given["json"]["variables"]
        self.asked.append((name, variables))
        found = self.answers[name]
        found = found(variables) if callable(found) else found
        return found if isinstance(found, Answer) else answered({"data": found})

    def written(self) -> list[tuple[str, Json]]:
        """The mutations that were sent."""
        reads = ("OrderFinalState", "RefundAuthors", "VariantStock", "AdjustmentById", "OrderMarks")
        return [(name, variables) for name, variables in self.asked if name not in reads]


def refund_intent(amount: str = "25.00", *, lines: list[Json] | None = None, **changes: Any) -> Intent:
    """A refund in GBP that the shop pays."""
    payload = {
        "amount": amount,
        "currency": "GBP",
        "executed_by": changes.pop("executed_by", "commerce_platform"),
        "lines": lines or [],
        "reason": "Return RMA-77: 1 x Jacket",
        "rma_number": "RMA-77",
        "reference": "",
    }
    return _intent("refund", REFUND_KEY, payload, **{"amount": Decimal(amount), "currency": "GBP", **changes})


def refund_line(number: int, quantity: int, net: str, tax: str = "0", kind: str = "LineItem") -> Json:
    """One line of a refund's payload."""
    taxes = [{"rate_id": "VAT:0.2", "amount": tax}] if tax != "0" else []
    return {"line_id": f"gid://shopify/{kind}/{number}", "quantity": quantity, "net": net, "taxes": taxes}


def stock_intent(kind: str = "restock", *, quantity: int = 1, location: str = "main", **changes: Any) -> Intent:
    """Units to be put back, or taken out again."""
    payload = {
        "line_id": "gid://shopify/LineItem/11",
        "quantity": quantity,
        "product_id": "gid://shopify/Product/11",
        "variation_id": "gid://shopify/ProductVariant/11",
        "location": location,
        "rma_number": "RMA-77",
    }
    return _intent(kind, RESTOCK_KEY, payload, **changes)


def mark_intent(kind: str, payload: Json, **changes: Any) -> Intent:
    """A note or a mirror."""
    return _intent(kind, f"{kind}:reveni/ret-1:received", payload, **changes)


def _intent(kind: str, key: str, payload: Json, **changes: Any) -> Intent:
    made = Intent(
        kind=kind,
        key=key,
        remote_key=key,
        order_id=ORDER_ID,
        payload=payload,
        amount=None,
        currency="",
        planned_at=NOW - timedelta(minutes=5),
        first_attempt_at=None,
        return_id="ret-1",
    )
    return replace(made, **changes)
