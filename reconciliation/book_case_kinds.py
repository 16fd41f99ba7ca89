"""Kinds of cases of the books: owner, deadline, meaning, and what fixes them (screens and handbook follow)."""

from typing import Final

from exceptions_queue.kinds import ActionField, CaseAction, CaseKind, Severity, register
from reconciliation import book_actions as run
from reconciliation import book_cases
from returnsops import states

MATCH: Final = "reconciliation.match_line"
MATCH_AGAIN: Final = CaseAction(
    code="match_again",
    label="Match again",
    run=run.match_again,
    help="Posts what was confirmed and matches what can be; the case closes by itself if it is solved.",
)
PAYS: Final = CaseAction(
    code="line_pays",
    label="It pays this refund",
    run=run.pays,
    permission=MATCH,
    needs_reason=True,
    fields=(ActionField(name="posting", label="Refund", kind="choice", choices=run.refunds_for_line),),
    help="Refunds of the same order or payment stand first.",
)
SET_ASIDE: Final = CaseAction(
    code="set_line_aside",
    label="No refund of ours",
    run=run.set_aside,
    permission=MATCH,
    needs_reason=True,
    is_resolving=True,
    help="For example a refund of another shop on the same account. The line stays on record.",
)
ACCEPT: Final = CaseAction(
    code="accept_line",
    label="Accept the difference",
    run=run.accept_difference,
    permission=MATCH,
    needs_reason=True,
    is_resolving=True,
    help="It stays on record with your name and reason.",
)
ELSEWHERE: Final = CaseAction(
    code="settle_elsewhere",
    label="Settled without a statement",
    run=run.settle_elsewhere,
    permission=MATCH,
    needs_reason=True,
    is_resolving=True,
    help="For all refunds of this case, for example paid from another account.",
)
BOOK: Final = CaseAction(
    code="book_rounding",
    label="Book it as rounding",
    run=run.book_rounding,
    permission=MATCH,
    needs_reason=True,
    is_resolving=True,
    help="Posts exactly the drift in the month that is open, so that the books agree with the gateway.",
)


def register_all() -> None:
    """Register every kind with the queue; the teams are there already."""
    for kind in (*_of_lines(), *_of_sums()):
        register(kind)


def _kind(
    code: str,
    title: str,
    severity: Severity,
    meaning: str,
    cause: str,
    fix: tuple[str, ...],
    *actions: CaseAction,
) -> CaseKind:
    return CaseKind(
        code=code,
        title=title,
        owner_team=states.FIN,
        severity=severity,
        sla_hours=24,
        meaning=meaning,
        likely_cause=cause,
        how_to_fix=fix,
        actions=(*actions, MATCH_AGAIN),
        recheck=run.is_gone,
        can_be_closed_by_hand=False,
    )


def _of_lines() -> tuple[CaseKind, ...]:
    return (
        _kind(
            book_cases.CASE_LINE_WITHOUT_REFUND,
            "A payout of the gateway without a refund",
            Severity.HIGH,
            "The gateway's statement names a refund that is matched to none of ours, or more than one fits.",
            "A refund made at the gateway itself, another shop on the account, or an order that was not read yet.",
            (
                "Look the payment up at the gateway with the references below.",
                "Say which refund it pays, or that it is none of ours.",
            ),
            PAYS,
            SET_ASIDE,
        ),
        _kind(
            book_cases.CASE_LINE_DIFFERS,
            "The gateway paid out another amount",
            Severity.HIGH,
            "A line of the statement pays a refund, and the amounts differ by more than rounding.",
            "A refund changed at the gateway, or the wrong refund was matched.",
            ("Compare the line with the refund.", "Say which refund it pays, or accept the difference."),
            PAYS,
            ACCEPT,
        ),
    )


def _of_sums() -> tuple[CaseKind, ...]:
    return (
        _kind(
            book_cases.CASE_NOT_SETTLED,
            "Refunds in no statement",
            Severity.MEDIUM,
            "The shop says that its gateway paid these refunds, and no imported statement names them.",
            "A statement that was not imported yet, or a payout that failed.",
            (
                "Import the missing statement.",
                "Where it has no line either, ask the gateway whether the customer was paid.",
            ),
            ELSEWHERE,
        ),
        _kind(
            book_cases.CASE_DRIFT,
            "Rounding drift above the tolerance",
            Severity.MEDIUM,
            "Each line is within rounding, but together they drift away from what was refunded.",
            "The gateway rounds otherwise than the shop, for example when it converts currencies.",
            ("Look whether the lines all differ in the same direction.", "Book the drift as rounding."),
            BOOK,
        ),
        _kind(
            book_cases.CASE_CANNOT_POST,
            "A refund that cannot be booked",
            Severity.HIGH,
            "The amount is finer than its currency allows, or the currency is not known, so it is in no month.",
            "A shop set to more decimals than the currency has.",
            ("Correct the refund in the shop, then match again.",),
        ),
    )
