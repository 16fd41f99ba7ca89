"""Whose matter an effect is when it does not go through, or wants a second person: data, like the states.

Who answers for the money, who counts the shelf, who talks to the shopper; messages are operations'.
"""

from typing import Final

from returnsops import states

OF_MONEY: Final = "money"
OF_STOCK: Final = "stock"
OF_EXCHANGES: Final = "exchanges"
OF_MESSAGES: Final = "messages"
MATTERS: Final[dict[str, str]] = {
    states.REFUND: OF_MONEY,
    states.STORE_CREDIT: OF_MONEY,
    states.VOID_CREDIT: OF_MONEY,
    states.RESTOCK: OF_STOCK,
    states.TAKE_OUT: OF_STOCK,
    states.SET_ASIDE: OF_STOCK,
    states.EXCHANGE: OF_EXCHANGES,
    states.CANCEL_EXCHANGE: OF_EXCHANGES,
    states.WRITE_BACK: OF_MESSAGES,
    states.MIRROR: OF_MESSAGES,
    states.NOTE: OF_MESSAGES,
    states.OPEN_RETURN: OF_MESSAGES,
    states.EDIT_RETURN: OF_MESSAGES,
    states.TRACK_RETURN: OF_MESSAGES,
    states.CLOSE_RETURN: OF_MESSAGES,
}

# Whose matter an effect is → the kind of case that asks for its approval.
APPROVAL_CASES: Final[dict[str, str]] = {
    OF_MONEY: states.CASE_NEEDS_APPROVAL,
    OF_STOCK: states.CASE_NEEDS_STOCK_APPROVAL,
    OF_EXCHANGES: states.CASE_NEEDS_EXCHANGE_APPROVAL,
}
# What did not go through → whose matter → the kind of case. Messages are not read back; only payments fail later.
OUTCOME_CASES: Final[dict[str, dict[str, str]]] = {
    states.CASE_REJECTED: {
        OF_MONEY: states.CASE_REJECTED,
        OF_STOCK: states.CASE_REJECTED_STOCK,
        OF_EXCHANGES: states.CASE_REJECTED_EXCHANGE,
        OF_MESSAGES: states.CASE_REJECTED_MESSAGE,
    },
    states.CASE_AMBIGUOUS_OUTCOME: {
        OF_MONEY: states.CASE_AMBIGUOUS_OUTCOME,
        OF_STOCK: states.CASE_AMBIGUOUS_STOCK,
        OF_EXCHANGES: states.CASE_AMBIGUOUS_EXCHANGE,
        OF_MESSAGES: states.CASE_AMBIGUOUS_MESSAGE,
    },
    states.CASE_ATTEMPTS_EXHAUSTED: {
        OF_MONEY: states.CASE_ATTEMPTS_EXHAUSTED,
        OF_STOCK: states.CASE_EXHAUSTED_STOCK,
        OF_EXCHANGES: states.CASE_EXHAUSTED_EXCHANGE,
        OF_MESSAGES: states.CASE_EXHAUSTED_MESSAGE,
    },
    states.CASE_NOT_SEEN_AFTER_DONE: {
        OF_MONEY: states.CASE_NOT_SEEN_AFTER_DONE,
        OF_STOCK: states.CASE_NOT_SEEN_STOCK,
        OF_EXCHANGES: states.CASE_NOT_SEEN_EXCHANGE,
    },
    states.CASE_FAILED_LATER: {OF_MONEY: states.CASE_FAILED_LATER},
}
