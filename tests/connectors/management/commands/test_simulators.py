"""``simulators``: shop and platform on named ports, with a configuration that can be applied as it is printed."""

import signal
import socket
import threading
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from connectors.configuration import read


def test_a_busy_port_is_said_with_the_way_out() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(CommandError, match="name others with --shop-port and --platform-port"),
    ):
        call_command("simulators", shop_port=taken.getsockname()[1], platform_port=0)


@pytest.mark.django_db
def test_it_prints_a_configuration_and_serves_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Callable[..., Any]] = {}
    monkeypatch.setattr(signal, "signal", lambda number, handler: handlers.__setitem__(number, handler))
    out = StringIO()
    running = threading.Thread(
        target=lambda: call_command("simulators", shop_port=0, platform_port=0, place="kw", stdout=out)
    )
    running.start()
    try:
        ends = time.monotonic() + 20
        while "[[routes]]" not in out.getvalue() and time.monotonic() < ends:
            running.join(0.02)
        document = read(out.getvalue())
        pages = [requests.get(row["base_url"], timeout=5).text for row in document["connections"]]
    finally:
        handlers[signal.SIGTERM](signal.SIGTERM, None)
        running.join(20)
    assert "Simulated WooCommerce shop" in pages[0]
    assert "Winter coat" in pages[0]
    assert [row["name"] for row in document["connections"]] == ["shop-kw", "reveni-kw"]
    assert not running.is_alive()
