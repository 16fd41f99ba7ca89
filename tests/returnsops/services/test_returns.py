"""Facts about one return into rows."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from returnsops import facts, states
from returnsops.models import Parcel, ReturnAuthorisation
from returnsops.services.apply_facts import apply_facts
from tests.factories import NOW, OrderFactory, OrderLineFactory, RouteFactory

pytestmark = pytest.mark.django_db


def _seen(revision: int, order_id: str, **more: Any) -> facts.ReturnSeen:
    at = NOW + timedelta(hours=revision)
    snapshot = facts.ReturnSnapshot(
        return_id="ret_1",
        revision=revision,
        status="authorised",
        mode="on_receipt",
        order_id=order_id,
        currency="GBP",
        items=(facts.ReturnItem(item_id="i1", sku="S", quantity=1, order_line_id="1"),),
        created_at=NOW,
        updated_at=at,
        **more,
    )
    return facts.ReturnSeen(return_id="ret_1", revision=revision, occurred_at=at, snapshot=snapshot)


def test_another_order_is_looked_for_anew_and_old_lines_are_let_go() -> None:
    route = RouteFactory()
    line = OrderLineFactory(order=OrderFactory(connection=route.commerce, external_id="9001"), external_id="1")
    apply_facts(connection=route.platform, new_facts=[_seen(1, "9001")], at=NOW)
    rma = ReturnAuthorisation.objects.get()
    assert (rma.order, rma.lines.get().order_line, rma.order_next_read_at) == (line.order, line, None)

    later = NOW + timedelta(days=3)
    apply_facts(connection=route.platform, new_facts=[_seen(2, "9002")], at=later)
    rma.refresh_from_db()
    assert (rma.order, rma.lines.get().order_line) == (None, None)
    assert (rma.order_next_read_at, rma.order_wanted_until_at) == (later, later + timedelta(hours=24))


def test_a_verdict_heard_before_its_return_finds_its_line() -> None:
    route = RouteFactory()
    verdict = facts.InspectedItem(
        item_id="i1", quantity=1, outcome="accepted", disposition=states.SELLABLE, is_final=True, inspected_at=NOW
    )
    judged = facts.ItemsInspected(return_id="ret_1", occurred_at=NOW, items=(verdict,), source="warehouse")
    apply_facts(connection=route.platform, new_facts=[judged, _seen(1, "9001")], at=NOW)
    rma = ReturnAuthorisation.objects.get()
    assert rma.inspections.get().line == rma.lines.get()


PARCEL_WORDS = (
    facts.ParcelLabelled(
        return_id="ret_1", occurred_at=NOW, parcel_id="p1", carrier="Royal Mail", tracking_number="RM1"
    ),
    facts.ParcelInTransit(
        return_id="ret_1",
        occurred_at=NOW + timedelta(hours=2),
        parcel_id="p1",
        carrier="Evri",
        tracking_url="https://evri.example/2",
    ),
    facts.ParcelDelivered(return_id="ret_1", occurred_at=NOW + timedelta(hours=5), parcel_id="p1"),
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_is_told_of_a_parcel_does_not_depend_on_what_arrives_first(order: tuple[int, ...]) -> None:
    route = RouteFactory()
    apply_facts(connection=route.platform, new_facts=[PARCEL_WORDS[place] for place in order], at=NOW)
    parcel = Parcel.objects.get()
    assert (parcel.carrier, parcel.tracking_number, parcel.tracking_url) == ("Evri", "RM1", "https://evri.example/2")
    assert parcel.labelled_at == NOW
    assert parcel.in_transit_at == NOW + timedelta(hours=2)
    assert parcel.delivered_at == NOW + timedelta(hours=5)
    assert parcel.received_at is None
    rma = parcel.rma
    assert (rma.status, rma.in_transit_at, rma.delivered_at) == (
        states.DELIVERED,
        NOW + timedelta(hours=2),
        NOW + timedelta(hours=5),
    )


@pytest.mark.parametrize("carriers", [("DPD", "Evri"), ("Evri", "DPD")])
def test_two_words_of_one_moment_about_a_parcel_are_settled_by_content(carriers: tuple[str, str]) -> None:
    route = RouteFactory()
    words = [
        facts.ParcelLabelled(return_id="ret_1", occurred_at=NOW, parcel_id="p1", carrier=carrier)
        for carrier in carriers
    ]
    apply_facts(connection=route.platform, new_facts=[*words, *words], at=NOW)
    assert Parcel.objects.get().carrier == "Evri"


def test_a_route_is_chosen_as_soon_as_the_channel_is_known() -> None:
    british = RouteFactory(channels=["uk"])
    french = RouteFactory(channels=["fr"], platform=british.platform)
    OrderFactory(connection=british.commerce, external_id="9001")
    order = OrderFactory(connection=french.commerce, external_id="9001")
    apply_facts(connection=british.platform, new_facts=[_seen(1, "9001")], at=NOW)
    rma = ReturnAuthorisation.objects.get()
    assert (rma.route, rma.policy, rma.order) == (None, None, None)

    apply_facts(connection=british.platform, new_facts=[_seen(2, "9001", channel="fr")], at=NOW)
    rma.refresh_from_db()
    assert (rma.route, rma.policy, rma.order) == (french, french.policy, order)

    apply_facts(connection=british.platform, new_facts=[_seen(3, "9001", channel="uk")], at=NOW)
    rma.refresh_from_db()
    assert (rma.channel, rma.route) == ("uk", french)  # what was planned by one route stays with it


def test_a_body_read_again_under_a_newer_mapping_counts_whatever_its_hash() -> None:
    """Same revision and time, other content: the newer mapping's reading stands, in either order of arrival."""
    route = RouteFactory()
    readings = [replace(_seen(1, "9001", number=f"R{version}"), mapping_version=version) for version in range(4)]
    for order in (readings, readings[::-1]):
        apply_facts(connection=route.platform, new_facts=order, at=NOW)
        rma = ReturnAuthorisation.objects.get()
        assert rma.number == "R3"
        ReturnAuthorisation.objects.update(content_rank=[1, readings[0].snapshot.updated_at.isoformat(), "f" * 64])
        apply_facts(connection=route.platform, new_facts=[readings[1]], at=NOW)  # as an older version stored it
        assert ReturnAuthorisation.objects.get().number == "R1"
        ReturnAuthorisation.objects.all().delete()
