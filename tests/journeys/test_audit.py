"""Before going live: an audit of both systems lists just what went wrong in their past, and sends nothing."""

import csv
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from connectors.ports import Rejected
from connectors.simulators.base import Fault, FaultKind
from connectors.woocommerce import client as woo_client
from reconciliation.audit import gaps, orders, reading, running
from reconciliation.models import Finding, Run
from returnsops.models import Connection, Effect, InboundEvent, Order, Refund, ReturnAuthorisation, Route
from tests.factories import ConnectionFactory
from tests.reconciliation.audit.history import DECIMALS, NOBODY, History, history
from tests.reconciliation.audit.planting import play

pytestmark = pytest.mark.django_db


def audit(*arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    out = StringIO()
    try:
        call_command("audit", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def document(*arguments: str) -> tuple[int, Any]:
    """Exit code and the one audit of the JSON."""
    code, text = audit("--json", *arguments)
    (found,) = json.loads(text)["audits"]
    return code, found


def rows_of(found: Any) -> list[dict[str, Any]]:
    """Every gap and open return."""
    return [*found["gaps"], *found["open_returns"]]


def as_planted(row: dict[str, Any]) -> tuple[str, str, str, Decimal | None, int | None]:
    """A printed gap in the words of the planting."""
    amount = Decimal(row["amount"]) if row["amount"] is not None else None
    return row["cause"], row["order"] or "", row["return"] or "", amount, row["units"]


def assert_nothing_happened(h: History) -> None:
    """Only reads on both sides, and no row but the audit's own."""
    sent = [call for call in h.w.shop.calls.all() if "/webhooks" not in call.path]  # set-up of the test
    assert {call.method for call in (*sent, *h.w.platform.calls.all())} == {"GET"}
    for model in (Order, ReturnAuthorisation, Effect, InboundEvent, Refund, Finding):
        assert model.objects.count() == 0, model


@pytest.mark.requirement("S1-37")
@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_an_audit_lists_exactly_the_planted_gaps_with_totals_and_sends_nothing(currency: str) -> None:
    with history(currency) as h:
        play(h)
        assert h.healthy >= 60
        assert all(len(h.kind(kind)) >= 12 for kind in gaps.KINDS)
        payouts = len(h.w.shop.gateway_payouts)
        code, found = document("--since", "90d")
        assert code == 1
        assert Counter(map(as_planted, rows_of(found))) == Counter(h.planted)
        for kind in gaps.KINDS:
            planted = h.kind(kind)
            total = sum((amount for _, _, _, amount, _ in planted if amount is not None), Decimal(0))
            units = sum(units or 0 for *_, units in planted)
            printed = found["totals"][kind]
            assert (printed["count"], printed["units"]) == (len(planted), units)
            expected = {currency: f"{total:.{DECIMALS[currency]}f}"} if total else {}
            assert printed["amounts"] == expected
            minor = {name: int(Decimal(text).scaleb(DECIMALS[name])) for name, text in expected.items()}
            assert printed["amounts_minor"] == minor
        assert found["state"] == "finished"
        assert found["not_compared"] == []
        assert len(found["set_apart"]) == 10
        assert len(h.w.shop.gateway_payouts) == payouts
        assert_nothing_happened(h)


# --- what it says and keeps -----------------------------------------------------------------------------------------


def _one_of_each(h: History) -> None:
    """One healthy return and one gap of every kind, within the last weeks."""
    h.done(h.order())
    order = h.order()
    return_id = h.done(order)
    h.refund(order, h.price)
    h.expect(gaps.REFUNDED_TWICE, order, return_id, amount=h.price)
    order = h.order()
    return_id = h.ask(order)
    h.judge(return_id)
    h.decide(return_id, h.price)
    h.refund(order, h.price, units=1)
    h.close(return_id)
    h.expect(gaps.NOT_RESTOCKED, order, return_id, units=1)
    order = h.order()
    h.refund(order, h.price, reason="=HYPERLINK(1)")
    h.expect(gaps.NOT_EXPLAINED, order, amount=h.price)
    return_id = h.ask(None, order_id="900001")
    h.planted.append((gaps.ORDER_NOT_FOUND, "900001", return_id, h.price, None))
    order = h.order()
    return_id = h.ask(order)
    h.decide(return_id, h.price)
    h.expect(gaps.WOULD_SEND, order, return_id, amount=h.price)
    h.w.shift(3600)


def test_each_gap_names_order_return_author_dates_cause_and_links(tmp_path: Path) -> None:
    with history(return_url_template="https://reveni.example/returns/{id}") as h:
        _one_of_each(h)
        file = tmp_path / "gaps.csv"
        code, found = document("--since", "30d", "--route", "main", "--csv", str(file))
        assert code == 1
        assert Counter(map(as_planted, rows_of(found))) == Counter(h.planted)
        (by_hand,) = [row for row in found["gaps"] if row["cause"] == gaps.NOT_EXPLAINED]
        assert by_hand["author"] == NOBODY
        assert by_hand["text"] == f"30.00 EUR refunded by {NOBODY}, and no return explains it."
        assert by_hand["order_url"].endswith(f"/wp-admin/admin.php?page=wc-orders&action=edit&id={by_hand['order']}")
        (twice,) = [row for row in found["gaps"] if row["cause"] == gaps.REFUNDED_TWICE]
        assert twice["return_url"] == f"https://reveni.example/returns/{twice['return']}"
        assert twice["evidence"]["decided amount"] == "30.00 EUR"
        assert twice["happened_at"].startswith("2026-11-")
        assert twice["likely_cause"].startswith("Two people or systems refunded the same return.")
        with file.open(newline="", encoding="utf-8") as lines:
            written = list(csv.DictReader(lines))
        assert [row["cause"] for row in written] == [row.cause for row in Run.objects.get().gaps.all()]
        assert {row["amount_minor"] for row in written} == {"3000", ""}
        code, text = audit("--since", "30d")
        assert code == 1
        assert "  Refunded twice or too much: 1, 30.00 EUR\n" in text
        assert "  Goods not restocked, or restocked though not sellable: 1, 1 unit\n" in text
        assert text.endswith("Nothing was sent, and no return or order was stored.\n")
        assert_nothing_happened(h)


def test_nothing_wrong_is_exit_code_0_and_a_second_audit_says_the_same() -> None:
    with history() as h:
        for _ in range(3):
            h.done(h.order())
        h.w.shift(60)
        first = document("--since", "30d")
        again = document("--since", "30d")
        assert first[0] == again[0] == 0
        assert (first[1]["gaps"], first[1]["orders"], first[1]["orders_without_gap"]) == ([], 3, 3)
        assert first[1]["decided_and_refunded"] == {"EUR": {"decided": "90.00", "refunded": "90.00"}}
        assert {**first[1], "run": 0, "until": "", "since": ""} == {**again[1], "run": 0, "until": "", "since": ""}
        assert Run.objects.count() == 2


def test_finance_reads_it_among_the_runs() -> None:
    with history() as h:
        _one_of_each(h)
        document("--since", "30d")
        client = Client()
        client.force_login(h.w.users["FIN"])
        listed = client.get("/admin/reconciliation/run/").content.decode()
        assert "Audit of the past</td>" in listed
        assert "4 gaps" in listed
        page = client.get(f"/admin/reconciliation/run/{Run.objects.get().pk}/change/").content.decode()
        for title in gaps.KINDS.values():
            assert title in page
        assert "The same refund twice</strong>" in page
        assert "Order in the shop <span" in page
        assert "Nothing was sent, and no return or order was stored." in page


# --- where not everything can be compared ---------------------------------------------------------------------------


def test_without_a_pull_api_only_the_shops_own_records_are_looked_at_and_it_says_so() -> None:
    with history(pull_api=False) as h:
        order = h.order(units=1)
        h.done(order)
        other = h.order(units=1, lines=2)
        h.refund(other, h.price, units=1)
        h.refund(other, h.price, units=1)
        h.refund(h.order(), h.price)
        h.w.shift(60)
        code, found = document("--since", "30d")
        assert (code, [as_planted(row) for row in found["gaps"]]) == (
            1,
            [(gaps.REFUNDED_TWICE, str(other.id), "", h.price, None)],
        )
        told = {row["what"]: row["why"] for row in found["not_compared"]}
        assert "set pull_api, list_path and get_path" in told["every return of reveni"]
        assert told["both systems with each other"].startswith("only the shop's own records are looked at")
        assert h.w.platform.calls.all() == []


def test_what_cannot_be_compared_is_listed_with_the_reason() -> None:
    with history() as h:
        order = h.order()
        return_id = h.ask(order)
        h.decide(return_id, h.price, currency="USD")
        h.refund(h.order(), h.step, reason="goodwill")
        unmanaged = h.w.shop.add_product("Voucher", h.price, sku="V", stock_quantity=None)
        loose = h.w.order((unmanaged, 1), currency="EUR")
        h.done(loose)
        wrong = h.order()
        h.ask(wrong, order_number="77")
        strange = h.ask(h.order())
        h.w.platform.account.returns[strange]["items"][0]["quantity"] = "two"
        h.w.shift(60)
        code, found = document("--since", "30d")
        why = {row["what"]: row["why"] for row in found["not_compared"]}
        assert code == 0
        assert why[f"refund rfd_{return_id}_1 of return RMA-1001"] == f"it is in USD, order {order.id} in EUR"
        assert why[f"Voucher of order {loose.id}"].startswith("the shop took no stock for this line")
        assert why[f"order {wrong.id} (id {wrong.id})"].endswith("names it by this id, but with number 77")
        assert "must be a whole number" in why[f"return {strange} of reveni"]
        assert [(row["amount"], row["why"]) for row in found["set_apart"]] == [("4.95", "its reason says 'goodwill'")]


# --- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FaultKind.RATE_LIMITED, FaultKind.LOST_ANSWER, FaultKind.SERVER_ERROR])
def test_faults_midway_cost_time_and_no_finding(kind: FaultKind) -> None:
    with history(page_limit=10) as h, mock.patch.object(woo_client, "PER_PAGE", 10):
        for _ in range(12):
            h.done(h.order())
        _one_of_each(h)
        for part in range(11):  # more than the shop's own page of refunds
            h.refund(h.w.shop.state.orders[int(h.planted[2][1])], Decimal("0.01"), reason=f"part {part}")
            h.expect(gaps.NOT_EXPLAINED, h.w.shop.state.orders[int(h.planted[2][1])], amount=Decimal("0.01"))
        h.w.shift(60)
        fault = Fault(kind=kind, after=3, times=3, retry_after_s=40)
        h.w.shop.faults.script(fault, replace(fault, path_pattern="refunds"))
        h.w.platform.faults.script(fault)
        code, found = document("--since", "60d")
        assert (code, found["state"]) == (1, "finished")
        assert Counter(map(as_planted, rows_of(found))) == Counter(h.planted)
        assert any(call.fault for call in h.w.shop.calls.all())
        assert any(call.fault for call in h.w.platform.calls.all())
        assert_nothing_happened(h)


def test_a_shop_that_stays_down_leaves_what_was_compared_and_the_audit_goes_on_from_there() -> None:
    with history() as h, mock.patch.object(woo_client, "PER_PAGE", 10):
        _one_of_each(h)
        for _ in range(12):
            h.done(h.order())
        h.w.shift(60)
        h.w.shop.faults.script(Fault(kind=FaultKind.SERVER_ERROR, path_pattern="/orders$", after=1, times=5))
        code, found = document("--since", "60d")
        assert (code, found["state"], found["orders"]) == (2, "failed", 10)
        assert found["error"].endswith("What was compared so far is kept; go on with --resume.")
        assert gaps.REFUNDED_TWICE in {row["cause"] for row in found["gaps"]}
        code, found = document("--resume")
        assert (code, found["state"], found["orders"]) == (1, "finished", 17)
        assert Counter(map(as_planted, rows_of(found))) == Counter(h.planted)
        pages = [call for call in h.w.shop.calls.matching("GET", "/orders$") if dict(call.query).get("modified_after")]
        assert [call.status for call in pages] == [200, *[503] * 5, 200]  # the first page is not read again
        assert Run.objects.count() == 1
        code, text = audit("--resume")
        assert (code, text) == (2, "Route main has no audit that was stopped. Begin one with --since.")
        assert_nothing_happened(h)


@pytest.mark.parametrize("side", ["shop", "reveni"])
def test_a_refused_key_ends_it_with_words(side: str) -> None:
    with history() as h:
        _one_of_each(h)
        if side == "shop":
            h.w.shop.state.keys.clear()
        else:
            h.w.platform.api_key = "another"
        code, found = document("--since", "30d")
        assert (code, found["state"], found["gaps"]) == (2, "failed", [])
        assert "refused" in found["error"]
        assert not h.w.connection(side).is_paused


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "soon"], "'soon' is no time; write 2026-11-01, 30d or 12h."),
        (["--since", "2027-01-01"], "--since 2027-01-01 is not in the past."),
        (["--since", "9999d"], "--since"),
        (["--since", "30d", "--route", "west"], "There is no route 'west'. Known: main."),
        (["--since", "30d", "--csv", "/no/such/place.csv"], "cannot be written"),
        (["--resume"], "Route main has no audit that was stopped."),
        ([], "Say either --since 180d (or a date), or --resume."),
        (["--since", "1d", "--resume"], "Say either --since 180d (or a date), or --resume."),
    ],
)
def test_wrong_usage_is_exit_code_2_with_advice(arguments: list[str], words: str) -> None:
    with history() as h:
        code, text = audit(*arguments)
        if arguments == ["--since", "9999d"]:
            assert code == 0  # long ago is no mistake
        else:
            assert (code, words in text) == (2, True), text
            assert Run.objects.count() == 0
            assert h.w.platform.calls.all() == []


@pytest.mark.parametrize("name", ["shop", "reveni"])
def test_a_paused_connection_is_left_alone(name: str) -> None:
    with history() as h:
        Connection.objects.filter(name=name).update(is_paused=True, pause_reason="The key expired.")
        before = len(h.w.shop.calls.all())
        code, text = audit("--since", "30d")
        assert code == 2
        assert "is paused: The key expired." in text
        assert (len(h.w.shop.calls.all()), h.w.platform.calls.all()) == (before, [])


def test_a_connector_that_would_write_is_refused() -> None:
    with history() as h:
        link = reading.reading_link(h.w.connection("shop"))
        with pytest.raises(Rejected, match="only reads"):
            woo_client.write(link, "POST", "/orders/1/refunds", body={})
        assert h.w.writes() == []


def test_whoever_stops_it_can_go_on_and_nobody_runs_it_twice() -> None:
    with history() as h, mock.patch.object(woo_client, "PER_PAGE", 5):
        _one_of_each(h)
        h.w.shift(60)
        with mock.patch.object(orders, "missing", side_effect=KeyboardInterrupt):
            code, found = document("--since", "30d")
        assert (code, found["error"].split(".")[0]) == (2, "Stopped by a person")
        Run.objects.update(state="running", ended_at=None, error_text="")
        assert audit("--resume")[1].startswith("The last audit of route main is under way")
        h.w.shift(running.ABANDONED_AFTER.total_seconds() + 1)
        code, found = document("--resume")
        assert (code, found["state"]) == (1, "finished")
        assert Counter(map(as_planted, rows_of(found))) == Counter(h.planted)


def test_returns_of_another_shop_of_the_same_platform_are_none_of_this_ones_business() -> None:
    with history() as h:
        other = ConnectionFactory(name="b2b")
        Route.objects.create(name="b2b", platform=h.w.connection("reveni"), commerce=other, channels=["b2b"])
        h.done(h.order())
        elsewhere = h.ask(None, order_id="900002", channel="b2b")
        h.decide(elsewhere, h.price)
        h.close(elsewhere)
        h.w.shift(60)
        code, found = document("--since", "30d", "--route", "main")
        assert (code, found["gaps"], found["not_compared"]) == (0, [], [])
        Route.objects.filter(name="b2b").update(channels=[])
        code, found = document("--since", "30d", "--route", "main")
        assert (code, found["gaps"]) == (0, [])
        assert [row["why"] for row in found["not_compared"]] == [
            "its channel of sale '(none)' leads to 2 routes",
            "its channel of sale 'b2b' leads to 2 routes",
        ]
