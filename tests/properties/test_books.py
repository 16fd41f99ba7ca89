"""Books that never lose a unit: batches add up, every posting has one month, lines are paired without a guess."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.batches import Entry, Totals, drift_of, seal, totals_of
from reconciliation.line_matching import Line, Payable, match
from reconciliation.months import Month, month_for, month_of
from returnsops import money

CURRENCIES = ("JPY", "EUR", "KWD")
ZONES = [ZoneInfo(name) for name in ("Europe/Madrid", "America/Los_Angeles", "Pacific/Auckland", "UTC")]
START = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def some_entries(draw: st.DrawFn) -> list[Entry]:
    """Postings of several currencies in every state."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        settled = draw(st.none() | st.integers(1, 10**9))
        found.append(
            Entry(
                key=str(number),
                currency=draw(st.sampled_from(CURRENCIES)),
                amount_minor=draw(st.integers(-(10**9), 10**9).filter(bool)),
                gateway=draw(st.sampled_from(["card", "bank"])),
                settled_minor=settled,
                is_expected=draw(st.booleans()),
                is_rounding=settled is None and draw(st.booleans()),
            )
        )
    return found


@pytest.mark.requirement("S4-3")
@given(entries=some_entries(), cut=st.integers(0, 12))
def test_batches_add_up_to_their_postings_in_every_currency_wherever_they_are_cut(
    entries: list[Entry], cut: int
) -> None:
    whole = totals_of(entries)
    for currency, total in whole.items():
        assert total.posted_minor == sum(entry.amount_minor for entry in entries if entry.currency == currency)
        parts = (total.lined_minor, total.coming_minor, total.elsewhere_minor, total.rounding_minor)
        assert sum(parts) == total.posted_minor
        assert total.difference_minor == sum(
            entry.difference_minor for entry in entries if entry.currency == currency and not entry.is_rounding
        )
    batches = [totals_of(entries[:cut]), totals_of(entries[cut:])]
    for currency in whole:
        assert whole[currency].posted_minor == sum(batch.get(currency, Totals()).posted_minor for batch in batches)
        assert whole[currency].count == sum(batch.get(currency, Totals()).count for batch in batches)


@given(entries=some_entries(), data=st.data())
def test_a_seal_names_exactly_its_postings_in_any_order(entries: list[Entry], data: st.DataObject) -> None:
    rows = [(entry.key, entry.currency, entry.amount_minor) for entry in entries]
    assert seal(data.draw(st.permutations(rows))) == seal(rows)
    if rows:
        assert seal(rows[1:]) != seal(rows)
        assert seal([(rows[0][0], rows[0][1], rows[0][2] + 1), *rows[1:]]) != seal(rows)


# --- months ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S4-4")
@given(
    zone=st.sampled_from(ZONES),
    starts_on=st.integers(1, 28),
    acts=st.lists(st.none() | st.integers(0, 400 * 24 * 60), max_size=40),
)
def test_every_posting_is_in_exactly_one_month_whatever_comes_and_closes_when(
    zone: ZoneInfo, starts_on: int, acts: list[int | None]
) -> None:
    """An act is an event so many minutes into 2026, or None: the oldest open month closes."""
    known: list[Month] = []
    closed: list[Month] = []
    posted: list[tuple[datetime, Month]] = []
    for act in acts:
        closed_until = closed[-1].ends_at if closed else None
        if act is None:
            waiting = sorted((month for month in known if month not in closed), key=lambda month: month.starts_at)
            closed += waiting[:1]
            continue
        at = START + timedelta(minutes=act)
        month = month_for(at, known=known, closed_until=closed_until, zone=zone, starts_on=starts_on)
        if month not in known:
            known.append(month)
        assert month not in closed
        posted.append((at, month))
        own = month_of(at, zone=zone, starts_on=starts_on)
        is_late = closed_until is not None and at < closed_until
        assert month.holds(at) is not is_late
        assert month == own or is_late
    for at, month in posted:
        assert sum(other.holds(max(at, month.starts_at)) for other in known) == 1
    edges = sorted((month.starts_at, month.ends_at) for month in known)
    assert all(first[1] <= second[0] for first, second in pairwise(edges))
    assert len({month.name for month in known}) == len(known)


@given(first=st.integers(1, 28), second=st.integers(1, 28), minutes=st.lists(st.integers(0, 200 * 24 * 60), max_size=9))
def test_another_first_day_never_makes_months_overlap(first: int, second: int, minutes: list[int]) -> None:
    known: list[Month] = []
    for number, minute in enumerate(minutes):
        at = START + timedelta(minutes=minute)
        starts_on = first if number < 4 else second
        month = month_for(at, known=known, closed_until=None, zone=ZONES[0], starts_on=starts_on)
        assert month.holds(at)
        known += [month] if month not in known else []
    edges = sorted((month.starts_at, month.ends_at) for month in known)
    assert all(one[1] <= other[0] for one, other in pairwise(edges))
    assert len({month.name for month in known}) == len(known)


def test_a_month_begins_and_ends_at_the_shops_midnight_over_the_clock_change() -> None:
    month = month_of(datetime(2026, 10, 31, 23, 30, tzinfo=UTC), zone=ZONES[0])
    assert (month.name, month.starts_at.isoformat()) == ("2026-11", "2026-11-01T00:00:00+01:00")
    october = month_of(datetime(2026, 10, 31, 22, 30, tzinfo=UTC), zone=ZONES[0])
    assert (october.starts_at.isoformat(), october.ends_at.isoformat()) == (
        "2026-10-01T00:00:00+02:00",
        "2026-11-01T00:00:00+01:00",
    )
    assert month_of(datetime(2026, 12, 31, 12, tzinfo=UTC), zone=ZONES[3], starts_on=15).name == "2026-12"
    assert month_of(datetime(2027, 1, 14, 12, tzinfo=UTC), zone=ZONES[3], starts_on=15).name == "2026-12"


# --- drift over 100,000 postings -------------------------------------------------------------------------------------


@pytest.mark.requirement("S4-3")
def test_drift_stays_within_its_tolerance_over_100_000_postings() -> None:
    """Orders whose units do not divide evenly, refunded unit by unit; the gateway pays out what the order paid."""
    entries: list[Entry] = []
    naive: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    for order in count():
        if len(entries) >= 100_000:
            break
        currency, units = CURRENCIES[order % 3], 2 + order // 3 % 6
        minor = units * (1000 + order * 7919 % 9000) + 1  # never divides evenly
        total = money.from_minor(minor, currency=currency)
        paid[currency] += minor
        naive[currency] += units * money.to_minor(money.rounded(total / units, currency=currency), currency=currency)
        for unit in range(units):
            share = money.share_of_units(total, quantity=units, first=unit, count=1, currency=currency)
            posted = money.to_minor(share, currency=currency)
            entries.append(
                Entry(
                    key=str(len(entries)), currency=currency, amount_minor=posted, gateway="card", settled_minor=posted
                )
            )
    totals = totals_of(entries)
    assert sum(total.count for total in totals.values()) == len(entries) >= 100_000
    for currency in CURRENCIES:
        assert totals[currency].posted_minor == totals[currency].settled_minor == paid[currency]
        assert abs(naive[currency] - paid[currency]) > 1000  # what rounding each unit by itself would have cost
    assert drift_of(entries, rounding_minor=1) == {("card", currency): 0 for currency in CURRENCIES}

    off = [replace(entry, settled_minor=entry.amount_minor + (number % 9 == 0)) for number, entry in enumerate(entries)]
    counted = drift_of(off, rounding_minor=1)
    assert sum(counted.values()) == sum(1 for number in range(len(entries)) if number % 9 == 0)
    booked = [
        Entry(key=f"r{currency}", currency=currency, amount_minor=minor, gateway=gateway, is_rounding=True)
        for (gateway, currency), minor in counted.items()
    ]
    assert set(drift_of([*off, *booked], rounding_minor=1).values()) == {0}
    assert drift_of([replace(off[0], settled_minor=off[0].amount_minor + 2)], rounding_minor=1) == {}


# --- which refund a line pays ----------------------------------------------------------------------------------------


@st.composite
def statements(draw: st.DrawFn) -> tuple[list[Line], list[Payable]]:
    """Few orders and amounts, so that much looks alike."""
    small = st.integers(1, 3)
    lines = [
        Line(
            line_id=number,
            gateway="card",
            currency=draw(st.sampled_from(["EUR", "JPY"])),
            amount_minor=draw(small) * 10 + draw(st.integers(0, 1)),
            settled_on=date(2026, 1, draw(small)),
            reference=draw(st.sampled_from(["", "pi_1", "pi_2"])),
            refund_reference=draw(st.sampled_from(["", "9", "8"])),
            order_number=draw(st.sampled_from(["", "1", "2"])),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    payables = [
        Payable(
            posting_id=100 + number,
            currency=draw(st.sampled_from(["EUR", "JPY"])),
            amount_minor=draw(small) * 10,
            happened_at=START + timedelta(days=draw(small)),
            refund_references=frozenset(draw(st.sets(st.sampled_from(["9", "8", "7"]), max_size=1))),
            payment_reference=draw(st.sampled_from(["", "pi_1", "pi_2"])),
            order_numbers=frozenset([draw(st.sampled_from(["1", "2"]))]),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    return lines, payables


@pytest.mark.requirement("S4-3")
@given(found=statements(), data=st.data())
def test_lines_are_paired_the_same_in_any_order_and_none_twice(
    found: tuple[list[Line], list[Payable]], data: st.DataObject
) -> None:
    lines, payables = found
    made = match(lines, payables, rounding_minor=1)
    again = match(data.draw(st.permutations(lines)), data.draw(st.permutations(payables)), rounding_minor=1)
    assert set(made.pairs) == set(again.pairs)
    assert made.candidates == again.candidates
    assert (
        len({pair.posting_id for pair in made.pairs}) == len({pair.line_id for pair in made.pairs}) == len(made.pairs)
    )
    assert {pair.line_id for pair in made.pairs} | set(made.candidates) == {line.line_id for line in lines}
    by_line, by_posting = ({line.line_id: line for line in lines}, {one.posting_id: one for one in payables})
    for pair in made.pairs:
        line, payable = by_line[pair.line_id], by_posting[pair.posting_id]
        assert line.currency == payable.currency
        is_named = line.refund_reference in payable.refund_references
        assert is_named or abs(line.amount_minor - payable.amount_minor) <= 1


def test_what_is_alike_is_paired_only_where_no_choice_is_left() -> None:
    line = Line(
        line_id=1, gateway="card", currency="EUR", amount_minor=500, settled_on=date(2026, 1, 1), order_number="1"
    )
    refund = Payable(posting_id=10, currency="EUR", amount_minor=500, happened_at=START, order_numbers=frozenset({"1"}))
    two = [refund, replace(refund, posting_id=11)]
    assert match([line], two).candidates == {1: (10, 11)}
    assert [(p.line_id, p.posting_id) for p in match([line, replace(line, line_id=2)], two).pairs] == [(1, 10), (2, 11)]
    assert match([line], [replace(refund, currency="USD")]).candidates == {1: ()}
    other_payment = match([replace(line, reference="pi_2")], [replace(refund, payment_reference="pi_1")])
    assert other_payment.pairs == ()
    assert match([replace(line, amount_minor=501)], [refund]).pairs == ()
    assert len(match([replace(line, amount_minor=501)], [refund], rounding_minor=1).pairs) == 1


def test_a_refund_that_different_lines_want_is_given_to_none_of_them() -> None:
    line = Line(
        line_id=1, gateway="card", currency="EUR", amount_minor=500, settled_on=date(2026, 1, 1), refund_reference="9"
    )
    lines = [line, *(replace(line, line_id=number, refund_reference="8") for number in (2, 3))]
    both = Payable(
        posting_id=10, currency="EUR", amount_minor=500, happened_at=START, refund_references=frozenset({"9", "8"})
    )
    found = match(lines, [both, replace(both, posting_id=11, refund_references=frozenset({"8"}))])
    assert found.pairs == ()
    assert found.candidates == {1: (10,), 2: (10, 11), 3: (10, 11)}
