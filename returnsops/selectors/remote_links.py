"""Links to records in foreign systems. The connectors know the addresses and register how to make them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from returnsops.models import Connection

Kind = Literal["order", "return"]
MakeLink = Callable[[Connection, Kind, str], str]

_makers: list[MakeLink] = []


@dataclass(frozen=True, kw_only=True)
class RemoteRecord:
    """A foreign id as people see it; ``url`` is '' where the vendor has no page for it."""

    label: str
    external_id: str
    url: str = ""


def register(maker: MakeLink) -> None:
    """Add what makes links; the connectors app does so when its screens are loaded."""
    if maker not in _makers:
        _makers.append(maker)


def link_to(connection: Connection | None, kind: Kind, external_id: str) -> str:
    """The page of a record, http or https only; '' where nobody knows one."""
    if connection is None or not external_id:
        return ""
    made = (maker(connection, kind, external_id) for maker in _makers)
    return next((link for link in made if is_safe(link)), "")


def is_safe(link: str) -> bool:
    """Whether a person may click a link that a foreign system had a part in."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
