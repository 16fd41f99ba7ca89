"""Screens of the comparison and of the books."""

from . import comparison, lines, months, postings

__all__ = ["comparison", "lines", "months", "postings"]
