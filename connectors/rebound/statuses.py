"""Words of V1 compared without regard to case, spaces and dashes (rebound.md C2). Pure."""

from typing import Any

from connectors.mapping_targets import snake


def word_key(word: Any) -> str:
    """The word as tables hold it, '' for nothing: ``Entered Our Network`` is ``entered_our_network``."""
    return str(snake(word)) if isinstance(word, str) else ""
