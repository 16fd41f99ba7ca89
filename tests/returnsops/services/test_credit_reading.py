"""Looking at a credit in the shop: in words, noted, and never stored."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.models import HistoryEntry
from returnsops.services import credit_reading
from returnsops.services.credit_reading import CreditRead
from returnsops.services.effect_rows import EffectError
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def read(**changes: Any) -> CreditRead:
    values: dict[str, Any] = {
        "code": "RC-AAAA-BBBB-CCCC",
        "amount": Decimal("33.00"),
        "expires_at": datetime(2027, 11, 20, 22, 59, tzinfo=UTC),
        "usage_count": 0,
        "is_usable": True,
    }
    return CreditRead(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "not used yet, holds until 20 November 2027 22:59 UTC"),
        ({"expires_at": None}, "not used yet, holds without end"),
        ({"usage_count": 1}, "the customer has used it"),
        ({"is_usable": False}, "not used, and can no longer be spent"),
    ],
)
def test_a_credit_in_words(changes: dict[str, Any], words: str) -> None:
    assert credit_reading.in_words(read(**changes), currency="EUR") == f"RC-AAAA-BBBB-CCCC: €33.00, {words}."
    assert "RC-" not in repr(read())


def test_only_an_issued_credit_has_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credit_reading, "_readers", [lambda connection, remote_id: read()])
    refund = make.EffectFactory(remote_id="7")
    unsent = make.EffectFactory(kind=states.STORE_CREDIT)
    for effect in (refund, unsent):
        with pytest.raises(EffectError, match="was not issued"):
            credit_reading.look(effect=effect, by="carla", at=NOW)
    effect = make.EffectFactory(kind=states.STORE_CREDIT, remote_id="7")
    assert credit_reading.look(effect=effect, by="carla", at=NOW).startswith("RC-AAAA")
    entry = HistoryEntry.objects.get(act="credit_code_shown")
    assert (entry.by, entry.text) == ("carla", "Code of credit 7 shown; used 0 times.")


def test_without_a_reader_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credit_reading, "_readers", [])
    with pytest.raises(EffectError, match="knows how to read"):
        credit_reading.look(effect=make.EffectFactory(kind=states.STORE_CREDIT, remote_id="7"), by="carla", at=NOW)
