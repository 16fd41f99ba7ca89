"""Keys that cannot collide, and the fingerprint a money decision rests on."""

from dataclasses import replace
from decimal import Decimal

from returnsops.facts import RemoteRefund
from returnsops.planning.keys import business_key, content_hash
from returnsops.planning.view import order_fingerprint

from . import views as v


def refund(amount: str) -> RemoteRefund:
    return RemoteRefund(refund_id="1", amount=Decimal(amount), currency="EUR", created_at=v.NOW)


def test_parts_of_a_key_cannot_run_into_each_other() -> None:
    assert business_key("refund", "reveni/ret_1", "re:1") == "refund:reveni/ret_1:re%3A1"
    assert business_key("refund", "a:b", "c") != business_key("refund", "a", "b:c")


def test_a_hash_of_content_ignores_the_order_of_keys() -> None:
    assert content_hash({"a": 1, "b": Decimal("1.0")}) == content_hash({"b": Decimal("1.0"), "a": 1})
    assert content_hash([1]) != content_hash([2])


def test_the_fingerprint_follows_money_and_locks_only() -> None:
    order = v.order()
    same = replace(order, total=Decimal("66.5500"), status="completed", refunds=(refund("0"),), modified_at=v.NOW)
    assert order_fingerprint(same) == order_fingerprint(order)
    others = (
        replace(order, total=Decimal("66.54")),
        replace(order, is_locked=True),
        replace(order, is_gone=True),
        replace(order, currency="USD"),
        replace(order, lines=order.lines[:2]),
        replace(order, refunds=(refund("1.00"),)),
    )
    assert len({order_fingerprint(other) for other in (order, *others)}) == 7
