"""A shop behind real TLS, set up with the commands people type: from the file to a confirmed refund."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from connectors import registry
from connectors.simulators.wsgi_transport import mounted_session
from connectors.woocommerce.webhooks import TOPICS
from returnsops import states
from returnsops.models import Connection, InboundEvent
from returnsops.wsgi import application
from tests.certificates import make_certificate, server_context
from tests.journeys.world import OPS_URL, World, configuration_text, go_live, world

pytestmark = pytest.mark.django_db
NOT_TRUSTED = "its certificate is not trusted on this machine"
OTHER_NAME = "its certificate is for another host name"
FIX = (
    "Compare the host name in base_url with the shop's certificate. Where your own authority signed it, set"
    " REQUESTS_CA_BUNDLE (docs/deploying.md)."
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "shop.pem")


@pytest.fixture(scope="module")
def other_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For an address at which nobody is."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "other.pem", address="127.0.0.9")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Our address; no connection of another test; nobody is trusted beyond the public authorities."""
    settings.PUBLIC_URL = OPS_URL
    monkeypatch.setattr(registry, "_sessions", {})
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)


@contextmanager
def bare_world(certificate: Path) -> Iterator[World]:
    """A shop behind TLS, and nothing set up with us but people."""
    with world(shop_tls=server_context(certificate), is_installed=False) as w:
        yield w


def run(*arguments: str) -> list[str]:
    """What the command printed."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().splitlines()


def failed(*arguments: str) -> tuple[list[str], str]:
    """What the command printed, and the sentence it ended with."""
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(*arguments, stdout=out)
    return out.getvalue().splitlines(), str(caught.value)


def file_of(w: World, folder: Path) -> str:
    """The configuration of the world, as a file."""
    path = folder / "returnsops.toml"
    path.write_text(configuration_text(w), encoding="utf-8")
    return str(path)


def test_from_the_file_to_a_confirmed_refund_over_tls(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with bare_world(certificate) as w:
        assert w.shop_server.url.startswith("https://127.0.0.1:")
        assert "saved: connection shop" in run("apply_config", file_of(w, tmp_path))

        lines, sentence = failed("check_connection", "shop")
        assert sentence == "shop is not ready; see the lines marked FAIL."
        assert [line for line in lines if line.startswith("FAIL")] == [f"FAIL webhook {t}: missing" for t in TOPICS]
        assert f"ok   address: {w.shop_server.url} (keys are sent over TLS)." in lines

        lines = run("check_connection", "shop", "--repair-webhooks", OPS_URL)
        assert lines[: len(TOPICS)] == [f"webhook {topic}: active" for topic in TOPICS]
        assert all(line.startswith(("ok   ", "webhook ")) for line in lines)
        w.shop.webhooks.session = mounted_session(application, OPS_URL)
        go_live(w)

        order = w.order((w.product(), 2))
        return_id = w.ask(order)
        w.platform.receive(return_id)
        w.judge(return_id)
        w.pay(return_id, "30.00")
        w.settle()

        told = InboundEvent.objects.filter(connection__name="shop", source="webhook")
        assert {(row.topic, row.state) for row in told} >= {("order.created", states.EVENT_PROCESSED)}
        assert [refund.amount for refund in w.money_refunds(order)] == [Decimal("30.00")]
        assert [payout.amount for payout in w.shop.gateway_payouts] == [Decimal("30.00")]
        effect = w.effect(return_id, states.REFUND)
        assert (effect.state, effect.amount) == (states.CONFIRMED, Decimal("30.00"))
        assert w.open_cases() == []
        # Basic: nothing of OAuth went along, and over TLS the shop takes nothing else of ours.
        assert not [name for call in w.shop.calls.all() for name, _ in call.query if name.startswith("oauth_")]


@pytest.mark.parametrize(("shown", "is_trusted", "fault"), [(0, False, NOT_TRUSTED), (1, True, OTHER_NAME)])
def test_a_certificate_that_does_not_hold_is_one_sentence_and_nothing_is_sent(
    certificate: Path,
    other_certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    shown: int,
    is_trusted: bool,
    fault: str,
) -> None:
    shown_certificate = (certificate, other_certificate)[shown]
    if is_trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(shown_certificate))
    with bare_world(shown_certificate) as w:
        run("apply_config", file_of(w, tmp_path))
        lines, sentence = failed("check_connection", "shop")
        assert lines[1:] == [
            "FAIL credentials: GET /wp-json/wc/v3/orders: no secure connection (TLS) could be made, "
            f"{fault}; nothing was changed.",
            f"     {FIX}",
        ]
        assert sentence == "shop is not ready; see the lines marked FAIL."
        lines, sentence = failed("check_connection", "shop", "--repair-webhooks", OPS_URL)
        assert (lines, fault in sentence) == ([], True)

        go_live(w)
        return_id = w.ask(w.order((w.product(), 2)))
        w.pay(return_id, "30.00")
        w.platform.sender.deliver_pending()
        w.work()
        assert w.rma(return_id).order is None
        assert w.shop.calls.all() == []


def test_plain_http_to_another_machine_is_refused_with_the_file(certificate: Path, tmp_path: Path) -> None:
    with bare_world(certificate) as w:
        path = Path(file_of(w, tmp_path))
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(w.shop_server.url, "http://shop.example"), encoding="utf-8")
        lines, sentence = failed("apply_config", str(path))
        assert (lines, sentence) == (
            [],
            "Nothing was changed:\nconnection shop.base_url: http:// to shop.example would show keys and customer data"
            " on the way; write its https:// address. Plain http is for this machine only.",
        )
        assert not Connection.objects.exists()
        assert w.shop.calls.all() == []
