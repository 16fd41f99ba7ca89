"""What a person carried out in the shop, with reference; a second time, or without one, is refused."""

import pytest

from exceptions_queue.errors import CaseError
from returnsops import states
from returnsops.models import HistoryEntry, ReturnAuthorisation
from returnsops.services import settle_by_hand
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def planned_at(rma: ReturnAuthorisation) -> object:
    rma.refresh_from_db()
    return rma.planned_at


def test_a_replacement_ordered_by_hand_is_noted_and_planned() -> None:
    row = make.ExchangeRequestFactory(external_id="ex_1")
    text = settle_by_hand.settle_exchange(
        rma=row.rma, exchange_id="ex_1", order_reference="9005", by="carla", at=NOW, why="Asked by phone."
    )
    row.refresh_from_db()
    assert text == "Replacement ex_1 ordered by hand: 9005."
    assert (row.commerce_order_id, row.settled_by, row.settled_at) == ("9005", "carla", NOW)
    assert planned_at(row.rma) == NOW
    entry = HistoryEntry.objects.get(act="exchange_settled")
    assert (entry.by, entry.at, entry.why, entry.rma, entry.text) == ("carla", NOW, "Asked by phone.", row.rma, text)
    with pytest.raises(CaseError, match="settled already"):
        settle_by_hand.settle_exchange(rma=row.rma, exchange_id="ex_1", order_reference="9006", by="carla", at=NOW)
    row.refresh_from_db()
    assert row.commerce_order_id == "9005"


@pytest.mark.parametrize(("exchange", "reference"), [("ex_1", ""), ("ex_9", "9005")])
def test_a_replacement_without_a_number_or_of_another_return_is_refused(exchange: str, reference: str) -> None:
    row = make.ExchangeRequestFactory(external_id="ex_1")
    other = make.ExchangeRequestFactory(external_id="ex_9")
    with pytest.raises(CaseError, match="its order number is missing"):
        settle_by_hand.settle_exchange(rma=row.rma, exchange_id=exchange, order_reference=reference, by="carla", at=NOW)
    for untouched in (row, other):
        untouched.refresh_from_db()
        assert (untouched.settled_at, untouched.commerce_order_id) == (None, "")
    assert (planned_at(row.rma), HistoryEntry.objects.count()) == (None, 0)


def test_a_cancelled_exchange_takes_no_replacement() -> None:
    row = make.ExchangeRequestFactory(external_id="ex_1", cancelled_at=NOW)
    with pytest.raises(CaseError, match="exchange was cancelled"):
        settle_by_hand.settle_exchange(rma=row.rma, exchange_id="ex_1", order_reference="9005", by="carla", at=NOW)
    row.refresh_from_db()
    assert (row.settled_at, row.commerce_order_id, row.cancelled_at) == (None, "", NOW)
    assert (planned_at(row.rma), HistoryEntry.objects.count()) == (None, 0)


def test_a_replacement_of_our_own_on_its_way_is_not_noted_as_placed_by_hand() -> None:
    row = make.ExchangeRequestFactory(external_id="ex_1")
    make.EffectFactory(
        rma=row.rma,
        kind=states.EXCHANGE,
        number="ex_1",
        amount=None,
        currency="",
        payload={"exchange_id": "ex_1", "lines": []},
        state=states.SENDING,
    )
    with pytest.raises(CaseError, match="already or on its way"):
        settle_by_hand.settle_exchange(rma=row.rma, exchange_id="ex_1", order_reference="9005", by="carla", at=NOW)
    row.refresh_from_db()
    assert row.settled_at is None


def test_a_credit_issued_by_hand_is_noted_and_planned() -> None:
    row = make.CreditRequestFactory(external_id="cr_1")
    text = settle_by_hand.settle_credit(
        rma=row.rma, credit_id="cr_1", reference="GIFT-12", by="fiona", at=NOW, why="By hand."
    )
    row.refresh_from_db()
    assert text == "Store credit cr_1 issued by hand: GIFT-12."
    assert (row.settled_by, row.settled_at, row.settled_reference) == ("fiona", NOW, "GIFT-12")
    assert planned_at(row.rma) == NOW
    entry = HistoryEntry.objects.get(act="credit_settled")
    assert (entry.by, entry.at, entry.why, entry.rma, entry.text) == ("fiona", NOW, "By hand.", row.rma, text)
    with pytest.raises(CaseError, match="settled already"):
        settle_by_hand.settle_credit(rma=row.rma, credit_id="cr_1", reference="GIFT-13", by="fiona", at=NOW)
    row.refresh_from_db()
    assert row.settled_reference == "GIFT-12"


@pytest.mark.parametrize(("credit", "reference"), [("cr_1", ""), ("cr_9", "GIFT-12")])
def test_a_credit_without_a_reference_or_of_another_return_is_refused(credit: str, reference: str) -> None:
    row = make.CreditRequestFactory(external_id="cr_1")
    other = make.CreditRequestFactory(external_id="cr_9")
    with pytest.raises(CaseError, match="its reference is missing"):
        settle_by_hand.settle_credit(rma=row.rma, credit_id=credit, reference=reference, by="fiona", at=NOW)
    for untouched in (row, other):
        untouched.refresh_from_db()
        assert (untouched.settled_at, untouched.settled_reference) == (None, "")
    assert (planned_at(row.rma), HistoryEntry.objects.count()) == (None, 0)


def test_a_credit_that_we_issued_is_not_issued_by_hand_as_well() -> None:
    row = make.CreditRequestFactory(external_id="cr_1")
    key = f"store_credit:{row.rma.ref}:store_credit:cr_1"
    make.EffectFactory(rma=row.rma, kind=states.STORE_CREDIT, key=key, state=states.UNKNOWN)
    with pytest.raises(CaseError, match="issued in the shop by us, or is on its way"):
        settle_by_hand.settle_credit(rma=row.rma, credit_id="cr_1", reference="1234", by="carla", at=NOW)
    row.refresh_from_db()
    assert row.settled_at is None
