"""What the platform says about money into rows: refunds, credits, exchanges, risks."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from returnsops import facts, money, states
from returnsops.models import CreditRequest, Effect, ExchangeRequest, PlatformRefund, ReturnAuthorisation
from returnsops.planning.keys import business_key, content_hash

from .cases import open_for_return


def apply_refund_issued(*, rma: ReturnAuthorisation, fact: facts.RefundIssued, at: datetime) -> None:
    """One row per platform refund id; the highest (revision, time, content) wins whatever arrives last.

    The same content stated again later wins too: a failure before that no longer counts.
    """
    fields = _refund_fields(fact)
    row, is_new = PlatformRefund.objects.get_or_create(
        connection=rma.connection, external_id=fact.refund_id, defaults={"rma": rma, **fields}
    )
    if row.rma_id != rma.pk:
        _report_foreign(rma, row, at=at)
        return
    if is_new or _refund_rank(row) >= (fact.revision, fact.occurred_at, fields["content_hash"]):
        return
    has_new_content = row.content_hash != fields["content_hash"]
    _replace(row, fields)
    if has_new_content:
        _report_conflict(rma, fact, at=at)


def _refund_fields(fact: facts.RefundIssued) -> dict[str, Any]:
    items = [
        {
            "item_id": item.item_id,
            "quantity": item.quantity,
            "amount": format(item.amount, "f"),
            "tax": None if item.tax is None else format(item.tax, "f"),
        }
        for item in fact.items
    ]
    content: dict[str, Any] = {
        "amount": fact.amount,
        "currency": fact.currency,
        "method": fact.method,
        "executed_by": fact.executed_by,
        "is_instant": fact.is_instant,
        "items": items,
        "shipping": fact.shipping,
        "fees": fact.fees,
        "provider_reference": fact.provider_reference,
    }
    hashed = content_hash({name: str(value) for name, value in content.items()})
    return content | {"issued_at": fact.occurred_at, "revision": fact.revision, "content_hash": hashed}


def _refund_rank(row: PlatformRefund) -> tuple[int, datetime, str]:
    return (row.revision, row.issued_at, row.content_hash)


def _replace(row: PlatformRefund | CreditRequest, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if name == "executed_by" and row.executed_by_decided_by:
            continue  # a person decided; the platform's word does not undo it
        setattr(row, name, value)
    row.save()


def _report_foreign(rma: ReturnAuthorisation, row: PlatformRefund | CreditRequest, *, at: datetime) -> None:
    """Ids of refunds and credits are unique at their platform (reveni.md C4): under a second return none counts."""
    what = "refund" if isinstance(row, PlatformRefund) else row.kind.replace("_", " ")
    open_for_return(
        rma=rma,
        kind=states.CASE_REVISION_CONFLICT,
        fingerprint=f"{states.CASE_REVISION_CONFLICT}:{rma.ref}:{row.external_id}",
        cause=(
            f"The platform names {what} {row.external_id} for this return, but the same {what} belongs to return "
            f"{row.rma.label}. Nothing is paid for it here."
        ),
        evidence={what: row.external_id, "belongs to": row.rma.label},
        money_at_risk=row.amount,
        currency=row.currency,
        at=at,
    )


def _report_conflict(rma: ReturnAuthorisation, fact: facts.RefundIssued, *, at: datetime) -> None:
    """The same refund id with other content: what was sent stays, and a person looks at it."""
    key = business_key(states.REFUND, rma.ref, fact.refund_id)
    sent = Effect.objects.filter(key=key, state__in=states.COMMITTED).first()
    if sent is None:
        return
    before = money.display(sent.amount or Decimal(0), currency=sent.currency)
    now = money.display(fact.amount, currency=fact.currency)
    open_for_return(
        rma=rma,
        kind=states.CASE_REVISION_CONFLICT,
        fingerprint=f"{states.CASE_REVISION_CONFLICT}:{key}",
        cause=(
            f"The platform now says {now} for refund {fact.refund_id}, "
            f"but {before} were already sent. Nothing more was sent."
        ),
        evidence={"sent": before, "stated now": now},
        money_at_risk=abs(fact.amount - (sent.amount or fact.amount)),
        currency=fact.currency,
        at=at,
    )


def apply_refund_failed(*, rma: ReturnAuthorisation, fact: facts.RefundFailed) -> None:
    """The platform could not pay; the latest failure counts.

    Known only once the refund itself is: a failure event shows the refund too, and tells it first.
    """
    row = PlatformRefund.objects.filter(rma=rma, external_id=fact.refund_id).first()
    stated = (fact.occurred_at, fact.code[:120], fact.message[:500])
    if row is None or (row.failed_at is not None and (row.failed_at, row.failure_code, row.failure_text) >= stated):
        return
    row.failed_at, row.failure_code, row.failure_text = stated
    row.save(update_fields=["failed_at", "failure_code", "failure_text"])


def apply_credit(*, rma: ReturnAuthorisation, fact: facts.CreditIssued, at: datetime) -> None:
    """Store credit or gift card granted; until a person issued it by hand, the latest statement counts."""
    same = CreditRequest.objects.filter(rma__connection=rma.connection, kind=fact.kind, external_id=fact.credit_id)
    foreign = same.exclude(rma=rma).first()
    if foreign is not None:
        _report_foreign(rma, foreign, at=at)
        return
    fields = {
        "amount": fact.amount,
        "bonus": fact.bonus,
        "currency": fact.currency,
        "executed_by": fact.executed_by,
        "code_last4": fact.code_last4[:8],
        "issued_at": fact.occurred_at,
    }
    row, is_new = CreditRequest.objects.get_or_create(
        rma=rma, kind=fact.kind, external_id=fact.credit_id, defaults=fields
    )
    if is_new or row.settled_at is not None or _credit_rank(row) >= _credit_rank(CreditRequest(**fields)):
        return
    _replace(row, fields)


def _credit_rank(row: CreditRequest) -> tuple[datetime, Any, Any, str, str, str]:
    return (row.issued_at, row.amount, row.bonus, row.currency, row.executed_by, row.code_last4)


def apply_exchange(*, rma: ReturnAuthorisation, fact: facts.ExchangeRequested, at: datetime) -> None:
    """A replacement asked for; the latest statement counts. A cancellation heard of first left a row without lines.

    A wish that was found standing counts from when it can have been made: one made before it was taken back stays so.
    """
    said: dict[str, Any] = {
        "lines": [{**line.__dict__, "unit_price": _text(line.unit_price)} for line in fact.lines],
        "is_instant": fact.is_instant,
        "price_difference": fact.price_difference,
        "requested_at": fact.occurred_at,
    }
    row, _ = ExchangeRequest.objects.get_or_create(
        rma=rma, external_id=fact.exchange_id, defaults={"requested_at": fact.occurred_at}
    )
    is_news = fact.is_wish and not fact.is_repeat and fact.occurred_at > row.requested_at
    if not row.lines or _exchange_rank(row) < _exchange_rank(ExchangeRequest(**said)):
        for name, value in said.items():
            setattr(row, name, value)
    row.commerce_order_id = row.commerce_order_id or fact.commerce_order_id
    if fact.is_wish and not fact.is_repeat:
        made_at = fact.made_after or fact.occurred_at
        row.wished_at = max(row.wished_at or made_at, made_at)
        _stand(row)
    row.save()
    if is_news:
        _ask_if_unclear(rma, row, shown_at=fact.occurred_at, at=at)


def _stand(row: ExchangeRequest) -> None:
    """Of a wish the latest word counts, whichever arrived first; made again after it was taken back, it is wanted."""
    if row.unwished_at is not None:  # else it was never taken back as a wish: what ended it otherwise stands
        row.cancelled_at = None if row.is_renewed else row.unwished_at


def _exchange_rank(row: ExchangeRequest) -> tuple[datetime, str]:
    return (row.requested_at, content_hash([row.lines, row.is_instant, f"{row.price_difference:.4f}"]))


def _ask_if_unclear(rma: ReturnAuthorisation, row: ExchangeRequest, *, shown_at: datetime, at: datetime) -> None:
    """A case where a wish was shown after it was taken back, and may have been made before: nothing is sent for it."""
    if row.unwished_at is None or row.is_renewed or shown_at <= row.unwished_at:
        return
    gone, shown = (moment.strftime("%d %b %Y %H:%M UTC") for moment in (row.unwished_at, shown_at))
    open_for_return(
        rma=rma,
        kind=states.CASE_EXCHANGE_WISH_UNCLEAR,
        fingerprint=f"{states.CASE_EXCHANGE_WISH_UNCLEAR}:{rma.ref}:{row.external_id}",
        cause=(
            f"Exchange {row.external_id} was cancelled ({gone}), and the platform showed the wish afterwards ({shown}) "
            "without saying when it was made. It stays cancelled, and nothing is sent for it."
        ),
        evidence={"exchange": row.external_id, "wanted": row.wanted, "cancelled": gone, "shown": shown},
        at=at,
    )


def apply_exchange_cancelled(*, rma: ReturnAuthorisation, fact: facts.ExchangeCancelled, at: datetime) -> None:
    """The replacement was withdrawn; known or not yet."""
    row, _ = ExchangeRequest.objects.get_or_create(
        rma=rma, external_id=fact.exchange_id, defaults={"requested_at": fact.occurred_at}
    )
    is_news = fact.is_wish and (row.unwished_at is None or fact.occurred_at > row.unwished_at)
    if fact.is_wish:
        row.unwished_at = max(row.unwished_at or fact.occurred_at, fact.occurred_at)
        _stand(row)
    elif row.cancelled_at is None or fact.occurred_at < row.cancelled_at:
        row.cancelled_at = fact.occurred_at
    row.save(update_fields=["cancelled_at", "unwished_at"])
    if is_news:
        _ask_if_unclear(rma, row, shown_at=row.requested_at, at=at)


def apply_risk(*, rma: ReturnAuthorisation, fact: facts.ReturnFact) -> None:
    """Hold, release and charge are kept per risk id with their times; the hold stands while none released it."""
    entry = RISK_ENTRIES[type(fact)](fact)
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for risk in sorted([*rma.risks, entry], key=_statement_rank):
        newest[risk["risk_id"], risk["stage"]] = risk
    rma.risks = sorted(newest.values(), key=lambda risk: (risk["risk_id"], risk["at"], risk["stage"]))
    rma.is_on_risk_hold = any(_stands(risk, rma.risks) for risk in rma.risks if risk["stage"] == "hold")


def _statement_rank(risk: Mapping[str, Any]) -> tuple[str, str]:
    """Of one stage the latest statement counts, never the last to arrive; times are all in UTC."""
    return (risk["at"], content_hash(dict(risk)))


def _stands(hold: Mapping[str, Any], risks: list[Mapping[str, Any]]) -> bool:
    """A hold without a release of the same risk at or after it."""
    return not any(
        risk["stage"] == "released" and risk["risk_id"] == hold["risk_id"] and risk["at"] >= hold["at"]
        for risk in risks
    )


def _hold(fact: facts.RiskHoldPlaced) -> dict[str, Any]:
    return {"risk_id": fact.risk_id, "stage": "hold", "kind": fact.kind, "at": fact.occurred_at.isoformat()}


def _release(fact: facts.RiskHoldReleased) -> dict[str, Any]:
    return {"risk_id": fact.risk_id, "stage": "released", "kind": "", "at": fact.occurred_at.isoformat()}


def _charge(fact: facts.RiskCharge) -> dict[str, Any]:
    return {
        "risk_id": fact.risk_id,
        "stage": fact.stage,
        "kind": fact.kind,
        "at": fact.occurred_at.isoformat(),
        "amount": _text(fact.amount),
        "currency": fact.currency,
        "liable": fact.liable,
    }


RISK_ENTRIES: Mapping[type[facts.ReturnFact], Callable[[Any], dict[str, Any]]] = {
    facts.RiskHoldPlaced: _hold,
    facts.RiskHoldReleased: _release,
    facts.RiskCharge: _charge,
}


def _text(amount: Any) -> str | None:
    return None if amount is None else format(amount, "f")
