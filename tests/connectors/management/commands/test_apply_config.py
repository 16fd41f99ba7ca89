"""``apply_config``: says what it saved, changes nothing where anything is wrong, and names the place."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from returnsops.models import Connection, HistoryEntry, Route

pytestmark = pytest.mark.django_db
GOOD = """
[[connections]]
name = "reveni"
vendor = "reveni"
base_url = "https://platform.example"
secrets.webhook_secret = "stored-Kx81"

[[connections]]
name = "shop"
vendor = "woocommerce"
base_url = "https://shop.example"

[[routes]]
name = "uk"
platform = "reveni"
commerce = "shop"
mode = "shadow"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration that can be applied."""
    path = tmp_path / "shop.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("apply_config", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused(*arguments: object) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert (Connection.objects.count(), Route.objects.count(), HistoryEntry.objects.count()) == (0, 0, 0)
    return str(caught.value)


def test_what_was_saved_is_said_and_the_same_file_again_saves_nothing(file: Path) -> None:
    text = run(file, "--by", "olivia")
    assert text.splitlines() == [
        "saved: connection reveni",
        "saved: secret webhook_secret of reveni",
        "saved: connection shop",
        "saved: route uk",
        "saved: policy of route uk",
        "saved: mode of route uk",
    ]
    assert "Kx81" not in text
    assert Route.objects.get().mode == "shadow"
    assert set(HistoryEntry.objects.values_list("by", flat=True)) == {"olivia"}
    entries = HistoryEntry.objects.count()
    assert run(file) == "Nothing to change.\n"
    assert HistoryEntry.objects.count() == entries


def test_without_a_name_history_says_it_was_the_command(file: Path) -> None:
    run(file)
    assert set(HistoryEntry.objects.values_list("by", flat=True)) == {"apply_config"}


def test_a_check_changes_nothing(file: Path) -> None:
    assert run(file, "--check") == "The file can be applied.\n"
    assert (Connection.objects.count(), HistoryEntry.objects.count()) == (0, 0)


@pytest.mark.parametrize("more", [(), ("--check",)])
def test_a_file_with_a_mistake_changes_nothing_and_names_the_place(file: Path, more: tuple[str, ...]) -> None:
    file.write_text(GOOD.replace('commerce = "shop"', 'commerce = "shoop"'), encoding="utf-8")
    text = refused(file, *more)
    assert text.startswith("Nothing was changed:\n")
    assert "route uk.commerce: there is no connection 'shoop'" in text
    assert "Kx81" not in text


def test_a_route_that_may_not_go_live_takes_the_whole_file_back(file: Path) -> None:
    file.write_text(GOOD.replace('mode = "shadow"', 'mode = "live"'), encoding="utf-8")
    text = refused(file)
    assert text.startswith("Nothing was changed: Route uk cannot go live yet: ")
    assert text.endswith("Operations has not signed policy 1.")


def test_a_file_that_is_not_there_or_is_no_text_is_said(tmp_path: Path) -> None:
    absent = tmp_path / "absent.toml"
    assert refused(absent).startswith(f"{absent} cannot be read: ")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert refused(binary).startswith(f"{binary} cannot be read: ")
