"""Staff screens; Django loads this package, which registers every screen of the app."""

from . import effects, history, orders, reference, returns, routes

__all__ = ["effects", "history", "orders", "reference", "returns", "routes"]
