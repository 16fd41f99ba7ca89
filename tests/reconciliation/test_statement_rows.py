"""Rows of a gateway's statement by the stored format: read exactly, or refused with the reason by column."""

from dataclasses import replace
from datetime import date

import pytest

from connectors.finance_settings import FinanceSettings, FinanceSettingsError, StatementFormat, parse
from reconciliation.statement_rows import Identities, RowError, StatementRow, read_row
from tests.reconciliation.statements import CARD

CARD_FORMAT = parse({"gateways": {"card": CARD}}).gateways["card"]
PLAIN = StatementFormat(columns={"amount": "A", "date": "D", "refund_reference": "R"}, currency="EUR")
GOOD = {
    "Id": "L1", "Day": "05/11/2026", "Type": "Refund", "Amount": "-12,50", "Currency": "EUR", "Payment": "pi_1",
    "Refund": "", "Order": " 77 ",
}  # fmt: skip


def test_a_row_is_read_as_its_format_says() -> None:
    assert read_row(CARD_FORMAT, GOOD, currencies=frozenset({"EUR"})) == StatementRow(
        amount_minor=1250,
        currency="EUR",
        settled_on=date(2026, 11, 5),
        line_id="L1",
        reference="pi_1",
        order_number="77",
    )
    assert read_row(CARD_FORMAT, GOOD | {"Type": "Charge", "Amount": "?"}, currencies=frozenset()) is None


@pytest.mark.parametrize(("currency", "given", "minor"), [("JPY", "1250", 1250), ("KWD", "1.250", 1250)])
def test_amounts_are_exact_in_the_digits_of_their_currency(currency: str, given: str, minor: int) -> None:
    row = read_row(replace(PLAIN, currency=currency), {"A": given, "D": "2026-11-05", "R": "x"}, currencies=frozenset())
    assert row is not None
    assert row.amount_minor == minor


@pytest.mark.requirement("S4-3")
@pytest.mark.parametrize(
    ("changed", "column", "text"),
    [
        ({"Currency": "USD"}, "Currency", "is no currency of this shop (EUR)"),
        ({"Amount": "12,50"}, "Amount", "A refund is negative in this format"),
        ({"Amount": "-0,00"}, "Amount", "A refund is negative in this format"),
        ({"Amount": "lots"}, "Amount", "is no amount; write it like 12,50"),
        ({"Amount": "-1.000,00"}, "Amount", "is no amount"),
        ({"Amount": "-12.50"}, "Amount", "is no amount"),
        ({"Amount": "-1e5"}, "Amount", "is no amount"),
        ({"Amount": "-\u0661"}, "Amount", "is no amount"),
        ({"Amount": ""}, "Amount", "is no amount"),
        ({"Amount": "-1,005"}, "Amount", "more digits than EUR allows"),
        ({"Amount": "-" + "9" * 15}, "Amount", "Too large"),
        ({"Amount": "=1+1"}, "Amount", "is no amount"),
        ({"Day": "2026-11-05"}, "Day", "is no date in the form %d/%m/%Y"),
        ({"Day": "31/02/2026"}, "Day", "is no date"),
        ({"Type": "Payout"}, "Type", "is not known"),
        ({"Payment": '=HYPERLINK("x")'}, "Payment", "looks like a formula"),
        ({"Order": "a\x00b"}, "Order", "control characters"),
        ({"Order": "9" * 201}, "Order", "Longer than 200 characters"),
        ({"Payment": "", "Order": ""}, "Refund", "names no payment, refund or order"),
    ],
)
def test_what_is_wrong_is_told_by_the_statements_own_column(changed: dict[str, str], column: str, text: str) -> None:
    with pytest.raises(RowError) as refused:
        read_row(CARD_FORMAT, GOOD | changed, currencies=frozenset({"EUR"}))
    assert text in refused.value.problems[column]
    assert list(refused.value.problems) == [column]


def test_every_line_has_one_identity_and_equal_rows_of_one_file_stay_two() -> None:
    row = StatementRow(amount_minor=1, currency="EUR", settled_on=date(2026, 11, 5), order_number="77")
    first, second = Identities(), Identities()
    assert [first.of(row), first.of(row)] == [second.of(row), second.of(row)]
    assert first.of(replace(row, line_id="L1")) == "id:L1"
    assert first.of(replace(row, refund_reference="re_1")) == "refund:re_1"
    assert len({first.of(row) for _ in range(5)}) == 5


def test_the_settings_have_defaults_and_say_everything_that_is_wrong_at_once() -> None:
    assert parse({}) == FinanceSettings()
    assert parse({"begins": "2026-11-01", "month_starts_on": 15}).begins == date(2026, 11, 1)
    with pytest.raises(FinanceSettingsError) as refused:
        parse(
            {
                "begins": "November",
                "month_starts_on": 31,
                "settle_days": "7",
                "colour": "red",
                "gateways": {
                    "card": {"columns": {"amount": "A", "kind": "K"}, "currency": "XXQ", "date_format": "%d"},
                    "bank": "yes",
                },
            }
        )
    places = [problem.partition(":")[0] for problem in refused.value.problems]
    assert places == [
        "colour", "month_starts_on", "settle_days", "begins", "gateways.card.columns.date", "gateways.card.columns",
        "gateways.card.kinds", "gateways.card.currency", "gateways.card.date_format", "gateways.bank",
    ]  # fmt: skip
