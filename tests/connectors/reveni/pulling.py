"""A platform served on loopback and a link to it, over real HTTP."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.http import make_caller, new_session
from connectors.ports import ConnectionConfig, Link
from connectors.simulators.base import SimulatedClock
from connectors.simulators.reveni import API_KEY, WEBHOOK_SECRET, ReveniPlatform
from connectors.simulators.server import serve

START = datetime(2026, 5, 4, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Running:
    """A platform that answers at ``link.config.base_url``."""

    platform: ReveniPlatform
    clock: SimulatedClock
    link: Link

    def with_settings(self, **settings: Any) -> Link:
        """The link with other settings on top."""
        config = replace(self.link.config, settings={**self.link.config.settings, **settings})
        return replace(self.link, config=config)

    def with_secrets(self, secrets: Mapping[str, tuple[str, ...]]) -> Link:
        """The link with other secrets."""
        return replace(self.link, config=replace(self.link.config, secrets=secrets))


@contextmanager
def running() -> Iterator[Running]:
    """A platform with an empty account, until the block ends."""
    clock = SimulatedClock(START)
    platform = ReveniPlatform(clock=clock)
    server = serve(platform.simulator)
    session = new_session()
    config = ConnectionConfig(
        name="reveni-demo",
        vendor="reveni",
        base_url=server.url,
        settings={"pull_api": True},
        secrets={"api_key": (API_KEY,), "webhook_secret": (WEBHOOK_SECRET,)},
    )
    call = make_caller(session=session, before_call=None, record=None, now=clock.now)
    try:
        yield Running(platform=platform, clock=clock, link=Link(config=config, call=call, now=clock.now))
    finally:
        session.close()
        server.stop()


def fill(running: Running, count: int) -> list[str]:
    """So many returns, a minute apart."""
    ids = []
    for number in range(count):
        running.clock.advance(60)
        ids.append(running.platform.create_return(order_id=str(100 + number), items=[{"sku": f"SKU-{number}"}]))
    return ids
