"""A changed mapping reaches the returns that are already here."""

import pytest

from returnsops.services import reasons
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_only_items_of_that_platform_and_code_that_nobody_classified() -> None:
    hit = make.ReturnLineFactory(reason=None, reason_source_code="A")
    rma = hit.rma
    others = [
        make.ReturnLineFactory(rma=rma, reason=None, reason_source_code="B"),
        make.ReturnLineFactory(rma=rma, reason=None, reason_source_code="A", reason_by="cx"),
        make.ReturnLineFactory(reason=None, reason_source_code="A"),
    ]
    mapping = make.ReasonMappingFactory(connection=rma.connection, source_code="A")
    assert reasons.apply_mapping(mapping=mapping) == 1
    hit.refresh_from_db()
    assert hit.reason == mapping.reason
    for line in others:
        line.refresh_from_db()
        assert line.reason is None
    rma.refresh_from_db()
    assert rma.is_dirty
    assert reasons.apply_mapping(mapping=mapping) == 0


def test_a_place_of_goods_asks_for_a_new_plan_of_open_returns_of_its_route() -> None:
    open_one, other = make.ReturnFactory(), make.ReturnFactory()
    closed = make.ReturnFactory(route=open_one.route, closed_at=make.NOW)
    reasons.apply_edit(row=make.DispositionMappingFactory(route=open_one.route))
    for rma, is_dirty in ((open_one, True), (closed, False), (other, False)):
        rma.refresh_from_db()
        assert rma.is_dirty == is_dirty
