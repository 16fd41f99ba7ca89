"""``check_connection``: a line per thing looked at, what to do where it is not well, and an exit code to match."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO
from typing import TypeVar

import pytest
from django.core.management import CommandError, call_command

from connectors import ports
from connectors.management.commands import check_connection
from connectors.registry import connector_for
from tests import factories as make

pytestmark = pytest.mark.django_db
WELL = ports.CheckLine(name="credentials", is_ok=True, text="accepted")
ILL = ports.CheckLine(name="clock", is_ok=False, text="9 minutes behind", fix="Set the clock of the shop.")
ILL_WITHOUT_FIX = ports.CheckLine(name="stock", is_ok=False, text="not managed")

Thing = TypeVar("Thing")
Use = Callable[..., list[str]]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Stand in for the vendor of connection ``shop``; gives the list of what was asked of it."""
    make.ConnectionFactory(name="shop")

    def stand_in(
        lines: Sequence[ports.CheckLine] | ports.VendorError = (WELL,),
        hooks: Sequence[ports.WebhookState] | ports.VendorError | None = (),
    ) -> list[str]:
        asked: list[str] = []

        def check(link: ports.Link) -> Sequence[ports.CheckLine]:
            asked.append(f"check {link.config.name}")
            return given(lines)

        def ensure(link: ports.Link, url: str) -> Sequence[ports.WebhookState]:
            asked.append(f"register {url}")
            return given(hooks or ())

        real = connector_for("woocommerce")
        made = replace(real, check=check, ensure_webhooks=None if hooks is None else ensure)
        monkeypatch.setattr(check_connection, "connector_for", lambda vendor: made)
        return asked

    return stand_in


def given(answer: Sequence[Thing] | ports.VendorError) -> Sequence[Thing]:
    if isinstance(answer, ports.VendorError):
        raise answer
    return answer


def run(*arguments: str) -> tuple[list[str], str]:
    """What it printed, and the sentence it failed with ('' if it did not)."""
    out = StringIO()
    try:
        call_command("check_connection", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


def test_a_connection_that_is_well_says_so_and_changes_nothing(use: Use) -> None:
    asked = use()
    assert run("shop") == (["ok   credentials: accepted"], "")
    assert asked == ["check shop"]


def test_what_is_not_well_is_said_with_what_to_do(use: Use) -> None:
    use((WELL, ILL, ILL_WITHOUT_FIX))
    assert run("shop") == (
        [
            "ok   credentials: accepted",
            "FAIL clock: 9 minutes behind",
            "     Set the clock of the shop.",
            "FAIL stock: not managed",
        ],
        "shop is not ready; see the lines marked FAIL.",
    )


def test_a_shop_that_cannot_be_asked_is_one_sentence(use: Use) -> None:
    use(ports.Retryable("The shop did not answer."))
    assert run("shop") == ([], "shop cannot be checked: The shop did not answer.")


def test_a_secret_that_cannot_be_read_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROOF_SECRET", raising=False)
    make.ConnectionSecretFactory(connection=make.ConnectionFactory(name="shop"), env_name="PROOF_SECRET")
    printed, failed = run("shop")
    assert printed == []
    assert failed.startswith("shop cannot be checked: Secret consumer_secret of connection shop is read from ")


@pytest.mark.parametrize("names", [(), ("a-shop", "b-shop")])
def test_an_unknown_name_is_answered_with_the_known_ones(names: tuple[str, ...]) -> None:
    for name in names:
        make.ConnectionFactory(name=name)
    known = ", ".join(names) or "none yet; run apply_config"
    assert run("shop") == ([], f"There is no connection 'shop'. Known: {known}.")


def test_webhooks_are_repaired_before_the_check(use: Use) -> None:
    hooks = [
        ports.WebhookState(external_id="1", topic="order.updated", is_active=True, delivery_url="x"),
        ports.WebhookState(external_id="2", topic="order.deleted", is_active=False, delivery_url="x"),
    ]
    asked = use((WELL,), hooks)
    assert run("shop", "--repair-webhooks", "https://ops.example/") == (
        ["webhook order.updated: active", "webhook order.deleted: not active", "ok   credentials: accepted"],
        "",
    )
    assert asked == ["register https://ops.example/webhooks/shop/", "check shop"]


def test_webhooks_that_cannot_be_registered_end_it(use: Use) -> None:
    asked = use((WELL,), ports.AuthFailed("The key may only read."))
    assert run("shop", "--repair-webhooks", "https://ops.example") == (
        [],
        "The webhooks could not be registered: The key may only read.",
    )
    assert asked == ["register https://ops.example/webhooks/shop/"]


def test_a_vendor_without_webhooks_of_ours_says_so(use: Use) -> None:
    asked = use((WELL,), None)
    assert run("shop", "--repair-webhooks", "https://ops.example") == (
        [],
        "woocommerce has no webhooks to register from here; set them up there.",
    )
    assert asked == []
