"""The demo's own folder: keys, passwords, database, and the environment in which its processes run."""

import base64
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from django.conf import settings

HOST: Final = "127.0.0.1"
MARK: Final = "RETURNSOPS_DEMO"  # set in the environment of the demo's own processes
BEGAN: Final = "RETURNSOPS_DEMO_BEGAN"  # when the command was typed, in seconds since 1970
FOLDER: Final = ".demo"
PORTS_TRIED: Final = 50


class PortTakenError(Exception):
    """Somebody listens there already; the text says which port is free."""


def folder() -> Path:
    """Where everything of the demo lives; made on first use, for its owner only."""
    path = Path(settings.BASE_DIR) / FOLDER
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def forget() -> None:
    """Remove keys, passwords and databases of earlier runs."""
    shutil.rmtree(folder(), ignore_errors=True)


def is_inside() -> bool:
    """Whether this process already runs in the demo's environment."""
    return MARK in os.environ


def environment(*, port: int, is_once: bool) -> dict[str, str]:
    """The environment of every process of the demo. Nothing of a real installation reaches them."""
    name = "once" if is_once else "demo"
    default = f"sqlite:///{folder() / f'{name}.sqlite3'}"
    own = {
        "DEBUG": "true",
        "SECRET_KEY": _kept("secret_key", lambda: secrets.token_urlsafe(50)),
        "FIELD_ENCRYPTION_KEYS": _kept("field_key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()),
        "DATABASE_URL": os.environ.get("DEMO_DATABASE_URL", default),
        "PUBLIC_URL": f"http://{HOST}:{port}",
        "WEB_BIND": f"{HOST}:{port}",
        "LOG_LEVEL": "WARNING",
        "Q_WORKERS": "2",  # one may take messages in while the other sends
        MARK: name,
        BEGAN: f"{time.time():.3f}",
    }
    path = folder() / f"{name}.env"
    _write(path, "".join(f"{name}={value}\n" for name, value in own.items() if name not in (MARK, BEGAN)))
    kept = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("LC_")}
    return {**kept, **own, "ENV_FILE": str(path)}


_INHERITED: Final = frozenset(
    {"PATH", "HOME", "LANG", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    | {"PYTHONWARNINGS", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "DJANGO_SETTINGS_MODULE", "NO_COLOR"}
)


def passwords(names: Iterable[str]) -> dict[str, str]:
    """One password per person, the same from run to run until the demo is reset."""
    path = folder() / "logins.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    wanted = {name: known.get(name) or _password() for name in names}
    _write(path, json.dumps(wanted, indent=2) + "\n")
    return wanted


def clear_database() -> None:
    """Start from nothing: the simulators forget everything when they stop, so must we."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        return  # flushed after migrating
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{database['NAME']}{suffix}").unlink(missing_ok=True)


def free_port(*, at_least: int = 0) -> int:
    """A port of this machine nobody listens on, the first from ``at_least`` on; 0: any."""
    for port in range(at_least, at_least + PORTS_TRIED) if at_least else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PortTakenError(f"No port from {at_least} to {at_least + PORTS_TRIED - 1} is free; name another with --port.")


def require_port(port: int) -> int:
    """The port itself. Raises PortTakenError, naming a free one, where somebody listens on it."""
    free = free_port(at_least=port)
    if free != port:
        raise PortTakenError(f"Port {port} is in use; stop what listens there, or run: make demo PORT={free}")
    return port


def _kept(name: str, make: Callable[[], str]) -> str:
    path = folder() / name
    if not path.is_file():
        _write(path, make())
    return path.read_text(encoding="utf-8").strip()


def _password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _write(path: Path, text: str) -> None:
    """For its owner only, from the first byte on."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
