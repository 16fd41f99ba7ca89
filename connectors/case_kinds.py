"""Case kinds of the connectors."""


def register_all() -> None:
    """Register every kind."""
