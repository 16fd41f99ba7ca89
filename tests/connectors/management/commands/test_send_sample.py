"""``send_sample``: a signed event to a running installation, and the same as a curl that a shell understands."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from io import StringIO

import pytest
import requests
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from werkzeug.wrappers import Request, Response

from connectors.configuration import read
from connectors.configuration_apply import apply
from connectors.management.commands.send_sample import as_curl
from connectors.reveni.samples import sample_event
from connectors.signing import sign, verify
from connectors.simulators.server import serve
from returnsops.models import InboundEvent

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


# --- at this very application, running --------------------------------------------------------------------------------

HAS_TOOLS = all(shutil.which(tool) for tool in ("bash", "curl", "openssl", "base64", "od"))


def of_readme(url: str, secret: str) -> str:
    """The README's lines for a shell, with the address and the secret of the test in place of the demo's."""
    text = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
    (lines,) = (block for block in text.split("```") if block.lstrip().startswith("SECRET=whsec_"))
    assert "SECRET=whsec_… " in lines
    assert "http://127.0.0.1:8000/" in lines
    if not HAS_TOOLS:  # what the lines say, without openssl: the curl they come to
        body = json.dumps(sample_event("return.requested", event_id="evt_0001")).encode()
        kind = {"kind": "standard_webhooks"}
        signed = sign(verifier=kind, secret=secret, body=body, at=timezone.now(), message_id="msg_1")
        return as_curl(f"{url}/webhooks/reveni-eu/", signed, body)
    return lines.replace("SECRET=whsec_… ", f"SECRET={secret} ").replace("http://127.0.0.1:8000", url)


def in_a_shell(lines: str) -> str:
    """What bash prints for them, on one line; where there is no curl, what a lone curl command would print."""
    if HAS_TOOLS:
        ran = subprocess.run(["bash", "-c", lines], capture_output=True, text=True, cwd=settings.BASE_DIR, timeout=60)
        return " ".join(ran.stdout.split())
    words = shlex.split(lines)
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    answer = requests.post(words[-1], data=words[words.index("--data-binary") + 1], headers=headers, timeout=60)
    return f"HTTP/1.1 {answer.status_code} {answer.text}"


@pytest.mark.django_db(transaction=True)
def test_the_running_application_takes_the_sample_its_curl_and_the_readmes(live_server: LiveServer) -> None:
    apply(read(CONFIG.replace('name = "reveni"', 'name = "reveni-eu"')), by="test", at=timezone.now())
    out, curl = StringIO(), StringIO()
    url = f"{live_server.url}/webhooks/reveni-eu/"
    call_command("send_sample", "refund.issued", url=url, stdout=out)
    call_command("send_sample", "return.received", "--curl", url=url, stdout=curl)
    readme = of_readme(live_server.url, SECRET)
    answers = [out.getvalue(), *map(in_a_shell, (curl.getvalue(), readme, readme))]
    kept = list(InboundEvent.objects.order_by("pk").values_list("pk", "topic", "duplicate_count"))
    assert [row[1:] for row in kept] == [("refund.issued", 0), ("return.received", 0), ("return.requested", 1)]
    assert answers[0].startswith("202 ")
    assert ["HTTP/1.1 202" in answer for answer in answers[1:]] == [True, True, False]
    assert answers[3].startswith("HTTP/1.1 200")
    assert answers[3].endswith(f'{{"status":"stored","event":{kept[2][0]},"duplicate":true}}')

    assert in_a_shell(of_readme(live_server.url, "whsec_" + "TkVX" * 8)).startswith("HTTP/1.1 401")
    assert InboundEvent.objects.count() == len(kept)
