"""What ``make`` says where this machine lacks something: one plain sentence, and not 0."""

import os
import shutil
import subprocess
from pathlib import Path

from django.conf import settings

# A Python that is too old for everything, and one that is new enough and has no venv module.
OLD = "exit 1"
WITHOUT_VENV = 'case "$2" in *venv*) exit 1;; esac'


def _setup(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """``make setup`` in a copy of the house, where every Python on the path answers as ``python`` says."""
    tools = folder / "bin"
    tools.mkdir(parents=True)
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (tools / name).write_text(f"#!/bin/sh\n{python}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    for tool in ("sh", "make", "grep"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    for part in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(settings.BASE_DIR / part, folder)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTHON", "MFLAGS"))}
    bare = kept | {"PATH": str(tools), "LC_ALL": "C"}
    return subprocess.run([tools / "make", "setup"], cwd=folder, env=bare, capture_output=True, text=True, timeout=60)


def _sentence(ran: subprocess.CompletedProcess[str]) -> str:
    """What a person reads beside make's own last line."""
    assert (ran.returncode, ran.stdout) == (2, "")
    said, ended = ran.stderr.splitlines()
    assert ended.startswith("make: ***")
    return said


def test_without_a_new_enough_python_or_its_venv_make_says_so_and_installs_nothing(tmp_path: Path) -> None:
    said = _sentence(_setup(tmp_path / "old", OLD))
    assert said.startswith(
        "returnsops needs Python 3.11 or newer, and neither python3 nor python3.11 to python3.13 is "
    )
    said = _sentence(_setup(tmp_path / "bare", WITHOUT_VENV))
    assert said.startswith(
        "Python's venv module is missing: install it (on Debian and Ubuntu: apt-get install python3-ve"
    )
    assert not list(tmp_path.glob("*/.venv"))


def test_a_cold_installation_says_how_much_it_installs_and_lets_pip_name_each(tmp_path: Path) -> None:
    """With a pip that only tells what it was asked for, as it would tell its progress."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    for part in ("Makefile", "requirements.lock"):
        shutil.copy(settings.BASE_DIR / part, tmp_path)
    ran = subprocess.run(["make", "setup"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    count = sum("==" in line for line in (tmp_path / "requirements.lock").read_text(encoding="utf-8").splitlines())
    assert ran.stderr.splitlines() == [
        f"Installing {count} packages from requirements.lock (once, until the lock changes)",
        "-m pip install --disable-pip-version-check --require-hashes -r requirements.lock",
    ]
    again = subprocess.run(["make", "setup"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert again.stderr == ""
