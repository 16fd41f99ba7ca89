"""The schema is served, valid, and the same as the file that is published."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docs/openapi.yaml"


def test_the_published_file_is_the_served_schema(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True)
    assert FILE.read_text(encoding="utf-8") == made.read_text(encoding="utf-8"), (
        "run: manage.py spectacular --file docs/openapi.yaml"
    )


@pytest.mark.django_db
def test_it_is_served_to_anybody_and_tells_nothing_of_the_data() -> None:
    response = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi"})
    assert response.status_code == 200
    assert yaml.safe_load(response.content) == yaml.safe_load(FILE.read_text(encoding="utf-8"))


def operations() -> list[tuple[str, Any]]:
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]


@pytest.mark.parametrize(("path", "operation"), operations(), ids=lambda value: str(value)[:40])
def test_every_call_wants_a_token_and_documents_its_refusals(path: str, operation: Any) -> None:
    assert operation["security"] == [{"token": []}]
    assert {"400", "401", "403", "404", "413", "415", "422", "429"} <= set(operation["responses"])
    assert operation["summary"]
