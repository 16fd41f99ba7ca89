"""Settings that every connection has beside its vendor's own: how many calls, and how many at once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from connectors.ports import Capabilities, SettingSpec

CALLS_PER_MINUTE: Final = SettingSpec(
    name="calls_per_minute",
    kind=int,
    help="How many calls a minute this account allows; left out: what is usual with the vendor.",
)
CONCURRENCY: Final = SettingSpec(
    name="concurrency",
    kind=int,
    help="How many calls may be under way at once; left out: what is usual with the vendor.",
)
POLL_INTERVAL: Final = SettingSpec(  # for vendors that may be read more or less often; theirs to offer
    name="poll_interval_s",
    kind=int,
    help="Seconds between two rounds of reading; left out: what is usual with the vendor.",
)
COMMON_SETTINGS: Final = (CALLS_PER_MINUTE, CONCURRENCY)  # every connection has these beside its vendor's own


def paced(capabilities: Capabilities, settings: Mapping[str, Any]) -> Capabilities:
    """The vendor's capabilities at the pace this connection's settings give, where they give one."""
    calls, concurrency = (settings.get(spec.name) for spec in COMMON_SETTINGS)
    return replace(
        capabilities,
        calls_per_minute=calls if isinstance(calls, int) and calls > 0 else capabilities.calls_per_minute,
        concurrency=concurrency if isinstance(concurrency, int) and concurrency > 0 else capabilities.concurrency,
    )
