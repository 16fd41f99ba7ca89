"""The generic queue of cases: work for people, with owner, deadline, evidence and the actions that fix it."""

from django.apps import AppConfig


class ExceptionsQueueConfig(AppConfig):
    """Django's entry for the queue."""

    name = "exceptions_queue"
    verbose_name = "Exceptions"
    default_auto_field = "django.db.models.BigAutoField"
