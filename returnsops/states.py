"""Statuses, groups and permitted transitions, as data (design sections 2 and 5; layout.md "Names")."""

from typing import Final

# --- teams (a user group carries the title) ------------------------------------------------------------------------

CX: Final = "CX"
FIN: Final = "FIN"
WH: Final = "WH"
OPS: Final = "OPS"
MER: Final = "MER"
TEAMS: Final[dict[str, str]] = {
    CX: "Customer service",
    FIN: "Finance",
    WH: "Warehouse",
    OPS: "Operations",
    MER: "Merchandising",
}

# --- returns -----------------------------------------------------------------------------------------------------

REQUESTED: Final = "requested"
AUTHORISED: Final = "authorised"
IN_TRANSIT: Final = "in_transit"
DELIVERED: Final = "delivered"
RECEIVED: Final = "received"
INSPECTING: Final = "inspecting"
INSPECTED: Final = "inspected"
CLOSED: Final = "closed"
DECLINED: Final = "declined"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"

RETURN_PROGRESS: Final = (
    REQUESTED,
    AUTHORISED,
    IN_TRANSIT,
    DELIVERED,
    RECEIVED,
    INSPECTING,
    INSPECTED,
    CLOSED,
)
RETURN_ENDED: Final = frozenset({DECLINED, CANCELLED, EXPIRED})
RETURN_STATUSES: Final = (*RETURN_PROGRESS, *sorted(RETURN_ENDED))

# --- dispositions ------------------------------------------------------------------------------------------------

SELLABLE: Final = "sellable"
DISPOSITIONS: Final = (
    SELLABLE,
    "quarantine",
    "refurbish",
    "damaged",
    "write_off",
    "return_to_customer",
    "missing",
    "unknown",
)

# --- effects -----------------------------------------------------------------------------------------------------

HELD: Final = "held"
READY: Final = "ready"
AWAITING_APPROVAL: Final = "awaiting_approval"
SENDING: Final = "sending"
UNKNOWN: Final = "unknown"
DONE: Final = "done"
CONFIRMED: Final = "confirmed"
REJECTED: Final = "rejected"
FAILED: Final = "failed"
EFFECT_CANCELLED: Final = "cancelled"

EFFECT_STATES: Final = (
    HELD,
    READY,
    AWAITING_APPROVAL,
    SENDING,
    UNKNOWN,
    DONE,
    CONFIRMED,
    REJECTED,
    FAILED,
    EFFECT_CANCELLED,
)

# From which state to which; everything else is refused by services.effects.
EFFECT_TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    HELD: frozenset({READY, AWAITING_APPROVAL, EFFECT_CANCELLED, DONE}),
    READY: frozenset({HELD, AWAITING_APPROVAL, SENDING, EFFECT_CANCELLED, DONE}),
    AWAITING_APPROVAL: frozenset({HELD, READY, EFFECT_CANCELLED, DONE}),
    SENDING: frozenset({DONE, UNKNOWN, READY, REJECTED, FAILED}),
    UNKNOWN: frozenset({DONE, READY, SENDING, REJECTED, FAILED}),
    DONE: frozenset({CONFIRMED, FAILED, READY}),  # READY: mirrors when their content changes, notes that were lost
    CONFIRMED: frozenset({FAILED, READY}),  # FAILED: a gateway that fails later
    REJECTED: frozenset({READY, HELD, AWAITING_APPROVAL, EFFECT_CANCELLED, DONE}),
    FAILED: frozenset({READY, HELD, EFFECT_CANCELLED, DONE}),
    EFFECT_CANCELLED: frozenset({HELD, READY, AWAITING_APPROVAL}),
}

UNSENT: Final = frozenset({HELD, READY, AWAITING_APPROVAL})
IN_FLIGHT: Final = frozenset({SENDING, UNKNOWN})
COMMITTED: Final = frozenset({SENDING, UNKNOWN, DONE, CONFIRMED})
NEEDS_PERSON: Final = frozenset({AWAITING_APPROVAL, REJECTED, FAILED})

# --- effect kinds and lanes --------------------------------------------------------------------------------------

REFUND: Final = "refund"
EXCHANGE: Final = "exchange"  # the replacement order
STORE_CREDIT: Final = "store_credit"  # store credit or a gift card, whichever the credit says
RESTOCK: Final = "restock"
WRITE_BACK: Final = "write_back"  # what the returns platform is told
MIRROR: Final = "mirror"
NOTE: Final = "note"
# The shop's own record of a return, where it has such: neither money nor stock moves by it.
OPEN_RETURN: Final = "open_return"
EDIT_RETURN: Final = "edit_return"  # other units come back than it was opened with
TRACK_RETURN: Final = "track_return"
CLOSE_RETURN: Final = "close_return"
# Inverses of what was sent (design section 2, reversals); a refund has none.
CANCEL_EXCHANGE: Final = "cancel_exchange"
VOID_CREDIT: Final = "void_credit"
TAKE_OUT: Final = "take_out"  # units put back on sale leave the sellable stock again
SET_ASIDE: Final = "set_aside"  # units not for sale are entered at their place in the shop, or leave it again
STOCK_BEFORE: Final = "stock_before"  # in the evidence of a restock: the article's shelf figure before it
INVERSE_OF: Final[dict[str, str]] = {EXCHANGE: CANCEL_EXCHANGE, STORE_CREDIT: VOID_CREDIT, RESTOCK: TAKE_OUT}
EFFECT_KINDS: Final = (
    REFUND,
    EXCHANGE,
    STORE_CREDIT,
    RESTOCK,
    WRITE_BACK,
    MIRROR,
    NOTE,
    CANCEL_EXCHANGE,
    VOID_CREDIT,
    TAKE_OUT,
    SET_ASIDE,
    OPEN_RETURN,
    EDIT_RETURN,
    TRACK_RETURN,
    CLOSE_RETURN,
)
MONEY_KINDS: Final = frozenset({REFUND})
VALUE_KINDS: Final = MONEY_KINDS | {STORE_CREDIT}  # carry an amount and a currency
SHOWN_KINDS: Final = frozenset({MIRROR, NOTE})  # what people in the shop read; nothing rests on it
STOCK_KINDS: Final = frozenset({RESTOCK, TAKE_OUT})
# Goods, value and money: what a locked order or a risk review keeps back.
WEIGHTY_KINDS: Final = VALUE_KINDS | STOCK_KINDS | {SET_ASIDE, EXCHANGE, CANCEL_EXCHANGE, VOID_CREDIT}
# Confirmed by a read-back of the remote record; the others end at done. A take-out has no record of its own to read.
READ_BACK_KINDS: Final = WEIGHTY_KINDS - {TAKE_OUT}

# What the returns platform is told (reveni.md C; its own interface is not published).
TELL_LINES: Final = "lines"
TELL_ALREADY_REFUNDED: Final = "already_refunded"
TELL_VERDICT: Final = "verdict"
TELL_EXCHANGE_ORDER: Final = "exchange_order"
WRITE_BACK_MESSAGES: Final = (TELL_LINES, TELL_ALREADY_REFUNDED, TELL_VERDICT, TELL_EXCHANGE_ORDER)

# Lower goes first (S1-3).
LANES: Final[dict[str, int]] = {
    REFUND: 10,
    EXCHANGE: 20,
    CANCEL_EXCHANGE: 20,
    STORE_CREDIT: 30,
    VOID_CREDIT: 30,
    "credit_note": 40,
    WRITE_BACK: 45,
    RESTOCK: 50,
    TAKE_OUT: 50,
    SET_ASIDE: 52,
    OPEN_RETURN: 55,
    EDIT_RETURN: 56,
    TRACK_RETURN: 56,
    CLOSE_RETURN: 57,
    NOTE: 60,
    MIRROR: 70,
}

# --- codes of refusals that the planner turns into cases of their own ---------------------------------------------

OUT_OF_STOCK: Final = "out_of_stock"
PRODUCT_UNKNOWN: Final = "product_unknown"
PRODUCT_UNCLEAR: Final = "product_unclear"
NOT_FOR_SALE: Final = "not_for_sale"
OTHER_ORDER_MADE: Final = "other_order_made"
ALREADY_SHIPPED: Final = "already_shipped"
SOLD_MEANWHILE: Final = "sold_meanwhile"  # units to be taken out of stock are not there any more
# Why a replacement cannot be sent as it was asked for.
UNAVAILABLE: Final = frozenset({OUT_OF_STOCK, PRODUCT_UNKNOWN, PRODUCT_UNCLEAR, NOT_FOR_SALE, OTHER_ORDER_MADE})
PLANNED_REFUSALS: Final = UNAVAILABLE | {ALREADY_SHIPPED, SOLD_MEANWHILE}

ORIGIN_PLAN: Final = "plan"
ORIGIN_PERSON: Final = "person"
ORIGIN_RECONCILIATION: Final = "reconciliation"
# What a person proposes a refund for. All but goodwill pay for the return itself.
GROUND_GOODWILL: Final = "goodwill"

# --- inbox -------------------------------------------------------------------------------------------------------

EVENT_RECEIVED: Final = "received"
EVENT_PROCESSED: Final = "processed"
EVENT_IGNORED: Final = "ignored"
EVENT_PARKED: Final = "parked"
EVENT_STATES: Final = (EVENT_RECEIVED, EVENT_PROCESSED, EVENT_IGNORED, EVENT_PARKED)

# --- routes ------------------------------------------------------------------------------------------------------

ROUTE_OFF: Final = "off"
ROUTE_SHADOW: Final = "shadow"
ROUTE_LIVE: Final = "live"

# --- case kinds of the domain (registered with owner, SLA, meaning and fixes in case_kinds.py) --------------------

CASE_NO_ROUTE: Final = "no_route"
CASE_ORDER_NOT_FOUND: Final = "order_not_found"
CASE_LINE_NOT_ON_ORDER: Final = "line_not_on_order"
CASE_TOO_MANY_UNITS: Final = "too_many_units"
CASE_OUTSIDE_WINDOW: Final = "outside_window"
CASE_SKU_AMBIGUOUS: Final = "sku_ambiguous"
CASE_REASON_UNMAPPED: Final = "reason_unmapped"
CASE_AMOUNT_MISMATCH: Final = "amount_mismatch"
CASE_CURRENCY_MISMATCH: Final = "currency_mismatch"
CASE_WOULD_OVER_REFUND: Final = "would_over_refund"
CASE_REFUNDED_OUTSIDE: Final = "refunded_outside"
CASE_OVER_REFUNDED: Final = "over_refunded"
CASE_DUTY_LEFT: Final = "duty_left"
CASE_ORDER_LOCKED: Final = "order_locked"
CASE_EXECUTOR_UNKNOWN: Final = "executor_unknown"
CASE_DISPOSITION_UNMAPPED: Final = "disposition_unmapped"
CASE_RESTOCK_CONTRADICTED: Final = "restock_contradicted"
CASE_REFUND_CONTRADICTED: Final = "refund_contradicted"
CASE_RESTOCK_IMPOSSIBLE: Final = "restock_impossible"
CASE_RESTOCKED_BY_HAND: Final = "restocked_by_hand"
CASE_NEEDS_APPROVAL: Final = "needs_approval"
CASE_NEEDS_STOCK_APPROVAL: Final = "needs_stock_approval"
CASE_NEEDS_EXCHANGE_APPROVAL: Final = "needs_exchange_approval"
CASE_DECISION_DUE: Final = "platform_decision_due"
CASE_INSTANT_NEVER_RETURNED: Final = "instant_never_returned"
CASE_CHARGE_PROBLEM: Final = "charge_problem"
CASE_PAID_AFTER_END: Final = "paid_after_end"
CASE_PLATFORM_REFUND_FAILED: Final = "platform_refund_failed"
CASE_PLATFORM_REFUND_MISSING: Final = "platform_refund_missing"
CASE_PAID_THOUGH_GIVEN_UP: Final = "paid_though_given_up"
CASE_PEOPLE_PAID_IN_DOUBT: Final = "people_paid_in_doubt"
CASE_PEOPLE_PAID_AS_WELL: Final = "people_paid_as_well"
CASE_REVISION_CONFLICT: Final = "revision_conflict"
CASE_MANUAL_EXCHANGE: Final = "manual_exchange"
CASE_MANUAL_CREDIT: Final = "manual_credit"
CASE_WOULD_OVER_CREDIT: Final = "would_over_credit"
CASE_CREDIT_AND_REFUND: Final = "credit_and_refund"
CASE_CREDIT_TO_VOID: Final = "credit_to_void"
CASE_CREDIT_SPENT: Final = "credit_spent"
CASE_REFUND_LIMIT: Final = "refund_limit"
CASE_PLATFORM_TO_DO: Final = "platform_to_do"
CASE_TELL_ALREADY_REFUNDED: Final = "tell_already_refunded"
CASE_RISK_HOLD: Final = "risk_hold"
CASE_STAFF_RAISED: Final = "staff_raised"
CASE_GOODS_MISSING: Final = "goods_missing"
CASE_FEWER_UNITS: Final = "fewer_units"
CASE_INSPECTION_MISMATCH: Final = "inspection_mismatch"
CASE_VERDICTS_DIFFER: Final = "verdicts_differ"
CASE_PLANNING_FAILED: Final = "planning_failed"
CASE_EXCHANGE_UNAVAILABLE: Final = "exchange_unavailable"
CASE_EXCHANGE_PRICE: Final = "exchange_price"
CASE_EXCHANGE_UNDECIDED: Final = "exchange_undecided"
CASE_EXCHANGE_CHANGED: Final = "exchange_changed"
CASE_EXCHANGE_WITHDRAWN: Final = "exchange_withdrawn"
CASE_EXCHANGE_SHIPPED: Final = "exchange_shipped"
CASE_EXCHANGE_WISH_UNCLEAR: Final = "exchange_wish_unclear"

# Opened and closed by the planner: a case of these kinds closes when the plan no longer asks for it.
PLANNER_CASES: Final = frozenset(
    {
        CASE_NO_ROUTE,
        CASE_ORDER_NOT_FOUND,
        CASE_LINE_NOT_ON_ORDER,
        CASE_TOO_MANY_UNITS,
        CASE_OUTSIDE_WINDOW,
        CASE_SKU_AMBIGUOUS,
        CASE_REASON_UNMAPPED,
        CASE_AMOUNT_MISMATCH,
        CASE_CURRENCY_MISMATCH,
        CASE_WOULD_OVER_REFUND,
        CASE_REFUNDED_OUTSIDE,
        CASE_OVER_REFUNDED,
        CASE_DUTY_LEFT,
        CASE_ORDER_LOCKED,
        CASE_EXECUTOR_UNKNOWN,
        CASE_DISPOSITION_UNMAPPED,
        CASE_RESTOCK_CONTRADICTED,
        CASE_REFUND_CONTRADICTED,
        CASE_RESTOCK_IMPOSSIBLE,
        CASE_RESTOCKED_BY_HAND,
        CASE_NEEDS_APPROVAL,
        CASE_NEEDS_STOCK_APPROVAL,
        CASE_NEEDS_EXCHANGE_APPROVAL,
        CASE_DECISION_DUE,
        CASE_INSTANT_NEVER_RETURNED,
        CASE_CHARGE_PROBLEM,
        CASE_PAID_AFTER_END,
        CASE_PLATFORM_REFUND_FAILED,
        CASE_PLATFORM_REFUND_MISSING,
        CASE_PAID_THOUGH_GIVEN_UP,
        CASE_PEOPLE_PAID_IN_DOUBT,
        CASE_PEOPLE_PAID_AS_WELL,
        CASE_MANUAL_EXCHANGE,
        CASE_MANUAL_CREDIT,
        CASE_WOULD_OVER_CREDIT,
        CASE_CREDIT_AND_REFUND,
        CASE_CREDIT_TO_VOID,
        CASE_CREDIT_SPENT,
        CASE_PLATFORM_TO_DO,
        CASE_TELL_ALREADY_REFUNDED,
        CASE_RISK_HOLD,
        CASE_GOODS_MISSING,
        CASE_FEWER_UNITS,
        CASE_INSPECTION_MISMATCH,
        CASE_VERDICTS_DIFFER,
        CASE_PLANNING_FAILED,
        CASE_EXCHANGE_UNAVAILABLE,
        CASE_EXCHANGE_PRICE,
        CASE_EXCHANGE_UNDECIDED,
        CASE_EXCHANGE_CHANGED,
        CASE_EXCHANGE_WITHDRAWN,
        CASE_EXCHANGE_SHIPPED,
    }
)

# What a person does in the platform's own screens.
CASES_DONE_THERE: Final = frozenset({CASE_PLATFORM_TO_DO, CASE_TELL_ALREADY_REFUNDED})

# --- case kinds of the connectors --------------------------------------------------------------------------------

CASE_BAD_SIGNATURES: Final = "bad_signatures"
CASE_UNREADABLE_EVENT: Final = "unreadable_event"
CASE_UNMAPPED_EVENT: Final = "unmapped_event"
CASE_EVENT_PARKED: Final = "event_parked"
CASE_CONFIRM_SPLIT: Final = "confirm_split"
CASE_API_VERSION: Final = "api_version"
CASE_API_VERSION_ENDING: Final = "api_version_ending"
CASE_REJECTED: Final = "rejected"
CASE_AMBIGUOUS_OUTCOME: Final = "ambiguous_outcome"
CASE_ATTEMPTS_EXHAUSTED: Final = "attempts_exhausted"
CASE_NOT_SEEN_AFTER_DONE: Final = "not_seen_after_done"
CASE_FAILED_LATER: Final = "failed_later"
CASE_REJECTED_STOCK: Final = "rejected_stock"
CASE_AMBIGUOUS_STOCK: Final = "ambiguous_stock"
CASE_EXHAUSTED_STOCK: Final = "attempts_exhausted_stock"
CASE_NOT_SEEN_STOCK: Final = "not_seen_stock"
CASE_REJECTED_EXCHANGE: Final = "rejected_exchange"
CASE_AMBIGUOUS_EXCHANGE: Final = "ambiguous_exchange"
CASE_EXHAUSTED_EXCHANGE: Final = "attempts_exhausted_exchange"
CASE_NOT_SEEN_EXCHANGE: Final = "not_seen_exchange"
CASE_REJECTED_MESSAGE: Final = "rejected_message"
CASE_AMBIGUOUS_MESSAGE: Final = "ambiguous_message"
CASE_EXHAUSTED_MESSAGE: Final = "attempts_exhausted_message"
CASE_STOCK_CONCERN: Final = "stock_concern"
CASE_WEBHOOK_DISABLED: Final = "webhook_disabled"
CASE_SKU_INTEGRITY: Final = "sku_integrity"
CASE_CONNECTION_AUTH: Final = "connection_auth"
CASE_CONNECTION_DOWN: Final = "connection_down"
