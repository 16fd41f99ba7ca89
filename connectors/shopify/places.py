"""Where our locations are in the shop: ``location_map``, location code → Shopify location and state. Pure.

``main = "gid://shopify/Location/1"`` means what is available there; ``scrap = "gid://shopify/Location/1 damaged"`` the
units there that are not for sale. States are those that inventory adjustments take (shopify.md section 10).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.ports import Rejected
from connectors.shopify.links import is_gid

SETTING: Final = "location_map"
AVAILABLE: Final = "available"
STATES: Final = (AVAILABLE, "damaged", "quality_control", "reserved", "safety_stock")
UNMAPPED: Final = "location_unmapped"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A location of the shop and the state units have there."""

    location_id: str
    state: str = AVAILABLE


def place_of(settings: Mapping[str, Any], code: str) -> Place:
    """The place of one of our locations. Raises Rejected('location_unmapped'): there is no default (S1-21)."""
    text = str((settings.get(SETTING) or {}).get(code) or "")
    if not text:
        named = f"location {code!r}" if code else "a location that has no name"
        said = f"The connection does not say where {named} is in the shop. Add it to its setting {SETTING}."
        raise Rejected(said, code=UNMAPPED)
    location_id, _, state = text.partition(" ")
    return Place(location_id=location_id, state=state.strip() or AVAILABLE)


def problems(settings: Mapping[str, Any], *, base_url: str = "") -> Iterable[str]:
    """What is wrong with the setting, as ``where: what to do``."""
    for code, value in (settings.get(SETTING) or {}).items():
        location_id, _, state = str(value).partition(" ")
        if not is_gid(location_id, "Location"):
            yield f'settings.{SETTING}.{code}: give the location as "gid://shopify/Location/<number>".'
        if state.strip() not in ("", *STATES):
            yield f"settings.{SETTING}.{code}: the state must be one of {', '.join(STATES)}."
