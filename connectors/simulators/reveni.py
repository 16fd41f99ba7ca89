"""A simulated Reveni account: a story told act by act, with the webhooks and the pull API that go with it.

``platform = ReveniPlatform(clock=…)``; ``platform.simulator`` is the WSGI app; ``platform.events.url`` is where
webhooks go. Every act changes one return, raises its revision by one and tells of it, unless ``is_silent`` (a lost
webhook: only the pull API shows the change). It has no write API, because none is published; ``merchant_desk.is_on``
gives it an assumed one.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any, Literal

from connectors.simulators import reveni_documents as documents
from connectors.simulators.base import Clock, FaultPlan, Simulator, SystemClock
from connectors.simulators.calls import CallLog
from connectors.simulators.pages import Table
from connectors.simulators.reveni_account import Account, Payout, put, tables_of
from connectors.simulators.reveni_api import make_app
from connectors.simulators.reveni_webhooks import DeliveryFault, EventSender
from connectors.simulators.reveni_write_back import MerchantDesk
from connectors.simulators.webhooks import WebhookSender

API_KEY = "reveni_test_key_0001"  # the vendor reference's own test key
WEBHOOK_SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # noqa: S105 - public test vector
ACCOUNT_ID = "store_12"


def assumed_mapping() -> dict[str, Any]:
    """A mapping for the vendor's own dialect as this simulator speaks it. Assumed: for demo and tests only."""
    text = files("connectors.simulators").joinpath("reveni_assumed_mapping.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@dataclass(kw_only=True)
class ReveniPlatform:
    """One account and its returns. ``has_object``: whether messages of dialect a2 carry the assumed full return."""

    clock: Clock = field(default_factory=SystemClock)
    faults: FaultPlan = field(default_factory=FaultPlan)
    dialect: Literal["contract", "a2"] = "contract"
    api_key: str = API_KEY
    webhook_secrets: list[str] = field(default_factory=lambda: [WEBHOOK_SECRET])
    webhook_url: str = ""
    account_id: str = ACCOUNT_ID
    has_object: bool = True
    id_prefix: str = ""

    def __post_init__(self) -> None:
        """Wire the parts together."""
        self.calls = CallLog()
        self.sender = WebhookSender(clock=self.clock, faults=self.faults)
        is_a2 = self.dialect == "a2"
        secrets = [self.api_key] if is_a2 else self.webhook_secrets
        self.events = EventSender(sender=self.sender, secrets=secrets, is_a2=is_a2, url=self.webhook_url)
        self.account = Account(
            clock=self.clock,
            events=self.events,
            account_id=self.account_id,
            id_prefix=self.id_prefix,
            is_a2=is_a2,
            has_object=self.has_object,
        )
        self.merchant_desk = MerchantDesk(account=self.account)
        self.simulator = Simulator(app=make_app(self), clock=self.clock, faults=self.faults, calls=self.calls)

    # --- the story ------------------------------------------------------------------------------------------------

    def create_return(
        self,
        *,
        order_id: str,
        items: Sequence[dict[str, Any]],
        order_number: str = "",
        currency: str = "EUR",
        mode: str = "on_receipt",
        resolution: str = "refund",
        email: str = "shopper@example.com",
        channel: str = "",
        return_id: str = "",
        is_silent: bool = False,
    ) -> str:
        """A shopper asks; returns the return's id. Items need ``sku``; money as decimal strings, tax included."""
        with self.account.lock:
            number = next(self.account.numbers)
            return_id = return_id or f"{self.id_prefix}ret_{number}"
            document = documents.new_return(
                return_id=return_id,
                number=f"{self.id_prefix.upper()}RMA-{number}",
                order_id=order_id,
                order_number=order_number or order_id,
                items=[dict(item) for item in items],
                currency=currency,
                mode=mode,
                resolution=resolution,
                email=email,
                channel=channel,
                now=self.now(),
            )
            self.account.returns[return_id] = document
            self.account.tell("return.requested", document, {}, is_silent=is_silent)
        return return_id

    def authorise(self, return_id: str, *, is_silent: bool = False) -> None:
        """The goods may be sent back."""
        self.account.act(return_id, "return.authorised", status="authorised", is_silent=is_silent)

    def decline(self, return_id: str, *, code: str = "outside_window", is_silent: bool = False) -> None:
        """The return is refused."""
        self.account.end(return_id, "declined", code=code, is_silent=is_silent)

    def cancel(self, return_id: str, *, code: str = "customer", is_silent: bool = False) -> None:
        """The shopper withdraws it."""
        self.account.end(return_id, "cancelled", code=code, is_silent=is_silent)

    def expire(self, return_id: str, *, is_silent: bool = False) -> None:
        """The goods were never sent in time."""
        self.account.act(return_id, "return.expired", status="expired", is_silent=is_silent)

    def close(self, return_id: str, *, is_silent: bool = False) -> None:
        """Nothing more to do."""
        self.account.act(return_id, "return.closed", status="closed", is_silent=is_silent)

    def update(self, return_id: str, changes: dict[str, Any], *, is_silent: bool = False) -> None:
        """Any other change of the return's own fields."""
        with self.account.lock:
            self.account.returns[return_id].update(deepcopy(changes))
            self.account.act(return_id, "return.updated", is_silent=is_silent)

    def label(self, return_id: str, *, carrier: str = "examplepost", is_silent: bool = False) -> None:
        """A label for the parcel exists."""
        self.account.ship(return_id, "return.label_created", carrier=carrier, is_silent=is_silent)

    def in_transit(self, return_id: str, *, is_silent: bool = False) -> None:
        """The carrier scanned it."""
        self.account.ship(return_id, "return.in_transit", status="in_transit", is_silent=is_silent)

    def delivered(self, return_id: str, *, is_silent: bool = False) -> None:
        """The carrier says delivered."""
        self.account.ship(return_id, "return.carrier_delivered", status="delivered", is_silent=is_silent)

    def receive(self, return_id: str, *, is_silent: bool = False) -> None:
        """The warehouse has the parcel."""
        self.account.ship(return_id, "return.received", status="received", is_silent=is_silent)

    def inspect(self, return_id: str, items: Sequence[dict[str, Any]], *, is_silent: bool = False) -> None:
        """Some units are judged, on top of what was judged before."""
        with self.account.lock:
            document = self.account.changed(return_id, status="inspecting")
            verdicts = [documents.verdict(item, document=document, now=self.now()) for item in items]
            document["inspections"] += verdicts
            block = {"items": documents.without_revision(verdicts)}
            self.account.tell("return.item_inspected", document, block, is_silent=is_silent)

    def complete_inspection(
        self, return_id: str, items: Sequence[dict[str, Any]] | None = None, *, is_silent: bool = False
    ) -> None:
        """All units are judged: ``items`` replace every verdict before; None keeps those."""
        with self.account.lock:
            document = self.account.changed(return_id, status="inspected")
            if items is not None:
                now = self.now()
                document["inspections"] = [documents.verdict(item, document=document, now=now) for item in items]
            block = {"items": documents.without_revision(document["inspections"])}
            self.account.tell("return.inspection_completed", document, block, is_silent=is_silent)

    def issue_refund(
        self,
        return_id: str,
        *,
        amount: str,
        items: Sequence[dict[str, Any]] = (),
        executed_by: str = "commerce_platform",
        method: str = "original_payment",
        is_instant: bool = False,
        currency: str = "",
        fees: str = "0.00",
        shipping: str = "0.00",
        refund_id: str = "",
        is_silent: bool = False,
    ) -> str:
        """A refund is decided; where the platform executes it, it is paid out at once. The same id changes it.

        What the merchant said was refunded already is not paid again: then the merchant is who moved the money.
        """
        with self.account.lock:
            document = self.account.changed(return_id)
            refund: dict[str, Any] = {
                "id": refund_id or self.account.new_id("rfd", document["refunds"], return_id),
                "amount": amount,
                "currency": currency or document["currency"],
                "method": method,
                "executed_by": executed_by,
                "instant": is_instant,
                "items": [dict(item) for item in items],
                "shipping": shipping,
                "fees": fees,
                "provider_reference": None,
                "issued_at": documents.stamp(self.now()),
                "failure": None,
            }
            paid_as = self.merchant_desk.was_paid_by_merchant(return_id, amount, refund["currency"])
            if paid_as:
                refund |= {"executed_by": "merchant", "provider_reference": paid_as}
            elif executed_by == "":
                del refund["executed_by"]
            elif executed_by == "returns_platform":
                refund["provider_reference"] = self.account.pay(document, refund)
            put(document["refunds"], refund)
            self.account.tell("refund.issued", document, {"refund": refund}, is_silent=is_silent)
            return str(refund["id"])

    def fail_refund(
        self,
        return_id: str,
        refund_id: str,
        *,
        code: str = "account_closed",
        message: str | None = None,
        is_silent: bool = False,
    ) -> None:
        """A refund did not reach the shopper."""
        with self.account.lock:
            document = self.account.changed(return_id)
            refund = next(row for row in document["refunds"] if row["id"] == refund_id)
            refund["failure"] = {"code": code, "message": message, "retriable": False}
            self.account.tell("refund.failed", document, {"refund": refund}, is_silent=is_silent)

    def request_exchange(
        self,
        return_id: str,
        *,
        lines: Sequence[dict[str, Any]],
        is_instant: bool = False,
        price_difference: str = "0.00",
        is_silent: bool = False,
    ) -> str:
        """A replacement is wanted; returns the exchange's id."""
        exchange = {
            "instant": is_instant,
            "lines": [dict(line) for line in lines],
            "price_difference": price_difference,
            "shipping_address": None,
            "commerce_order_id": None,
            "status": "requested",
        }
        return self.account.attach(
            return_id, "exchange.requested", "exchange", "exchanges", exchange, is_silent=is_silent
        )

    def cancel_exchange(self, return_id: str, exchange_id: str, *, is_silent: bool = False) -> None:
        """The replacement is no longer wanted."""
        change = {"id": exchange_id, "status": "cancelled"}
        self.account.attach(return_id, "exchange.cancelled", "exchange", "exchanges", change, is_silent=is_silent)

    def issue_credit(
        self,
        return_id: str,
        *,
        amount: str,
        bonus: str = "0.00",
        is_gift_card: bool = False,
        executed_by: str = "commerce_platform",
        is_silent: bool = False,
    ) -> str:
        """Store credit or a gift card instead of money; returns its id."""
        block, rows = ("gift_card", "gift_cards") if is_gift_card else ("credit", "credits")
        credit = {
            "amount": amount,
            "bonus": bonus,
            "currency": self.account.returns[return_id]["currency"],
            "code_last4": None,
            "executed_by": executed_by,
            "issued_at": documents.stamp(self.now()),
        }
        return self.account.attach(return_id, f"{block}.issued", block, rows, credit, is_silent=is_silent)

    def risk_hold(self, return_id: str, *, is_silent: bool = False) -> str:
        """A fraud review begins; returns the risk's id."""
        risk = self.account.risk("fraud_review", "hold_placed")
        return self.account.attach(
            return_id, "risk.hold_placed", "risk", "risks", risk, status="on_hold", is_silent=is_silent
        )

    def risk_release(self, return_id: str, risk_id: str, *, status: str, is_silent: bool = False) -> None:
        """The review ends and the return goes on at ``status``."""
        risk = self.account.risk("fraud_review", "hold_released") | {"id": risk_id}
        self.account.attach(return_id, "risk.hold_released", "risk", "risks", risk, status=status, is_silent=is_silent)

    def charge(
        self,
        return_id: str,
        *,
        amount: str,
        stage: Literal["charged", "failed", "reversed"] = "charged",
        kind: str = "not_returned",
        liable: str = "returns_platform",
        risk_id: str = "",
        is_silent: bool = False,
    ) -> str:
        """Instant goods never came or were rejected: the charge for them is made, failed, or undone."""
        type = {
            "charged": "risk.non_return_charged",
            "failed": "risk.charge_failed",
            "reversed": "risk.charge_reversed",
        }[stage]
        risk = self.account.risk(kind, stage) | {"amount": amount, "liable": liable}
        risk["currency"] = self.account.returns[return_id]["currency"]
        if risk_id:
            risk["id"] = risk_id
        return self.account.attach(return_id, type, "risk", "risks", risk, is_silent=is_silent)

    # --- looking and faults ---------------------------------------------------------------------------------------

    def script(self, *faults: DeliveryFault) -> None:
        """Spoil the next messages."""
        self.events.scripted += faults

    def rotate_secret(self, new_secret: str, *, signs_with_all: bool = False) -> None:
        """From now on the new secret signs, or both while a rotation is under way."""
        self.events.secrets.insert(0, new_secret)
        self.events.signs_with_all = signs_with_all

    @property
    def payouts(self) -> list[Payout]:
        """What the platform paid itself, in order: two for one return is money paid twice."""
        return self.account.payouts

    @property
    def told(self) -> list[dict[str, Any]]:
        """Every event told, in order, before faults."""
        return self.account.told

    def whole_returns(self) -> list[dict[str, Any]]:
        """Copies of all returns with what hangs on them."""
        return self.account.whole_returns()

    def whole_return(self, return_id: str) -> dict[str, Any] | None:
        """A copy of one return with what hangs on it."""
        return self.account.whole_return(return_id)

    def now(self) -> datetime:
        """The platform's clock."""
        return self.clock.now()

    def tables(self) -> Sequence[Table]:
        """The sections of the read-only page."""
        return (*tables_of(self.account), self.merchant_desk.table())
