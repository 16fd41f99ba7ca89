"""What a simulated returns platform lets a merchant tell it. Assumed from end to end: no platform publishes this.

``is_on`` is False until somebody wants it, as with the real one. ``is_idempotent``: whether one key in the header is
taken once, or every call counts. ``is_shown``: whether the return shows what it was told, pulled and pushed.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from connectors.simulators.pages import Table
from connectors.simulators.reveni_account import Account

Document = dict[str, Any]
HEADER: Final = "Idempotency-Key"
RETURNS: Final = "/v1/returns/"
# Message → method and the path behind the return's id; {exchange_id} takes one part.
PATHS: Final[Mapping[str, tuple[str, str]]] = {
    "lines": ("PUT", "/confirmed-lines"),
    "already_refunded": ("POST", "/external-refunds"),
    "verdict": ("POST", "/inspection"),
    "exchange_order": ("POST", "/exchanges/{exchange_id}/order"),
}
_WANTED: Final[Mapping[str, tuple[str, ...]]] = {
    "lines": ("currency", "items"),
    "already_refunded": ("amount", "currency", "reference"),
    "verdict": ("items",),
    "exchange_order": ("order_id",),
}


class RefusedError(Exception):
    """A call the platform does not take: status, code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, kw_only=True)
class Told:
    """One call that was taken."""

    message: str
    return_id: str
    body: Document
    key: str
    at: datetime


@dataclass(kw_only=True)
class MerchantDesk:
    """The calls of one account, and what it remembers of them."""

    account: Account
    is_on: bool = False
    is_idempotent: bool = False
    is_shown: bool = True
    told: list[Told] = field(default_factory=list)

    def take(self, method: str, path: str, body: Any, *, key: str) -> Document:
        """Take one call; the answer's document. Raises RefusedError."""
        message, return_id, rest = self._addressed(method, path)
        if not isinstance(body, dict) or [name for name in _WANTED[message] if name not in body]:
            raise RefusedError(422, "invalid_body", f"Wanted are {', '.join(_WANTED[message])}.")
        with self.account.lock:
            if return_id not in self.account.returns:
                raise RefusedError(404, "not_found", "There is no such return.")
            if not (self.is_idempotent and key and any(one.key == key for one in self.told)):
                note = _KEPT[message](self.account.returns[return_id], body, rest, key, is_shown=self.is_shown)
                self.told.append(Told(message=message, return_id=return_id, body=body, key=key, at=self.account.now()))
                if self.is_shown:
                    document = self.account.changed(return_id)
                    self.account.tell("return.updated", document, note, is_silent=False)
            return {"return_id": return_id, "accepted": True}

    def told_of(self, return_id: str, message: str) -> list[Document]:
        """What was said about a return, in order; twice the same is there twice."""
        return [one.body for one in self.told if (one.return_id, one.message) == (return_id, message)]

    def was_paid_by_merchant(self, return_id: str, amount: str, currency: str) -> str:
        """The reference of a refund the merchant made already that covers this amount; '' = the platform pays."""
        rows = [row for row in self.told_of(return_id, "already_refunded") if row["currency"] == currency]
        total = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
        return str(rows[-1]["reference"]) if rows and total >= Decimal(amount) else ""

    def table(self) -> Table:
        """The section of the read-only page."""
        rows = [(one.at.isoformat(), one.message, one.return_id, one.key, _short(one.body)) for one in self.told]
        return Table(title="Told by the merchant", columns=("at", "message", "return", "key", "what"), rows=rows)

    def _addressed(self, method: str, path: str) -> tuple[str, str, Sequence[str]]:
        return_id, _, rest = path.removeprefix(RETURNS).partition("/")
        parts = rest.split("/")
        for message, (wanted, form) in PATHS.items():
            shape = form.strip("/").split("/")
            is_alike = len(shape) == len(parts) and all(
                s in (p, "{exchange_id}") for s, p in zip(shape, parts, strict=True)
            )
            if self.is_on and method == wanted and path.startswith(RETURNS) and is_alike:
                return message, return_id, parts
        raise RefusedError(405, "method_not_allowed", "This API only reads.")


def _is_alike(form: str, parts: Sequence[str]) -> bool:
    shape = form.strip("/").split("/")
    return len(shape) == len(parts) and all(
        wanted in (given, "{exchange_id}") for wanted, given in zip(shape, parts, strict=True)
    )


def _keep_lines(document: Document, body: Document, rest: Sequence[str], key: str, *, is_shown: bool) -> Document:
    if is_shown:
        document["confirmed_lines"] = {"key": key, **deepcopy(body)}
    return {}


def _keep_refund(document: Document, body: Document, rest: Sequence[str], key: str, *, is_shown: bool) -> Document:
    try:
        amount = Decimal(str(body["amount"]))
    except InvalidOperation:
        raise RefusedError(422, "invalid_body", "amount must be a decimal string.") from None
    if body["currency"] != document["currency"] or amount <= 0:
        raise RefusedError(422, "invalid_body", "amount or currency does not fit the return.")
    if is_shown:
        document.setdefault("external_refunds", []).append({"key": key, **deepcopy(body)})
    return {}


def _keep_verdict(document: Document, body: Document, rest: Sequence[str], key: str, *, is_shown: bool) -> Document:
    if is_shown:
        document["merchant_inspection"] = {"key": key, **deepcopy(body)}
    return {}


def _keep_order(document: Document, body: Document, rest: Sequence[str], key: str, *, is_shown: bool) -> Document:
    found = [row for row in document["exchanges"] if row["id"] == rest[1]]
    if not found:
        raise RefusedError(404, "not_found", "There is no such exchange.")
    if not is_shown:
        return {}
    found[0]["commerce_order_id"] = str(body["order_id"])
    return {"exchange": {name: value for name, value in found[0].items() if name != "status"}}


_KEPT: Final[Mapping[str, Callable[..., Document]]] = {
    "lines": _keep_lines,
    "already_refunded": _keep_refund,
    "verdict": _keep_verdict,
    "exchange_order": _keep_order,
}


def _short(body: Document) -> str:
    return ", ".join(f"{name} {value}" for name, value in body.items() if not isinstance(value, list | dict))[:200]


def assumed_settings(*messages: str, is_idempotent: bool = False) -> Document:
    """Connection settings that fit this simulator. Assumed: for demo and tests only; says nothing of the real one."""
    names = messages or tuple(PATHS)
    templates = {name: _template(name, is_idempotent=is_idempotent) for name in names}
    return {"write_back": templates, "write_back_seen": {name: dict(_SEEN[name]) for name in names}}


_SEEN: Final[Mapping[str, Mapping[str, str]]] = {
    "lines": {"path": "$.confirmed_lines.key", "field": "key"},
    "already_refunded": {"path": "$.external_refunds[*].reference", "field": "reference"},
    "verdict": {"path": "$.merchant_inspection.key", "field": "key"},
    "exchange_order": {"path": "$.exchanges[*].commerce_order_id", "field": "exchange_order_id"},
}
_BODIES: Final[Mapping[str, Document]] = {
    "lines": {
        "key": "{key}",
        "currency": "{currency}",
        "items": {
            "each": "items",
            "map": {"id": "{item_id}", "quantity": "{quantity}", "net": "{net}", "tax": "{tax}", "total": "{total}"},
        },
    },
    "already_refunded": {
        "amount": "{amount}",
        "currency": "{currency}",
        "reference": "{reference}",
        "note": "{note} Order {order_number}.",
    },
    "verdict": {
        "key": "{key}",
        "items": {
            "each": "items",
            "map": {
                "id": "{item_id}",
                "quantity": "{quantity}",
                "outcome": "{outcome}",
                "disposition": "{disposition}",
                "is_final": "{is_final}",
            },
        },
    },
    "exchange_order": {"order_id": "{exchange_order_id}"},
}


def _template(name: str, *, is_idempotent: bool) -> Document:
    method, path = PATHS[name]
    made = {
        "method": method,
        "path": f"{RETURNS}{{return_id}}{path}",
        "body": deepcopy(_BODIES[name]),
        "success": [200],
    }
    return {**made, "idempotency_header": HEADER} if is_idempotent else made
