"""The staff screens over 2,000 returns and as many cases: bytes, queries, milliseconds of CPU."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from returnsops import roles, states
from returnsops.models import ReturnAuthorisation
from tests import factories
from tests.benchmarks.measuring import keep, median_s

ROWS = 2000

pytestmark = pytest.mark.django_db


def test_pages(client: Client) -> None:
    fill()
    someone = factories.UserFactory(team=roles.FIN)
    client.force_login(someone)
    newest = ReturnAuthorisation.objects.order_by("-pk")[0]
    pages = {
        "home": "/admin/",
        f"list of {ROWS:,} returns": "/admin/returnsops/returnauthorisation/",
        f"list of {ROWS:,} cases": "/admin/exceptions_queue/exceptioncase/",
        f"list of {2 * ROWS:,} effects": "/admin/returnsops/effect/",
        "one return": f"/admin/returnsops/returnauthorisation/{newest.pk}/change/",
    }
    for name, path in pages.items():
        measure(client, name, path)


def measure(client: Client, name: str, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200, path
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
    count = len(queries)  # now: the next request empties the log

    def fetch() -> None:
        cache.clear()
        client.get(path)

    time_ms = median_s(fetch) * 1000
    keep(
        what=f"page: {name} ({connection.vendor})",
        value=f"{time_ms:.0f} ms of CPU, {count} queries",
        note=f"{len(response.content) / 1024:.0f} KB of HTML; caches emptied before each",
    )


def fill() -> None:
    """Returns with a line, a refund, a restock and a case each."""
    route = factories.RouteFactory()
    reason = factories.ReasonCodeFactory()
    for _ in range(ROWS):
        rma = factories.ReturnFactory(route=route, connection=route.platform)
        factories.ReturnLineFactory(rma=rma, reason=reason)
        factories.EffectFactory(rma=rma, state=states.CONFIRMED)
        factories.EffectFactory(rma=rma, restock=True)
        factories.CaseFactory(rma=rma, owner_team=roles.FIN, kind_code=states.CASE_AMOUNT_MISMATCH)
