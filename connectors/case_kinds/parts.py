"""What people can do about more than one sort of case."""

from typing import Final

from connectors import case_actions as run
from exceptions_queue.kinds import CaseAction

DONE: Final = CaseAction(
    code="settled",
    label="Settled",
    run=run.note,
    needs_reason=True,
    is_resolving=True,
    help="Say what was done; the case closes.",
)
