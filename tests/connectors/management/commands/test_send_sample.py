"""``send_sample``: a signed event to a running installation, and the same as a curl that a shell understands."""

import json
import shlex
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from werkzeug.wrappers import Request, Response

from connectors.configuration import read
from connectors.configuration_apply import apply
from connectors.signing import verify
from connectors.simulators.server import serve

pytestmark = pytest.mark.django_db
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CONFIG = f"""
[[connections]]
name = "reveni"
vendor = "reveni"
base_url = "https://platform.example"
secrets.webhook_secret = "{SECRET}"
"""


@pytest.fixture
def received() -> Iterator[tuple[str, list[Request]]]:
    """Where a sample may be sent, and what came."""
    apply(read(CONFIG), by="test", at=timezone.now())
    came: list[Request] = []

    @Request.application
    def app(request: Request) -> Response:
        request.get_data(cache=True)
        came.append(request)
        return Response('{"status": "stored"}', status=401 if request.path == "/refuses" else 202)

    server = serve(app)
    try:
        yield server.url, came
    finally:
        server.stop()


def is_genuine(headers: dict[str, str], body: bytes) -> bool:
    """As the webhook view judges."""
    lower = {name.lower(): value for name, value in headers.items()}
    kind = {"kind": "standard_webhooks"}
    return verify(verifier=kind, secrets=[SECRET], headers=lower, body=body, now=timezone.now()).is_genuine


def test_it_sends_a_genuine_event_with_what_was_asked(received: tuple[str, list[Request]]) -> None:
    url, came = received
    out = StringIO()
    call_command("send_sample", "refund.issued", url=url, order="77", return_id="ret_9", stdout=out)
    (request,) = came
    event = json.loads(request.get_data())
    assert (event["type"], event["data"]["return"]["id"], event["data"]["return"]["order"]["id"]) == (
        "refund.issued",
        "ret_9",
        "77",
    )
    assert is_genuine(dict(request.headers), request.get_data())
    assert out.getvalue().startswith("202 ")


def test_the_curl_says_the_same_and_sends_nothing(received: tuple[str, list[Request]]) -> None:
    url, came = received
    out = StringIO()
    call_command("send_sample", "return.received", url=url, curl=True, stdout=out)
    words = shlex.split(out.getvalue())
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    assert (words[0], words[-1], came) == ("curl", url, [])
    assert is_genuine(headers, words[words.index("--data-binary") + 1].encode())


def test_what_is_wrong_is_said(received: tuple[str, list[Request]]) -> None:
    url, _ = received
    with pytest.raises(CommandError, match="refused the event"):
        call_command("send_sample", "refund.issued", url=f"{url}/refuses", stdout=StringIO())
    with pytest.raises(CommandError, match=r"There is no event type 'nonsense'; known are return\."):
        call_command("send_sample", "nonsense", url=url)
    with pytest.raises(CommandError, match=r"no such Reveni connection. Known: reveni\."):
        call_command("send_sample", "refund.issued", connection="other", url=url)
    with pytest.raises(CommandError, match=r"does not answer\. Start it with: make run"):
        call_command("send_sample", "refund.issued", url="http://127.0.0.1:9")
