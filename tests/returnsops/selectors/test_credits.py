"""What a return's page says of each credit."""

from typing import Any

import pytest

from returnsops import states
from returnsops.selectors import credits
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("changes", "state", "tone"),
    [
        ({}, "not issued", "warn"),
        ({"executed_by": "returns_platform"}, "issued by the returns platform, recorded only", "good"),
        (
            {"settled_by": "carla", "settled_at": NOW, "settled_reference": "77"},
            "issued by hand by carla (77)",
            "good",
        ),
        (
            {"withdrawn_by": "carla", "withdrawn_at": NOW, "withdrawn_why": "twice"},
            "withdrawn by carla: twice",
            "warn",
        ),
    ],
)
def test_credits_we_did_not_issue(changes: dict[str, Any], state: str, tone: str) -> None:
    row = make.CreditRequestFactory(**{"executed_by": "", **changes})
    (shown,) = credits.of_return(row.rma)
    assert (shown.state, shown.tone, shown.last4, shown.used, shown.bonus) == (state, tone, "", "", "")


def test_a_credit_waits_where_sending_is_stopped() -> None:
    row = make.CreditRequestFactory(external_id="cr_1", kind="gift_card")
    key = f"store_credit:{row.rma.ref}:gift_card:cr_1"
    make.EffectFactory(rma=row.rma, kind=states.STORE_CREDIT, key=key, state=states.READY)
    assert credits.of_return(row.rma)[0].state == "goes out next"
    make.SwitchFactory(scope="kind:store_credit")
    (shown,) = credits.of_return(row.rma)
    assert (shown.state, shown.tone) == ("waits: sending is stopped", "warn")


def test_a_credit_of_ours_shows_what_was_last_seen_of_it() -> None:
    row = make.CreditRequestFactory(external_id="cr_1", kind="gift_card")
    key = f"store_credit:{row.rma.ref}:gift_card:cr_1"
    effect = make.EffectFactory(rma=row.rma, kind=states.STORE_CREDIT, key=key, state=states.CONFIRMED)
    seen = {"code_last4": "7K4M", "expires": "2027-11-20T22:59:59+00:00", "used": 1}
    make.AttemptFactory(effect=effect, number=1, evidence={**seen, "used": 0})
    make.AttemptFactory(effect=effect, number=2, evidence=seen)
    make.AttemptFactory(effect=effect, number=3, evidence={"reason": "no answer in time"})
    (shown,) = credits.of_return(row.rma)
    assert (shown.state, shown.last4, shown.used) == ("done and seen in the shop", "7K4M", "used by the customer")
    assert shown.expires_at is not None
    assert shown.expires_at.isoformat() == "2027-11-20T22:59:59+00:00"
