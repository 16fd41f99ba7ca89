"""Business keys: the identity of an effect, unique for ever (design section 2; reveni.md C4 "Business keys")."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote


@lru_cache(maxsize=8192)
def business_key(kind: str, *parts: str) -> str:
    """``kind:part:part``; a part may hold anything, so the characters that separate parts are quoted.

    Kept for a while: a plan asks for the same few keys again and again.
    """
    return ":".join([kind, *(quote(part, safe="/._-@") for part in parts)])


def content_hash(document: Mapping[str, Any] | list[Any]) -> str:
    """SHA-256 of the canonical JSON; Decimals and dates are hashed as text."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
