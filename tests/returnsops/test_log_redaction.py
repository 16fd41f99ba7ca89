"""No credential and no customer reaches a log line."""

import io
import logging
import sys

import pytest

from returnsops.log_redaction import RedactingFilter, redact

KEY = "ck_" + "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /orders?consumer_key=abc123&per_page=10", "GET /orders?consumer_key=[hidden]&per_page=10"),
        ("oauth_signature=a%2Bb%3D, oauth_nonce=1", "oauth_signature=[hidden], oauth_nonce=1"),
        ('{"client_secret": "s3cr3t", "id": 7}', '{"client_secret": "[hidden]", "id": 7}'),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'Authorization': 'Basic [hidden]'}"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [hidden]"),
        ("webhook-signature: v1,abcdef", "webhook-signature: [hidden],abcdef"),
        ("X-WC-Webhook-Signature: a1b2c3d4=", "X-WC-Webhook-Signature: [hidden]"),
        ("postgres://app:hunter2@db/app", "postgres://[hidden]@db/app"),
        (f"using {KEY} now", "using [hidden] now"),
        ("secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret [hidden]"),
        ("customer anna.b+x@example.co.uk wrote", "customer [e-mail] wrote"),
        ("refund 12.50 EUR on order 1001 confirmed", "refund 12.50 EUR on order 1001 confirmed"),
        ("token bucket: 40 of 40 left", "token bucket: 40 of 40 left"),
    ],
)
def test_redact(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact(expected) == expected


def logged(*arguments: object, is_with_traceback: bool = False) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    record = logging.LogRecord(
        "shop",
        logging.ERROR,
        __file__,
        1,
        str(arguments[0]),
        arguments[1:],
        sys.exc_info() if is_with_traceback else None,
    )
    handler.handle(record)
    return stream.getvalue()


def test_filter_redacts_arguments() -> None:
    assert (
        logged("answer for %s: %s", "anna@example.com", {"token": "abc"})
        == "answer for [e-mail]: {'token': '[hidden]'}\n"
    )


def test_filter_redacts_tracebacks() -> None:
    try:
        raise ValueError("refused: consumer_secret=cs_topsecret")
    except ValueError:
        text = logged("call failed", is_with_traceback=True)
    assert "ValueError: refused: consumer_secret=[hidden]" in text
    assert "topsecret" not in text
