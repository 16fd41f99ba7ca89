"""Cases about replacement orders."""

from typing import Final

from exceptions_queue.kinds import ActionField, CaseAction, CaseKind, Severity, case_kind
from returnsops import states
from returnsops.services import exchange_actions as run

from .parts import ACCEPT_CASE, APPROVE_EXCHANGE, REFUSE_EXCHANGE, SETTLE_EXCHANGE

CHOOSE_VARIATION: Final = CaseAction(
    code="choose_variation",
    label="Send another variation",
    run=run.choose_variation,
    permission="returnsops.settle_by_hand",
    fields=(ActionField(name="variation", label="Variation in stock", kind="choice", choices=run.variations),),
    help="Ask the shopper first. It is placed at once, if it is still there.",
)
TRY_AGAIN: Final = CaseAction(
    code="try_again",
    label="Try again",
    run=run.try_again,
    permission="returnsops.settle_by_hand",
    help="Asks the shop for the same again, for instance because goods came in.",
)
REFUND_INSTEAD: Final = CaseAction(
    code="refund_instead",
    label="Refund instead",
    run=run.refund_instead,
    permission="returnsops.settle_by_hand",
    needs_reason=True,
    help="No replacement is sent. Customer service changes the return on the platform, whose refund then goes out.",
)
RECORD_PAYMENT: Final = CaseAction(
    code="record_payment",
    label="The difference was paid",
    run=run.record_payment,
    permission="returnsops.settle_by_hand",
    fields=(ActionField(name="reference", label="Reference of the payment"),),
    help="The replacement is placed as soon as nothing else holds it.",
)
CANCEL_ORDER: Final = CaseAction(
    code="cancel_order",
    label="Cancel the replacement order",
    run=run.cancel_order,
    permission="returnsops.settle_by_hand",
    needs_reason=True,
    help="Cancelled in the shop, which puts its stock back; not if it has left the warehouse.",
)
KEEP_ORDER: Final = CaseAction(
    code="keep_order",
    label="Keep it, or dealt with by hand",
    run=run.keep_order,
    needs_reason=True,
)

KINDS: Final[tuple[CaseKind, ...]] = (
    case_kind(
        states.CASE_EXCHANGE_UNAVAILABLE,
        "Replacement cannot be sent",
        states.CX,
        Severity.HIGH,
        4,
        "The shop has not enough of the wanted goods, does not know them, or does not sell them. Nothing was placed.",
        "Sold out since the shopper chose, or the platform's catalogue differs from the shop's.",
        (
            "Offer the shopper one of the variations in stock, and choose it here.",
            "Or place the order by hand and enter its number, or refund instead.",
        ),
        (CHOOSE_VARIATION, TRY_AGAIN, SETTLE_EXCHANGE, REFUND_INSTEAD),
    ),
    case_kind(
        states.CASE_EXCHANGE_PRICE,
        "Shopper owes a difference",
        states.CX,
        Severity.MEDIUM,
        8,
        "The replacement costs more than what comes back; it is not placed before the difference is paid or waived.",
        "The shopper chose a dearer article.",
        (
            "Ask for the payment and enter its reference.",
            "Or accept the difference with a reason; a colleague then approves that nobody pays it.",
        ),
        (RECORD_PAYMENT, ACCEPT_CASE),
    ),
    case_kind(
        states.CASE_NEEDS_EXCHANGE_APPROVAL,
        "An exchange waits for the approval of a second person",
        states.CX,
        Severity.MEDIUM,
        8,
        "A replacement is to be sent though nobody pays its difference in price, or its order is to be cancelled after"
        " it was placed. The policy asks for four eyes.",
        "A colleague accepted the difference, or the exchange was withdrawn after it was sent.",
        ("Look at the return, and at who released it.", "Then approve or refuse."),
        (APPROVE_EXCHANGE, REFUSE_EXCHANGE),
    ),
    case_kind(
        states.CASE_EXCHANGE_UNDECIDED,
        "Exchange wants a decision",
        states.CX,
        Severity.MEDIUM,
        8,
        "Something about an exchange is open: goods refused, no order named, money not decided, or refunded instead.",
        "The platform and what happened do not fit together.",
        ("Read the cause below and settle it with the shopper on the platform.", "Then accept the case with a reason."),
        (ACCEPT_CASE, SETTLE_EXCHANGE),
    ),
    case_kind(
        states.CASE_EXCHANGE_CHANGED,
        "Exchange changed after it was sent",
        states.CX,
        Severity.HIGH,
        4,
        "The replacement order exists, and the platform says something else about it now.",
        "The shopper changed their mind, or the platform placed an order of its own.",
        ("Correct the order in the shop before it leaves, or the exchange on the platform.", "Then accept the case."),
        (ACCEPT_CASE,),
    ),
    case_kind(
        states.CASE_EXCHANGE_WITHDRAWN,
        "Exchange withdrawn after its order was placed",
        states.CX,
        Severity.HIGH,
        2,
        "The replacement is no longer wanted, but its order stands and will be shipped.",
        "The shopper or the platform cancelled after the order was placed.",
        ("Cancel the replacement order here, or keep it with a reason.",),
        (CANCEL_ORDER, KEEP_ORDER),
    ),
    case_kind(
        states.CASE_EXCHANGE_SHIPPED,
        "Withdrawn replacement has left the warehouse",
        states.WH,
        Severity.HIGH,
        2,
        "The replacement order was withdrawn, but its goods have left, so it was not cancelled.",
        "It was packed before the withdrawal came.",
        (
            "Warehouse: stop the parcel with the carrier if that is possible.",
            "Customer service: agree with the shopper that it comes back. Then record it here.",
        ),
        (KEEP_ORDER,),
    ),
    case_kind(
        states.CASE_EXCHANGE_WISH_UNCLEAR,
        "Exchange cancelled, and its wish still shown",
        states.CX,
        Severity.HIGH,
        4,
        "An exchange was cancelled, and the platform showed its wish afterwards, without a time: it may"
        " be the old wish or a new one. The exchange stays cancelled: nothing is sent for it.",
        "The cancellation was told by a middleware that leaves the wish on the platform, or the shopper wished again.",
        (
            "Ask the shopper, or look at the return on the platform.",
            "If the replacement is wanted: have the middleware tell the exchange again, or take the wish back on the"
            " platform, let it be read, and make it again.",
            "If not: have the wish taken back on the platform. Then close this case.",
        ),
        (),
    ),
    case_kind(
        states.CASE_STOCK_CONCERN,
        "Stock does not fit after a replacement order",
        states.WH,
        Severity.HIGH,
        4,
        "The replacement order is placed, but it took less stock than it should, or more was sold than is there.",
        "Somebody bought the last piece in the same moment, or stock management was switched off.",
        (
            "Count the shelf and correct the stock in the shop.",
            "Tell customer service if the replacement cannot leave.",
        ),
        (),
    ),
)
