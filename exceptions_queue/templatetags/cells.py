"""Template filter: which cells of a table hold a word that no column can show on one line."""

from django import template

register = template.Library()

LONGEST_WHOLE_WORD = 24  # characters; an id of 26 or more, a hash and an address are broken where the column ends


@register.filter
def is_unbroken(text: str) -> bool:
    """Whether a word of the text is longer than a column can be made for it."""
    return any(len(word) > LONGEST_WHOLE_WORD for word in text.split())
