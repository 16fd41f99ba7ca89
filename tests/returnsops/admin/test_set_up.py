"""Routes, signatures and the lists people keep."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from returnsops.models import DispositionMapping, HistoryEntry, PolicySignature, ReasonCode, ReasonMapping
from tests import factories as make
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db
MAPPINGS = "/admin/returnsops/reasonmapping/"


def test_each_team_signs_for_itself(sign_in: SignIn) -> None:
    policy = make.RouteFactory().policy
    url = f"/admin/returnsops/policyversion/{policy.pk}/act/sign/"
    refused = sign_in("CX").post(url, {"team": "FIN"})
    assert "Only a member of Finance can sign" in refused.content.decode()
    sign_in("CX").post(url, {"team": "CX"})
    assert [(row.team, row.signed_by.username) for row in PolicySignature.objects.all()] == [("CX", "cx")]
    page = sign_in("CX").get(f"/admin/returnsops/policyversion/{policy.pk}/change/").content.decode()
    assert "Customer service (cx)" in page


def test_a_paused_route_sends_again_after_a_reason(sign_in: SignIn) -> None:
    route = make.RouteFactory(is_paused=True, pause_reason="More than 20 refunds in an hour")
    url = f"/admin/returnsops/route/{route.pk}/"
    assert "More than 20 refunds" in sign_in("OPS").get(f"{url}change/").content.decode()
    sign_in("OPS").post(f"{url}act/resume/", {"why": "A sale ended, the refunds are right"})
    route.refresh_from_db()
    assert not route.is_paused
    assert HistoryEntry.objects.get(act="route_resumed").by == "ops"


def test_a_single_switch_is_resumed_from_its_page(sign_in: SignIn) -> None:
    switch = make.SwitchFactory(scope="kind:refund")
    answer = sign_in("OPS").post(f"/admin/returnsops/switch/{switch.pk}/act/resume/", {"why": "fine now"}, follow=True)
    assert answer.status_code == 200
    assert "Sending goes on." in answer.content.decode()


def test_a_new_mapping_reaches_open_returns_and_history(sign_in: SignIn) -> None:
    line = make.ReturnLineFactory(reason=None, reason_source_code="FITS_BADLY")
    reason = make.ReasonCodeFactory(code="too-big")
    form = {"connection": line.rma.connection_id, "source_code": "FITS_BADLY", "reason": reason.pk}
    sign_in("OPS").post(f"{MAPPINGS}add/", form)
    line.refresh_from_db()
    line.rma.refresh_from_db()
    assert line.reason == reason
    assert line.rma.is_dirty
    assert HistoryEntry.objects.get(act="list_edited").by == "ops"


def test_what_a_person_classified_is_not_mapped_over(sign_in: SignIn) -> None:
    line = make.ReturnLineFactory(reason_source_code="FITS_BADLY", reason_by="cx")
    other = make.ReasonCodeFactory(code="too-big")
    form = {"connection": line.rma.connection_id, "source_code": "FITS_BADLY", "reason": other.pk}
    sign_in("OPS").post(f"{MAPPINGS}add/", form)
    line.refresh_from_db()
    assert line.reason.code == "too-small"


def test_a_new_place_of_goods_plans_the_routes_returns_again(sign_in: SignIn) -> None:
    rma = make.ReturnFactory()
    location = make.LocationFactory()
    form = {"route": rma.route_id, "disposition": "sellable", "channel": "", "location": location.pk}
    sign_in("OPS").post("/admin/returnsops/dispositionmapping/add/", form)
    assert DispositionMapping.objects.get().location == location
    rma.refresh_from_db()
    assert rma.is_dirty


def upload(client: Client, text: str) -> str:
    file = SimpleUploadedFile("mappings.csv", text.encode(), content_type="text/csv")
    answer = client.post(f"{MAPPINGS}import/", {"import_file": file, "format": "0"})
    return answer.content.decode()


@pytest.mark.requirement("S3-17")
def test_an_import_is_a_dry_run_first_with_errors_row_by_row(sign_in: SignIn) -> None:
    platform = make.ConnectionFactory(platform=True)
    make.ReasonCodeFactory(code="too-small")
    text = f"connection,source_code,reason\n{platform.name},S1,too-small\n{platform.name},S2,unheard-of\n"
    html = upload(sign_in("OPS"), text)
    assert ReasonMapping.objects.count() == 0
    assert HistoryEntry.objects.count() == 0
    assert "ReasonCode matching query does not exist" in html


def test_a_confirmed_import_is_stored_with_history(sign_in: SignIn) -> None:
    import re

    platform = make.ConnectionFactory(platform=True)
    make.ReasonCodeFactory(code="too-small")
    client = sign_in("OPS")
    html = upload(client, f"connection,source_code,reason\n{platform.name},S1,too-small\n")
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    client.post(f"{MAPPINGS}process_import/", form)
    assert [(row.source_code, row.reason.code) for row in ReasonMapping.objects.all()] == [("S1", "too-small")]
    assert HistoryEntry.objects.get(act="list_edited").by == "ops"


def test_an_export_holds_no_formulas(sign_in: SignIn) -> None:
    make.ReasonCodeFactory(code="odd", title='=HYPERLINK("http://evil.example.com")')
    answer = sign_in("OPS").post("/admin/returnsops/reasoncode/export/", {"format": "0", "resource": ""})
    text = answer.content.decode()
    assert "HYPERLINK" in text
    assert ",=HYPERLINK" not in text
    assert ',"=HYPERLINK' not in text


def test_a_code_never_changes(sign_in: SignIn) -> None:
    reason = make.ReasonCodeFactory(code="too-small")
    form = {"code": "other", "title": "Much too small", "is_active": "on"}
    sign_in("OPS").post(f"/admin/returnsops/reasoncode/{reason.pk}/change/", form)
    assert [(row.code, row.title) for row in ReasonCode.objects.all()] == [("too-small", "Much too small")]
