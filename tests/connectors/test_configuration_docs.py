"""The configuration file in the documentation is one that can be applied."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors import configuration, configuration_apply
from returnsops.models import Route

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.mark.django_db
def test_the_documented_file_can_be_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    text, *additions = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    for variable in re.findall(r'"env:(\w+)"', "\n".join([text, *additions])):
        monkeypatch.setenv(variable, "abcdefghijklmnopqrstuvwxyz")
    for addition in additions:  # each goes on where the file ends
        assert configuration.read(f"{text}\n{addition}")
    document = configuration.read(text)
    at = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    assert configuration_apply.apply(document, by="docs", at=at)
    assert configuration_apply.apply(document, by="docs", at=at) == ()
    assert Route.objects.get().mode == "shadow"
