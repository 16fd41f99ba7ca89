"""The catalogue check over HTTP: what is found, what is one case, and when it closes."""

import io
import json
from decimal import Decimal
from unittest import mock

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from connectors import catalogue
from connectors.models import SyncCursor
from connectors.simulators.base import Fault, FaultKind
from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.records import Product
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import CatalogueItem
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db


def trainers(w: World) -> tuple[Product, Product, Product]:
    """A product with a variation of its own SKU and one without."""
    parent = w.shop.add_product("Trainers", None, sku="TRAIN", type="variable")
    own = w.shop.add_variation(parent, Decimal(50), options={"Size": "40"}, sku="TRAIN-40", stock_quantity=5)
    bare = w.shop.add_variation(parent, Decimal(50), options={"Size": "41"}, stock_quantity=5)
    return parent, own, bare


def read_all(w: World) -> int:
    """A whole round, a page a minute."""
    pages = 0
    while catalogue.check_due(at=w.now()):
        pages += 1
        w.shift(60)
    return pages


def test_a_variation_that_shows_its_parents_sku_is_found_before_any_return() -> None:
    with world() as w:
        parent, own, bare = trainers(w)
        w.product("MUG")
        assert read_all(w) == 1
        found = {
            (row.product_external_id, row.variation_external_id): (row.sku, row.problem)
            for row in CatalogueItem.objects.all()
        }
        mug = next(p for p in w.shop.state.products.values() if p.own_sku == "MUG")
        assert found == {
            (str(parent.id), str(own.id)): ("TRAIN-40", ""),
            (str(parent.id), str(bare.id)): ("TRAIN", "inherited"),
            (str(mug.id), ""): ("MUG", ""),
        }
        assert w.open_cases() == [states.CASE_SKU_INTEGRITY]
        (article,) = ExceptionCase.objects.get().evidence["articles"]
        assert (article["article"], article["shown SKU"]) == ("Trainers - 41", "TRAIN")


def test_the_case_closes_when_every_article_has_its_own_sku() -> None:
    with world() as w:
        _, _, bare = trainers(w)
        read_all(w)
        bare.own_sku = "TRAIN-41"
        w.shift(catalogue.EVERY.total_seconds())
        read_all(w)
        assert w.open_cases() == []
        assert not CatalogueItem.objects.exclude(problem="").exists()


def test_a_person_may_have_it_read_again_at_once() -> None:
    with world() as w:
        _, _, bare = trainers(w)
        read_all(w)
        bare.own_sku = "TRAIN-41"
        case = ExceptionCase.objects.get()
        queue.run_action(case=case, action_code="read_catalogue", by=w.users["OPS"], at=w.now(), reason="fixed")
        read_all(w)
        assert w.open_cases() == []


def test_a_restock_held_for_the_sku_goes_on_once_the_article_has_one() -> None:
    with world() as w:
        parent, _, bare = trainers(w)
        line = CartLine(product_id=parent.id, variation_id=bare.id, quantity=1)
        order = w.shop.place_order([line], payment_method="card")
        return_id = w.ask(order, item={"sku": "TRAIN-41"})
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        read_all(w)
        assert w.open_cases() == sorted([states.CASE_SKU_AMBIGUOUS, states.CASE_SKU_INTEGRITY])

        bare.own_sku = "TRAIN-41"
        w.shift(catalogue.EVERY.total_seconds())
        read_all(w)
        w.settle()
        assert w.shop.stock_of(parent.id, bare.id) == 5
        assert w.effect(return_id, states.RESTOCK).state == states.CONFIRMED
        assert w.open_cases() == []


@pytest.mark.parametrize("what", ["lost answer", "crash"])
def test_an_order_that_was_not_read_again_is_read_with_the_next_round(what: str) -> None:
    with world() as w:
        parent, _, bare = trainers(w)
        line = CartLine(product_id=parent.id, variation_id=bare.id, quantity=1)
        order = w.shop.place_order([line], payment_method="card")
        return_id = w.ask(order, item={"sku": "TRAIN-41"})
        w.platform.receive(return_id)
        w.judge(return_id)
        w.settle()
        read_all(w)
        bare.own_sku = "TRAIN-41"
        w.shift(catalogue.EVERY.total_seconds())
        if what == "crash":
            died = mock.patch.object(catalogue, "read_order", side_effect=RuntimeError("power cut"))
            with died, pytest.raises(RuntimeError, match="power cut"):
                read_all(w)
        else:
            w.shop.faults.script(Fault(kind=FaultKind.LOST_ANSWER, method="GET", path_pattern=rf"/orders/{order.id}"))
            read_all(w)
            assert w.shop.faults.scripted == []
        w.settle()
        assert w.effects(return_id, states.RESTOCK)[0].state == states.HELD

        w.shift(catalogue.EVERY.total_seconds())
        read_all(w)
        w.settle()
        assert w.effect(return_id, states.RESTOCK).state == states.CONFIRMED
        assert w.shop.stock_of(parent.id, bare.id) == 5
        assert w.open_cases() == []


def test_an_article_without_any_sku_and_one_that_is_gone() -> None:
    with world() as w:
        bare, mug = w.shop.add_product("Gift wrap", Decimal(3)), w.product("MUG")
        read_all(w)
        assert list(CatalogueItem.objects.exclude(problem="").values_list("name", "problem")) == [
            ("Gift wrap", "missing")
        ]
        del w.shop.state.products[bare.id]
        w.shift(catalogue.EVERY.total_seconds())
        read_all(w)
        assert list(CatalogueItem.objects.values_list("product_external_id", flat=True)) == [str(mug.id)]
        assert w.open_cases() == []


def test_a_long_catalogue_is_read_a_page_a_minute_and_to_its_end() -> None:
    with world() as w:
        for number in range(45):
            w.product(f"SKU-{number}")
        assert read_all(w) == 3
        assert CatalogueItem.objects.count() == 45
        assert catalogue.check_due(at=w.now()) == 0


def test_a_fault_in_between_goes_on_with_the_same_page() -> None:
    with world() as w:
        for number in range(25):
            w.product(f"SKU-{number}")
        catalogue.check_due(at=w.now())
        w.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR, path_pattern="/products", times=9))
        w.shift(60)
        catalogue.check_due(at=w.now())
        assert SyncCursor.objects.get(stream="catalogue").error_text != ""
        w.shop.faults.clear()
        w.shift(catalogue.FAILED_WAIT.total_seconds())
        catalogue.check_due(at=w.now())
        assert CatalogueItem.objects.count() == 25
        assert SyncCursor.objects.get(stream="catalogue").error_text == ""


def test_a_paused_connection_is_not_read() -> None:
    with world() as w:
        connection = w.connection("shop")
        connection.is_paused = True
        connection.save()
        assert catalogue.check_due(at=w.now()) == 0


def test_the_command_reads_now_and_lists_what_is_wrong() -> None:
    with world() as w:
        trainers(w)
        out = io.StringIO()
        with pytest.raises(CommandError, match="1 of 2 articles need a SKU"):
            call_command("check_catalogue", "shop", "--json", stdout=out)
        document = json.loads(out.getvalue())
        assert [(row["name"], row["problem"]) for row in document["problems"]] == [("Trainers - 41", "inherited")]


def test_the_command_says_when_all_is_well_and_which_connections_there_are() -> None:
    with world() as w:
        w.product("MUG")
        out = io.StringIO()
        call_command("check_catalogue", "shop", stdout=out)
        assert out.getvalue() == "All 1 articles of shop have a SKU of their own.\n"
        with pytest.raises(CommandError, match="Known: reveni, shop"):
            call_command("check_catalogue", "nowhere")
        with pytest.raises(CommandError, match="has no catalogue"):
            call_command("check_catalogue", "reveni")
