"""``demo --once``: play the whole day in one process, verify both sides, and say so in one JSON document."""

import time
from collections.abc import Callable
from decimal import Decimal

from django.core.management import call_command
from django.db import connections

from connectors.management.demo import home, playing, programme
from connectors.management.demo.expectations import Book
from connectors.management.demo.installation import ADMIN, PEOPLE, install
from connectors.management.demo.markets import Market
from connectors.management.demo.verification import Verdict, verify
from connectors.management.demo.world import build_markets
from connectors.simulators.server import serve
from returnsops import money, states
from returnsops.models import Effect

Say = Callable[[str], None]


def play_once(*, port: int, say: Say, tellings: tuple[programme.Telling, ...] = programme.DAY) -> Verdict:
    """The day from an empty database to the comparison of both sides; webhooks and calls go over real HTTP."""
    from returnsops.wsgi import application

    began = time.monotonic()
    prepare_database()
    markets = build_markets()
    web = serve(application, port=port)
    try:
        for market in markets.values():
            market.open()
        install(markets, passwords=home.passwords([*PEOPLE, ADMIN]), public_url=web.url)
        say(f"installed after {time.monotonic() - began:.1f} s")
        return _played(markets, began=began, say=say, tellings=tellings)
    finally:
        for market in markets.values():
            market.close()
        web.stop()
        connections.close_all()


def prepare_database() -> None:
    """An empty database with all tables."""
    home.clear_database()
    call_command("migrate", verbosity=0, interactive=False)
    call_command("flush", verbosity=0, interactive=False)


def _played(markets: dict[str, Market], *, began: float, say: Say, tellings: tuple[programme.Telling, ...]) -> Verdict:
    book = Book()

    def settle() -> None:
        playing.settle_by_working(markets.values())

    playing.play_as_of_yesterday(programme.told(programme.YESTERDAY, markets=markets, book=book), markets.values())
    playing.play(programme.told((programme.FIRST,), markets=markets, book=book), settle)
    say(f"first refund confirmed after {time.monotonic() - began:.1f} s: {first_refund()}")
    playing.play(programme.told((*programme.TOURS, *tellings), markets=markets, book=book), settle)
    say(f"{book.returns} returns told after {time.monotonic() - began:.1f} s; now polling for what got lost")
    playing.poll_everything()
    settle()
    return verify(markets, book, seconds=time.monotonic() - began)


def first_refund() -> str:
    """The oldest confirmed refund, in words."""
    effect = Effect.objects.filter(kind=states.REFUND, state=states.CONFIRMED).order_by("confirmed_at").first()
    return money.display(effect.amount or Decimal(0), currency=effect.currency) if effect else "none"
