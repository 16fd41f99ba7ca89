"""Home, search, the stop button, and what is on every page."""

from decimal import Decimal

import pytest
from django.test import Client

from returnsops import states
from returnsops.models import HistoryEntry, Switch
from tests import factories as make
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db


def test_home_shows_each_team_its_figures_with_links(sign_in: SignIn) -> None:
    make.EffectFactory(state=states.REJECTED, amount=Decimal("10.00"))
    make.EffectFactory(state=states.AWAITING_APPROVAL, amount=Decimal("5.50"))
    finance = sign_in("FIN").get("/admin/").content.decode()
    assert "Refunds needing a person" in finance
    assert "£15.50" in finance
    assert 'href="/admin/returnsops/effect/?view=person"' in finance
    assert "Inbox backlog" not in finance
    assert "Inbox backlog" in sign_in("OPS").get("/admin/").content.decode()
    assert "Refunds needing a person" not in sign_in("MER").get("/admin/").content.decode()


def test_every_figure_leads_to_a_list_that_opens(sign_in: SignIn) -> None:
    import re

    for team in ("CX", "FIN", "WH", "OPS", "MER"):
        client = sign_in(team)
        html = client.get("/admin/").content.decode()
        links = re.findall(r'class="ro-figure[^"]*" href="([^"]+)"', html)
        assert links
        assert {client.get(link.replace("&amp;", "&")).status_code for link in links} == {200}, team


@pytest.mark.requirement("S5-31")
def test_the_warehouse_sees_what_to_inspect_next(sign_in: SignIn) -> None:
    rma = make.ReturnLineFactory(rma__received_at=make.NOW, rma__status=states.RECEIVED).rma
    html = sign_in("WH").get("/admin/").content.decode()
    assert rma.label in html
    assert "1 x Blue shirt" in html
    assert "What to inspect next" not in sign_in("FIN").get("/admin/").content.decode()


def test_one_button_stops_everything_and_everybody_sees_it(sign_in: SignIn) -> None:
    operations = sign_in("OPS")
    assert Switch.objects.count() == 0
    operations.get("/admin/stop/")
    assert Switch.objects.count() == 0
    operations.post("/admin/stop/", {"reason": " "})
    assert Switch.objects.count() == 0
    operations.post("/admin/stop/", {"reason": "Prices are wrong"})
    assert Switch.objects.get().scope == "all"
    assert "All sending is stopped by ops: Prices are wrong" in sign_in("CX").get("/admin/").content.decode()
    operations.post("/admin/stop/", {"reason": "Prices are right"})
    assert Switch.objects.count() == 0
    assert [entry.why for entry in HistoryEntry.objects.order_by("pk")] == ["Prices are wrong", "Prices are right"]


def test_searching_opens_a_single_hit_and_lists_several(sign_in: SignIn) -> None:
    first, second = make.ReturnFactory(), make.ReturnFactory()
    client = sign_in("CX")
    answer = client.get("/admin/find/", {"find": first.number})
    assert answer["Location"] == f"/admin/returnsops/returnauthorisation/{first.pk}/change/"
    html = client.get("/admin/find/", {"find": "sam@example.com"}).content.decode()
    assert first.label in html
    assert second.label in html
    assert "Nothing fits" in client.get("/admin/find/", {"find": "x"}).content.decode()
    assert "&lt;b&gt;" in client.get("/admin/find/", {"find": "<b>"}).content.decode()


def test_search_needs_a_sign_in() -> None:
    for path in ("/admin/find/?find=sam", "/admin/stop/", "/admin/"):
        assert Client().get(path).status_code == 302


def test_the_policy_of_the_admin_allows_no_inline_script(sign_in: SignIn) -> None:
    policy = sign_in("CX").get("/admin/")["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert "'unsafe-inline'" not in scripts
    assert "'unsafe-eval'" in scripts
