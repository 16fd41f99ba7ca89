"""What can go wrong with a case, each with a sentence that may be shown to the person."""


class CaseError(Exception):
    """An act on a case that is not possible; the text says what is wrong and what to do."""


class CaseClosedError(CaseError):
    """The case was closed (or changed) by somebody else in the meantime."""


class NotAllowedError(CaseError):
    """The person may see the case but not act on it."""


class InvalidInputError(CaseError):
    """A reason, a time or a form field is missing or makes no sense."""


class KindError(ValueError):
    """A case kind is declared wrongly; raised while the program starts, never in operation."""
