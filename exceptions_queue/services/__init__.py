"""The only writers of the queue: keyword-only, atomic, with `by=` and `at=`, each leaving a line on the timeline."""

from exceptions_queue.services.acting import run_action
from exceptions_queue.services.cleaning import CaseTexts, clean_closed
from exceptions_queue.services.opening import CaseWanted, open_case, open_wanted, raise_by_hand
from exceptions_queue.services.resolving import auto_resolve, recheck, reopen, resolve
from exceptions_queue.services.syncing import SyncResult, sync_cases
from exceptions_queue.services.triage import add_note, assign, refresh_priorities, snooze, unassign, unsnooze, wake_due

__all__ = [
    "CaseTexts",
    "CaseWanted",
    "SyncResult",
    "add_note",
    "assign",
    "auto_resolve",
    "clean_closed",
    "open_case",
    "open_wanted",
    "raise_by_hand",
    "recheck",
    "refresh_priorities",
    "reopen",
    "resolve",
    "run_action",
    "snooze",
    "sync_cases",
    "unassign",
    "unsnooze",
    "wake_due",
]
