"""Finance closes the month on data that match the bank: statements, batches, two people, late events, the pack."""

import csv
import io
import json
import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from exceptions_queue import services as queue
from exceptions_queue.models import ExceptionCase
from reconciliation import book_cases, books_of_shop, periods
from reconciliation.batches import totals_of
from reconciliation.models import Posting, Settlement, SettlementLine
from returnsops import states
from returnsops.models import Effect, HistoryEntry, Refund
from tests.journeys.world import World, world
from tests.reconciliation.statements import (
    HEAD,
    confirm,
    keep_books,
    line,
    month,
    preview,
    refresh,
    refunded,
    refunded_in_shop,
    said,
    signed_in,
)

pytestmark = pytest.mark.django_db
UNMATCHED = book_cases.CASE_LINE_WITHOUT_REFUND


def sums(w: World) -> Any:
    """The batch of November's euros, as it is now."""
    chosen = books_of_shop.settings_of(w.connection("shop"))
    return totals_of(books_of_shop.entries(books_of_shop.postings_of(w.connection("shop")), chosen))["EUR"]


def act(client: Client, code: str, **data: str) -> Any:
    """Press a button of November's page, as the form there would."""
    url = reverse("admin:reconciliation_period_act", args=[month("2026-11").pk, code])
    form = client.get(url).context["form"] if not data else None
    given = {name: str(value) for name, value in form.initial.items()} if form else data
    return client.post(url, given | {"is_sure": "on"}, follow=True)


# --- S4-3 ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S4-3")
def test_batches_equal_the_gateways_lines_and_the_same_file_changes_nothing() -> None:
    with world() as w:
        keep_books(w)
        first, first_return = refunded(w, "30.00", payment="pi_1")
        second, _ = refunded(w, "24.35", payment="pi_2")
        third, _ = refunded(w, "12.15")
        by_hand = w.shop.staff_refund(w.order((w.product("MUG"), 1)).id, Decimal("5.00"), reason="sorry")
        w.poll()
        w.settle()
        client = signed_in(w, "FIN")
        record = w.money_refunds(first)[0]
        rows = (
            line(1, "30.00", refund=str(record.id), payment="pi_1"),
            line(2, "24.35", payment="pi_2"),
            line(3, "12.15", order=third),
            line(4, "99.00", payment="pi_9", kind="Charge"),
        )
        shown = preview(client, *rows)
        assert [row.diff[0] for row in shown.context["result"].valid_rows()] == [
            f"pays a refund of order {first.id}",
            f"pays a refund of order {second.id}",
            f"pays a refund of order {third.id}",
            "left out: no refund",
        ]
        assert (Settlement.objects.count(), SettlementLine.objects.count(), Posting.objects.count()) == (0, 0, 0)

        assert "Imported: 3 new, 1 known already" in said(confirm(client, shown))
        again = preview(client, *rows)
        assert [row.diff[0] for row in again.context["result"].valid_rows()][:3] == ["known already"] * 3
        confirm(client, again)
        assert (Settlement.objects.count(), SettlementLine.objects.count()) == (1, 3)

        total = sums(w)
        assert (total.count, total.posted_minor, total.lined_minor) == (4, 7150, 6650)
        assert total.settled_minor == sum(SettlementLine.objects.values_list("amount_minor", flat=True)) == 6650
        assert (total.difference_minor, total.coming_minor, total.elsewhere_minor) == (0, 0, 500)
        in_shop = refunded_in_shop(w, first, second, third)
        assert Decimal(total.posted_minor) / 100 == in_shop + (by_hand.amount or 0)
        rules = dict(SettlementLine.objects.order_by("row_number").values_list("row_number", "matched_by"))
        assert rules == {1: "refund reference", 2: "payment reference and amount", 3: "order and amount"}
        posting = Posting.objects.get(rma=w.rma(first_return))
        assert (posting.kind, posting.gateway, posting.batch.period.name) == ("refund", "card", "2026-11")
        assert w.open_cases() == []
        entry = HistoryEntry.objects.get(act="statement_imported")
        assert (entry.by, entry.text) == ("fin", "Statement november.csv of card of shop imported: 3 new lines.")


@pytest.mark.requirement("S4-3")
def test_drift_is_counted_within_rounding_asks_above_its_tolerance_and_is_booked_once() -> None:
    with world() as w:
        keep_books(w, drift_tolerance_minor=2)
        orders = [refunded(w, "10.00")[0] for _ in range(3)]
        client = signed_in(w, "FIN")
        confirm(client, preview(client, *(line(n, "10.01", order=order) for n, order in enumerate(orders[:2]))))
        assert sums(w).difference_minor == 2
        assert w.open_cases() == []

        confirm(client, preview(client, line(7, "10.01", order=orders[2])))
        case = ExceptionCase.objects.active().get()
        assert (case.kind_code, case.money_at_risk, case.owner_team) == (
            book_cases.CASE_DRIFT, Decimal("0.03"), states.FIN,
        )  # fmt: skip
        queue.run_action(case=case, action_code="book_rounding", by=w.users["FIN"], at=w.now(), reason="bank rounds")
        refresh(w)
        assert w.open_cases() == []
        rounding = Posting.objects.get(kind="rounding")
        assert (rounding.amount_minor, rounding.why) == (3, "bank rounds")
        assert book_cases.drifts(w.connection("shop"), books_of_shop.settings_of(w.connection("shop"))) == {
            ("card", "EUR"): 0
        }
        total = sums(w)
        assert total.posted_minor == total.settled_minor == 3003


@pytest.mark.requirement("S4-3")
def test_lines_and_refunds_that_fit_nothing_are_cases_that_people_solve() -> None:
    with world() as w:
        keep_books(w)
        order, _ = refunded(w, "30.00", payment="pi_1")
        w.shop.staff_refund(w.order((w.product("MUG"), 1)).id, Decimal("1.00"), reason="by cash")
        client = signed_in(w, "FIN")
        shown = preview(client, line(1, "30.00", payment="pi_x"), line(2, "7.00", order="unknown"))
        assert [row.diff[0] for row in shown.context["result"].valid_rows()] == ["no refund fits: a case"] * 2
        confirm(client, shown)
        assert w.open_cases() == [UNMATCHED, UNMATCHED]
        w.shift(timedelta(days=8).total_seconds())
        refresh(w)
        assert w.open_cases() == sorted([UNMATCHED, UNMATCHED, book_cases.CASE_NOT_SETTLED])

        lost, other = ExceptionCase.objects.active().filter(kind_code=UNMATCHED).order_by("pk")
        choice = Posting.objects.get(order__external_id=str(order.id))
        queue.run_action(
            case=lost, action_code="line_pays", by=w.users["FIN"], at=w.now(), reason="see the bank",
            data={"posting": str(choice.pk)},
        )  # fmt: skip
        queue.run_action(case=other, action_code="set_line_aside", by=w.users["FIN"], at=w.now(), reason="other shop")
        refresh(w)
        assert w.open_cases() == []
        matched = SettlementLine.objects.get(posting=choice)
        assert (matched.matched_by, matched.external_id) == ("fin", "id:L1")
        acts = dict(HistoryEntry.objects.filter(act__startswith="line_").values_list("act", "why"))
        assert acts == {"line_matched": "see the bank", "line_set_aside": "other shop"}


@pytest.mark.requirement("S4-3")
def test_wrong_rows_are_told_by_column_and_keep_the_whole_file() -> None:
    with world() as w:
        keep_books(w)
        refunded(w, "30.00", payment="pi_1")
        wrong = (
            "L2;05/11/2026;Refund;-1,00;USD;pi_1;;",
            "L3;05/11/2026;Refund;1,00;EUR;pi_1;;",
            'L4;05/11/2026;Refund;-1,00;EUR;"=HYPERLINK(""x"")";;',
            "L1;05/11/2026;Refund;-2,00;EUR;pi_1;;",
        )
        shown = preview(signed_in(w, "FIN"), line(1, "30.00", payment="pi_1"), *wrong)
        told = {row.number: " ".join(row.error_dict) for row in shown.context["result"].invalid_rows}
        assert told == {2: "Currency", 3: "Amount", 4: "Payment", 5: "Id"}
        for text in (
            "is no currency of this shop (EUR)",
            "A refund is negative in this format",
            "looks like a formula",
            "came before, in row 1, and said something else",
        ):
            assert text in said(shown)
        assert "confirm_form" not in shown.context
        assert (Settlement.objects.count(), SettlementLine.objects.count()) == (0, 0)


@pytest.mark.requirement("S4-3")
def test_a_file_of_another_gateway_and_people_without_the_right_are_refused() -> None:
    with world() as w:
        keep_books(w)
        client = signed_in(w, "FIN")
        assert "has no column Amount, Currency" in said(preview(client, "1;2", head="Id;Day"))
        assert "is not a table" in said(preview(client, "1;2;3;4;5;6;7;8;9"))
        assert "not UTF-8" in said(preview(client, raw=f"{HEAD}\n".encode() + b"\xff\xfe\xff"))
        assert "Select a valid choice" in said(preview(client, account="shop/other"))
        for team in ("CX", "OPS", "WH"):
            assert preview(signed_in(w, team)).status_code == 403
        assert Settlement.objects.count() == 0


# --- S4-4 ------------------------------------------------------------------------------------------------------------


def to_december(w: World) -> None:
    """Past the end of November in Madrid."""
    w.shift(timedelta(days=29).total_seconds())


@pytest.mark.requirement("S4-4")
def test_two_people_close_the_month_and_what_comes_late_goes_into_the_next() -> None:
    with world() as w:
        keep_books(w)
        _, return_id = refunded(w, "30.00", payment="pi_1")
        missed = w.order((w.product("MUG", price="9.00"), 1))
        w.poll()
        w.settle()
        w.shop.staff_refund(missed.id, Decimal("9.00"), reason="damaged")  # in November, and nobody tells us
        w.shop.state.sender.pending().clear()
        fin = signed_in(w, "FIN")
        confirm(fin, preview(fin, line(1, "30.00", payment="pi_1")))
        early = act(fin, "propose_close", why="checked")
        assert "The month runs until 01 Dec 2026 00:00" in said(early)

        to_december(w)
        fin, second = signed_in(w, "FIN"), signed_in(w, "FIN2")
        assert "Proposed: a second person of finance closes" in said(act(fin, "propose_close", why="matches the bank"))
        assert "You proposed it yourself" in said(act(fin, "close"))
        assert month("2026-11").closed_at is None
        for team in ("CX", "OPS"):
            url = reverse("admin:reconciliation_period_act", args=[month("2026-11").pk, "close"])
            assert signed_in(w, team).post(url, {"seen": "x", "is_sure": "on"}).status_code == 403
        assert "is closed. What comes later goes into the next month." in said(act(second, "close"))

        period = month("2026-11")
        (batch,) = period.batches.all()
        assert (str(period.proposed_by), str(period.closed_by)) == ("fin", "fin2")
        assert (batch.posting_count, batch.posted_minor, batch.settled_minor) == (1, 3000, 3000)
        entries = HistoryEntry.objects.filter(act__in=["month_proposed", "month_closed"]).order_by("pk")
        assert [(row.act, row.by, row.why) for row in entries] == [
            ("month_proposed", "fin", "matches the bank"),
            ("month_closed", "fin2", "matches the bank"),
        ]

        w.poll()
        w.settle()
        refresh(w)
        late = Posting.objects.get(order__external_id=str(missed.id))
        assert (late.batch.period.name, late.late_for, late.amount_minor) == ("2026-12", "2026-11", 900)
        batch.refresh_from_db()
        assert (batch.posting_count, batch.posted_minor, batch.postings.count()) == (1, 3000, 1)
        assert periods.is_seal_whole(month("2026-11"))
        assert "2026-11" in said(fin.get(reverse("admin:reconciliation_posting_change", args=[late.pk])))
        assert said(act(fin, "propose_close", why="again")).count("is closed and stays closed") == 1
        # Customer service and warehouse see one current view, whatever is closed.
        page = reverse("admin:returnsops_order_change", args=[late.order_id])
        for team in ("CX", "WH"):
            assert "9.00" in said(signed_in(w, team).get(page))
        page = reverse("admin:returnsops_returnauthorisation_change", args=[w.rma(return_id).pk])
        assert signed_in(w, "CX").get(page).status_code == 200
        assert w.refund_posts() == 2  # the refund and the restock: closing sends nothing


@pytest.mark.requirement("S4-4")
def test_what_is_not_known_for_certain_keeps_the_month_open() -> None:
    with world() as w:
        keep_books(w)
        _, return_id = refunded(w, "30.00", payment="pi_1")
        refresh(w)
        fin = signed_in(w, "FIN")
        confirm(fin, preview(fin, line(1, "30.00", payment="pi_x")))
        to_december(w)
        fin = signed_in(w, "FIN")
        effect = w.effect(return_id, "refund")
        Effect.objects.filter(pk=effect.pk).update(state=states.DONE)
        answer = said(act(fin, "propose_close", why="checked"))
        assert "is done: not known for certain" in answer
        assert "card paid out €30.00 on 2026-11-05, and no refund is matched" in answer
        assert "is in no statement of card after 7 days" in answer
        assert month("2026-11").proposed_at is None

        Effect.objects.filter(pk=effect.pk).update(state=states.CONFIRMED)
        row = SettlementLine.objects.get()
        url = reverse("admin:reconciliation_settlementline_act", args=[row.pk, "pays"])
        fin.post(url, {"posting": str(Posting.objects.get().pk), "why": "the bank says so"})
        assert "Proposed" in said(act(fin, "propose_close", why="checked"))


@pytest.mark.requirement("S4-4")
def test_a_refund_that_turns_out_not_to_be_one_is_taken_back_in_the_open_month() -> None:
    with world() as w:
        keep_books(w)
        order = w.order((w.product("MUG", price="9.00"), 1))
        made = w.shop.staff_refund(order.id, Decimal("9.00"), reason="by mistake")
        w.poll()
        w.settle()
        refresh(w)
        to_december(w)
        fin, second = signed_in(w, "FIN"), signed_in(w, "FIN2")
        act(fin, "propose_close", why="checked")
        seen = periods.preview(period=month("2026-11"), at=w.now()).seal
        w.shop.delete_refund(made.id)
        Refund.objects.filter(external_id=str(made.id)).update(vanished_at=w.now())
        periods.close(period=month("2026-11"), by=w.users["FIN2"], at=w.now(), seen=seen)
        refresh(w)
        refresh(w)
        found = Posting.objects.order_by("pk").values_list("amount_minor", "batch__period__name", "late_for")
        assert list(found) == [(900, "2026-11", ""), (-900, "2026-12", "")]
        assert second.get(reverse("admin:reconciliation_period_changelist")).status_code == 200


# --- S4-23 -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S4-23")
def test_the_month_end_pack_names_everything_and_its_sums_are_the_shops(tmp_path: Path) -> None:
    with world() as w:
        keep_books(w)
        first, return_id = refunded(w, "30.00", payment="pi_1")
        hostile = w.order((w.product("MUG", price="9.00"), 1))
        w.shop.staff_refund(hostile.id, Decimal("4.00"), reason='=HYPERLINK("http://evil.example")')
        w.poll()
        w.settle()
        fin = signed_in(w, "FIN")
        confirm(fin, preview(fin, line(1, "30.01", payment="pi_1")))
        out = io.StringIO()
        with pytest.raises(SystemExit) as ended:  # the month still runs
            call_command("report", "month-end", period="2026-11", is_json=True, csv=str(tmp_path), stdout=out)
        assert ended.value.code == 1

        (document,) = json.loads(out.getvalue())["months"]
        mine, other = document["refunds"]
        rma, refund = w.rma(return_id), w.money_refunds(first)[0]
        wanted = {
            "order": str(first.id),
            "return": rma.number or rma.external_id,
            "shop_record": str(refund.id),
            "tender": "card",
            "payment_reference": "pi_1",
            "amount": "30.00",
            "settled_amount": "30.01",
            "difference": "0.01",
            "statement_line": "id:L1",
            "settled_on": "2026-11-05",
            "currency": "EUR",
            "goods_received_at": "2026-11-02T10:00:00+01:00",
        }
        assert {name: mine[name] for name in wanted} == wanted
        assert mine["refund_key"] == w.effect(return_id, "refund").key
        (total,) = document["totals"]
        parts = sum((Decimal(row["amount"]) for row in document["refunds"]), Decimal(0))
        assert Decimal(total["posted"]) == parts == refunded_in_shop(w, first, hostile) == Decimal("34.00")
        pieces = (total[name] for name in ("with_a_line", "on_its_way", "elsewhere", "rounding"))
        assert sum(map(Decimal, pieces), Decimal(0)) == parts
        assert (total["settled"], total["difference"]) == ("30.01", "0.01")

        files = {path.name: path.read_bytes().decode() for path in tmp_path.iterdir()}
        rows = list(csv.DictReader(io.StringIO(files["refunds.csv"])))
        assert [row["amount"] for row in rows] == ["30.00", "4.00"]
        assert other["reason"].startswith("=HYPERLINK")
        assert rows[1]["reason"] == f"'{other['reason']}"
        assert [row["pays"] for row in csv.DictReader(io.StringIO(files["statement_lines.csv"]))] == [mine["posting"]]

        url = reverse("admin:reconciliation_period_pack", args=[month("2026-11").pk])
        assert fin.get(url).status_code == 405
        answer = fin.post(url)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert {name: archive.read(name).decode() for name in archive.namelist()} == files
        assert HistoryEntry.objects.get(act="month_exported").by == "fin"
        assert signed_in(w, "WH").post(url).status_code == 403
