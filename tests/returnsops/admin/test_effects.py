"""Effects: the list people work from, one by one and several at once, and the tries."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from returnsops import states
from returnsops.models import Effect, HistoryEntry, Switch
from tests import factories as make
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db
LIST = "/admin/returnsops/effect/"


def press(client: Client, effect: Effect, act: str, **data: Any) -> str:
    answer = client.post(f"{LIST}{effect.pk}/act/{act}/", data, follow=True)
    assert answer.status_code == 200
    effect.refresh_from_db()
    return answer.content.decode()


def test_the_first_tab_is_money_that_needs_a_person(sign_in: SignIn) -> None:
    shown = [make.EffectFactory(state=state) for state in (states.AWAITING_APPROVAL, states.REJECTED, states.FAILED)]
    hidden = [make.EffectFactory(state=states.HELD), make.EffectFactory(restock=True, state=states.FAILED)]
    html = sign_in("FIN").get(LIST).content.decode()
    assert all(effect.rma.label in html for effect in shown)
    assert not any(effect.rma.label in html for effect in hidden)


def test_lists_and_pages_say_where_sending_is_stopped(sign_in: SignIn) -> None:
    effect = make.EffectFactory(state=states.READY)
    client = sign_in("OPS")
    pages = (f"{LIST}?view=all", f"{LIST}{effect.pk}/change/", f"/admin/returnsops/order/{effect.order_id}/change/")
    client.post("/admin/stop/", {"scope": "kind:refund", "reason": "prices look wrong"})
    for page in pages:
        html = client.get(page).content.decode()
        assert ("waits: sending is stopped" in html, "goes out next" in html) == (True, False), page
    client.post("/admin/stop/", {"scope": "kind:restock", "reason": "counted anew"})
    client.post(f"/admin/returnsops/switch/{Switch.objects.get(scope='kind:refund').pk}/act/resume/", {"why": "right"})
    for page in pages:
        html = client.get(page).content.decode()
        assert ("waits: sending is stopped" in html, "goes out next" in html) == (False, True), page


def test_an_approval_is_of_what_was_shown(sign_in: SignIn) -> None:
    effect = make.EffectFactory(state=states.AWAITING_APPROVAL, payload_revision=2, origin=states.ORIGIN_PERSON)
    html = press(sign_in("FIN"), effect, "approve", revision=1)
    assert "It was changed after you opened it" in html
    assert effect.state == states.AWAITING_APPROVAL
    press(sign_in("FIN"), effect, "approve", revision=2)
    assert effect.state == states.READY


def test_a_refusal_and_a_cancellation_want_a_reason(sign_in: SignIn) -> None:
    effect = make.EffectFactory(state=states.AWAITING_APPROVAL, origin=states.ORIGIN_PERSON)
    press(sign_in("FIN"), effect, "refuse", why="")
    assert effect.state == states.AWAITING_APPROVAL
    press(sign_in("FIN"), effect, "refuse", why="Twice")
    assert (effect.state, effect.error_code) == (states.EFFECT_CANCELLED, "approval_refused")
    other = make.EffectFactory(state=states.FAILED)
    press(sign_in("OPS"), other, "cancel", why="Done by hand")
    assert other.state == states.EFFECT_CANCELLED
    assert HistoryEntry.objects.get(act="effect_cancelled").why == "Done by hand"


def test_a_failed_restock_is_tried_again(sign_in: SignIn) -> None:
    effect = make.EffectFactory(restock=True, state=states.FAILED, origin=states.ORIGIN_PERSON, attempt_count=12)
    press(sign_in("OPS"), effect, "requeue", why="The shop is back")
    assert (effect.state, effect.attempt_count) == (states.READY, 0)


def test_money_acknowledged_before_is_never_offered_again(sign_in: SignIn) -> None:
    effect = make.EffectFactory(state=states.FAILED, done_at=make.NOW)
    page = sign_in("OPS").get(f"{LIST}{effect.pk}/change/").content.decode()
    assert "/act/requeue/" not in page
    html = press(sign_in("OPS"), effect, "requeue", why="once more")
    assert "never sent again" in html
    assert effect.state == states.FAILED


def test_an_unknown_outcome_is_adopted_or_looked_up(sign_in: SignIn) -> None:
    effect = make.EffectFactory(state=states.UNKNOWN, origin=states.ORIGIN_PERSON)
    press(sign_in("OPS"), effect, "look_again")
    assert effect.state == states.UNKNOWN
    press(sign_in("FIN"), effect, "adopt", remote_id="r-9", why="Seen in the shop")
    assert (effect.state, effect.remote_id) == (states.DONE, "r-9")


def test_an_adopted_record_belongs_to_one_effect_only(sign_in: SignIn) -> None:
    first = make.EffectFactory(state=states.CONFIRMED, remote_id="r-9")
    second = make.EffectFactory(rma=first.rma, state=states.UNKNOWN, serial_key="")
    html = press(sign_in("FIN"), second, "adopt", remote_id="r-9", why="Seen")
    assert "already belongs to another effect" in html
    assert second.state == states.UNKNOWN


# --- several at once ------------------------------------------------------------------------------------------------


def several(action: str, rows: Sequence[Any], **data: Any) -> dict[str, Any]:
    return {"action": action, "_selected_action": [row.pk for row in rows], "index": "0", **data}


def test_the_confirm_page_shows_count_and_money_and_changes_nothing(sign_in: SignIn) -> None:
    rows = [make.EffectFactory(state=states.REJECTED, amount=Decimal(amount)) for amount in ("10.00", "20.50")]
    rows.append(make.EffectFactory(state=states.REJECTED, amount=Decimal(500), currency="JPY"))
    html = sign_in("OPS").post(f"{LIST}?view=all", several("requeue_selected", rows)).content.decode()
    assert "<strong>3</strong> effects, <strong>£30.50 + JP¥500</strong> in all" in html
    assert {row.state for row in Effect.objects.all()} == {states.REJECTED}


def test_confirmed_with_a_reason_they_are_tried_again(sign_in: SignIn) -> None:
    rows = [make.EffectFactory(state=states.REJECTED) for _ in range(2)]
    client = sign_in("OPS")
    asked = client.post(f"{LIST}?view=all", several("requeue_selected", rows, confirmed="yes", why=" "))
    assert asked.status_code == 200
    assert {row.state for row in Effect.objects.all()} == {states.REJECTED}
    client.post(f"{LIST}?view=all", several("requeue_selected", rows, confirmed="yes", why="Key replaced"))
    assert {row.state for row in Effect.objects.all()} == {states.READY}
    assert HistoryEntry.objects.filter(act="effect_requeued", why="Key replaced").count() == 2


def test_one_that_cannot_be_cancelled_is_named_and_the_others_are_done(sign_in: SignIn) -> None:
    rows = [make.EffectFactory(state=states.HELD), make.EffectFactory(state=states.CONFIRMED)]
    form = several("cancel_selected", rows, confirmed="yes", why="Wrong route")
    html = sign_in("OPS").post(f"{LIST}?view=all", form, follow=True).content.decode()
    assert "Done for 1 of 2." in html
    assert "cannot be cancelled" in html
    assert [row.state for row in Effect.objects.order_by("pk")] == [states.EFFECT_CANCELLED, states.CONFIRMED]


def test_nothing_is_done_across_pages(sign_in: SignIn) -> None:
    rows = [make.EffectFactory(state=states.HELD)]
    form = several("cancel_selected", rows, confirmed="yes", why="all", select_across="1")
    html = sign_in("OPS").post(f"{LIST}?view=all", form, follow=True).content.decode()
    assert "nothing was changed" in html
    assert Effect.objects.get().state == states.HELD


def test_money_is_never_approved_in_bulk(sign_in: SignIn) -> None:
    row = make.EffectFactory(state=states.AWAITING_APPROVAL)
    html = sign_in("FIN").get(LIST).content.decode()
    assert 'value="approve' not in html
    sign_in("FIN").post(LIST, several("approve", [row]))
    row.refresh_from_db()
    assert row.state == states.AWAITING_APPROVAL


def test_the_right_to_approve_stock_approves_no_money(sign_in: SignIn) -> None:
    money = make.EffectFactory(state=states.AWAITING_APPROVAL)
    taken: dict[str, Any] = {"kind": states.TAKE_OUT, "payload": {}, "amount": None, "currency": "", "quantity": 1}
    stock = make.EffectFactory(state=states.AWAITING_APPROVAL, **taken)
    client = sign_in("WH")
    for effect in (money, stock):
        page = client.get(f"/admin/returnsops/effect/{effect.pk}/change/").content.decode()
        assert ("/act/approve_stock/" in page) is (effect is stock)
        client.post(f"/admin/returnsops/effect/{effect.pk}/act/approve_stock/", {"revision": effect.payload_revision})
        effect.refresh_from_db()
        assert (effect.approved_by is None) is (effect is money)


def test_a_try_shows_its_evidence_as_text(sign_in: SignIn) -> None:
    attempt = make.AttemptFactory(evidence={"answer": {"status": 500, "text": "<script>alert(1)</script>"}})
    html = sign_in("CX").get(f"/admin/returnsops/attempt/{attempt.pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html
