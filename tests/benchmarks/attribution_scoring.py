"""How well refunds made outside are explained: against the label of each order and a second opinion."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from returnsops.planning.attribution import Answer, explain
from tests.benchmarks.attribution_oracle import opinion
from tests.benchmarks.attribution_orders import Labelled


@dataclass(kw_only=True)
class Score:
    """Counts; ``wrong`` names every automatic application that was not what happened."""

    orders: int = 0
    unique: int = 0
    solved: int = 0
    unique_by_amount: int = 0  # of these: records that name no lines
    solved_by_amount: int = 0
    applied: int = 0
    ranked: int = 0
    wrong: list[str] = field(default_factory=list)
    unfounded: list[str] = field(default_factory=list)
    applied_by_kind: Counter[str] = field(default_factory=Counter)

    @property
    def share_solved(self) -> float:
        """Of what can be explained in one way only, how much was."""
        return self.solved / self.unique if self.unique else 1.0


def scored(orders: Iterable[Labelled]) -> Score:
    """Every order explained, and compared."""
    score = Score()
    for number, one in enumerate(orders):
        _count(score, f"{number} {one.kind}", one, explain(one.question))
    return score


def _count(score: Score, name: str, one: Labelled, answer: Answer) -> None:
    score.orders += 1
    only = opinion(one.question).only
    best = answer.explanations[0] if answer.explanations else None
    mine = None
    if answer.is_unique:
        strict = next(explanation for explanation in answer.explanations if explanation.is_strict)
        mine = (strict.return_ref, tuple(sorted((piece.line_id, piece.units) for piece in strict.pieces)))
    if only is not None:
        score.unique += 1
        score.solved += mine == only
        score.unique_by_amount += not one.question.refund.lines
        score.solved_by_amount += mine == only and not one.question.refund.lines
    if mine is not None and mine != only:
        score.unfounded.append(name)
    if one.truth and best is not None:
        score.ranked += best.return_ref == one.truth
    if answer.is_automatic:
        score.applied += 1
        score.applied_by_kind[one.kind] += 1
        if answer.applied_to != one.truth:
            score.wrong.append(name)
