"""Units that are being returned already, and which refunds in the shop are of those returns."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from returnsops import states
from returnsops.facts import RemoteRefund, RemoteRefundLine
from returnsops.selectors.returned_before import ReturnedBefore, returned_before
from returnsops.services.order_rows import snapshot_of
from tests import factories as make

pytestmark = pytest.mark.django_db


def before(rma: Any, *refunds: RemoteRefund) -> ReturnedBefore:
    order = replace(snapshot_of(rma.order), refunds=refunds)
    return returned_before(connection=rma.order.connection, order=order)


def refund(refund_id: str, key: str = "") -> RemoteRefund:
    line = RemoteRefundLine(line_id="1", quantity=1, net=Decimal("10.00"))
    return RemoteRefund(
        refund_id=refund_id, amount=Decimal("10.00"), currency="GBP", created_at=make.NOW, lines=(line,), key=key
    )


def test_units_of_returns_count_by_the_order_line() -> None:
    line = make.ReturnLineFactory(quantity=2)
    make.ReturnLineFactory(rma=line.rma, order_line=line.order_line, quantity=1)
    assert before(line.rma).units == {line.order_line.external_id: 3}


@pytest.mark.parametrize("status", sorted(states.RETURN_ENDED))
def test_ended_returns_and_withdrawn_items_take_nothing(status: str) -> None:
    line = make.ReturnLineFactory(rma__status=status)
    other = make.ReturnLineFactory(rma__order=line.rma.order, rma__route=line.rma.route, is_withdrawn=True)
    assert before(line.rma).units == {}
    assert other.rma.order == line.rma.order


def test_an_item_without_its_line_is_found_by_its_sku_where_only_one_line_has_it() -> None:
    line = make.ReturnLineFactory(quantity=1)
    line.order_line_external_id, line.order_line, bought = "", None, line.order_line
    line.sku = bought.sku
    line.save()
    assert before(line.rma).units == {bought.external_id: 1}
    make.OrderLineFactory(order=line.rma.order, sku=bought.sku)
    assert before(line.rma).units == {}


def test_a_return_whose_order_is_not_read_yet_counts_too() -> None:
    line = make.ReturnLineFactory(quantity=2)
    rma, order = line.rma, line.rma.order
    rma.order, rma.order_external_id = None, order.external_id
    rma.save()
    line.order_line, line.order_line_external_id = None, "77"
    line.save()
    found = returned_before(connection=order.connection, order=snapshot_of(order))
    assert found.units == {"77": 2}


def test_refunds_of_those_returns_are_known_by_key_by_adoption_and_by_attribution() -> None:
    rma = make.ReturnLineFactory().rma
    ours = make.EffectFactory(rma=rma, key="refund:p/1:a")
    make.EffectFactory(rma=rma, key="refund:p/1:b", remote_id="903")
    make.RefundFactory(order=rma.order, external_id="904", rma=rma)
    seen = (refund("901", f"{ours.key}#2"), refund("902", "refund:p/2:a"), refund("903"), refund("904"), refund("905"))
    assert before(rma, *seen).refund_ids == {"901", "903", "904"}
