"""A WSGI app answers a requests session in process, with host, query, headers and body as sent."""

from typing import Any

from werkzeug.wrappers import Request, Response

from connectors.simulators.wsgi_transport import mounted_session


@Request.application
def describe(request: Request) -> Response:
    """Say what arrived."""
    lines = [request.method, request.url, request.headers.get("X-Test", ""), request.get_data().decode()]
    return Response("\n".join(lines), status="418 I'm a teapot", headers={"X-Answer": "yes"})


def test_the_request_arrives_as_it_was_sent() -> None:
    session = mounted_session(describe, "https://vendor.test:8443")
    answer = session.put("https://vendor.test:8443/a%20b?x=1&y=%2B", data="é".encode(), headers={"X-Test": "t"})
    assert answer.text.split("\n") == ["PUT", "https://vendor.test:8443/a%20b?x=1&y=%2B", "t", "é"]
    assert (answer.status_code, answer.reason, answer.headers["X-Answer"]) == (418, "I'm a teapot", "yes")
    assert answer.url == "https://vendor.test:8443/a%20b?x=1&y=%2B"
    assert answer.ok is False


def test_a_streamed_answer_can_be_read_in_pieces() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"a" * 10, b"b" * 10]

    answer = mounted_session(app, "http://v.test").get("http://v.test/", stream=True)
    assert b"".join(answer.iter_content(4)) == b"a" * 10 + b"b" * 10
    mounted_session(app, "http://v.test").close()
