"""Units of an item at places for goods that are not for sale, by our effects and by the verdicts. Pure."""

from collections.abc import Collection

from returnsops import states

from . import order_money, verdicts
from .holds import WAITS_FOR_PLACE, Finding, waiting
from .keys import business_key
from .view import LineView, ReturnView

OUT = f"reverse:{states.SET_ASIDE}"
_ARRIVED = frozenset({states.DONE, states.CONFIRMED})


def target(view: ReturnView, line: LineView, disposition: str) -> int:
    """Units of an item that came back and are this for good, by the verdicts in force."""
    found = verdicts.in_force(view, line.item_id)
    units = sum(
        verdict.quantity
        for verdict in found
        if verdict.is_final and verdict.disposition == disposition and verdict.outcome not in verdicts.REFUSED_OUTCOMES
    )
    return verdicts.certain(units, found, line)


def there(view: ReturnView, line: LineView, disposition: str) -> int:
    """Units entered at the place of a disposition less those that left it, or are on their way out."""
    return counted(view, states.SET_ASIDE, line, disposition) - counted(view, OUT, line, disposition)


def counted(
    view: ReturnView, kind: str, line: LineView, disposition: str, *, among: Collection[str] = frozenset()
) -> int:
    """Units that effects of this kind count for; ``among`` names the only states that do, where it is given."""
    prefix = business_key(kind, view.ref, line.item_id, disposition) + ":"
    mine = (effect for effect in view.effects if effect.key.startswith(prefix) and order_money.is_counted(effect))
    return sum(effect.quantity or 0 for effect in mine if not among or effect.state in among)


def in_the_way(view: ReturnView, line: LineView, count: int) -> tuple[Finding, ...]:
    """What units wait for that are to be entered: those that lie elsewhere by an older verdict leave it first.

    A shop may move a unit from one place to the next, and it cannot be moved from where it is not yet.
    """
    still = {
        name: counted(view, states.SET_ASIDE, line, name) - counted(view, OUT, line, name, among=_ARRIVED)
        for name in states.DISPOSITIONS
    }
    leaving = sum(max(0, units - target(view, line, name)) for name, units in still.items())
    came = max(
        verdicts.judged(given)
        for given in (verdicts.of_platform(view, line.item_id), verdicts.of_warehouse(view, line.item_id))
    )
    free = min(came, line.quantity) - sum(still.values()) - order_money.put_back(view, line.item_id)
    if not leaving or count <= free:
        return ()
    text = f"waits for {leaving} unit{'' if leaving == 1 else 's'} to leave the place of goods that are not for sale"
    return (waiting(WAITS_FOR_PLACE, text),)
