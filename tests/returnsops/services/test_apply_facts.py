"""Facts into rows where the fact has no service of its own: what the platform has shown of our messages."""

from itertools import permutations

import pytest

from returnsops import facts
from returnsops.models import Connection, ReturnAuthorisation
from returnsops.services.apply_facts import apply_facts
from returnsops.services.views import view_of
from tests import factories as make
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def showed(*values: str, message: str = "verdict", field: str = "key") -> facts.PlatformShowed:
    return facts.PlatformShowed(return_id="ret_1", occurred_at=NOW, message=message, field=field, values=values)


def test_what_was_shown_is_added_up_in_any_order_and_once() -> None:
    told = [showed("a", "b"), showed("c"), showed("b"), showed("1", message="lines", field="total")]
    for number, order in enumerate(permutations(told)):
        connection: Connection = make.ConnectionFactory(name=f"platform-{number}", vendor="reveni")
        apply_facts(connection=connection, new_facts=order, at=NOW)
        rma = ReturnAuthorisation.objects.get(connection=connection)
        assert rma.platform_shows == {"verdict": {"key": ["a", "b", "c"]}, "lines": {"total": ["1"]}}


def test_the_plan_sees_what_was_shown_and_which_messages_travel_by_call() -> None:
    rma: ReturnAuthorisation = make.ReturnFactory(platform_shows={"verdict": {"key": ["a", "b"]}})
    rma.connection.settings = {"write_back": {"verdict": {"method": "POST", "path": "/{return_id}"}}}
    view = view_of(rma)
    assert view.platform_shows == {"verdict": {"key": frozenset({"a", "b"})}}
    assert view.write_backs == frozenset({"verdict"})
