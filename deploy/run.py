"""`make run`: bring the database and static files up to date, then run web and worker until Ctrl-C or until one ends.

For one machine. Production runs the same two commands as services of its own (docs/deploying.md).
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]
BEFORE = (
    [*MANAGE, "check"],
    [*MANAGE, "migrate", "--no-input", "--verbosity", "1"],
    [*MANAGE, "setup_roles"],
    [*MANAGE, "setup_schedules"],
    [*MANAGE, "collectstatic", "--no-input", "--verbosity", "0"],
)
SERVICES = {
    "web": [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "deploy/gunicorn.conf.py"), "returnsops.wsgi"],
    "worker": [*MANAGE, "worker"],
}
GRACE_S = 20.0
LOOK_EVERY_S = 0.2


def main() -> int:
    """Run everything; return 0 after a wanted stop, 1 when a step or a service failed."""
    for command in BEFORE:
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            return 1
    if not is_free(web_bind()):
        say(f"{web_bind()} is in use: stop what listens there, or set WEB_BIND in .env to another address and port.")
        return 1
    is_stop_wanted = threading.Event()
    signal.signal(signal.SIGINT, lambda number, frame: is_stop_wanted.set())
    signal.signal(signal.SIGTERM, lambda number, frame: is_stop_wanted.set())
    signal.signal(signal.SIGHUP, lambda number, frame: is_stop_wanted.set())  # the terminal was closed
    running = {name: start(command) for name, command in SERVICES.items()}
    while not is_stop_wanted.wait(LOOK_EVERY_S):
        ended = [name for name, process in running.items() if process.poll() is not None]
        if ended:
            say(f"{ended[0]} ended with code {running[ended[0]].returncode}; stopping the rest.")
            break
    stop(running)
    return 0 if is_stop_wanted.is_set() else 1


def web_bind() -> str:
    """Return the address and port that the settings give the web server; they have passed `check` by now."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "returnsops.settings")
    from django.conf import settings

    return str(settings.WEB_BIND)


def is_free(bind: str) -> bool:
    """Say whether nothing listens on `bind` (host:port) yet."""
    host, _, port = bind.rpartition(":")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError:
            return False
    return True


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start one service in its own session, so that Ctrl-C reaches it only through us and in order."""
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True)


def stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask each service to end, wait up to GRACE_S seconds for all, then end what is left."""
    for process in running.values():
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + GRACE_S
    for name, process in running.items():
        try:
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"{name} did not end within {GRACE_S:g} s and is killed; its unfinished sends are looked up next time.")
            process.kill()


def say(text: str) -> None:
    """Print one line beside the services' logs; a closed terminal hears nothing and keeps nothing from ending."""
    with suppress(OSError):
        sys.stderr.write(f"returnsops: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
