"""Every model has a factory whose row satisfies the database, and related rows fit together."""

import inspect
from typing import Any

import pytest
from django.apps import apps
from factory.django import DjangoModelFactory

from tests import factories
from tests.reconciliation import factories as of_comparison

pytestmark = pytest.mark.django_db

ALL: list[Any] = [
    value
    for value in {**vars(factories), **vars(of_comparison)}.values()
    if inspect.isclass(value) and issubclass(value, DjangoModelFactory) and value is not DjangoModelFactory
]
# Written by services only.
WITHOUT = {"CaseExport", "CaseAlert", "OrderLook"}


@pytest.mark.parametrize("factory_class", ALL, ids=lambda value: value.__name__)
def test_it_makes_a_row(factory_class: Any) -> None:
    assert factory_class().pk is not None


def test_every_model_of_ours_has_one() -> None:
    ours = {
        model.__name__
        for label in ("returnsops", "connectors", "exceptions_queue", "reconciliation")
        for model in apps.get_app_config(label).get_models()
    }
    made = {value._meta.model.__name__ for value in ALL}
    assert ours - made - WITHOUT == set()


def test_the_rows_of_a_return_fit_together() -> None:
    line = factories.ReturnLineFactory()
    effect = factories.EffectFactory(rma=line.rma)

    assert line.order_line.order == line.rma.order
    assert line.rma.order.connection == line.rma.route.commerce == effect.connection
    assert line.rma.connection == line.rma.route.platform
    assert effect.order == line.rma.order
