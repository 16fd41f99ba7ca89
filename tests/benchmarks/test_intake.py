"""How many webhooks a second the door takes, beside a server that only answers 202."""

import json
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
import requests

from connectors.reveni.samples import sample_event
from connectors.signing import sign
from tests.benchmarks.installation import Installation, has_postgres, installed
from tests.benchmarks.measuring import cpu_s, keep

EVENTS = 300
ROUNDS = 3
SENDERS = 8
SECRET = "whsec_" + "YmVuY2htYXJrLXNlY3JldC0wMTIzNDU2Nzg5"
CONFIG = f"""
[[connections]]
name = "reveni"
vendor = "reveni"
base_url = "http://127.0.0.1:9"
[connections.secrets]
webhook_secret = "{SECRET}"
api_key = "key"
"""
Delivery = tuple[bytes, dict[str, str]]


@pytest.mark.parametrize("engine", ["SQLite", "PostgreSQL"])
def test_intake(engine: str, tmp_path: Path) -> None:
    if engine == "PostgreSQL" and not has_postgres():
        keep(what="webhook intake, PostgreSQL", value="left out", note="TEST_POSTGRES_URL does not answer")
        return
    with installed(tmp_path, is_on_postgres=engine == "PostgreSQL") as installation:
        (tmp_path / "bench.toml").write_text(CONFIG, encoding="utf-8")
        installation.manage("apply_config", str(tmp_path / "bench.toml"))
        floor = rate(installation, application="tests.benchmarks.floor", status=202)
        door = rate(installation, application="returnsops.wsgi", status=202)
    keep(
        what=f"webhook intake, {engine}",
        value=f"{door.per_s:.0f} events/s, {door.cpu_ms:.1f} ms of CPU each",
        floor=f"{floor.per_s:.0f} answers/s, {floor.cpu_ms:.1f} ms",
        note=f"{100 * door.per_s / floor.per_s:.0f} % of the floor; {SENDERS} senders on the same two cores",
    )


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Deliveries a second by the clock, and the server's CPU for each."""

    per_s: float
    cpu_ms: float


def rate(installation: Installation, *, application: str, status: int) -> Rate:
    """The median over some rounds; every delivery must get the status."""
    pid = installation.start_web(application)
    deliver(deliveries(f"{application}-warm")[:50], f"{installation.url}/webhooks/reveni/")
    cpu_before_s = cpu_s(pid)
    rates = []
    for number in range(ROUNDS):
        batch = deliveries(f"{application}-{number}")
        began = time.perf_counter()
        statuses = deliver(batch, f"{installation.url}/webhooks/reveni/")
        rates.append(EVENTS / (time.perf_counter() - began))
        assert set(statuses) == {status}
        assert len(statuses) == EVENTS
    cpu_ms = 1000 * (cpu_s(pid) - cpu_before_s) / (ROUNDS * EVENTS)
    installation.stop()
    return Rate(per_s=statistics.median(rates), cpu_ms=cpu_ms)


def deliveries(name: str) -> list[Delivery]:
    """Signed events, no two the same."""
    return [delivery(f"evt_{name}_{number}") for number in range(EVENTS)]


def delivery(event_id: str) -> Delivery:
    at = datetime.now(UTC)
    body = json.dumps(sample_event("refund.issued", event_id=event_id, return_id=event_id, at=at)).encode()
    signed = sign(verifier={"kind": "standard_webhooks"}, secret=SECRET, body=body, at=at, message_id=event_id)
    return body, {"Content-Type": "application/json", **signed}


def deliver(batch: Sequence[Delivery], url: str) -> list[int]:
    """Send them all through some senders at once; the statuses."""
    waiting: SimpleQueue[Delivery] = SimpleQueue()
    for entry in batch:
        waiting.put(entry)
    statuses: list[int] = []
    threads = [threading.Thread(target=send_until_empty, args=(waiting, url, statuses)) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def send_until_empty(waiting: "SimpleQueue[Delivery]", url: str, statuses: list[int]) -> None:
    with requests.Session() as session:
        while True:
            try:
                body, headers = waiting.get_nowait()
            except Empty:
                return
            statuses.append(session.post(url, data=body, headers=headers, timeout=30).status_code)
