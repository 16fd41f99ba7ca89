"""What the set-ups disagree on, as one document per route (design section 6). Pure.

The document is the table ``[routes.policy]`` of the configuration file and ``PolicyVersion.document``; each key may be
left out, and then the default below holds::

    return_window_days = 30            # whole days after the day of the order, shop time; left out: no window
    order_wanted_h = 24                # hours a return waits for its order before it is a case
    decision_days = 30                 # instant returns: the platform wants a verdict within these days
    decision_warn_day = 25             # and this is the day a case says so
    instant_return_days = 30           # instant returns: days after which goods not seen count as never returned
    notes = ["authorised", "received", "refunded", "restocked"]
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
    writer = "us"                      # us | platform | "" (not decided)
    shipping = "platform"              # platform (what its refund names) | never | whole_order (all units went back)
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
    confirmation = "platform"          # platform | warehouse | either | both | "" (not decided)

    [sla_hours]                        # overrides of the time a team has for its cases
    finance = 24
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, TypeVar

from returnsops import money

OWNERS = ("commerce", "platform", "erp", "warehouse")
OWNED = ("order", "refund", "return_status", "disposition", "stock", "credit_note")
RESOLUTIONS = ("refund", "exchange", "store_credit", "gift_card", "mixed", "none")
INITIATORS = ("platform_event", "policy_trigger", "")
TRIGGERS = ("authorised", "in_transit", "received", "inspected", "disposition_final")
EXECUTORS = ("commerce_platform", "returns_platform", "merchant", "")
CONFIRMATIONS = ("platform", "warehouse", "either", "both", "")
MILESTONES = ("authorised", "in_transit", "received", "inspected", "refunded", "restocked", "ended")
MIRRORS = ("status", "return")
TEAMS = ("cx", "finance", "warehouse", "merchandising", "operations")
# Dispositions of goods that lie somewhere with us, and so need a place (S1-21).
PLACED = ("sellable", "quarantine", "refurbish", "damaged", "write_off")

_Value = TypeVar("_Value")


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
    shipping: str = "platform"
    review_partly_refunded: bool = True
    initiator_by_resolution: Mapping[str, str] = field(default_factory=dict)
    trigger_by_resolution: Mapping[str, str] = field(default_factory=dict)
    tolerance: Mapping[str, Decimal] = field(default_factory=dict)
    approval_threshold: Mapping[str, Decimal] = field(default_factory=dict)
    limit_per_hour: RefundLimit = field(default_factory=RefundLimit)


@dataclass(frozen=True, kw_only=True)
class RestockPolicy:
    """Whose word that goods are sellable counts (S4-14)."""

    confirmation: str = "platform"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The settings one return is planned by."""

    return_window_days: int | None = None
    return_window_days_by_resolution: Mapping[str, int] = field(default_factory=dict)
    order_wanted_h: int = 24
    decision_days: int = 30
    decision_warn_day: int = 25
    instant_return_days: int = 30
    notes: tuple[str, ...] = ("authorised", "received", "refunded", "restocked")
    mirrors: tuple[str, ...] = MIRRORS
    ownership: Mapping[str, str] = field(default_factory=dict)
    refund: RefundPolicy = field(default_factory=RefundPolicy)
    restock: RestockPolicy = field(default_factory=RestockPolicy)
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
    policy = Policy(**_values(document, _TOP, "", problems))
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
    if placed is not None:
        found.extend(
            f"dispositions.{name}: {name} goods have no place; map the disposition to a location."
            for name in PLACED
            if name not in placed
        )
    return found


# --- reading: one reader per key; a reader notes what is wrong and returns a value all the same --------------------

_Reader = Callable[[Any, str, list[str]], Any]


def _values(document: object, readers: Mapping[str, _Reader], path: str, problems: list[str]) -> dict[str, Any]:
    """Read the known keys of a table; unknown ones are problems."""
    if not isinstance(document, Mapping):
        problems.append(f"{path or 'policy'}: must be a table.")
        return {}
    prefix = f"{path}." if path else ""
    problems.extend(
        f"{prefix}{key}: unknown key; remove it or use one of {', '.join(readers)}."
        for key in document
        if key not in readers
    )
    return {
        key: reader(document[key], f"{prefix}{key}", problems) for key, reader in readers.items() if key in document
    }


def _table(kind: Callable[..., _Value], readers: Mapping[str, _Reader]) -> _Reader:
    def read(value: Any, path: str, problems: list[str]) -> _Value:
        return kind(**_values(value, readers, path, problems))

    return read


def _choice(*options: str) -> _Reader:
    words = ", ".join(option or '""' for option in options)

    def read(value: Any, path: str, problems: list[str]) -> str:
        if not isinstance(value, str) or value not in options:
            problems.append(f"{path}: {value!r} is not possible; use one of {words}.")
            return options[0]
        return value

    return read


def _whole(low: int, high: int) -> _Reader:
    def read(value: Any, path: str, problems: list[str]) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            problems.append(f"{path}: {value!r} is not possible; use a whole number from {low} to {high}.")
            return low
        return value

    return read


def _truth(value: Any, path: str, problems: list[str]) -> bool:
    if not isinstance(value, bool):
        problems.append(f"{path}: {value!r} is not possible; use true or false.")
    return bool(value)


def _several(options: tuple[str, ...]) -> _Reader:
    def read(value: Any, path: str, problems: list[str]) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or any(name not in options for name in value):
            problems.append(f"{path}: must be a list of any of {', '.join(options)}.")
            return ()
        return tuple(dict.fromkeys(value))

    return read


def _by(options: tuple[str, ...], reader: _Reader) -> _Reader:
    return _table(dict, dict.fromkeys(options, reader))


def _amounts(value: Any, path: str, problems: list[str]) -> dict[str, Decimal]:
    if not isinstance(value, Mapping):
        problems.append(f"{path}: must be a table of currency codes and decimal strings.")
        return {}
    return {currency: _amount(amount, f"{path}.{currency}", currency, problems) for currency, amount in value.items()}


def _amount(value: Any, path: str, currency: str, problems: list[str]) -> Decimal:
    try:
        amount = money.parse_amount(value)
        if amount < 0 or not money.is_exact(amount, currency=currency):
            raise money.MoneyError("It must not be negative, nor have more digits than the currency.")
    except money.MoneyError as error:
        problems.append(f'{path}: {error} Use a decimal string such as "10.00" under an ISO 4217 currency code.')
        return Decimal(0)
    return amount


_REFUND: Mapping[str, _Reader] = {
    "initiator": _choice(*INITIATORS),
    "trigger": _choice(*TRIGGERS),
    "amount_source": _choice("platform", "order"),
    "default_executed_by": _choice(*EXECUTORS),
    "writer": _choice("us", "platform", ""),
    "shipping": _choice("platform", "never", "whole_order"),
    "review_partly_refunded": _truth,
    "initiator_by_resolution": _by(RESOLUTIONS, _choice(*INITIATORS)),
    "trigger_by_resolution": _by(RESOLUTIONS, _choice(*TRIGGERS)),
    "tolerance": _amounts,
    "approval_threshold": _amounts,
    "limit_per_hour": _table(RefundLimit, {"count": _whole(1, 1_000_000), "money": _amounts}),
}
_TOP: Mapping[str, _Reader] = {
    "return_window_days": _whole(1, 3650),
    "return_window_days_by_resolution": _by(RESOLUTIONS, _whole(1, 3650)),
    "order_wanted_h": _whole(1, 24 * 90),
    "decision_days": _whole(1, 365),
    "decision_warn_day": _whole(1, 365),
    "instant_return_days": _whole(1, 365),
    "notes": _several(MILESTONES),
    "mirrors": _several(MIRRORS),
    "ownership": _by(OWNED, _choice(*OWNERS, "")),
    "refund": _table(RefundPolicy, _REFUND),
    "restock": _table(RestockPolicy, {"confirmation": _choice(*CONFIRMATIONS)}),
    "sla_hours": _by(TEAMS, _whole(1, 24 * 365)),
}


def _plain(value: Any) -> Any:
    if isinstance(value, Policy | RefundPolicy | RefundLimit | RestockPolicy):
        set_values = {item.name: getattr(value, item.name) for item in fields(value)}
        return {name: _plain(inner) for name, inner in set_values.items() if inner is not None}
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Decimal) else value
