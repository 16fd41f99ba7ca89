"""A history with healthy returns of every sort and twelve or more gaps of every kind."""

from decimal import Decimal

from connectors.simulators.woocommerce.records import Order
from reconciliation.audit import gaps
from tests.reconciliation.audit.history import History, days

ROUNDS = 5


def play(h: History) -> None:
    """Old healthy ones first, then everything else in one stretch, then what is still under way."""
    _from_before(h)
    h.w.shift(days(60))
    for _ in range(ROUNDS):
        _plain(h)
        _of_several(h)
        _without_gap_of_money(h)
    _doubles(h)
    _goods(h)
    _refunds(h)
    _orders(h)
    h.w.shift(days(20))
    _under_way(h)
    h.w.shift(3600)


# --- healthy --------------------------------------------------------------------------------------------------------


def _from_before(h: History) -> None:
    """Their order or their return did not change in the window; the other one did."""
    early = h.order()
    late = h.done(early, close=False)
    decided_early = h.order()
    return_id = h.ask(decided_early)
    h.judge(return_id)
    h.decide(return_id, h.price)
    h.close(return_id)
    h.w.shift(days(60))
    h.close(late)
    h.refund(decided_early, h.price, units=1, restock=True)
    h.well(2)


def _plain(h: History) -> None:
    h.done(h.order())
    order = h.order()
    h.done(order, by="returns_platform")
    order = h.order(shipping=True)
    return_id = h.ask(order)
    h.judge(return_id)
    h.decide(return_id, h.price + h.step, shipping=str(h.step))
    h.refund(order, h.price + h.step, units=1, shipping=h.step, restock=True)
    h.close(return_id)
    order = h.order(shipping=True)
    return_id = h.ask(order)
    h.judge(return_id, "damaged")
    h.decide(return_id, h.price)
    h.refund(order, h.price + h.step, units=1, shipping=h.step)
    h.close(return_id)
    h.well(4)


def _of_several(h: History) -> None:
    order = h.order()
    h.done(order)
    h.done(order)
    order = h.order(units=1, lines=2)
    ids = [h.ask(order, lines=[0]), h.ask(order, lines=[1])]
    for return_id in ids:
        h.judge(return_id, "quarantine")
        h.decide(return_id, h.price)
    h.refund(order, 2 * h.price)
    for return_id in ids:
        h.close(return_id)
    order = h.order()
    return_id = h.ask(order)
    h.judge(return_id)
    h.decide(return_id, h.price)
    h.refund(order, h.price - h.step, units=1, restock=True)
    h.refund(order, h.step, reason="the rest")
    h.close(return_id)
    order = h.order()
    h.done(order)
    h.refund(order, h.step, reason="Goodwill for the delay")
    order = h.order(shipping=True)
    h.done(order)
    h.refund(order, h.step, shipping=h.step)
    h.well(7)


def _without_gap_of_money(h: History) -> None:
    order = h.order()
    return_id = h.ask(order)  # the shop refunds by its own rule, the platform decides nothing
    h.judge(return_id)
    h.refund(order, h.price - h.step, units=1, restock=True)
    h.close(return_id)
    order = h.order()
    return_id = h.ask(order, order_id=f"WEB-{order.id}", order_number=f"#{order.id}")
    h.judge(return_id)
    h.decide(return_id, h.price)
    h.refund(order, h.price, units=1, restock=True)
    h.close(return_id)
    h.w.platform.decline(h.ask(h.order()), is_silent=True)
    order = h.order()
    return_id = h.ask(order, resolution="exchange")
    h.judge(return_id)
    h.restock(order)
    h.close(return_id)
    h.ask(h.order())  # on its way: nothing is decided yet
    order = h.order(units=3)
    return_id = h.ask(order, 2)
    items = h.w.platform.account.returns[return_id]["items"]
    verdict = {"item_id": items[0]["id"], "quantity": 1, "disposition": "damaged", "disposition_final": True}
    h.w.platform.inspect(return_id, [verdict], is_silent=True)
    h.restock(order)  # the other unit, whose verdict is still to come
    h.well(6)


# --- doubles --------------------------------------------------------------------------------------------------------


def _doubles(h: History) -> None:
    for number in range(12):
        order = h.order(units=3)
        if number < 4:
            _twice(h, order, number)
        elif number < 7:
            return_id = h.ask(order)
            h.judge(return_id, "damaged")
            h.decide(return_id, h.price, by="returns_platform")
            h.refund(order, h.price, units=1, gateway=True)
            h.expect(gaps.PAID_BY_BOTH, order, return_id, amount=h.price)
        elif number < 9:
            return_id = h.done(order, by="returns_platform")
            h.refund(order, h.price, gateway=True)
            h.expect(gaps.PAID_BY_BOTH, order, return_id, amount=h.price)
        else:
            return_id = h.ask(order)
            h.judge(return_id)
            h.decide(return_id, h.price)
            h.refund(order, h.price + h.step, units=1, restock=True)
            h.close(return_id)
            h.expect(gaps.MORE_THAN_DECIDED, order, return_id, amount=h.step)


def _twice(h: History, order: Order, number: int) -> None:
    return_id = h.done(order)
    h.refund(order, h.price, units=number % 2, gateway=number == 3)
    h.expect(gaps.REFUNDED_TWICE, order, return_id, amount=h.price)


# --- goods ----------------------------------------------------------------------------------------------------------


def _goods(h: History) -> None:
    for number in range(6):
        units = 1 + number % 2
        order = h.order(units=3)
        return_id = h.ask(order, units)
        h.judge(return_id, units=units)
        h.decide(return_id, h.price * units)
        h.refund(order, h.price * units, units=units)
        if number == 5:
            h.restock(order)
        h.close(return_id)
        h.expect(gaps.NOT_RESTOCKED, order, return_id, units=units - (number == 5))
    for number in range(6):
        order = h.order(units=3)
        return_id = h.ask(order, 2)
        h.judge(return_id, ("damaged", "quarantine", "refurbish")[number % 3], units=2)
        h.decide(return_id, h.price * 2)
        h.refund(order, h.price * 2, units=1 + number % 2, restock=True)
        h.close(return_id)
        h.expect(gaps.RESTOCKED_UNSELLABLE, order, return_id, units=1 + number % 2)


# --- refunds without record -----------------------------------------------------------------------------------------


def _refunds(h: History) -> None:
    for number in range(6):
        order = h.order()
        return_id = h.ask(order)
        h.judge(return_id, "damaged")
        h.decide(return_id, h.price, by=("returns_platform", "commerce_platform")[number % 2])
        if number < 4:
            h.close(return_id)
        else:  # open, but for weeks: a gap, and still to be sent
            h.expect(gaps.WOULD_SEND, order, return_id, amount=h.price)
        h.expect(gaps.NOT_IN_SHOP, order, return_id, amount=h.price)
    for number in range(3):
        order = h.order()
        h.refund(order, h.price, units=number % 2)
        h.expect(gaps.NOT_EXPLAINED, order, amount=h.price)
    for _ in range(2):
        order = h.order(lines=2)
        h.done(order)
        h.refund(order, h.price + h.step, units=1, line=1)
        h.expect(gaps.NOT_EXPLAINED, order, amount=h.price + h.step)
    _of_other_goods(h)
    order = h.order()
    return_id = h.ask(order)
    h.judge(return_id)
    h.decide(return_id, h.price)
    h.refund(order, h.price - h.step, units=1, restock=True)
    h.close(return_id)
    h.expect(gaps.RECORDED_FOR_LESS, order, return_id, amount=h.step)


def _of_other_goods(h: History) -> None:
    """The same amount for other goods hides neither gap; goods that came back with it are no stock of the return."""
    order = h.order(lines=2)
    return_id = h.ask(order)
    h.judge(return_id, "damaged")
    h.decide(return_id, h.price)
    h.close(return_id)
    h.refund(order, h.price, units=1, line=1)
    h.expect(gaps.NOT_IN_SHOP, order, return_id, amount=h.price)
    h.expect(gaps.NOT_EXPLAINED, order, amount=h.price)
    order = h.order(units=3)
    return_id = h.ask(order)
    h.judge(return_id, "damaged")
    h.decide(return_id, h.price - h.step)
    h.refund(order, h.price - h.step, reason=f"return {return_id}")
    h.close(return_id)
    h.refund(order, h.price * 2, units=1, restock=True)
    h.expect(gaps.MORE_THAN_DECIDED, order, return_id, amount=h.price * 2)


# --- orders ---------------------------------------------------------------------------------------------------------


def _orders(h: History) -> None:
    for number in range(12):
        if number < 8:
            return_id = h.ask(None, order_id=str(900_000 + number))
            h.planted.append((gaps.ORDER_NOT_FOUND, str(900_000 + number), return_id, h.price, None))
        else:
            order = h.order()
            return_id = h.ask(order)
            h.w.shop.trash(order.id)
            h.expect(gaps.ORDER_IN_BIN, order, return_id, amount=h.price)
        h.judge(return_id)
        h.close(return_id)


# --- under way ------------------------------------------------------------------------------------------------------


def _under_way(h: History) -> None:
    for number in range(12):
        order = h.order()
        return_id = h.ask(order)
        amount: Decimal | None = None
        if number % 3 != 1:
            h.decide(return_id, h.price)
            amount = h.price
        if number % 3 != 2:
            h.judge(return_id)
        h.expect(gaps.WOULD_SEND, order, return_id, amount=amount, units=1 if number % 3 != 2 else None)
