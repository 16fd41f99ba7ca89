"""Template filters: rows in the words of ``selectors.words``."""

from django import template
from django.utils import timezone

from returnsops.models import Effect
from returnsops.selectors import words

register = template.Library()


@register.filter
def in_words(effect: Effect) -> str:
    """One effect in a few words."""
    return words.describe(effect)


@register.filter
def state_in_words(effect: Effect) -> str:
    """Its state now."""
    return words.state_of(effect, now=timezone.now())
