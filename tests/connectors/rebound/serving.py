"""A ReBound account served on loopback and a link to it, over real HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.http import make_caller, new_session
from connectors.ports import ConnectionConfig, Link, PolledItem
from connectors.rebound.polling import poll
from connectors.simulators.base import SimulatedClock
from connectors.simulators.rebound import API_KEY, LOGIN, ReboundAccount
from connectors.simulators.server import serve

START = datetime(2026, 5, 4, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Running:
    """An account that answers at ``link.config.base_url``."""

    account: ReboundAccount
    clock: SimulatedClock
    link: Link

    def with_settings(self, **settings: Any) -> Link:
        """The link with other settings on top."""
        config = replace(self.link.config, settings={**self.link.config.settings, **settings})
        return replace(self.link, config=config)

    def with_key(self, *keys: str) -> Link:
        """The link with another key."""
        return replace(self.link, config=replace(self.link.config, secrets={"api_key": keys}))

    def create(self, sku: str = "MUG-RED", **fields: Any) -> str:
        """A return of one item."""
        return self.account.create_return(order_reference="1042", items=[{"sku_code": sku, **fields}])


@contextmanager
def running() -> Iterator[Running]:
    """An empty account, until the block ends."""
    clock = SimulatedClock(START)
    account = ReboundAccount(clock=clock)
    server = serve(account.simulator)
    session = new_session()
    config = ConnectionConfig(
        name="rebound-demo",
        vendor="rebound",
        base_url=server.url,
        settings={"login": LOGIN},
        secrets={"api_key": (API_KEY,)},
    )
    call = make_caller(session=session, before_call=None, record=None, now=clock.now)
    try:
        yield Running(account=account, clock=clock, link=Link(config=config, call=call, now=clock.now))
    finally:
        session.close()
        server.stop()


def rounds(link: Link, cursor: str = "") -> tuple[list[PolledItem], str]:
    """One whole round: its items and the cursor after it."""
    items: list[PolledItem] = []
    while True:
        page = poll(link, cursor)
        items += page.items
        cursor = page.cursor
        if page.is_last:
            return items, cursor


def known(cursor: str) -> set[str]:
    """The returns a cursor remembers."""
    return set(json.loads(cursor)["known"])
