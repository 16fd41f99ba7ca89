"""Cases about goods and stock."""

from typing import Final

from exceptions_queue.kinds import CaseKind, Severity, case_kind
from returnsops import states

from .parts import ACCEPT_COUNT, ACCEPT_GOODS, APPROVE_STOCK, GIVE_TO_OTHER_RETURN, RECOUNT, REFUSE_STOCK

KINDS: Final[tuple[CaseKind, ...]] = (
    case_kind(
        states.CASE_SKU_AMBIGUOUS,
        "SKU is missing or not unique",
        states.OPS,
        Severity.MEDIUM,
        24,
        "The item's SKU does not name exactly one product, so it is not put back into stock.",
        "A variation without a SKU of its own shows its parent's.",
        ("Give the variation its own SKU in the shop.", "The restock goes on when the order is read again."),
        (),
    ),
    case_kind(
        states.CASE_DISPOSITION_UNMAPPED,
        "No place for this disposition",
        states.OPS,
        Severity.MEDIUM,
        8,
        "Goods were judged, but no location is mapped for that disposition on this route.",
        "A new disposition, or a mapping that was forgotten.",
        ("Add the mapping under Disposition mappings; there is no default on purpose.",),
        (),
    ),
    case_kind(
        states.CASE_RESTOCK_IMPOSSIBLE,
        "The shop cannot restock this item",
        states.WH,
        Severity.MEDIUM,
        8,
        "The shop does not manage stock of this product, no longer has it, or never took it from stock for this order. "
        "Or people put the units back by hand before the route went live.",
        "Stock management was switched on later, the product was deleted, the order was never paid, or the return was "
        "handled by hand.",
        (
            "Correct the stock in the shop by hand, if it is not right already.",
            "Where the product was deleted, decide where the goods go.",
            "Then accept the case with a reason.",
        ),
        (ACCEPT_GOODS,),
    ),
    case_kind(
        states.CASE_RESTOCKED_BY_HAND,
        "Put back into stock by hand",
        states.WH,
        Severity.HIGH,
        8,
        "Units of this return were put back into stock in the shop by hand: more than are sellable, or of a line that "
        "another return of the order brings back as well. What was put back by hand is never put back a second time.",
        "A colleague ticked *Restock refunded items* while refunding by hand.",
        (
            "Count what is on the shelf, and correct the product's stock in the shop if it is wrong.",
            "Then accept the case with a reason.",
        ),
        (ACCEPT_GOODS,),
    ),
    case_kind(
        states.CASE_RESTOCK_CONTRADICTED,
        "Restocked more than is sellable",
        states.WH,
        Severity.HIGH,
        4,
        "Units were put back into stock and judged not sellable afterwards. They could be sold.",
        "A verdict was corrected after the restock.",
        ("Take the units out of sale in the shop at once.", "Then accept the case with a reason."),
        (ACCEPT_GOODS,),
    ),
    case_kind(
        states.CASE_NEEDS_STOCK_APPROVAL,
        "Units to be taken out of stock wait for approval",
        states.WH,
        Severity.HIGH,
        4,
        "Units that are on sale again were judged not sellable afterwards. The policy wants a person to agree before"
        " the shop's stock is lowered.",
        "A verdict was corrected after the restock.",
        ("Look at the goods: are they the ones, and are they really not sellable?", "Then approve or refuse."),
        (APPROVE_STOCK, REFUSE_STOCK),
    ),
    case_kind(
        states.CASE_GOODS_MISSING,
        "Goods are missing from the parcel",
        states.WH,
        Severity.MEDIUM,
        8,
        "Fewer units arrived than the return names.",
        "The shopper kept some, or the parcel was opened on its way.",
        ("Count again.", "Tell customer service, who settle it with the shopper on the platform."),
        (RECOUNT, ACCEPT_COUNT),
    ),
    case_kind(
        states.CASE_FEWER_UNITS,
        "Fewer units judged than announced",
        states.WH,
        Severity.MEDIUM,
        8,
        "The inspection is said to be complete, and nobody said what became of some units. Neither money nor stock"
        " follows for them.",
        "The shopper kept some, a unit was overlooked, or the platform leaves out what is missing.",
        (
            "Count again: money and stock follow what you enter, and what you do not enter is missing.",
            "It closes by itself when the platform judges the others as well.",
        ),
        (RECOUNT, ACCEPT_COUNT),
    ),
    case_kind(
        states.CASE_INSPECTION_MISMATCH,
        "Other goods than announced, or more",
        states.WH,
        Severity.MEDIUM,
        8,
        "The platform, the warehouse system or a recount found goods that the return does not name, another article"
        " instead of one, or more units than were to come back. They are neither paid nor put into stock; of units of"
        " different condition nothing is, as nobody knows which were announced.",
        "Another parcel's goods, a wrong SKU, or units the shopper sent without asking.",
        (
            "Count again, and look whose goods these are.",
            "Say which return they belong to, or have the shopper's return corrected in the returns platform.",
            "Otherwise accept the case with what was done.",
        ),
        (RECOUNT, GIVE_TO_OTHER_RETURN, ACCEPT_COUNT),
    ),
    case_kind(
        states.CASE_VERDICTS_DIFFER,
        "Sellable or not: two verdicts differ",
        states.WH,
        Severity.MEDIUM,
        8,
        "Our warehouse and the returns platform judged the same units, one as sellable and the other not. Those units"
        " stay out of stock, whoever confirms by the policy of the route.",
        "One of the two was mistaken, or looked at another unit.",
        (
            "Look at the goods and count again: what you enter is the last word. Sellable units then go back into stock"
            " by themselves; damaged ones and those in quarantine stay out of it.",
            "Or take your own verdict back on the page of the return, or have the platform's corrected there: the case"
            " closes by itself once the two agree.",
            "Put none of them in stock by hand; if somebody did, take them out there before you count them as"
            " sellable.",
        ),
        (RECOUNT,),
    ),
    case_kind(
        states.CASE_STAFF_RAISED,
        "Discrepancy found by staff",
        states.WH,
        Severity.MEDIUM,
        8,
        "Somebody found something that does not fit.",
        "See the note.",
        ("Look into it and write down what you found.",),
        (),
        can_be_raised=True,
    ),
)
