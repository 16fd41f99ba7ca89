"""Who may have an account: nobody makes one alone; an administrator creates staff accounts."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedSignUp(DefaultAccountAdapter):  # type: ignore[misc]
    """django-allauth's account adapter with registration closed, also for sign-in through a company provider."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: accounts of a back office are made by its administrator."""
        return False
