"""Refunds: the exact request, and what a look-up makes of what the shop holds. Over HTTP: test_actions.py."""

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.ports import Answer, Found, Link, Lookup, OutcomeUnknown, Rejected, Retryable
from connectors.woocommerce import refunds
from tests.connectors.woocommerce.intents import KEY, line, refund_intent
from tests.connectors.woocommerce.recordings import answer_of
from tests.connectors.woocommerce.scripted import NOW, Request, answered, page, scripted_link

SHIRT = line("1", 1, "23.74", {"1": "4.99"})
GATEWAY = "commerce_platform"


class Shop:
    """Recorded order 18 with the refunds a test gives it."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.order = answer_of("orders/get_order")
        self.records = list(records)
        self.gateway = answered(404, {"code": "rest_no_route", "message": "", "data": {"status": 404}})
        self.made: Answer | None = None

    def __call__(self, method: str, path: str, params: Any, body: Any) -> Answer:
        if path.startswith("/payment_gateways/"):
            return self.gateway
        if path == "/products":
            return answered(200, [], x_wp_total="0", x_wp_totalpages="0")
        if method == "POST":
            return self.made or answered(201, record(99, body["amount"], meta=body["meta_data"]))
        if path == "/orders/18/refunds":
            return answered(200, self.records, x_wp_total=str(len(self.records)), x_wp_totalpages="1")
        assert (method, path) == ("GET", "/orders/18")
        return answered(200, self.order)


def record(
    number: int, amount: str, *, meta: list[Any] | None = None, reason: str = "", minutes_ago: float = 1, **more: Any
) -> dict[str, Any]:
    """A refund of one shirt as the shop keeps it."""
    row: dict[str, Any] = deepcopy(answer_of("refunds/partial_by_line_restock_true_meta"))
    created = (NOW - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%S")
    return row | {
        "id": number,
        "amount": amount,
        "meta_data": meta or [],
        "reason": reason,
        "date_created_gmt": created,
        **more,
    }


def ours(number: int, amount: str = "28.73", *, key: str = KEY, **more: Any) -> dict[str, Any]:
    return record(number, amount, meta=[{"id": 1, "key": "_returnsops_key", "value": key}], **more)


def link_to(shop: Shop) -> tuple[Link, list[Request]]:
    return scripted_link(shop)


def looked_up(*records: dict[str, Any], **changes: Any) -> Lookup:
    link, _ = link_to(Shop(*records))
    return refunds.look_up(link, refund_intent("18", amount="28.73", lines=[SHIRT], **changes))


def posted(asked: list[Request]) -> list[Any]:
    return [body for method, _, _, body in asked if method == "POST"]


# --- the request -------------------------------------------------------------------------------------------------


def test_the_exact_request() -> None:
    link, asked = link_to(Shop())
    lines = [SHIRT, line("3", 0, "5.00", {"1": "1.05"})]
    intent = refund_intent("18", amount="34.78", lines=lines)

    sent = refunds.send(link, intent, refunds.look_up(link, intent))

    assert posted(asked) == [
        {
            "amount": "34.78",
            "reason": f"{KEY} too small",
            "api_refund": False,
            "api_restock": False,
            "line_items": [
                {
                    "id": 1,
                    "quantity": 1,
                    "refund_total": "23.74",
                    "refund_tax": [{"id": 1, "refund_total": "4.99"}],
                },
                {"id": 3, "quantity": 0, "refund_total": "5.00", "refund_tax": [{"id": 1, "refund_total": "1.05"}]},
            ],
            "meta_data": [
                {"key": "_returnsops_key", "value": KEY},
                {"key": "_returnsops_rma", "value": "RMA-77"},
            ],
        }
    ]
    assert (sent.remote_id, sent.remote_url) == (
        "99",
        "https://shop.example/wp-admin/admin.php?page=wc-orders&action=edit&id=18",
    )


@pytest.mark.parametrize(
    ("executed_by", "calls_gateway"), [(GATEWAY, True), ("returns_platform", False), ("merchant", False)]
)
def test_who_pays_decides_whether_the_gateway_is_called(executed_by: str, calls_gateway: bool) -> None:
    shop = Shop()
    shop.made = answered(201, ours(99, refunded_payment=True))
    link, asked = link_to(shop)
    intent = refund_intent("18", amount="28.73", lines=[SHIRT], executed_by=executed_by)
    refunds.send(link, intent, refunds.look_up(link, intent))
    assert posted(asked)[0]["api_refund"] is calls_gateway
    assert posted(asked)[0]["api_restock"] is False


def test_a_later_generation_carries_its_own_key() -> None:
    link, asked = link_to(Shop())
    intent = refund_intent("18", amount="28.73", lines=[SHIRT], remote_key=KEY + "#2", earlier_remote_keys=(KEY,))
    refunds.send(link, intent, refunds.look_up(link, intent))
    assert posted(asked)[0]["reason"] == f"{KEY}#2 too small"


# --- what is never sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": "120.10"}, "would_over_refund"),
        ({"amount": "0.00"}, "amount_not_positive"),
        ({"amount": "-1.00"}, "amount_not_positive"),
        ({"currency": "GBP"}, "currency_mismatch"),
        ({"lines": [line("77", 1, "1.00", {})]}, "line_not_on_order"),
        ({"lines": [line("1", 4, "1.00", {})]}, "too_many_units"),
        ({"lines": [line("1", 1, "1.00", {"2": "0.10"})]}, "unknown_tax_rate"),
    ],
)
def test_what_the_shop_would_accept_but_must_not_get(changes: dict[str, Any], code: str) -> None:
    link, asked = link_to(Shop())
    intent = refund_intent("18", **({"amount": "28.73", "lines": [SHIRT]} | changes))
    with pytest.raises(Rejected) as refusal:
        refunds.send(link, intent, refunds.look_up(link, intent))
    assert refusal.value.code == code
    assert posted(asked) == []


def test_earlier_refunds_by_anyone_count_against_the_rest() -> None:
    link, asked = link_to(Shop(record(40, "100.00", minutes_ago=600)))
    intent = refund_intent("18", amount="28.73", lines=[SHIRT])
    with pytest.raises(Rejected, match=r"€28.73 is more than the €20.09 left"):
        refunds.send(link, intent, refunds.look_up(link, intent))
    assert posted(asked) == []


def test_an_order_in_the_bin_gets_nothing() -> None:
    shop = Shop()
    shop.order["status"] = "trash"
    link, asked = link_to(shop)
    intent = refund_intent("18", amount="28.73", lines=[SHIRT])
    with pytest.raises(Rejected) as refusal:
        refunds.send(link, intent, refunds.look_up(link, intent))
    assert (refusal.value.code, posted(asked)) == ("order_gone", [])


@pytest.mark.parametrize("order_id", ["999", "#1001", "18/refunds", "", "\uff11\uff18"])
def test_an_order_the_shop_does_not_know(order_id: str) -> None:
    unknown = answered(404, answer_of("errors/unknown_order"))
    link, asked = scripted_link(lambda *_: unknown)
    with pytest.raises(Rejected) as refusal:
        refunds.look_up(link, refund_intent(order_id, amount="1.00"))
    assert refusal.value.code == "order_not_found"
    assert len(asked) == (1 if order_id == "999" else 0), "what is no id is not made part of an address"


@pytest.mark.parametrize(
    "gateway",
    [
        answered(200, {"id": "bacs", "method_supports": ["products"]}),
        answered(404, {"code": "woocommerce_rest_payment_gateway_invalid", "message": "", "data": {"status": 404}}),
    ],
)
def test_a_gateway_that_cannot_refund_is_not_asked_to(gateway: Answer) -> None:
    shop = Shop()
    shop.gateway = gateway
    link, asked = link_to(shop)
    intent = refund_intent("18", amount="28.73", lines=[SHIRT], executed_by=GATEWAY)
    with pytest.raises(Rejected) as refusal:
        refunds.look_up(link, intent)
    assert (refusal.value.code, posted(asked)) == ("gateway_cannot_refund", [])


@pytest.mark.parametrize(
    "gateway", [answered(200, {"id": "stripe", "method_supports": ["refunds"]}), page(500), answered(200, {"id": "x"})]
)
def test_only_a_clear_no_of_the_gateway_stops_a_refund(gateway: Answer) -> None:
    shop = Shop()
    shop.gateway = gateway
    shop.made = answered(201, ours(99, refunded_payment=True))
    link, _ = link_to(shop)
    intent = refund_intent("18", amount="28.73", lines=[SHIRT], executed_by=GATEWAY)
    assert refunds.send(link, intent, refunds.look_up(link, intent)).remote_id == "99"


# --- answers that are no clear success ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "made",
    [
        page(200),
        page(502),
        answered(201, []),
        answered(201, {"amount": "28.73"}),
        answered(201, record(99, "28.73")),
        answered(500, answer_of("refunds/api_refund_true_unsupported_gateway")),
        answered(201, ours(99, refunded_payment=False)),
    ],
)
def test_an_answer_that_is_no_clear_success_is_looked_up(made: Answer) -> None:
    shop = Shop()
    shop.made = made
    link, _ = link_to(shop)
    intent = refund_intent("18", amount="28.73", lines=[SHIRT], executed_by=GATEWAY)
    with pytest.raises(OutcomeUnknown):
        refunds.send(link, intent, refunds.look_up(link, intent))


def test_a_definite_refusal_of_a_recorded_refund() -> None:
    shop = Shop()
    shop.made = answered(500, answer_of("refunds/amount_exceeds_remaining"))
    link, _ = link_to(shop)
    intent = refund_intent("18", amount="28.73", lines=[SHIRT])
    with pytest.raises(Rejected) as refusal:
        refunds.send(link, intent, refunds.look_up(link, intent))
    assert refusal.value.code == "woocommerce_rest_cannot_create_order_refund"


# --- looking up --------------------------------------------------------------------------------------------------


def test_absent() -> None:
    found = looked_up(record(40, "5.00", minutes_ago=600))
    assert (found.found, found.remote_id) == (Found.ABSENT, "")
    assert found.order is not None
    assert (found.order.total, len(found.order.refunds)) == (Decimal("120.09"), 1)
    assert found.evidence == {"refunds_seen": 1, "refunded": "5.00"}


@pytest.mark.parametrize(
    "row",
    [
        ours(41),
        record(41, "28.73", reason=f"{KEY} too small"),
        record(41, "28.73", reason=KEY),
        ours(41, minutes_ago=60 * 24 * 30),
    ],
)
def test_ours_by_meta_or_reason(row: dict[str, Any]) -> None:
    found = looked_up(record(40, "5.00"), row)
    assert (found.found, found.remote_id) == (Found.COMPLETE, "41")


@pytest.mark.parametrize("reason", [f"{KEY}2 other", f"{KEY}#2 other", f"see {KEY}"])
def test_another_key_that_only_begins_alike_is_not_ours(reason: str) -> None:
    assert looked_up(record(41, "5.00", reason=reason)).found is Found.ABSENT


def test_a_late_success_of_an_earlier_generation_counts() -> None:
    found = looked_up(ours(41), remote_key=KEY + "#2", earlier_remote_keys=(KEY,))
    assert (found.found, found.remote_id) == (Found.COMPLETE, "41")


def test_two_records_with_our_key_are_for_a_person() -> None:
    found = looked_up(ours(41), ours(42))
    assert found.found is Found.AMBIGUOUS
    assert found.text == "More than one refund of this order carries our key (refund 41, 42 of order 18)."
    assert found.remote_ids == {"refund_1": "41", "refund_2": "42"}


def test_our_key_with_another_amount_is_for_a_person() -> None:
    found = looked_up(ours(41, "20.00"))
    assert found.found is Found.AMBIGUOUS
    assert "€20.00, planned were €28.73" in found.text


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (record(41, "28.73", minutes_ago=1), Found.AMBIGUOUS),
        (record(41, "28.73", minutes_ago=6), Found.ABSENT),  # before it was planned
        (record(41, "28.72", minutes_ago=1), Found.ABSENT),
        (record(41, "28.73", minutes_ago=1, line_items=[]), Found.ABSENT),
        (ours(41, key="refund:reveni/ret-2:rf-9"), Found.ABSENT),
    ],
)
def test_a_twin_without_key_made_since_it_was_planned(row: dict[str, Any], expected: Found) -> None:
    assert looked_up(row).found is expected


def test_twins_count_from_the_first_attempt_with_room_for_the_shops_clock() -> None:
    started = NOW - timedelta(minutes=3)
    assert looked_up(record(41, "28.73", minutes_ago=4.9), first_attempt_at=started).found is Found.AMBIGUOUS
    assert looked_up(record(41, "28.73", minutes_ago=5.1), first_attempt_at=started).found is Found.ABSENT


# --- gateway refunds ---------------------------------------------------------------------------------------------


def test_a_gateway_refund_is_complete_once_the_gateway_paid() -> None:
    assert looked_up(ours(41, refunded_payment=True), executed_by=GATEWAY).found is Found.COMPLETE


def test_a_gateway_refund_still_being_paid_is_asked_again() -> None:
    with pytest.raises(Retryable, match="still being asked to pay"):
        looked_up(ours(41, minutes_ago=1), executed_by=GATEWAY)


def test_a_gateway_refund_never_confirmed_as_paid_is_for_a_person() -> None:
    assert looked_up(ours(41, minutes_ago=10), executed_by=GATEWAY).found is Found.AMBIGUOUS


@pytest.mark.parametrize(
    ("executed_by", "minutes", "expected"),
    [
        (GATEWAY, 10, Found.AMBIGUOUS),
        (GATEWAY, 2, Found.ABSENT),  # it may still appear; nothing is sent again before it has settled
        ("returns_platform", 10, Found.ABSENT),
    ],
)
def test_no_record_after_a_gateway_attempt_proves_nothing(executed_by: str, minutes: int, expected: Found) -> None:
    found = looked_up(executed_by=executed_by, first_attempt_at=NOW - timedelta(minutes=minutes))
    assert found.found is expected
