"""Reading V1 over HTTP: windows, overlap, what changed, and what goes wrong on the way."""

import json
import time
from urllib.parse import unquote_plus

import pytest

from connectors import ports
from connectors.rebound import client, polling
from connectors.rebound.polling import DROPPED, ROUND_S, poll, read_return, window_page
from connectors.simulators.base import Fault, FaultKind
from tests.connectors.rebound.serving import START, known, rounds, running

DAY_S = 86_400


def test_a_round_reads_every_return_with_its_parcel_and_a_second_one_stores_nothing() -> None:
    with running() as r:
        return_id = r.create()
        (item,), cursor = rounds(r.link)
        assert (item.topic, item.subject_key) == ("pull.return", f"return:{return_id}")
        assert item.delivery_key.startswith(f"pull:{return_id}:")
        assert item.body["return"]["order_reference"] == "1042"
        assert [row["status"] for row in item.body["tracking"][0]["track"]] == ["Return Order Created"]
        assert rounds(r.link, cursor)[0] == []
        r.account.track(return_id, "Entered Our Network")
        (changed,), _ = rounds(r.link, cursor)
        assert changed.delivery_key != item.delivery_key


def test_the_label_and_the_person_are_dropped_before_anything_is_stored() -> None:
    with running() as r:
        r.create(label="bGFiZWw=")
        (item,), _ = rounds(r.link)
        assert not DROPPED & set(item.body["return"])
        text = json.dumps(item.body)
        assert len(text) < 5_000
        assert not [word for word in ("bGFiZWw=", "Pat Example", "1 Example Street", "+44") if word in text]


def test_thirty_days_are_searched_in_windows_of_seven_that_touch() -> None:
    with running() as r:
        assert rounds(r.link)[0] == []
        asked = [
            json.loads(dict(part.split("=", 1) for part in _plain(call.body).split("&"))["request"])["filter"]
            for call in r.account.calls.all()
        ]
        assert [(one["date_from"], one["date_to"]) for one in asked] == [
            ("2026/04/04", "2026/04/11"),
            ("2026/04/11", "2026/04/18"),
            ("2026/04/18", "2026/04/25"),
            ("2026/04/25", "2026/05/02"),
            ("2026/05/02", "2026/05/09"),
        ]


def _plain(body: object) -> str:
    return unquote_plus(str(body))


def test_a_return_on_the_edge_of_two_windows_is_read_once_a_round() -> None:
    with running() as r:
        return_id = r.create()
        r.clock.advance(23 * DAY_S)  # 30 days back from here, a window ends on its day
        items, cursor = rounds(r.link)
        assert (len(items), r.account.asked("/returns/get")) == (1, 1)
        assert known(cursor) == {return_id}


def test_older_returns_than_looked_back_on_are_forgotten() -> None:
    with running() as r:
        r.create()
        _, cursor = rounds(r.link)
        r.clock.advance(40 * DAY_S)
        items, cursor = rounds(r.link, cursor)
        assert (items, known(cursor)) == ([], set())


def test_many_returns_come_in_pages_and_a_crash_between_them_repeats_at_most_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polling, "PAGE", 2)
    with running() as r:
        ids = [r.create(sku=f"SKU-{number}") for number in range(5)]
        cursor, found = "", list[ports.PolledItem]()
        while not found:  # windows before the returns are empty pages
            page = poll(r.link, cursor)
            found, before, cursor = list(page.items), cursor, page.cursor
        again = poll(r.link, before)
        assert [item.delivery_key for item in again.items] == [item.delivery_key for item in found]
        rest, cursor = rounds(r.link, cursor)
        assert [item.body["return"]["id"] for item in [*found, *rest]] == ids
        assert rounds(r.link, cursor)[0] == []


@pytest.mark.parametrize("page", [1, 20])
def test_a_long_round_ends_before_its_claim_and_the_next_goes_on(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "PAGE", page)
    with running() as r:
        r.create("A")
        r.create("B")
        r.account.faults.script(Fault(kind=FaultKind.SLOW, path_pattern="/returns/get", delay_s=ROUND_S))
        first, cursor = rounds(r.link)
        assert [item.body["return"]["item"][0]["sku_code"] for item in first] == ["A"]
        second, cursor = rounds(r.link, cursor)
        assert [item.body["return"]["item"][0]["sku_code"] for item in second] == ["B"]
        assert rounds(r.link, cursor)[0] == []


def test_what_comes_back_to_an_earlier_state_is_news_each_time() -> None:
    with running() as r:
        return_id = r.create()
        (first,), cursor = rounds(r.link)
        keys = [first.delivery_key]
        for word in ("A", None, "A", None):
            r.account.dispose(return_id, word)
            (item,), cursor = rounds(r.link, cursor)
            keys.append(item.delivery_key)
        assert len(set(keys)) == 5


def test_a_parcel_at_its_end_is_not_asked_for_again() -> None:
    with running() as r:
        return_id = r.create()
        r.account.track(return_id, "DELIVERED")
        _, cursor = rounds(r.link)
        r.account.dispose(return_id, "A")
        (item,), cursor = rounds(r.link, cursor)
        assert item.body["tracking"] == []
        assert r.account.asked("/tracking/get") == 1


def test_a_parcel_that_cannot_be_told_keeps_no_return_waiting_and_is_asked_for_again() -> None:
    with running() as r:
        r.create()
        r.account.faults.script(Fault(kind=FaultKind.SERVER_ERROR, path_pattern="/tracking/get"))
        (item,), cursor = rounds(r.link)
        assert item.body["tracking"] == []
        (whole,), _ = rounds(r.link, cursor)
        assert len(whole.body["tracking"]) == 1


def test_a_parcel_that_cannot_be_told_this_time_changes_nothing() -> None:
    with running() as r:
        r.create()
        _, cursor = rounds(r.link)
        r.account.faults.script(Fault(kind=FaultKind.SERVER_ERROR, path_pattern="/tracking/get"))
        items, cursor = rounds(r.link, cursor)
        assert items == []
        assert rounds(r.link, cursor)[0] == []


def test_a_vendor_that_asks_to_wait_ends_the_round_at_once() -> None:
    with running() as r:
        r.create("A")
        r.create("B")
        r.account.faults.script(Fault(kind=FaultKind.RATE_LIMITED, path_pattern="/tracking/get"))
        with pytest.raises(ports.RateLimited):
            rounds(r.link)
        assert r.account.asked("/returns/get") == 1


def test_a_slow_parcel_is_waited_for() -> None:
    with running() as r:
        r.create()
        r.account.faults.script(Fault(kind=FaultKind.SLOW, path_pattern="/tracking/get", delay_s=20))
        began = time.monotonic()
        (item,), _ = rounds(r.link)
        assert len(item.body["tracking"]) == 1
        assert time.monotonic() - began < 5


def test_a_return_that_is_refused_goes_to_a_person_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as r:
        bad, good = r.create("A"), r.create("B")
        whole = client.get_return

        def refused(link: ports.Link, return_id: str) -> object:
            if return_id == bad:
                raise ports.Rejected("no", code="request_wrong")
            return whole(link, return_id)

        monkeypatch.setattr(client, "get_return", refused)
        items, cursor = rounds(r.link)
        assert [(item.topic, item.body["return"]["id"]) for item in items] == [
            ("unreadable", bad),
            ("pull.return", good),
        ]
        assert rounds(r.link, cursor)[0] == []


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.LOST_ANSWER])
def test_a_vendor_that_is_away_ends_the_round_where_it_was(kind: FaultKind) -> None:
    with running() as r:
        r.create()
        r.account.faults.script(Fault(kind=kind, path_pattern="/returns/get"))
        with pytest.raises(ports.VendorError):
            rounds(r.link)
        assert len(rounds(r.link)[0]) == 1


def test_one_return_is_read_on_its_own_and_an_unknown_one_is_none() -> None:
    with running() as r:
        return_id = r.create()
        item = read_return(r.link, return_id)
        assert item is not None
        assert item.body["return"]["id"] == return_id
        assert read_return(r.link, "1") is None


def test_an_audit_reads_the_past_window_by_window() -> None:
    with running() as r:
        return_id = r.create()
        r.clock.advance(10 * DAY_S)
        page = window_page(r.link, START, "")
        assert ([item.body["return"]["id"] for item in page.items], page.cursor, page.is_last) == (
            [return_id],
            "2026-05-11",
            False,
        )
        assert window_page(r.link, START, page.cursor) == ports.PollPage(items=(), cursor="", is_last=True)
