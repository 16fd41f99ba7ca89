"""``demo``: refuses where passwords must not be printed, and says in one sentence that a port is taken."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from pytest_django import Settings


def test_without_debug_it_refuses() -> None:
    with pytest.raises(CommandError, match="only runs with DEBUG on"):
        call_command("demo")


def test_a_busy_port_is_one_plain_sentence(settings: Settings, tmp_path: Path) -> None:
    settings.DEBUG, settings.BASE_DIR = True, tmp_path
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CommandError, match="is in use; stop what"):
        call_command("demo", port=taken.getsockname()[1])


def test_the_command_line_says_it_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=Path(str(django_settings.BASE_DIR)),
            env={"PATH": os.environ["PATH"], "DEBUG": "true", "ENV_FILE": "", "DATABASE_URL": "sqlite://:memory:"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"CommandError: Port {port} is in use;")
    assert "Traceback" not in ran.stderr
