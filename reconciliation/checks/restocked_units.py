"""Units put back into stock here and in the shop, and against what the verdicts call sellable for good. Pure.

A restock is a refund record without money that carries our key (woocommerce-observed.md section 9), or a movement of
stock beside the order whose id we hold (shopify.md section 10). What people put back by hand shows only in what the
order line still holds of the sale's stock (``reduced_stock``).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from reconciliation import causes
from reconciliation.books import (
    UNITS,
    Comparison,
    Difference,
    JudgedItem,
    LedgerEffect,
    OrderBook,
    Side,
    Total,
    joined,
    owners,
    silent,
)
from reconciliation.wording import effect_words, state_words, units
from returnsops import states
from returnsops.facts import OrderLineSnapshot, RemoteRefund

ADOPTED = "A person found the restock in the shop's own history, which cannot be asked for it."
RESTOCK_PREFIX = f"{states.RESTOCK}:"
LIVE = states.UNSENT | states.IN_FLIGHT
_SIGN = {states.RESTOCK: 1, states.TAKE_OUT: -1}


def compare(*, orders: Sequence[OrderBook]) -> Comparison:
    """Restock effects against their records, restock records against effects, restocked against sellable units."""
    return joined(_of_order(book) for book in orders)


def _of_order(book: OrderBook) -> Comparison:
    owner_of = owners(book, frozenset({states.RESTOCK}))
    records = [record for record in book.records if record.is_zero_money]
    effects = [effect for effect in book.effects if effect.kind == states.RESTOCK]
    parts = [
        _of_effect(book, effect, [record for record in records if owner_of.get(record.refund_id) == effect.key])
        for effect in effects
    ]
    unknown = [record for record in records if record.refund_id not in owner_of]
    parts.extend(_unknown(book, record) for record in unknown if record.key.startswith(RESTOCK_PREFIX))
    if book.snapshot is not None:
        parts.extend(_of_item(book, item) for item in book.judged)
        parts.extend(_by_hand(book, effects, owner_of))
    return joined(parts)


# --- effects and records ---------------------------------------------------------------------------------------------


def _of_effect(book: OrderBook, effect: LedgerEffect, records: list[RemoteRefund]) -> Comparison:
    if effect.is_moving:
        return Comparison()
    there = sum(_units_named(record, effect.line_id) for record in records)
    if not effect.is_settled:
        if not records:
            return Comparison()
        return _found(book, effect, records, cause=causes.RESTOCK_NOT_SETTLED, side="only_there", here=0, there=there)
    here = effect.quantity
    if not records and effect.remote_id in book.unshown:
        return silent(ADOPTED)
    if not records:
        return _found(book, effect, records, cause=_why_missing(book, effect), side="only_here", here=here, there=0)
    if len(records) == 1 and {(line.line_id, line.quantity) for line in records[0].lines} == {(effect.line_id, here)}:
        return Comparison(matched=1, totals={UNITS: Total(here=Decimal(here), there=Decimal(there))})
    cause = causes.RESTOCKED_TWICE if len(records) > 1 else causes.RESTOCK_DIFFERS
    return _found(book, effect, records, cause=cause, side="mismatched", here=here, there=there)


def _why_missing(book: OrderBook, effect: LedgerEffect) -> str:
    if book.snapshot is None:
        return causes.ORDER_GONE
    gone = {refund.refund_id for refund in book.refunds if refund.is_vanished}
    return causes.RESTOCK_DELETED if effect.remote_id in gone else causes.RESTOCK_MISSING


def _found(
    book: OrderBook,
    effect: LedgerEffect,
    records: Sequence[RemoteRefund],
    *,
    cause: str,
    side: Side,
    here: int,
    there: int,
) -> Comparison:
    found = Difference(
        order_id=book.order_id,
        subject=f"effect:{effect.effect_id}",
        cause=cause,
        side=side,
        about=effect_words(effect),
        here=units(here) if effect.is_settled else state_words(effect.state),
        there=", ".join(units(_units_named(record, "")) for record in records) or "nothing",
        quantity=abs(here - there) or effect.quantity,
        effect_id=effect.effect_id,
        refund_id=records[0].refund_id if records else effect.remote_id,
        return_id=effect.return_id or book.only_return_id,
        evidence={
            "units": {"here": {"units": here, "line": effect.line_id, "state": state_words(effect.state)}},
            "key": effect.key,
            "records": [_shown(record) for record in records] or "none",
        },
    )
    return Comparison(findings=(found,), totals={UNITS: Total(here=Decimal(here), there=Decimal(there))})


def _unknown(book: OrderBook, record: RemoteRefund) -> Comparison:
    """A restock record with a key like ours that no effect has."""
    count = _units_named(record, "")
    found = Difference(
        order_id=book.order_id,
        subject=f"refund:{record.refund_id}",
        cause=causes.RESTOCK_UNKNOWN,
        side="only_there",
        about=f"Restock record {record.refund_id}",
        here="nothing",
        there=units(count),
        quantity=count,
        refund_id=record.refund_id,
        return_id=book.only_return_id,
        evidence={"record": _shown(record), "key": record.key},
    )
    return Comparison(findings=(found,), totals={UNITS: Total(there=Decimal(count))})


def _units_named(record: RemoteRefund, line_id: str) -> int:
    """Units a record names, of one line or ('') of all."""
    return sum(line.quantity for line in record.lines if line_id in ("", line.line_id))


# --- against the verdicts --------------------------------------------------------------------------------------------


def _of_item(book: OrderBook, item: JudgedItem) -> Comparison:
    """Units of one returned item: restocked by us, less taken out again, against sellable by the verdicts in force."""
    mine = [
        effect
        for effect in book.effects
        if effect.kind in _SIGN and effect.return_id == item.return_id and effect.item_id == item.item_id
    ]
    restocked = sum(_SIGN[effect.kind] * effect.quantity for effect in mine if effect.is_settled)
    coming = sum(
        _SIGN[effect.kind] * effect.quantity for effect in mine if not effect.is_settled and effect.state in LIVE
    )
    if any(effect.is_moving for effect in mine):
        return Comparison()
    if restocked + min(coming, 0) > item.sellable and not item.is_excess_accepted:
        return _judged(book, item, cause=causes.MORE_THAN_SELLABLE, side="mismatched", restocked=restocked)
    if restocked + coming + item.by_hand < item.sellable and not (item.is_lack_accepted or item.is_excess_accepted):
        return _judged(book, item, cause=causes.NOT_RESTOCKED, side="only_here", restocked=restocked)
    return Comparison(matched=1)


def _judged(book: OrderBook, item: JudgedItem, *, cause: str, side: Side, restocked: int) -> Comparison:
    found = Difference(
        order_id=book.order_id,
        subject=f"item:{item.return_id}:{item.item_id}",
        cause=cause,
        side=side,
        about=item.name,
        here=units(item.sellable),
        there=units(restocked),
        quantity=abs(restocked - item.sellable),
        return_id=item.return_id,
        evidence={"units": {"sellable": {"units": item.sellable}, "restocked": {"units": restocked}}},
    )
    return Comparison(findings=(found,))


def _by_hand(book: OrderBook, effects: Sequence[LedgerEffect], owner_of: dict[str, str]) -> Iterable[Comparison]:
    """Lines that a return names: units back in stock beyond our records, and beyond what is sellable."""
    assert book.snapshot is not None  # the caller asked
    moving = {effect.line_id for effect in effects if effect.is_moving}
    for line in book.snapshot.lines:
        items = [item for item in book.judged if item.line_id == line.line_id]
        if not items or line.reduced_stock is None or line.line_id in moving:
            continue
        by_us = sum(_units_named(record, line.line_id) for record in book.records if record.refund_id in owner_of)
        beside = sum(_units_named(record, line.line_id) for record in book.stock_records or ())
        back = line.quantity - line.reduced_stock + beside
        allowed = sum(item.sellable for item in items) + _explained(book, line.line_id)
        is_accepted = any(item.is_excess_accepted or item.is_lack_accepted for item in items)
        if back > by_us and back > allowed and not is_accepted:
            yield _hand_found(book, line, items[0], back=back, ours=min(by_us, allowed))


def _explained(book: OrderBook, line_id: str) -> int:
    """Units of the line in refunds made outside that people explained: they may have come back with those."""
    explained = {refund.refund_id for refund in book.refunds if refund.explanation in ("return", "unrelated", "policy")}
    return sum(_units_named(record, line_id) for record in book.records if record.refund_id in explained)


def _hand_found(book: OrderBook, line: OrderLineSnapshot, item: JudgedItem, *, back: int, ours: int) -> Comparison:
    found = Difference(
        order_id=book.order_id,
        subject=f"line:{line.line_id}",
        cause=causes.RESTOCKED_BY_HAND,
        side="only_there",
        about=line.name or f"Line {line.line_id}",
        here=units(ours),
        there=units(back),
        quantity=back - ours,
        return_id=item.return_id,
        evidence={
            "units": {
                "sold": {"units": line.quantity},
                "still_taken_from_stock": {"units": line.reduced_stock},
                "restocked_by_us": {"units": ours},
            }
        },
    )
    return Comparison(findings=(found,))


def _shown(record: RemoteRefund) -> dict[str, str]:
    lines = ", ".join(f"{line.quantity} of line {line.line_id}" for line in record.lines)
    return {"record": record.refund_id, "lines": lines or "none", "made_at": record.created_at.isoformat()}
