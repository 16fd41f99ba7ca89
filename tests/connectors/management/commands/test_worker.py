"""``manage.py worker`` starts the cluster once all that its processes share is loaded."""

from unittest import mock

import pytest
from django.core.management import call_command
from django_q.management.commands import qcluster

from connectors.management.commands import worker
from connectors.registry import CONNECTORS


def test_the_cluster_starts_after_the_vendors_are_loaded_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    order = mock.Mock()
    monkeypatch.setattr(worker, "connector_for", order.load)
    monkeypatch.setattr(worker, "gc", order.gc)
    monkeypatch.setattr(qcluster, "Cluster", order.cluster)
    call_command("worker")
    assert order.mock_calls == [
        *(mock.call.load(vendor) for vendor in CONNECTORS),
        mock.call.gc.collect(),
        mock.call.gc.freeze(),
        mock.call.cluster(),
        mock.call.cluster().start(),
    ]
