"""May these units still be returned? Asked of the shop now, answered by the policy, and nothing is guessed (S4-5).

The final order is read fresh within a deadline and the connection's budget; what cannot be read is an error, never an
answer. Nothing is stored: asking leaves no trace of a customer.
"""

import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from connectors import budget, ports
from connectors.delivery_cases import pause_for_auth
from connectors.registry import connector_for, link_for
from returnsops import states
from returnsops.facts import OrderSnapshot
from returnsops.models import ApiToken, Connection, Order, Route
from returnsops.planning.eligibility import Answer, Asked, decide, units_returned
from returnsops.planning.policy import parse_policy
from returnsops.planning.window import Window, window_of
from returnsops.selectors.returned_before import returned_before

DEADLINE_S: Final = 15.0  # for all reads of one question together
MAX_WAIT_S: Final = 1.0  # where refunds need the budget, a question steps back rather than waits
AGAIN_S: Final = 30


class OrderUnknown(Exception):
    """There is no such order, or the e-mail address is another one: which of the two is never told."""


class ShopUnavailable(Exception):
    """The shop cannot be asked now."""

    def __init__(self, *, after_s: float = AGAIN_S) -> None:
        super().__init__("The shop cannot be asked at the moment.")
        self.after_s = max(1, round(after_s))


class QuestionError(Exception):
    """A question that names no one shop or route; ``field`` is what to correct."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field, self.text = field, text


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which order, who says it is theirs, and what is to come back. ``email`` '' only where an id is given."""

    route: Route
    asked: Sequence[Asked]
    order_number: str = ""
    order_id: str = ""
    email: str = ""
    resolution: str = "refund"


@dataclass(frozen=True, kw_only=True)
class Eligibility:
    """The answer for every entry, with the window of the order."""

    order: OrderSnapshot
    window: Window | None
    time_zone: str
    answers: tuple[Answer, ...]


def route_for(*, token: ApiToken, connection: str, route: str) -> Route:
    """The one route that serves the shop for this caller. Raises QuestionError where none or several do."""
    rows = Route.objects.filter(commerce__isnull=False, policy__isnull=False).exclude(mode=states.ROUTE_OFF)
    mine = [row for row in rows.select_related("commerce", "policy") if token.may_use(row)]
    if connection:
        mine = [row for row in mine if row.commerce is not None and row.commerce.name == connection]
    if route:
        mine = [row for row in mine if row.name == route]
    if len(mine) == 1:
        return mine[0]
    field = "route" if route else "connection"
    if not mine:
        raise QuestionError(field, "No route of this token serves that shop, or the route is off.")
    shops = {row.commerce_id for row in mine}
    if len(shops) > 1:
        raise QuestionError("connection", "Several shops could be meant; name the connection.")
    raise QuestionError("route", "Several routes serve this shop; name the route.")


def check(question: Question, *, at: datetime) -> Eligibility:
    """The answer. Raises OrderUnknown and ShopUnavailable."""
    connection, policy_row = question.route.commerce, question.route.policy
    assert connection is not None and policy_row is not None  # noqa: PT018 - route_for gives no other
    order = _surely(connection, question, at=at)
    if order is None or order.is_gone or not _is_theirs(order, question):
        raise OrderUnknown
    policy = parse_policy(policy_row.document)
    days = policy.window_days(question.resolution)
    window = window_of(placed_at=order.placed_at, days=days, time_zone=connection.time_zone)
    before = returned_before(connection=connection, order=order)
    returned = units_returned(order, by_returns=before.units, of_returns=before.refund_ids)
    answers = decide(order, question.asked, returned=returned, window=window, now=at)
    return Eligibility(order=order, window=window, time_zone=connection.time_zone, answers=answers)


def _is_theirs(order: OrderSnapshot, question: Question) -> bool:
    if not question.email:
        return bool(question.order_id)
    given, known = _folded(question.email), _folded(order.customer_email)
    return bool(known) and hmac.compare_digest(given, known)


def _folded(email: str) -> bytes:
    return email.strip().casefold().encode()


# --- asking the shop -----------------------------------------------------------------------------------------------


def _surely(connection: Connection, question: Question, *, at: datetime) -> OrderSnapshot | None:
    """The order as it is now. Whatever goes wrong there is ShopUnavailable."""
    until = budget.waits_until(connection_id=connection.pk, at=at)
    if until is not None:
        raise ShopUnavailable(after_s=(until - at).total_seconds())
    try:
        return _found(connection, question)
    except ports.RateLimited as error:
        raise ShopUnavailable(after_s=error.after_s) from None
    except ports.AuthFailed as error:
        pause_for_auth(connection=connection, text=error.text, at=at)
        raise ShopUnavailable from None
    except ports.VendorError:
        raise ShopUnavailable from None


def _found(connection: Connection, question: Question) -> OrderSnapshot | None:
    connector = connector_for(connection.vendor)
    read = connector.read_order
    if read is None:
        raise ports.Rejected(f"{connection.vendor} has no orders to read.", code="no_orders")
    link = _link(connection)
    if question.order_id:
        return read(link, question.order_id)
    known = _known_id(connection, question.order_number)
    order = read(link, known) if known else None
    if order is not None and order.number == question.order_number:
        return order
    found = connector.find_order(link, question.order_number) if connector.find_order else None
    return read(link, found) if found else None


def _known_id(connection: Connection, number: str) -> str:
    """The id from our own rows, '' where they name none or more than one."""
    rows = Order.objects.filter(connection=connection, number=number).values_list("external_id", flat=True)[:2]
    return rows[0] if len(rows) == 1 else ""


def _link(connection: Connection) -> ports.Link:
    """A link whose calls all end within one deadline."""
    link = link_for(connection, max_wait_s=MAX_WAIT_S)
    ends = time.monotonic() + DEADLINE_S

    def call(method: str, url: str, *, timeout_s: float = DEADLINE_S, **fields: Any) -> ports.Answer:
        left_s = ends - time.monotonic()
        if left_s <= 0:
            raise ports.Retryable("The shop took too long to answer.")
        return link.call(method, url, timeout_s=min(timeout_s, left_s), **fields)

    return replace(link, call=call)
