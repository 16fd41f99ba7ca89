"""A valid event of the returns contract in our own words: facts. Pure; one row per event type (reveni.md C4)."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, cast

from connectors.returns_contract.contract import decimal_of, parse_time
from returnsops import facts, money

Block = Mapping[str, Any]
PLATFORM: Final = "platform"
# Both leave our hands for good, so for stock they are one thing.
WRITE_OFFS: Final = frozenset({"recycle", "donate"})
NEVER_CAME: Final = "missing"
UNKNOWN: Final = "unknown"
MAX_NAME: Final = 500
MAX_REASON: Final = 300
MAX_TEXT: Final = 5_000


def facts_of(event: Block) -> tuple[facts.Fact, ...]:
    """What an event says: the snapshot, then its own fact. The event must have passed ``contract.event_problem``."""
    seen = facts.ReturnSeen(snapshot=snapshot_of(event["data"]["return"]), **_about(event))
    return (seen, *(maker(event) for maker in MAKERS[event["type"]]))


def snapshot_of(block: Block) -> facts.ReturnSnapshot:
    """The whole return at its revision."""
    order, customer = block["order"], block.get("customer") or {}
    return_by = block.get("return_by")
    return facts.ReturnSnapshot(
        return_id=block["id"],
        revision=block["revision"],
        status=block["status"],
        mode=block["mode"],
        order_id=order.get("id") or "",
        currency=block.get("currency") or "",
        items=tuple(_item(item) for item in block["items"]),
        created_at=parse_time(block["created_at"]),
        updated_at=parse_time(block["updated_at"]),
        number=block.get("number") or "",
        resolution=block.get("resolution", "refund"),
        order_number=order.get("number") or "",
        channel=order.get("channel") or "",
        customer_id=customer.get("id") or "",
        customer_email=customer.get("email") or "",
        totals={name: Decimal(text) for name, text in (block.get("totals") or {}).items() if isinstance(text, str)},
        return_by=parse_time(return_by) if return_by else None,
    )


def _item(block: Block) -> facts.ReturnItem:
    return facts.ReturnItem(
        item_id=block["id"],
        sku=block["sku"],
        quantity=block["quantity"],
        order_line_id=block.get("order_line_id") or "",
        variant_id=block.get("variant_id") or "",
        name=cut(block.get("name"), MAX_NAME),
        reason_code=block.get("reason_code"),
        reason_text=cut(block.get("reason_text"), MAX_TEXT),
        resolution=block.get("resolution", "refund"),
        unit_price=decimal_of(block.get("unit_price")),
        discount=decimal_of(block.get("discount")),
        tax=decimal_of(block.get("tax")),
        total=decimal_of(block.get("total")),
    )


def cut(text: str | None, longest: int) -> str:
    """A text people read, cut to what its column holds; an overlong comment is no reason to refuse a return."""
    text = text or ""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _about(event: Block) -> dict[str, Any]:
    snapshot = event["data"]["return"]
    return {
        "occurred_at": parse_time(event["timestamp"]),
        "return_id": snapshot["id"],
        "revision": snapshot["revision"],
    }


# --- makers, one per kind of event --------------------------------------------------------------------------------


def _plain(kind: type[facts.ReturnFact]) -> Callable[[Block], facts.Fact]:
    return lambda event: kind(**_about(event))


def _ended(kind: Callable[..., facts.Fact]) -> Callable[[Block], facts.Fact]:
    def make(event: Block) -> facts.Fact:
        reason = event["data"].get("reason") or {}
        return kind(
            reason_code=reason.get("code") or "", reason_text=cut(reason.get("text"), MAX_REASON), **_about(event)
        )

    return make


def _parcel(kind: type[facts.ParcelFact]) -> Callable[[Block], facts.Fact]:
    def make(event: Block) -> facts.Fact:
        # The contract lets a receipt come without its parcel; then the return stands for its only one.
        shipment = event["data"].get("shipment") or {"id": event["data"]["return"]["id"]}
        return kind(
            parcel_id=shipment["id"],
            carrier=shipment.get("carrier") or "",
            tracking_number=shipment.get("tracking_number") or "",
            tracking_url=_web_url(shipment.get("tracking_url")),
            **_about(event),
        )

    return make


def _web_url(text: str | None) -> str:
    """Only what a browser may open; ``javascript:`` and the like are dropped."""
    return text if text and text.lower().startswith(("https://", "http://")) else ""


def _items_inspected(event: Block) -> facts.Fact:
    about = _about(event)
    return facts.ItemsInspected(
        items=_verdicts(event), source=PLATFORM, **{**about, "revision": _judged_at(event, about["revision"])}
    )


def _judged_at(event: Block, revision: int) -> int:
    """The revision at which the units were judged: part of the identity of a verdict.

    A pulled return is further on than its older verdicts; they carry their own revision (``snapshots``).
    """
    own = [item.get("revision") for item in event["data"]["items"]]
    given = [value for value in own if isinstance(value, int) and 0 < value <= revision]
    return min(given, default=revision)


def _inspection_completed(event: Block) -> facts.Fact:
    return facts.InspectionCompleted(items=_verdicts(event), source=PLATFORM, **_about(event))


def _verdicts(event: Block) -> tuple[facts.InspectedItem, ...]:
    return tuple(_verdict(item, event["timestamp"]) for item in event["data"]["items"] if item["quantity"])


def _verdict(item: Block, timestamp: str) -> facts.InspectedItem:
    disposition = disposition_of(item)
    return facts.InspectedItem(
        item_id=item["item_id"],
        quantity=item["quantity"],
        outcome=item["outcome"],
        disposition=disposition,
        # Nothing may move on a word that says nothing.
        is_final=item.get("disposition_final", False) and disposition != UNKNOWN,
        inspected_at=parse_time(item.get("inspected_at") or timestamp),
        sku=item.get("sku") or "",
        grade=item.get("grade") or "",
        reject_reason=cut(item.get("reject_reason"), MAX_REASON),
        location_code=item.get("location_code") or "",
        inspected_by=item.get("inspected_by") or "",
    )


def disposition_of(item: Block) -> str:
    """Our word for a disposition. Goods that never came and yet have a disposition contradict themselves: unknown."""
    disposition = str(item["disposition"])
    if item["outcome"] == NEVER_CAME and disposition != NEVER_CAME:
        return UNKNOWN
    return "write_off" if disposition in WRITE_OFFS else disposition


def _refund_issued(event: Block) -> facts.Fact:
    return _refund(event, _about(event))


def _refund_before_failure(event: Block) -> facts.Fact:
    """A failure shows the refund too, and may be the first we hear of it."""
    issued_at = event["data"]["refund"].get("issued_at") or event["timestamp"]
    return _refund(event, {**_about(event), "occurred_at": parse_time(issued_at)})


def _refund(event: Block, about: dict[str, Any]) -> facts.Fact:
    refund = event["data"]["refund"]
    currency = refund["currency"]
    return facts.RefundIssued(
        refund_id=refund["id"],
        amount=_paid(refund["amount"], currency),
        currency=currency,
        executed_by=cast(facts.ExecutedBy, refund.get("executed_by", "")),
        method=refund.get("method", ""),
        is_instant=refund.get("instant", False),
        items=tuple(_refund_item(item, currency) for item in refund.get("items") or ()),
        shipping=_paid(refund.get("shipping", "0"), currency),
        fees=_paid(refund.get("fees", "0"), currency),
        provider_reference=refund.get("provider_reference") or "",
        **about,
    )


def _refund_item(item: Block, currency: str) -> facts.RefundItem:
    return facts.RefundItem(
        item_id=item["item_id"],
        amount=_paid(item["amount"], currency),
        quantity=item.get("quantity", 0),
        tax=_paid(item["tax"], currency) if "tax" in item else None,
    )


def _paid(text: str, currency: str) -> Decimal:
    """The amount with the currency's digits where none is lost: 76.48 and 76.4800 must be the same statement."""
    amount = Decimal(text)
    return money.rounded(amount, currency=currency) if money.is_exact(amount, currency=currency) else amount


def _refund_failed(event: Block) -> facts.Fact:
    refund = event["data"]["refund"]
    failure = refund.get("failure") or {}
    return facts.RefundFailed(
        refund_id=refund["id"],
        code=failure.get("code") or "not_given",
        message=cut(failure.get("message"), MAX_NAME),
        is_retriable=failure.get("retriable", False),
        **_about(event),
    )


def _exchange_requested(event: Block) -> facts.Fact:
    exchange = event["data"]["exchange"]
    return facts.ExchangeRequested(
        exchange_id=exchange["id"],
        lines=tuple(_exchange_line(line) for line in exchange["lines"]),
        is_instant=exchange.get("instant", False),
        price_difference=Decimal(exchange.get("price_difference", "0")),
        commerce_order_id=exchange.get("commerce_order_id") or "",
        **_about(event),
    )


def _exchange_line(line: Block) -> facts.ExchangeLine:
    return facts.ExchangeLine(
        sku=line["sku"],
        quantity=line["quantity"],
        variant_id=line.get("variant_id") or "",
        unit_price=decimal_of(line.get("unit_price")),
        replaces_item_id=line.get("replaces_item_id") or "",
    )


def _exchange_cancelled(event: Block) -> facts.Fact:
    return facts.ExchangeCancelled(exchange_id=event["data"]["exchange"]["id"], **_about(event))


def _credit(block: str, kind: str) -> Callable[[Block], facts.Fact]:
    def make(event: Block) -> facts.Fact:
        credit = event["data"][block]
        return facts.CreditIssued(
            credit_id=credit["id"],
            kind="gift_card" if kind == "gift_card" else "store_credit",
            amount=_paid(credit["amount"], credit["currency"]),
            currency=credit["currency"],
            bonus=_paid(credit.get("bonus", "0"), credit["currency"]),
            executed_by=cast(facts.ExecutedBy, credit.get("executed_by", "")),
            code_last4=credit.get("code_last4") or "",
            **_about(event),
        )

    return make


def _hold_placed(event: Block) -> facts.Fact:
    risk = event["data"]["risk"]
    return facts.RiskHoldPlaced(
        risk_id=risk["id"], kind=risk["kind"], note=cut(risk.get("note"), MAX_TEXT), **_about(event)
    )


def _hold_released(event: Block) -> facts.Fact:
    return facts.RiskHoldReleased(risk_id=event["data"]["risk"]["id"], **_about(event))


def _charge(stage: str) -> Callable[[Block], facts.Fact]:
    def make(event: Block) -> facts.Fact:
        risk = event["data"]["risk"]
        return facts.RiskCharge(
            risk_id=risk["id"],
            stage=cast(Any, stage),
            kind=risk["kind"],
            amount=decimal_of(risk.get("amount")),
            currency=risk.get("currency") or "",
            liable=risk.get("liable", UNKNOWN),
            **_about(event),
        )

    return make


MAKERS: Final[dict[str, tuple[Callable[[Block], facts.Fact], ...]]] = {
    "return.updated": (),
    "return.requested": (_plain(facts.ReturnRequested),),
    "return.authorised": (_plain(facts.ReturnAuthorised),),
    "return.declined": (_ended(facts.ReturnDeclined),),
    "return.cancelled": (_ended(facts.ReturnCancelled),),
    "return.expired": (_plain(facts.ReturnExpired),),
    "return.closed": (_plain(facts.ReturnClosed),),
    "return.label_created": (_parcel(facts.ParcelLabelled),),
    "return.in_transit": (_parcel(facts.ParcelInTransit),),
    "return.carrier_delivered": (_parcel(facts.ParcelDelivered),),
    "return.received": (_parcel(facts.ParcelReceived),),
    "return.item_inspected": (_items_inspected,),
    "return.inspection_completed": (_inspection_completed,),
    "refund.issued": (_refund_issued,),
    "refund.failed": (_refund_before_failure, _refund_failed),
    "exchange.requested": (_exchange_requested,),
    "exchange.cancelled": (_exchange_cancelled,),
    "credit.issued": (_credit("credit", "store_credit"),),
    "gift_card.issued": (_credit("gift_card", "gift_card"),),
    "risk.hold_placed": (_hold_placed,),
    "risk.hold_released": (_hold_released,),
    "risk.non_return_charged": (_charge("charged"),),
    "risk.charge_failed": (_charge("failed"),),
    "risk.charge_reversed": (_charge("reversed"),),
}
