"""The rules of the run are in force."""

import socket
import sys

import pytest
from django.conf import settings
from django.db import connection

from tests.conftest import refuse_foreign_hosts, suites


@pytest.mark.parametrize("host", ["example.com", "192.0.2.1", "2001:db8::1"])
def test_no_host_beyond_loopback_is_reached(host: str) -> None:
    with pytest.raises(RuntimeError, match=f"A test tried to reach {host}"):
        socket.create_connection((host, 443), timeout=1)


def test_a_datagram_to_another_host_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(RuntimeError):
        datagrams.sendto(b"x", ("192.0.2.1", 53))


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("::1", 80, 0, 0), "/run/some.socket"])
def test_loopback_and_unix_sockets_are_open(address: object) -> None:
    refuse_foreign_hosts("socket.connect", (None, address))
    sys.audit("socket.connect", None, address)


def test_no_environment_file_is_read() -> None:
    assert settings.SECRET_KEY.startswith("only-for-tests")
    assert settings.DEBUG is False


def test_what_is_left_out_has_a_command(pytestconfig: pytest.Config) -> None:
    for marker, suite in suites(pytestconfig).items():
        assert suite.marker == marker
        assert suite.command.startswith("make ")


@pytest.mark.django_db
@pytest.mark.parametrize("time", ["first", "again"])
def test_placeholders_and_percent_signs_reach_the_database_as_they_are_meant(time: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 7 %% 4, '%%s', %s || '%%'", ["5"])
        assert cursor.fetchone() == (3, "%s", "5%"), time
        cursor.execute("SELECT 7 %% 4, %(name)s || '%%'", {"name": "5"})
        assert cursor.fetchone() == (3, "5%"), time
