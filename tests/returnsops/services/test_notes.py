"""Notes are append-only and short."""

import pytest

from returnsops.services.notes import NoteError, add_note
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_a_note_is_history_for_ever() -> None:
    entry = add_note(rma=make.ReturnFactory(), text="  Called.  ", by="cx", at=make.NOW)
    assert (entry.text, entry.act) == ("Called.", "note")
    entry.text = "Never called."
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


@pytest.mark.parametrize("text", ["", "   ", "x" * 501])
def test_an_empty_or_too_long_note_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        add_note(rma=make.ReturnFactory(), text=text, by="cx", at=make.NOW)
