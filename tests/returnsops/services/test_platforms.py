"""Whether a platform moves money itself, as its connector says."""

import pytest

from returnsops.services import platforms
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("vendor", "expected"), [("reveni", True), ("rebound", False), ("elsewhere", True)])
def test_the_connector_says_whether_its_platform_pays(vendor: str, expected: bool) -> None:
    assert platforms.pays(ConnectionFactory(vendor=vendor)) is expected
