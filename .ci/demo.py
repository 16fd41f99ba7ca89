"""Plays a newcomer: ``make demo``, its logins and links, until Ctrl-C; then ``make demo-once`` and its document."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from queue import Empty, SimpleQueue
from typing import IO

import requests

PATIENCE_S = 180.0
STOPPED = "Stopped; nothing of the demo is left running."
TOURS = ("no refund yet, and why", "paid twice by hand", "what to inspect next")


def main() -> None:
    """Exits with 1 and one sentence where the demo is not what the README says."""
    live()
    once()


def once() -> None:
    """The whole stdout is one JSON document that says nothing was done twice, nothing lost, and both sides agree."""
    played = subprocess.run(["make", "demo-once"], stdout=subprocess.PIPE, text=True, check=False)
    print(played.stdout)
    _require(played.returncode == 0, f"make demo-once ended with {played.returncode}.")
    told = json.loads(played.stdout)
    _require((told["ok"], told["problems"], told["doubles"], told["lost"]) == (True, [], 0, 0), "The demo is not ok.")
    _require(all(told[name] for name in ("returns", "effects", "cases", "seconds")), "A figure is missing.")
    apart = [currency for currency, sums in told["money"].items() if sums["here"] != sums["shop"]]
    _require(bool(told["money"]) and not apart, f"Money differs in {apart}.")
    _require(told["stock"]["expected"] == told["stock"]["shop"] > 0, f"Stock differs: {told['stock']}.")


def live() -> None:
    """The first refund, the logins, the tours and the end, as printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        ["make", "demo", f"PORT={port}"], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as demo:
        lines = _lines_of(demo.stderr)
        try:
            seen = _look(lines, url=f"http://127.0.0.1:{port}")
        finally:
            os.killpg(demo.pid, signal.SIGINT)
            stopped = _until(lines, STOPPED)
    print(f"{seen}\n{stopped[-1]}")


def _look(lines: "SimpleQueue[str | None]", *, url: str) -> str:
    first = _until(lines, "first refund confirmed after")[-1]
    told = _until(lines, f"{TOURS[-1]}: ")
    logins = dict(re.findall(r"^  (\w+) +([0-9a-f]{4}(?:-[0-9a-f]{4}){3}) ", "\n".join(told), re.MULTILINE))
    pages = re.findall(rf"{url}/\S+/change/", "\n".join([first, *told]))
    _require(len(logins) == 7, f"Seven logins were expected, printed were: {', '.join(logins)}.")
    _require(len(pages) == 1 + len(TOURS), f"Addresses of the first refund and of three tours: {pages}.")
    for name, password in logins.items():
        _visit(name, password, pages=pages, url=url)
    return f"{first}\n{len(logins)} people signed in and opened {len(pages)} pages each"


def _visit(name: str, password: str, *, pages: list[str], url: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"{url}/accounts/login/", timeout=30)
        form = {"login": name, "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
        answer = session.post(f"{url}/accounts/login/", data=form, timeout=30)
        _require(answer.url == f"{url}/admin/", f"{name} could not sign in with the printed password.")
        for page in pages:
            _require(session.get(page, timeout=30).status_code == 200, f"{name} could not open {page}.")


def _lines_of(stream: IO[str] | None) -> "SimpleQueue[str | None]":
    """What the demo says, line by line; None at its end."""
    lines: SimpleQueue[str | None] = SimpleQueue()

    def read() -> None:
        for line in stream or ():
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _until(lines: "SimpleQueue[str | None]", text: str) -> list[str]:
    """The lines up to the one with this text."""
    seen: list[str] = []
    while not seen or text not in seen[-1]:
        try:
            line = lines.get(timeout=PATIENCE_S)
        except Empty:
            line = None
        if line is None:
            sys.exit("\n".join([*seen, f"make demo did not come to say: {text}"]))
        seen.append(line)
    return seen


def _require(holds: bool, text: str) -> None:
    if not holds:
        sys.exit(text)


if __name__ == "__main__":
    main()
