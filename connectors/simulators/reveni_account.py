"""The plumbing of a simulated Reveni account: its returns, how a change is counted, and how it is told."""

import threading
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from connectors.simulators import reveni_documents as documents
from connectors.simulators.base import Clock
from connectors.simulators.pages import Table
from connectors.simulators.reveni_webhooks import EventSender


@dataclass(frozen=True, kw_only=True)
class Payout:
    """Money the platform itself sent to a shopper."""

    refund_id: str
    return_id: str
    order_id: str
    amount: str
    currency: str
    method: str
    at: datetime


@dataclass(kw_only=True)
class Account:
    """One merchant's account. Acts lock it, so that a story may run beside requests."""

    clock: Clock
    events: EventSender
    account_id: str
    id_prefix: str
    is_a2: bool
    has_object: bool
    returns: dict[str, dict[str, Any]] = field(default_factory=dict)
    payouts: list[Payout] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    numbers: "count[int]" = field(default_factory=lambda: count(1001), repr=False)
    event_numbers: "count[int]" = field(default_factory=lambda: count(1), repr=False)

    def now(self) -> datetime:
        """The platform's clock."""
        return self.clock.now()

    def whole_returns(self) -> list[dict[str, Any]]:
        """Copies of all returns with what hangs on them."""
        with self.lock:
            return deepcopy(list(self.returns.values()))

    def whole_return(self, return_id: str) -> dict[str, Any] | None:
        """A copy of one return with what hangs on it."""
        with self.lock:
            return deepcopy(self.returns.get(return_id))

    def act(self, return_id: str, type: str, *, status: str = "", is_silent: bool) -> None:
        """One change of the return itself."""
        with self.lock:
            self.tell(type, self.changed(return_id, status=status), {}, is_silent=is_silent)

    def end(self, return_id: str, status: str, *, code: str, is_silent: bool) -> None:
        """Declined or cancelled, with a reason."""
        with self.lock:
            document = self.changed(return_id, status=status)
            document["reason"] = {"code": code, "text": None}
            self.tell(f"return.{status}", document, {"reason": document["reason"]}, is_silent=is_silent)

    def ship(
        self, return_id: str, type: str, *, status: str = "", carrier: str = "examplepost", is_silent: bool
    ) -> None:
        """One step of the return's parcel."""
        with self.lock:
            document = self.changed(return_id, status=status)
            known = document["shipments"][0] if document["shipments"] else {}
            tracking = f"EX{return_id[-9:].upper()}GB"
            shipment = {
                "id": f"shp_{return_id}",
                "carrier": carrier,
                "tracking_number": tracking,
                "tracking_url": f"https://carrier.example/{tracking}",
                "method": "label",
                "hub": None,
                **known,
                "occurred_at": documents.stamp(self.now()),
            }
            document["shipments"] = [shipment]
            self.tell(type, document, {"shipment": shipment}, is_silent=is_silent)

    def attach(
        self,
        return_id: str,
        type: str,
        block: str,
        rows: str,
        given: dict[str, Any],
        *,
        status: str = "",
        is_silent: bool,
    ) -> str:
        """Add or change one entry of a list of the return and tell of it."""
        with self.lock:
            document = self.changed(return_id, status=status)
            prefix = {"exchanges": "exc", "credits": "crd", "gift_cards": "gft", "risks": "rsk"}[rows]
            entry = {"id": self.new_id(prefix, document[rows], return_id), **given}
            entry = put(document[rows], entry)
            shown = {name: value for name, value in entry.items() if name not in ("status", "stage")}
            self.tell(type, document, {block: shown}, is_silent=is_silent)
            return str(entry["id"])

    def changed(self, return_id: str, *, status: str = "") -> dict[str, Any]:
        """The return, one revision on."""
        document = self.returns[return_id]
        document["revision"] += 1
        document["status"] = status or document["status"]
        document["updated_at"] = documents.stamp(self.now())
        return document

    def tell(self, type: str, document: dict[str, Any], block: dict[str, Any], *, is_silent: bool) -> None:
        """Send the event, in the dialect of the account."""
        if is_silent:
            return
        event_id, now = self.new_event_id(), self.now()
        if self.is_a2:
            is_first = document["revision"] == 1
            event = documents.a2_event(
                event_id=event_id, document=document, is_first=is_first, has_object=self.has_object, now=now
            )
        else:
            event = documents.contract_event(
                event_id=event_id, type=type, document=document, block=block, account_id=self.account_id, now=now
            )
        self.told.append(event)
        self.events.send(type, event, new_id=self.new_event_id)

    def pay(self, document: dict[str, Any], refund: dict[str, Any]) -> str:
        """Send the money; returns the payout's reference."""
        self.payouts.append(
            Payout(
                refund_id=refund["id"],
                return_id=document["id"],
                order_id=document["order"]["id"],
                amount=refund["amount"],
                currency=refund["currency"],
                method=refund["method"],
                at=self.now(),
            )
        )
        return f"payout_{len(self.payouts)}"

    def risk(self, kind: str, stage: str) -> dict[str, Any]:
        """A risk entry at a stage."""
        moment = documents.stamp(self.now())
        return {"kind": kind, "stage": stage, "liable": "unknown", "note": None, "occurred_at": moment}

    def new_event_id(self) -> str:
        """The next event id."""
        return f"{self.id_prefix}evt_{next(self.event_numbers):04d}"

    def new_id(self, prefix: str, rows: list[dict[str, Any]], return_id: str) -> str:
        """The next id of an entry of a return."""
        return f"{prefix}_{return_id}_{len(rows) + 1}"


def put(rows: list[dict[str, Any]], entry: dict[str, Any]) -> dict[str, Any]:
    """Add an entry, or lay it over the one with its id."""
    for index, row in enumerate(rows):
        if row["id"] == entry["id"]:
            rows[index] = {**row, **entry}
            return rows[index]
    rows.append(entry)
    return entry


def tables_of(account: Account) -> Sequence[Table]:
    """The sections of the read-only page."""
    returns = [
        (row["id"], row["number"], row["order"]["number"], row["status"], row["mode"], row["revision"])
        for row in account.whole_returns()
    ]
    told = [(event["id"], event.get("type") or event.get("event"), _told_of(event)) for event in account.told[-200:]]
    paid = [(p.refund_id, p.return_id, p.order_id, p.amount, p.currency, p.method) for p in account.payouts]
    return (
        Table(title="Returns", columns=("id", "number", "order", "status", "mode", "revision"), rows=returns),
        Table(title="Payouts", columns=("refund", "return", "order", "amount", "currency", "method"), rows=paid),
        Table(title="Events", columns=("id", "type", "return"), rows=told),
    )


def _told_of(event: dict[str, Any]) -> str:
    data = event["data"]
    return str(data["return"]["id"] if "return" in data else data["resource_id"])
