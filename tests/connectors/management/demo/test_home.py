"""The demo's own folder: keys that stay, ports that are free, and no way from the demo into a real installation."""

import socket
import stat
from pathlib import Path

import pytest
from pytest_django import Settings

from connectors.management.demo import home


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, settings: Settings) -> Path:
    """No test touches the folder of a running demo."""
    settings.BASE_DIR = tmp_path
    return tmp_path


def test_a_busy_port_names_the_next_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(home.PortTakenError, match=rf"Port {port} is in use; .* make demo PORT=\d+"):
            home.require_port(port)
    assert home.require_port(port) == port


def test_keys_and_passwords_stay_until_the_demo_is_reset() -> None:
    first, logins = home.environment(port=8000, is_once=False), home.passwords(["cx", "finance"])
    assert home.environment(port=8000, is_once=False)["SECRET_KEY"] == first["SECRET_KEY"]
    assert home.passwords(["cx", "finance"]) == logins
    assert len(set(logins.values())) == 2
    home.forget()
    assert home.environment(port=8000, is_once=False)["FIELD_ENCRYPTION_KEYS"] != first["FIELD_ENCRYPTION_KEYS"]
    assert home.passwords(["cx"])["cx"] != logins["cx"]


def test_only_its_owner_reads_what_is_kept() -> None:
    home.environment(port=8000, is_once=False)
    home.passwords(["cx"])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.folder().iterdir()}
    assert modes == dict.fromkeys(["secret_key", "field_key", "demo.env", "logins.json"], 0o600)


def test_nothing_of_a_real_installation_reaches_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SHOP_SECRET", "REDIS_URL", "SENTRY_DSN", "ALLOWED_HOSTS"):
        monkeypatch.setenv(name, "of-a-real-installation")
    made = home.environment(port=8123, is_once=True)
    assert "of-a-real-installation" not in made.values()
    assert made["DATABASE_URL"] == f"sqlite:///{home.folder() / 'once.sqlite3'}"
    assert (made["PUBLIC_URL"], made["DEBUG"]) == ("http://127.0.0.1:8123", "true")
    assert made["ENV_FILE"] == str(home.folder() / "once.env")
    assert Path(made["ENV_FILE"]).read_text(encoding="utf-8").count("=") == 8 + made["FIELD_ENCRYPTION_KEYS"].count("=")
