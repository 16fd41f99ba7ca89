"""A real installation in processes of its own: its database, gunicorn as in `make run`, and the cluster."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import requests
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]
POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
READY_WITHIN_S = 30
DATABASE_NAME = "bench_returnsops"


@dataclass(kw_only=True)
class Installation:
    """Where it listens, its environment, and its processes by name."""

    folder: Path
    port: int
    database_url: str
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Address of the web server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Exactly what the processes get."""
        return {
            "PATH": os.environ["PATH"],
            "ENV_FILE": "",
            "SECRET_KEY": "bench-" * 12,
            "FIELD_ENCRYPTION_KEYS": "dGVzdHMtb25seS1rZXktMzItYnl0ZXMtbG9uZy0wMDE=",
            "PUBLIC_URL": self.url,
            "WEB_BIND": f"127.0.0.1:{self.port}",
            "DATABASE_URL": self.database_url,
            "STATIC_ROOT": str(self.folder / "static"),
            "LOG_LEVEL": "ERROR",
            "PYTHONPATH": str(ROOT),
        }

    def manage(self, *arguments: str, given: str | None = None) -> str:
        """Run a management command to its end; ``given`` is a Python program for the shell."""
        done = subprocess.run(
            [*MANAGE, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start_web(self, application: str = "returnsops.wsgi") -> int:
        """Start gunicorn with the project's own configuration; returns its process id once it answers."""
        config = ["--config", str(ROOT / "deploy/gunicorn.conf.py")]
        pid = self._start("web", [sys.executable, "-m", "gunicorn", *config, application])
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            try:
                requests.get(f"{self.url}/healthz", timeout=5)
            except requests.ConnectionError:
                time.sleep(0.1)
                continue
            return pid
        raise AssertionError("gunicorn did not start")

    def start_worker(self) -> int:
        """Start the cluster; returns its process id."""
        return self._start("worker", [*MANAGE, "worker"])

    def stop(self) -> None:
        """End every process."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running.clear()

    def _start(self, name: str, command: Sequence[str]) -> int:
        self.running[name] = subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)
        return self.running[name].pid


@contextmanager
def installed(folder: Path, *, is_on_postgres: bool = False) -> Iterator[Installation]:
    """An installation with an empty, migrated database; gone afterwards."""
    url = postgres_database() if is_on_postgres else f"sqlite:///{folder / 'bench.sqlite3'}"
    made = Installation(folder=folder, port=free_port(), database_url=url)
    try:
        made.manage("migrate", "--no-input", "--verbosity", "0")
        made.manage("collectstatic", "--no-input", "--verbosity", "0")
        yield made
    finally:
        made.stop()
        if is_on_postgres:
            drop_postgres_database()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


def has_postgres() -> bool:
    """Whether TEST_POSTGRES_URL answers."""
    try:
        psycopg.connect(POSTGRES_URL, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def postgres_database() -> str:
    """A new empty database; its address."""
    drop_postgres_database()
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE_NAME)))
    return f"{POSTGRES_URL.rpartition('/')[0]}/{DATABASE_NAME}"


def drop_postgres_database() -> None:
    """Remove it, whoever is connected."""
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE_NAME)))
