"""Every fact has a sentence, and what is prose already is left alone."""

import pytest

from returnsops.facts import Fact
from returnsops.models import InboundEvent
from returnsops.selectors.fact_words import FACT_SENTENCES, OUTCOME_LENGTH, told


def _concrete(kind: type[Fact]) -> set[str]:
    below = [child for child in kind.__subclasses__() if child.__module__.startswith("returnsops.facts")]
    return set().union(*(_concrete(child) for child in below)) if below else {kind.__name__}


def test_every_fact_has_a_sentence_of_its_own() -> None:
    assert set(FACT_SENTENCES) == _concrete(Fact)
    assert len(set(FACT_SENTENCES.values())) == len(FACT_SENTENCES)
    for name, sentence in FACT_SENTENCES.items():
        assert (name in sentence, sentence[-1]) == (False, ".")


@pytest.mark.parametrize(
    ("topic", "outcome", "sentences"),
    [
        ("refund.issued", "ReturnSeen, RefundIssued", "A refund was decided."),
        ("pull.return", "ReturnSeen", "The platform showed how the return stands."),
        (
            "return.inspected",
            "ReturnSeen, ParcelReceived, ItemsInspected, ItemsInspected",
            "A parcel is at the warehouse. Items were inspected.",
        ),
        ("order.read", "applied", "The order was read."),
        ("order.gone", "applied", "The order is in the bin or cannot be found any more."),
        ("HoldWaived", "applied", "A hold was released."),
        ("of.someone", "applied", ""),
        ("refund.issued", "The body is not JSON, RefundIssued", ""),
        ("refund.issued", "RefundIssued, RefundIss", ""),
        ("refund.issued", "nothing to do", ""),
        ("refund.issued", "", ""),
    ],
)
def test_facts_become_sentences_and_prose_passes(topic: str, outcome: str, sentences: str) -> None:
    assert told(topic=topic, outcome=outcome) == sentences


def test_a_list_cut_at_the_end_of_its_field_is_told_without_the_half_name() -> None:
    assert InboundEvent._meta.get_field("outcome").max_length == OUTCOME_LENGTH
    cut = ", ".join(["OrderMayHaveChanged"] * 40)[:OUTCOME_LENGTH]
    assert told(topic="poll", outcome=cut) == "The order may have changed."
    assert told(topic="poll", outcome="x" * OUTCOME_LENGTH) == ""
