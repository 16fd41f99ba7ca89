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
WRITE_AGAIN: Final = CaseAction(
    code="write_again",
    label="Write it on the order again",
    run=run.write_again,
    help="Looked up first, so that it never stands there twice; the case closes with the next comparison.",
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

# What the returns platform says does not show in the shop, or is said twice.
_PLATFORM: Final = (
    case_kind(
        causes.CASE_REFUND_NOT_SHOWN,
        "Refunded at the platform, not on the order",
        states.FIN,
        Severity.HIGH,
        8,
        "The returns platform shows a refund, and the order in the shop shows none for it.",
        "The platform did not write it, it was cancelled here, or it is kept back by a case of its own.",
        (
            "Open the return's page: it says what became of the refund.",
            "Where the customer has the money, enter the refund on the order without paying again.",
            "Where not, send it from the return's page.",
        ),
        (),
    ),
    case_kind(
        causes.CASE_ORDER_LEFT_OPEN,
        "Order still open though refunded in full",
        states.CX,
        Severity.MEDIUM,
        8,
        "Nothing is left of what the customer paid, but the shop still has the order among those to be done.",
        "Somebody set the state back, or a plugin did.",
        ("Make sure that nothing is sent for the order.", "Set it to a closed state in the shop."),
        (),
    ),
    case_kind(
        causes.CASE_RETURNED_TWICE,
        "Two returns for the same units",
        states.CX,
        Severity.HIGH,
        4,
        "Two returns at the platform bring back the same units of one order, so that both could be paid.",
        "The shopper asked twice, or the return was made anew without cancelling the first.",
        (
            "See in the returns platform which of the two the parcel belongs to.",
            "Cancel the other one there; the case closes by itself.",
        ),
        (),
    ),
)

# Shelf, stock figures and notes in the shop lag behind.
_DRIFT: Final = (
    case_kind(
        causes.CASE_RESTOCK_UNMAPPED,
        "Stock is wrong because a restock was not mapped",
        states.WH,
        Severity.HIGH,
        8,
        "Goods are back, but what the platform told of them is not mapped, so the shop still holds them as sold.",
        "A disposition or a message that the mapping does not know.",
        (
            "Ask operations to map it on the connection's page; what waited is read again.",
            "Or judge the goods in the inspection form.",
        ),
        (),
    ),
    case_kind(
        causes.CASE_LEVEL_NOT_UPDATED,
        "Restocked, but the stock figure did not follow",
        states.WH,
        Severity.HIGH,
        8,
        "A restock is recorded on the order, and the shop's stock does not show its units.",
        "A stock import or warehouse system wrote the old figure back, or a program undid the restock.",
        (
            "Count the shelf and correct the figure in the shop.",
            "Find out which system writes stock there, and let it read before it writes.",
        ),
        (),
    ),
    case_kind(
        causes.CASE_MARK_MISSING,
        "Note or status missing on the order",
        states.CX,
        Severity.LOW,
        24,
        "What we wrote on the order for customer service is not there: the shop shows an old state of the return.",
        "Somebody deleted the note, or another program overwrites the field.",
        ("Write it again with the button below.", "If it vanishes again, find the program that removes it."),
        (WRITE_AGAIN,),
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
    for kind in (*_MONEY, *_PLATFORM, *_STOCK, *_DRIFT):
        register(_compared(kind))
    register(_RUN_FAILED)


def _compared(kind: CaseKind) -> CaseKind:
    """What is true of every difference: it can be compared again or accepted, and closes once both sides agree."""
    actions = (*kind.actions, ACCEPT, LOOK_AGAIN)
    return replace(kind, actions=actions, recheck=run.is_gone, can_be_closed_by_hand=False)
