"""The staff screens: every page opens, every act is a POST, and only the right people act."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from exceptions_queue import kinds, services
from exceptions_queue.errors import CaseError
from exceptions_queue.kinds import ActionField, CaseAction
from exceptions_queue.models import CaseEvent, CaseExport, ExceptionCase
from exceptions_queue.saved_views import TITLES
from tests.exceptions_queue.conftest import OpenCase, Shop, kind_of

LIST = "admin:exceptions_queue_exceptioncase_changelist"
NASTY = "<script>alert(1)</script>"


def page_of(case: ExceptionCase) -> str:
    return reverse("admin:exceptions_queue_exceptioncase_change", args=[case.pk])


def do(client: Client, case: ExceptionCase, act: str, **data: str) -> Any:
    return client.post(reverse("admin:exceptions_queue_exceptioncase_do", args=[case.pk, act]), data, follow=True)


def run(client: Client, case: ExceptionCase, code: str, **data: str) -> Any:
    address = reverse("admin:exceptions_queue_exceptioncase_action", args=[case.pk, code])
    return client.post(address, {f"{code}-{name}": value for name, value in data.items()}, follow=True)


@pytest.fixture
def case(open_case: OpenCase) -> ExceptionCase:
    return open_case(at=timezone.now())


@pytest.fixture
def as_clerk(client: Client, clerk: User) -> Client:
    client.force_login(clerk)
    return client


@pytest.mark.parametrize("view", [*TITLES, "nonsense"])
def test_every_saved_view_opens(as_clerk: Client, case: ExceptionCase, view: str) -> None:
    response = as_clerk.get(reverse(LIST), {"view": view})
    assert response.status_code == 200
    assert (f"{page_of(case)}?" in response.content.decode()) is (view in ("team", "unassigned", "all", "nonsense"))


def test_the_list_shows_money_deadline_in_words_and_urgent_first(as_clerk: Client, open_case: OpenCase) -> None:
    now = timezone.now()
    late = open_case(fingerprint="late", money_at_risk=Decimal("3.00"), at=now - timedelta(days=30))
    large = open_case(fingerprint="large", money_at_risk=Decimal("250.00"), at=now)
    content = as_clerk.get(reverse(LIST)).content.decode()
    assert "£250.00" in content
    assert " late" in content
    assert content.index(page_of(large)) < content.index(page_of(late))
    assert 'href="?view=breaching">Late <span class="case-count">1</span>' in content


def test_a_filter_and_a_search_open(as_clerk: Client, case: ExceptionCase) -> None:
    response = as_clerk.get(reverse(LIST), {"q": "RMA-77", "owner_team": "FIN", "view": "all"})
    assert response.status_code == 200
    assert page_of(case) in response.content.decode()


def test_the_page_says_what_it_means_why_and_what_to_do(as_clerk: Client, case: ExceptionCase) -> None:
    content = as_clerk.get(page_of(case)).content.decode()
    for text in ("Two systems name different amounts.", "The order was edited.", "Compare both amounts.", "22.50"):
        assert text in content
    assert "Record as paid" in content
    assert content.count("csrfmiddlewaretoken") >= content.count('class="case-form"')


def test_what_may_be_left_out_says_so_once(as_clerk: Client, case: ExceptionCase) -> None:
    text = " ".join(strip_tags(as_clerk.get(page_of(case)).content.decode()).split())
    assert "Why (optional)" in text
    assert "(optional) (optional)" not in text


def test_foreign_text_is_shown_as_text(as_clerk: Client, open_case: OpenCase) -> None:
    case = open_case(
        at=timezone.now(),
        title=NASTY,
        cause=NASTY,
        subject_label=NASTY,
        evidence={NASTY: {NASTY: NASTY}, "list": [{NASTY: NASTY}], "text": NASTY, "deep": {"a": {"b": NASTY}}},
        deep_link="javascript:alert(2)",
        remote_link="javascript:alert(2)",
    )
    services.add_note(case=case, by="system", at=timezone.now(), text=NASTY)
    for address in (page_of(case), reverse(LIST)):
        content = as_clerk.get(address).content.decode()
        assert "<script>alert" not in content
        assert "javascript:alert" not in content
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in content


def test_remote_links_open_apart_from_us(as_clerk: Client, open_case: OpenCase) -> None:
    case = open_case(at=timezone.now(), remote_link="https://shop.example/7")
    content = as_clerk.get(page_of(case)).content.decode()
    assert 'href="https://shop.example/7" target="_blank" rel="noopener noreferrer"' in content


def test_a_get_changes_nothing(as_clerk: Client, case: ExceptionCase) -> None:
    before = list(ExceptionCase.objects.values())
    acts = ("assign-to-me", "unassign", "snooze", "unsnooze", "note", "resolve", "reopen", "recheck")
    addresses = [reverse("admin:exceptions_queue_exceptioncase_do", args=[case.pk, act]) for act in acts]
    addresses += [reverse("admin:exceptions_queue_exceptioncase_action", args=[case.pk, "record"])]
    addresses += [reverse("admin:exceptions_queue_exceptioncase_export")]
    assert [as_clerk.get(address).status_code for address in addresses] == [405] * 10
    assert as_clerk.post(page_of(case), {"title": "x"}).status_code == 405
    assert list(ExceptionCase.objects.values()) == before
    assert CaseEvent.objects.count() == 1
    assert not CaseExport.objects.exists()


def test_a_post_without_the_token_is_refused(clerk: User, case: ExceptionCase) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clerk)
    assert do(strict, case, "assign-to-me").status_code == 403
    assert run(strict, case, "ask").status_code == 403


def test_triage_from_the_page(as_clerk: Client, clerk: User, case: ExceptionCase) -> None:
    do(as_clerk, case, "assign-to-me")
    do(as_clerk, case, "note", text="Called the shop.")
    do(as_clerk, case, "snooze", for_hours="24", reason="They call back")
    case.refresh_from_db()
    assert (case.assigned_to, case.state) == (clerk, "snoozed")
    do(as_clerk, case, "unsnooze")
    do(as_clerk, case, "unassign")
    do(as_clerk, case, "resolve", resolution="accepted", reason="Agreed with the shop")
    case.refresh_from_db()
    assert (case.state, case.resolution, case.resolved_by) == ("resolved", "accepted", clerk)
    do(as_clerk, case, "reopen", reason="Too early")
    acts = [event.act for event in case.events.all()]
    assert acts == ["opened", "assigned", "note", "snoozed", "woken", "unassigned", "resolved", "reopened"]
    assert {event.by_name for event in case.events.all()[1:]} == {"clerk"}


@pytest.mark.parametrize(
    ("act", "data", "message"),
    [
        ("resolve", {"resolution": "fixed"}, "Reason: This field is required."),
        ("snooze", {}, "Say until when"),
        ("note", {"text": " "}, "Note: This field is required."),
        ("reopen", {"reason": "x"}, "is already open"),
    ],
)
def test_a_wrong_form_is_explained_and_changes_nothing(
    as_clerk: Client, case: ExceptionCase, act: str, data: dict[str, str], message: str
) -> None:
    assert message in do(as_clerk, case, act, **data).content.decode()
    assert case.events.count() == 1


def test_only_kinds_that_can_be_rechecked_offer_it(client: Client, case: ExceptionCase, open_case: OpenCase) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert "Check again" in client.get(page_of(case)).content.decode()
    other = open_case(kind="parcel_odd", at=timezone.now())
    assert "Check again" not in client.get(page_of(other)).content.decode()


def test_a_recheck_from_the_page(as_clerk: Client, case: ExceptionCase, shop: Shop) -> None:
    assert "the cause is still there" in do(as_clerk, case, "recheck").content.decode()
    shop.is_cause_gone = True
    assert "so the case is closed" in do(as_clerk, case, "recheck").content.decode()


def test_an_action_runs_with_its_cleaned_form(as_clerk: Client, case: ExceptionCase, shop: Shop) -> None:
    response = run(as_clerk, case, "record", amount="12.50", reason="Bank says so", size="s", paid_date="2026-03-11")
    assert "Recorded 12.50 as paid." in response.content.decode()
    (subject, reason, data) = shop.calls[0]
    assert (subject, reason, data["amount"], data["size"]) == ("RMA-77", "Bank says so", Decimal("12.50"), "s")
    case.refresh_from_db()
    assert (case.state, case.resolution) == ("resolved", "action")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"amount": "12.50"}, "This field is required."),
        ({"amount": "much", "reason": "kept words"}, "Enter a number."),
        ({"amount": "1", "reason": "r", "size": "xxl"}, "is not one of the available choices"),
    ],
)
def test_an_incomplete_action_form_is_shown_again_and_nothing_runs(
    as_clerk: Client, case: ExceptionCase, shop: Shop, data: dict[str, str], message: str
) -> None:
    response = run(as_clerk, case, "record", **data)
    assert response.status_code == 400
    content = response.content.decode()
    assert message in content
    assert data.get("reason", "") in content
    assert shop.calls == []


def test_what_an_action_refuses_is_said_in_its_words(as_clerk: Client, open_case: OpenCase) -> None:
    def refuse(*, reason: str, **_: Any) -> str:
        raise ValidationError("The order is locked.") if reason else CaseError("Nobody paid yet.")

    actions = tuple(CaseAction(code=str(flag), label="Act", run=refuse, needs_reason=flag) for flag in (True, False))
    kinds.register(kind_of(Shop(), code="new", actions=actions))
    case = open_case(kind="new", at=timezone.now())
    assert "The order is locked." in run(as_clerk, case, "True", reason="r").content.decode()
    assert "Nobody paid yet." in run(as_clerk, case, "False").content.decode()
    assert case.events.count() == 1


def test_an_action_says_what_it_would_do_or_is_not_offered(as_clerk: Client, open_case: OpenCase) -> None:
    def only(case: ExceptionCase) -> list[tuple[str, str]]:
        return [("a", "The only one")]

    fields = (ActionField(name="which", label="Which", kind="choice", choices=only),)
    first = CaseAction(code="1", label="First", run="x.y", words_for=lambda case: f"Does {case.pk}.", fields=fields)
    second = CaseAction(code="2", label="Never offered", run="x.y", words_for=lambda case: "")
    kinds.register(kind_of(Shop(), code="new", actions=(first, second)))
    case = open_case(kind="new", at=timezone.now())
    content = as_clerk.get(page_of(case)).content.decode()
    assert f"Does {case.pk}." in content
    assert "Never offered" not in content
    assert '<option value="a">The only one</option>' in content
    assert "Please choose" not in content.partition('id="id_1-which"')[2].partition("</select>")[0]


def test_the_list_asks_the_database_no_more_for_more_cases(as_clerk: Client, open_case: OpenCase) -> None:
    counts = []
    for number in range(21):
        open_case(fingerprint=str(number), at=timezone.now())
        if number in (0, 1, 20):
            with CaptureQueriesContext(connection) as queries:
                assert as_clerk.get(reverse(LIST)).status_code == 200
            counts.append(len(queries))
    # The first page also fills the side bar's cache.
    assert counts[1] == counts[2]


def test_unknown_acts_actions_and_cases_are_not_found(as_clerk: Client, case: ExceptionCase) -> None:
    assert do(as_clerk, case, "explode").status_code == 404
    assert run(as_clerk, case, "explode").status_code == 404
    assert as_clerk.get(reverse("admin:exceptions_queue_exceptioncase_change", args=[0])).status_code == 404


def test_another_team_may_look_and_note_but_not_act(client: Client, hand: User, case: ExceptionCase) -> None:
    client.force_login(hand)
    content = client.get(page_of(case)).content.decode()
    assert "Only Finance can act on this case." in content
    assert "Assign to me" not in content
    assert "Only Finance can act" in do(client, case, "resolve", resolution="fixed", reason="x").content.decode()
    do(client, case, "note", text="Parcel is here.")
    case.refresh_from_db()
    assert case.state == "open"
    assert [event.act for event in case.events.all()] == ["opened", "note"]


def test_a_reader_looks_and_changes_nothing(client: Client, reader: User, case: ExceptionCase, shop: Shop) -> None:
    client.force_login(reader)
    assert client.get(page_of(case)).status_code == 200
    assert do(client, case, "note", text="x").status_code == 403
    assert "Only Finance can act" in run(client, case, "ask").content.decode()
    assert client.get(reverse("admin:exceptions_queue_exceptioncase_raise")).status_code == 403
    assert case.events.count() == 1


def test_without_the_view_permission_there_is_nothing_to_see(client: Client, db: None, case: ExceptionCase) -> None:
    client.force_login(User.objects.create_user("guest", is_staff=True))
    export = reverse("admin:exceptions_queue_exceptioncase_export")
    assert client.get(page_of(case)).status_code == 403
    assert client.get(reverse(LIST)).status_code == 403
    assert client.post(export).status_code == 403
    assert do(client, case, "assign-to-me").status_code == 403


def test_a_superuser_may_do_everything(client: Client, case: ExceptionCase, shop: Shop) -> None:
    client.force_login(User.objects.create_superuser("root"))
    run(client, case, "record", amount="1", reason="r")
    assert len(shop.calls) == 1


@pytest.mark.parametrize("amount", ["1e2", "1E+2", "1_000", "\u0661"])
def test_an_amount_that_is_not_written_in_digits_is_refused_beside_its_field(
    as_clerk: Client, case: ExceptionCase, shop: Shop, amount: str
) -> None:
    response = run(as_clerk, case, "record", amount=amount, reason="Bank says so")
    assert response.status_code == 400
    assert "Write it in digits, like 42.50." in response.content.decode()
    assert shop.calls == []


def test_raising_a_case(client: Client, hand: User) -> None:
    client.force_login(hand)
    address = reverse("admin:exceptions_queue_exceptioncase_raise")
    content = client.get(address).content.decode()
    assert "Odd parcel" in content
    assert "Amounts differ" not in content
    assert "Parcel: The number on it." in content
    data = {"kind": "parcel_odd", "subject_type": "parcel", "number": " RMA-5 ", "title": "Brick", "cause": "Box"}
    for wrong, words in (
        ({"kind": "amount_mismatch"}, "not one of the available choices"),
        ({"subject_type": "moon"}, "moon is not one of the available choices"),
        ({"number": "RMA-6"}, "There is no parcel &#x27;RMA-6&#x27;."),
        ({"number": " "}, "This field is required."),
    ):
        refused = client.post(address, {**data, **wrong})
        assert (refused.status_code, words in refused.content.decode()) == (400, True)
    assert not ExceptionCase.objects.exists()
    assert client.post(address, data, follow=True).status_code == 200
    case = ExceptionCase.objects.get()
    assert (case.raised_by, case.owner_team) == (hand, "WH")
    found = (case.subject_type, case.subject_id, case.subject_label, case.group_key)
    assert found == ("parcel", "55", "Parcel 5", "return:77")


def test_an_export_is_the_filtered_list_without_formulas_and_leaves_a_record(
    as_clerk: Client, clerk: User, open_case: OpenCase
) -> None:
    open_case(at=timezone.now(), title="=HYPERLINK(1)", subject_label=" @sum")
    services.auto_resolve(case=open_case(at=timezone.now(), fingerprint="closed"), at=timezone.now())
    address = reverse("admin:exceptions_queue_exceptioncase_export")
    response = as_clerk.post(f"{address}?view=all")
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(row["title"], row["subject"], row["money at risk"]) for row in rows] == [
        ("'=HYPERLINK(1)", "' @sum", "12.5000")
    ]
    record = CaseExport.objects.get()
    assert (record.by_user, record.view, record.row_count) == (clerk, "view=all", 1)


def test_a_case_of_a_vanished_kind_can_still_be_read_and_closed(client: Client, case: ExceptionCase) -> None:
    client.force_login(User.objects.create_superuser("root"))
    ExceptionCase.objects.update(kind_code="vanished")
    assert "no longer exists" in client.get(page_of(case)).content.decode()
    do(client, case, "resolve", resolution="fixed", reason="old")
    case.refresh_from_db()
    assert case.state == "resolved"
    assert client.get(page_of(case)).status_code == 200


def test_a_kind_that_only_its_actions_close_offers_no_closing_by_hand(as_clerk: Client, open_case: OpenCase) -> None:
    case = open_case(kind="outcome_unknown", at=timezone.now())
    assert "Close by hand" not in as_clerk.get(page_of(case)).content.decode()
    assert (
        "closes only by one of its actions"
        in do(as_clerk, case, "resolve", resolution="fixed", reason="x").content.decode()
    )


def test_an_action_without_its_permission_is_named_but_not_offered(as_clerk: Client, clerk: User, case: Any) -> None:
    clerk.user_permissions.remove(*clerk.user_permissions.filter(codename="view_group"))
    assert "Record as paid: your role does not allow it" in as_clerk.get(page_of(case)).content.decode()
