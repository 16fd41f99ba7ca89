"""Template filters: rows in the words of ``selectors.words``."""

from django import template

from returnsops.models import Effect
from returnsops.selectors import words

register = template.Library()


@register.filter
def in_words(effect: Effect) -> str:
    """One effect in a few words."""
    return words.describe(effect)
