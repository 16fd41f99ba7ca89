"""The simulated account answers as the published pages and two clients say (rebound.md A1, C3, C4)."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from connectors.simulators.base import SimulatedClock
from connectors.simulators.rebound import (
    API_KEY,
    BAD_KEYS_TO_BLOCK,
    LABEL_BYTES,
    LOGIN,
    DateFormat,
    ReboundAccount,
)
from connectors.simulators.wsgi_transport import mounted_session

URL = "https://rebound.example"
START = datetime(2026, 5, 4, 9, tzinfo=UTC)
GET = "/returns/get/json"


def _account(**details: Any) -> tuple[ReboundAccount, requests.Session]:
    account = ReboundAccount(clock=SimulatedClock(START), **details)
    return account, mounted_session(account.simulator, URL)


def _ask(session: requests.Session, path: str, asked: Any, **form: str) -> tuple[int, Any]:
    fields = {"login": LOGIN, "api_key": API_KEY, "request": json.dumps(asked), **form}
    answer = session.post(URL + path, data=fields, timeout=5)
    return answer.status_code, answer.json()


def _code(answer: tuple[int, Any]) -> tuple[int, str]:
    status, document = answer
    assert isinstance(document["error"]["message"], list)
    return status, document["error"]["code"]


def test_a_return_is_text_throughout_and_has_a_large_label() -> None:
    account, session = _account()
    item = {"sku_code": "MUG-RED", "quantity": "2"}
    return_id = account.create_return(order_reference="#1042", items=[item])
    status, document = _ask(session, GET, {"return": {"id": return_id, "type": "id"}})
    found = document["success"]
    assert status == 200
    assert (found["id"], found["order_reference"], found["date_added"]) == (return_id, "#1042", "2026-05-04 09:00:00")
    assert len(base64.b64decode(found["label"])) == LABEL_BYTES
    plain = {name: value for name, value in found.items() if name != "item"}
    assert all(value is None or isinstance(value, str) for value in plain.values())
    (row,) = found["item"]
    assert (row["quantity"], row["price"], row["reason"][0]["wish"]) == ("2", "12.00", "Refund")


def test_the_search_takes_days_and_says_empty_for_none() -> None:
    account, session = _account()
    days = {"filter": {"date_from": "2026/05/01", "date_to": "2026/05/04"}}
    assert _code(_ask(session, "/returns/search/json", days)) == (200, "empty")
    return_id = account.create_return(order_reference="1", items=[{"sku_code": "A"}])
    assert _ask(session, "/returns/search/json", days) == (200, {"success": {"id": [return_id]}})


@pytest.mark.parametrize(
    ("path", "request_text", "form", "code"),
    [
        ("/orders/get/json", "{}", {}, "unknown_call"),
        (GET, "", {}, "request_empty"),
        (GET, "{", {}, "json_invalid"),
        (GET, "{}", {}, "request_wrong"),
        (GET, '{"return": {"id": "1", "type": "display_id"}}', {}, "request_wrong"),
        (GET, '{"return": {"id": "1", "type": "id"}}', {}, "empty"),
        (GET, "{}", {"login": ""}, "login_empty"),
        (GET, "{}", {"api_key": ""}, "api_key_empty"),
        (GET, "{}", {"api_key": "wrong"}, "access_denied"),
    ],
)
def test_errors_come_with_http_200(path: str, request_text: str, form: dict[str, str], code: str) -> None:
    _, session = _account()
    assert _code(_ask(session, path, None, **{"request": request_text, **form})) == (200, code)


def test_many_wrong_keys_block_the_right_one_too() -> None:
    _, session = _account()
    for _ in range(BAD_KEYS_TO_BLOCK):
        assert _code(_ask(session, GET, {}, api_key="wrong")) == (200, "access_denied")
    assert _code(_ask(session, GET, {})) == (200, "ip_blocked")


def test_only_post_is_answered_but_for_the_page_that_only_reads() -> None:
    account, session = _account()
    account.create_return(order_reference="1042", items=[{"sku_code": "A"}])
    assert session.get(URL + GET, timeout=5).status_code == 405
    page = session.get(URL + "/", timeout=5)
    assert (page.status_code, "RB-880012" in page.text) == (200, True)


def test_a_parcels_way_grows_and_may_show_in_the_return_first() -> None:
    account, session = _account()
    return_id = account.create_return(order_reference="1", items=[{"sku_code": "A"}], status=None)
    account.track(return_id, "Entered Our Network", is_in_way=False)
    account.track(return_id, "Arrived at Our Hub", city="Hubtown")
    code = account.returns[return_id]["tracking"]
    _, document = _ask(session, "/tracking/get/json", {"tracking": {"code": code}})
    assert document["success"]["track"] == [
        {
            "dt": "2026-05-04 09:00:00",
            "status": "Arrived at Our Hub",
            "location": {"country": "GB", "state": None, "city": "Hubtown"},
        }
    ]


@pytest.mark.parametrize(
    ("date_format", "written"),
    [
        ("dashes", "2026-05-04 09:00:00"),
        ("slashes", "2026/05/04"),
        ("american", "05/04/2026"),
        ("unix", "1777885200"),
    ],
)
def test_dates_come_in_every_documented_form(date_format: DateFormat, written: str) -> None:
    account, _ = _account(date_format=date_format)
    return_id = account.create_return(order_reference="1", items=[{"sku_code": "A"}])
    assert account.returns[return_id]["date_added"] == written
