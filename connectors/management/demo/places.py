"""Where the demo plays: shops of different vendor, currency and tax, each with the returns platform of its pair."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from connectors.simulators.clock import SystemClock

WOOCOMMERCE: Final = "woocommerce"
SHOPIFY: Final = "shopify"
REVENI: Final = "reveni"
REBOUND: Final = "rebound"
TITLES: Final = {WOOCOMMERCE: "WooCommerce", SHOPIFY: "Shopify", REVENI: "Reveni", REBOUND: "ReBound"}


class StoryClock(SystemClock):
    """The platform's clock: real time less what the teller of a story sets, so that things happened days ago."""

    def __init__(self) -> None:
        self.behind = timedelta()

    def now(self) -> datetime:
        """The moment of the story, in UTC."""
        return datetime.now(UTC) - self.behind


@dataclass(frozen=True, kw_only=True)
class Place:
    """What makes one market different; ``prices`` are those of ARTICLES, in its currency, ``tax`` is in per cent."""

    code: str
    title: str
    currency: str
    symbol: str
    decimals: int
    time_zone: str
    country: str
    tax: Decimal | None
    is_tax_included: bool
    prices: tuple[str, ...]
    commerce: str = WOOCOMMERCE
    returns: str = REVENI
    rates: Mapping[str, Decimal] = field(default_factory=dict)  # currencies customers may pay in, per unit of its own
    is_a2: bool = False
    is_trusting: bool = False  # its policy lets inverses of what was sent go by themselves
    is_told: bool = False  # its platform takes calls of ours, and we have templates for them (assumed)

    @property
    def pair(self) -> str:
        """Shop and platform as the summary names them."""
        return f"{self.commerce}-{self.returns}"

    @property
    def pair_title(self) -> str:
        """The same for people."""
        return f"{TITLES[self.commerce]} with {TITLES[self.returns]}"

    @property
    def currencies(self) -> tuple[str, ...]:
        """Its own first."""
        return (self.currency, *self.rates)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A customer."""

    first: str
    last: str

    @property
    def email(self) -> str:
        """Where they are written to."""
        return f"{self.first.lower()}@example.test"


ARTICLES: Final[Mapping[str, tuple[str, str]]] = {
    "tee": ("T-shirt, black, M", "TEE-BLK-M"),
    "jeans": ("Jeans, blue, 32", "JEA-BLU-32"),
    "dress": ("Summer dress, red, S", "DRE-RED-S"),
    "socks": ("Socks, three pairs", "SOC-3P"),
    "coat": ("Winter coat, grey, L", "COA-GRY-L"),
    "tee_l": ("T-shirt, black, L", "TEE-BLK-L"),
}

PLACES: Final = (
    Place(
        code="eu",
        title="European shop",
        currency="EUR",
        symbol="€",
        decimals=2,
        time_zone="Europe/Madrid",
        country="ES",
        tax=Decimal(21),
        is_tax_included=True,
        prices=("29.95", "79.90", "64.50", "9.99", "249.00", "29.95"),
        is_told=True,
    ),
    Place(
        code="jp",
        title="Japanese shop",
        currency="JPY",
        symbol="¥",
        decimals=0,
        time_zone="Asia/Tokyo",
        country="JP",
        tax=Decimal(10),
        is_tax_included=False,
        prices=("3210", "8900", "7350", "1099", "28900", "3210"),
        is_a2=True,
    ),
    Place(
        code="kw",
        title="Kuwaiti shop",
        currency="KWD",
        symbol="KD",
        decimals=3,
        time_zone="Asia/Kuwait",
        country="KW",
        tax=None,
        is_tax_included=False,
        prices=("9.125", "24.350", "19.875", "2.995", "76.500", "9.125"),
        is_trusting=True,
    ),
    Place(
        code="uk",
        title="British shop",
        currency="GBP",
        symbol="£",
        decimals=2,
        time_zone="Europe/London",
        country="GB",
        tax=Decimal(20),
        is_tax_included=True,
        prices=("25.00", "69.90", "55.00", "8.99", "219.00", "25.00"),
        commerce=SHOPIFY,
        rates={"CHF": Decimal("1.12")},
        is_told=True,
    ),
    Place(
        code="us",
        title="American shop",
        currency="USD",
        symbol="$",
        decimals=2,
        time_zone="America/New_York",
        country="US",
        tax=Decimal("8.25"),
        is_tax_included=False,
        prices=("32.00", "88.00", "72.00", "12.00", "264.00", "32.00"),
        commerce=SHOPIFY,
        returns=REBOUND,
    ),
)

PEOPLE: Final = tuple(
    Person(first=first, last=last)
    for first, last in (
        ("Ana", "Ruiz"),
        ("Kenji", "Mori"),
        ("Noor", "Saleh"),
        ("Marta", "Vidal"),
        ("Jonas", "Weber"),
        ("Yuki", "Tanaka"),
        ("Lea", "Martin"),
        ("Omar", "Haddad"),
    )
)
