"""Cases about orders, lines and reasons."""

from typing import Final

from exceptions_queue.kinds import CaseKind, Severity, case_kind
from returnsops import states

from .parts import ACCEPT, ACCEPT_CASE, CLASSIFY

KINDS: Final[tuple[CaseKind, ...]] = (
    case_kind(
        states.CASE_NO_ROUTE,
        "No route for this return",
        states.OPS,
        Severity.HIGH,
        4,
        "The return came from a platform and channel that no route ties to a shop, so nothing can happen.",
        "A new channel of sale, or a route that was never configured.",
        ("Add the route, or the channel to a route, in the configuration file and run apply_config.",),
        (),
    ),
    case_kind(
        states.CASE_ORDER_NOT_FOUND,
        "Order not found in the shop",
        states.CX,
        Severity.MEDIUM,
        8,
        "The return names an order that the shop does not have. Nothing is refunded or restocked meanwhile.",
        "A mistyped order, an order of another shop, or one that was deleted.",
        (
            "Look the order up in the shop by the customer's e-mail.",
            "If the platform named the wrong order, correct it there; the return goes on by itself.",
        ),
        (),
    ),
    case_kind(
        states.CASE_LINE_NOT_ON_ORDER,
        "Item is not on the order",
        states.CX,
        Severity.MEDIUM,
        8,
        "An item of the return matches no line of the order as it is now.",
        "The order was edited, the SKU differs, or a foreign item was named.",
        ("Compare the item with the order.", "Correct the return on the platform, or refund by hand."),
        (),
    ),
    case_kind(
        states.CASE_TOO_MANY_UNITS,
        "More units than were bought",
        states.CX,
        Severity.HIGH,
        8,
        "The return asks for more units than are left on the order after earlier returns.",
        "A second return for the same units, or an edited order.",
        ("Check the other returns of the order.", "Correct the quantity on the platform."),
        (),
    ),
    case_kind(
        states.CASE_OUTSIDE_WINDOW,
        "Outside the return window",
        states.CX,
        Severity.MEDIUM,
        8,
        "The return was asked for after the window of the policy.",
        "A late customer, or an exception somebody promised.",
        ("Accept it as an exception with a reason, or decline the return on the platform.",),
        (ACCEPT_CASE,),
    ),
    case_kind(
        states.CASE_ORDER_LOCKED,
        "Order is locked or in the bin",
        states.FIN,
        Severity.HIGH,
        8,
        "The shop's order is in a state in which we do not touch its money.",
        "It is unpaid, cancelled, on hold, in the bin, or somebody set a lock.",
        ("Open the order in the shop and see why.", "Unlock it, or accept and approve the refund here."),
        (ACCEPT,),
    ),
    case_kind(
        states.CASE_REASON_UNMAPPED,
        "Return reason unknown or missing",
        states.CX,
        Severity.LOW,
        8,
        "An item came with a reason code that is not in our list, so it cannot enter the reports.",
        "The platform uses a new code, or the shopper gave none.",
        ("Set the reason of the item.", "For all future returns add the code under Reason mappings."),
        (CLASSIFY,),
    ),
)
