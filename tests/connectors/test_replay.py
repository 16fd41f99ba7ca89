"""Returns are rebuilt from what was recorded: the same rows, the same plans, nothing sent, nothing changed."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connectors.replay import Difference, find, replay
from returnsops import facts, states
from returnsops.models import Effect, HistoryEntry, InboundEvent, Inspection, PlatformRefund, ReturnAuthorisation
from returnsops.services import acts
from tests.journeys.world import World, world

pytestmark = pytest.mark.django_db


def replayed(w: World, return_id: str) -> tuple[Difference, ...]:
    """What differs, after proof that replaying called nobody and left every row as it was."""
    calls, before = len(w.shop.calls.all()), rows()
    outcome = replay(rma=w.rma(return_id), at=w.now())
    assert len(w.shop.calls.all()) == calls
    assert rows() == before
    assert outcome.events > 0
    return outcome.differences


def rows() -> dict[str, Any]:
    models = (ReturnAuthorisation, Effect, Inspection, PlatformRefund, InboundEvent, HistoryEntry)
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def finished(w: World) -> str:
    """A return of two units, one judged and paid, with the whole thread done."""
    order = w.order((w.product(), 2))
    return_id = w.ask(order)
    w.platform.receive(return_id)
    w.settle()
    w.judge(return_id)
    w.pay(return_id, "30.00")
    w.settle()
    return return_id


def test_a_finished_return_is_rebuilt_the_same() -> None:
    with world() as w:
        return_id = finished(w)
        assert w.effect(return_id, states.REFUND).state == states.CONFIRMED
        assert w.effect(return_id, states.RESTOCK).state == states.CONFIRMED
        assert replayed(w, return_id) == ()


def test_quantities_that_go_in_two_steps_are_rebuilt_the_same() -> None:
    tables = '[routes.policy.refund]\ninitiator = "policy_trigger"\ntrigger = "inspected"\n'
    with world(policy_tables=tables) as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order, quantity=2)
        w.platform.receive(return_id)
        for _ in range(2):
            w.platform.inspect(return_id, [verdict(w, return_id)])
            w.settle()
            w.shift(600)
        assert len(w.effects(return_id, states.RESTOCK)) == 2
        assert replayed(w, return_id) == ()


def verdict(w: World, return_id: str) -> dict[str, Any]:
    return {
        "item_id": w.item_id(return_id),
        "quantity": 1,
        "outcome": "accepted",
        "disposition": "sellable",
        "disposition_final": True,
    }


def test_two_returns_of_one_order_are_rebuilt_together() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        first, second = w.ask(order), w.ask(order)
        w.settle()
        for return_id in (second, first):
            w.platform.receive(return_id)
            w.judge(return_id)
            w.pay(return_id, "30.00")
            w.settle()
            w.shift(60)
        assert replayed(w, first) == ()
        assert replayed(w, second) == ()


def test_a_decision_of_a_person_is_replayed_too() -> None:
    with world() as w:
        return_id = w.ask(w.order((w.product(), 1)), reason="moths")
        w.settle()
        decided = facts.ReasonClassified(
            return_id=return_id,
            occurred_at=w.now(),
            by="cx",
            why="called",
            item_id=w.item_id(return_id),
            reason_code="faulty",
        )
        acts.act(rma=w.rma(return_id), fact=decided, by="cx", at=w.now())
        assert replayed(w, return_id) == ()


def test_an_order_in_the_bin_is_replayed_too() -> None:
    with world() as w:
        order = w.order((w.product(), 1))
        return_id = w.ask(order)
        w.settle()
        w.shop.trash(order.id)
        w.poll()
        w.settle()
        w.tell()
        assert replayed(w, return_id) == ()


def test_a_row_that_no_record_leads_to_is_a_difference() -> None:
    with world() as w:
        return_id = finished(w)
        w.rma(return_id).lines.update(quantity=2)
        assert replayed(w, return_id) == (
            Difference(what=f"item {w.item_id(return_id)}: quantity", stored=2, replayed=1),
        )


def test_a_sent_amount_that_no_plan_asked_for_is_a_difference() -> None:
    with world() as w:
        return_id = finished(w)
        effect = w.effect(return_id, states.REFUND)
        Effect.objects.filter(pk=effect.pk).update(amount="31.00")
        (difference,) = (found for found in replayed(w, return_id) if found.what == f"effect {effect.key}")
        assert (difference.stored["amount"], difference.replayed["amount"]) == ("31", "30")


def test_a_lost_message_is_a_difference() -> None:
    with world() as w:
        return_id = finished(w)
        InboundEvent.objects.filter(topic="refund.issued").update(state=states.EVENT_PARKED)
        assert {difference.what for difference in replayed(w, return_id)} >= {
            f"effect {w.effect(return_id, states.REFUND).key}"
        }


def test_the_command_tells_and_exits() -> None:
    with world() as w:
        return_id = finished(w)
        out = StringIO()
        call_command("replay", return_id, stdout=out)
        assert "Rows and planned effects are the same." in out.getvalue()
        w.rma(return_id).lines.update(quantity=2)
        out = StringIO()
        with pytest.raises(SystemExit) as stop:
            call_command("replay", f"reveni/{return_id}", "--json", stdout=out)
        assert stop.value.code == 1
        assert json.loads(out.getvalue())["differences"][0]["stored"] == 2


def test_a_return_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="There is no return 'RMA-1'"):
        call_command("replay", "RMA-1")


def test_a_return_is_found_by_number_id_or_reference() -> None:
    with world() as w:
        return_id = w.ask(w.order((w.product(), 1)))
        w.settle()
        rma = w.rma(return_id)
        assert [find(name).pk for name in (rma.number, return_id, rma.ref)] == [rma.pk] * 3
