"""The money box and the stock box add up."""

from datetime import timedelta
from decimal import Decimal

import pytest

from returnsops import states
from returnsops.models import Refund
from returnsops.selectors.boxes import money_box, other_goods, stock_box
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_money_ordered_said_refunded_planned_and_left() -> None:
    rma = make.ReturnFactory(order__total=Decimal("100.00"))
    make.PlatformRefundFactory(rma=rma, amount=Decimal("30.00"), external_id="p1")
    make.RefundFactory(order=rma.order, amount=Decimal("10.00"), author="sam", external_id="r1")
    make.RefundFactory(order=rma.order, amount=Decimal("5.00"), vanished_at=make.NOW)
    make.RefundFactory(order=rma.order, amount=Decimal(0), author="a restock")
    make.EffectFactory(rma=rma, amount=Decimal("30.00"), state=states.HELD)
    make.EffectFactory(rma=rma, amount=Decimal("7.00"), state=states.EFFECT_CANCELLED)
    box = money_box(rma)
    assert (box.ordered, box.planned, box.remaining, box.is_overdrawn) == ("£100.00", "£30.00", "£60.00", False)
    assert box.refundable == "£90.00"
    assert box.said == ("£30.00 (p1), the shop pays",)
    (refund,) = box.in_shop
    assert (refund.amount, refund.by, refund.is_question) == ("£10.00", "sam", True)


def test_more_refunded_than_paid_is_marked() -> None:
    rma = make.ReturnFactory(order__total=Decimal("20.00"))
    make.RefundFactory(order=rma.order, amount=Decimal("30.00"))
    assert money_box(rma).is_overdrawn


def test_before_the_order_is_known_only_the_platform_speaks() -> None:
    rma = make.ReturnFactory()
    rma.order = None
    make.PlatformRefundFactory(rma=rma, executed_by="", external_id="p1")
    box = money_box(rma)
    assert (box.ordered, box.remaining, box.planned) == ("", "", "nothing")
    assert box.said == ("£30.00 (p1), it does not say who pays",)


def test_whose_a_refund_is() -> None:
    rma, other = make.ReturnFactory(), make.ReturnFactory()
    order = rma.order
    make.RefundFactory(order=order, origin=Refund.OURS, author="", external_id="1")
    make.RefundFactory(order=order, rma=rma, attributed_by="fin", attributed_at=make.NOW, external_id="2")
    make.RefundFactory(order=order, rma=other, attributed_by="fin", attributed_at=make.NOW, external_id="3")
    make.RefundFactory(order=order, is_unrelated=True, attributed_by="fin", attributed_at=make.NOW, external_id="4")
    assert [shown.whose for shown in money_box(rma).in_shop] == [
        "ours",
        "made outside, for this return",
        f"for return {other.label}",
        "made outside, unrelated to returns",
    ]


@pytest.mark.parametrize(("currency", "amount", "wanted"), [("JPY", "1200", "JP¥1,200"), ("KWD", "1.234", "KWD1.234")])
def test_amounts_have_their_currencys_digits(currency: str, amount: str, wanted: str) -> None:
    rma = make.ReturnFactory(order__total=Decimal(amount), order__currency=currency)
    assert money_box(rma).ordered.replace("\u00a0", "") == wanted


@pytest.mark.requirement("S4-14")
def test_stock_says_what_each_source_found_and_what_went_back() -> None:
    line = make.ReturnLineFactory(quantity=3, external_id="i1")
    make.InspectionFactory(line=line, outcome="accepted", quantity=2, disposition="unknown", is_final=False)
    make.InspectionFactory(
        line=line, source="warehouse", outcome="accepted", quantity=2, inspected_by="wh", inspected_at=make.NOW
    )
    make.InspectionFactory(line=line, source="warehouse", quantity=9, is_superseded=True)
    make.EffectFactory(rma=line.rma, restock=True, quantity=2, item_external_id="i1", state=states.CONFIRMED)
    make.EffectFactory(rma=line.rma, restock=True, quantity=1, item_external_id="i1", state=states.HELD)
    gone = make.ReturnLineFactory(rma=line.rma, external_id="old", is_withdrawn=True)
    make.InspectionFactory(line=gone, outcome="accepted", inspected_at=make.NOW - timedelta(hours=1))
    make.InspectionFactory(rma=line.rma, line=None, item_external_id="hat", sku="HAT", outcome="unexpected")
    make.InspectionFactory(rma=line.rma, line=None, item_external_id="cap", quantity=0)
    (row,) = stock_box(line.rma)
    assert other_goods(line.rma) == (
        "old: Returns platform: 1 accepted, sellable",
        "HAT: Returns platform: 1 unexpected, sellable",
    )
    assert (row.returned, row.restocked, row.restocking) == (3, 2, 1)
    assert row.verdicts == (
        "Returns platform: 2 accepted, unknown, not final",
        "Our warehouse by wh: 2 accepted, sellable",
    )
