"""``export_config``: what it prints, ``apply_config`` reads again and finds nothing to change."""

import tomllib
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from returnsops.models import ConnectionSecret
from returnsops.services.secrets import store_secret
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_nothing_set_up_is_an_empty_file() -> None:
    assert run("export_config") == ""


def test_the_present_configuration_is_printed_without_stored_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROOF_SECRET", "value-Kx81")
    route = make.RouteFactory(name="uk", channels=["uk"], live=False)
    make.DispositionMappingFactory(route=route, location=make.LocationFactory(code="main"))
    make.ReasonMappingFactory(connection=route.platform, source_code="SIZE")
    store_secret(connection=route.commerce, name="consumer_key", value="stored-Kx82", by="olivia", at=NOW)
    store_secret(connection=route.commerce, name="consumer_secret", value="env:PROOF_SECRET", by="olivia", at=NOW)
    text = run("export_config")
    assert "Kx8" not in text
    document = tomllib.loads(text)
    shop = next(row for row in document["connections"] if row["name"] == route.commerce.name)
    assert shop["secrets"] == {"consumer_secret": ["env:PROOF_SECRET"]}
    assert document["routes"] == [
        {
            "name": "uk",
            "platform": route.platform.name,
            "commerce": route.commerce.name,
            "channels": ["uk"],
            "mode": "off",
            "dispositions": {"sellable": "main"},
        }
    ]
    assert document["reasons"] == [{"code": "too-small", "title": "Too small", "is_active": True}]

    path = tmp_path / "again.toml"
    path.write_text(text, encoding="utf-8")
    assert run("apply_config", str(path)) == "saved: policy of route uk\n"  # the empty one, which it had not
    assert run("apply_config", str(path)) == "Nothing to change.\n"
    assert ConnectionSecret.objects.count() == 2
