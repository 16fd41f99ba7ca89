"""What holds the books together in the database: added and never changed, closed by two, once per source."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from exceptions_queue.models import ExceptionCase
from reconciliation import book_cases, books_of_shop, periods, postings, settlements, tasks
from reconciliation.books_of_shop import BooksError
from reconciliation.models import Batch, Period, Posting, SettledElsewhere, SettlementLine
from returnsops import states
from returnsops.models import Connection, Refund
from tests import factories as make
from tests.reconciliation.factories import (
    BatchFactory,
    PeriodFactory,
    PostingFactory,
    SettledElsewhereFactory,
    SettlementFactory,
    SettlementLineFactory,
)
from tests.reconciliation.statements import CARD

pytestmark = pytest.mark.django_db
NOW = make.NOW
AFTER = NOW + timedelta(days=40)


@pytest.fixture
def shop() -> Connection:
    """A shop in London with a live route and a card gateway whose statements are imported."""
    route = make.RouteFactory(live_from=NOW - timedelta(days=1))
    route.commerce.settings = {"finance": {"gateways": {"card": CARD}}}
    route.commerce.save()
    return route.commerce  # type: ignore[no-any-return]


def refund(shop: Connection, amount: str = "30.00", at: datetime = NOW, **fields: Any) -> Refund:
    order = make.OrderFactory(connection=shop, payment_method="card")
    made: Refund = make.RefundFactory(
        order=order, amount=Decimal(amount), refunded_at=at, **{"is_gateway_paid": True, **fields}
    )
    return made


def posted() -> list[tuple[int, str, str]]:
    rows = Posting.objects.order_by("pk").select_related("batch__period")
    return [(row.amount_minor, row.batch.period.name, row.late_for) for row in rows]


@pytest.mark.requirement("S4-4")
def test_postings_are_added_and_never_changed() -> None:
    posting = PostingFactory()
    posting.amount_minor = 1
    for attempt in (
        posting.save,
        posting.delete,
        Posting.objects.all().delete,
        lambda: Posting.objects.update(amount_minor=1),
    ):
        with pytest.raises(TypeError, match="append-only"):
            attempt()
    assert Posting.objects.get().amount_minor == 1000


@pytest.mark.parametrize(
    "broken",
    [
        lambda: PostingFactory(amount_minor=0),
        lambda: PostingFactory(kind="rounding"),
        lambda: PostingFactory(kind="refund", refund=None, order=None, key="x"),
        lambda: PostingFactory(key=PostingFactory().key),
        lambda: PeriodFactory(proposed_at=NOW),
        lambda: PeriodFactory(closed_at=NOW, closed_by=make.UserFactory()),
        lambda: PeriodFactory(ends_at=NOW.replace(month=1)),
        lambda: BatchFactory(seal="abc"),
        lambda: BatchFactory(posting_count=1),
        lambda: SettlementLineFactory(amount_minor=0),
        lambda: SettlementLineFactory(posting=PostingFactory()),
        lambda: SettlementLineFactory(decided_at=NOW),
        lambda: SettledElsewhereFactory(why=""),
    ],
)
def test_the_database_refuses_what_cannot_be(broken: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        broken()


def test_nobody_closes_what_they_proposed_not_even_past_the_service() -> None:
    person = make.UserFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        PeriodFactory(proposed_by=person, proposed_at=NOW, proposed_why="x", closed_by=person, closed_at=NOW)


def test_a_line_is_in_a_gateway_once_and_a_refund_is_paid_by_one_line() -> None:
    first = SettlementLineFactory(posting=PostingFactory(), matched_by="fin", matched_at=NOW)
    for changes in ({"external_id": first.external_id}, {"posting": first.posting}):
        given = {"matched_by": "fin", "matched_at": NOW} if "posting" in changes else {}
        with pytest.raises(IntegrityError), transaction.atomic():
            SettlementLineFactory(settlement=first.settlement, **changes, **given)


# --- what is posted --------------------------------------------------------------------------------------------------


def test_everything_is_posted_once_from_the_day_the_books_begin(shop: Connection) -> None:
    refund(shop)
    refund(shop, "0.00")
    refund(shop, "5.00", at=NOW - timedelta(days=2))  # before the route went live
    refund(shop, "7.00", origin="ours", key="refund:unknown")  # not read back yet
    for _ in range(2):
        postings.post_due(connection=shop, at=NOW)
    assert posted() == [(3000, "2026-03", "")]
    shop.settings["finance"]["begins"] = "2026-02-20"
    shop.save()
    assert tasks.keep_books() == 1
    assert posted()[1:] == [(500, "2026-02", "")]


def test_an_open_month_tells_how_much_is_not_posted_yet(shop: Connection, client: Client) -> None:
    refund(shop)
    book_cases.refresh(connection=shop, at=NOW)
    refund(shop, "5.00")
    refund(shop, "6.00")
    assert postings.count_due(connection=shop, at=NOW) == 2
    client.force_login(make.UserFactory(is_superuser=True, is_staff=True))
    month = Period.objects.get()
    address = reverse("admin:reconciliation_period_change", args=[month.pk])
    assert "2 confirmed refunds or credits of this shop: posted each hour" in client.get(address).content.decode()
    book_cases.refresh(connection=shop, at=NOW)
    assert postings.count_due(connection=shop, at=NOW) == 0
    assert "Not posted yet" not in client.get(address).content.decode()


def test_ours_counts_when_read_back_and_is_taken_back_when_its_gateway_fails_later(shop: Connection) -> None:
    rma = make.ReturnFactory(order__connection=shop, order__payment_method="card")
    effect = make.EffectFactory(rma=rma, state=states.DONE, connection=shop)
    make.RefundFactory(order=rma.order, origin="ours", key=f"{effect.key}#2", refunded_at=NOW, is_gateway_paid=True)
    assert postings.post_due(connection=shop, at=NOW).count == 0
    for state, minor in ((states.CONFIRMED, 3000), (states.FAILED, -3000), (states.CONFIRMED, 3000)):
        effect.state = state
        effect.save()
        postings.post_due(connection=shop, at=NOW)
        assert posted()[-1][0] == minor
    assert [row.rma for row in Posting.objects.all()] == [rma] * 3


def test_store_credit_is_posted_when_issued_and_taken_back_when_void(shop: Connection) -> None:
    credit = make.CreditRequestFactory(
        rma__order__connection=shop, amount=Decimal("20.00"), bonus=Decimal("2.00"), currency="GBP", issued_at=NOW
    )
    key = postings.credit_key(credit)
    assert postings.post_due(connection=shop, at=NOW).count == 0
    issued = make.EffectFactory(
        rma=credit.rma, key=key, kind=states.STORE_CREDIT, amount=Decimal("22.00"), state=states.CONFIRMED,
        connection=shop, done_at=NOW,
    )  # fmt: skip
    postings.post_due(connection=shop, at=NOW)
    make.EffectFactory(
        rma=credit.rma, key=f"reverse:{key}:1", kind=states.VOID_CREDIT, state=states.CONFIRMED, connection=shop
    )
    postings.post_due(connection=shop, at=NOW)
    assert posted() == [(2200, "2026-03", ""), (-2200, "2026-03", "")]
    assert issued.key.startswith("store_credit:")


def test_what_cannot_be_posted_is_a_case_and_stops_nothing_else(shop: Connection) -> None:
    refund(shop, "1.005")
    refund(shop, "2.00")
    book_cases.refresh(connection=shop, at=NOW)
    assert posted() == [(200, "2026-03", "")]
    case = ExceptionCase.objects.get()
    assert (case.kind_code, "more digits than GBP allows" in case.cause) == (book_cases.CASE_CANNOT_POST, True)
    ExceptionCase.objects.update(first_opened_at=AFTER)  # found after the month's end: it belongs to it all the same
    blockers = periods.preview(period=Period.objects.get(), at=AFTER).blockers
    assert "Open case: A refund that cannot be booked" in " ".join(blocker.text for blocker in blockers)


def test_settings_that_cannot_be_used_stop_no_other_shop(shop: Connection) -> None:
    other = make.RouteFactory(live_from=NOW - timedelta(days=1)).commerce
    shop.settings = {"finance": {"settle_days": "soon"}}
    shop.save()
    refund(other)
    refund(shop)
    assert tasks.keep_books() == 1
    assert posted() == [(3000, "2026-03", "")]


# --- closing ---------------------------------------------------------------------------------------------------------


def closed(shop: Connection, name: str, *, at: datetime) -> Period:
    one, two = make.UserFactory(), make.UserFactory()
    period = Period.objects.get(connection=shop, name=name)
    periods.propose(period=period, by=one, at=at, why="checked")
    seen = periods.preview(period=period, at=at).seal
    return periods.close(period=period, by=two, at=at, seen=seen)


@pytest.mark.requirement("S4-4")
def test_months_close_in_order_and_late_events_skip_every_closed_one(shop: Connection) -> None:
    refund(shop, is_gateway_paid=False)
    refund(shop, "4.00", at=NOW + timedelta(days=31), is_gateway_paid=False)
    at = NOW + timedelta(days=70)
    postings.post_due(connection=shop, at=at)
    with pytest.raises(BooksError, match=r"2026-03 of shop-.* is still open; close it first"):
        periods.propose(period=Period.objects.get(name="2026-04"), by=make.UserFactory(), at=at, why="x")
    closed(shop, "2026-03", at=at)
    closed(shop, "2026-04", at=at)
    refund(shop, "8.00", is_gateway_paid=False)
    postings.post_due(connection=shop, at=at)
    assert posted() == [(3000, "2026-03", ""), (400, "2026-04", ""), (800, "2026-05", "2026-03")]


def test_the_second_person_closes_exactly_what_they_saw(shop: Connection) -> None:
    refund(shop, is_gateway_paid=False)
    one, two = make.UserFactory(), make.UserFactory()
    postings.post_due(connection=shop, at=AFTER)
    period = Period.objects.get()
    with pytest.raises(BooksError, match="Nobody has proposed"):
        periods.close(period=period, by=two, at=AFTER, seen="")
    with pytest.raises(BooksError, match="Say what you checked"):
        periods.propose(period=period, by=one, at=AFTER, why=" ")
    periods.propose(period=period, by=one, at=AFTER, why="checked")
    with pytest.raises(BooksError, match="proposed it already"):
        periods.propose(period=period, by=two, at=AFTER, why="checked")
    seen = periods.preview(period=period, at=AFTER).seal
    refund(shop, "1.00", is_gateway_paid=False)
    with pytest.raises(BooksError, match="Something was posted since"):
        periods.close(period=period, by=two, at=AFTER, seen=seen)
    periods.withdraw(period=period, by=two, at=AFTER, why="one more came")
    assert Period.objects.get().state == Period.OPEN
    assert Batch.objects.get().seal == ""
    closed(shop, "2026-03", at=AFTER)
    assert Batch.objects.get().posted_minor == 3100
    with pytest.raises(BooksError, match="is closed and stays closed"):
        periods.withdraw(period=period, by=two, at=AFTER, why="again")


def test_a_seal_tells_that_a_closed_month_was_changed_past_the_program(shop: Connection) -> None:
    refund(shop, is_gateway_paid=False)
    postings.post_due(connection=shop, at=AFTER)
    period = closed(shop, "2026-03", at=AFTER)
    assert periods.is_seal_whole(period)
    PostingFactory(batch=period.batches.get())
    assert not periods.is_seal_whole(period)


def test_open_cases_of_finance_about_this_shop_keep_the_month_open(shop: Connection) -> None:
    refund(shop, is_gateway_paid=False)
    postings.post_due(connection=shop, at=AFTER)
    order = make.OrderFactory(connection=shop)
    mine = {"owner_team": states.FIN, "first_opened_at": NOW, "kind_code": states.CASE_AMOUNT_MISMATCH}
    about = {"subject_type": "order", "subject_id": str(order.pk), "subject_label": "order 7"}
    case = make.CaseFactory(title="Amounts differ", **mine, **about)
    make.CaseFactory(**mine, **about | {"subject_id": str(make.OrderFactory().pk)})  # another shop's
    make.CaseFactory(**mine | {"owner_team": states.CX}, **about)
    make.CaseFactory(**mine | {"first_opened_at": AFTER}, **about)  # of the next month
    period = Period.objects.get()
    blockers = periods.preview(period=period, at=AFTER).blockers
    assert [blocker.text for blocker in blockers] == ["Open case: Amounts differ (order 7)"]
    assert blockers[0].url == f"/admin/exceptions_queue/exceptioncase/{case.pk}/change/"


# --- lines -----------------------------------------------------------------------------------------------------------


def test_a_refund_without_line_asks_after_its_days_and_may_be_settled_elsewhere(shop: Connection) -> None:
    refund(shop)
    refund(shop, "4.00", is_gateway_paid=False)
    book_cases.refresh(connection=shop, at=NOW + timedelta(days=6))
    assert not ExceptionCase.objects.exists()
    book_cases.refresh(connection=shop, at=NOW + timedelta(days=7))
    case = ExceptionCase.objects.get()
    assert (case.kind_code, case.money_at_risk) == (book_cases.CASE_NOT_SETTLED, Decimal("30.00"))
    ids = list(Posting.objects.order_by("pk").values_list("pk", flat=True))
    assert settlements.settle_elsewhere(posting_ids=ids[:1], by="fin", at=AFTER, why="other account") == 1
    book_cases.refresh(connection=shop, at=AFTER)
    assert not ExceptionCase.objects.active().exists()
    assert SettledElsewhere.objects.get().why == "other account"


def test_a_line_off_by_more_than_rounding_is_a_case_until_it_is_accepted(shop: Connection) -> None:
    made = refund(shop)
    settlement = SettlementFactory(connection=shop)
    line = SettlementLineFactory(
        settlement=settlement, amount_minor=2900, refund_reference=made.external_id, order_number=""
    )
    book_cases.refresh(connection=shop, at=NOW)
    case = ExceptionCase.objects.get()
    assert (case.kind_code, case.money_at_risk) == (book_cases.CASE_LINE_DIFFERS, Decimal("1.00"))
    assert case.cause == "card paid out £29.00 for a refund of £30.00."
    settlements.accept_difference(line_id=line.pk, by="fin", at=NOW, why="fee")
    book_cases.refresh(connection=shop, at=NOW)
    assert not ExceptionCase.objects.active().exists()
    assert book_cases.drifts(shop, books_of_shop.settings_of(shop)) == {}


def test_people_cannot_say_what_cannot_be(shop: Connection) -> None:
    refund(shop)
    book_cases.refresh(connection=shop, at=NOW)
    posting = Posting.objects.get()
    line = SettlementLineFactory(settlement__connection=shop, order_number="none", currency="EUR")
    said = {"by": "fin", "at": NOW, "why": "x"}
    with pytest.raises(BooksError, match="the refund in GBP"):
        settlements.pays(line_id=line.pk, posting_id=posting.pk, **said)  # type: ignore[arg-type]
    with pytest.raises(BooksError, match="pays no refund"):
        settlements.accept_difference(line_id=line.pk, **said)  # type: ignore[arg-type]
    right = SettlementLineFactory(settlement=line.settlement, order_number="none")
    settlements.pays(line_id=right.pk, posting_id=posting.pk, **said)  # type: ignore[arg-type]
    with pytest.raises(BooksError, match="pays a refund meanwhile"):
        settlements.set_aside(line_id=right.pk, **said)  # type: ignore[arg-type]
    with pytest.raises(BooksError, match="Another line pays that refund"):
        settlements.pays(line_id=line.pk, posting_id=posting.pk, **said)  # type: ignore[arg-type]
    with pytest.raises(BooksError, match="Say why"):
        settlements.set_aside(line_id=line.pk, by="fin", at=NOW, why="")
    assert SettlementLine.objects.get(pk=line.pk).decided_at is None
