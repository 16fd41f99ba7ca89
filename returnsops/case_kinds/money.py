"""Cases about money in the shop."""

from typing import Final

from exceptions_queue.kinds import CaseKind, Severity, case_kind
from returnsops import states

from .parts import (
    ACCEPT,
    ACCEPT_AMOUNT,
    ACCEPT_AT_RISK,
    ACCEPT_UNITS,
    APPROVE,
    ATTRIBUTE,
    DECIDE_EXECUTOR,
    EXPLAIN,
    GIVE_BOTH,
    GIVE_UP_REFUND,
    IT_WAS_FOR_OTHER,
    IT_WAS_FOR_THIS,
    REFUSE,
    RESUME_ROUTE,
    SETTLE_CREDIT,
    WITHDRAW_CREDIT,
)

KINDS: Final[tuple[CaseKind, ...]] = (
    case_kind(
        states.CASE_AMOUNT_MISMATCH,
        "Amounts differ",
        states.FIN,
        Severity.HIGH,
        8,
        "The platform's amount and the one computed from the final order differ by more than the tolerance.",
        "The order was edited, a discount was spread differently, or fees are missing.",
        ("Compare the two calculations below.", "Accept the right amount; a second person approves it."),
        (ACCEPT_AMOUNT,),
    ),
    case_kind(
        states.CASE_CURRENCY_MISMATCH,
        "Currencies differ",
        states.FIN,
        Severity.HIGH,
        8,
        "The platform's refund or credit is in another currency than the order. It is not converted.",
        "A wrong store setting on the platform.",
        ("Correct it on the platform, or refund by hand in the order's currency.", "A credit can be withdrawn."),
        (SETTLE_CREDIT, WITHDRAW_CREDIT),
    ),
    case_kind(
        states.CASE_WOULD_OVER_REFUND,
        "More than was paid",
        states.FIN,
        Severity.HIGH,
        8,
        "The refund would pass what is left of the order after all earlier refunds. Nothing was sent.",
        "Something was refunded before, or fees were not deducted.",
        ("See what was refunded before.", "Accept a smaller amount; a second person approves it."),
        (ACCEPT_AMOUNT,),
    ),
    case_kind(
        states.CASE_REFUNDED_OUTSIDE,
        "Refunded outside",
        states.FIN,
        Severity.HIGH,
        4,
        "Somebody refunded on this order by hand, and what for is not certain: nothing on the order adds up to it, or "
        "more than one thing does. All money of the return waits, so that nobody is paid twice. A refund with a single "
        "explanation makes no case: it is attributed by itself, and that can be taken back on the return's page.",
        "A colleague helped the customer directly in the shop, or deleted the record of such a refund.",
        (
            "Find out what the refund was for; the author is named below where the shop tells.",
            "Apply the explanation that is right, or say whether it pays for this return. If so, only the difference "
            "is refunded.",
            "Where the record was deleted: deleting takes no money back. Say that it pays for this return if the "
            "customer has the money.",
        ),
        (*EXPLAIN, ATTRIBUTE),
    ),
    case_kind(
        states.CASE_OVER_REFUNDED,
        "More was refunded than was paid",
        states.FIN,
        Severity.CRITICAL,
        2,
        "The shop shows more refunded on the order than the customer paid or than our records explain.",
        "Two refunds at the same moment, or one by hand.",
        ("Compare the refunds in the shop with the payments.", "Settle the excess with the customer."),
        (ACCEPT_AT_RISK,),
    ),
    case_kind(
        states.CASE_DUTY_LEFT,
        "Rest of a duty was not given back",
        states.FIN,
        Severity.MEDIUM,
        8,
        "All goods of the order are refunded, and by the policy its duties and tips go back with them. Part of one was "
        "given back by hand; the shop gives a duty back whole or by units, so its rest does not go by itself.",
        "A colleague refunded some units with their part of the duty in the shop, or gave part of it back as goodwill.",
        (
            "Give the rest back in the shop; the case then closes by itself.",
            "Or accept it and say why, if the customer is not to have the rest, or has it already.",
        ),
        (ACCEPT,),
    ),
    case_kind(
        states.CASE_PLATFORM_REFUND_MISSING,
        "The platform's refund is not in the shop",
        states.FIN,
        Severity.HIGH,
        8,
        "On this route the returns platform writes refunds into the shop itself. Money of this return is due, and no "
        "refund of it stands on the order in time. We send nothing.",
        "The platform's connection to the shop is broken, or it paid in another way or another amount.",
        (
            "Look the return up in the returns platform, and have the refund written from there.",
            "It closes by itself when a refund of that amount stands on the order. Where the customer was paid in "
            "another way, or is not to be paid, say so here.",
            "Where the shop is to pay after all, release the hold of its refund on the return's page; a second person "
            "then approves it.",
        ),
        (GIVE_UP_REFUND,),
    ),
    case_kind(
        states.CASE_PAID_THOUGH_GIVEN_UP,
        "Given up, and paid all the same",
        states.FIN,
        Severity.HIGH,
        4,
        "Somebody said that a refund is not paid in the shop, and a refund of those units stands there now. It counts "
        "for nothing else of the return: money that is due for other units is still waited for.",
        "The returns platform wrote its refund late, after the customer was paid in another way.",
        (
            "Find out whether the customer has the money twice, and settle that with them.",
            "Then accept it, and say what was agreed.",
        ),
        (ACCEPT,),
    ),
    case_kind(
        states.CASE_PEOPLE_PAID_IN_DOUBT,
        "People paid, and for what is not clear",
        states.FIN,
        Severity.HIGH,
        8,
        "Money that people paid for this return was counted against one of its refunds, of which nothing or only a part"
        " is left. It may have been meant for other goods of the return, be in another currency, or the customer may "
        "have both. What is left of the refund waits.",
        "One parcel was lost and another arrived; a platform paid by itself what people had paid already.",
        (
            "Compare what people paid, and why, with the refund that this case names.",
            "Where it was for this refund, say so: only what is left of it is paid, in another currency nothing more.",
            "Where it was for other goods, say that: this refund goes in full after a second person approved it, and "
            "the money counts against the other refunds of the return.",
            "Where the customer has the money twice, settle that with them, and say that it was for this refund.",
        ),
        (IT_WAS_FOR_THIS, IT_WAS_FOR_OTHER),
    ),
    case_kind(
        states.CASE_PEOPLE_PAID_AS_WELL,
        "People paid, and credit or goods are to be given as well",
        states.FIN,
        Severity.HIGH,
        4,
        "People paid money for this return, and a credit or a replacement is to be given for it too. That waits, so "
        "that nobody gets both for the same goods.",
        "Customer service paid for a lost parcel that arrived after all, or the return has goods of both kinds.",
        (
            "Find out what the money was for.",
            "Where the credit or replacement is for other goods, say that the customer is to have both; a second person"
            " then approves it.",
            "Where it is for the same goods, withdraw the credit here, or the exchange in the returns platform.",
        ),
        (WITHDRAW_CREDIT, GIVE_BOTH),
    ),
    case_kind(
        states.CASE_REFUND_CONTRADICTED,
        "Refunded, and the verdict changed",
        states.FIN,
        Severity.HIGH,
        8,
        "Units were refunded because they were judged, and that verdict does not stand any more: it was withdrawn, or"
        " they are refused or missing now. A refund cannot be taken back by itself.",
        "The verdict was a slip, or was corrected in the returns platform or at the bench.",
        (
            "Ask the warehouse which verdict is right. The case closes by itself when the units are judged to be paid.",
            "Where the customer was paid too much, settle it with them, and accept the case with what was agreed.",
        ),
        (ACCEPT_UNITS,),
    ),
    case_kind(
        states.CASE_EXECUTOR_UNKNOWN,
        "Who pays this refund or credit?",
        states.FIN,
        Severity.HIGH,
        4,
        "The platform did not say whether it paid or issued it itself, or the shop has to. Nothing is sent before.",
        "The field is missing in the message, or two messages contradict each other.",
        ("Look the refund up on the platform.", "Say who pays; a default can be set in the policy."),
        (DECIDE_EXECUTOR,),
    ),
    case_kind(
        states.CASE_NEEDS_APPROVAL,
        "Waits for the approval of a second person",
        states.FIN,
        Severity.MEDIUM,
        8,
        "A refund or credit is above the limit of the policy, its hold was released by hand, or a credit is to be taken"
        " back: a second person decides.",
        "The policy asks for four eyes.",
        (
            "See below what was refunded for the return before, and look at it; then approve or refuse.",
            "What a person proposed counts against the return's own refund unless it is goodwill: that one waits, and "
            "only what the proposal does not pay is refunded then.",
        ),
        (APPROVE, REFUSE),
    ),
    case_kind(
        states.CASE_WOULD_OVER_CREDIT,
        "More credit than was paid",
        states.FIN,
        Severity.HIGH,
        8,
        "The credit, without what is given on top, would pass what is left of the order after all refunds and credits."
        " Nothing was issued.",
        "Something was refunded or credited before.",
        ("See what was given before.", "Withdraw the credit, or issue a smaller one by hand and record that."),
        (WITHDRAW_CREDIT, SETTLE_CREDIT),
    ),
    case_kind(
        states.CASE_CREDIT_AND_REFUND,
        "Money and credit for the same goods",
        states.FIN,
        Severity.HIGH,
        4,
        "The platform asks for a refund and grants credit for the same items, or for more than they are worth together."
        " Both wait.",
        "The shopper changed their mind, and the platform told both.",
        ("Ask the customer or the platform which of the two is right.", "Withdraw the credit, or accept both."),
        (WITHDRAW_CREDIT, ACCEPT),
    ),
    case_kind(
        states.CASE_CREDIT_TO_VOID,
        "Credit to be taken back by hand",
        states.FIN,
        Severity.HIGH,
        2,
        "A credit was withdrawn, or its return called off, after it was issued. It can still be spent.",
        "The policy leaves this to a person, or it was not us who issued it.",
        ("Make the credit worthless in the shop at once: let its coupon lapse.", "Then accept the case with a reason."),
        (ACCEPT,),
    ),
    case_kind(
        states.CASE_CREDIT_SPENT,
        "Credit was spent before it could be taken back",
        states.FIN,
        Severity.HIGH,
        8,
        "A credit was to be made worthless, and the shop says that the customer has used it.",
        "It was withdrawn too late.",
        ("Agree with the customer, or bear it.", "Then accept the case with a reason."),
        (ACCEPT,),
    ),
    case_kind(
        states.CASE_REVISION_CONFLICT,
        "The platform changed a refund after it was sent",
        states.FIN,
        Severity.HIGH,
        8,
        "The same refund id came again with another content. What was sent stays as it is.",
        "The refund was edited on the platform.",
        ("Compare both amounts.", "Settle the difference by hand if there is one."),
        (),
    ),
)
OF_ROUTES: Final[tuple[CaseKind, ...]] = (
    case_kind(
        states.CASE_REFUND_LIMIT,
        "Limit of refunds per hour reached",
        states.FIN,
        Severity.CRITICAL,
        1,
        "More refunds than the limit of the route wanted to go within an hour. The route is paused.",
        "A sale event, or something wrong that repeats.",
        (
            "Look at the last refunds.",
            "Send again if they are right: the limit counts anew from then. Or raise it.",
        ),
        (RESUME_ROUTE,),
    ),
)
