"""A CSV of verdicts: previewed, told row by row what is wrong, imported once (S4-14)."""

import re
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from returnsops.admin import inspection_import, inspection_reports
from returnsops.models import HistoryEntry, Inspection, InspectionReport
from returnsops.services import acts, wms
from tests import factories as make
from tests.returnsops.admin.conftest import SignIn

pytestmark = pytest.mark.django_db
IMPORT = "/admin/returnsops/inspectionreport/import/"
CONFIRM = "/admin/returnsops/inspectionreport/process_import/"
HEAD = "return,sku,quantity,outcome,disposition,final,inspected_at"
AT = "2026-03-02T08:00:00Z"


@pytest.fixture
def rma() -> Any:
    line = make.ReturnLineFactory(rma__number="RMA-1", external_id="i1", sku="TEE", quantity=3)
    make.ReturnLineFactory(rma=line.rma, external_id="i2", sku="MUG", quantity=1)
    return line.rma


def preview(client: Client, *rows: str, head: str = HEAD, raw: bytes | None = None) -> Any:
    content = raw if raw is not None else "\n".join([head, *rows]).encode()
    file = SimpleUploadedFile("found.csv", content, content_type="text/csv")
    return client.post(IMPORT, {"import_file": file, "format": "0", "resource": ""})


def confirm(client: Client, shown: Any) -> Any:
    initial = shown.context["confirm_form"].initial
    return client.post(CONFIRM, {name: str(value) for name, value in initial.items()}, follow=True)


def said(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.mark.requirement("S4-14")
def test_nothing_is_stored_before_it_is_confirmed_and_all_of_it_once(rma: Any, sign_in: SignIn) -> None:
    client = sign_in("WH")
    rows = (f"RMA-1,TEE,2,accepted,sellable,yes,{AT}", f"RMA-1,MUG,1,accepted,damaged,TRUE,{AT}")
    shown = preview(client, *rows)
    assert shown.status_code == 200
    assert not InspectionReport.objects.exists()
    assert not Inspection.objects.exists()
    assert not HistoryEntry.objects.filter(act="wms_report").exists()

    assert "Imported: 2 new, 0 known already" in said(confirm(client, shown))
    found = {(row.item_external_id, row.quantity, row.disposition, row.source) for row in Inspection.objects.all()}
    assert found == {("i1", 2, "sellable", "wms"), ("i2", 1, "damaged", "wms")}
    assert {(row.origin, row.received_by, row.rma) for row in InspectionReport.objects.all()} == {("csv", "wh", rma)}

    again = preview(client, *rows)
    assert said(again).count("Skipped") == 2
    assert "Imported: 0 new, 2 known already" in said(confirm(client, again))
    assert Inspection.objects.count() == 2


@pytest.mark.parametrize("crash_at", ["act", "report"])
def test_a_crash_in_the_middle_of_a_file_imports_none_of_it_and_the_next_try_all(
    rma: Any, sign_in: SignIn, crash_at: str
) -> None:
    client = sign_in("WH")
    rows = (f"RMA-1,TEE,2,accepted,sellable,yes,{AT}", f"RMA-1,MUG,1,accepted,damaged,TRUE,{AT}")
    shown = preview(client, *rows)
    died = {"act": mock.patch.object(wms, "act", side_effect=_dies_at_the_second(acts.act))}
    died["report"] = mock.patch.object(InspectionReport.objects, "create", side_effect=RuntimeError("power cut"))
    client.raise_request_exception = False
    with died[crash_at]:
        confirm(client, shown)
    assert not InspectionReport.objects.exists()
    assert not Inspection.objects.exists()

    assert "Imported: 2 new, 0 known already" in said(confirm(client, preview(client, *rows)))
    assert Inspection.objects.count() == 2


def _dies_at_the_second(act: Any) -> Any:
    calls = iter((False, True))

    def dying(**details: Any) -> Any:
        if next(calls, True):
            raise RuntimeError("power cut")
        return act(**details)

    return dying


def test_a_preview_confirmed_twice_is_imported_once(rma: Any, sign_in: SignIn) -> None:
    client = sign_in("WH")
    shown = preview(client, f"RMA-1,TEE,1,accepted,sellable,yes,{AT}")
    confirm(client, shown)
    assert "That preview was used already" in said(confirm(client, shown))
    assert Inspection.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        (f"RMA-9,TEE,1,accepted,sellable,yes,{AT}", "return", "There is no return with this number"),
        (f",TEE,1,accepted,sellable,yes,{AT}", "return", "may not be blank"),
        (f"RMA-1,TEE,two,accepted,sellable,yes,{AT}", "quantity", "valid integer"),
        (f"RMA-1,TEE,0,accepted,sellable,yes,{AT}", "quantity", "greater than or equal to 1"),
        (f"RMA-1,TEE,1,fine,sellable,yes,{AT}", "outcome", "not a valid choice"),
        (f"RMA-1,TEE,1,accepted,shelf,yes,{AT}", "disposition", "not a valid choice"),
        (f"RMA-1,TEE,1,accepted,sellable,perhaps,{AT}", "final", "valid boolean"),
        ("RMA-1,TEE,1,accepted,sellable,yes,2026-03-02 08:00", "inspected_at", "with its time zone"),
        (f"RMA-1,,1,accepted,sellable,yes,{AT}", "item_id", "Name the item"),
        ("RMA-1,,,,,,", "return", "Say what was found"),
    ],
)
def test_what_is_wrong_with_a_row_stands_beside_it(row: str, column: str, text: str, rma: Any, sign_in: SignIn) -> None:
    good = f"RMA-1,TEE,1,accepted,sellable,yes,{AT}"
    shown = preview(sign_in("WH"), good, row)
    (wrong,) = shown.context["result"].invalid_rows
    assert wrong.number == 2
    assert text in " ".join(wrong.field_specific_errors[column])
    assert text in said(shown)
    assert "confirm_form" not in shown.context  # one wrong row keeps the whole file
    assert not InspectionReport.objects.exists()


def test_equal_rows_of_one_file_are_never_taken_for_one(rma: Any, sign_in: SignIn) -> None:
    client = sign_in("WH")
    row = f"RMA-1,TEE,1,accepted,sellable,yes,{AT}"
    (wrong,) = preview(client, row, row).context["result"].invalid_rows
    assert wrong.field_specific_errors == {
        "key": ["The same as row 1. Add the quantities up, or give each row a key of its own."]
    }
    keyed = preview(client, f"a,{row}", f"b,{row}", head=f"key,{HEAD}")
    confirm(client, keyed)
    assert sorted(InspectionReport.objects.values_list("key", flat=True)) == ["a", "b"]
    changed = preview(client, f"a,RMA-1,TEE,1,accepted,damaged,yes,{AT}", head=f"key,{HEAD}")
    assert "came before with another content" in said(changed)


def test_several_returns_of_a_number_are_named(rma: Any, sign_in: SignIn) -> None:
    other = make.ReturnLineFactory(rma__number="RMA-1").rma
    shown = preview(sign_in("WH"), f"RMA-1,TEE,1,accepted,sellable,yes,{AT}")
    assert rma.ref in said(shown)
    assert other.ref in said(shown)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("return,sku\nRMA-1,T\xe9e".encode("latin-1"), "not UTF-8 text"),
        (b"", "empty"),
        (b"return;sku;quantity\nRMA-1;TEE;1", "separated by semicolons"),
        (b"sku,quantity\nTEE,1", "The column return is missing"),
        (b"return,colour\nRMA-1,red", "Unknown columns: colour"),
        (b"return,sku,sku\nRMA-1,TEE,TEE", "A column is there twice"),
        (b"return,sku\nRMA-1,TEE,1,2,3", "The file is not a table"),
        (b"return,sku\n", "No valid data"),
    ],
)
def test_a_file_that_is_no_table_of_ours_says_so(raw: bytes, text: str, rma: Any, sign_in: SignIn) -> None:
    shown = preview(sign_in("WH"), raw=raw)
    assert shown.status_code == 200
    assert text in said(shown)
    assert "Traceback" not in said(shown)


def test_files_are_bounded(rma: Any, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection_import.ReportCsv, "max_rows", 2)
    monkeypatch.setattr(inspection_reports.ReportImportForm, "max_bytes", 1024)
    client = sign_in("WH")
    row = f"RMA-1,TEE,1,accepted,sellable,yes,{AT}"
    assert "The file has 3 rows; import at most 2" in said(preview(client, row, row, row))
    assert "larger than 1 KiB" in said(preview(client, raw=b"x" * 2000))


def test_a_row_that_is_wrong_by_now_keeps_the_whole_file(rma: Any, sign_in: SignIn) -> None:
    client = sign_in("WH")
    other = make.ReturnLineFactory(rma__number="RMA-2", sku="HAT").rma
    shown = preview(client, f"RMA-1,TEE,1,accepted,sellable,yes,{AT}", f"RMA-2,HAT,1,accepted,sellable,yes,{AT}")
    other.number = "RMA-3"
    other.save()
    assert "Nothing was imported: since the preview, rows 2 are no longer right" in said(confirm(client, shown))
    assert not Inspection.objects.exists()


def test_only_the_warehouse_imports_and_formulae_are_escaped_on_export(rma: Any, sign_in: SignIn) -> None:
    client = sign_in("WH")
    confirm(client, preview(client, f"RMA-1,=1+1,1,unexpected,quarantine,no,{AT}"))
    report = InspectionReport.objects.get()
    report.text, report.warehouse = "=HYPERLINK(1)", "@SUM(1)"
    report.save()
    for team in ("CX", "FIN", "OPS"):
        assert sign_in(team).get(IMPORT).status_code == 403
        assert sign_in(team).post(CONFIRM, {}).status_code == 403
    data = {"format": "0", "resource": "", **{f"inspectionreportresource_{n}": "on" for n in ("text", "warehouse")}}
    exported = sign_in("CX").post("/admin/returnsops/inspectionreport/export/", data)
    assert exported.status_code == 200
    assert b",'@SUM(1),'=HYPERLINK(1)," in exported.content
