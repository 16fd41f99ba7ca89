"""Before going live: an audit of both systems lists just what went wrong in their past, and sends nothing."""

import json
from collections import Counter
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from reconciliation.audit import gaps
from reconciliation.models import Finding
from returnsops.models import Effect, InboundEvent, Order, Refund, ReturnAuthorisation
from tests.reconciliation.audit.history import DECIMALS, History, history
from tests.reconciliation.audit.planting import play

pytestmark = pytest.mark.django_db


def audit(*arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    out = StringIO()
    try:
        call_command("audit", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def document(*arguments: str) -> tuple[int, Any]:
    """Exit code and the one audit of the JSON."""
    code, text = audit("--json", *arguments)
    (found,) = json.loads(text)["audits"]
    return code, found


def rows_of(found: Any) -> list[dict[str, Any]]:
    """Every gap and open return."""
    return [*found["gaps"], *found["open_returns"]]


def as_planted(row: dict[str, Any]) -> tuple[str, str, str, Decimal | None, int | None]:
    """A printed gap in the words of the planting."""
    amount = Decimal(row["amount"]) if row["amount"] is not None else None
    return row["cause"], row["order"] or "", row["return"] or "", amount, row["units"]


def assert_nothing_happened(h: History) -> None:
    """Only reads on both sides, and no row but the audit's own."""
    sent = [call for call in h.w.shop.calls.all() if "/webhooks" not in call.path]  # set-up of the test
    assert {call.method for call in (*sent, *h.w.platform.calls.all())} == {"GET"}
    for model in (Order, ReturnAuthorisation, Effect, InboundEvent, Refund, Finding):
        assert model.objects.count() == 0, model


@pytest.mark.requirement("S1-37")
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_an_audit_lists_exactly_the_planted_gaps_with_totals_and_sends_nothing(currency: str) -> None:
    with history(currency) as h:
        play(h)
        assert h.healthy >= 60
        assert all(len(h.kind(kind)) >= 12 for kind in gaps.KINDS)
        payouts = len(h.w.shop.gateway_payouts)
        code, found = document("--since", "90d")
        assert code == 1
        assert Counter(map(as_planted, rows_of(found))) == Counter(h.planted)
        for kind in gaps.KINDS:
            planted = h.kind(kind)
            total = sum((amount for _, _, _, amount, _ in planted if amount is not None), Decimal(0))
            units = sum(units or 0 for *_, units in planted)
            printed = found["totals"][kind]
            assert (printed["count"], printed["units"]) == (len(planted), units)
            expected = {currency: f"{total:.{DECIMALS[currency]}f}"} if total else {}
            assert printed["amounts"] == expected
            minor = {name: int(Decimal(text).scaleb(DECIMALS[name])) for name, text in expected.items()}
            assert printed["amounts_minor"] == minor
        assert found["state"] == "finished"
        assert found["not_compared"] == []
        assert len(found["set_apart"]) == 10
        assert len(h.w.shop.gateway_payouts) == payouts
        assert_nothing_happened(h)
