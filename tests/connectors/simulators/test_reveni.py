"""The simulated platform: its story, both dialects, its faults, its retries and its pull API."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests

from connectors.ports import Payload
from connectors.returns_contract.contract import event_problem
from connectors.returns_contract.receiving import parse_body
from connectors.reveni.connector import A2_VERIFIER
from connectors.reveni.normalise import normalise
from connectors.signing import Verdict, verify
from connectors.simulators.base import SimulatedClock, WebhookFault
from connectors.simulators.reveni import API_KEY, WEBHOOK_SECRET, ReveniPlatform, assumed_mapping
from connectors.simulators.reveni_webhooks import RETRY_AFTER_S, DeliveryFault
from connectors.simulators.server import serve

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
ITEMS: list[dict[str, Any]] = [
    {"sku": "TEE", "quantity": 2, "unit_price": "15.00"},
    {"sku": "MUG", "unit_price": "8.50"},
]


@dataclass
class Receiver:
    """What a shop's back office would see: every delivery with the verdict on its signature."""

    clock: SimulatedClock
    verifier: dict[str, Any]
    secrets: list[str]
    statuses: list[int] = field(default_factory=list)
    seen: list[tuple[dict[str, str], bytes, Verdict]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        verdict = verify(verifier=self.verifier, secrets=self.secrets, headers=headers, body=body, now=self.clock.now())
        self.seen.append((headers, body, verdict))
        status = self.statuses.pop(0) if self.statuses else 202
        start_response(f"{status} x", [("Content-Length", "0")])
        return []

    def types(self) -> list[str]:
        return [parse_body(body)["type"] for _, body, _ in self.seen]


@dataclass
class Stage:
    """A platform and the receiver its webhooks go to, over real HTTP."""

    platform: ReveniPlatform
    receiver: Receiver
    clock: SimulatedClock

    def deliver(self) -> None:
        self.platform.sender.deliver_pending()

    def new_return(self, **given: Any) -> str:
        return self.platform.create_return(order_id="77", items=ITEMS, **given)


def staged(dialect: Any) -> Iterator[Stage]:
    clock = SimulatedClock(START)
    is_a2 = dialect == "a2"
    receiver = Receiver(
        clock=clock,
        verifier=dict(A2_VERIFIER) if is_a2 else {"kind": "standard_webhooks"},
        secrets=[API_KEY if is_a2 else WEBHOOK_SECRET],
    )
    server = serve(receiver)
    platform = ReveniPlatform(clock=clock, dialect=dialect, webhook_url=f"{server.url}/webhooks/reveni/")
    yield Stage(platform=platform, receiver=receiver, clock=clock)
    platform.sender.session.close()
    server.stop()


@pytest.fixture
def stage() -> Iterator[Stage]:
    yield from staged("contract")


@pytest.fixture
def a2_stage() -> Iterator[Stage]:
    yield from staged("a2")


def tell_all(stage: Stage) -> str:
    """Every act once."""
    platform = stage.platform
    return_id = stage.new_return(mode="instant", resolution="mixed")
    for act in (platform.authorise, platform.label, platform.in_transit, platform.delivered, platform.receive):
        stage.clock.advance(60)
        act(return_id)
    platform.inspect(return_id, [{"item_id": "rit_1", "quantity": 1}])
    platform.complete_inspection(return_id, [{"item_id": "rit_1"}, {"item_id": "rit_2", "disposition": "damaged"}])
    refund_id = platform.issue_refund(return_id, amount="20.00")
    platform.fail_refund(return_id, refund_id)
    exchange_id = platform.request_exchange(return_id, lines=[{"sku": "CAP", "quantity": 1}])
    platform.cancel_exchange(return_id, exchange_id)
    platform.issue_credit(return_id, amount="5.00")
    platform.issue_credit(return_id, amount="5.00", is_gift_card=True)
    risk_id = platform.risk_hold(return_id)
    platform.risk_release(return_id, risk_id, status="inspected")
    platform.charge(return_id, amount="9.00")
    platform.charge(return_id, amount="9.00", stage="failed")
    platform.charge(return_id, amount="9.00", stage="reversed")
    platform.update(return_id, {"number": "RMA-9"})
    platform.close(return_id)
    for end in (platform.decline, platform.cancel, platform.expire):
        end(stage.new_return())
    return return_id


def test_every_event_of_the_contract_can_be_told_validly(stage: Stage) -> None:
    tell_all(stage)
    stage.deliver()

    assert len(set(stage.receiver.types())) == 24
    for headers, body, verdict in stage.receiver.seen:
        event = parse_body(body)
        assert verdict.is_genuine, verdict.reason
        assert event_problem(event) is None
        assert headers["webhook-id"] == event["id"]


def test_each_act_raises_the_revision_by_one(stage: Stage) -> None:
    return_id = tell_all(stage)
    revisions = [
        event["data"]["return"]["revision"]
        for event in stage.platform.told
        if event["data"]["return"]["id"] == return_id
    ]

    assert revisions == list(range(1, len(revisions) + 1))


def test_totals_follow_the_items(stage: Stage) -> None:
    stage.new_return()

    assert stage.platform.whole_returns()[0]["totals"]["refund"] == "38.50"


def test_the_vendors_dialect_tells_the_same_story(a2_stage: Stage, stage: Stage) -> None:
    tell_all(stage)
    tell_all(a2_stage)
    a2_stage.deliver()

    documents = [parse_body(body) for _, body, _ in a2_stage.receiver.seen]
    assert {document["event"] for document in documents} == {"return.created", "return.updated"}
    assert all(verdict.is_genuine for _, _, verdict in a2_stage.receiver.seen)
    assert set(documents[0]["data"]) == {
        "amount",
        "status",
        "currency",
        "resource",
        "resource_id",
        "object",
    }
    assert documents[0]["data"]["amount"] == "38.5000"
    told = {type(fact).__name__ for document in documents for fact in _facts(document, "a2.x", assumed_mapping())}
    native = {type(fact).__name__ for event in stage.platform.told for fact in _facts(event, "x", {})}
    assert told == native


def _facts(document: Any, topic: str, mapping: dict[str, Any]) -> tuple[Any, ...]:
    document = json.loads(json.dumps(document, default=str), parse_float=Decimal)
    result = normalise(Payload(topic=topic, document=document, received_at=START, account="reveni", mapping=mapping))
    assert result.problems == ()
    return result.facts


def test_without_the_assumed_object_only_what_is_published_is_said() -> None:
    platform = ReveniPlatform(clock=SimulatedClock(START), dialect="a2", has_object=False)
    platform.create_return(order_id="77", items=ITEMS)

    assert platform.told[0]["data"]["object"] == {}


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        (("accepted", "accepted"), "accepted"),
        (("accepted", "rejected"), "partly_accepted"),
        (("rejected", "missing"), "rejected"),
    ],
)
def test_the_dashboards_word_for_a_finished_inspection(outcomes: tuple[str, str], word: str) -> None:
    platform = ReveniPlatform(clock=SimulatedClock(START), dialect="a2")
    return_id = platform.create_return(order_id="77", items=ITEMS)
    verdicts = [{"item_id": f"rit_{n}", "outcome": outcome} for n, outcome in enumerate(outcomes, 1)]
    platform.complete_inspection(return_id, verdicts)

    assert platform.told[-1]["data"]["status"] == word


def test_what_the_platform_pays_is_seen_twice_if_paid_twice(stage: Stage) -> None:
    return_id = stage.new_return()
    stage.platform.issue_refund(return_id, amount="5.00", executed_by="commerce_platform")
    stage.platform.issue_refund(return_id, amount="5.00", executed_by="returns_platform", method="bank_transfer")
    stage.platform.issue_refund(return_id, amount="5.00", executed_by="returns_platform", method="bank_transfer")

    assert [(p.return_id, p.amount, p.currency) for p in stage.platform.payouts] == [(return_id, "5.00", "EUR")] * 2


def test_a_silent_act_is_seen_only_by_pulling(stage: Stage) -> None:
    return_id = stage.new_return(is_silent=True)
    stage.platform.authorise(return_id, is_silent=True)
    stage.deliver()

    assert stage.receiver.seen == []
    assert stage.platform.whole_returns()[0]["status"] == "authorised"


# --- deliveries ---------------------------------------------------------------------------------------------------


def test_failed_deliveries_follow_the_published_schedule(stage: Stage) -> None:
    stage.receiver.statuses = [500] * 20
    stage.new_return()
    stage.deliver()
    for number, wait_s in enumerate(RETRY_AFTER_S, 1):
        stage.clock.advance(wait_s - 1)
        stage.deliver()
        assert len(stage.receiver.seen) == number
        stage.clock.advance(1)
        stage.deliver()
        assert len(stage.receiver.seen) == number + 1

    assert stage.platform.sender.pending() == []
    ids = {headers["webhook-id"] for headers, _, _ in stage.receiver.seen}
    times = [headers["webhook-timestamp"] for headers, _, _ in stage.receiver.seen]
    assert len(ids) == 1
    assert len(set(times)) == 10
    assert all(verdict.is_genuine for _, _, verdict in stage.receiver.seen)


def test_410_stops_the_sender(stage: Stage) -> None:
    stage.receiver.statuses = [410]
    return_id = stage.new_return()
    stage.platform.authorise(return_id)
    stage.deliver()
    stage.platform.receive(return_id)
    stage.deliver()

    assert len(stage.receiver.seen) == 1
    assert stage.platform.events.is_stopped


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("bad_signature", "does not match"), ("stale_timestamp", "3600 s old"), ("old_secret", "does not match")],
)
def test_a_spoilt_signature_is_refused_and_honest_on_the_next_try(stage: Stage, kind: str, reason: str) -> None:
    newer = "whsec_" + "QUJD" * 10
    stage.platform.rotate_secret(newer)
    stage.receiver.secrets = [newer]
    stage.receiver.statuses = [401]
    stage.platform.script(DeliveryFault(kind=kind))
    stage.new_return()
    stage.deliver()
    stage.clock.advance(5)
    stage.deliver()

    assert [verdict.is_genuine for _, _, verdict in stage.receiver.seen] == [False, True]
    assert reason in stage.receiver.seen[0][2].reason


def test_a_rotation_can_sign_with_both(stage: Stage) -> None:
    stage.platform.rotate_secret("whsec_" + "QUJD" * 10, signs_with_all=True)
    stage.new_return()
    stage.deliver()

    assert stage.receiver.seen[0][2].is_genuine
    assert stage.receiver.seen[0][0]["webhook-signature"].count("v1,") == 2


def test_the_vendors_dialect_spoils_signatures_too(a2_stage: Stage) -> None:
    a2_stage.platform.script(DeliveryFault(kind="bad_signature"), DeliveryFault(kind="stale_timestamp"))
    a2_stage.platform.authorise(a2_stage.new_return())
    a2_stage.deliver()

    assert [verdict.is_genuine for _, _, verdict in a2_stage.receiver.seen] == [False, False]


def test_a_duplicate_comes_with_the_same_or_a_new_id(stage: Stage) -> None:
    stage.platform.faults.script(WebhookFault(kind="duplicate"))
    return_id = stage.new_return()
    stage.deliver()
    stage.platform.script(DeliveryFault(kind="duplicate_new_id"))
    stage.platform.issue_refund(return_id, amount="5.00")
    stage.deliver()

    events = [parse_body(body) for _, body, _ in stage.receiver.seen]
    assert [event["type"] for event in events] == ["return.requested"] * 2 + ["refund.issued"] * 2
    assert events[0]["id"] == events[1]["id"]
    assert events[2]["id"] != events[3]["id"]
    assert events[2]["data"] == events[3]["data"]


def test_reordered_late_and_dropped(stage: Stage) -> None:
    stage.platform.faults.script(
        WebhookFault(kind="reordered", topic_pattern="requested"),
        WebhookFault(kind="late", topic_pattern="authorised", delay_s=90),
        WebhookFault(kind="drop", topic_pattern="label"),
    )
    return_id = stage.new_return()
    stage.platform.authorise(return_id)
    stage.platform.label(return_id)
    stage.platform.issue_refund(return_id, amount="5.00")  # the refund arrives before its return
    stage.deliver()
    stage.clock.advance(90)
    stage.deliver()

    assert stage.receiver.types() == ["refund.issued", "return.requested", "return.authorised"]


def test_spoilt_bodies_are_signed_properly(stage: Stage) -> None:
    stage.platform.script(
        DeliveryFault(kind="missing_reason", topic_pattern="requested"),
        DeliveryFault(kind="unknown_status", topic_pattern="authorised"),
        DeliveryFault(kind="broken_json", topic_pattern="label"),
        DeliveryFault(kind="huge_body", topic_pattern="received", times=2),
    )
    return_id = stage.new_return()
    for act in (stage.platform.authorise, stage.platform.label, stage.platform.receive, stage.platform.receive):
        act(return_id)
    stage.deliver()

    bodies = [body for _, body, _ in stage.receiver.seen]
    assert all(verdict.is_genuine for _, _, verdict in stage.receiver.seen)
    assert [item["reason_code"] for item in parse_body(bodies[0])["data"]["return"]["items"]] == [None, None]
    assert parse_body(bodies[1])["data"]["return"]["status"] == "teleported"
    assert parse_body(bodies[2]) is None
    assert [len(body) > 11 * 1024 * 1024 for body in bodies] == [False, False, False, True, True]
    assert stage.platform.events.scripted == []


def test_the_story_may_run_beside_requests(stage: Stage) -> None:
    return_id = stage.new_return()
    threads = [threading.Thread(target=lambda: stage.platform.issue_refund(return_id, amount="1.00")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    whole = stage.platform.whole_returns()[0]
    assert whole["revision"] == 9
    assert len({refund["id"] for refund in whole["refunds"]}) == 8


# --- the pull API and the page ------------------------------------------------------------------------------------


@pytest.fixture
def url(stage: Stage) -> Iterator[str]:
    server = serve(stage.platform.simulator)
    yield server.url
    server.stop()


def get(url: str, **params: str) -> requests.Response:
    return requests.get(url, params=params, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=5)


def test_the_pull_api_lists_and_reads(stage: Stage, url: str) -> None:
    return_id = tell_all(stage)
    listed = get(f"{url}/v1/returns", updated_since="2026-05-04T00:00:00Z", limit="2").json()
    rest = get(
        f"{url}/v1/returns", updated_since="2026-05-04T00:00:00Z", limit="50", cursor=listed["next_cursor"]
    ).json()
    whole = get(f"{url}/v1/returns/{return_id}").json()

    assert [len(listed["data"]), len(rest["data"]), rest["next_cursor"]] == [2, 2, None]
    assert "refunds" not in listed["data"][0]
    assert len(whole["refunds"]) == 1
    assert {item["disposition"] for item in whole["inspections"]} == {"sellable", "damaged"}


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("/v1/returns", {"updated_since": "yesterday"}, 400, "invalid_parameter"),
        ("/v1/returns", {"updated_since": "2026-05-04T00:00:00Z", "limit": "201"}, 400, "invalid_parameter"),
        ("/v1/returns/none", {}, 404, "not_found"),
        ("/v2", {}, 404, "not_found"),
    ],
)
def test_the_pull_api_refuses_in_words(url: str, path: str, params: dict[str, str], status: int, code: str) -> None:
    answer = get(url + path, **params)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_nothing_is_told_without_credentials_and_nothing_can_be_written(stage: Stage, url: str) -> None:
    stage.new_return()
    bare = requests.get(f"{url}/v1/returns", timeout=5)
    written = requests.post(f"{url}/v1/returns", headers={"Authorization": f"Bearer {API_KEY}"}, timeout=5)
    token = requests.post(f"{url}/oauth/token", data={"grant_type": "password"}, timeout=5)

    assert (bare.status_code, bare.json()["error"]["code"]) == (401, "unauthorized")
    assert (written.status_code, token.status_code) == (405, 401)


def test_the_page_only_reads_and_escapes(stage: Stage, url: str) -> None:
    stage.new_return(order_number="<script>alert(1)</script>")
    return_id = stage.new_return()
    stage.platform.issue_refund(return_id, amount="5.00", executed_by="returns_platform")
    get(f"{url}/v1/returns/{return_id}")
    page = requests.get(f"{url}/", timeout=5)

    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    for title in ("Returns", "Payouts", "Events", "Calls"):
        assert f"<h2>{title}</h2>" in page.text
    assert f"/v1/returns/{return_id}" in page.text
    assert API_KEY not in page.text
