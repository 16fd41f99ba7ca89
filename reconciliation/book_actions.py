"""What finance can do about a case of the books: match by hand, set aside, accept, book rounding, look again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from connectors.registry import utc_now
from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from reconciliation import book_cases, books_of_shop, postings, settlements
from reconciliation.models import Posting, SettlementLine
from returnsops import money
from returnsops.models import Connection

Data = Mapping[str, Any]


def match_again(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Post and match whatever can be; the case closes by itself where it is solved."""
    book_cases.refresh(connection=_shop_of(case), at=at)
    return "Matched again."


def is_gone(case: ExceptionCase) -> bool:
    """The queue's re-check."""
    connection, at = _shop_of(case), utc_now()
    posted, matching = book_cases.refresh(connection=connection, at=at)
    wanted = book_cases.wanted_cases(connection=connection, posted=posted, matching=matching, at=at)
    return (case.kind_code, case.fingerprint) not in {one.identity for one in wanted}


def pays(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """A person says which refund the line pays."""
    line = settlements.pays(
        line_id=_line_of(case).pk, posting_id=int(data["posting"]), by=str(by), at=at, why=reason
    )  # fmt: skip
    book_cases.refresh(connection=line.connection, at=at)
    return f"The line pays {line.posting}."


def set_aside(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The line is no refund of these books."""
    settlements.set_aside(line_id=_line_of(case).pk, by=str(by), at=at, why=reason)
    return "Set aside; it stays on record."


def accept_difference(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """The amounts differ, and that is right."""
    settlements.accept_difference(line_id=_line_of(case).pk, by=str(by), at=at, why=reason)
    return "Accepted as it is."


def settle_elsewhere(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """These refunds were settled without a line."""
    connection = _shop_of(case)
    _, month, gateway, currency = book_cases.names_of(case.subject_id)
    late = book_cases.overdue(connection, books_of_shop.settings_of(connection), at=at)
    wanted = (month, gateway, currency)
    ids = [row.pk for row in late if (row.batch.period.name, row.gateway, row.currency) == wanted]
    count = settlements.settle_elsewhere(posting_ids=ids, by=str(by), at=at, why=reason)
    if not count:
        raise CaseError("Every one of these refunds has its line meanwhile; match again.")
    return f"{count} refunds were settled without a line."


def book_rounding(*, case: ExceptionCase, by: User | str, at: datetime, reason: str, data: Data) -> str:
    """Book the drift as it is now."""
    connection = _shop_of(case)
    _, _, gateway, currency = book_cases.names_of(case.subject_id)
    minor = book_cases.drifts(connection, books_of_shop.settings_of(connection)).get((gateway, currency), 0)
    posting = postings.post_rounding(
        connection=connection, gateway=gateway, currency=currency, minor=minor, by=str(by), at=at, why=reason
    )
    return f"Booked {money.display(posting.amount, currency=currency)} as rounding in {posting.batch.period}."


def refunds_for_line(case: ExceptionCase) -> list[tuple[str, str]]:
    """Refunds that the line may pay, the likely ones first."""
    return choices(_line_of(case))


def choices(line: SettlementLine) -> list[tuple[str, str]]:
    """The same for a page."""
    return [(str(row.pk), choice_words(row)) for row in settlements.choices_for(line)]


def choice_words(row: Posting) -> str:
    """One refund as people tell it from others."""
    amount = money.display(row.amount, currency=row.currency)
    order = row.order.number or row.order.external_id if row.order is not None else "none"
    record = row.refund.external_id if row.refund is not None else "none"
    return f"{amount} on {row.happened_at:%d %b %Y}, order {order}, refund {record}"


def _line_of(case: ExceptionCase) -> SettlementLine:
    line = SettlementLine.objects.select_related("connection", "settlement").filter(pk=int(case.subject_id)).first()
    if line is None:
        raise CaseError("The line is gone.")
    return line


def _shop_of(case: ExceptionCase) -> Connection:
    name = case.group_key.removeprefix("books:")
    connection = Connection.objects.filter(name=name).first()
    if connection is None:
        raise CaseError("The shop of this case is gone.")
    return connection
