"""``manage.py simulators``: a simulated shop and returns platform on loopback, with a file to connect them."""

import signal
import threading
from typing import Any

import tomli_w
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.management.demo.installation import document
from connectors.management.demo.markets import Market
from connectors.management.demo.places import PLACES, TITLES
from connectors.management.demo.playing import senders_of
from connectors.management.demo.world import build_market


class Command(BaseCommand):
    """Prints addresses, keys and a configuration; runs until Ctrl-C. They keep everything in memory."""

    help = "Serve a simulated shop and its returns platform on loopback; --place says which pair."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """--shop-port, --platform-port, --place."""
        parser.add_argument("--shop-port", type=int, default=9101)
        parser.add_argument("--platform-port", type=int, default=9102)
        parser.add_argument("--place", choices=[place.code for place in PLACES], default="eu")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until Ctrl-C or SIGTERM."""
        place = next(place for place in PLACES if place.code == options["place"])
        market = build_market(place)
        market.listen_to(f"{settings.PUBLIC_URL}/webhooks/{market.platform_name}/")
        try:
            market.open(shop_port=options["shop_port"], platform_port=options["platform_port"])
        except OSError as error:
            market.close()
            raise CommandError(
                f"A port is in use ({error.strerror}); name others with --shop-port and --platform-port."
            ) from None
        try:
            self._serve(market)
        finally:
            market.close()

    def _serve(self, market: Market) -> None:
        is_over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: is_over.set())
        for sender in senders_of([market]):
            sender.start()
        self.stdout.write(self._words(market))
        self.stdout.flush()
        is_over.wait()

    def _words(self, market: Market) -> str:
        place = market.place
        return "\n".join(
            [
                f"# {TITLES[place.commerce]}: {market.shop_url}   {TITLES[place.returns]}: {market.platform_url}"
                "   (Ctrl-C stops both)",
                "# Save what follows as a file and apply it: manage.py apply_config FILE.toml",
                tomli_w.dumps(document([market])),
            ]
        )
