"""The past of a platform: each return whole, to the last page; without a pull API it says what to set."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.listing import CANNOT_LIST
from connectors.ports import Answer, Link, Rejected
from connectors.reveni.history import list_returns
from tests.connectors.reveni.pulling import START, Running, fill, running


@pytest.fixture
def there() -> Iterator[Running]:
    with running() as started:
        yield started


def whole(link: Link) -> list[str]:
    """Ids of all returns, in the order they came."""
    ids: list[str] = []
    cursor = ""
    for _ in range(100):
        page = list_returns(link, START - timedelta(days=1), cursor)
        ids += [item.body["id"] for item in page.items]
        if page.is_last:
            return ids
        cursor = page.cursor
    raise AssertionError("the past does not end")


def test_every_return_is_read_whole_to_the_last_page(there: Running) -> None:
    made = fill(there, 23)
    refund_id = there.platform.issue_refund(made[4], amount="10.00", executed_by="returns_platform")
    link = there.with_settings(page_limit=10)
    assert sorted(whole(link)) == sorted(made)
    assert len(there.platform.calls.matching("GET", "/v1/returns$")) == 3
    page = list_returns(there.link, START - timedelta(days=1), "")
    (changed,) = [item.body for item in page.items if item.body["id"] == made[4]]
    assert [refund["id"] for refund in changed["refunds"]] == [refund_id]
    assert {call.method for call in there.platform.calls.all()} == {"GET"}


def test_only_what_changed_since_is_read(there: Running) -> None:
    made = fill(there, 3)
    page = list_returns(there.link, START + timedelta(seconds=150), "")
    assert [item.body["id"] for item in page.items] == made[2:]


def test_without_a_pull_api_it_says_what_to_set_and_asks_nothing(there: Running) -> None:
    with pytest.raises(Rejected, match="set pull_api, list_path and get_path") as refused:
        list_returns(there.with_settings(pull_api=False), START, "")
    assert refused.value.code == CANNOT_LIST
    assert there.platform.calls.all() == []


def test_a_list_that_names_itself_as_its_next_page_is_stopped(there: Running) -> None:
    def call(method: str, url: str, **given: object) -> Answer:
        return Answer(status=200, headers={}, body=b"", json={"data": [], "next_cursor": "again"})

    link = replace(there.link, call=call)
    with pytest.raises(Rejected, match="same page"):
        list_returns(link, START, "again")
