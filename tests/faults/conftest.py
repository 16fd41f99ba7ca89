"""The ledger of the fault tests."""

from collections.abc import Iterator

import pytest

from tests.faults import ledger


@pytest.fixture
def world(db: None) -> Iterator[ledger.World]:
    """A new ledger on loopback with one order of 60.00 GBP."""
    with ledger.world() as made:
        yield made
