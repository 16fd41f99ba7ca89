"""A case that a person raises is about one row of ours, found by what is in hand; no or several fits are refused."""

import pytest

from exceptions_queue.errors import InvalidInputError
from exceptions_queue.subjects import find_subject
from returnsops.models import ReturnAuthorisation
from returnsops.services import cases
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def rma() -> ReturnAuthorisation:
    """A return with a parcel, a platform's refund and an effect."""
    row: ReturnAuthorisation = make.ReturnFactory(number="EU-1002", external_id="ret-7", order_number="1002")
    make.ParcelFactory(rma=row, tracking_number="1Z999")
    make.EffectFactory(rma=row, remote_id="901")
    return row


@pytest.mark.parametrize("number", ["EU-1002", "eu-1002", "ret-7", "1002", "1Z999", "901"])
def test_a_return_is_found_as_the_search_finds_it(rma: ReturnAuthorisation, number: str) -> None:
    subject = find_subject("return", number)
    assert (subject.subject_type, subject.subject_id, subject.subject_label) == ("return", str(rma.pk), "EU-1002")
    assert (subject.group_key, subject.deep_link) == (cases.group_of(rma), cases.link_of(rma))


def test_a_returns_own_number_goes_before_the_row_and_before_other_numbers(rma: ReturnAuthorisation) -> None:
    named = make.ReturnFactory(number=str(rma.pk), order_number="5")
    make.ReturnFactory(number="x", order_number=str(rma.pk))
    assert find_subject("return", str(rma.pk)).subject_id == str(named.pk)


def test_what_fits_more_than_one_return_is_refused_with_their_names(rma: ReturnAuthorisation) -> None:
    other = make.ReturnFactory(number="EU-1003", order_number="1002")
    with pytest.raises(InvalidInputError) as refusal:
        find_subject("return", "1002")
    names = f"{rma.ref} (EU-1002), {other.ref} (EU-1003)"
    assert str(refusal.value) == f"'1002' fits more than one return: {names}. Give one of these names."
    assert find_subject("return", other.ref).subject_id == str(other.pk)
    for number in range(5):
        make.ReturnFactory(number=f"more-{number}", order_number="1002")
    with pytest.raises(InvalidInputError, match="and others"):
        find_subject("return", "1002")


def test_orders_effects_and_systems_are_found_too(rma: ReturnAuthorisation) -> None:
    order = make.OrderFactory(number="77", external_id="o-77")
    name = f"{order.connection.name}/o-77"
    for number in ("77", "o-77", name):
        subject = find_subject("order", number)
        assert (subject.subject_id, subject.subject_label) == (str(order.pk), "Order 77")
        assert subject.group_key == f"order:{name}"
    effect = rma.effects.get()
    for number in ("901", effect.key):
        subject = find_subject("effect", number)
        assert (subject.subject_id, subject.group_key) == (str(effect.pk), cases.group_of(rma))
    unplanned = {"rma": None, "route": None, "policy": None, "connection": order.connection, "payload": {}}
    alone = make.EffectFactory(key="refund:alone", order=order, remote_id="902", **unplanned)
    assert find_subject("effect", "902").group_key == f"effect:{alone.pk}"
    subject = find_subject("connection", order.connection.name.upper())
    assert (subject.subject_id, subject.group_key) == (str(order.connection.pk), f"connection:{order.connection.name}")
    assert find_subject("goods", "a box from Leeds").subject_label == "a box from Leeds"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("return", "There is no return 'nothing'"),
        ("order", "No order 'nothing' was read"),
        ("effect", "We know no refund, restock or message 'nothing'"),
        ("connection", "No system is called 'nothing'. There are: none."),
        ("moon", "Cases cannot be about 'moon'"),
    ],
)
def test_what_we_do_not_know_is_refused_in_words(code: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        find_subject(code, "nothing")
