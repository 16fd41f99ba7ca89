"""Every screen at 1440 and 390 px, light and dark: it fits, axe finds nothing, the console is silent."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from returnsops import states
from returnsops.models import Effect, Inspection
from tests import factories as make
from tests.browser import world
from tests.factories import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@pytest.fixture
def context(browser: Browser, live_server: LiveServer, request: Any) -> Iterator[BrowserContext]:
    """A window of the asked size and colours; asking another host for anything fails the test."""
    asked: Any = getattr(request, "param", ("desk", "light"))
    size, colours = asked
    width, height = SIZES[size]
    made = browser.new_context(
        base_url=live_server.url, viewport={"width": width, "height": height}, color_scheme=colours
    )
    foreign: list[str] = []
    own = (live_server.url, "data:", "blob:")
    made.on("request", lambda call: None if call.url.startswith(own) else foreign.append(call.url))
    yield made
    made.close()
    assert foreign == []


def sign_in(context: BrowserContext, name: str) -> Page:
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_label("Username or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url("/admin/")
    page.wait_for_load_state()
    return page


def screens_of(made: world.World) -> list[str]:
    rma, effect = made.held.pk, made.refund_to_approve.pk
    returns = f"returnsops/returnauthorisation/{rma}"
    lists = [
        "returnsops/returnauthorisation/", "returnsops/effect/?view=all", "returnsops/order/", "returnsops/refund/",
        "returnsops/attempt/", "returnsops/historyentry/", "returnsops/inboundevent/", "returnsops/connection/",
        "returnsops/route/", "returnsops/policyversion/",
        "returnsops/shadowcomparison/?view=all", "returnsops/reasonmapping/", "returnsops/switch/",
        "returnsops/catalogueitem/?view=all", "exceptions_queue/exceptioncase/",
        "returnsops/apitoken/", "returnsops/apitoken/add/",
        "returnsops/inspectionreport/", "returnsops/inspectionreport/import/",
        "reconciliation/period/", "reconciliation/posting/?view=all", "reconciliation/settlement/",
        "reconciliation/settlementline/?view=all", "reconciliation/settlementline/import/",
    ]  # fmt: skip
    pages = [
        f"{returns}/change/",
        f"{returns}/act/confirm_inspection/",
        f"{returns}/act/propose_refund/",
        f"returnsops/effect/{effect}/change/",
        f"returnsops/effect/{effect}/act/cancel/",
        f"returnsops/order/{made.held.order_id}/change/",
        f"returnsops/inboundevent/{made.stuck_event.pk}/change/",
        f"returnsops/connection/{made.route.commerce_id}/change/",
        f"returnsops/route/{made.route.pk}/change/",
        f"returnsops/route/{made.route.pk}/act/go_live/",
        "returnsops/returnauthorisation/?view=release",
        f"returnsops/mappingversion/edit/{made.route.platform_id}/",
        "reconciliation/run/",
        f"reconciliation/run/{made.audit.pk}/change/",
        f"reconciliation/period/{made.month.pk}/change/",
        f"reconciliation/period/{made.month.pk}/act/close/",
        f"reconciliation/period/{made.closed_month.pk}/change/",
        f"reconciliation/settlementline/{made.line.pk}/change/",
        f"reconciliation/settlementline/{made.line.pk}/act/pays/",
        f"reconciliation/settlement/{made.line.settlement_id}/change/",
        "find/?find=sam@example.com",
        "stop/",
    ]
    return ["", *lists, *pages]


@pytest.mark.parametrize(
    "context", [(size, colours) for size in SIZES for colours in ("light", "dark")], indirect=True, ids="-".join
)
def test_every_screen_fits_and_is_accessible(context: BrowserContext) -> None:
    made = world.build()
    made.people["OPS"].is_superuser = True
    made.people["OPS"].save()
    page = sign_in(context, "ops")
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    found: dict[str, Any] = {}
    for path in screens_of(made):
        answer = page.goto(f"/admin/{path}")
        assert answer is not None
        assert answer.status == 200, path
        page.wait_for_load_state("networkidle")
        too_wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        if problems := [*violations(page), *(["too wide"] if too_wide else [])]:
            found[path] = problems
    assert found == {}
    assert complaints == []


def violations(page: Page) -> list[str]:
    """What axe-core finds, each rule with the places."""
    page.evaluate(AXE)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes']]}" for rule in result["violations"]]


# Every word of a table's cells that stands on two lines, and is short enough to stand on one at 390 px.
BROKEN_WORDS = """() => {
    const broken = [];
    for (const cell of document.querySelectorAll(":is(.ro-tables, .case-tables) :is(th, td)")) {
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        for (let node; (node = walker.nextNode());) {
            for (const word of node.data.matchAll(/[^\\s-]+/g)) {
                const range = document.createRange();
                range.setStart(node, word.index);
                range.setEnd(node, word.index + word[0].length);
                const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
                if (word[0].length <= 24 && lines.size > 1) broken.push(word[0]);
            }
        }
    }
    return broken;
}"""
WIDE = {
    "executed_by": "commerce_platform",
    "lines": [
        {"line_id": "4711", "quantity": 1, "amount": "29.95", "tax": "4.78", "unit_price": "29.95",
         "restock_type": "no_restock", "location": "main-warehouse", "discount": "0.00"},
    ],
    "here_and_there": {
        "refunded": {"amount": "29.95", "currency": "EUR", "transaction": "ch_" + "a1B2c3D4" * 8, "count": 1},
        "awaiting_approval": {"amount": "1,029.95", "currency": "EUR", "transaction": "", "count": 12},
    },
}  # fmt: skip


@pytest.mark.parametrize("context", [(size, "light") for size in SIZES], indirect=True, ids="-".join)
def test_no_word_of_a_table_is_broken_and_the_page_does_not_grow(context: BrowserContext) -> None:
    made = world.build()
    Effect.objects.filter(pk=made.refund_to_approve.pk).update(payload=WIDE)
    case = make.CaseFactory(rma=made.held, fingerprint="wide", evidence=WIDE, owner_team="FIN")
    page = sign_in(context, "fin")
    paths = (
        f"returnsops/effect/{made.refund_to_approve.pk}/change/",
        f"exceptions_queue/exceptioncase/{case.pk}/change/",
        f"reconciliation/period/{made.closed_month.pk}/change/",
        f"reconciliation/period/{made.month.pk}/change/",
    )
    found: dict[str, Any] = {}
    for path in paths:
        page.goto(f"/admin/{path}")
        page.wait_for_load_state("networkidle")
        too_wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        found[path] = (page.evaluate(BROKEN_WORDS), too_wide, violations(page))
    assert found == {path: ([], False, []) for path in paths}


def test_text_of_a_customer_runs_nothing(context: BrowserContext) -> None:
    made = world.build()
    page = sign_in(context, "cx")
    page.goto(f"/admin/returnsops/returnauthorisation/{made.held.pk}/change/")
    expect(page.get_by_text("<script>window.harmed = true</script>")).to_be_visible()
    assert page.evaluate("window.harmed") is None


@pytest.mark.parametrize("context", [("phone", "light")], indirect=True, ids="-".join)
def test_a_warehouse_hand_inspects_on_a_phone(context: BrowserContext) -> None:
    made = world.build()
    page = sign_in(context, "wh")
    page.get_by_role("link", name="RMA-77").click()
    boxes = page.locator(".ro-verdict").all()
    assert len(boxes) == 8
    assert all((box.bounding_box() or {"height": 0})["height"] >= 48 for box in boxes)
    page.get_by_role("group", name="Verdict on Blue shirt, large").get_by_label("Sellable").check()
    page.get_by_role("group", name="Verdict on Walking boots").get_by_label("Damaged").check()
    page.get_by_role("button", name="Confirm inspection").click()
    expect(page.get_by_text("Say what is wrong with it.")).to_be_visible()
    page.get_by_label("What is wrong (damaged or quarantine)").last.fill("Sole is off")
    page.get_by_role("button", name="Confirm inspection").click()
    expect(page.get_by_text("Inspected: 2 x Blue shirt, large: sellable; 1 x Walking boots: damaged")).to_be_visible()
    verdicts = Inspection.objects.filter(rma=made.held, source="warehouse").order_by("item_external_id")
    assert [(row.quantity, row.disposition) for row in verdicts] == [(2, "sellable"), (1, "damaged")]


def test_finance_approves_by_keyboard_alone(context: BrowserContext) -> None:
    made = world.build()
    page = sign_in(context, "fin")
    page.goto("/admin/returnsops/effect/")
    for name in ("Refund £45.50 (the shop pays)", "Approve and send"):
        page.get_by_role("link", name=name).focus()
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Approve and send").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Approved; it goes out now.")).to_be_visible()
    effect = Effect.objects.get(pk=made.refund_to_approve.pk)
    assert (effect.state, effect.approved_by.username) == (states.READY, "fin")  # type: ignore[union-attr]


def test_filters_open_and_close_by_keyboard(context: BrowserContext) -> None:
    world.build()
    page = sign_in(context, "cx")
    page.goto("/admin/returnsops/returnauthorisation/")
    page.get_by_role("button", name="Filters").focus()
    page.keyboard.press("Enter")
    panel = page.locator("#changelist-filter")
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_the_slash_goes_to_the_search_but_not_inside_an_input(context: BrowserContext) -> None:
    made = world.build()
    page = sign_in(context, "cx")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Order, return, refund")
    expect(search).to_be_focused()
    page.keyboard.type("RMA-77")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Return RMA-77").last).to_be_visible()
    note = page.get_by_label("Note", exact=True)
    note.fill("")
    note.press("/")
    expect(note).to_have_value("/")
    assert made.held.number == "RMA-77"
