"""The generated handbook."""

import pytest

from exceptions_queue.handbook import render_handbook


def test_every_kind_is_in_the_handbook_with_owner_deadline_and_way_out() -> None:
    text = render_handbook()
    assert "## Cases of Finance" in text
    assert "| Amounts differ | high | within 4 working hours |" in text
    assert "| Odd parcel | low | within 30 minutes, day and night |" in text
    assert "### Odd parcel" in text
    assert "1. Compare both amounts.\n2. Record the right one." in text
    assert "- **Record as paid**: wants a reason; closes the case" in text
    assert "It closes itself when the cause is gone. Code: `amount_mismatch`." in text
    assert "It cannot be closed by hand without one of these actions." in text
    assert "Staff can raise it by hand. Code: `parcel_odd`." in text


def test_a_team_reads_only_its_own_part() -> None:
    text = render_handbook("WH")
    assert "Odd parcel" in text
    assert "Amounts differ" not in text
    with pytest.raises(ValueError, match="No case kinds are registered for HR"):
        render_handbook("HR")
