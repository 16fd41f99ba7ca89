"""`make run`: two services, one Ctrl-C, and neither outlives the other."""

import importlib.util
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).resolve().parent.parent.parent / "deploy" / "run.py"
STAYS = [sys.executable, "-c", "import time; time.sleep(60)"]
# Says that it runs, then waits; without the file the test would send its signal too early.
SAYS_SO = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("run", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.setattr(module, "web_bind", lambda: "127.0.0.1:0")  # any free port
    yield module
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_commands_are_the_documented_ones(run: ModuleType) -> None:
    steps = [command[2] for command in run.BEFORE]
    assert steps == ["check", "migrate", "setup_roles", "setup_schedules", "collectstatic"]
    assert run.SERVICES["worker"][2:] == ["worker"]
    assert run.SERVICES["web"][1:3] == ["-m", "gunicorn"]


def test_a_failing_step_starts_nothing(run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trace = tmp_path / "started"
    monkeypatch.setattr(run, "BEFORE", ([sys.executable, "-c", "raise SystemExit(3)"],))
    monkeypatch.setattr(run, "SERVICES", {"web": [sys.executable, "-c", SAYS_SO, str(trace)]})
    assert run.main() == 1
    assert not trace.exists()


def test_a_busy_port_starts_nothing_and_is_named(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr(run, "BEFORE", ())
        monkeypatch.setattr(run, "SERVICES", {})
        monkeypatch.setattr(run, "web_bind", lambda: bind)
        assert run.main() == 1
    assert capsys.readouterr().err == (
        f"returnsops: {bind} is in use: stop what listens there, or set WEB_BIND in .env to another address and port.\n"
    )
    assert run.is_free(bind)


def test_when_one_service_ends_the_other_is_stopped(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "BEFORE", ())
    monkeypatch.setattr(run, "SERVICES", {"web": [sys.executable, "-c", "raise SystemExit(3)"], "worker": STAYS})
    assert run.main() == 1
    assert "returnsops: web ended with code 3; stopping the rest." in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_wanted_stop_ends_both(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: signal.Signals
) -> None:
    started: list[int] = []
    original = run.start

    def start(command: list[str]) -> object:
        process = original(command)
        started.append(process.pid)
        if len(started) == 2:
            threading.Timer(0, os.kill, (os.getpid(), number)).start()
        return process

    monkeypatch.setattr(run, "start", start)
    monkeypatch.setattr(run, "BEFORE", ())
    monkeypatch.setattr(run, "SERVICES", {"web": STAYS, "worker": STAYS})
    assert run.main() == 0
    for pid in started:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_service_that_ignores_the_request_is_killed(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SAYS_SO}"
    process = run.start([sys.executable, "-c", deaf, str(ready)])
    while not ready.exists():
        assert process.poll() is None
    monkeypatch.setattr(run, "GRACE_S", 0.2)
    run.stop({"worker": process})
    assert process.wait(timeout=10) == -signal.SIGKILL
    assert "worker did not end within 0.2 s and is killed" in capsys.readouterr().err
