"""``demo``: web server and worker as processes of their own, the played day, then one new return every 20 seconds."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from io import StringIO
from typing import Final

from django.core.management import call_command
from django.db import connection as database
from django.db import connections
from django.urls import reverse

from connectors.management.demo import home, playing, programme
from connectors.management.demo.expectations import Book
from connectors.management.demo.installation import ADMIN, PEOPLE, install
from connectors.management.demo.markets import Market
from connectors.management.demo.once import prepare_database
from connectors.management.demo.processes import Children, log_of
from connectors.management.demo.world import build_markets
from returnsops import states
from returnsops.models import Effect, ReturnAuthorisation

Say = Callable[[str], None]
EVERY_S: Final = 20.0
FIRST_S: Final = 120.0
TOUR_TITLES: Final = ("no refund yet, and why", "paid twice by hand", "what to inspect next")


def run_live(*, port: int, say: Say) -> None:
    """Run until Ctrl-C, SIGTERM or the end of the terminal. Raises ProcessEndedError where a child dies."""
    is_over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: is_over.set())
    children, markets = Children(), build_markets()
    try:
        _set_up(children, markets, port=port, say=say)
        _play(children, markets, url=f"http://{home.HOST}:{port}", is_over=is_over, say=say)
    finally:
        with suppress(OSError):  # the terminal may be closed: what was started ends all the same
            say("Stopping …")
        for market in markets.values():
            market.close()
        children.stop()
        connections.close_all()
        say("Stopped; nothing of the demo is left running.")


def _set_up(children: Children, markets: dict[str, Market], *, port: int, say: Say) -> None:
    say("Preparing an empty database, five shops and their returns platforms …")
    prepare_database()
    call_command("setup_schedules", stdout=StringIO())
    for market in markets.values():
        market.open()
    children.start_web()
    url = f"http://{home.HOST}:{port}"
    text = install(markets, passwords=home.passwords([*PEOPLE, ADMIN]), public_url=url)
    (home.folder() / "config.toml").write_text(text, encoding="utf-8")


def _play(children: Children, markets: dict[str, Market], *, url: str, is_over: threading.Event, say: Say) -> None:
    book = Book()
    everybody = list(markets.values())

    def tell(tellings: Iterable[programme.Telling]) -> None:
        stories = programme.told(tuple(tellings), markets=markets, book=book)
        playing.play(stories, lambda: playing.settle_by_waiting(everybody, is_over=is_over.is_set))
        children.check()

    playing.play_as_of_yesterday(programme.told(programme.YESTERDAY, markets=markets, book=book), everybody)
    children.start_worker()
    for sender in playing.senders_of(everybody):
        sender.start()
    first = programme.told((programme.FIRST,), markets=markets, book=book)
    programme.step(first)
    _say_first(children, url=url, is_over=is_over, say=say)
    _say_how(everybody, url=url, say=say)
    tell(programme.TOURS)
    _say_tours(url=url, say=say)
    say("Playing the rest of the day …")
    tell(programme.DAY)
    say(f"{book.returns} returns played. From now on one new return every {EVERY_S:g} s, until Ctrl-C.")
    for telling in programme.ever_after():
        if is_over.wait(EVERY_S):
            return
        tell((telling,))


def _say_first(children: Children, *, url: str, is_over: threading.Event, say: Say) -> None:
    """Wait for the first confirmed refund and say where it is."""
    ends = time.monotonic() + FIRST_S
    while time.monotonic() < ends and not is_over.wait(0.1):
        children.check()
        database.close()
        effect = Effect.objects.filter(kind=states.REFUND, state=states.CONFIRMED).first()
        if effect is not None and effect.rma is not None:
            say(f"first refund confirmed after {_seconds():.1f} s: {url}{_page(effect.rma)}")
            return


def _seconds() -> float:
    """Since ``make demo`` was typed, as far as the process knows."""
    return datetime.now(UTC).timestamp() - float(os.environ.get(home.BEGAN, datetime.now(UTC).timestamp()))


def _say_how(markets: Iterable[Market], *, url: str, say: Say) -> None:
    logins = home.passwords([*PEOPLE, ADMIN])
    lines = ["", f"Back office: {url}/admin/", ""]
    lines += [f"  {name:14} {logins[name]:22} {what}" for name, (_, what) in PEOPLE.items()]
    lines += [f"  {ADMIN:14} {logins[ADMIN]:22} everything", ""]
    for market in markets:
        place = market.place
        lines.append(f"  {place.title:14} {place.pair_title:23} shop {market.shop_url}  platform {market.platform_url}")
    lines += [
        "",
        "Stop: Ctrl-C. Reset: start again (data are always new); make demo FRESH=1 makes new passwords too.",
        f"Logs: {log_of('web')}, {log_of('worker')}",
        "",
    ]
    say("\n".join(lines))


def _say_tours(*, url: str, say: Say) -> None:
    """The returns of the README's tours, by number and address."""
    rows = ReturnAuthorisation.objects.filter(number__startswith="EU-RMA-").order_by("number")
    tours = list(rows[1 : 1 + len(TOUR_TITLES)])
    lines = ["Three tours (README.md):"]
    lines += [f"  {title}: {rma.number} {url}{_page(rma)}" for title, rma in zip(TOUR_TITLES, tours, strict=False)]
    say("\n".join([*lines, ""]))


def _page(rma: ReturnAuthorisation) -> str:
    return reverse("admin:returnsops_returnauthorisation_change", args=[rma.pk])
