"""Which returns belong to which order: by the shop's id, else by the order's number. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciliation.audit.books import Returned
from returnsops.facts import OrderSnapshot


@dataclass(kw_only=True)
class Index:
    """Returns by what they say of their order; of a return read twice the later reading counts."""

    returns: dict[tuple[str, str], Returned] = field(default_factory=dict)
    by_name: dict[str, set[tuple[str, str]]] = field(default_factory=dict)  # order id, or number where no id is told
    assigned: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many returns there are."""
        return len(self.returns)

    def add(self, found: Returned) -> None:
        """Know one more."""
        key = (found.platform, found.return_id)
        self.returns[key] = found
        self.by_name.setdefault(found.order_id or plain(found.order_number), set()).add(key)

    def assign(self, order_id: str, found: Returned) -> None:
        """This return belongs to that order, whatever its own words suggest."""
        self.assigned.setdefault(order_id, set()).add((found.platform, found.return_id))

    def of(self, order: OrderSnapshot) -> tuple[Returned, ...]:
        """The returns of an order, oldest first."""
        keys = self.by_name.get(order.order_id, set()) | self.assigned.get(order.order_id, set())
        keys |= {key for key in self.by_name.get(order.number, ()) if self._is_by_number(key, order)}
        found = [self.returns[key] for key in keys if self._names(key, order)]
        return tuple(sorted(found, key=lambda one: (one.created_at, one.platform, one.return_id)))

    def all(self) -> Iterator[Returned]:
        """Every return, in the order they were read."""
        yield from list(self.returns.values())

    def _is_by_number(self, key: tuple[str, str], order: OrderSnapshot) -> bool:
        """A platform that knows no id, or writes the number where the id belongs."""
        found = self.returns[key]
        return not found.order_id or found.order_id in (found.order_number, order.number)

    def _names(self, key: tuple[str, str], order: OrderSnapshot) -> bool:
        """The return as read last still means this order."""
        found = self.returns[key]
        said = {found.order_id, plain(found.order_number)}
        return key in self.assigned.get(order.order_id, ()) or bool(said & {order.order_id, order.number})


def contradicts(order: OrderSnapshot, found: Returned) -> bool:
    """Whether a return names this order's id and another order's number: then nobody knows which it means."""
    number = plain(found.order_number)
    is_by_id = found.order_id == order.order_id
    return is_by_id and number not in ("", order.number, order.order_id)


def plain(number: str) -> str:
    """An order number without the decoration that platforms put before it."""
    return number.strip().lstrip("#").strip()
