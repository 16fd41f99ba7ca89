"""No page shows a link that its reader may not follow: every link of every page a team reaches answers 200."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client

from returnsops import roles
from tests import factories as make
from tests.browser import world

pytestmark = pytest.mark.django_db

LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"')
RECORD = re.compile(r"/admin/\w+/\w+/\d+/change/")  # pages that are read for links of their own; lists have no end


def links_in(html: str) -> Iterator[str]:
    """Links into the admin, without the place on the page."""
    main = html[html.index("<main") :]
    return (unescape(link).partition("#")[0] for link in LINK.findall(main) if link.startswith("/admin/"))


def refused(client: Client, start: str) -> list[tuple[str, str, int]]:
    """Page, link and answer of each link that does not answer 200, over all records that can be reached."""
    answers: dict[str, int] = {}
    found: list[tuple[str, str, int]] = []
    left = [("", start)]
    while left:
        page, link = left.pop()
        if link not in answers:
            answer = client.get(link)
            answers[link] = answer.status_code
            if answer.status_code == 200 and RECORD.fullmatch(link):
                left.extend((link, one) for one in links_in(answer.content.decode()))
        if answers[link] != 200:
            found.append((page, link, answers[link]))
    return found


@pytest.mark.requirement("S1-11")
@pytest.mark.parametrize("team", list(roles.TEAMS))
def test_whoever_reads_a_return_may_follow_every_link_from_it(team: str, client: Client) -> None:
    played = world.build()
    client.force_login(played.people[team])
    message = f"/admin/returnsops/inboundevent/{played.stuck_event.pk}/change/"
    make.CaseFactory(rma=played.held, fingerprint="parked", deep_link=message, cause="No such item")
    make.SwitchFactory(scope="kind:refund")
    for rma in (played.held, played.unknown.rma, played.refund_to_approve.rma):
        assert refused(client, f"/admin/returnsops/returnauthorisation/{rma.pk}/change/") == []


def test_what_a_message_told_is_read_by_all_and_its_page_only_by_operations(client: Client) -> None:
    played = world.build()
    link = f'href="/admin/returnsops/inboundevent/{played.stuck_event.pk}/change/"'
    shown = {}
    for team in ("CX", "OPS"):
        client.force_login(played.people[team])
        html = client.get(f"/admin/returnsops/returnauthorisation/{played.held.pk}/change/").content.decode()
        shown[team] = ("No such item" in html, link in html)
    assert shown == {"CX": (True, False), "OPS": (True, True)}
