"""What people can do about cases of returns, and how a kind is put together."""

from dataclasses import replace
from typing import Final

from exceptions_queue.kinds import ActionField, CaseAction, CaseKind
from returnsops import states
from returnsops.services import attribution_acts, receipt_actions
from returnsops.services import case_actions as run

LOOK_AGAIN: Final = CaseAction(
    code="look_again",
    label="Check again now",
    run=run.look_again,
    help="Plans the return again with what is known now; the case closes by itself if its cause is gone.",
)
CLASSIFY: Final = CaseAction(
    code="classify_reason",
    label="Set the reason",
    run=run.classify_reason,
    permission="returnsops.classify_reason",
    fields=(
        ActionField(name="item", label="Item", kind="choice", choices=run.unclassified_items),
        ActionField(name="reason_code", label="Reason", kind="choice", choices=run.active_reasons),
    ),
    help="The return goes on at once. To map the code for all future returns, add it under Reason mappings.",
)
ATTRIBUTE: Final = CaseAction(
    code="attribute_refund",
    label="Say what the refund was for",
    run=run.attribute_refund,
    permission="returnsops.attribute_refund",
    needs_reason=True,
    fields=(
        ActionField(name="refund", label="Refund made outside", kind="choice", choices=run.outside_refunds),
        ActionField(name="meaning", label="It", kind="choice", choices=run.meanings),
    ),
    help="If it pays for this return, nothing more than the difference is refunded.",
)
EXPLAIN: Final = tuple(
    CaseAction(
        code=f"apply_explanation_{rank}",
        label=f"It was this ({name})",
        run=attribution_acts.apply_explanation,
        permission="returnsops.attribute_refund",
        words_for=attribution_acts.WORDS[rank],
        fields=(
            ActionField(name="explanation", label="Explanation", kind="choice", choices=attribution_acts.CHOICES[rank]),
            ActionField(name="is_sure", label="I looked at the refund in the shop", kind="bool"),
        ),
    )
    for rank, name in enumerate(("the likeliest", "the second", "the third"), start=1)
)
DECIDE_EXECUTOR: Final = CaseAction(
    code="decide_executor",
    label="Say who pays",
    run=run.decide_executor,
    permission="returnsops.decide_executor",
    needs_reason=True,
    fields=(
        ActionField(name="refund", label="Refund or credit", kind="choice", choices=run.payouts),
        ActionField(name="executed_by", label="Paid by", kind="choice", choices=run.executors),
    ),
)
ACCEPT: Final = CaseAction(
    code="waive_hold",
    label="Accept as it is",
    run=run.waive_hold,
    permission="returnsops.waive_hold",
    needs_reason=True,
    help="Releases the hold. Money still waits for the approval of a second person.",
)
IT_WAS_FOR_THIS: Final = replace(
    ACCEPT,
    label="It was for this refund",
    help="Nothing of it is paid again. What is left of this refund goes.",
)
IT_WAS_FOR_OTHER: Final = CaseAction(
    code="paid_for_other",
    label="It was for something else",
    run=run.paid_for_other,
    permission="returnsops.waive_hold",
    needs_reason=True,
    help="This refund goes in full once a second person approved it. The money counts against the others.",
)
ACCEPT_AT_RISK: Final = replace(ACCEPT, run=run.accept_at_risk, help="Accepts as much money as the case names.")
ACCEPT_UNITS: Final = replace(
    ACCEPT, run=run.accept_units, words_for=run.words_for_units, help="More units later are asked about anew."
)
GIVE_BOTH: Final = replace(
    ACCEPT,
    label="The customer is to have both",
    help="A second person then approves the credit or replacement. More money of people is asked about anew.",
)
# Of teams that release no money: only the team of the case acts on it, and what it releases finance still approves.
ACCEPT_CASE: Final = CaseAction(
    code="waive_hold",
    label="Accept as it is",
    run=run.waive_hold,
    needs_reason=True,
    help="Write down what was decided. Money that waited for it still waits for the approval of finance.",
)
ACCEPT_GOODS: Final = CaseAction(
    code="waive_hold",
    label="Seen to: accept as it is",
    run=run.accept_units,
    permission="returnsops.confirm_inspection",
    needs_reason=True,
    words_for=run.words_for_units,
    help="What was to be done with these units is done by hand, and is not done again. More units later are asked"
    " about anew.",
)
# Nothing is said to be done here: a verdict that comes later still moves its units, so nobody may have moved them.
ACCEPT_COUNT: Final = CaseAction(
    code="waive_hold",
    label="Accept as it is",
    run=run.waive_hold,
    permission="returnsops.confirm_inspection",
    needs_reason=True,
    help="Closes the question and moves nothing. Units judged sellable later still go into stock by themselves: put"
    " none of them there by hand.",
)
RECOUNT: Final = CaseAction(
    code="recount",
    label="Count again",
    run=receipt_actions.recount,
    permission="returnsops.confirm_inspection",
    needs_reason=True,
    words_for=receipt_actions.words_for_recount,
    fields=(
        ActionField(name="sellable", label="Of the announced: sellable", kind="decimal", required=False),
        ActionField(name="damaged", label="Of the announced: damaged", kind="decimal", required=False),
        ActionField(name="quarantine", label="Of the announced: quarantine", kind="decimal", required=False),
        ActionField(name="other", label="Units that were not announced", kind="decimal", required=False),
        ActionField(name="other_sku", label="SKU of these", required=False),
    ),
    help="The last word on this item: money and stock follow it. What is not entered is missing.",
)
GIVE_TO_OTHER_RETURN: Final = CaseAction(
    code="give_to_other_return",
    label="Belongs to another return",
    run=receipt_actions.give_to_other_return,
    permission="returnsops.confirm_inspection",
    needs_reason=True,
    words_for=receipt_actions.words_for_other_return,
    fields=(
        ActionField(name="return", label="Number of that return, or of its parcel"),
        ActionField(name="disposition", label="Condition", kind="choice", choices=receipt_actions.conditions),
    ),
    help="It is inspected there as if it had come in that return's parcel. Nothing follows for this return.",
)
ACCEPT_AMOUNT: Final = CaseAction(
    code="accept_amount",
    label="Accept this amount",
    run=run.accept_amount,
    permission="returnsops.waive_hold",
    needs_reason=True,
    fields=(ActionField(name="amount", label="Amount to refund", kind="decimal"),),
    help="Only exactly this amount is accepted, never more than is left of the order; a second person approves.",
)
GIVE_UP_REFUND: Final = CaseAction(
    code="give_up_refund",
    label="Nothing more is paid here",
    run=run.give_up_refund,
    permission="returnsops.waive_hold",
    needs_reason=True,
    help="The customer was paid in another way, or is not to be paid: our own refund, which waits, is given up.",
)
APPROVE: Final = CaseAction(
    code="approve",
    label="Approve and send",
    run=run.approve,
    permission="returnsops.approve_refund",
    fields=(ActionField(name="effect", label="What waits", kind="choice", choices=run.waiting_money),),
)
REFUSE: Final = CaseAction(
    code="refuse",
    label="Refuse",
    run=run.refuse_approval,
    permission="returnsops.approve_refund",
    needs_reason=True,
    fields=(ActionField(name="effect", label="What waits", kind="choice", choices=run.waiting_money),),
)
APPROVE_STOCK: Final = CaseAction(
    code="approve",
    label="Take them out of stock",
    run=run.approve,
    permission="returnsops.confirm_inspection",
    fields=(ActionField(name="effect", label="Units", kind="choice", choices=run.waiting_stock),),
)
REFUSE_STOCK: Final = CaseAction(
    code="refuse",
    label="Leave them on sale",
    run=run.refuse_approval,
    permission="returnsops.confirm_inspection",
    needs_reason=True,
    fields=(ActionField(name="effect", label="Units", kind="choice", choices=run.waiting_stock),),
)
APPROVE_EXCHANGE: Final = CaseAction(
    code="approve",
    label="Approve",
    run=run.approve,
    permission="returnsops.settle_by_hand",
    fields=(ActionField(name="effect", label="What waits", kind="choice", choices=run.waiting_exchanges),),
    help="Only a colleague can: not who released it, nor who took the decision that it follows from.",
)
REFUSE_EXCHANGE: Final = CaseAction(
    code="refuse",
    label="Refuse",
    run=run.refuse_approval,
    permission="returnsops.settle_by_hand",
    needs_reason=True,
    fields=(ActionField(name="effect", label="What waits", kind="choice", choices=run.waiting_exchanges),),
)
RESUME_ROUTE: Final = CaseAction(
    code="resume_route",
    label="The refunds are right: send again",
    run=run.resume_route,
    permission="returnsops.approve_refund",
    needs_reason=True,
    help="What waited goes out. The limit counts anew from now.",
)
SETTLE_EXCHANGE: Final = CaseAction(
    code="settle_exchange",
    label="Replacement ordered",
    run=run.settle_exchange,
    permission="returnsops.settle_by_hand",
    fields=(
        ActionField(name="exchange", label="Exchange", kind="choice", choices=run.open_exchanges),
        ActionField(name="reference", label="Number of the new order"),
    ),
)
SETTLE_CREDIT: Final = CaseAction(
    code="settle_credit",
    label="Credit issued",
    run=run.settle_credit,
    permission="returnsops.settle_by_hand",
    fields=(
        ActionField(name="credit", label="Credit", kind="choice", choices=run.open_credits),
        ActionField(name="reference", label="Code or reference (last digits are enough)"),
    ),
)
WITHDRAW_CREDIT: Final = CaseAction(
    code="withdraw_credit",
    label="Withdraw the credit",
    run=run.withdraw_credit,
    permission="returnsops.withdraw_credit",
    needs_reason=True,
    fields=(ActionField(name="credit", label="Credit", kind="choice", choices=run.standing_credits),),
    help="It is not issued any more; where it was, it is made worthless as the policy says, unless it was spent.",
)
PLATFORM_TOLD: Final = CaseAction(
    code="platform_told",
    label="Done in the platform",
    run=run.platform_told,
    permission="returnsops.settle_by_hand",
    fields=(ActionField(name="reference", label="Reference there, or what you entered"),),
    help="Say it after you entered it there; should what is to be told change later, the case comes back.",
)


def of_return(kind: CaseKind) -> CaseKind:
    """What is true of every kind about a return: it can be looked at again, and what the planner opens only its cause
    closes.
    """
    return replace(
        kind,
        actions=(*kind.actions, LOOK_AGAIN),
        can_be_closed_by_hand=kind.can_be_raised or kind.code not in states.PLANNER_CASES,
    )
