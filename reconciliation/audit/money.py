"""Doubles and refunds without record on one order. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reconciliation.audit import gaps
from reconciliation.audit.gaps import Apart, Gap
from reconciliation.audit.pairing import (
    BY_PLATFORM,
    Claim,
    Pair,
    Pairing,
    fits,
    goods_lines,
    names,
    names_return,
    other_amount,
    units_back,
)
from reconciliation.wording import amount as in_words
from returnsops.facts import OrderSnapshot, RemoteRefund


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What an audit looks at. ``overdue_before``: decided earlier and not done is a gap, later is work under way."""

    since: datetime
    overdue_before: datetime
    apart_words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MoneyFound:
    """Gaps of money, refunds set apart, and decided refunds that the shop still lacks (open or overdue)."""

    gaps: tuple[Gap, ...]
    apart: tuple[Apart, ...]
    outstanding: tuple[Claim, ...]
    strangers: tuple[RemoteRefund, ...]  # records that pay no return


def compare(pairing: Pairing, frame: Frame) -> MoneyFound:
    """What is left of a pairing, in words. Records from before the window only explain."""
    order = pairing.order
    apart = [(record, why) for record in pairing.records if (why := _why_apart(order, record, frame))]
    for record, _ in apart:
        pairing.records.remove(record)
    found = [*_of_pairs(pairing), *_again(pairing), *_unequal(pairing), *_left(pairing, frame)]
    strangers = [*pairing.records, *(record for record, _ in apart), *(record for _, record in pairing.again)]
    missing = tuple(claim for claim in pairing.claims if claim.is_firm)
    overdue = [_missing(order, claim) for claim in missing if is_due(claim, frame)]
    recent = {record.refund_id for record in order.refunds if record.created_at >= frame.since}
    return MoneyFound(
        gaps=(*(gap for gap in found if gap.refund_id in recent), *overdue),
        apart=tuple(_apart(order, record, why) for record, why in apart if record.refund_id in recent),
        outstanding=missing,
        strangers=tuple(strangers),
    )


def shop_side(order: OrderSnapshot, frame: Frame) -> MoneyFound:
    """What the shop's own records show where no returns can be read: the same refund twice, more than was paid."""
    records = sorted((record for record in order.refunds if record.amount > 0), key=lambda record: record.created_at)
    found: list[Gap] = []
    for number, record in enumerate(records):
        if record.created_at >= frame.since and any(_is_same(order, other, record) for other in records[:number]):
            text = f"{_amount(record)} was refunded before on this order, for the same units or for none named."
            found.append(_gap(order, record, cause=gaps.REFUNDED_TWICE, text=text, amount=record.amount))
    refunded = sum((record.amount for record in records), Decimal(0))
    if refunded > order.total and records[-1].created_at >= frame.since:
        excess = refunded - order.total
        text = f"{in_words(refunded, order.currency)} are refunded of {in_words(order.total, order.currency)} paid."
        found.append(_gap(order, records[-1], cause=gaps.OVER_REFUNDED, text=text, amount=excess))
    return MoneyFound(gaps=tuple(found), apart=(), outstanding=(), strangers=())


def is_due(claim: Claim, frame: Frame) -> bool:
    """Whether a decided refund should long be in the shop."""
    found = claim.returned
    return found.updated_at >= frame.since and (not found.is_open or claim.asked_at < frame.overdue_before)


# --- the parts ------------------------------------------------------------------------------------------------------


def _of_pairs(pairing: Pairing) -> Iterable[Gap]:
    for pair in pairing.pairs:
        if any(claim.executed_by == BY_PLATFORM for claim in pair.claims):
            for record in pair.records:
                if record.is_gateway_paid:
                    yield _twice(pairing.order, pair.claims[0], record)


def _again(pairing: Pairing) -> Iterable[Gap]:
    return [_twice(pairing.order, claim, record) for claim, record in pairing.again]


def _unequal(pairing: Pairing) -> Iterable[Gap]:
    """A decided refund and a record of the same return, with different amounts."""
    for claim in [claim for claim in pairing.claims if claim.is_firm]:
        record = next((record for record in pairing.records if _is_for(pairing, claim, record)), None)
        if record is not None:
            pairing.take([claim], [record])
            yield _differing(pairing.order, claim, record)


def _is_for(pairing: Pairing, claim: Claim, record: RemoteRefund) -> bool:
    if names(record, claim.refund_id) or names_return(record, claim.returned):
        return True
    named = goods_lines(pairing.order, record)
    if named:
        return bool(claim.line_ids & named.keys())
    firm = [other for other in pairing.claims if other.is_firm]
    return len(firm) == 1 and len(pairing.records) == 1


def _left(pairing: Pairing, frame: Frame) -> Iterable[Gap]:
    """Records that pay for nothing: the second of two, units that did not come back, or nobody knows what."""
    for record in list(pairing.records):
        pair = next((pair for pair in pairing.pairs if _is_second(pairing.order, pair, record)), None)
        if pair is not None:
            # The first of two may lie before the window: the one in it is the second then.
            second = record if record.created_at >= frame.since else pair.records[-1]
            yield _twice(pairing.order, pair.claims[0], second)
            continue
        pair = next((pair for pair in pairing.pairs if _is_more_of(pairing.order, pair, record)), None)
        if pair is not None:
            yield _surplus(pairing.order, pair.claims[0], record)
            continue
        yield _unexplained(pairing.order, record)


def _is_second(order: OrderSnapshot, pair: Pair, record: RemoteRefund) -> bool:
    """The amount of a refund that has its record, for lines that fit it."""
    goods = record.amount - other_amount(order, record)
    is_same = any(goods == claim.amount or record.amount == claim.amount for claim in pair.claims)
    is_copy = any(record.amount == paid.amount for paid in pair.records)
    return (is_same or is_copy) and all(fits(order, claim, record) for claim in pair.claims)


def _is_more_of(order: OrderSnapshot, pair: Pair, record: RemoteRefund) -> bool:
    """Units of a return's lines beyond those that came back, or anything more that names the return."""
    named = goods_lines(order, record)
    claim = pair.claims[0]
    if names_return(record, claim.returned):
        return True
    back = units_back(order, claim.returned)
    paid: Counter[str] = Counter(named)
    for other in pair.records:  # one that names no units pays for all that came back
        paid.update(goods_lines(order, other) or back)
    is_too_much = any(paid[line_id] > back[line_id] for line_id in named)
    return bool(named) and named.keys() <= claim.line_ids and is_too_much


def _is_same(order: OrderSnapshot, first: RemoteRefund, second: RemoteRefund) -> bool:
    """The same amount and units, which are more than were sold if both are right; or no units named at all."""
    units, again = goods_lines(order, first), goods_lines(order, second)
    if first.amount != second.amount or units != again:
        return False
    sold = {line.line_id: line.quantity for line in order.lines}
    return not units or any(2 * count > sold[line_id] for line_id, count in units.items())


def _why_apart(order: OrderSnapshot, record: RemoteRefund, frame: Frame) -> str:
    """Why a record is no refund of goods, by its own word; '' where it does not say so."""
    if record.lines and not goods_lines(order, record):
        return "names shipping or fees only"
    word = next((word for word in frame.apart_words if word and word.lower() in record.reason.lower()), "")
    return f"its reason says {word!r}" if word and not goods_lines(order, record) else ""


# --- in words -------------------------------------------------------------------------------------------------------


def _twice(order: OrderSnapshot, claim: Claim, record: RemoteRefund) -> Gap:
    is_both = claim.executed_by == BY_PLATFORM and record.is_gateway_paid
    cause = gaps.PAID_BY_BOTH if is_both else gaps.REFUNDED_TWICE
    how = "the platform paid it, and the shop's gateway paid as well" if is_both else "it was refunded already"
    text = f"{_amount(record)} for return {claim.returned.label}: {how}."
    return _gap(order, record, cause=cause, text=text, amount=record.amount, claim=claim)


def _surplus(order: OrderSnapshot, claim: Claim, record: RemoteRefund) -> Gap:
    text = f"{_amount(record)} beyond what return {claim.returned.label} gives back and was refunded for already."
    return _gap(order, record, cause=gaps.MORE_THAN_DECIDED, text=text, amount=record.amount, claim=claim)


def _differing(order: OrderSnapshot, claim: Claim, record: RemoteRefund) -> Gap:
    decided = in_words(claim.amount, order.currency)
    text = f"{_amount(record)} refunded for return {claim.returned.label}, {decided} decided."
    is_more = record.amount > claim.amount
    cause = gaps.MORE_THAN_DECIDED if is_more else gaps.RECORDED_FOR_LESS
    return _gap(order, record, cause=cause, text=text, amount=abs(record.amount - claim.amount), claim=claim)


def _unexplained(order: OrderSnapshot, record: RemoteRefund) -> Gap:
    author = f" by {record.author}" if record.author else ""
    text = f"{_amount(record)} refunded{author}, and no return explains it."
    return _gap(order, record, cause=gaps.NOT_EXPLAINED, text=text, amount=record.amount)


def _missing(order: OrderSnapshot, claim: Claim) -> Gap:
    found = claim.returned
    payer = "the platform paid" if claim.executed_by == BY_PLATFORM else "the platform decided"
    text = f"{in_words(claim.amount, order.currency)} for return {found.label}: {payer}, the shop has no record of it."
    return Gap(
        cause=gaps.NOT_IN_SHOP,
        text=text,
        happened_at=claim.asked_at,
        order_id=order.order_id,
        order_number=order.number,
        return_id=found.return_id,
        return_number=found.number,
        platform=found.platform,
        refund_id=claim.refund_id,
        amount=claim.amount,
        currency=order.currency,
        evidence={"platform refund": claim.refund_id, "executed by": claim.executed_by or "not said"},
    )


def _gap(
    order: OrderSnapshot,
    record: RemoteRefund,
    *,
    cause: str,
    text: str,
    amount: Decimal,
    claim: Claim | None = None,
) -> Gap:
    found = claim.returned if claim else None
    return Gap(
        cause=cause,
        text=text,
        happened_at=record.created_at,
        order_id=order.order_id,
        order_number=order.number,
        return_id=found.return_id if found else "",
        return_number=found.number if found else "",
        platform=found.platform if found else "",
        refund_id=record.refund_id,
        author=record.author,
        amount=amount,
        currency=order.currency,
        evidence=_evidence(order, record, claim),
    )


def _evidence(order: OrderSnapshot, record: RemoteRefund, claim: Claim | None) -> dict[str, str]:
    units: Sequence[str] = [f"{count} of line {line_id}" for line_id, count in goods_lines(order, record).items()]
    shown = {
        "shop record": record.refund_id,
        "amount of the record": _amount(record),
        "made at": record.created_at.isoformat(),
        "paid by the gateway": "yes" if record.is_gateway_paid else "no",
        "lines": ", ".join(units) or "none",
        "reason given": record.reason[:80] or "none",
    }
    if claim is not None and claim.is_firm:
        shown["platform refund"] = claim.refund_id
        shown["decided amount"] = in_words(claim.amount, order.currency)
        shown["decided at"] = claim.asked_at.isoformat()
        shown["executed by"] = claim.executed_by or "not said"
    return shown


def _apart(order: OrderSnapshot, record: RemoteRefund, why: str) -> Apart:
    return Apart(
        refund_id=record.refund_id, order_id=order.order_id, amount=record.amount, currency=order.currency, why=why
    )


def _amount(record: RemoteRefund) -> str:
    return in_words(record.amount, record.currency)
