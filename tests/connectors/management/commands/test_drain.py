"""``drain``: until nothing more can move now, with counts by state."""

import json
from io import StringIO
from unittest import mock

import pytest
from django.core.management import call_command

from connectors.management.commands import drain
from returnsops import states
from tests.journeys.world import world

pytestmark = pytest.mark.django_db


def test_drain_brings_everything_to_where_it_can_go_now() -> None:
    with world() as w:
        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
        w.tell()
        out = StringIO()
        with mock.patch.object(drain, "Runtime", return_value=w.runtime):  # waiting for the shop's pace lets time jump
            call_command("drain", stdout=out)
        counts = json.loads(out.getvalue())
        assert counts["drained"] is True
        assert "received" not in counts["events"]
        assert not {"ready", "sending", "unknown"} & set(counts["effects"])
        assert len(w.money_refunds(order)) == 1
        assert w.effect(return_id, states.REFUND).state in {states.DONE, states.CONFIRMED}


def test_without_time_it_says_so_and_fails() -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("drain", "--timeout", "0", stdout=out)
    assert stop.value.code == 1
    assert json.loads(out.getvalue())["drained"] is False
