"""The policy document: read, refused with every problem, written again, checked for holes."""

from decimal import Decimal

import pytest

from returnsops.planning.policy import (
    Policy,
    PolicyError,
    RefundPolicy,
    RestockPolicy,
    holes,
    parse_policy,
    to_document,
)

WHOLE = {
    "return_window_days": 30,
    "return_window_days_by_resolution": {"exchange": 60},
    "order_wanted_h": 12,
    "decision_days": 30,
    "decision_warn_day": 25,
    "instant_return_days": 21,
    "notes": ["authorised", "refunded"],
    "mirrors": ["status"],
    "ownership": {
        "order": "commerce",
        "refund": "commerce",
        "return_status": "platform",
        "disposition": "warehouse",
        "stock": "commerce",
        "credit_note": "",
    },
    "refund": {
        "initiator": "policy_trigger",
        "trigger": "received",
        "amount_source": "order",
        "default_executed_by": "merchant",
        "writer": "us",
        "shipping": "whole_order",
        "review_partly_refunded": False,
        "initiator_by_resolution": {"exchange": "platform_event"},
        "trigger_by_resolution": {"exchange": "authorised"},
        "tolerance": {"EUR": "0.02"},
        "approval_threshold": {"EUR": "200.00", "JPY": "30000"},
    },
    "restock": {"confirmation": "both"},
    "sla_hours": {"finance": 24},
}


def test_empty_document_is_the_default_policy() -> None:
    assert parse_policy({}) == Policy()


def test_every_setting_is_read() -> None:
    policy = parse_policy(WHOLE)
    assert policy.notes == ("authorised", "refunded")
    assert policy.initiator("refund") == "policy_trigger"
    assert policy.initiator("exchange") == "platform_event"
    assert policy.trigger("refund") == "received"
    assert policy.trigger("exchange") == "authorised"
    assert policy.window_days("refund") == 30
    assert policy.window_days("exchange") == 60
    assert policy.tolerance("EUR") == Decimal("0.02")
    assert policy.tolerance("USD") == Decimal(0)
    assert policy.refund.review_partly_refunded is False
    assert policy.restock == RestockPolicy(confirmation="both")
    assert policy.sla_hours == {"finance": 24}


def test_document_round_trips() -> None:
    assert parse_policy(to_document(parse_policy(WHOLE))) == parse_policy(WHOLE)
    assert to_document(parse_policy(WHOLE))["refund"]["tolerance"] == {"EUR": "0.02"}
    assert "return_window_days" not in to_document(Policy())
    assert parse_policy(to_document(Policy())) == Policy()


@pytest.mark.parametrize(
    ("amount", "is_over"), [("200.00", False), ("200.01", True), ("0.01", False)], ids=["at", "over", "under"]
)
def test_threshold_is_passed_only_above(amount: str, is_over: bool) -> None:
    policy = Policy(refund=RefundPolicy(approval_threshold={"EUR": Decimal("200.00")}))
    assert policy.is_over_threshold(Decimal(amount), currency="EUR") is is_over
    assert policy.is_over_threshold(Decimal(amount), currency="USD") is False


def test_all_problems_are_told_at_once() -> None:
    document = {
        "windw": 3,
        "return_window_days": 0,
        "order_wanted_h": True,
        "decision_days": 5,
        "decision_warn_day": 6,
        "notes": "authorised",
        "mirrors": ["colour"],
        "ownership": {"order": "nobody", "weather": "erp"},
        "refund": {
            "initiator": 7,
            "trigger": "",
            "review_partly_refunded": "yes",
            "tolerance": {"EUR": 0.5, "XYZ": "1.00", "JPY": "0.5", "USD": "-1"},
            "approval_threshold": "200",
        },
        "restock": [],
    }
    with pytest.raises(PolicyError) as error:
        parse_policy(document)
    paths = [problem.split(":")[0] for problem in error.value.problems]
    assert paths == [
        "windw",
        "return_window_days",
        "order_wanted_h",
        "notes",
        "mirrors",
        "ownership.weather",
        "ownership.order",
        "refund.initiator",
        "refund.trigger",
        "refund.review_partly_refunded",
        "refund.tolerance.EUR",
        "refund.tolerance.XYZ",
        "refund.tolerance.JPY",
        "refund.tolerance.USD",
        "refund.approval_threshold",
        "restock",
        "decision_warn_day",
    ]
    assert "windw: unknown key; remove it or use one of return_window_days," in str(error.value)
    assert "return_window_days: 0 is not possible; use a whole number from 1 to 3650." in str(error.value)


def test_a_document_that_is_no_table_is_refused() -> None:
    with pytest.raises(PolicyError, match="policy: must be a table"):
        parse_policy([])  # type: ignore[arg-type]


def test_a_complete_policy_has_no_holes() -> None:
    placed = frozenset({"sellable", "quarantine", "refurbish", "damaged", "write_off"})
    assert holes(parse_policy(WHOLE), has_commerce=True, has_erp=False, placed=placed) == ()


def test_holes_name_what_is_not_decided() -> None:
    policy = parse_policy({"refund": {"initiator": "", "writer": ""}, "restock": {"confirmation": ""}})
    found = holes(policy, has_commerce=True, has_erp=True, placed=frozenset({"sellable"}))
    assert [hole.split(":")[0] for hole in found] == [
        *(
            f"ownership.{thing}"
            for thing in ("order", "refund", "return_status", "disposition", "stock", "credit_note")
        ),
        *["refund.initiator"] * 5,
        "refund.writer",
        "restock.confirmation",
        *(f"dispositions.{name}" for name in ("quarantine", "refurbish", "damaged", "write_off")),
    ]


def test_an_owner_without_connection_is_a_hole() -> None:
    found = holes(parse_policy(WHOLE), has_commerce=False, has_erp=True)
    assert "ownership.order: the route has no commerce connection; name another owner." in found
    assert "ownership.credit_note: nobody owns it; name one of commerce, platform, erp, warehouse." in found
