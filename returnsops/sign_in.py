"""Who may have an account: nobody makes one alone; an administrator creates staff accounts. Demo people stay there."""

from typing import Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest


class ClosedSignUp(DefaultAccountAdapter):  # type: ignore[misc]
    """django-allauth's account adapter with registration closed, also for sign-in through a company provider."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: accounts of a back office are made by its administrator."""
        return False


DEMO_MAIL: Final = "@demo.invalid"  # a domain that no mail can ever reach: only people of a demo have it


class StaffAccounts(AuthenticationBackend):  # type: ignore[misc]
    """Names, passwords and sessions of accounts, refused to people of a demo once DEBUG is off: theirs were printed."""

    def authenticate(self, request: HttpRequest | None, **credentials: str) -> User | None:
        """The account of these credentials, or None."""
        return _unless_of_demo(super().authenticate(request, **credentials))

    def get_user(self, user_id: int) -> User | None:
        """The account of a session, asked with each of its requests, or None."""
        return _unless_of_demo(super().get_user(user_id))


def _unless_of_demo(user: User | None) -> User | None:
    is_refused = user is not None and not settings.DEBUG and user.email.endswith(DEMO_MAIL)
    return None if is_refused else user
