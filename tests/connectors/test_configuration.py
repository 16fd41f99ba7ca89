"""Reading a configuration file: everything that is wrong with it is said, with its place, and no value is shown."""

import re

import pytest

from connectors import configuration, configuration_apply
from connectors.configuration_export import export
from returnsops import states
from returnsops.models import Connection, ConnectionSecret, HistoryEntry, PolicyVersion, Route
from returnsops.services.routes import RouteError
from returnsops.services.secrets import read_secrets
from tests.factories import NOW

pytestmark = pytest.mark.django_db

GOOD = """
[[reasons]]
code = "too_small"
title = "Too small"

[[connections]]
name = "shop"
vendor = "woocommerce"
base_url = "https://shop.example.com"
time_zone = "Europe/Madrid"
[connections.secrets]
consumer_key = "env:PROOF_KEY"
consumer_secret = "env:PROOF_KEY"
webhook_secret = "stored-once-Kx81"
[connections.settings]
locked_statuses = ["on-hold"]

[[connections]]
name = "platform"
vendor = "reveni"
base_url = "https://reveni.example.com"
[connections.secrets]
webhook_secret = ["env:PROOF_KEY", "env:PROOF_OLD_KEY"]
[connections.reason_codes]
SIZE = "too_small"

[[locations]]
code = "main"
title = "Main stock"
kind = "sellable"

[[routes]]
name = "main"
platform = "platform"
commerce = "shop"
mode = "shadow"
[routes.dispositions]
sellable = "main"
[routes.policy]
return_window_days = 30
"""


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables the file names."""
    monkeypatch.setenv("PROOF_KEY", "value-of-key")
    monkeypatch.setenv("PROOF_OLD_KEY", "value-of-old-key")


def _apply(text: str) -> tuple[str, ...]:
    return configuration_apply.apply(configuration.read(text), by="olivia", at=NOW)


def _problems(text: str) -> tuple[str, ...]:
    with pytest.raises(configuration.ConfigurationError) as caught:
        configuration.read(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('title = "Main stock"', "", "locations[1]: missing: title"),
        ('title = "Main stock"', 'titel = "x"\ntitle = "y"', "locations[1]: unknown key titel"),
        ("[[reasons]]", "[[reason]]", "file: unknown key reason"),
        ('kind = "sellable"', 'kind = "sold"', "locations[1].kind: must be one of sellable, quarantine, scrap"),
        ('mode = "shadow"', "mode = true", "routes[1].mode: must be one of off, shadow, live"),
        ('title = "Too small"', "title = 7", "reasons[1].title: must be text"),
        (
            'base_url = "https://shop.example.com"',
            'base_url = "shop"',
            "connections[1].base_url: does not have the form",
        ),
        (
            'base_url = "https://shop.example.com"',
            'base_url = "http://10.0.0.5"',
            "connection shop.base_url: http:// to 10.0.0.5 would show keys and customer data on the way",
        ),
        (
            'base_url = "https://reveni.example.com"',
            'base_url = "http://reveni.example.com"',
            "connection platform.base_url: http:// to reveni.example.com would show",
        ),
        (
            'base_url = "https://shop.example.com"',
            'base_url = "https://[shop"',
            "connection shop.base_url: is no address; write it like https://shop.example.com.",
        ),
        ('vendor = "woocommerce"', 'vendor = "magento"', "there is no vendor 'magento'; known are"),
        ('time_zone = "Europe/Madrid"', 'time_zone = "Europe/Madird"', "'Europe/Madird' is no time zone"),
        ('time_zone = "Europe/Madrid"', 'time_zone = "Europe"', "'Europe' is no time zone"),
        ('time_zone = "Europe/Madrid"', 'time_zone = "../etc"', "'../etc' is no time zone"),
        ('commerce = "shop"', 'commerce = "shoop"', "route main.commerce: there is no connection 'shoop'"),
        ('commerce = "shop"', 'commerce = "platform"', "connection 'platform' is a platform, not a commerce"),
        ('commerce = "shop"', "", "names neither a commerce connection nor an ERP"),
        ('SIZE = "too_small"', 'SIZE = "tiny"', "reason_codes.SIZE: there is no reason 'tiny'"),
        ('sellable = "main"', 'sellable = "attic"', "there is no location 'attic'"),
        ('sellable = "main"', 'sold = "main"', "dispositions.sold: unknown; known are sellable"),
        ('kind = "sellable"', 'kind = "sellable"\nconnection = "gone"', "there is no connection 'gone'"),
        ('locked_statuses = ["on-hold"]', 'locked_statuses = "on-hold"', "locked_statuses: must be a list of texts"),
        ('locked_statuses = ["on-hold"]', "locked_statuses = [1979-05-27]", "locked_statuses: must be a list of texts"),
        ('locked_statuses = ["on-hold"]', "meta_prefix = 3", "settings.meta_prefix: must be str"),
        ('locked_statuses = ["on-hold"]', "lokced = 3", "settings.lokced: unknown; known are"),
        ('"env:PROOF_OLD_KEY"', '"env:NOT_SET"', "the environment variable NOT_SET is not set"),
        ("webhook_secret = [", "webhook_secert = [", "secrets.webhook_secert: unknown; known are"),
        ("return_window_days = 30", "return_window_dayz = 30", "return_window_dayz"),
        ("return_window_days = 30", 'return_window_days = "thirty"', "return_window_days"),
        ('mode = "shadow"', 'mode = "live"\nlive_from = "soon"', "live_from: must be a date with time and time zone"),
        (
            'mode = "shadow"',
            'mode = "live"\nlive_from = 2026-11-01',
            "live_from: must be a date with time and time zone",
        ),
        ('mode = "shadow"', 'live_from = "2026-11-01T00:00:00"', "live_from: must be a date with time and time zone"),
        ("[routes.policy]", '[routes.policy.shop_return]\nwriter = "us"\n[routes.policy]', "has no returns of its own"),
        (
            "[routes.policy]",
            '[routes.policy.restock]\nset_aside = ["damaged"]\n[routes.policy]',
            "one figure per article",
        ),
        ('mode = "shadow"', "live_from = 5", "live_from: must be a date with time and time zone"),
        ("[[reasons]]", "[[reasons", "The file is not valid TOML"),
    ],
)
def test_one_mistake_is_one_clear_sentence_and_changes_nothing(old: str, new: str, where: str) -> None:
    assert old in GOOD
    problem, *others = _problems(GOOD.replace(old, new, 1))
    assert where in problem
    assert not others or "magento" in problem  # then its route names a connection that cannot be
    assert not Connection.objects.exists()


@pytest.mark.parametrize(("table", "name"), [("connections", "shop"), ("reasons", "too_small"), ("routes", "main")])
def test_a_name_that_is_there_twice(table: str, name: str) -> None:
    block = re.search(rf"\[\[{table}\]\].*?(?=\n\[|\Z)", GOOD, re.DOTALL)
    assert block is not None
    assert f"{table}: '{name}' is there twice; keep one." in _problems(f"{GOOD}\n{block.group()}")


def test_every_mistake_is_named_at_once() -> None:
    text = GOOD.replace("Europe/Madrid", "Mars").replace('SIZE = "too_small"', 'SIZE = "tiny"')
    assert [problem.partition(":")[0] for problem in _problems(text)] == [
        "connection shop.time_zone",
        "connection platform.reason_codes.SIZE",
    ]


@pytest.mark.parametrize("value", ["12345678", '["Kx81-geheim", 7]', '""', "true"])
def test_a_secret_of_the_wrong_type_is_never_shown(value: str) -> None:
    (problem,) = _problems(GOOD.replace('"stored-once-Kx81"', value))
    assert problem == "connections[1].secrets.webhook_secret: must be text, or a list of one to five texts."


def test_a_secret_in_the_wrong_place_is_named_and_never_shown() -> None:
    (problem,) = _problems(GOOD.replace('vendor = "reveni"', 'vendor = "reveni"\napi_key = "Kx81-geheim"'))
    assert problem.startswith("connections[2]: unknown key api_key; known are")
    assert "geheim" not in problem


def test_a_vendor_cannot_change() -> None:
    _apply(GOOD)
    text = GOOD.replace('vendor = "woocommerce"', 'vendor = "reveni"').replace("consumer_key", "api_key", 1)
    assert any("is a woocommerce connection already" in problem for problem in _problems(text))


# --- applying and exporting ---------------------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing_the_second_time() -> None:
    assert _apply(GOOD)
    before = (HistoryEntry.objects.count(), ConnectionSecret.objects.count(), PolicyVersion.objects.count())
    assert _apply(GOOD) == ()
    assert (HistoryEntry.objects.count(), ConnectionSecret.objects.count(), PolicyVersion.objects.count()) == before


@pytest.mark.parametrize("live_from", ['"2026-11-01T00:00:00Z"', "2026-11-01T00:00:00Z"])
def test_a_date_beside_a_mode_that_is_not_live_changes_nothing(live_from: str) -> None:
    _apply(GOOD)
    assert _apply(GOOD.replace('mode = "shadow"', f'mode = "shadow"\nlive_from = {live_from}')) == ()


def test_live_without_signatures_is_refused_and_changes_nothing() -> None:
    text = GOOD.replace('mode = "shadow"', 'mode = "live"')
    with pytest.raises(RouteError, match="has not signed policy 1"):
        _apply(text)
    assert not Connection.objects.exists()
    assert not HistoryEntry.objects.exists()


def test_what_is_exported_can_be_applied_and_is_the_same() -> None:
    _apply(GOOD)
    text = export(at=NOW)
    assert _apply(text) == ()
    assert export(at=NOW) == text


def test_an_export_builds_the_same_installation_elsewhere() -> None:
    _apply(GOOD)
    text = export(at=NOW)
    Route.objects.update(policy=None)
    for row in (*Route.objects.all(), *Connection.objects.all()):
        row.delete()
    assert _apply(text)
    assert export(at=NOW) == text


def test_a_secret_is_nowhere_in_clear_but_in_memory() -> None:
    changes = _apply(GOOD)
    shop = Connection.objects.get(name="shop")
    assert read_secrets(shop, at=NOW)["webhook_secret"] == ["stored-once-Kx81"]
    everything = [*ConnectionSecret.objects.values(), *Connection.objects.values(), *HistoryEntry.objects.values()]
    for text in (export(at=NOW), repr(changes), repr(everything)):
        assert "Kx81" not in text
        assert "value-of-key" not in text


def test_a_rotation_with_one_stored_half_survives_export_and_apply() -> None:
    _apply(GOOD.replace('["env:PROOF_KEY", "env:PROOF_OLD_KEY"]', '["env:PROOF_KEY", "old-stored-one"]'))
    assert _apply(export(at=NOW)) == ()
    platform = Connection.objects.get(name="platform")
    assert read_secrets(platform, at=NOW)["webhook_secret"] == ["value-of-key", "old-stored-one"]


def test_a_secret_taken_out_of_the_list_is_retired() -> None:
    _apply(GOOD)
    assert _apply(GOOD.replace(', "env:PROOF_OLD_KEY"', "")) == ("secret webhook_secret of platform",)
    platform = Connection.objects.get(name="platform")
    assert read_secrets(platform, at=NOW)["webhook_secret"] == ["value-of-key"]
    assert Route.objects.get().mode == states.ROUTE_SHADOW


WRITE_BACK = """
[connections.settings.write_back.already_refunded]
method = "POST"
path = "/v1/returns/{return_id}/external-refunds"
success = [201]
body = {amount = "{amount}", currency = "{currency}", reference = "{reference}"}
[connections.settings.write_back_seen.already_refunded]
path = "$.external_refunds[*].reference"
field = "reference"
[connections.reason_codes]
SIZE = "too_small"
"""


def _with_write_back(text: str = WRITE_BACK) -> str:
    return GOOD.replace('[connections.reason_codes]\nSIZE = "too_small"\n', text)


def test_call_templates_are_applied_exported_and_applied_again() -> None:
    configuration_apply.apply(configuration.read(_with_write_back()), by="ops", at=NOW)
    stored = Connection.objects.get(name="platform").settings
    assert stored["write_back"]["already_refunded"]["path"] == "/v1/returns/{return_id}/external-refunds"
    assert configuration_apply.apply(configuration.read(export(at=NOW)), by="ops", at=NOW) == ()
    assert Connection.objects.get(name="platform").settings == stored


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "{return_id}",
            "{rma}",
            "connection platform.settings.write_back.already_refunded.path: there is no {rma}; known are return_id",
        ),
        (
            'field = "reference"',
            'field = "total"',
            "connection platform.settings.write_back_seen.already_refunded.field: must be one of key, message",
        ),
        (
            'path = "/v1/returns/{return_id}/external-refunds"',
            'path = "https://evil.example/{return_id}"',
            "connection platform.settings.write_back.already_refunded.path: must begin with a slash",
        ),
    ],
)
def test_a_template_that_cannot_work_changes_nothing(old: str, new: str, expected: str) -> None:
    with pytest.raises(configuration.ConfigurationError) as refused:
        configuration.read(_with_write_back(WRITE_BACK.replace(old, new, 1)))
    assert any(problem.startswith(expected) for problem in refused.value.problems)


def test_nothing_is_told_to_a_platform_over_plain_http() -> None:
    with pytest.raises(configuration.ConfigurationError) as refused:
        configuration.read(_with_write_back().replace("https://reveni", "http://reveni"))
    assert refused.value.problems == (
        "connection platform.base_url: http:// to reveni.example.com would show keys and customer data on the way; "
        "write its https:// address. Plain http is for this machine only.",
        "connection platform.settings.write_back: base_url must begin with https:// before anything is sent there "
        "(http only on this machine).",
    )


def test_a_table_of_the_wrong_type_is_named() -> None:
    with pytest.raises(configuration.ConfigurationError) as refused:
        configuration.read(
            GOOD.replace(
                "[connections.reason_codes]", "[connections.settings]\nwrite_back = 1\n[connections.reason_codes]"
            )
        )
    assert refused.value.problems == ("connection platform.settings.write_back: must be a table.",)
