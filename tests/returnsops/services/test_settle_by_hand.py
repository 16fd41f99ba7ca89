"""What a person carried out in the shop, with reference; a second time, or without one, is refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connections, transaction

from exceptions_queue.errors import CaseError
from returnsops import states
from returnsops.models import CreditRequest, Effect, ExchangeRequest, HistoryEntry, ReturnAuthorisation
from returnsops.services import approvals, settle_by_hand
from returnsops.services import effects as effect_ledger
from returnsops.services.effect_rows import EffectError
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=2)


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


def exchange_effect(row: ExchangeRequest, state: str) -> Effect:
    effect: Effect = make.EffectFactory(
        rma=row.rma,
        kind=states.EXCHANGE,
        number="ex_1",
        amount=None,
        currency="",
        payload={"exchange_id": "ex_1", "lines": []},
        state=state,
    )
    return effect


def credit_effect(row: CreditRequest, state: str) -> Effect:
    key = f"store_credit:{row.rma.ref}:store_credit:cr_1"
    effect: Effect = make.EffectFactory(rma=row.rma, kind=states.STORE_CREDIT, key=key, state=state)
    return effect


@pytest.mark.parametrize("state", sorted(states.COMMITTED))
def test_what_we_placed_or_issued_is_neither_offered_nor_noted_as_done_by_hand(state: str) -> None:
    row, credit = make.ExchangeRequestFactory(external_id="ex_1"), make.CreditRequestFactory(external_id="cr_1")
    assert settle_by_hand.open_exchanges(row.rma) == [row]
    assert settle_by_hand.open_credits(credit.rma) == [credit]
    effects = exchange_effect(row, state), credit_effect(credit, state)
    assert settle_by_hand.open_exchanges(row.rma) == []
    assert settle_by_hand.open_credits(credit.rma) == []
    with pytest.raises(CaseError, match="already or on its way"):
        settle_by_hand.settle_exchange(rma=row.rma, exchange_id="ex_1", order_reference="9005", by="carla", at=NOW)
    with pytest.raises(CaseError, match="issued in the shop by us, or is on its way"):
        settle_by_hand.settle_credit(rma=credit.rma, credit_id="cr_1", reference="1234", by="carla", at=NOW)
    for untouched in (row, credit):
        untouched.refresh_from_db()
        assert untouched.settled_at is None
    assert [Effect.objects.get(pk=effect.pk).state for effect in effects] == [state, state]


@pytest.mark.parametrize("state", sorted(states.UNSENT | {states.REJECTED, states.FAILED, states.EFFECT_CANCELLED}))
def test_what_we_have_not_sent_is_given_up_and_cannot_be_tried_again(state: str) -> None:
    row, credit = make.ExchangeRequestFactory(external_id="ex_1"), make.CreditRequestFactory(external_id="cr_1")
    effects = exchange_effect(row, state), credit_effect(credit, state)
    settle_by_hand.settle_exchange(rma=row.rma, exchange_id="ex_1", order_reference="9005", by="carla", at=NOW)
    settle_by_hand.settle_credit(rma=credit.rma, credit_id="cr_1", reference="1234", by="carla", at=NOW)
    for effect in effects:
        effect.refresh_from_db()
        assert (effect.state, effect.holds, effect.claim_token) == (states.EFFECT_CANCELLED, [], "")
        with pytest.raises(EffectError, match="cannot be sent again"):
            approvals.requeue(effect_id=effect.pk, by="fiona", at=NOW, why="again")
        claim = effect_ledger.claim(effect_id=effect.pk, purpose="send", lease_until_at=LATER, at=NOW)
        assert claim is None
    said = HistoryEntry.objects.filter(act="effect_cancelled", by="carla").values_list("text", flat=True)
    expected = ["Exchange: given up, it is done by hand.", "Store credit of £30.00: given up, it is done by hand."]
    assert sorted(said) == ([] if state == states.EFFECT_CANCELLED else expected)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_pump_that_wants_it_in_the_same_moment_waits_and_gets_nothing() -> None:
    """SQLite lets one writer in at a time anyway."""
    row = make.ExchangeRequestFactory(external_id="ex_1")
    effect = exchange_effect(row, states.READY)
    has_settled, claims = Event(), list[object]()

    def pump() -> None:
        has_settled.wait(10)
        claims.append(effect_ledger.claim(effect_id=effect.pk, purpose="send", lease_until_at=LATER, at=NOW))
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            settle_by_hand.settle_exchange(rma=row.rma, exchange_id="ex_1", order_reference="9005", by="carla", at=NOW)
            claimed = pool.submit(pump)
            has_settled.set()
            with pytest.raises(TimeoutError):
                claimed.result(0.3)  # it waits for our commit
        claimed.result(10)
    assert claims == [None]
    effect.refresh_from_db()
    assert effect.state == states.EFFECT_CANCELLED


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
