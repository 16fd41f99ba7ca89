"""Old messages lose customer data and nothing else; replay goes on working."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.replay import replay
from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import HistoryEntry, InboundEvent
from returnsops.services.cases import open_for_return
from returnsops.services.purging import Purged, purge_payloads, redacted
from tests import factories as make
from tests.journeys.world import START, World, world

pytestmark = pytest.mark.django_db


def bodies() -> bytes:
    return b"".join(bytes(body) for body in InboundEvent.objects.order_by("pk").values_list("body", flat=True))


def a_finished_return(w: World) -> str:
    return_id = w.ask(w.order((w.product(), 1)), email="pat@example.com")
    w.platform.receive(return_id)
    w.judge(return_id)
    w.pay(return_id, "30.00")
    w.settle()
    return return_id


def test_customer_data_goes_and_replay_still_finds_the_same() -> None:
    with world() as w:
        return_id = a_finished_return(w)
        assert b"pat@example.com" in bodies()
        later = w.now() + timedelta(days=1)
        done = purge_payloads(before=later, by="ops", at=later)
        assert done.looked_at == InboundEvent.objects.count()
        assert 0 < done.changed <= done.looked_at
        assert b"pat@example.com" not in bodies()
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()


def declined(w: World, sku: str = "MUG", *, is_over: bool = True) -> str:
    """A shopper wrote why, and somebody wrote why not."""
    return_id = w.ask(
        w.order((w.product(sku), 1)), email="pat@example.com", item={"reason_text": "My aunt Ada is ill."}
    )
    item = {
        "item_id": w.item_id(return_id),
        "quantity": 1,
        "outcome": "rejected",
        "disposition": "damaged",
        "disposition_final": True,
        "reject_reason": "Ada Moss wore it.",
    }
    w.platform.receive(return_id)
    w.platform.complete_inspection(return_id, [item])
    if not is_over:
        w.settle()
        return return_id
    account, why = w.platform.account, {"reason": {"code": "worn", "text": "Ada Moss says no."}}
    document = account.changed(return_id, status="declined")
    account.tell("return.declined", document | why, why, is_silent=False)
    w.settle()
    return return_id


def texts(w: World, return_id: str) -> dict[str, str]:
    rma = w.rma(return_id)
    assert rma.order is not None
    return {
        "mail": rma.customer_email,
        "mail of the order": rma.order.customer_email,
        "end": rma.end_reason,
        "reason": rma.lines.get().reason_text,
        "verdict": rma.inspections.get().reject_reason,
    }


@pytest.mark.requirement("S1-11")
def test_a_return_that_is_long_over_keeps_no_address_and_nothing_that_somebody_wrote() -> None:
    with world() as w:
        return_id, young_id = declined(w), declined(w, "CAP", is_over=False)
        before = texts(w, return_id)
        assert [before["mail"], before["end"]] == ["pat@example.com", "Ada Moss says no."]
        assert [before["reason"], before["verdict"]] == ["My aunt Ada is ill.", "Ada Moss wore it."]
        assert before["mail of the order"] != ""
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()

        later = w.now() + timedelta(days=1)
        assert purge_payloads(before=later, by="ops", at=later, is_dry_run=True).returns == 1
        assert texts(w, return_id) == before
        assert purge_payloads(before=START, by="ops", at=later).returns == 0
        assert purge_payloads(before=later, by="ops", at=later).returns == 1
        gone = dict.fromkeys(("end", "reason", "verdict"), "[removed]")
        assert texts(w, return_id) == {**gone, "mail": "", "mail of the order": ""}
        assert b"Ada" not in bodies()
        young = texts(w, young_id)  # it is not over: its messages are purged, its rows not yet
        assert (young["mail"], young["verdict"]) == ("pat@example.com", "Ada Moss wore it.")
        for name in (return_id, young_id):
            assert replay(rma=w.rma(name), at=w.now()).differences == ()
        assert purge_payloads(before=later, by="ops", at=later).returns == 0
        (entry,) = HistoryEntry.objects.filter(act="returns_purged")
        assert (entry.by, entry.text) == ("ops", "Customer data removed from 1 returns that are over.")


SAID = "The account of Ada Moss was closed."


def failed(w: World) -> tuple[str, ExceptionCase]:
    """A closed return whose refund did not reach Ada Moss, and its case, which customer service accepted."""
    return_id = a_finished_return(w)
    rma = w.rma(return_id)
    w.platform.fail_refund(return_id, rma.platform_refunds.get().external_id, message=SAID)
    w.settle()
    case = ExceptionCase.objects.active().get()
    why = "pat@example.com gets a bank transfer"
    queue.run_action(case=case, action_code="waive_hold", by=w.users["CX"], at=w.now(), reason=why)
    account = w.platform.account
    account.tell("return.closed", account.changed(return_id, status="closed"), {}, is_silent=False)
    w.settle()
    case.refresh_from_db()
    return return_id, case


@pytest.mark.requirement("S1-11")
def test_why_a_payment_failed_and_closed_cases_lose_it_and_reasons_of_staff_lose_addresses() -> None:
    with world() as w:
        return_id, case = failed(w)
        evidence = dict(case.evidence)
        (waiver,) = w.rma(return_id).waivers.all()
        assert (w.rma(return_id).platform_refunds.get().failure_text, evidence["failure"]) == (SAID, SAID)
        assert (SAID in case.cause, waiver.why) == (True, "pat@example.com gets a bank transfer")
        later = w.now() + timedelta(days=1)

        counted = purge_payloads(before=later, by="ops", at=later, is_dry_run=True)
        assert (counted.returns, counted.cases) == (1, 1)
        assert purge_payloads(before=START, by="ops", at=later).cases == 0
        case.refresh_from_db()
        assert case.evidence == evidence

        done = purge_payloads(before=later, by="ops", at=later)
        assert (done.returns, done.cases) == (1, 1)
        for row in (case, waiver):
            row.refresh_from_db()
        payout = w.rma(return_id).platform_refunds.get()
        assert (payout.failure_code, payout.failure_text) == ("account_closed", "[removed]")
        assert case.evidence == {**evidence, "failure": "[removed]"}
        assert "did not reach the customer: [removed]" in case.cause
        assert waiver.why == "removed@removed.invalid gets a bank transfer"
        assert b"Ada Moss" not in bodies()
        assert b"pat@example.com" not in bodies()
        assert replay(rma=w.rma(return_id), at=w.now()).differences == ()
        again = purge_payloads(before=later, by="ops", at=later)
        assert (again.changed, again.returns, again.cases) == (0, 0, 0)
        (entry,) = HistoryEntry.objects.filter(act="cases_purged")
        assert (entry.by, entry.text) == ("ops", "Customer data removed from 1 closed cases.")


def test_a_case_closed_by_hand_keeps_its_words_without_the_customer_in_them() -> None:
    old, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    rma = make.ReturnFactory(closed_at=old, customer_email="", order__customer_email="")
    open_for_return(
        rma=rma,
        kind=states.CASE_REVISION_CONFLICT,
        fingerprint="one",
        cause="Pat Doe of 12 said 120: ask pat@example.com.",
        evidence={"customer": {"name": "Pat Doe", "id": "77", "house": "12"}, "amount": "120"},
        at=old,
    )
    case = queue.resolve(case=ExceptionCase.objects.get(), by="cx", at=old, reason="Pat Doe, pat@example.com, agreed.")
    assert purge_payloads(before=later, by="ops", at=later) == Purged(looked_at=0, changed=0, returns=0, cases=1)
    case.refresh_from_db()
    assert case.cause == "[removed] of [removed] said 120: ask removed@removed.invalid."
    assert case.resolution_reason == "[removed], removed@removed.invalid, agreed."
    cleaned = {"name": "[removed]", "id": "77", "house": "[removed]"}
    assert case.evidence == {"customer": cleaned, "amount": "120"}


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("12.00 EUR and 1,12 and 0.12 of 12,5", "12.00 EUR and 1,12 and 0.12 of 12,5"),
        ("\u20ac12 or 12 EUR or CHF 12", "\u20ac12 or 12 EUR or CHF 12"),
        ("at 12:30 on 2026-12-05, 12/05, 1-12", "at 12:30 on 2026-12-05, 12/05, 1-12"),
        ("High St 12, number 12. House 12", "High St [removed], number [removed]. House [removed]"),
        ("12 of 12: 112, A12", "[removed] of [removed]: 112, A12"),
        ("call 1-7700900123", "call 1-[removed]"),
    ],
)
def test_a_house_number_is_not_taken_out_of_amounts_and_dates(said: str, left: str) -> None:
    old, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    rma = make.ReturnFactory(closed_at=old, customer_email="", order__customer_email="")
    evidence = {"customer": {"house": "12", "phone": "7700900123"}}
    kind = states.CASE_REVISION_CONFLICT
    open_for_return(rma=rma, kind=kind, fingerprint="one", cause=said, evidence=evidence, at=old)
    case = queue.resolve(case=ExceptionCase.objects.get(), by="cx", at=old, reason="agreed")
    purge_payloads(before=later, by="ops", at=later)
    case.refresh_from_db()
    assert case.cause == left


def test_a_case_that_is_open_keeps_what_people_need_to_work_it() -> None:
    with world() as w:
        _, case = failed(w)
        later = w.now() + timedelta(days=1)
        queue.reopen(case=case, by=w.users["CX"], at=w.now(), reason="the transfer came back")
        case.refresh_from_db()
        before = (case.cause, case.evidence)
        assert purge_payloads(before=later, by="ops", at=later).cases == 0
        case.refresh_from_db()
        assert (case.cause, case.evidence) == before


def test_an_order_keeps_its_address_as_long_as_one_of_its_returns_is_young() -> None:
    old, young = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    closed = make.ReturnFactory(
        closed_at=old, customer_email="pat@example.com", order__customer_email="pat@example.com"
    )
    sibling = make.ReturnFactory(order=closed.order, closed_at=young, customer_email="pat@example.com")
    march, july = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    for before, kept, count in ((march, "pat@example.com", 1), (july, "", 2)):
        assert purge_payloads(before=before, by="ops", at=before).returns == count
        for row in (closed, sibling):
            row.refresh_from_db()
        closed.order.refresh_from_db()
        assert (closed.customer_email, sibling.customer_email, closed.order.customer_email) == ("", kept, kept)


def test_it_is_noted_once_per_connection_and_repeating_changes_nothing() -> None:
    with world() as w:
        a_finished_return(w)
        later = w.now() + timedelta(days=1)
        first = purge_payloads(before=later, by="ops", at=later)
        before = bodies()
        assert purge_payloads(before=later, by="ops", at=later) == Purged(looked_at=first.looked_at, changed=0)
        assert bodies() == before
        entries = HistoryEntry.objects.filter(act="payloads_purged")
        assert {entry.by for entry in entries} == {"ops"}
        assert entries.count() == len({entry.subject_id for entry in entries})


def test_a_dry_run_counts_and_changes_nothing() -> None:
    with world() as w:
        a_finished_return(w)
        before = bodies()
        later = w.now() + timedelta(days=1)
        assert purge_payloads(before=later, by="ops", at=later, is_dry_run=True).changed > 0
        assert bodies() == before
        assert not HistoryEntry.objects.filter(act="payloads_purged").exists()


def test_young_and_unprocessed_messages_are_left_alone() -> None:
    with world() as w:
        a_finished_return(w)
        before = bodies()
        assert purge_payloads(before=START, by="ops", at=w.now()) == Purged(looked_at=0, changed=0)
        InboundEvent.objects.update(state=states.EVENT_RECEIVED)
        assert purge_payloads(before=datetime(2100, 1, 1, tzinfo=UTC), by="ops", at=w.now()).looked_at == 0
        assert bodies() == before


def test_numbers_keep_their_digits() -> None:
    body = b'{"total": 30.10, "rate": 1.000000000000000000001, "n": 5, "email": "pat@example.com"}'
    assert redacted(body) == (
        b'{"total": 30.10, "rate": 1.000000000000000000001, "n": 5, "email": "removed@removed.invalid"}'
    )


def test_bodies_without_customer_data_are_not_touched_and_broken_ones_go_whole() -> None:
    assert redacted(b'{ "id":1 }') == b'{ "id":1 }'
    assert redacted(b"Pat, High St 1") == b"[removed]"
    assert redacted(b"[removed]") == b"[removed]"
    assert redacted(json.dumps({"name": "\u00e9"}).encode()) == b'{"name": "\\u00e9"}'
