"""Staff screens; Django loads this package, which registers every screen of the app."""

from . import catalogue, effects, history, orders, reference, returns, routes

__all__ = ["catalogue", "effects", "history", "orders", "reference", "returns", "routes"]
