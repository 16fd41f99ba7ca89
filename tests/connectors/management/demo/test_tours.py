"""The tours of the README end as it says: what the warehouse judges on the form goes back on sale and is paid."""

import pytest
from django.utils import timezone

from connectors.management.demo import playing
from connectors.management.demo.programme import FIRST, TOURS
from returnsops import states
from returnsops.models import ReturnAuthorisation
from returnsops.selectors.watch import what_to_inspect_next
from returnsops.services.warehouse import Verdict, confirm_inspection
from tests.connectors.management.demo.played import Day, installed, play

pytestmark = pytest.mark.django_db


def test_what_the_warehouse_judges_in_the_tours_is_paid_and_goes_back_on_sale() -> None:
    with installed("eu") as day:
        play(day, (FIRST, *TOURS))
        before = day.shop.stock_of(day.tee) or 0

        held = _return("EU-RMA-1002")
        refund = held.effects.get(kind=states.REFUND)
        assert "waits for inspection of 1 of 2 items" in [hold["text"] for hold in refund.holds]
        both = "1 x Winter coat, grey, L, 2 x T-shirt, black, M"
        assert _listed() == {"EU-RMA-1002": "1 x T-shirt, black, M", "EU-RMA-1004": both}
        _judge(day, held, "TEE-BLK-M", "sellable")
        refund.refresh_from_db()
        assert (refund.state, day.shop.stock_of(day.tee)) == (states.CONFIRMED, before + 1)

        assert _listed() == {"EU-RMA-1004": both}
        waiting = _return("EU-RMA-1004")
        _judge(day, waiting, "TEE-BLK-M", "sellable", units=2)
        (restock,) = waiting.effects.filter(kind=states.RESTOCK)
        assert (restock.state, restock.quantity, day.shop.stock_of(day.tee)) == (states.CONFIRMED, 2, before + 3)
        assert _listed() == {"EU-RMA-1004": "1 x Winter coat, grey, L"}


def _return(number: str) -> ReturnAuthorisation:
    return ReturnAuthorisation.objects.get(number=number)


def _judge(day: Day, rma: ReturnAuthorisation, sku: str, disposition: str, *, units: int = 1) -> None:
    """What the form *Confirm inspection* does, and all that follows."""
    item = rma.lines.get(sku=sku).external_id
    verdict = Verdict(item_id=item, quantity=units, disposition=disposition)
    confirm_inspection(rma=rma, verdicts=(verdict,), decision_id=f"tour {item}", by="warehouse", at=timezone.now())
    playing.settle_by_working(day.markets.values())


def _listed() -> dict[str, str]:
    """What the home page of the warehouse lists to inspect next."""
    return {entry.rma.number: entry.items for entry in what_to_inspect_next()}
