"""A return asked for after its window: what holds money and credit that we give for it. Pure."""

from zoneinfo import ZoneInfo

from returnsops import states

from .holds import Finding, problem
from .policy import Policy
from .view import ReturnView
from .window import window_of


def outside_window(view: ReturnView, policy: Policy) -> Finding | None:
    """Asked for after the last second of the window's last day in the shop's time zone."""
    if view.order is None or view.requested_at is None:
        return None
    days = policy.window_days(view.resolution)
    window = window_of(placed_at=view.order.placed_at, days=days, time_zone=view.shop_time_zone)
    if window is None or not window.is_closed(view.requested_at):
        return None
    asked = view.requested_at.astimezone(ZoneInfo(view.shop_time_zone))
    return problem(
        view,
        states.CASE_OUTSIDE_WINDOW,
        f"the return was asked for on {asked:%d %B %Y}, after the window of {window.days} days closed on "
        f"{window.last_date:%d %B %Y}. Decline it in the returns platform, or release it as an exception.",
        evidence={"asked": asked.isoformat(), "last_day": window.last_date.isoformat(), "days": window.days},
    )
