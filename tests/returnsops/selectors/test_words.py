"""One effect in a few words, as pages name it."""

from typing import Any

import pytest

from returnsops import states
from returnsops.models import Effect
from returnsops.selectors.words import describe

CASES = [
    (states.OPEN_RETURN, {}, "Return in the shop"),
    (states.CLOSE_RETURN, {}, "Closing the shop's return"),
    (states.NOTE, {"token": "[RMA-1/refunded/4]"}, "Order note refunded"),
    (states.MIRROR, {"field": "refund_status"}, "Status field refund status"),
    (states.WRITE_BACK, {"message": states.TELL_VERDICT}, "Message to the returns platform (our inspection)"),
]


@pytest.mark.parametrize(("kind", "payload", "words"), CASES)
def test_an_effect_without_amount_is_named_by_what_it_is_about(kind: str, payload: dict[str, Any], words: str) -> None:
    assert describe(Effect(kind=kind, payload=payload)) == words
