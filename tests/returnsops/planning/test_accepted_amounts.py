"""What a person may accept at most, by what the order still has for the return."""

from decimal import Decimal
from typing import Any

import pytest

from returnsops.planning import accepted_amounts
from returnsops.planning.policy import Policy
from returnsops.planning.view import CreditView
from tests.returnsops.planning import views as v

OWN = "refund:reveni/ret_1:re_1"
GIFT = CreditView(
    credit_id="c1",
    kind="store_credit",
    amount=Decimal("10.00"),
    currency="EUR",
    executed_by="commerce_platform",
    is_settled=False,
)
SENT = v.effect(OWN, "refund", amount=Decimal("24.20"))
MINE = v.shop_refund(attribution="this_return", amount="6.55")
OTHERS = v.shop_refund(attribution="other_return", amount="60.00")
TOO_MUCH = v.shop_refund(attribution="unrelated", amount="70.00")


@pytest.mark.parametrize(
    ("subject", "changes", "most"),
    [
        ("re_1", {}, "66.55"),
        ("re_1", {"shop_refunds": (OTHERS,)}, "6.55"),
        ("re_1", {"shop_refunds": (TOO_MUCH,)}, "0"),
        ("re_1", {"shop_refunds": (MINE,)}, "60.00"),
        ("re_1", {"effects": (SENT,)}, "66.55"),  # told anew after it was sent: what was sent may be accepted
        ("re_2", {"payouts": (v.payout(), v.payout("re_2")), "effects": (SENT,)}, "42.35"),
        ("a", {"effects": (SENT,), "shop_refunds": (MINE,)}, "66.55"),
        ("a", {"effects": (SENT,), "shop_refunds": (OTHERS, TOO_MUCH)}, "0"),
        ("", {"effects": (v.effect("restock:x", "restock"),)}, "66.55"),
        ("c1", {"credits": (GIFT,)}, None),
        ("", {"credits": (GIFT,)}, "66.55"),
        ("re_1", {"order": None}, None),
    ],
)
def test_no_more_than_the_order_has_for_the_return(subject: str, changes: dict[str, Any], most: str | None) -> None:
    view = v.view(**({"payouts": (v.payout(),)} | changes))
    assert accepted_amounts.most(view, Policy(), subject=subject) == (None if most is None else Decimal(most))
