"""The return page: what it says, and each act pressed as a person would."""

import json
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from exceptions_queue.models import ExceptionCase
from returnsops import states
from returnsops.models import Effect, HistoryEntry, InboundEvent, Inspection, ReturnAuthorisation
from returnsops.services import replan
from tests import factories as make
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db


def url(rma: ReturnAuthorisation, act: str = "") -> str:
    page = f"/admin/returnsops/returnauthorisation/{rma.pk}/"
    return f"{page}act/{act}/" if act else f"{page}change/"


def press(client: Client, rma: ReturnAuthorisation, act: str, **data: Any) -> str:
    """Post the form of an act; returns the page that follows."""
    answer = client.post(url(rma, act), data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def rma() -> ReturnAuthorisation:
    now = timezone.now()
    route = make.RouteFactory(live_from=now - timedelta(days=30))
    make.DispositionMappingFactory(route=route)
    made: ReturnAuthorisation = make.ReturnFactory(
        route=route, requested_at=now - timedelta(days=2), order__placed_at=now - timedelta(days=5)
    )
    line = make.OrderLineFactory(order=made.order, reduced_stock=2)
    make.ReturnLineFactory(rma=made, order_line=line, quantity=2, external_id="i1")
    return made


# --- what it says -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S1-15")
def test_the_page_says_what_holds_the_refund_and_which_case_it_waits_for(rma: Any, sign_in: SignIn) -> None:
    case = make.CaseFactory(rma=rma)
    make.EffectFactory(
        rma=rma,
        state=states.HELD,
        holds=[
            {
                "code": "reason_unmapped",
                "text": "waits for a reason for Blue shirt",
                "until": "2026-03-05T10:00:00+00:00",
                "waits_for": case.fingerprint,
            }
        ],
    )
    html = sign_in("CX").get(url(rma)).content.decode()
    assert "Refund £30.00 (the shop pays) waits for a reason for Blue shirt." in html
    assert "until 5 Mar 2026 10:00" in html
    assert (
        f'href="/admin/exceptions_queue/exceptioncase/{case.pk}/change/">case {case.pk} with Customer service' in html
    )


@pytest.mark.requirement("S1-15")
def test_the_timeline_merges_all_books_newest_first(rma: Any, sign_in: SignIn) -> None:
    effect = make.EffectFactory(rma=rma, state=states.DONE, remote_id="r-555")
    make.HistoryEntryFactory(rma=rma, at=make.NOW, text="first of all")
    make.InboundEventFactory(connection=rma.connection, rma=rma, received_at=make.NOW + timedelta(minutes=1))
    make.AttemptFactory(effect=effect, started_at=make.NOW + timedelta(minutes=2), text="Remote record r-555.")
    case = make.CaseFactory(rma=rma)
    make.CaseEventFactory(case=case, at=make.NOW + timedelta(minutes=3), note="opened it")
    html = sign_in("CX").get(url(rma)).content.decode()
    timeline = html[html.index('class="ro-timeline"') :]
    wanted = ["opened it", "Remote record r-555.", "A refund was decided.", "first of all"]
    places = [timeline.index(text) for text in wanted]
    assert places == sorted(places)
    assert "<code>r-555</code>" in timeline
    assert "RefundIssued" not in html


def test_text_of_a_customer_stays_text(rma: Any, sign_in: SignIn) -> None:
    line = rma.lines.get()
    line.reason_text = line.name = "<script>alert(1)</script>"
    line.save()
    rma.customer_email = '"><img src=x onerror=alert(1)>@example.com'
    rma.save()
    make.RefundFactory(order=rma.order, author="<b>bold</b>")
    html = sign_in("FIN").get(url(rma)).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "<b>bold" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_order_opens_in_the_shop_in_a_new_tab(rma: Any, sign_in: SignIn) -> None:
    html = sign_in("CX").get(url(rma)).content.decode()
    link = f"https://shop.example.com/wp-admin/admin.php?page=wc-orders&amp;action=edit&amp;id={rma.order.external_id}"
    assert f'href="{link}" target="_blank" rel="noopener noreferrer"' in html
    assert f'data-copy="{rma.order.external_id}"' in html


def test_the_page_itself_takes_no_post(rma: Any, admin_client: Client) -> None:
    assert admin_client.post(url(rma), {"external_id": "other"}).status_code == 403
    rma.refresh_from_db()
    assert rma.external_id != "other"


def test_a_return_found_by_everything_people_have_in_hand(rma: Any, sign_in: SignIn) -> None:
    make.ParcelFactory(rma=rma, tracking_number="TRACK-1")
    make.PlatformRefundFactory(rma=rma, external_id="payout-9")
    client = sign_in("CX")
    for text in (rma.number, rma.order.number, "TRACK-1", "payout-9", rma.lines.get().sku, rma.customer_email):
        assert rma.label in client.get("/admin/find/", {"find": text}, follow=True).content.decode(), text
        listed = client.get("/admin/returnsops/returnauthorisation/", {"q": text, "view": "all"})
        assert rma.label in listed.content.decode(), text


# --- acts ---------------------------------------------------------------------------------------------------------


def test_classifying_a_reason_lets_the_return_go_on(rma: Any, sign_in: SignIn) -> None:
    line = rma.lines.get()
    line.reason = None
    line.save()
    make.ReasonCodeFactory(code="damaged-in-transit")
    html = press(sign_in("CX"), rma, "classify_reason", item="i1", reason_code="damaged-in-transit", why="Photo")
    line.refresh_from_db()
    assert (line.reason.code, line.reason_by) == ("damaged-in-transit", "cx")
    assert "The reason is set" in html
    assert HistoryEntry.objects.get(act="reason_classified").why == "Photo"


@pytest.mark.requirement("S4-14")
def test_the_warehouse_receives_inspects_and_takes_a_verdict_back(rma: Any, sign_in: SignIn) -> None:
    parcel = make.ParcelFactory(rma=rma)
    client = sign_in("WH")
    press(client, rma, "receive_parcel", parcel=parcel.external_id)
    rma.refresh_from_db()
    assert rma.received_at is not None
    pk = rma.lines.get().pk
    decision = str(uuid.uuid4())
    form = {"decision": decision, f"verdict_{pk}": "sellable", f"quantity_{pk}": "2", f"reason_{pk}": ""}
    press(client, rma, "confirm_inspection", **form)
    row = Inspection.objects.get()
    assert (row.source, row.quantity, row.disposition, row.is_final) == ("warehouse", 2, "sellable", True)
    assert row.inspected_by == "wh"
    restock = Effect.objects.get(kind=states.RESTOCK)
    assert (restock.quantity, restock.state) == (2, states.READY)

    again = press(client, rma, "confirm_inspection", **form)
    assert Inspection.objects.count() == 1
    assert "left to inspect" in again or "Already inspected" in again or "at least one item" in again

    press(client, rma, "undo_inspection", verdict=row.pk, why="Wrong parcel")
    row.refresh_from_db()
    assert row.is_superseded
    restock.refresh_from_db()
    assert restock.state == states.EFFECT_CANCELLED


def test_damaged_goods_want_a_reason(rma: Any, sign_in: SignIn) -> None:
    pk = rma.lines.get().pk
    form = {"decision": str(uuid.uuid4()), f"verdict_{pk}": "damaged", f"quantity_{pk}": "1", f"reason_{pk}": ""}
    html = press(sign_in("WH"), rma, "confirm_inspection", **form)
    assert "Say what is wrong with it." in html
    assert Inspection.objects.count() == 0


def test_more_units_than_are_left_are_refused(rma: Any, sign_in: SignIn) -> None:
    pk = rma.lines.get().pk
    form = {"decision": str(uuid.uuid4()), f"verdict_{pk}": "sellable", f"quantity_{pk}": "3", f"reason_{pk}": ""}
    press(sign_in("WH"), rma, "confirm_inspection", **form)
    assert Inspection.objects.count() == 0


def test_customer_service_proposes_and_finance_approves(rma: Any, sign_in: SignIn) -> None:
    request_id = str(uuid.uuid4())
    form = {"request_id": request_id, "amount": "12.50", "ground": "goodwill", "why": "Late by two weeks"}
    html = press(sign_in("CX"), rma, "propose_refund", **form)
    press(sign_in("CX"), rma, "propose_refund", **form)  # the form sent twice is one proposal
    effect = Effect.objects.get(origin=states.ORIGIN_PERSON)
    assert (effect.amount, effect.state) == (Decimal("12.50"), states.AWAITING_APPROVAL)
    assert str(effect.proposed_by) == "cx"
    assert "a second person has to approve it" in html

    page = f"/admin/returnsops/effect/{effect.pk}/act/approve/"
    assert sign_in("CX").get(page).status_code == 403
    sign_in("FIN").post(page, {"revision": effect.payload_revision})
    effect.refresh_from_db()
    assert (effect.state, str(effect.approved_by)) == (states.READY, "fin")


def test_who_proposed_cannot_approve(rma: Any, sign_in: SignIn) -> None:
    client = sign_in("FIN")
    form = {"request_id": str(uuid.uuid4()), "amount": "12.50", "ground": "goodwill", "why": "Late"}
    press(client, rma, "propose_refund", **form)
    effect = Effect.objects.get(origin=states.ORIGIN_PERSON)
    answer = client.post(f"/admin/returnsops/effect/{effect.pk}/act/approve/", {"revision": 1})
    assert "a second person has to approve it" in answer.content.decode()
    effect.refresh_from_db()
    assert effect.state == states.AWAITING_APPROVAL


@pytest.mark.parametrize("amount", ["60.01", "0", "-1", "1.001", "abc", "NaN", "1e400"])
def test_an_impossible_amount_is_refused_in_words(amount: str, rma: Any, sign_in: SignIn) -> None:
    form = {"request_id": str(uuid.uuid4()), "amount": amount, "ground": "goodwill", "why": "Late"}
    html = press(sign_in("CX"), rma, "propose_refund", **form)
    assert Effect.objects.filter(origin=states.ORIGIN_PERSON).count() == 0
    assert "ro-error" in html


@pytest.mark.parametrize("amount", ["1e1", "1_0"])
def test_an_amount_that_is_not_written_in_digits_is_refused_in_words(amount: str, rma: Any, sign_in: SignIn) -> None:
    paid = {"reference": "SEPA 77", "paid_on": timezone.localdate().isoformat()}
    form = {"request_id": str(uuid.uuid4()), "amount": amount, "ground": "other", "why": "Bank transfer", **paid}
    for team, act in (("CX", "propose_refund"), ("FIN", "paid_outside")):
        html = press(sign_in(team), rma, act, **form)
        assert f"&#x27;{amount}&#x27; is not written in digits. Write it like 42.50." in html
    assert Effect.objects.filter(origin=states.ORIGIN_PERSON).count() == 0


def test_paid_outside_wants_reference_and_date_and_moves_no_money(rma: Any, sign_in: SignIn) -> None:
    form = {"request_id": str(uuid.uuid4()), "amount": "20.00", "ground": "other", "why": "Bank transfer"}
    press(sign_in("FIN"), rma, "paid_outside", **form)
    assert Effect.objects.filter(origin=states.ORIGIN_PERSON).count() == 0
    day = timezone.localdate().isoformat()
    press(sign_in("FIN"), rma, "paid_outside", **form, reference="SEPA 77", paid_on=day)
    effect = Effect.objects.get(origin=states.ORIGIN_PERSON)
    assert (effect.payload["executed_by"], effect.payload["reference"]) == ("merchant", f"SEPA 77 of {day}")


def test_a_refund_made_outside_is_attributed(rma: Any, sign_in: SignIn) -> None:
    refund = make.RefundFactory(order=rma.order)
    form = {"refund": refund.external_id, "meaning": "this_return", "why": "Sam did it on the phone"}
    press(sign_in("FIN"), rma, "attribute_refund", **form)
    refund.refresh_from_db()
    assert (refund.rma, refund.attributed_by, refund.is_unrelated) == (rma, "fin", False)


def test_it_is_decided_who_pays(rma: Any, sign_in: SignIn) -> None:
    payout = make.PlatformRefundFactory(rma=rma, executed_by="")
    form = {"refund": payout.external_id, "executed_by": "returns_platform", "why": "Their statement says so"}
    press(sign_in("FIN"), rma, "decide_executor", **form)
    payout.refresh_from_db()
    assert (payout.executed_by, payout.executed_by_decided_by) == ("returns_platform", "fin")


def test_a_hold_is_released_with_a_reason(rma: Any, sign_in: SignIn) -> None:
    effect = make.EffectFactory(
        rma=rma,
        state=states.HELD,
        holds=[{"code": "outside_window", "text": "asked too late", "until": None, "waits_for": ""}],
    )
    press(sign_in("FIN"), rma, "waive_hold", hold=f"outside_window|{effect.key}", why="Loyal customer")
    waiver = rma.waivers.get()
    assert (waiver.hold_code, waiver.effect_key, waiver.by) == ("outside_window", effect.key, "fin")


def test_a_hold_about_an_amount_wants_the_amount(rma: Any, sign_in: SignIn) -> None:
    effect = make.EffectFactory(
        rma=rma,
        state=states.HELD,
        holds=[{"code": "amount_mismatch", "text": "30 or 29", "until": None, "waits_for": ""}],
    )
    hold = f"amount_mismatch|{effect.key}"
    press(sign_in("FIN"), rma, "waive_hold", hold=hold, why="ok")
    assert rma.waivers.count() == 0
    html = press(sign_in("FIN"), rma, "waive_hold", hold=hold, amount="2e1", why="ok")
    assert ("Say which amount is accepted, like 42.50." in html, rma.waivers.count()) == (True, 0)
    press(sign_in("FIN"), rma, "waive_hold", hold=hold, amount="29.00", why="ok")
    assert rma.waivers.get().subject == "29.00"


def test_exchange_and_credit_are_settled_by_hand(rma: Any, sign_in: SignIn) -> None:
    exchange, credit = make.ExchangeRequestFactory(rma=rma), make.CreditRequestFactory(rma=rma)
    client = sign_in("CX")
    press(client, rma, "settle_exchange", exchange=exchange.external_id, reference="5001", why="")
    press(client, rma, "settle_credit", credit=credit.external_id, reference="1234", why="")
    exchange.refresh_from_db()
    credit.refresh_from_db()
    assert (exchange.commerce_order_id, exchange.settled_by) == ("5001", "cx")
    assert (credit.settled_reference, credit.settled_by) == ("1234", "cx")


def test_a_replacement_and_a_credit_of_ours_that_left_are_not_offered_by_hand(rma: Any, sign_in: SignIn) -> None:
    exchange, credit = make.ExchangeRequestFactory(rma=rma), make.CreditRequestFactory(rma=rma)
    client, acts = sign_in("CX"), ("settle_exchange", "settle_credit")
    page = client.get(url(rma)).content.decode()
    assert [url(rma, act) in page for act in acts] == [True, True]
    nothing = {"rma": rma, "amount": None, "currency": "", "state": states.CONFIRMED}
    make.EffectFactory(kind=states.EXCHANGE, number=exchange.external_id, payload={}, **nothing)
    key = f"store_credit:{rma.ref}:{credit.kind}:{credit.external_id}"
    make.EffectFactory(rma=rma, kind=states.STORE_CREDIT, key=key, state=states.UNKNOWN)
    page = client.get(url(rma)).content.decode()
    assert [url(rma, act) in page for act in acts] == [False, False]
    press(client, rma, "settle_exchange", exchange=exchange.external_id, reference="5001", why="")
    exchange.refresh_from_db()
    assert exchange.settled_at is None


def test_a_return_from_before_is_released(rma: Any, sign_in: SignIn) -> None:
    rma.requested_at = rma.route.live_from - timedelta(days=1)
    rma.save()
    press(sign_in("OPS"), rma, "release_return", why="Checked in the shop: nothing was done by hand")
    rma.refresh_from_db()
    assert rma.released_by == "ops"


def test_a_return_that_cannot_be_planned_keeps_what_people_decide_and_says_so(
    rma: Any, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replan, "plan", mock.Mock(side_effect=LookupError("no such place")))
    form = {"request_id": str(uuid.uuid4()), "amount": "12.50", "ground": "goodwill", "why": "Late"}
    press(sign_in("CX"), rma, "propose_refund", **form)
    effect = Effect.objects.get(origin=states.ORIGIN_PERSON)
    page = f"/admin/returnsops/effect/{effect.pk}/act/approve/"
    html = sign_in("FIN").post(page, {"revision": effect.payload_revision}, follow=True).content.decode()
    assert f"Kept. {replan.NOT_PLANNED}" in html
    effect.refresh_from_db()
    assert (effect.state, str(effect.approved_by)) == (states.READY, "fin")
    assert replan.NOT_PLANNED in press(sign_in("OPS"), rma, "look_again")
    make.ReasonCodeFactory(code="damaged-in-transit")
    html = press(sign_in("CX"), rma, "classify_reason", item="i1", reason_code="damaged-in-transit", why="Photo")
    assert f"Kept. {replan.NOT_PLANNED}" in html
    assert rma.lines.get().reason.code == "damaged-in-transit"
    rma.requested_at = rma.route.live_from - timedelta(days=1)
    rma.save()
    assert f"Released. {replan.NOT_PLANNED}" in press(sign_in("OPS"), rma, "release_return", why="Checked")
    rma.refresh_from_db()
    assert (rma.released_by, rma.is_dirty) == ("ops", True)
    assert ExceptionCase.objects.active().get().kind_code == states.CASE_PLANNING_FAILED


def test_a_note_stays(rma: Any, sign_in: SignIn) -> None:
    html = press(sign_in("WH"), rma, "note", text="Box was open.")
    assert HistoryEntry.objects.get(act="note").text == "Box was open."
    assert "Box was open." in html
    press(sign_in("WH"), rma, "note", text="   ")
    assert HistoryEntry.objects.filter(act="note").count() == 1


def test_every_decision_is_in_the_inbox_for_replay(rma: Any, sign_in: SignIn) -> None:
    payout = make.PlatformRefundFactory(rma=rma, executed_by="")
    press(sign_in("FIN"), rma, "decide_executor", refund=payout.external_id, executed_by="merchant", why="paid")
    event = InboundEvent.objects.get(source="human")
    assert (event.by, event.topic, json.loads(bytes(event.body))["executed_by"]) == (
        "fin",
        "ExecutionDecided",
        "merchant",
    )
