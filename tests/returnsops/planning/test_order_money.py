"""Which effect a refund in the shop belongs to."""

import pytest

from returnsops.planning import order_money

from . import views as v

KEY = "refund:reveni/ret_1:1"


@pytest.mark.parametrize(
    ("key", "is_mine"), [(KEY, True), (f"{KEY}#2", True), (f"{KEY}0", False), (f"{KEY}0#2", False), ("", False)]
)
def test_a_record_is_of_one_effect_in_any_generation_and_of_no_longer_number(key: str, is_mine: bool) -> None:
    assert order_money.is_of_key(v.shop_refund(key=key), KEY) is is_mine
