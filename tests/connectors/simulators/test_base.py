"""Faults are applied around the vendor's app, and every call is recorded."""

import pytest
import requests

from connectors.simulators.base import Fault, FaultKind, Simulator
from connectors.simulators.wsgi_transport import mounted_session
from tests.connectors.simulators.echo import START, counting_simulator

URL = "http://vendor.test/things"


def post(simulator: Simulator) -> requests.Response:
    return mounted_session(simulator, "http://vendor.test").post(URL, data=b"x", timeout=5)


def test_without_faults_the_app_answers_and_the_call_is_recorded() -> None:
    simulator, _, _ = counting_simulator()
    session = mounted_session(simulator, "http://vendor.test")
    answer = session.post(f"{URL}?page=2&consumer_secret=cs_1", json={"amount": "1.00", "secret": "s3cret"}, timeout=5)
    assert answer.json() == {"n": 1}
    (call,) = simulator.calls.all()
    assert (call.method, call.path, call.status, call.at, call.fault) == ("POST", "/things", 200, START, "")
    assert call.query == (("page", "2"),)
    assert call.body == {"amount": "1.00", "secret": "(hidden)"}
    assert simulator.calls.writes() == [call]
    assert simulator.calls.matching("GET") == []
    assert simulator.calls.matching("POST", "^/thing") == [call]


@pytest.mark.parametrize(
    ("kind", "changes_made"),
    [(FaultKind.LOST_ANSWER, 1), (FaultKind.LOST_REQUEST, 0), (FaultKind.LATE_COMMIT, 0)],
)
def test_a_dropped_connection_is_an_error_and_the_change_is_made_or_not(kind: FaultKind, changes_made: int) -> None:
    simulator, counter, _ = counting_simulator()
    simulator.faults.script(Fault(kind=kind))
    with pytest.raises((requests.ConnectionError, requests.ReadTimeout)):
        post(simulator)
    assert len(counter.bodies) == changes_made
    assert [(call.status, call.fault) for call in simulator.calls.all()] == [(None, kind.value)]
    assert post(simulator).status_code == 200


def test_a_late_commit_is_made_on_release() -> None:
    simulator, counter, _ = counting_simulator()
    simulator.faults.script(Fault(kind="late_commit"))
    with pytest.raises(requests.ReadTimeout):
        post(simulator)
    assert counter.bodies == []
    assert simulator.release() == 1
    assert counter.bodies == [b"x"]
    assert simulator.release() == 0


def test_a_late_commit_with_a_delay_is_made_before_the_next_request_after_it() -> None:
    simulator, counter, clock = counting_simulator()
    simulator.faults.script(Fault(kind="late_commit", delay_s=30))
    with pytest.raises(requests.ReadTimeout):
        post(simulator)
    clock.advance(29)
    assert post(simulator).json() == {"n": 1}
    clock.advance(1)
    assert post(simulator).json() == {"n": 3}
    assert len(counter.bodies) == 3


@pytest.mark.parametrize(
    ("fault", "status", "changes_made"),
    [
        (Fault(kind="rate_limited", retry_after_s=7), 429, 0),
        (Fault(kind="server_error", status=502), 502, 0),
        (Fault(kind="server_error_after_commit", status=500), 500, 1),
    ],
)
def test_an_error_page_is_html_and_the_change_is_made_or_not(fault: Fault, status: int, changes_made: int) -> None:
    simulator, counter, _ = counting_simulator()
    simulator.faults.script(fault)
    answer = post(simulator)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=UTF-8")
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert len(counter.bodies) == changes_made


def test_a_slow_answer_moves_the_clock_and_is_a_timeout_where_the_caller_waits_less() -> None:
    simulator, counter, clock = counting_simulator()
    simulator.faults.script(Fault(kind="slow", delay_s=4), Fault(kind="slow", delay_s=6))
    assert post(simulator).status_code == 200
    assert (clock.now() - START).total_seconds() == 4
    with pytest.raises(requests.ReadTimeout):
        post(simulator)
    assert len(counter.bodies) == 2


def test_the_page_knows_no_faults_and_is_not_in_the_log() -> None:
    simulator, _, _ = counting_simulator()
    simulator.faults.script(Fault(kind="server_error"))
    session = mounted_session(simulator, "http://vendor.test")
    assert session.get("http://vendor.test/", timeout=5).status_code == 200
    assert simulator.calls.all() == []
    assert session.get(URL, timeout=5).status_code == 503
