"""Credentials beyond the recordings (woocommerce.md section 1)."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from requests_oauthlib import OAuth1

from connectors.simulators.base import Fault
from connectors.simulators.woocommerce.auth import signature_base
from tests.connectors.simulators.woocommerce.woo_client import BASE, new_setting

PLAIN = BASE.replace("https", "http")


def signed(**options: Any) -> OAuth1:
    return OAuth1("ck", client_secret="cs", signature_method="HMAC-SHA256", **options)


def test_the_string_to_sign_of_the_manual() -> None:
    pairs = [
        ("page", "2"),
        ("per_page", "100"),
        ("oauth_consumer_key", "ck_test"),
        ("oauth_nonce", "0123456789abcdef0123456789abcdef01234567"),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", "1700000000"),
    ]
    assert signature_base("GET", "http://shop.test/wp-json/wc/v3/orders", pairs) == (
        "GET&http%3A%2F%2Fshop.test%2Fwp-json%2Fwc%2Fv3%2Forders&oauth_consumer_key%3Dck_test%26oauth_nonce%3D"
        "0123456789abcdef0123456789abcdef01234567%26oauth_signature_method%3DHMAC-SHA256%26oauth_timestamp%3D"
        "1700000000%26page%3D2%26per_page%3D100"
    )


@pytest.mark.parametrize("signature_type", ["AUTH_HEADER", "QUERY"])
def test_oauth_over_http_works_from_header_and_query_with_the_real_clock(signature_type: str) -> None:
    setting = new_setting()
    order = setting.order()
    auth = signed(signature_type=signature_type)
    answer = setting.session.get(f"{PLAIN}/orders", params={"status": "processing"}, auth=auth, timeout=30)
    assert [row["id"] for row in answer.json()] == [order.id]
    body = {"amount": "1.00", "api_refund": False}
    made = setting.session.post(f"{PLAIN}/orders/{order.id}/refunds", json=body, auth=auth, timeout=30)
    assert made.status_code == 201


def test_a_late_commit_keeps_the_time_stamp_it_came_with() -> None:
    setting = new_setting()
    order = setting.order()
    setting.shop.faults.script(Fault(kind="late_commit", method="POST", delay_s=3600))
    with pytest.raises(requests.ReadTimeout):
        setting.session.post(
            f"{PLAIN}/orders/{order.id}/refunds",
            json={"amount": "1.00", "api_refund": False},
            auth=signed(),
            timeout=30,
        )
    setting.clock.advance(timedelta(hours=1).total_seconds())
    assert setting.shop.app.release_due() == 1
    assert len(setting.shop.refunds_of(order.id)) == 1


def test_a_wrong_secret_over_https_is_an_error_and_an_unknown_key_is_nobody() -> None:
    setting = new_setting()
    wrong = setting.session.get(f"{BASE}/orders", auth=("ck", "no"), timeout=30)
    assert (wrong.status_code, wrong.json()["message"]) == (401, "Consumer secret is invalid.")
    unknown = setting.session.get(f"{BASE}/orders", auth=("nobody", "no"), timeout=30)
    assert (unknown.status_code, unknown.json()["code"]) == (401, "woocommerce_rest_cannot_view")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "orders/1", "woocommerce_rest_cannot_view"),
        ("POST", "orders", "woocommerce_rest_cannot_create"),
        ("PUT", "orders/1", "woocommerce_rest_cannot_edit"),
        ("DELETE", "orders/1", "woocommerce_rest_cannot_delete"),
    ],
)
def test_nobody_may_do_anything(method: str, path: str, code: str) -> None:
    setting = new_setting()
    answer = setting.session.request(method, f"{PLAIN}/{path}", auth=("ck", "cs"), json={}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_a_half_signed_call_names_what_is_missing() -> None:
    setting = new_setting()
    answer = setting.session.get(f"{PLAIN}/orders?oauth_consumer_key=ck&oauth_nonce=1", timeout=30)
    assert answer.json()["code"] == "woocommerce_rest_authentication_missing_parameter"
    assert answer.status_code == 401


def test_a_proxy_may_hide_https() -> None:
    setting = new_setting(is_forwarded_proto_trusted=False)
    headers = {"X-Forwarded-Proto": "https"}
    answer = setting.session.get(f"{PLAIN}/orders", auth=("ck", "cs"), headers=headers, timeout=30)
    assert answer.status_code == 401
