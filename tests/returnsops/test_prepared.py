"""Queries built once: they answer as the querysets they are built from, each time for the values of that time."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Max, Q
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from returnsops.models import Effect, InboundEvent
from returnsops.prepared import Prepared, PreparedUpdate
from tests.factories import NOW, AttemptFactory, EffectFactory, InboundEventFactory

pytestmark = pytest.mark.django_db


def test_rows_are_those_of_the_values_of_each_call() -> None:
    early, late = (EffectFactory.create(next_attempt_at=NOW + timedelta(hours=hours)) for hours in (1, 2))
    builds: list[Any] = []

    def build(**given: Any) -> Any:
        builds.append(given)
        due = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=given["at"])
        rows = Effect.objects.filter(due, connection=given["connection_id"], key=given["key"])
        return rows.values_list("pk", "amount", "payload", "next_attempt_at")

    asked = Prepared(build)
    for effect in (early, late):
        for hours in (0, 1, 2):
            values = {"key": effect.key, "connection_id": effect.connection_id, "at": NOW + timedelta(hours=hours)}
            assert [tuple(row) for row in asked.rows(**values)] == list(build(**values))
    assert len(builds) == 7  # once for the prepared query, and once for each comparison


def test_sums_are_read_as_the_type_they_are_of() -> None:
    effect = EffectFactory.create()
    AttemptFactory.create(effect=effect, number=1)
    AttemptFactory.create(effect=effect, number=2, token="another")
    last = Prepared(
        lambda pk: Effect.objects.filter(pk=pk).values_list("pk").annotate(Max("attempts__started_at"), Max("amount"))
    )
    assert [tuple(row) for row in last.rows(pk=effect.pk)] == [(effect.pk, NOW, effect.amount)]


def test_objects_come_with_what_is_selected_beside_them() -> None:
    effects = [EffectFactory.create(), EffectFactory.create()]
    Effect.objects.filter(pk=effects[1].pk).update(rma=None, order=None)
    effects[1].refresh_from_db()
    asked = Prepared(lambda pk: Effect.objects.select_related("connection", "rma__route", "order").filter(pk=pk))
    for effect in effects:
        related = (effect.connection, effect.rma, effect.order, effect.rma and effect.rma.route)
        (found,) = asked.objects(pk=effect.pk)
        with CaptureQueriesContext(connection) as queries:
            assert (found.connection, found.rma, found.order, found.rma and found.rma.route) == related
        assert not queries.captured_queries
        fresh = Effect.objects.get(pk=effect.pk)
        assert all(getattr(found, one.attname) == getattr(fresh, one.attname) for one in Effect._meta.concrete_fields)
    assert asked.one(pk=effects[0].pk) == effects[0]
    assert asked.objects(pk=0) == []
    with pytest.raises(Effect.DoesNotExist):
        asked.one(pk=0)


def test_columns_left_out_are_read_when_asked_for() -> None:
    event = InboundEventFactory.create()
    asked = Prepared(lambda key: InboundEvent.objects.filter(delivery_key=key).only("topic"))
    (found,) = asked.objects(key=event.delivery_key)
    assert (found.get_deferred_fields() >= {"body"}, bytes(found.body)) == (True, bytes(event.body))


def test_what_is_missing_is_no_value() -> None:
    asked: Prepared[Effect] = Prepared(lambda pk: Effect.objects.filter(pk=pk))
    missing: Any = None
    assert asked.objects(pk=0) == []
    with pytest.raises(AssertionError, match="another query"):
        asked.objects(pk=missing)


def test_a_value_the_query_does_not_use_is_a_mistake() -> None:
    asked = Prepared(lambda key, pk: Effect.objects.filter(pk=pk))
    with pytest.raises(AssertionError, match="key"):
        asked.objects(key="x", pk=1)


def test_an_update_writes_the_values_of_each_call_to_the_rows_that_fit() -> None:
    effect = EffectFactory.create(attempt_count=2)
    claim = PreparedUpdate(
        lambda pk, token, at, tries: (
            Effect.objects.filter(Q(lease_until_at__isnull=True) | Q(lease_until_at__lt=at), pk=pk),
            {"claim_token": token, "lease_until_at": at, "error_text": "", "attempt_count": F("attempt_count") + tries},
        )
    )
    later = NOW + timedelta(hours=1)
    moments = (("first", NOW, 1), ("too early", NOW, 1), ("second", later, 3))
    done = [claim.run(pk=effect.pk, token=token, at=at, tries=tries) for token, at, tries in moments]
    effect.refresh_from_db()
    assert done == [1, 0, 1]
    assert (effect.claim_token, effect.lease_until_at, effect.attempt_count) == ("second", later, 6)


def test_an_update_whose_rows_are_chosen_by_a_join_is_a_mistake() -> None:
    paused = PreparedUpdate(lambda pk: (Effect.objects.filter(pk=pk, connection__is_paused=True), {"error_text": ""}))
    with pytest.raises(AssertionError, match="own columns"):
        paused.run(pk=1)


def test_a_refused_update_undoes_its_transaction_as_any_other() -> None:
    effects = [EffectFactory.create(), EffectFactory.create()]
    rename = PreparedUpdate(lambda pk, key: (Effect.objects.filter(pk=pk), {"key": key}))
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            rename.run(pk=effects[0].pk, key=effects[1].key)
        assert connection.needs_rollback
        transaction.set_rollback(True)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_within_a_transaction_only() -> None:
    effect = EffectFactory.create()
    asked = Prepared(lambda pk: Effect.objects.select_for_update().filter(pk=pk))
    with transaction.atomic():
        assert asked.objects(pk=effect.pk) == [effect]
    with pytest.raises(TransactionManagementError):
        asked.objects(pk=effect.pk)
