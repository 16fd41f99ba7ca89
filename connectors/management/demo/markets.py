"""The simulated world of the demo: three shops of different currency and tax, each with its returns platform."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from connectors.simulators.clock import SystemClock
from connectors.simulators.reveni import ReveniPlatform
from connectors.simulators.server import RunningServer, serve
from connectors.simulators.woocommerce.records import Product
from connectors.simulators.woocommerce.shop import WooShop
from connectors.simulators.woocommerce.state import ShopSettings


class StoryClock(SystemClock):
    """The platform's clock: real time less what the teller of a story sets, so that things happened days ago."""

    def __init__(self) -> None:
        self.behind = timedelta()

    def now(self) -> datetime:
        """The moment of the story, in UTC."""
        return datetime.now(UTC) - self.behind


@dataclass(frozen=True, kw_only=True)
class Place:
    """What makes one market different; ``prices`` are those of ARTICLES, in its currency."""

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
    is_a2: bool = False
    is_trusting: bool = False  # its policy lets inverses of what was sent go by themselves
    is_told: bool = False  # its platform takes calls of ours, and we have templates for them (assumed)


@dataclass(kw_only=True)
class Market:
    """One shop, its returns platform, and the credentials that our side is given."""

    place: Place
    shop: WooShop
    platform: ReveniPlatform
    clock: StoryClock
    consumer_key: str
    consumer_secret: str
    webhook_secret: str
    products: dict[str, Product] = field(default_factory=dict)
    stocked: dict[int, int] = field(default_factory=dict)  # product id -> units at the start
    shop_server: RunningServer | None = None
    platform_server: RunningServer | None = None

    @property
    def shop_name(self) -> str:
        """Name of our connection to the shop."""
        return f"shop-{self.place.code}"

    @property
    def platform_name(self) -> str:
        """Name of our connection to the platform."""
        return f"reveni-{self.place.code}"

    @property
    def shop_url(self) -> str:
        """Where the open shop is served."""
        assert self.shop_server is not None
        return self.shop_server.url

    @property
    def platform_url(self) -> str:
        """Where the open platform is served."""
        assert self.platform_server is not None
        return self.platform_server.url

    def open(self, *, shop_port: int = 0, platform_port: int = 0) -> None:
        """Serve both on loopback; port 0 takes a free one."""
        self.shop_server = serve(self.shop.app, port=shop_port)
        self.platform_server = serve(self.platform.simulator, port=platform_port)

    def close(self) -> None:
        """Stop both, and the threads that send their webhooks."""
        for sender in (self.shop.webhooks, self.platform.sender):
            sender.stop()
        for server in (self.shop_server, self.platform_server):
            if server is not None:
                server.stop()

    def add_article(self, code: str, price: Decimal, *, stock: int = 40, **details: str) -> Product:
        """One more article of the catalogue, with managed stock."""
        title, sku = ARTICLES.get(code, (code.replace("-", " ").title(), code.upper()))
        product = self.shop.add_product(title, price, sku=sku, stock_quantity=stock, **details)
        self.products[code] = product
        self.stocked[product.id] = stock
        return product


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
)


def build_markets() -> dict[str, Market]:
    """All shops and platforms, stocked, not served yet."""
    return {place.code: build_market(place) for place in PLACES}


def build_market(place: Place) -> Market:
    """One shop with catalogue, taxes and gateways, and the platform beside it."""
    clock = StoryClock()
    settings = ShopSettings(
        currency=place.currency,
        currency_symbol=place.symbol,
        price_decimals=place.decimals,
        timezone=place.time_zone,
        is_tax_included=place.is_tax_included,
        base_country=place.country,
    )
    key = secrets.token_hex(16)
    market = Market(
        place=place,
        shop=WooShop(clock=SystemClock(), settings=settings),
        platform=_platform(place, clock),
        clock=clock,
        consumer_key=f"ck_{key}",
        consumer_secret=f"cs_{secrets.token_hex(16)}",
        webhook_secret=secrets.token_hex(20),
    )
    market.shop.add_key(market.consumer_key, market.consumer_secret)
    market.shop.add_gateway("card", title="Card")
    if place.tax is not None:
        market.shop.add_tax_rate(place.tax, name="VAT")
    for code, price in zip(ARTICLES, place.prices, strict=True):
        market.add_article(code, Decimal(price))
    return market


def _platform(place: Place, clock: StoryClock) -> ReveniPlatform:
    """The platform tells its stories by ``clock``; what it signs and sends carries the real time."""
    platform = ReveniPlatform(
        clock=clock,
        dialect="a2" if place.is_a2 else "contract",
        api_key=f"reveni_demo_{secrets.token_hex(12)}",
        webhook_secrets=["whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()],
        account_id=f"store_{place.code}",
        id_prefix=f"{place.code}-",
    )
    platform.sender.clock = SystemClock()
    return platform
