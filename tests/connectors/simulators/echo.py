"""A counting WSGI app to put the simulator parts around."""

from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from connectors.simulators.base import SimulatedClock, Simulator

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Counter:
    """Answers every request with its number and keeps the bodies it was given."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Count one request."""
        self.bodies.append(Request(environ).get_data())
        return Response(f'{{"n":{len(self.bodies)}}}', content_type="application/json")(environ, start_response)


def counting_simulator() -> tuple[Simulator, Counter, SimulatedClock]:
    """A simulator around a counter, with its clock."""
    counter, clock = Counter(), SimulatedClock(START)
    return Simulator(app=counter, clock=clock), counter, clock
