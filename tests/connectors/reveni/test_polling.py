"""Polling over real HTTP: to the end, with overlap, restartable, and never silently short."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.ports import Answer, Link, PolledItem, PollPage, Rejected, Retryable
from connectors.reveni.polling import poll, polled_item, read_return
from connectors.simulators.base import Fault
from returnsops import facts
from tests.connectors.reveni.documents import normalised
from tests.connectors.reveni.pulling import Running, fill, running


@pytest.fixture
def there() -> Iterator[Running]:
    with running() as started:
        yield started


def whole_round(link: Link, cursor: str = "") -> tuple[list[PolledItem], str, int]:
    """All items of one round, the cursor after it, and how many pages it took."""
    items: list[PolledItem] = []
    for page_number in range(1, 100):
        page = poll(link, cursor)
        items += page.items
        cursor = page.cursor
        if page.is_last:
            return items, cursor, page_number
    raise AssertionError("the round did not end")


def ids(items: list[PolledItem]) -> list[str]:
    return [item.body["id"] for item in items]


def test_without_the_setting_nothing_is_asked(there: Running) -> None:
    link = there.with_settings(pull_api=False)

    assert poll(link, "kept") == PollPage(items=(), cursor="kept", is_last=True)
    assert read_return(link, "ret_1001") is None
    assert there.platform.calls.all() == []


def test_every_page_is_read_and_each_return_whole(there: Running) -> None:
    made = fill(there, 5)
    there.platform.issue_refund(made[0], amount="5.00", is_silent=True)

    items, _, pages = whole_round(there.with_settings(page_limit=2))

    assert pages == 3
    assert sorted(ids(items)) == sorted(made)
    refunded = next(item for item in items if item.body["id"] == made[0])
    assert (refunded.topic, refunded.subject_key) == ("pull.return", f"return:{made[0]}")
    result = normalised(refunded.body, topic=refunded.topic)
    assert [fact.refund_id for fact in result.facts if isinstance(fact, facts.RefundIssued)] == [f"rfd_{made[0]}_1"]


def test_a_lost_webhook_is_found_by_the_next_round(there: Running) -> None:
    (return_id,) = fill(there, 1)
    _, cursor, _ = whole_round(there.link)
    there.clock.advance(3600)
    there.platform.authorise(return_id, is_silent=True)

    items, _, _ = whole_round(there.link, cursor)

    assert [item.body["status"] for item in items] == ["authorised"]


def test_what_did_not_change_keeps_its_delivery_key(there: Running) -> None:
    fill(there, 1)
    first, cursor, _ = whole_round(there.link)
    again, _, _ = whole_round(there.link, cursor)

    assert [item.delivery_key for item in first] == [item.delivery_key for item in again]
    there.platform.authorise(first[0].body["id"])
    changed, _, _ = whole_round(there.link, cursor)
    assert changed[0].delivery_key != first[0].delivery_key
    assert all(len(item.delivery_key) <= 200 for item in changed)


def test_the_next_round_overlaps_by_ten_minutes(there: Running) -> None:
    made = fill(there, 30)
    _, cursor, _ = whole_round(there.link)
    there.platform.calls.clear()

    again, _, _ = whole_round(there.link, cursor)

    asked = dict(there.platform.calls.matching("GET", "/v1/returns$")[0].query)
    newest = there.clock.now()
    assert datetime.fromisoformat(asked["updated_since"]) == newest - timedelta(seconds=600)
    assert ids(again) == made[-11:]


def test_the_first_round_looks_back_thirty_days(there: Running) -> None:
    fill(there, 1)
    there.clock.advance(31 * 86_400)

    assert whole_round(there.link)[0] == []
    assert len(whole_round(there.with_settings(backfill_days=40))[0]) == 1


def test_a_round_goes_on_at_its_page_after_a_stop(there: Running) -> None:
    made = fill(there, 4)
    link = there.with_settings(page_limit=2)
    first = poll(link, "")

    assert not first.is_last
    rest, cursor, _ = whole_round(link, first.cursor)
    assert ids([*first.items, *rest]) == made
    assert json.loads(cursor)["page"] == ""


def test_a_change_during_the_round_is_not_missed(there: Running) -> None:
    made = fill(there, 4)
    link = there.with_settings(page_limit=2)
    first = poll(link, "")
    there.clock.advance(60)
    there.platform.authorise(made[0], is_silent=True)

    rest, _, _ = whole_round(link, first.cursor)

    assert made[0] in ids(rest)


def test_a_refused_page_starts_the_round_again(there: Running) -> None:
    made = fill(there, 3)
    lost = json.dumps({"since": "2026-05-04T00:00:00+00:00", "page": "not a cursor", "highest": ""})

    with pytest.raises(Rejected):  # the simulator's own code for it is not among those that mean a lost page
        poll(there.link, lost)
    there.platform.calls.clear()
    answers: list[dict[str, Any]] = []

    def call(method: str, url: str, **rest: Any) -> Any:
        answers.append(dict(rest["params"]))
        if rest["params"].get("cursor"):
            raise Rejected("gone", code="http_410")
        return there.link.call(method, url, **rest)

    link = Link(config=there.link.config, call=call, now=there.link.now)
    assert ids(whole_round(link, lost)[0]) == made
    assert [("cursor" in asked) for asked in answers][:2] == [True, False]


def test_a_list_that_points_to_itself_is_stopped(there: Running) -> None:
    def call(*_: Any, **__: Any) -> Answer:
        return Answer(status=200, headers={}, body=b"", json={"data": [], "next_cursor": "same"})

    link = Link(config=there.link.config, call=call, now=there.link.now)
    page = poll(link, "")

    with pytest.raises(Rejected, match="names the same page"):
        poll(link, page.cursor)


def test_a_return_that_vanished_in_between_is_taken_from_the_list(there: Running) -> None:
    (return_id,) = fill(there, 1)
    there.platform.simulator.faults.script(
        Fault(kind="server_error", path_pattern="/v1/returns/", status=404, body="{}", content_type="application/json")
    )

    (item,) = poll(there.link, "").items
    assert item.body["id"] == return_id
    assert "refunds" not in item.body


def test_a_failing_read_fails_the_page_so_that_nothing_is_skipped(there: Running) -> None:
    fill(there, 2)
    there.platform.simulator.faults.script(Fault(kind="server_error", path_pattern="/v1/returns/", after=1))

    with pytest.raises(Retryable):
        poll(there.link, "")
    assert len(poll(there.link, "").items) == 2


@pytest.mark.parametrize("entry", [None, 5, [], {}, {"id": 7}, {"id": None}])
def test_an_unusable_entry_is_kept_to_be_seen(entry: Any) -> None:
    item = polled_item(entry)

    assert (item.topic, item.subject_key) == ("unreadable", "")
    assert normalised(item.body, topic=item.topic).problems[0].case_kind == "unreadable_event"


def test_a_clock_ahead_there_does_not_skip_anything(there: Running) -> None:
    (return_id,) = fill(there, 1)
    there.platform.update(return_id, {}, is_silent=True)
    there.platform.account.returns[return_id]["updated_at"] = "2030-01-01T00:00:00Z"

    _, cursor, _ = whole_round(there.link)

    assert json.loads(cursor)["since"] == "2026-05-04T09:01:00.000000+00:00"


def test_one_return_can_be_read(there: Running) -> None:
    (return_id,) = fill(there, 1)

    item = read_return(there.link, return_id)
    assert item is not None
    assert (item.topic, item.body["order"]["id"], item.subject_key) == ("pull.return", "100", f"return:{return_id}")
    assert item == polled_item(item.body)  # found by polling too, it is one delivery
    assert read_return(there.link, "ret_none") is None
    assert read_return(there.link, "..") is None
    assert read_return(there.link, "a/../b c?d") is None
    assert there.platform.calls.all()[-1].path == "/v1/returns/a/../b c?d"


@pytest.mark.parametrize("text", [None, 5, "yesterday", "2026-05-04T09:00:00"])
def test_an_entry_without_a_usable_time_does_not_move_the_cursor(there: Running, text: Any) -> None:
    def call(method: str, url: str, **_: Any) -> Answer:
        entry = {"id": "ret_1", "updated_at": text}
        document = entry if url.endswith("ret_1") else {"data": [entry], "next_cursor": None}
        return Answer(status=200, headers={}, body=b"", json=document)

    page = poll(Link(config=there.link.config, call=call, now=there.link.now), "")

    assert ids(list(page.items)) == ["ret_1"]
    assert json.loads(page.cursor)["since"] == "2026-04-04T09:00:00.000000+00:00"


def test_a_refused_first_page_is_not_tried_again(there: Running) -> None:
    with pytest.raises(Rejected):
        poll(there.with_settings(list_path="/elsewhere"), "")

    assert len(there.platform.calls.all()) == 1
