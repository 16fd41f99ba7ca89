"""Kinds of cases that comparing opens: owner, deadline, meaning, and what fixes them (screens and handbook follow)."""

from dataclasses import replace
from typing import Final

from exceptions_queue.kinds import ActionField, CaseAction, CaseKind, Severity, case_kind, register, register_team
from reconciliation import case_actions as run
from reconciliation import causes
from returnsops import states

LOOK_AGAIN: Final = CaseAction(
    code="compare_again",
    label="Compare this order again",
    run=run.look_again,
    is_remote=True,
    help="Reads the order from the shop and runs every check; the case closes by itself if both agree.",
)
ACCEPT: Final = CaseAction(
    code="accept_difference",
    label="Accept the difference",
    run=run.accept,
    needs_reason=True,
    is_resolving=True,
    help="It stays on record with your name and reason, and comes back if it changes.",
)
COUNT_FOR_RETURN: Final = CaseAction(
    code="count_for_return",
    label="It pays for a return",
    run=run.count_for_return,
    permission="returnsops.attribute_refund",
    needs_reason=True,
    is_remote=True,
    fields=(ActionField(name="rma", label="Return", kind="choice", choices=run.returns_of_order),),
    help="The return is planned again; only what is left is refunded.",
)
SAY_UNRELATED: Final = CaseAction(
    code="say_unrelated",
    label="Nothing to do with returns",
    run=run.say_unrelated,
    permission="returnsops.attribute_refund",
    needs_reason=True,
    is_remote=True,
    help="For example a goodwill gesture or an item that never left.",
)
RUN_AGAIN: Final = CaseAction(
    code="run_again",
    label="Run again now",
    run=run.run_route_again,
    is_remote=True,
    help="Compares what is due; the case closes by itself if everything could be read.",
)


_MONEY: Final = (
    case_kind(
        causes.CASE_MONEY_DIFFERS,
        "Refunded sums differ",
        states.FIN,
        Severity.HIGH,
        8,
        "What we say was refunded on an order is not what the shop shows.",
        "A record that was changed, lost or made without us.",
        ("Compare both sides below with the payment provider.", "Correct the wrong one, then compare again."),
        (),
    ),
    case_kind(
        causes.CASE_PAID_TWICE,
        "The same refund stands in the shop twice",
        states.FIN,
        Severity.CRITICAL,
        2,
        "More than one record in the shop carries the key of one refund of ours.",
        "Two programs with the same key, or a copied record.",
        ("See at the payment provider which were paid.", "Delete a record that was not, or settle the excess."),
        (),
    ),
    case_kind(
        causes.CASE_RECORD_DELETED,
        "A refund was deleted in the shop",
        states.FIN,
        Severity.HIGH,
        4,
        "A refund, or its whole order, was in the shop and is there no longer. Its money is not back by that.",
        "Somebody deleted the record.",
        (
            "Check with the payment provider whether the customer has the money.",
            "Enter the record again by hand, or accept the difference with the reason.",
        ),
        (),
    ),
    case_kind(
        causes.CASE_REFUND_UNEXPLAINED,
        "A refund in the shop that no return explains",
        states.FIN,
        Severity.MEDIUM,
        24,
        "Somebody refunded in the shop by hand, and no return asks about it.",
        "Goodwill, a cancelled item, or a return that was handled by hand.",
        ("Ask who made it; the author is named below where the shop tells.", "Say what it was for."),
        (COUNT_FOR_RETURN, SAY_UNRELATED),
    ),
    case_kind(
        causes.CASE_ORDER_OVER_REFUNDED,
        "More was refunded on an order than was paid",
        states.FIN,
        Severity.CRITICAL,
        2,
        "The refunds in the shop together pass what the customer paid.",
        "Two refunds at the same moment, or one by hand.",
        ("Compare the refunds below with the payments.", "Settle the excess with the customer."),
        (),
    ),
)


_STOCK: Final = (
    case_kind(
        causes.CASE_STOCK_DIFFERS,
        "Restocked units differ",
        states.WH,
        Severity.HIGH,
        8,
        "What was put back into stock is not what our ledger or the inspection says.",
        "A restock by hand, a deleted record, or a verdict that was corrected.",
        ("Count the shelf.", "Correct the product's stock in the shop by hand, then compare again or accept it."),
        (),
    ),
)

_RUN_FAILED: Final = case_kind(
    causes.CASE_RUN_FAILED,
    "Comparing with the shop fails",
    states.OPS,
    Severity.MEDIUM,
    8,
    "Two runs in a row could not read everything, so differences may stay unseen.",
    "The shop does not answer, or one order in it cannot be read.",
    (
        "Test the connection.",
        "Where one order cannot be read, open it in the shop and look for a broken amount.",
    ),
    (RUN_AGAIN,),
)


def register_all() -> None:
    """Register every kind with the queue. Teams too: the domain says the same, but Django starts it later."""
    for code, title in states.TEAMS.items():
        register_team(code, title)
    for kind in (*_MONEY, *_STOCK):
        register(_compared(kind))
    register(_RUN_FAILED)


def _compared(kind: CaseKind) -> CaseKind:
    """What is true of every difference: it can be compared again or accepted, and closes once both sides agree."""
    actions = (*kind.actions, ACCEPT, LOOK_AGAIN)
    return replace(kind, actions=actions, recheck=run.is_gone, can_be_closed_by_hand=False)
