"""The declaration, the checks of a connection, and the deep link."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.ports import Answer, ConnectionConfig
from connectors.reveni.connector import A2_VERIFIER, CONNECTOR, check, default_mapping
from connectors.reveni.links import return_url
from connectors.signing import verifier_problems
from connectors.simulators.reveni_write_back import assumed_settings
from tests.connectors.reveni.pulling import Running, running


@pytest.fixture
def there() -> Iterator[Running]:
    with running() as started:
        yield started


def test_the_declaration_is_whole() -> None:
    assert (CONNECTOR.vendor, CONNECTOR.title, CONNECTOR.role) == ("reveni", "Reveni", "platform")
    assert set(CONNECTOR.effects) == {"write_back"}  # and only what a stored template says
    assert verifier_problems(CONNECTOR.default_verifier) == ()
    assert verifier_problems(A2_VERIFIER) == ()
    assert CONNECTOR.default_mapping == default_mapping()
    names = [setting.name for setting in CONNECTOR.settings]
    assert len(names) == len(set(names))
    assert all(isinstance(setting.default, setting.kind) for setting in CONNECTOR.settings)


def test_check_says_that_all_is_well(there: Running) -> None:
    *lines, clock = check(replace(there.link, now=lambda: datetime.now(UTC)))

    assert [(line.name, line.is_ok, line.text) for line in lines] == [
        ("webhook secret", True, "1 live"),
        ("dialect", True, "contract"),
        ("write-back", True, "no call templates: cases for people, as the policy says"),
        ("credentials", True, "accepted"),
        ("pull API", True, "on, the list of returns answers"),
    ]
    assert (clock.name, clock.is_ok, clock.fix) == ("clock", True, "")


def test_check_without_pull_api_sends_nothing(there: Running) -> None:
    lines = {line.name: line for line in check(there.with_settings(pull_api=False))}

    assert lines["pull API"].is_ok
    assert lines["pull API"].text.startswith("off: Reveni publishes none")
    assert there.platform.calls.all() == []


def test_check_says_what_the_platform_is_told_by_calls(there: Running) -> None:
    settings = assumed_settings("verdict", "already_refunded")
    lines = {line.name: line for line in check(there.with_settings(pull_api=False, **settings))}

    assert lines["write-back"].text == "by calls: already_refunded, verdict"


def test_check_names_each_fault_and_its_fix(there: Running) -> None:
    wrong_key = [line for line in check(there.with_secrets({"api_key": ("wrong",)})) if not line.is_ok]
    wrong_path = [line for line in check(there.with_settings(list_path="/nowhere")) if not line.is_ok]
    wrong_dialect = [line for line in check(there.with_settings(dialect="b7", pull_api=False)) if not line.is_ok]

    assert [line.name for line in wrong_key] == ["webhook secret", "credentials"]
    assert wrong_key[0].fix == "Set the secret webhook_secret with apply_config."
    assert [(line.name, line.fix) for line in wrong_path] == [("pull API", "Check base_url and list_path.")]
    assert [(line.name, line.fix) for line in wrong_dialect] == [("dialect", "Use 'contract' or 'a2'.")]


def test_the_vendors_dialect_signs_with_the_api_key(there: Running) -> None:
    lines = check(there.with_settings(dialect="a2", pull_api=False))

    assert lines[0].is_ok
    missing = check(
        replace(
            there.with_settings(dialect="a2"),
            config=replace(there.with_settings(dialect="a2", pull_api=False).config, secrets={}),
        )
    )
    assert missing[0].fix == "Set the secret api_key with apply_config."


@pytest.mark.parametrize(("skew_s", "is_ok"), [(50, True), (-50, True), (70, False), (-3600, False)])
def test_check_compares_the_clocks(there: Running, skew_s: int, is_ok: bool) -> None:
    """The server stamps its answers with the time of the machine, so ours is set off against that."""
    line = check(replace(there.link, now=lambda: datetime.now(UTC) + timedelta(seconds=skew_s)))[-1]

    assert (line.name, line.is_ok, bool(line.fix)) == ("clock", is_ok, not is_ok)
    assert line.text.endswith(" s against the platform")


def test_an_answer_without_a_date_proves_nothing(there: Running) -> None:
    def call(*given: Any, **rest: Any) -> Answer:
        return replace(there.link.call(*given, **rest), headers={"date": "yesterday"})

    line = check(replace(there.link, call=call))[-1]

    assert (line.is_ok, line.text) == (True, "the platform's answers carry no usable date")


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("https://portal.example/r/{id}", "https://portal.example/r/a%2Fb%20c"),
        ("", ""),
        ("javascript:alert('{id}')", ""),
    ],
)
def test_a_deep_link_only_where_somebody_told_us_how(template: str, url: str) -> None:
    config = ConnectionConfig(
        name="r", vendor="reveni", base_url="https://x.example", settings={"return_url_template": template}
    )

    assert return_url(config, "a/b c") == url
