"""Staff screens of the queue; the only modules here that know django-unfold."""

from exceptions_queue.admin.cases import CaseAdmin

__all__ = ["CaseAdmin"]
