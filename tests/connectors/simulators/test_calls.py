"""What the call log keeps, and what it must not."""

from connectors.simulators.calls import public_query, readable_body, without_secrets


def test_credentials_are_left_out_of_the_query() -> None:
    pairs = [("page", "1"), ("oauth_signature", "x"), ("consumer_key", "ck"), ("access_token", "t"), ("status", "any")]
    assert public_query(pairs) == (("page", "1"), ("status", "any"))


def test_secrets_are_hidden_at_any_depth() -> None:
    given = {"secret": "a", "list": [{"api_key": "b", "name": "c"}], "n": 1}
    assert without_secrets(given) == {"secret": "(hidden)", "list": [{"api_key": "(hidden)", "name": "c"}], "n": 1}


def test_a_body_is_readable_in_every_form() -> None:
    assert readable_body(b"") is None
    assert readable_body(b'{"a":1}') == {"a": 1}
    assert readable_body(b"webhook_id=3") == "webhook_id=3"
    assert readable_body(b"\xff" * 3000) == "�" * 2000


def test_secrets_of_a_form_are_hidden() -> None:
    assert readable_body(b"login=shop&api_key=abc%2F1&request=%7B%7D") == "login=shop&api_key=(hidden)&request=%7B%7D"
