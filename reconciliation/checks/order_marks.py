"""What people in the shop should see on the order: our notes and status (S4-8). Pure.

``authorised at the platform, note missing in the shop`` is the note of that milestone; the others are compared alike.
Which tokens and fields stand there is what the shop showed, never what was acknowledged once.
"""

from collections.abc import Sequence
from typing import Final

from reconciliation import causes
from reconciliation.books import Comparison, Difference, Mark, OrderBook, joined, silent
from reconciliation.wording import state_words
from returnsops import states

NO_NOTES: Final = "The shop cannot show the notes on an order."
NO_FIELDS: Final = "The shop cannot show fields of ours on an order."


def compare(*, orders: Sequence[OrderBook]) -> Comparison:
    """Every note and field that was written, or given up, against the order."""
    return joined(_of_mark(book, mark) for book in orders if book.snapshot is not None for mark in book.marks)


def _of_mark(book: OrderBook, mark: Mark) -> Comparison:
    if mark.is_moving or not (mark.is_settled or mark.state in (states.REJECTED, states.FAILED)):
        return Comparison()
    shown = _shown(book, mark)
    if shown is None:
        return silent(NO_NOTES if mark.kind == "note" else NO_FIELDS)
    if shown == mark.text:
        return Comparison(matched=1)
    return Comparison(findings=(_difference(book, mark, shown),))


def _shown(book: OrderBook, mark: Mark) -> str | None:
    """The value there, '' = nothing; of a note its own text, as only its token is looked for."""
    if mark.kind == "note":
        tokens = book.shown_tokens
        return None if tokens is None else mark.text if mark.name in tokens else ""
    return None if book.shown_fields is None else book.shown_fields.get(mark.name, "")


def _difference(book: OrderBook, mark: Mark, shown: str) -> Difference:
    is_note = mark.kind == "note"
    cause = causes.NOTE_MISSING if is_note else causes.FIELD_DIFFERS
    if not mark.is_settled:
        cause = causes.MARK_NOT_WRITTEN
    return Difference(
        order_id=book.order_id,
        subject=f"effect:{mark.effect_id}",
        cause=cause,
        side="mismatched" if shown else "only_here",
        about=f"Note {mark.name}" if is_note else f"Field {mark.name}",
        here=mark.text[:200] if mark.is_settled else state_words(mark.state),
        there=shown[:200] or "nothing",
        effect_id=mark.effect_id,
        return_id=mark.return_id,
        evidence={"wanted": mark.text, "on_the_order": shown or "nothing"},
    )
