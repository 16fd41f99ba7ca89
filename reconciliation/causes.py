"""Difference → root cause: the words people read, what to do about it, and the case kind that asks for it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciliation.books import Difference

# --- case kinds of reconciliation (registered in case_kinds.py) ----------------------------------------------------

CASE_MONEY_DIFFERS: Final = "reconciliation_money_differs"
CASE_PAID_TWICE: Final = "reconciliation_paid_twice"
CASE_RECORD_DELETED: Final = "reconciliation_record_deleted"
CASE_REFUND_UNEXPLAINED: Final = "reconciliation_refund_unexplained"
CASE_ORDER_OVER_REFUNDED: Final = "reconciliation_over_refunded"
CASE_STOCK_DIFFERS: Final = "reconciliation_stock_differs"
CASE_REFUND_NOT_SHOWN: Final = "reconciliation_refund_not_shown"
CASE_ORDER_LEFT_OPEN: Final = "reconciliation_order_left_open"
CASE_RETURNED_TWICE: Final = "reconciliation_returned_twice"
CASE_RESTOCK_UNMAPPED: Final = "reconciliation_restock_unmapped"
CASE_LEVEL_NOT_UPDATED: Final = "reconciliation_level_not_updated"
CASE_MARK_MISSING: Final = "reconciliation_mark_missing"
CASE_RUN_FAILED: Final = "reconciliation_run_failed"

# --- causes -------------------------------------------------------------------------------------------------------

RECORD_MISSING: Final = "record_missing"
RECORD_DELETED: Final = "record_deleted"
ORDER_GONE: Final = "order_gone"
AMOUNT_DIFFERS: Final = "amount_differs"
RECORDED_TWICE: Final = "recorded_twice"
NOT_SETTLED_HERE: Final = "not_settled_here"
MADE_OUTSIDE: Final = "made_outside"
OUTSIDE_DELETED: Final = "outside_deleted"
OVER_REFUNDED: Final = "over_refunded"
RESTOCK_MISSING: Final = "restock_missing"
RESTOCK_DELETED: Final = "restock_deleted"
RESTOCKED_TWICE: Final = "restocked_twice"
RESTOCK_DIFFERS: Final = "restock_differs"
RESTOCK_NOT_SETTLED: Final = "restock_not_settled_here"
RESTOCK_UNKNOWN: Final = "restock_without_effect"
RESTOCKED_BY_HAND: Final = "restocked_by_hand"
MORE_THAN_SELLABLE: Final = "more_than_sellable"
NOT_RESTOCKED: Final = "not_restocked"
REFERENCE_UNKNOWN: Final = "reference_unknown"
REFUND_NOT_SHOWN: Final = "platform_refund_not_shown"
ORDER_LEFT_OPEN: Final = "order_left_open"
PLATFORM_AMOUNT_DIFFERS: Final = "platform_amount_differs"
RETURNED_TWICE: Final = "returned_twice"
RESTOCK_EVENT_UNREAD: Final = "restock_event_not_understood"
RESTOCK_UNMAPPED: Final = "restock_not_mapped"
LEVEL_NOT_UPDATED: Final = "level_not_updated"
LEVEL_RAISED: Final = "level_raised_by_hand"
NOTE_MISSING: Final = "note_missing"
FIELD_DIFFERS: Final = "field_differs"
MARK_NOT_WRITTEN: Final = "mark_not_written"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why two books differ: a sentence with {about}, {here} and {there}, what to do, and who is asked."""

    code: str
    title: str
    text: str
    suggestion: str
    case_kind: str


CAUSES: Final[Mapping[str, Cause]] = {
    cause.code: cause
    for cause in (
        Cause(
            code=RECORD_MISSING,
            title="Refund not in the shop",
            text="{about} is done here ({here}), but the shop shows no record of it.",
            suggestion="Ask the payment provider whether the customer has the money; never refund it again before.",
            case_kind=CASE_MONEY_DIFFERS,
        ),
        Cause(
            code=RECORD_DELETED,
            title="Our refund was deleted in the shop",
            text="{about} of {here} was in the shop and is there no longer. Deleting it brought no money back.",
            suggestion="Find out who deleted it and why, then enter the record again by hand or accept the difference.",
            case_kind=CASE_RECORD_DELETED,
        ),
        Cause(
            code=ORDER_GONE,
            title="Order deleted in the shop",
            text="{about} of {here} belongs to an order that the shop has no longer.",
            suggestion="Restore the order in the shop, or accept the difference with a reason.",
            case_kind=CASE_RECORD_DELETED,
        ),
        Cause(
            code=AMOUNT_DIFFERS,
            title="Amounts differ",
            text="{about} is {here} here and {there} in the shop.",
            suggestion="Compare both with the payment provider's statement and correct the wrong one.",
            case_kind=CASE_MONEY_DIFFERS,
        ),
        Cause(
            code=RECORDED_TWICE,
            title="The same refund twice",
            text="{about} is {here} here, and the shop holds more than one record of it: {there}.",
            suggestion="Look at the payment provider which of them were paid; delete a record that was not.",
            case_kind=CASE_PAID_TWICE,
        ),
        Cause(
            code=NOT_SETTLED_HERE,
            title="In the shop, not done here",
            text="{about} stands in the shop with {there}, but here it is {here}.",
            suggestion="Send it again here: it is looked up first and adopted, never paid twice.",
            case_kind=CASE_MONEY_DIFFERS,
        ),
        Cause(
            code=MADE_OUTSIDE,
            title="Refund that no return explains",
            text="{about} of {there} was made outside, and no return explains it.",
            suggestion="Say which return it pays for, or that it has nothing to do with returns.",
            case_kind=CASE_REFUND_UNEXPLAINED,
        ),
        Cause(
            code=OUTSIDE_DELETED,
            title="Refund made outside was deleted",
            text="{about} of {here}, made outside, was in the shop and is there no longer.",
            suggestion="Ask the payment provider whether the money went out; whatever counted on it was planned again.",
            case_kind=CASE_RECORD_DELETED,
        ),
        Cause(
            code=OVER_REFUNDED,
            title="More refunded than paid",
            text="{about}: {there} are refunded in the shop, {here} were paid.",
            suggestion="See which refund is wrong, and settle the excess with the customer.",
            case_kind=CASE_ORDER_OVER_REFUNDED,
        ),
        Cause(
            code=RESTOCK_MISSING,
            title="Restock not in the shop",
            text="{about} is done here ({here}), but the shop shows no record of it.",
            suggestion="Count the shelf and correct the product's stock in the shop by hand.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=RESTOCK_DELETED,
            title="Restock record was deleted in the shop",
            text="{about} ({here}) was recorded in the shop and the record is gone. Deleting it moved no stock.",
            suggestion="Check the product's stock; if it is right, accept the difference.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=RESTOCKED_TWICE,
            title="The same restock twice",
            text="{about} is {here} here, and the shop holds more than one record of it: {there}.",
            suggestion="Take the units that are too many out of stock in the shop by hand.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=RESTOCK_DIFFERS,
            title="Restocked units differ",
            text="{about} is {here} here and {there} in the shop.",
            suggestion="Count the shelf and correct the product's stock in the shop by hand.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=RESTOCK_NOT_SETTLED,
            title="Restocked in the shop, not done here",
            text="{about} stands in the shop with {there}, but here it is {here}.",
            suggestion="Send it again here: it is looked up first and adopted, never made twice.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=RESTOCK_UNKNOWN,
            title="Restock record without an effect",
            text="{about} of {there} carries a key of ours, but nothing here made it.",
            suggestion="See whether another installation writes to this shop; count the shelf.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=RESTOCKED_BY_HAND,
            title="Put back into stock by hand",
            text="{about}: {there} are back in stock in the shop, {here} of them by us and judged sellable.",
            suggestion="Ask who put the rest back; take out of stock what is not sellable.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=MORE_THAN_SELLABLE,
            title="Restocked more than is sellable",
            text="{about}: {there} were restocked, but by the verdicts in force only {here} are sellable.",
            suggestion="Take the units out of sale in the shop at once.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=NOT_RESTOCKED,
            title="Sellable units not restocked",
            text="{about}: {here} are sellable for good, {there} were restocked, and nothing is on its way.",
            suggestion="See what became of the restock, and send it again or put the units back by hand.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=REFERENCE_UNKNOWN,
            title="Refund with a reference nobody knows",
            text="{about} of {there} names a return or refund in its data that does not exist here.",
            suggestion="See whether another installation or a backup wrote it, then say what it was for.",
            case_kind=CASE_REFUND_UNEXPLAINED,
        ),
        Cause(
            code=REFUND_NOT_SHOWN,
            title="Refunded at the platform, order still open",
            text="{about} is {here} there, but the order in the shop shows only {there}.",
            suggestion="Settle what keeps it back, or enter the refund on the order in the shop.",
            case_kind=CASE_REFUND_NOT_SHOWN,
        ),
        Cause(
            code=ORDER_LEFT_OPEN,
            title="Refunded in full, order still open",
            text="{about} is {here}, all that was paid, but in the shop its state is {there}.",
            suggestion="Close the order in the shop, before somebody sends it again.",
            case_kind=CASE_ORDER_LEFT_OPEN,
        ),
        Cause(
            code=PLATFORM_AMOUNT_DIFFERS,
            title="The platform names another amount",
            text="{about} is {here} at the returns platform, and {there} were refunded for it.",
            suggestion="See which amount is right and settle the difference; nothing more is sent by itself.",
            case_kind=CASE_MONEY_DIFFERS,
        ),
        Cause(
            code=RETURNED_TWICE,
            title="Two returns for the same units",
            text="{about} asks for {here} that {there} brings back already.",
            suggestion="Cancel the one that is too many in the returns platform, before money goes.",
            case_kind=CASE_RETURNED_TWICE,
        ),
        Cause(
            code=RESTOCK_EVENT_UNREAD,
            title="Stock may be wrong: message not understood",
            text="{about}: {here} are {there}, and what the platform told of the goods could not be understood.",
            suggestion="Complete the mapping and read the message again; until then look at the goods yourself.",
            case_kind=CASE_RESTOCK_UNMAPPED,
        ),
        Cause(
            code=RESTOCK_UNMAPPED,
            title="Stock is wrong: disposition not mapped",
            text="{about}: {here} are {there}, because the disposition they were given is not mapped.",
            suggestion="Map the disposition to a location, or judge the goods in the inspection form.",
            case_kind=CASE_RESTOCK_UNMAPPED,
        ),
        Cause(
            code=LEVEL_NOT_UPDATED,
            title="Restocked, stock figure not updated",
            text="{about} put {here} back, but the shop shows {there}.",
            suggestion="Count the shelf, correct the figure in the shop, and see which system wrote the old one back.",
            case_kind=CASE_LEVEL_NOT_UPDATED,
        ),
        Cause(
            code=LEVEL_RAISED,
            title="Stock raised by hand beside the restock",
            text="{about} put {here} back, but the shop shows {there}, as if somebody put returned units in by hand.",
            suggestion="Count the shelf, and take out of stock what is there twice or damaged; accept a delivery.",
            case_kind=CASE_STOCK_DIFFERS,
        ),
        Cause(
            code=NOTE_MISSING,
            title="Note missing on the order",
            text="{about} was written on the order and is there no longer.",
            suggestion="Write it again with the button on the case.",
            case_kind=CASE_MARK_MISSING,
        ),
        Cause(
            code=FIELD_DIFFERS,
            title="Return status on the order overwritten",
            text="{about} on the order should say “{here}” and says “{there}”.",
            suggestion="Write it again with the button on the case, and see which program changes it.",
            case_kind=CASE_MARK_MISSING,
        ),
        Cause(
            code=MARK_NOT_WRITTEN,
            title="Note or status never reached the order",
            text="{about} is {here} and stands with {there} on the order.",
            suggestion="See why the shop did not take it, and send it again.",
            case_kind=CASE_MARK_MISSING,
        ),
    )
}


def words(found: Difference, *, order: str) -> str:
    """The finding in one sentence, the order named first."""
    text = CAUSES[found.cause].text.format(about=found.about, here=found.here, there=found.there)
    return f"{order}: {text}"
