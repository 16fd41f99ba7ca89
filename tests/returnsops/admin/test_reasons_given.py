"""Why goods come back, counted for merchandising: by reason, article and month, and nothing of the customer."""

from datetime import timedelta

import pytest

from tests import factories as make
from tests.factories import NOW
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db

EXPORT = "/admin/returnsops/returnline/export/"


def rows(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()[1:]]


def test_units_and_returns_are_counted_by_month_reason_and_article(sign_in: SignIn) -> None:
    reason = make.ReasonCodeFactory(code="too_small", title="Too small")
    old = make.ReturnFactory(requested_at=NOW - timedelta(days=60), customer_email="shopper@example.com")
    new, other = (make.ReturnFactory(connection=old.connection, requested_at=NOW) for _ in range(2))
    tee = {"sku": "TEE", "name": "Shirt", "reason": reason, "is_matched": False}
    for rma, quantity in ((old, 1), (new, 2), (other, 3)):
        make.ReturnLineFactory(rma=rma, quantity=quantity, **tee)
    make.ReturnLineFactory(rma=new, quantity=7, is_withdrawn=True, **tee)
    make.ReturnLineFactory(rma=new, **{**tee, "sku": "=1+1", "reason": None})
    platform, month, before = old.connection.name, f"{NOW:%Y-%m}", f"{NOW - timedelta(days=60):%Y-%m}"
    client = sign_in("MER")
    answer = client.get(EXPORT)
    assert rows(answer.content.decode()) == [
        [before, "too_small", "Too small", "SIZE", platform, "TEE", "Shirt", "1", "1"],
        [month, "", "", "SIZE", platform, "1+1", "Shirt", "1", "1"],
        [month, "too_small", "Too small", "SIZE", platform, "TEE", "Shirt", "5", "2"],
    ]
    assert "example.com" not in answer.content.decode()
    period = {"rma__requested_at__year": NOW.year, "rma__requested_at__month": NOW.month}
    filtered = client.get(EXPORT, {**period, "reason__id__exact": reason.pk})
    assert [row[7] for row in rows(filtered.content.decode())] == ["5"]
    page = client.get("/admin/returnsops/returnline/").content.decode()
    assert ("not classified" in page, "Too small" in page) == (True, True)


def test_a_person_without_a_role_gets_nothing(client: object) -> None:
    from django.test import Client

    person = Client()
    person.force_login(make.UserFactory())
    assert person.get(EXPORT).status_code == 403


def test_the_newest_return_stands_first(sign_in: SignIn) -> None:
    for number in ("RMA-1", "RMA-2"):
        make.ReturnLineFactory(rma=make.ReturnFactory(number=number), is_matched=False)
    page = sign_in("MER").get("/admin/returnsops/returnline/").content.decode()
    assert page.index("RMA-2") < page.index("RMA-1")
