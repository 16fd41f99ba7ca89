"""What a simulated shop holds at the end, in words that fit every vendor, read from its own records and never ours."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class SeenRefund:
    """A record of money given back; ``key`` is ours in it, '' where it has none."""

    order_id: int
    amount: Decimal
    currency: str
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class SeenRestock:
    """A record of units put back on sale."""

    order_id: int
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class SeenPayout:
    """Money that a gateway moved. ``id``: the refund, and the payment it went back to, which may be asked once."""

    id: str
    order_id: int
    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class SeenReplacement:
    """An order of ours for goods instead of money; ``told_as`` is its id as the platform is told it."""

    original_id: int
    told_as: str
    key: str
    articles: tuple[int, ...]
    is_free: bool
    status: str


@dataclass(frozen=True, kw_only=True)
class SeenCredit:
    """A coupon, a credit on an account or a gift card, and whose it is."""

    amount: Decimal
    owner: str
    key: str = ""
    is_gift_card: bool = False


@dataclass(frozen=True, kw_only=True)
class SeenReturn:
    """A return among the shop's own."""

    order_id: int
    units: int
    status: str


@dataclass(kw_only=True)
class Seen:
    """One shop. ``levels``: units for sale by article; ``sold``: units of orders that stand."""

    refunds: list[SeenRefund]
    restocks: list[SeenRestock]
    payouts: list[SeenPayout]
    notes: Counter[tuple[int, str]]
    replacements: list[SeenReplacement]
    credits: list[SeenCredit]
    levels: Mapping[int, int]
    sold: Counter[int]
    owner_of: Callable[[int], str]
    standing: str  # status of a replacement that stands
    cancelled: str
    returns: list[SeenReturn] = field(default_factory=list)
    keys: Counter[str] = field(default_factory=Counter)  # of whatever else carries a key of ours
    aside: Counter[tuple[int, str]] = field(default_factory=Counter)  # units by article and state that is not for sale
    has_gift_cards: bool = False  # which are told from other credit


def token_of(line: str) -> str:
    """The token a note of ours ends with, '' where it has none."""
    return line[line.rfind("[") :] if line.endswith("]") and "[" in line else ""


def without_generation(key: str) -> str:
    """The business key: the same in every generation."""
    return key.partition("#")[0]
