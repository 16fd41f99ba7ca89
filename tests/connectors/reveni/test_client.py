"""Credentials in every variant and errors by class, over real HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.ports import AuthFailed, RateLimited, Rejected, Retryable
from connectors.reveni.client import get_return, list_returns, open_session
from connectors.simulators.base import Fault
from connectors.simulators.reveni import API_KEY
from tests.connectors.reveni.pulling import START, Running, fill, running


@pytest.fixture
def there() -> Iterator[Running]:
    with running() as started:
        yield started


def listed(link: Any) -> int:
    return len(list_returns(open_session(link), updated_since=START, cursor="", limit=50).entries)


@pytest.mark.parametrize(
    "settings",
    [
        {"auth": "bearer"},
        {"auth": "basic", "auth_user": "store_12"},
        {"auth": "header", "auth_header": "X-API-Key"},
    ],
)
def test_each_kind_of_credentials_is_accepted(there: Running, settings: dict[str, Any]) -> None:
    fill(there, 1)

    assert listed(there.with_settings(**settings)) == 1
    wrong = replace(
        there.with_settings(**settings),
        config=replace(there.with_settings(**settings).config, secrets={"api_key": ("wrong",)}),
    )
    with pytest.raises(AuthFailed, match="refused our credentials"):
        listed(wrong)


def test_client_credentials_fetch_a_token_once(there: Running) -> None:
    fill(there, 2)
    url = there.link.config.base_url + "/oauth/token"
    link = there.with_settings(auth="oauth2", oauth2_token_url=url, oauth2_client_id="us", oauth2_scope="read")
    session = open_session(link)

    assert len(list_returns(session, updated_since=START, cursor="", limit=1).entries) == 1
    assert get_return(session, "ret_1001")["id"] == "ret_1001"
    assert [call.path for call in there.platform.calls.all()] == ["/oauth/token", "/v1/returns", "/v1/returns/ret_1001"]
    with pytest.raises(AuthFailed, match="token address refused"):
        open_session(replace(link, config=replace(link.config, secrets={"api_key": ("wrong",)})))


def test_the_store_id_goes_where_the_setting_says(there: Running) -> None:
    link = there.with_settings(store_id_header="X-Store-Id")
    link = replace(link, config=replace(link.config, secrets={"api_key": (API_KEY,), "store_id": ("store_12",)}))

    assert open_session(link).headers["X-Store-Id"] == "store_12"
    with pytest.raises(AuthFailed, match="no secret 'store_id'"):
        open_session(there.with_settings(store_id_header="X-Store-Id"))


def test_a_missing_key_is_said(there: Running) -> None:
    with pytest.raises(AuthFailed, match="no secret 'api_key'; set it with apply_config"):
        listed(there.with_secrets({}))


def test_credentials_never_travel_in_the_clear(there: Running) -> None:
    link = replace(there.link, config=replace(there.link.config, base_url="http://shop.example"))

    with pytest.raises(AuthFailed, match="over https only"):
        open_session(link)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(kind="rate_limited", retry_after_s=7), RateLimited),
        (Fault(kind="server_error", status=503), Retryable),
        (Fault(kind="server_error", status=408), Retryable),
        (Fault(kind="server_error", status=200, body="<html>maintenance"), Retryable),
        (Fault(kind="lost_request"), Retryable),
        (Fault(kind="server_error", status=403, body="no"), AuthFailed),
        (Fault(kind="server_error", status=404, body="no"), Rejected),
        (Fault(kind="server_error", status=200, body="[]", content_type="application/json"), Rejected),
        (Fault(kind="server_error", status=200, body='{"data": 5}', content_type="application/json"), Rejected),
    ],
)
def test_errors_have_classes(there: Running, fault: Fault, error: type[Exception]) -> None:
    there.platform.simulator.faults.script(fault)

    with pytest.raises(error) as caught:
        listed(there.link)
    assert API_KEY not in str(caught.value)
    if isinstance(caught.value, RateLimited):
        assert caught.value.after_s == 7


def test_the_vendors_code_is_kept_as_evidence(there: Running) -> None:
    with pytest.raises(Rejected) as caught:
        list_returns(open_session(there.link), updated_since=START, cursor="?", limit=50)

    assert caught.value.code == "invalid_parameter"
    assert caught.value.evidence == {"status": 400, "code": "invalid_parameter"}


def test_paths_are_settings_and_checked(there: Running) -> None:
    with pytest.raises(Rejected, match="list_path of connection reveni-demo must start with a slash"):
        listed(there.with_settings(list_path="v1/returns"))
    with pytest.raises(Rejected, match="check base_url and the paths"):
        listed(there.with_settings(list_path="/v9/elsewhere"))


def test_the_page_limit_stays_within_what_is_assumed(there: Running) -> None:
    list_returns(open_session(there.link), updated_since=START, cursor="", limit=5000)

    assert dict(there.platform.calls.all()[0].query)["limit"] == "200"


@pytest.mark.parametrize("body", ["{}", '{"access_token": ""}', '{"access_token": 5}', "[]"])
def test_a_token_address_without_a_token_is_said(there: Running, body: str) -> None:
    url = there.link.config.base_url + "/oauth/token"
    there.platform.simulator.faults.script(
        Fault(kind="server_error", status=200, body=body, content_type="application/json")
    )

    with pytest.raises(AuthFailed, match="gave no access_token"):
        open_session(there.with_settings(auth="oauth2", oauth2_token_url=url))


def test_one_return_is_an_object(there: Running) -> None:
    there.platform.simulator.faults.script(
        Fault(kind="server_error", status=200, body="[]", content_type="application/json")
    )

    with pytest.raises(Rejected, match="check get_path"):
        get_return(open_session(there.link), "ret_1001")
