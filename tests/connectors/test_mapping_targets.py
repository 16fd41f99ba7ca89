"""The table of targets is the contract, and values take its form or say why not."""

from decimal import Decimal
from typing import Any

import pytest

from connectors import mapping_targets
from connectors.mapping_targets import FLAG, MONEY, TEXT, TIME, WHOLE, convert, fit
from connectors.returns_contract.contract import schema
from connectors.returns_contract.events import MAKERS

DEFINITIONS = {
    "return": mapping_targets.RETURN,
    "item": mapping_targets.ITEM,
    "inspected_item": mapping_targets.INSPECTED_ITEM,
    "shipment": mapping_targets.SHIPMENT,
    "refund": mapping_targets.REFUND,
    "exchange": mapping_targets.EXCHANGE,
    "credit": mapping_targets.CREDIT,
    "risk": mapping_targets.RISK,
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_targets_are_the_fields_of_the_contract(name: str) -> None:
    fields = set(schema()["$defs"][name]["properties"])

    # An address is personal data that nothing here needs.
    assert set(DEFINITIONS[name]) == fields - {"shipping_address"}


def test_event_types_and_blocks_are_those_of_the_contract() -> None:
    contract = schema()
    needed = {
        rule["if"]["properties"]["type"]["const"]: rule["then"]["properties"]["data"]["required"][-1]
        for rule in contract["allOf"]
    }

    assert set(mapping_targets.EVENT_BLOCK) == set(contract["properties"]["type"]["enum"])
    assert set(MAKERS) == set(mapping_targets.EVENT_BLOCK)
    for kind, block in needed.items():
        assert mapping_targets.EVENT_BLOCK[kind] == block
    assert set(mapping_targets.BLOCKS) == set(contract["properties"]["data"]["properties"])


@pytest.mark.parametrize(
    ("value", "kind", "result"),
    [
        ("x", TEXT, "x"),
        (5550001, TEXT, "5550001"),
        ("76.4800", MONEY, "76.4800"),
        (Decimal("1E+2"), MONEY, "100"),
        (12, MONEY, "12"),
        ("3", WHOLE, 3),
        (Decimal("3.0"), WHOLE, 3),
        ("yes", FLAG, True),
        (0, FLAG, False),
        ("2026-05-04T09:00:00+02:00", TIME, "2026-05-04T09:00:00+02:00"),
    ],
)
def test_values_take_the_form_of_their_target(value: Any, kind: str, result: Any) -> None:
    fitted = fit(value, kind)

    assert (fitted, type(fitted)) == (result, type(result))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, TEXT),
        ([1], TEXT),
        (1.5, MONEY),
        ("1,50", MONEY),
        ("NaN", MONEY),
        (True, MONEY),
        ("2.5", WHOLE),
        ("perhaps", FLAG),
        ({}, FLAG),
        ("2026-05-04", TIME),
        ("2026-05-04T09:00:00", TIME),
    ],
)
def test_values_that_do_not_fit_say_so(value: Any, kind: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        fit(value, kind)


@pytest.mark.parametrize(
    ("value", "how", "result"),
    [
        ("7648", "minor_units", "76.48"),
        (1777889730, "epoch_s", "2026-05-04T10:15:30+00:00"),
        ("1777889730250", "epoch_ms", "2026-05-04T10:15:30.250000+00:00"),
        (" x ", "strip", "x"),
        ("gbp", "upper", "GBP"),
        ("GBP", "lower", "gbp"),
        ("12", "int", 12),
        ("no", "bool", False),
        ("1.5", "decimal", "1.5"),
    ],
)
def test_conversions(value: Any, how: str, result: Any) -> None:
    assert convert(value, how, currency="EUR") == result


def test_minor_units_follow_the_currency() -> None:
    assert convert(500, "minor_units", currency="JPY") == "500"
    assert convert(500, "minor_units", currency="KWD") == "0.500"
    with pytest.raises(ValueError, match="not an ISO 4217 currency code"):
        convert(500, "minor_units", currency="")
    with pytest.raises(ValueError, match="not a time in this century"):
        convert("9" * 11, "epoch_s", currency="")
