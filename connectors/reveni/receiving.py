"""What a delivery to the webhook URL is: an event of the contract, or a message in Reveni's own dialect (A2)."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.ports import ConnectionConfig, Inbound, Reception
from connectors.returns_contract import receiving
from connectors.reveni.normalise import DIALECT_PREFIX

DIALECT_A2: Final = "a2"
DIALECT_CONTRACT: Final = "contract"


def receive(inbound: Inbound, config: ConnectionConfig) -> Reception:
    """Names and keys of one verified delivery. A body nobody can read is kept too, and becomes a case."""
    if config.settings.get("dialect", DIALECT_CONTRACT) != DIALECT_A2:
        return receiving.receive_event(inbound)
    document = receiving.parse_body(inbound.body)
    if not isinstance(document, Mapping):
        return receiving.unreadable(inbound)
    topic = f"{DIALECT_PREFIX}{receiving.topic_of(document.get('event'))}"
    return receiving.reception(inbound, document, topic=topic, return_id=_returned(document.get("data")))


def _returned(data: Any) -> Any:
    is_return = isinstance(data, Mapping) and data.get("resource") == "return"
    return data.get("resource_id") if is_return else None
