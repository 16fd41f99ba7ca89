"""Cases about what became of one effect: money is finance's, stock the warehouse's, exchanges customer service's.

Whoever owns the goods or the money can act: the same acts, each with a right that team has.
"""

from dataclasses import replace
from typing import Final

from connectors import case_actions as run
from connectors import delivery_cases
from exceptions_queue.kinds import ActionField, CaseAction, CaseKind, Severity, case_kind
from returnsops import states

from .parts import DONE

_FINANCE = {
    "requeue": "returnsops.requeue_effect",
    "adopt": "returnsops.adopt_effect",
    "cancel": "returnsops.cancel_effect",
    "look_again": "returnsops.requeue_effect",
    "not_done": "returnsops.approve_refund",
}
_OPERATIONS = _FINANCE | {"not_done": "returnsops.requeue_effect"}
_WAREHOUSE = dict.fromkeys(_FINANCE, "returnsops.confirm_inspection")
_SERVICE = dict.fromkeys(_FINANCE, "returnsops.settle_by_hand")


def _actions(rights: dict[str, str], *codes: str) -> tuple[CaseAction, ...]:
    made = {
        "requeue": CaseAction(
            code="requeue",
            label="Try again",
            run=run.requeue,
            permission=rights["requeue"],
            needs_reason=True,
            help="After the cause was fixed in the other system. It is looked up there first.",
        ),
        "adopt": CaseAction(
            code="adopt",
            label="Adopt a record",
            run=run.adopt,
            permission=rights["adopt"],
            needs_reason=True,
            fields=(ActionField(name="remote_id", label="Id of the record in the other system"),),
            help="Somebody did it by hand, or you found the record: give its id, it is verified.",
        ),
        "look_again": CaseAction(
            code="look_again", label="Look up again", run=run.look_again, permission=rights["look_again"]
        ),
        "not_done": CaseAction(
            code="not_done",
            label="It did not happen: send again",
            run=run.not_done,
            permission=rights["not_done"],
            needs_reason=True,
            help="Only after you looked in the other system and, for money, at its payment provider. Money needs two "
            "people.",
        ),
        "cancel": CaseAction(
            code="cancel",
            label="Give up",
            run=run.cancel,
            permission=rights["cancel"],
            needs_reason=True,
            help="It is not needed. What the plan still wants comes back.",
        ),
        "settled": DONE,
    }
    return tuple(made[code] for code in codes)


_ENDED = ("requeue", "adopt", "cancel")
_UNCLEAR = ("adopt", "look_again", "not_done")
_GONE = ("look_again", "settled")


def _of_effect(kind: CaseKind) -> CaseKind:
    """It closes once the effect left the state that caused it; what is unclear only its acts close."""
    is_unclear = kind.action("not_done") is not None
    return replace(kind, recheck=delivery_cases.is_gone, can_be_closed_by_hand=not is_unclear)


_MONEY: Final = (
    case_kind(
        states.CASE_REJECTED,
        "The other system refused a refund or credit",
        states.FIN,
        Severity.HIGH,
        8,
        "A refund, a credit, or word of one was refused for good. Nothing happened there, and it is not sent again.",
        "The order or its payment does not allow it: too much, a gateway that cannot refund, a lock.",
        (
            "Read the vendor's answer in the evidence.",
            "Fix the cause there and try again, or do it by hand there and adopt the record.",
            "If the gateway cannot refund, record on the return's page what was paid outside; once a second person has "
            "approved that, it stands for this refund and the case closes by itself.",
        ),
        _actions(_FINANCE, *_ENDED),
    ),
    case_kind(
        states.CASE_AMBIGUOUS_OUTCOME,
        "Not clear whether money moved",
        states.FIN,
        Severity.CRITICAL,
        4,
        "We sent it and cannot tell whether the other system did it. It is not sent again, and other money and stock of"
        " the same order wait for it.",
        "The answer was lost, and the records there can be read in more than one way.",
        (
            "Open the order in the other system and compare with the evidence.",
            "If the record is there, adopt it by its id.",
            "If you removed a wrong record there, look up again.",
            "If it did not happen, neither there nor at the payment provider, two of finance say so.",
        ),
        _actions(_FINANCE, *_UNCLEAR),
    ),
    case_kind(
        states.CASE_ATTEMPTS_EXHAUSTED,
        "All tries to move money failed",
        states.FIN,
        Severity.HIGH,
        8,
        "It was tried many times and the other system never took it. Nothing happened there; the customer waits.",
        "The other system has a fault for this record, or has been down for long.",
        (
            "Read the last answer in the evidence; ask operations whether the system is well.",
            "When it is, try again. Or do it by hand there and adopt the record.",
        ),
        _actions(_FINANCE, *_ENDED),
    ),
    case_kind(
        states.CASE_NOT_SEEN_AFTER_DONE,
        "Money acknowledged, then not to be seen",
        states.FIN,
        Severity.CRITICAL,
        4,
        "The other system said yes, or somebody adopted a record, and that record is not there, is another one, or"
        " cannot be read. It is never sent again by itself.",
        "Somebody deleted the record there, the id was mistyped, or the system does not answer.",
        (
            "Open the order there and look for the record; the evidence says what was found.",
            "If it is there, look up again. If another record is the right one, adopt that.",
            "If it was deleted on purpose, say so. If the customer still has to be paid, propose a new refund.",
        ),
        _actions(_FINANCE, "adopt", *_GONE),
    ),
    case_kind(
        states.CASE_FAILED_LATER,
        "The payment failed after the shop took the refund",
        states.FIN,
        Severity.CRITICAL,
        4,
        "The shop has the refund, and its payment gateway did not pay it. It is never sent again by itself.",
        "The card or account does not exist any more, or the gateway refused.",
        (
            "Read the gateway's answer in the evidence.",
            "Pay the customer another way and propose a refund paid outside, or propose a new refund.",
            "If somebody paid it meanwhile, adopt that refund's id. Then close the case with what was done.",
        ),
        _actions(_FINANCE, "adopt", "settled"),
    ),
)

_STOCK: Final = (
    case_kind(
        states.CASE_REJECTED_STOCK,
        "The shop refused a stock move",
        states.WH,
        Severity.HIGH,
        8,
        "Units should have gone back on sale, or out of stock again, and the shop refused. Its stock is unchanged.",
        "The product was deleted or is not counted any more, or the order is in the bin.",
        (
            "Read the shop's answer in the evidence, and count the shelf.",
            "Have the cause fixed in the shop and try again, or correct the stock there and adopt what you did.",
        ),
        _actions(_WAREHOUSE, *_ENDED),
    ),
    case_kind(
        states.CASE_AMBIGUOUS_STOCK,
        "Not clear whether stock moved",
        states.WH,
        Severity.CRITICAL,
        4,
        "We sent a stock move and cannot tell whether the shop made it. It is not sent again. The shop may show too"
        " much or too little.",
        "The answer was lost, or somebody sold or counted the article in the same moment.",
        (
            "Count the shelf and compare with the shop's figure.",
            "If it was made, adopt it with what you counted. If it was not, say so: it is sent again.",
        ),
        _actions(_WAREHOUSE, *_UNCLEAR),
    ),
    case_kind(
        states.CASE_EXHAUSTED_STOCK,
        "All tries to move stock failed",
        states.WH,
        Severity.HIGH,
        8,
        "Sellable goods lie on the shelf and the shop does not know it, or it still sells what is not sellable.",
        "The shop has a fault for this article, or has been down for long.",
        (
            "Read the last answer in the evidence; ask operations whether the shop is well.",
            "When it is, try again. Or correct the stock there by hand and adopt what you did.",
        ),
        _actions(_WAREHOUSE, *_ENDED),
    ),
    case_kind(
        states.CASE_NOT_SEEN_STOCK,
        "Restock acknowledged, then not to be seen",
        states.WH,
        Severity.HIGH,
        4,
        "The shop said yes, and now its record of the restock is not there. It is never sent again by itself.",
        "Somebody deleted the record there, or the shop lost it.",
        (
            "Count the shelf and compare with the shop's figure.",
            "If the record is there after all, look up again. Else correct the figure there, and say what you did.",
        ),
        _actions(_WAREHOUSE, *_GONE),
    ),
)

_EXCHANGES: Final = (
    case_kind(
        states.CASE_REJECTED_EXCHANGE,
        "The shop refused a replacement order",
        states.CX,
        Severity.HIGH,
        4,
        "A replacement was to be placed or cancelled, and the shop refused for good. Nothing happened there.",
        "The original order or a product does not allow it, or somebody changed the replacement meanwhile.",
        (
            "Read the shop's answer in the evidence.",
            "Fix the cause there and try again, or do it by hand there and adopt the order's number.",
        ),
        _actions(_SERVICE, *_ENDED),
    ),
    case_kind(
        states.CASE_AMBIGUOUS_EXCHANGE,
        "Not clear whether a replacement was placed",
        states.CX,
        Severity.CRITICAL,
        4,
        "We sent it and cannot tell whether the shop placed or cancelled the replacement order. It is not sent again.",
        "The answer was lost, or more than one order there could be it.",
        (
            "Look in the shop for an order that names the original one.",
            "If it is there, adopt its number. If there is none, say so: it is sent again.",
        ),
        _actions(_SERVICE, *_UNCLEAR),
    ),
    case_kind(
        states.CASE_EXHAUSTED_EXCHANGE,
        "All tries to place a replacement failed",
        states.CX,
        Severity.HIGH,
        4,
        "The shop never took it. Nothing is placed or cancelled there, and the shopper waits.",
        "The shop has a fault for these goods, or has been down for long.",
        (
            "Read the last answer in the evidence; ask operations whether the shop is well.",
            "When it is, try again. Or place the order by hand and adopt its number.",
        ),
        _actions(_SERVICE, *_ENDED),
    ),
    case_kind(
        states.CASE_NOT_SEEN_EXCHANGE,
        "Replacement acknowledged, then not to be seen",
        states.CX,
        Severity.HIGH,
        4,
        "The shop said yes, and the replacement order is not there, or not as it was placed. No second one is placed.",
        "Somebody deleted, cancelled or changed the order there.",
        (
            "Open the replacement order in the shop.",
            "If it is well, look up again. Else settle it with the shopper, and say what you did.",
        ),
        _actions(_SERVICE, *_GONE),
    ),
)

_MESSAGES: Final = (
    case_kind(
        states.CASE_REJECTED_MESSAGE,
        "The other system refused a note or message",
        states.OPS,
        Severity.MEDIUM,
        8,
        "A note, a field of an order or a message to the returns platform was refused for good. Money and stock go on.",
        "Rights that are missing, a call template that does not fit, or an order that was deleted.",
        ("Read the answer in the evidence.", "Fix the cause and try again, or give it up if nobody needs it."),
        _actions(_OPERATIONS, *_ENDED),
    ),
    case_kind(
        states.CASE_AMBIGUOUS_MESSAGE,
        "Not clear whether a note or message arrived",
        states.OPS,
        Severity.MEDIUM,
        8,
        "We sent it and cannot tell whether it arrived. It is not sent again, so that nobody reads it twice.",
        "The answer was lost, and the other system cannot be asked.",
        ("Look there whether it arrived.", "If so, adopt it. If not, say so: it is sent again."),
        _actions(_OPERATIONS, *_UNCLEAR),
    ),
    case_kind(
        states.CASE_EXHAUSTED_MESSAGE,
        "All tries to send a note or message failed",
        states.OPS,
        Severity.MEDIUM,
        8,
        "The other system never took it. What it should say is not there; money and stock go on.",
        "The other system has a fault for this record, or has been down for long.",
        ("Read the last answer in the evidence.", "When the system is well again, try again."),
        _actions(_OPERATIONS, *_ENDED),
    ),
)

KINDS: Final = tuple(_of_effect(kind) for kind in (*_MONEY, *_STOCK, *_EXCHANGES, *_MESSAGES))
