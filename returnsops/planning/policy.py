"""What the set-ups disagree on, as one document per route (design section 6). Pure.

The document is the table ``[routes.policy]`` of the configuration file and ``PolicyVersion.document``; each key may be
left out, and then the default below holds::

    return_window_days = 30            # whole days after the day of the order, shop time; left out: no window
    order_wanted_h = 24                # hours a return waits for its order before it is a case
    decision_days = 30                 # instant returns: the platform wants a verdict within these days
    decision_warn_day = 25             # and this is the day a case says so
    instant_return_days = 30           # instant returns: days after which goods not seen count as never returned
    notes = ["authorised", "received", "refunded", "restocked", "exchanged"]
    mirrors = ["status", "return"]

    [return_window_days_by_resolution]
    exchange = 60

    [ownership]                        # who holds the truth; every one must be named before a route goes live
    order = "commerce"                 # commerce | platform | erp | warehouse
    refund = "commerce"                # the book of record of money
    return_status = "platform"
    disposition = "warehouse"
    stock = "commerce"
    credit_note = "erp"                # only wanted where the route has an ERP

    [refund]
    initiator = "platform_event"       # platform_event | policy_trigger | "" (not decided: everything waits)
    trigger = "inspected"              # authorised | in_transit | received | inspected | disposition_final
    amount_source = "platform"         # platform | order: whose figure is sent while both agree within the tolerance
    default_executed_by = ""           # commerce_platform | returns_platform | merchant | "" = ask a person
    writer = "us"                      # us | platform (looked for) | "" (not decided)
    written_within_h = 72              # hours in which a platform that writes does so, before it is a case
    shipping = "platform"              # platform (what its refund names) | never | whole_order (all units went back)
    duties = "never"                   # never | whole_order: of refunds the policy starts, where the shop names duties
    tips = "never"                     # the same for tips
    review_partly_refunded = true      # false: money refunded before the return was asked for is only subtracted

    [refund.initiator_by_resolution]   # the same by what the return asks for: refund, exchange, mixed …
    [refund.trigger_by_resolution]
    exchange = "received"

    [refund.tolerance]                 # decimal strings per currency; 0 where left out
    EUR = "0.02"

    [refund.approval_threshold]        # more than this wants a second person; left out: never
    EUR = "200.00"

    [refund.limit_per_hour]            # more than this within an hour pauses the route; left out: no limit
    count = 100                        # refunds

    [refund.limit_per_hour.money]      # their sum per currency
    EUR = "5000.00"

    [restock]
    confirmation = "platform"          # platform | warehouse | either | both | "" (not decided); what the warehouse
                                       # refuses is held with a case where the platform calls it sellable
    sources = ["warehouse", "wms"]     # whose verdicts count as the warehouse's: our bench, a WMS (API, CSV)
    set_aside = []                     # dispositions entered in the shop where it has places for them (Shopify);
                                       # [] = all but sellable goods stay out of the shop's stock

    [exchange]
    writer = "person"                  # us | platform | person: who places replacement orders
    release = "inspected"              # when ours is placed: as refund.trigger
    release_instant = "authorised"     # the same for instant exchanges
    price_up = "case"                  # the shopper owes a difference: case (ask first) | place
    customer_note = false              # true: the shop mails the customer a note once the order is placed

    [credit]
    writer = "person"                  # us | platform | person: who issues store credit and gift cards
    valid_days = 365                   # days after which ours lapses; left out: never
    customer_note = ""                 # an e-mail by the shop to the customer, with {code} and {amount}; "": none

    [write_back]                       # telling the platform, where its connection has no call template for it
    to_do = ["already_refunded", "exchange_order"]   # a person does these; also lines, verdict

    [shop_return]                      # the shop's own record of a return, where it has such (Shopify)
    writer = "nobody"                  # us | platform (looked for) | nobody
    trigger = "authorised"             # requested | authorised: when ours is opened

    [reversal]                         # what contradicts what was sent: case | approve (second person) | automatic
    stock = "case"                     # units put back on sale that are not sellable after all
    exchange = "case"                  # a replacement withdrawn before it was shipped
    credit = "case"                    # a credit withdrawn before it was spent

    [sla_hours]                        # overrides of the time a team has for its cases
    finance = 24
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from typing import Any

from returnsops import states

from .policy_reading import Reader, amounts_by_currency, by, choice, several, table, truth, values, whole, words_with

OWNERS = ("commerce", "platform", "erp", "warehouse")
OWNED = ("order", "refund", "return_status", "disposition", "stock", "credit_note")
RESOLUTIONS = ("refund", "exchange", "store_credit", "gift_card", "mixed", "none")
INITIATORS = ("platform_event", "policy_trigger", "")
TRIGGERS = ("authorised", "in_transit", "received", "inspected", "disposition_final")
EXECUTORS = ("commerce_platform", "returns_platform", "merchant", "")
CONFIRMATIONS = ("platform", "warehouse", "either", "both", "")
SOURCES = ("warehouse", "wms")
WRITERS = ("us", "platform", "person")
REVERSALS = ("case", "approve", "automatic")
MILESTONES = ("authorised", "in_transit", "received", "inspected", "refunded", "restocked", "exchanged", "ended")
MIRRORS = ("status", "return")
TEAMS = ("cx", "finance", "warehouse", "merchandising", "operations")
# Dispositions of goods that lie somewhere with us, and so need a place (S1-21).
PLACED = ("sellable", "quarantine", "refurbish", "damaged", "write_off")


class PolicyError(ValueError):
    """A policy document that cannot be used; ``problems`` names every path and what to do there."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("The policy cannot be used:\n" + "\n".join(f"- {problem}" for problem in problems))


@dataclass(frozen=True, kw_only=True)
class RefundLimit:
    """How many refunds, and how much money, may leave on a route within an hour; None and absent = no limit."""

    count: int | None = None
    money: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RefundPolicy:
    """When money moves, who starts it, who writes it, and how far amounts may differ."""

    initiator: str = "platform_event"
    trigger: str = "inspected"
    amount_source: str = "platform"
    default_executed_by: str = ""
    writer: str = "us"
    written_within_h: int = 72
    shipping: str = "platform"
    duties: str = "never"
    tips: str = "never"
    review_partly_refunded: bool = True
    initiator_by_resolution: Mapping[str, str] = field(default_factory=dict)
    trigger_by_resolution: Mapping[str, str] = field(default_factory=dict)
    tolerance: Mapping[str, Decimal] = field(default_factory=dict)
    approval_threshold: Mapping[str, Decimal] = field(default_factory=dict)
    limit_per_hour: RefundLimit = field(default_factory=RefundLimit)


@dataclass(frozen=True, kw_only=True)
class RestockPolicy:
    """Whose word that goods are sellable counts (S4-14), and which others are entered in the shop."""

    confirmation: str = "platform"
    sources: tuple[str, ...] = SOURCES
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExchangePolicy:
    """Who places replacement orders, and what they wait for (S4-19)."""

    writer: str = "person"
    release: str = "inspected"
    release_instant: str = "authorised"
    price_up: str = "case"
    customer_note: bool = False


@dataclass(frozen=True, kw_only=True)
class CreditPolicy:
    """Who issues store credit and gift cards, and how long ours hold (S4-18)."""

    writer: str = "person"
    valid_days: int | None = None
    customer_note: str = ""


@dataclass(frozen=True, kw_only=True)
class WriteBackPolicy:
    """Which messages to the platform a person does while no call template is stored for them."""

    to_do: tuple[str, ...] = (states.TELL_ALREADY_REFUNDED, states.TELL_EXCHANGE_ORDER)


@dataclass(frozen=True, kw_only=True)
class ShopReturnPolicy:
    """Who keeps the shop's own record of a return, and from when (S5-4)."""

    writer: str = "nobody"
    trigger: str = "authorised"


@dataclass(frozen=True, kw_only=True)
class ReversalPolicy:
    """Whether the inverse of what was sent is a person's work, wants a second person, or goes by itself."""

    stock: str = "case"
    exchange: str = "case"
    credit: str = "case"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The settings one return is planned by."""

    return_window_days: int | None = None
    return_window_days_by_resolution: Mapping[str, int] = field(default_factory=dict)
    order_wanted_h: int = 24
    decision_days: int = 30
    decision_warn_day: int = 25
    instant_return_days: int = 30
    notes: tuple[str, ...] = ("authorised", "received", "refunded", "restocked", "exchanged")
    mirrors: tuple[str, ...] = MIRRORS
    ownership: Mapping[str, str] = field(default_factory=dict)
    refund: RefundPolicy = field(default_factory=RefundPolicy)
    restock: RestockPolicy = field(default_factory=RestockPolicy)
    exchange: ExchangePolicy = field(default_factory=ExchangePolicy)
    credit: CreditPolicy = field(default_factory=CreditPolicy)
    write_back: WriteBackPolicy = field(default_factory=WriteBackPolicy)
    shop_return: ShopReturnPolicy = field(default_factory=ShopReturnPolicy)
    reversal: ReversalPolicy = field(default_factory=ReversalPolicy)
    sla_hours: Mapping[str, int] = field(default_factory=dict)

    def initiator(self, resolution: str) -> str:
        """Who starts refunds of returns with this resolution; '' = not decided."""
        return self.refund.initiator_by_resolution.get(resolution, self.refund.initiator)

    def trigger(self, resolution: str) -> str:
        """What money moved by us waits for."""
        return self.refund.trigger_by_resolution.get(resolution, self.refund.trigger)

    def window_days(self, resolution: str) -> int | None:
        """Days after the order in which a return may be asked for; None = no window."""
        return self.return_window_days_by_resolution.get(resolution, self.return_window_days)

    def tolerance(self, currency: str) -> Decimal:
        """How far the platform's amount may be from ours, in major units."""
        return self.refund.tolerance.get(currency, Decimal(0))

    def is_over_threshold(self, amount: Decimal, *, currency: str) -> bool:
        """Whether an amount wants a second person."""
        threshold = self.refund.approval_threshold.get(currency)
        return threshold is not None and amount > threshold


def parse_policy(document: Mapping[str, Any]) -> Policy:
    """The policy a document describes. Raises PolicyError with all problems: unknown keys, types, ranges."""
    problems: list[str] = []
    policy = Policy(**values(document, _TOP, "", problems))
    if policy.decision_warn_day > policy.decision_days:
        problems.append("decision_warn_day: must not be later than decision_days; make it smaller.")
    if problems:
        raise PolicyError(tuple(problems))
    return policy


def to_document(policy: Policy) -> dict[str, Any]:
    """The document of a policy: JSON types only, amounts as strings; ``parse_policy`` reads it back the same."""
    document: dict[str, Any] = _plain(policy)
    return document


def holes(
    policy: Policy, *, has_commerce: bool, has_erp: bool, placed: frozenset[str] | None = None
) -> tuple[str, ...]:
    """What must be decided before the route may go live, in words (ownership matrix, design section 6).

    ``placed`` are the dispositions that have a location; None leaves that unchecked.
    """
    return (
        *_ownership_holes(policy, has_commerce=has_commerce, has_erp=has_erp),
        *_refund_holes(policy),
        *_stock_holes(policy, placed),
    )


def _ownership_holes(policy: Policy, *, has_commerce: bool, has_erp: bool) -> list[str]:
    found = []
    absent = {name for name, is_there in (("commerce", has_commerce), ("erp", has_erp)) if not is_there}
    for thing in OWNED:
        owner = policy.ownership.get(thing, "")
        if not owner and (thing != "credit_note" or has_erp):
            found.append(f"ownership.{thing}: nobody owns it; name one of {', '.join(OWNERS)}.")
        elif owner in absent:
            found.append(f"ownership.{thing}: the route has no {owner} connection; name another owner.")
    return found


def _refund_holes(policy: Policy) -> list[str]:
    found = [
        f"refund.initiator: nobody starts refunds of returns with resolution {resolution}; "
        "choose platform_event or policy_trigger."
        for resolution in RESOLUTIONS[:-1]
        if not policy.initiator(resolution)
    ]
    if not policy.refund.writer:
        found.append("refund.writer: nobody writes refunds into the shop; choose us or platform.")
    return found


def _stock_holes(policy: Policy, placed: frozenset[str] | None) -> list[str]:
    found = []
    if not policy.restock.confirmation:
        found.append(
            "restock.confirmation: nobody confirms that goods are sellable; choose platform, warehouse, either or both."
        )
    if policy.restock.confirmation in ("warehouse", "both") and not policy.restock.sources:
        found.append("restock.sources: the warehouse has to confirm, and none of its sources counts; name one of them.")
    if placed is not None:
        found.extend(
            f"dispositions.{name}: {name} goods have no place; map the disposition to a location."
            for name in PLACED
            if name not in placed
        )
    return found


_REFUND: Mapping[str, Reader] = {
    "initiator": choice(*INITIATORS),
    "trigger": choice(*TRIGGERS),
    "amount_source": choice("platform", "order"),
    "default_executed_by": choice(*EXECUTORS),
    "writer": choice("us", "platform", ""),
    "written_within_h": whole(1, 24 * 90),
    "shipping": choice("platform", "never", "whole_order"),
    "duties": choice("never", "whole_order"),
    "tips": choice("never", "whole_order"),
    "review_partly_refunded": truth,
    "initiator_by_resolution": by(RESOLUTIONS, choice(*INITIATORS)),
    "trigger_by_resolution": by(RESOLUTIONS, choice(*TRIGGERS)),
    "tolerance": amounts_by_currency,
    "approval_threshold": amounts_by_currency,
    "limit_per_hour": table(RefundLimit, {"count": whole(1, 1_000_000), "money": amounts_by_currency}),
}
_TOP: Mapping[str, Reader] = {
    "return_window_days": whole(1, 3650),
    "return_window_days_by_resolution": by(RESOLUTIONS, whole(1, 3650)),
    "order_wanted_h": whole(1, 24 * 90),
    "decision_days": whole(1, 365),
    "decision_warn_day": whole(1, 365),
    "instant_return_days": whole(1, 365),
    "notes": several(MILESTONES),
    "mirrors": several(MIRRORS),
    "ownership": by(OWNED, choice(*OWNERS, "")),
    "refund": table(RefundPolicy, _REFUND),
    "restock": table(
        RestockPolicy,
        {"confirmation": choice(*CONFIRMATIONS), "sources": several(SOURCES), "set_aside": several(PLACED[1:])},
    ),
    "exchange": table(
        ExchangePolicy,
        {
            "writer": choice(*WRITERS),
            "release": choice(*TRIGGERS),
            "release_instant": choice(*TRIGGERS),
            "price_up": choice("case", "place"),
            "customer_note": truth,
        },
    ),
    "credit": table(
        CreditPolicy,
        {"writer": choice(*WRITERS), "valid_days": whole(1, 3650), "customer_note": words_with("{code}")},
    ),
    "write_back": table(WriteBackPolicy, {"to_do": several(states.WRITE_BACK_MESSAGES)}),
    "shop_return": table(
        ShopReturnPolicy,
        {"writer": choice("us", "platform", "nobody"), "trigger": choice("requested", "authorised")},
    ),
    "reversal": table(ReversalPolicy, dict.fromkeys(("stock", "exchange", "credit"), choice(*REVERSALS))),
    "sla_hours": by(TEAMS, whole(1, 24 * 365)),
}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        set_values = {item.name: getattr(value, item.name) for item in fields(value)}
        return {name: _plain(inner) for name, inner in set_values.items() if inner is not None}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Decimal) else value
