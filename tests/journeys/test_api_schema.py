"""Whatever a caller sends, sense or nonsense, the answer is one that the schema documents."""

from typing import Any
from unittest import mock

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connectors import eligibility_view
from returnsops.wsgi import application
from tests.journeys.calling import token
from tests.journeys.world import world

pytestmark = pytest.mark.django_db
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["sense", "nonsense"])
def test_every_answer_is_a_documented_one(mode: GenerationMode, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = settings.ELIGIBILITY_TRIES_PER_HOUR = 1_000_000
    with world() as w, mock.patch.object(eligibility_view, "pause"):
        schema = schemathesis.openapi.from_wsgi("/api/schema/", application)
        headers = {"Authorization": f"Bearer {token(w)}"}
        statuses = {}
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            statuses[operation.path] = _played(operation.as_strategy(generation_mode=mode), headers, w.shift)
        assert statuses
        expected = {400, 401, 404, 409, 415, 422} if mode is GenerationMode.NEGATIVE else {404, 409, 422}
        assert all(seen and seen <= expected for seen in statuses.values()), statuses


def _played(strategy: Any, headers: dict[str, str], shift: Any) -> set[int]:
    seen: set[int] = set()

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
    @given(case=strategy)
    def play(case: Any) -> None:
        shift(5)  # the shop's call budget fills up again
        response = case.call(headers=headers)
        case.validate_response(response, checks=[*CHECKS, not_a_server_error])
        seen.add(response.status_code)

    play()
    return seen
