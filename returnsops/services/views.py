"""Rows into the frozen view that the plan is computed from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Q

from returnsops import states
from returnsops.facts import ExchangeLine, RefundItem
from returnsops.models import Effect, Refund, ReturnAuthorisation, Waiver
from returnsops.planning import view as v
from returnsops.planning.keys import content_hash
from returnsops.planning.shop_returns import units_hash

from . import platforms
from . import view_reads as reads
from .credit_sums import bonus_of, outside_credits
from .order_documents import refund_lines_from
from .order_rows import refunds_of, snapshot_of
from .proposals import ground_of

# A shop's clock may be a little behind ours when a refund is attributed to an attempt in flight.
CLOCK_SKEW = timedelta(minutes=5)


def view_of(rma: ReturnAuthorisation) -> v.ReturnView:
    """Everything the plan of one return may look at, read inside the caller's transaction."""
    on_order = _on_order(rma)
    order = snapshot_of(rma.order, refunds=on_order.refunds) if rma.order is not None else None
    commerce = rma.route.commerce if rma.route else None
    shop_refunds = _shop_refunds(rma, on_order)
    return v.ReturnView(
        ref=rma.ref,
        number=rma.label,
        status=rma.status,
        mode=rma.mode,  # type: ignore[arg-type]
        resolution=rma.resolution,  # type: ignore[arg-type]
        currency=rma.currency,
        lines=_lines(rma),
        order_id=rma.order_external_id,
        order=order,
        place_on_order=sum(1 for pk in on_order.other_returns if pk < rma.pk) + 1,
        commerce=commerce.name if commerce else "",
        order_wanted_until_at=rma.order_wanted_until_at,
        verdicts=_verdicts(rma),
        payouts=tuple(_payout(row) for row in reads.PAYOUTS.objects(rma_id=rma.pk)),
        shop_refunds=shop_refunds,
        credits=tuple(_credit(row) for row in reads.CREDITS.objects(rma_id=rma.pk)),
        exchanges=tuple(_exchange(row) for row in reads.EXCHANGES.objects(rma_id=rma.pk)),
        parcels=tuple(_parcel(row) for row in reads.PARCELS.objects(rma_id=rma.pk)),
        risks=tuple(_risk(entry) for entry in rma.risks),
        is_on_risk_hold=rma.is_on_risk_hold,
        effects=tuple(_effect(row) for row in on_order.effects if row.rma_id == rma.pk),
        sibling_effects=tuple(_effect(row) for row in on_order.effects if _is_reserved_by_others(row, rma)),
        credited_elsewhere=_credited_elsewhere(rma, on_order),
        siblings=_sibling_returns(rma, on_order, shop_refunds),
        open_returns=on_order.open_returns,
        waivers=tuple(_waiver(row) for row in reads.WAIVERS.objects(rma_id=rma.pk)),
        requested_at=rma.requested_at,
        authorised_at=rma.authorised_at,
        in_transit_at=rma.in_transit_at,
        delivered_at=rma.delivered_at,
        received_at=rma.received_at,
        inspected_at=rma.inspected_at,
        ended_at=rma.ended_at,
        return_by_at=rma.return_by_at,
        shop_time_zone=commerce.time_zone if commerce else "UTC",
        is_live=is_live(rma),
        is_released=rma.released_at is not None,
        locations=_locations(rma),
        platform_pays=platforms.pays(rma.connection),
        write_backs=frozenset(rma.connection.settings.get("write_back", {})),
        platform_shows={
            message: {field: frozenset(values) for field, values in fields.items()}
            for message, fields in rma.platform_shows.items()
        },
    )


@dataclass(frozen=True, kw_only=True)
class _OnOrder:
    """What is known of a return's order beside its lines, read once; of a return without order, its own effects."""

    effects: tuple[Effect, ...]  # of the return and of its order
    refunds: tuple[Refund, ...] = ()  # vanished ones too
    other_returns: tuple[int, ...] = ()  # our rows, oldest first
    open_returns: tuple[v.BesideView, ...] = ()


def _on_order(rma: ReturnAuthorisation) -> _OnOrder:
    if rma.order is None:
        return _OnOrder(effects=tuple(reads.EFFECTS.objects(rma_id=rma.pk)))
    ids = {"rma_id": rma.pk, "order_id": rma.order.pk}
    others = tuple(reads.OTHER_RETURNS.rows(**ids))
    return _OnOrder(
        effects=tuple(reads.EFFECTS_ON_ORDER.objects(**ids)),
        refunds=tuple(refunds_of(rma.order)),
        other_returns=tuple(pk for pk, *_ in others),
        open_returns=tuple(
            v.BesideView(ref=f"{platform}/{external_id}", resolution=resolution)
            for _, status, route_id, platform, external_id, resolution in others
            if route_id == rma.route_id and status not in states.RETURN_ENDED
        ),
    )


def is_live(rma: ReturnAuthorisation) -> bool:
    """Whether effects of this return may be sent: a live route, and begun since then or released by a person."""
    route = rma.route
    if route is None or route.mode != states.ROUTE_LIVE or route.live_from is None:
        return False
    begun_at = rma.requested_at or rma.created_at
    return begun_at >= route.live_from or rma.released_at is not None


def begun_since(moment: datetime | F, *, of: str = "") -> Q:
    """Returns begun at or after a moment, as ``is_live`` counts it; ``of`` is the path to the return, as in 'rma__'."""
    is_untold = Q(**{f"{of}requested_at__isnull": True})
    return Q(**{f"{of}requested_at__gte": moment}) | is_untold & Q(**{f"{of}created_at__gte": moment})


def _lines(rma: ReturnAuthorisation) -> tuple[v.LineView, ...]:
    """By the platform's ids, never by our own: the view must not depend on what arrived first."""
    return tuple(_line(row) for row in reads.LINES.objects(rma_id=rma.pk))


def _verdicts(rma: ReturnAuthorisation) -> tuple[v.VerdictView, ...]:
    return tuple(_verdict(row) for row in reads.VERDICTS.objects(rma_id=rma.pk))


def _line(line: Any) -> v.LineView:
    order_line = line.order_line
    is_there = order_line is not None and not order_line.is_removed
    return v.LineView(
        item_id=line.external_id,
        order_line_id=order_line.external_id if is_there else "",
        sku=line.sku,
        quantity=line.quantity,
        resolution=line.resolution,
        name=line.name,
        reason_code=line.reason.code if line.reason else None,
        reason_source=line.reason_source_code,
        total=line.total,
    )


def _verdict(row: Any) -> v.VerdictView:
    return v.VerdictView(
        item_id=row.item_external_id,
        source=row.source,
        quantity=row.quantity,
        disposition=row.disposition,
        is_final=row.is_final,
        outcome=row.outcome,
        inspected_at=row.inspected_at,
        sku=row.sku,
        is_recount=row.is_recount,
    )


def _payout(row: Any) -> v.PayoutView:
    return v.PayoutView(
        refund_id=row.external_id,
        amount=row.amount,
        currency=row.currency,
        executed_by=row.executed_by,
        issued_at=row.issued_at,
        items=tuple(_refund_item(item) for item in row.items),
        shipping=row.shipping,
        fees=row.fees,
        is_failed=row.failed_at is not None and row.failed_at >= row.issued_at,
        failure_text=row.failure_text or row.failure_code,
        is_instant=row.is_instant,
        provider_reference=row.provider_reference,
    )


def _refund_item(item: Mapping[str, Any]) -> RefundItem:
    tax = item.get("tax")
    return RefundItem(
        item_id=item["item_id"],
        quantity=item["quantity"],
        amount=Decimal(item["amount"]),
        tax=None if tax is None else Decimal(tax),
    )


def _shop_refunds(rma: ReturnAuthorisation, on_order: _OnOrder) -> tuple[v.ShopRefundView, ...]:
    """All refunds with money that stand on the order, each with whose it is."""
    in_flight_since = _money_in_flight_since(rma, on_order)
    # One that paid for this return is missed when it is gone.
    rows = [row for row in on_order.refunds if row.amount and (row.vanished_at is None or row.rma_id == rma.pk)]
    return tuple(_shop_refund(row, _attribution(row, rma, in_flight_since)) for row in rows)


def _shop_refund(row: Refund, attribution: v.Attribution) -> v.ShopRefundView:
    return v.ShopRefundView(
        refund_id=row.external_id,
        amount=row.amount,
        currency=row.currency,
        refunded_at=row.refunded_at,
        attribution=attribution,
        lines=refund_lines_from(row.lines),
        key=row.key.rpartition("#")[0] or row.key if row.origin == Refund.OURS else "",
        author=row.author,
        reason=row.reason,
        is_for_people=bool(row.attributed_by) and attribution == "unattributed",
    )


def _attribution(row: Refund, rma: ReturnAuthorisation, in_flight_since: datetime | None) -> v.Attribution:
    if row.origin == Refund.OURS:
        return "ours"
    if row.vanished_at is not None and row.attributed_at is not None and row.attributed_at < row.vanished_at:
        return "vanished"
    if row.rma_id is not None:
        return "this_return" if row.rma_id == rma.pk else "other_return"
    if row.is_unrelated:
        return "unrelated"
    if in_flight_since is not None and row.refunded_at >= in_flight_since - CLOCK_SKEW:
        # It may be the one whose answer we lost: not "made outside" before that attempt settles.
        return "other_return"
    return "unattributed"


def _money_in_flight_since(rma: ReturnAuthorisation, on_order: _OnOrder) -> datetime | None:
    of_order = [row for row in on_order.effects if row.order_id is not None and row.order_id == rma.order_id]
    in_flight = [row for row in of_order if row.kind in states.MONEY_KINDS and row.state in states.IN_FLIGHT]
    return min((row.first_attempt_at for row in in_flight if row.first_attempt_at), default=None)


def _parcel(row: Any) -> v.ParcelView:
    return v.ParcelView(tracking_number=row.tracking_number, tracking_url=row.tracking_url)


def _credit(row: Any) -> v.CreditView:
    return v.CreditView(
        credit_id=row.external_id,
        kind=row.kind,
        amount=row.amount,
        currency=row.currency,
        executed_by=row.executed_by,
        is_settled=row.settled_at is not None,
        bonus=row.bonus,
        is_withdrawn=row.withdrawn_at is not None,
    )


def _exchange(row: Any) -> v.ExchangeView:
    return v.ExchangeView(
        exchange_id=row.external_id,
        lines=tuple(_exchange_line(line, row.choices) for line in row.lines),
        is_cancelled=row.cancelled_at is not None,
        is_settled=row.settled_at is not None,
        commerce_order_id=row.commerce_order_id,
        is_instant=row.is_instant,
        price_difference=row.price_difference,
        is_renewed=row.is_renewed,
    )


def _exchange_line(line: Mapping[str, Any], choices: Iterable[Mapping[str, str]]) -> ExchangeLine:
    """The line as the platform asked for it, or what a person chose instead of exactly that."""
    price = line.get("unit_price")
    chosen = {name: line.get(name) or "" for name in ("sku", "variant_id")}
    for choice in choices:
        if {name: choice[name] for name in chosen} == chosen:
            chosen = {"sku": choice["new_sku"], "variant_id": choice["new_variant_id"]}
    return ExchangeLine(**{**line, **chosen, "unit_price": None if price is None else Decimal(price)})


def _risk(entry: Mapping[str, Any]) -> v.RiskView:
    amount = entry.get("amount")
    return v.RiskView(
        risk_id=entry["risk_id"],
        kind=entry["kind"],
        stage=entry["stage"],
        amount=None if amount is None else Decimal(amount),
        currency=entry.get("currency", ""),
        liable=entry.get("liable", ""),
    )


def _is_reserved_by_others(row: Effect, rma: ReturnAuthorisation) -> bool:
    """Live money, credit or stock of another return, or of nobody's return, on the same order: a reservation."""
    is_live = row.state in states.COMMITTED or row.state in states.UNSENT
    is_of_value = row.kind in states.VALUE_KINDS or row.kind in states.STOCK_KINDS or row.kind == states.VOID_CREDIT
    return row.rma_id != rma.pk and is_live and is_of_value


def _credited_elsewhere(rma: ReturnAuthorisation, on_order: _OnOrder) -> Decimal:
    if rma.order is None or not on_order.other_returns:
        return Decimal(0)
    return outside_credits(returns=on_order.other_returns, currency=rma.order.currency)


def _sibling_returns(
    rma: ReturnAuthorisation, on_order: _OnOrder, refunds: Iterable[v.ShopRefundView]
) -> tuple[v.SiblingView, ...]:
    """Other returns of the order; read only where a refund or a restock by hand may have been for one of them."""
    if rma.order is None or not on_order.other_returns:
        return ()
    outside = [row for row in on_order.refunds if row.origin == Refund.EXTERNAL and row.vanished_at is None]
    is_unclear = any(refund.attribution == "unattributed" for refund in refunds)
    if not is_unclear and not any(row.lines for row in outside):
        return ()
    rows = rma.order.returns.exclude(pk=rma.pk).exclude(status__in=sorted(states.RETURN_ENDED))
    return tuple(_sibling(row) for row in rows.order_by("external_id"))


def _sibling(row: ReturnAuthorisation) -> v.SiblingView:
    return v.SiblingView(
        ref=row.ref,
        number=row.label,
        lines=_lines(row),
        payouts=tuple(_payout(refund) for refund in reads.PAYOUTS.objects(rma_id=row.pk)),
        requested_at=row.requested_at,
        received_at=row.received_at,
    )


def _effect(row: Effect) -> v.EffectView:
    return v.EffectView(
        key=row.key,
        kind=row.kind,
        state=row.state,
        origin=row.origin,
        generation=row.generation,
        item_id=row.item_external_id,
        quantity=row.quantity,
        amount=row.amount,
        currency=row.currency,
        lines=refund_lines_from(row.payload["lines"]) if row.kind == states.REFUND else (),
        covered=Decimal(row.payload.get("covered", "0")) if row.kind == states.REFUND else Decimal(0),
        payload_hash=row.payload_hash,
        is_approved=row.is_approved,
        error_code=row.error_code,
        error_text=row.error_text,
        remote_id=row.remote_id,
        bonus=bonus_of(row),
        ground=ground_of(row) if row.origin == states.ORIGIN_PERSON else "",
        lines_hash=_lines_hash(row),
    )


def _lines_hash(row: Effect) -> str:
    if row.kind in (states.OPEN_RETURN, states.EDIT_RETURN):
        return units_hash(row.payload["lines"])
    return content_hash(row.payload["lines"]) if row.kind == states.EXCHANGE else ""


def _waiver(row: Waiver) -> v.WaiverView:
    return v.WaiverView(hold_code=row.hold_code, effect_key=row.effect_key, subject=row.subject)


def _locations(rma: ReturnAuthorisation) -> dict[str, str]:
    if rma.route is None:
        return {}
    rows = reads.PLACES.rows(route_id=rma.route.pk)
    general = {disposition: code for disposition, channel, code in rows if not channel}
    special = {disposition: code for disposition, channel, code in rows if channel and channel == rma.channel}
    return general | special
