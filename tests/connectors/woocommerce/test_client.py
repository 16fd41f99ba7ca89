"""Signing, reading errors by code, and paging."""

from typing import Any

import pytest
import requests

from connectors.ports import Answer, AuthFailed, OutcomeUnknown, Rejected, Retryable, VendorError
from connectors.woocommerce import client
from connectors.woocommerce.links import api_url, order_url
from tests.connectors.woocommerce.recordings import load
from tests.connectors.woocommerce.scripted import answered, config, page, scripted_link


def recorded(name: str) -> Answer:
    response = load(name)["response"]
    return answered(response["status"], response["body"])


def outcome(answer: Answer, *, method: str = "POST", is_gateway_called: bool = False) -> VendorError:
    link, _ = scripted_link(lambda *_: answer)
    try:
        if method == "GET":
            client.get(link, "/orders/1")
        else:
            client.write(link, method, "/orders/1/refunds", body={}, is_gateway_called=is_gateway_called)
    except VendorError as failure:
        return failure
    raise AssertionError("the answer was taken for a good one")


# --- classification (observed 4.1: by code, never by status alone) -------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("refunds/amount_exceeds_remaining", "woocommerce_rest_cannot_create_order_refund"),
        ("refunds/amount_negative", "woocommerce_rest_invalid_order_refund"),
        ("refunds/amount_as_json_number", "rest_invalid_param"),
        ("errors/malformed_json", "rest_invalid_json"),
        ("errors/unknown_route", "rest_no_route"),
        ("errors/unknown_order", "woocommerce_rest_shop_order_invalid_id"),
    ],
)
def test_definite_refusals_of_a_write(name: str, code: str) -> None:
    failure = outcome(recorded(name))
    assert isinstance(failure, Rejected)
    assert failure.code == code


def test_a_failed_refund_through_the_gateway_may_have_paid() -> None:
    answer = recorded("refunds/api_refund_true_unsupported_gateway")
    assert isinstance(outcome(answer, is_gateway_called=True), OutcomeUnknown)
    assert isinstance(outcome(answer, is_gateway_called=False), Rejected)


def test_translated_messages_change_nothing() -> None:
    body = {"code": "woocommerce_rest_cannot_create_order_refund", "message": "Importe no válido.", "data": 500}
    failure = outcome(answered(500, body))
    assert isinstance(failure, Rejected)
    assert 'It says: "Importe no válido."' in failure.text


@pytest.mark.parametrize(
    "answer",
    [
        page(500),
        page(503),
        page(200),
        page(403),
        answered(500, {"code": "internal_server_error", "message": "", "data": {"status": 500}}),
        answered(400, {"code": "some_plugin_error", "message": "no", "data": None}),
        answered(409, ["x"]),
        answered(200, "text"),
    ],
)
def test_everything_else_leaves_a_write_unknown(answer: Answer) -> None:
    assert type(outcome(answer)) is OutcomeUnknown


@pytest.mark.parametrize("answer", [page(500), page(200), page(404), answered(502, {"code": "bad_gateway"})])
def test_a_read_is_simply_tried_again(answer: Answer) -> None:
    assert type(outcome(answer, method="GET")) is Retryable


@pytest.mark.parametrize("name", ["auth/read_only_key_write", "auth/basic_over_http"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refused_keys(name: str, method: str) -> None:
    failure = outcome(recorded(name), method=method)
    assert isinstance(failure, AuthFailed)
    assert "Settings > Advanced > REST API" in failure.text


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_redirect_names_the_setting_to_correct(method: str) -> None:
    failure = outcome(page(301), method=method)
    assert isinstance(failure, Rejected)
    assert (failure.code, "base_url" in failure.text) == ("redirected", True)


def test_the_shops_message_is_cleaned_before_it_is_shown() -> None:
    message = "No order of ana@example.test, see https://shop.test/pay?key=wc_order_x"
    text = outcome(answered(400, {"code": "rest_invalid_param", "message": message})).text
    assert "ana@" not in text
    assert "wc_order_x" not in text


# --- signing -----------------------------------------------------------------------------------------------------


def prepared(**changes: Any) -> requests.PreparedRequest:
    settings = config(**changes)
    request = requests.Request(
        "GET", api_url(settings, "/orders"), params={"page": "2"}, auth=client.auth_for(settings)
    )
    return request.prepare()


def test_basic_over_https() -> None:
    sent = prepared()
    assert sent.url == "https://shop.example/wp-json/wc/v3/orders?page=2"
    assert sent.headers["Authorization"] == "Basic Y2tfdGVzdDpjc190ZXN0"


@pytest.mark.parametrize("host", ["127.0.0.1:8091", "localhost", "[::1]:80", "shop.localhost"])
def test_oauth_over_http_on_this_machine(host: str) -> None:
    sent = prepared(base_url=f"http://{host}")
    authorisation = sent.headers["Authorization"]
    text = authorisation.decode() if isinstance(authorisation, bytes) else authorisation
    assert text.startswith("OAuth ")
    assert 'oauth_signature_method="HMAC-SHA256"' in text
    assert "cs_test" not in text
    assert sent.url is not None
    assert "oauth" not in sent.url, "signatures in URLs end up in logs"


@pytest.mark.parametrize(
    "base_url",
    ["http://shop.example", "http://10.0.0.5", "ftp://shop.example", "shop.example", "http://127.evil.example"],
)
def test_plain_http_to_elsewhere_is_refused_before_anything_is_sent(base_url: str) -> None:
    link, asked = scripted_link(lambda *_: answered(), base_url=base_url)
    with pytest.raises(AuthFailed, match="https"):
        client.get(link, "/orders")
    assert asked == []


def test_missing_keys_are_named() -> None:
    with pytest.raises(AuthFailed, match="consumer_secret"):
        client.auth_for(config(secrets={"consumer_key": ("ck",)}))


@pytest.mark.parametrize(
    "base_url", ["https://shop.example", "https://shop.example/", " https://shop.example/wp-json/wc/v3/ "]
)
def test_base_url_with_or_without_the_api_part(base_url: str) -> None:
    assert api_url(config(base_url=base_url), "/orders") == "https://shop.example/wp-json/wc/v3/orders"


def test_links_to_the_shops_screens() -> None:
    assert order_url(config(), "18") == "https://shop.example/wp-admin/admin.php?page=wc-orders&action=edit&id=18"
    legacy = config(settings={"order_screen": "posts"})
    assert order_url(legacy, "18") == "https://shop.example/wp-admin/post.php?post=18&action=edit"


# --- paging ------------------------------------------------------------------------------------------------------


def pages_of(rows: list[int], *, per_page: int, headers: bool = True) -> Any:
    """A list that pages by ``per_page`` whatever is asked for."""

    def respond(method: str, path: str, params: Any, json: Any) -> Answer:
        start = (int(params["page"]) - 1) * per_page
        listed = [{"id": i} for i in rows[start : start + per_page]]
        count = {"x_wp_total": str(len(rows)), "x_wp_totalpages": str(-(-len(rows) // per_page))} if headers else {}
        return answered(200, listed, **count)

    return respond


def test_all_pages_are_read_also_where_the_shop_gives_ten() -> None:
    link, asked = scripted_link(pages_of(list(range(1, 24)), per_page=10))
    assert [row["id"] for row in client.get_all(link, "/orders/1/refunds")] == list(range(1, 24))
    assert [request[2] for request in asked] == [{"per_page": "100", "page": str(n)} for n in (1, 2, 3)]


def test_an_empty_list_is_one_call() -> None:
    link, asked = scripted_link(pages_of([], per_page=10))
    assert client.get_all(link, "/orders/1/refunds") == ()
    assert len(asked) == 1


def test_without_headers_full_pages_mean_more() -> None:
    link, asked = scripted_link(pages_of(list(range(200)), per_page=100, headers=False))
    assert len(client.get_all(link, "/x")) == 200
    assert len(asked) == 3


def test_a_list_that_changed_while_it_was_read_is_not_taken_for_whole() -> None:
    """A record that goes pulls the next one onto the page already read: page 2 repeats, one was never seen."""
    link, _ = scripted_link(lambda *_: answered(200, [{"id": 1}], x_wp_total="2", x_wp_totalpages="2"))
    with pytest.raises(Retryable, match="changed while"):
        client.get_all(link, "/x")


@pytest.mark.parametrize("body", [{"id": 1}, [1, 2], [{"name": "x"}]])
def test_a_list_must_be_one(body: Any) -> None:
    link, _ = scripted_link(lambda *_: answered(200, body))
    with pytest.raises(Retryable):
        client.get_all(link, "/x")
