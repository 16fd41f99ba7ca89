"""The demo's child processes: web server and worker, as in production, ended together with the demo."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.conf import settings

from connectors.management.demo import home

GRACE_S: Final = 15.0
UP_S: Final = 30.0
LOOK_EVERY_S: Final = 0.1


class ProcessEndedError(Exception):
    """A child ended by itself, or never came up; the text names its log."""


@dataclass(kw_only=True)
class Children:
    """Who was started, by name."""

    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_web(self) -> None:
        """gunicorn, with the configuration `make run` uses."""
        config = str(Path(settings.BASE_DIR) / "deploy" / "gunicorn.conf.py")
        self._start("web", [sys.executable, "-m", "gunicorn", "--config", config, "returnsops.wsgi"])
        host, _, port = settings.WEB_BIND.rpartition(":")
        self._wait_for(host, int(port))

    def start_worker(self) -> None:
        """django-q2's cluster."""
        self._start("worker", [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "worker"])

    def check(self) -> None:
        """Raises ProcessEndedError where one has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise ProcessEndedError(f"The {name} process ended with code {process.returncode}; see {log_of(name)}")

    def stop(self) -> None:
        """Ask all to end, wait, and end what is left with everything it started."""
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE_S
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            _end_group(process)
        self.running.clear()

    def _start(self, name: str, command: list[str]) -> None:
        """In a session of its own, so that Ctrl-C reaches it through us and in order."""
        with log_of(name).open("wb") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 - our own two services with fixed arguments
                command, cwd=settings.BASE_DIR, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def _wait_for(self, host: str, port: int) -> None:
        ends = time.monotonic() + UP_S
        while time.monotonic() < ends:
            self.check()
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((host, port)) == 0:
                    return
            time.sleep(LOOK_EVERY_S)
        raise ProcessEndedError(f"The web server does not answer; see {log_of('web')}")


def log_of(name: str) -> Path:
    """Where a child writes."""
    return home.folder() / f"{name}.log"


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Whatever of the child's own session still runs (its workers have it as their group)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(timeout=GRACE_S)
