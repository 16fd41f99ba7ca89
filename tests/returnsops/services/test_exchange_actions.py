"""What people do about exchanges: each action records a decision with who and why, or says why it cannot be."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from exceptions_queue.errors import CaseError
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect, ReturnAuthorisation
from returnsops.services import exchange_actions as actions
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db

REFUSED = {
    "line": {"sku": "SHIRT-L", "variant_id": "", "quantity": "1"},
    "alternatives": [{"variant_id": "77", "sku": "", "name": "Shirt XL", "stock": 3}],
}


@pytest.fixture
def rma() -> ReturnAuthorisation:
    """A return with one exchange."""
    row: ReturnAuthorisation = make.ReturnFactory(number="RMA-1")
    make.ExchangeRequestFactory(rma=row, external_id="ex_1")
    return row


@pytest.fixture
def carla() -> User:
    """A person of customer service."""
    person: User = make.UserFactory(username="carla")
    return person


def effect_of(rma: ReturnAuthorisation, *, state: str, kind: str = states.EXCHANGE, **changes: Any) -> Effect:
    payload = {"exchange_id": "ex_1", "lines": []}
    values = {"number": "ex_1", "amount": None, "currency": "", "payload": payload, "kind": kind, "state": state}
    row: Effect = make.EffectFactory(rma=rma, **(values | changes))
    return row


def case_of(rma: ReturnAuthorisation, kind: str, *, subject: str = "ex_1", **evidence: str) -> ExceptionCase:
    fingerprint = f"{kind}:{rma.ref}:{subject}"
    case: ExceptionCase = make.CaseFactory(rma=rma, kind_code=kind, fingerprint=fingerprint, evidence=evidence)
    return case


def run(action: Callable[..., str], case: ExceptionCase, by: User, **data: Any) -> str:
    return action(case=case, by=by, at=NOW, reason="Asked by phone.", data=data)


def waivers(rma: ReturnAuthorisation) -> list[tuple[str, str, str, str]]:
    return list(rma.waivers.values_list("hold_code", "effect_key", "subject", "why"))


def test_another_variation_is_chosen_from_what_the_shop_had(rma: ReturnAuthorisation, carla: User) -> None:
    effect = effect_of(rma, state=states.REJECTED)
    make.AttemptFactory(effect=effect, ended_at=NOW, outcome="rejected", evidence=REFUSED)
    case = case_of(rma, states.CASE_EXCHANGE_UNAVAILABLE)
    assert actions.variations(case) == [("77", "Shirt XL (no SKU, 3 left)")]
    assert run(actions.choose_variation, case, carla, variation="77") == "Shirt XL is sent instead."
    assert rma.exchanges.get().choices == [{"sku": "SHIRT-L", "variant_id": "", "new_sku": "", "new_variant_id": "77"}]
    entry = rma.history.get(act="replacement_chosen")
    assert (entry.by, entry.why, entry.text) == ("carla", "Asked by phone.", "Exchange ex_1: 77 instead of SHIRT-L.")
    with pytest.raises(CaseError, match="not in the list any more"):
        run(actions.choose_variation, case, carla, variation="78")


@pytest.mark.parametrize("state", [states.UNKNOWN, states.DONE])
def test_nothing_is_chosen_once_the_order_may_exist(rma: ReturnAuthorisation, carla: User, state: str) -> None:
    effect = effect_of(rma, state=state)
    make.AttemptFactory(effect=effect, ended_at=NOW, outcome="rejected", evidence=REFUSED)
    case = case_of(rma, states.CASE_EXCHANGE_UNAVAILABLE)
    with pytest.raises(CaseError, match="placed already or on its way"):
        run(actions.choose_variation, case, carla, variation="77")
    rma.exchanges.update(cancelled_at=NOW)
    with pytest.raises(CaseError, match="settled or withdrawn already"):
        run(actions.choose_variation, case, carla, variation="77")
    assert rma.exchanges.get().choices == []


def test_a_case_without_an_order_of_ours_offers_nothing(rma: ReturnAuthorisation, carla: User) -> None:
    case = case_of(rma, states.CASE_EXCHANGE_UNAVAILABLE)
    for ask in (lambda: actions.variations(case), lambda: run(actions.try_again, case, carla)):
        with pytest.raises(CaseError, match="no such replacement order"):
            ask()
    effect_of(rma, state=states.REJECTED)
    assert actions.variations(case) == []


def test_it_is_tried_again(rma: ReturnAuthorisation, carla: User) -> None:
    effect = effect_of(rma, state=states.REJECTED)
    case = case_of(rma, states.CASE_EXCHANGE_UNAVAILABLE)
    assert run(actions.try_again, case, carla) == "Asked for again."
    effect.refresh_from_db()
    assert effect.state == states.READY
    with pytest.raises(CaseError):
        run(actions.try_again, case, carla)


def test_decisions_are_kept_with_their_reason(rma: ReturnAuthorisation, carla: User) -> None:
    run(actions.refund_instead, case_of(rma, states.CASE_EXCHANGE_UNAVAILABLE), carla)
    price = case_of(rma, states.CASE_EXCHANGE_PRICE, subject="ex_1=10", exchange="ex_1")
    assert run(actions.record_payment, price, carla, reference="PAY-7") == "The difference was paid: PAY-7."
    run(actions.keep_order, case_of(rma, states.CASE_EXCHANGE_SHIPPED), carla)
    assert waivers(rma) == [
        ("exchange_unavailable", "", "ex_1", "Asked by phone."),
        ("exchange_paid", "", "ex_1=10", "Paid, reference PAY-7. Asked by phone."),
        ("exchange_kept", "", "ex_1", "Asked by phone."),
    ]


def test_only_the_held_cancellation_of_this_exchange_is_released(rma: ReturnAuthorisation, carla: User) -> None:
    case = case_of(rma, states.CASE_EXCHANGE_WITHDRAWN)
    with pytest.raises(CaseError, match="placed by hand"):
        run(actions.cancel_order, case, carla)
    key = f"reverse:exchange:{rma.ref}:ex_1:1"
    effect_of(rma, state=states.HELD, kind=states.CANCEL_EXCHANGE, key=key)
    assert run(actions.cancel_order, case, carla) == "The replacement order is being cancelled."
    assert waivers(rma) == [("exchange_withdrawn", key, "", "Asked by phone.")]
