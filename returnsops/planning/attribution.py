"""What a refund made outside was for: explanations, ranked, and whether there is exactly one (S1-23, S4-16). Pure.

The rules are strict, since money follows from them. Lines that the record names are believed where they add up. An
amount without lines is explained only by whole units, whole shipping and whole fees; a round amount, or a round share
of the order, may be goodwill, and then nothing is said for certain. ``docs/adr/0009`` gives the reasons.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from returnsops import money
from returnsops.facts import OrderSnapshot, RemoteRefundLine

from . import amounts
from .attribution_search import Choice, Ways, choices_of, search
from .view import ShopRefundView

MOST: Final = 8  # explanations that are shown
ROUND_SHARES: Final = (5, 10, 15, 20, 25, 30, 50)  # per cent of the order that people give as goodwill
Serves = Literal["full", "part", "more", "none"]


@dataclass(frozen=True, kw_only=True)
class OpenReturn:
    """A return of the order: units per order line that still want money, all its lines, what the platform decided."""

    ref: str
    number: str = ""
    wanted: tuple[tuple[str, int], ...] = ()
    lines: frozenset[str] = frozenset()
    payouts: tuple[Decimal, ...] = ()
    has_shipping: bool = False
    requested_at: datetime | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """One refund made outside, what everything else takes of the order, and the returns it may have been for.

    ``is_sure`` is False where something beside it is not known, e.g. another refund nobody explained yet.
    """

    order: OrderSnapshot
    refund: ShopRefundView
    taken: tuple[RemoteRefundLine, ...] = ()
    returns: tuple[OpenReturn, ...] = ()
    is_sure: bool = True


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Part of an explanation; ``low`` and ``high`` span what these units may be worth, tax included."""

    kind: Literal["units", "shipping", "fee", "goodwill"]
    line_id: str
    name: str
    units: int
    low: Decimal
    high: Decimal


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What the refund may have been for; ``return_ref`` '' = for none of the returns."""

    pieces: tuple[Piece, ...]
    return_ref: str
    serves: Serves
    score: int
    words: str
    is_strict: bool = True

    @property
    def code(self) -> str:
        """Its identity within one question."""
        pieces = ",".join(f"{piece.kind}:{piece.line_id}:{piece.units}" for piece in self.pieces)
        return f"{self.return_ref or 'none'}|{pieces}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All explanations found, best first. ``is_unique``: one, and only one, holds under the strict rules."""

    refund_id: str
    explanations: tuple[Explanation, ...]
    is_unique: bool
    applied_to: str | None = None  # what may be applied without a person: a return's ref, '' = none of them

    @property
    def is_automatic(self) -> bool:
        """Whether it may be applied without a person."""
        return self.applied_to is not None


def explain(question: Question) -> Answer:
    """Everything the refund may have been for. Never raises for odd records: what cannot be said is not said."""
    refund, order = question.refund, question.order
    if refund.currency != order.currency or not money.is_exact(refund.amount, currency=order.currency):
        return Answer(refund_id=refund.refund_id, explanations=(), is_unique=False)
    named = [line for line in refund.lines if line.quantity or amounts.gross([line])]
    found, is_complete = _by_lines(question, named) if named else _by_amount(question)
    ranked = sorted({one.code: one for one in found}.values(), key=lambda one: (-one.score, one.code))
    strict = [one for one in ranked if one.is_strict]
    is_unique = is_complete and question.is_sure and len(strict) == 1 and not any(_may_be(one) for one in ranked)
    applied_to = _applied_to(question, strict[0], has_names=bool(named)) if is_unique else None
    return Answer(
        refund_id=refund.refund_id, explanations=tuple(ranked[:MOST]), is_unique=is_unique, applied_to=applied_to
    )


def _may_be(one: Explanation) -> bool:
    """Goodwill and a platform's own figure are no strict explanations, but speak against a single one."""
    return not one.is_strict and one.score >= _PLAUSIBLE


_PLAUSIBLE: Final = 30


def _applied_to(question: Question, one: Explanation, *, has_names: bool) -> str | None:
    """The return it is for, '' for none, None where a person has to say so after all.

    For none only where the record itself names lines that no return touches: an amount alone proves no absence.
    """
    if not one.return_ref:
        touched = {line_id for other in question.returns for line_id in other.lines}
        wants_shipping = any(other.has_shipping for other in question.returns)
        is_paid = any(question.refund.amount in other.payouts for other in question.returns)
        is_clear = has_names and not wants_shipping and not is_paid
        return "" if is_clear and not touched & {piece.line_id for piece in one.pieces} else None
    served = next(other for other in question.returns if other.ref == one.return_ref)
    is_before = served.requested_at is None or question.refund.refunded_at < served.requested_at
    return None if is_before or one.serves not in ("full", "part") else one.return_ref


# --- by the lines that the record names ------------------------------------------------------------------------------


def _by_lines(question: Question, named: Sequence[RemoteRefundLine]) -> tuple[list[Explanation], bool]:
    way = _named_way(question, named)
    if way is not None:
        return _explanations(question, way, base=100), True
    lines = {line.line_id: line for line in question.order.lines}
    pieces = tuple(
        _piece_of("goodwill", line.line_id, lines[line.line_id].name, amounts.gross([line]))
        for line in named
        if line.line_id in lines
    )
    refs = [other.ref for other in question.returns if other.lines & {line.line_id for line in named}]
    return [_loose(question, pieces, ref, score=40 if ref else 35) for ref in (*refs, "")], True


def _named_way(question: Question, named: Sequence[RemoteRefundLine]) -> Ways | None:
    """The choices that the named lines stand for; None where they do not add up to the refund or to whole units."""
    currency = question.order.currency
    if amounts.gross(named) != question.refund.amount or len({line.line_id for line in named}) < len(named):
        return None
    way: list[Choice] = []
    for line in named:
        worth = money.to_minor(money.rounded(amounts.gross([line]), currency=currency), currency=currency)
        fitting = [choice for choice in _choices(question, line.line_id) if _is_named(choice, line, worth)]
        if len(fitting) != 1:
            return None
        way.append(fitting[0])
    return tuple(way)


def _is_named(choice: Choice, line: RemoteRefundLine, worth: int) -> bool:
    """Shipping and fees count for any part of what is left; units have to be whole ones, counted or not."""
    if choice.line.kind != "item":
        return 0 < worth <= choice.high
    return choice.is_worth(worth) and line.quantity in (0, choice.units)


def _choices(question: Question, line_id: str) -> tuple[Choice, ...]:
    found = (line for line in question.order.lines if line.line_id == line_id)
    return tuple(
        choice for line in found for choice in choices_of(line, question.taken, currency=question.order.currency)
    )


# --- by the amount alone ---------------------------------------------------------------------------------------------


def _by_amount(question: Question) -> tuple[list[Explanation], bool]:
    """First what each return asks for, so that it is found in the largest order too; then everything else."""
    currency = question.order.currency
    amount_minor = money.to_minor(question.refund.amount, currency=currency)
    groups = [choices_of(line, question.taken, currency=currency) for line in question.order.lines]
    ways: dict[tuple[tuple[str, int], ...], Ways] = {}
    for other in question.returns:
        mine = [group for group in groups if group and group[0].line.line_id in other.lines | _extras(question)]
        ways |= _each(search(mine, amount_minor, most=MOST).ways)
    everything = search(groups, amount_minor, most=MOST)
    ways |= _each(everything.ways)
    found = [one for way in ways.values() for one in _explanations(question, way, base=60)]
    found.extend(_decided(question, {one.return_ref for one in found}))
    found.append(_goodwill(question, amount_minor))
    return found, everything.is_complete


def _extras(question: Question) -> frozenset[str]:
    return frozenset(line.line_id for line in question.order.lines if line.kind != "item")


def _each(ways: Iterable[Ways]) -> dict[tuple[tuple[str, int], ...], Ways]:
    return {tuple(sorted((choice.line.line_id, choice.units) for choice in way)): way for way in ways}


def _decided(question: Question, explained: set[str]) -> Iterable[Explanation]:
    """The very amount that the platform decided for a return that its units do not explain: a fee was taken off."""
    for other in question.returns:
        if question.refund.amount in other.payouts and other.ref not in explained:
            yield _loose(question, (), other.ref, score=_PLAUSIBLE + 15)


def _goodwill(question: Question, amount_minor: int) -> Explanation:
    piece = _piece_of("goodwill", "", "the order", question.refund.amount)
    is_round = _is_round(question, amount_minor)
    return _loose(question, (piece,), "", score=_PLAUSIBLE + 5 if is_round else 10)


def _is_round(question: Question, amount_minor: int) -> bool:
    """Five whole units of the currency and their multiples (500 where it has no smaller ones), or a round share."""
    digits = money.exponent(question.order.currency)
    if amount_minor % (5 * 10**digits if digits else 500) == 0:
        return True
    total = money.to_minor(
        money.rounded(question.order.total, currency=question.order.currency), currency=question.order.currency
    )
    return any(amount_minor == (2 * total * share + 100) // 200 for share in ROUND_SHARES)


# --- explanations ----------------------------------------------------------------------------------------------------


def _explanations(question: Question, way: Ways, *, base: int) -> list[Explanation]:
    """One for each return that could be meant; one for none where no return touches these lines."""
    way = tuple(sorted(way, key=lambda choice: (choice.line.kind, choice.line.line_id)))
    touched = {choice.line.line_id for choice in way}
    meant = [other for other in question.returns if other.lines & touched]
    serving = [_serving(question, way, other, base=base) for other in meant]
    made = [one for one in serving if one is not None]
    return made or [_explanation(question, way, "", "none", score=base - 20)]


def _serving(question: Question, way: Ways, other: OpenReturn, *, base: int) -> Explanation | None:
    wanted = {line_id: units for line_id, units in other.wanted if units > 0}
    units = {choice.line.line_id: choice.units for choice in way if choice.units}
    if not wanted.keys() & units.keys():
        return None
    is_within = all(count <= wanted.get(line_id, 0) for line_id, count in units.items())
    has_extras = any(not choice.units for choice in way)
    is_full = all(units.get(line_id, 0) >= count for line_id, count in wanted.items())
    serves: Serves = "more" if not is_within or (has_extras and not is_full) else "full" if is_full else "part"
    evidence = _evidence(question, other)
    score = base + {"full": 20, "part": 10}.get(serves, 0) + evidence
    return _explanation(question, way, other.ref, serves, score=score)


def _evidence(question: Question, other: OpenReturn) -> int:
    """What else speaks for or against this return: its number in the reason, the platform's figure, the times."""
    refund = question.refund
    points = 15 if other.number and other.number.lower() in refund.reason.lower() else 0
    points += 5 if refund.amount in other.payouts else 0
    if other.requested_at is not None and refund.refunded_at < other.requested_at:
        return points - 15
    return points + (5 if other.received_at is not None and refund.refunded_at >= other.received_at else 0)


def _explanation(question: Question, way: Ways, ref: str, serves: Serves, *, score: int) -> Explanation:
    currency = question.order.currency
    pieces = tuple(
        Piece(
            kind="units" if choice.units else "shipping" if choice.line.kind == "shipping" else "fee",
            line_id=choice.line.line_id,
            name=choice.line.name or f"line {choice.line.line_id}",
            units=choice.units,
            low=money.from_minor(choice.low, currency=currency),
            high=money.from_minor(choice.high, currency=currency),
        )
        for choice in way
    )
    words = _words(question, pieces, ref, serves)
    return Explanation(pieces=pieces, return_ref=ref, serves=serves, score=score, words=words)


def _loose(question: Question, pieces: tuple[Piece, ...], ref: str, *, score: int) -> Explanation:
    """An explanation that does not rest on whole units."""
    serves: Serves = "more" if ref else "none"
    words = _words(question, pieces, ref, serves)
    return Explanation(pieces=pieces, return_ref=ref, serves=serves, score=score, words=words, is_strict=False)


def _piece_of(kind: Literal["goodwill"], line_id: str, name: str, amount: Decimal) -> Piece:
    return Piece(kind=kind, line_id=line_id, name=name, units=0, low=amount, high=amount)


def _words(question: Question, pieces: Sequence[Piece], ref: str, serves: Serves) -> str:
    what = " + ".join(_piece_words(piece) for piece in pieces) or "the very amount the returns platform decided"
    if not ref:
        return f"{what}; no open return"
    label = next((other.number for other in question.returns if other.ref == ref), "") or ref
    how = {"full": "all of", "part": "part of", "more": "and more than is asked for by"}[serves]
    return f"{what}; {how} return {label}" if pieces else f"{what} for return {label}"


def _piece_words(piece: Piece) -> str:
    if piece.kind == "units":
        return f"{piece.units} x {piece.name}"
    return {"shipping": f"shipping ({piece.name})", "fee": f"fee ({piece.name})"}.get(
        piece.kind, f"goodwill on {piece.name}"
    )


def shown(answer: Answer) -> list[dict[str, Any]]:
    """The explanations as a case shows them, best first."""
    return [
        {"rank": rank, "refund": answer.refund_id, "explanation": one.words, "points": one.score}
        for rank, one in enumerate(answer.explanations, start=1)
    ]
