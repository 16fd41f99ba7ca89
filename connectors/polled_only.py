"""A connection that has no webhooks by choice: its setting, offered by vendors whose webhooks we register."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.ports import SettingSpec

WEBHOOKS: Final = SettingSpec(name="webhooks", kind=bool, default=True, help="false: polled only, by choice.")


def is_polled_only(settings: Mapping[str, Any]) -> bool:
    """Whether a connection's settings say that it has no webhooks."""
    return settings.get(WEBHOOKS.name) is False
