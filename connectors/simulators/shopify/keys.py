"""The ledger of @idempotent keys: the first answer is kept, a different question under the same key is refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class KeyRefusal(StrEnum):
    """Why a call with a used key is not made."""

    CONCURRENT = "IDEMPOTENCY_CONCURRENT_REQUEST"
    MISMATCH = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    FAILED = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"


MESSAGES = {
    KeyRefusal.CONCURRENT: "Another request with the same idempotency key is still being processed.",
    KeyRefusal.MISMATCH: "The idempotency key was already used with different parameters.",
    KeyRefusal.FAILED: "The previous attempt with this idempotency key failed.",
}
"""Assumed texts: the recordings show the codes only (shopify.md section 4)."""


@dataclass(kw_only=True)
class UsedKey:
    """One key with the question it stood for. `answer` is None while it runs or after it failed."""

    root: str
    question: str
    at: datetime
    answer: dict[str, Any] | None = None
    has_failed: bool = False


@dataclass(kw_only=True)
class KeyLedger:
    """Keys of one app. `held` are keys that another request is using at this moment."""

    used: dict[str, UsedKey] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    def find(
        self, key: str, root: str, args: Mapping[str, Any], now: datetime, life_s: int
    ) -> UsedKey | KeyRefusal | None:
        """What is known of a key: an answer to give again, a reason to refuse, or None for a new key."""
        if key in self.held:
            return KeyRefusal.CONCURRENT
        known = self.used.get(key)
        if known is None or now - known.at > timedelta(seconds=life_s):
            return None
        if (known.root, known.question) != (root, question_of(args)):
            return KeyRefusal.MISMATCH
        return KeyRefusal.FAILED if known.has_failed else known

    def keep(self, key: str, root: str, args: Mapping[str, Any], now: datetime, answer: dict[str, Any]) -> None:
        """Remember an answer."""
        self.used[key] = UsedKey(root=root, question=question_of(args), at=now, answer=answer)

    def keep_failure(self, key: str, root: str, args: Mapping[str, Any], now: datetime) -> None:
        """Remember that the attempt failed: the key is spent."""
        self.used[key] = UsedKey(root=root, question=question_of(args), at=now, has_failed=True)


def question_of(args: Mapping[str, Any]) -> str:
    """The arguments in one form, whatever the order they came in."""
    return json.dumps(args, sort_keys=True, default=str)
