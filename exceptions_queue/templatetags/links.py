"""Template filter: links are shown to whoever may follow them."""

from django import template
from django.contrib.auth.models import AnonymousUser, User

from exceptions_queue import permissions

register = template.Library()


@register.filter
def may_follow(user: User | AnonymousUser, link: str) -> bool:
    """Whether that person gets the page behind a link into the admin; in a template ``user|may_follow:link``."""
    return permissions.may_follow(user, link)
