"""What every vendor's connector keeps, whatever it speaks: one contract, held against each that is registered."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.pace_settings import COMMON_SETTINGS
from connectors.ports import ConnectionConfig, Connector, Inbound, Payload
from connectors.registry import CONNECTORS, connector_for
from connectors.signing import verifier_problems
from connectors.views import secret_name
from returnsops import states

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
BODIES: tuple[Any, ...] = ({}, [], None, 7, "text", {"id": None}, {"id": {"id": []}}, {"order": "x", "type": 3})
SECRET = "sk-not-to-be-seen"

VENDORS = sorted(CONNECTORS)

pytestmark = pytest.mark.parametrize("connector", [connector_for(name) for name in VENDORS], ids=VENDORS)


def config(connector: Connector) -> ConnectionConfig:
    return ConnectionConfig(
        name="account",
        vendor=connector.vendor,
        base_url="https://vendor.example",
        secrets=dict.fromkeys((*connector.secrets, *connector.made_secrets), (SECRET,)),
        webhook_url="https://ops.example/webhooks/account/",
    )


def normalised(connector: Connector, topic: str, document: Any) -> Any:
    mapping: Mapping[str, Any] = connector.default_mapping
    payload = Payload(topic=topic, document=document, received_at=NOW, account="account", mapping=mapping)
    return connector.normalise(payload)


def test_its_name_is_the_one_it_is_registered_under_and_its_limits_make_sense(connector: Connector) -> None:
    assert connector_for(connector.vendor) is connector
    limits = connector.capabilities
    assert min(limits.calls_per_minute, limits.concurrency, limits.call_deadline_s) > 0
    assert limits.settle_s >= limits.call_deadline_s
    assert limits.points is None or 0 < limits.points.left <= limits.points.most
    assert limits.rests_on
    assert limits.holds_for
    names = [spec.name for spec in (*connector.settings, *COMMON_SETTINGS)]
    assert len(names) == len(set(names))
    assert all(spec.help.endswith(".") for spec in connector.settings)


def test_deliveries_are_verified_with_a_secret_it_has(connector: Connector) -> None:
    assert list(verifier_problems(connector.default_verifier)) == []
    assert secret_name(connector.default_verifier) in connector.secrets


def test_a_delivery_without_a_signature_is_never_an_event(connector: Connector) -> None:
    for body in (b"", b"{}", b"\xff\xfe", b'{"id": 1}', b"[" * 2000):
        inbound = Inbound(headers={"content-type": "application/json"}, body=body, received_at=NOW)
        assert connector.receive(inbound, config(connector)).kind in ("unsigned", "event")
        if connector.role == "commerce":
            assert connector.receive(inbound, config(connector)).kind == "unsigned"


@pytest.mark.parametrize("document", BODIES, ids=repr)
def test_whatever_comes_in_is_a_fact_a_problem_or_ignored_with_a_reason(connector: Connector, document: Any) -> None:
    for topic in ("", "nothing.known", "order.updated", "orders/updated", "poll.order", *connector.webhook_topics):
        found = normalised(connector, topic, document)
        assert found.facts or found.problems or found.ignored_because
        assert all(problem.text and problem.case_kind for problem in found.problems)


def test_each_effect_can_be_looked_up_and_is_of_a_known_kind(connector: Connector) -> None:
    assert set(connector.effects) <= set(states.LANES)
    for actions in connector.effects.values():
        assert callable(actions.send)
        assert callable(actions.look_up)


def test_webhooks_are_listed_where_they_are_registered_and_links_hold_no_secret(connector: Connector) -> None:
    assert (connector.list_webhooks is None) is (connector.ensure_webhooks is None)
    assert bool(connector.webhook_topics) is (connector.ensure_webhooks is not None)
    for link in (connector.order_url, connector.return_url):
        if link is not None:
            assert SECRET not in link(config(connector), "7")
    if connector.role == "commerce":
        assert connector.read_order is not None
        assert connector.find_order is not None
