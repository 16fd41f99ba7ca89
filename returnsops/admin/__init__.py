"""Staff screens; Django loads this package, which registers every screen of the app."""

from . import (
    api_tokens,
    catalogue,
    effects,
    history,
    inspection_reports,
    orders,
    reasons_given,
    reference,
    returns,
    routes,
    shadow,
)

__all__ = [
    "api_tokens",
    "catalogue",
    "effects",
    "history",
    "inspection_reports",
    "orders",
    "reasons_given",
    "reference",
    "returns",
    "routes",
    "shadow",
]
