"""Who may act."""

import pytest
from django.contrib.auth.models import AnonymousUser, User

from exceptions_queue.permissions import may_act, may_follow, teams_of
from tests.exceptions_queue.conftest import OpenCase, user_of


def test_the_matrix(open_case: OpenCase, clerk: User, hand: User, reader: User) -> None:
    case = open_case()
    loner = user_of("loner", codenames=("work_exceptioncase",))
    gone = User.objects.create_superuser("gone", is_active=False)
    people: list[User | AnonymousUser] = [
        clerk,
        hand,
        reader,
        loner,
        gone,
        User.objects.create_superuser("root"),
        AnonymousUser(),
    ]
    assert [may_act(person, case) for person in people] == [True, False, False, False, False, True, False]
    assert may_act(hand, open_case(kind="parcel_odd"))


def test_teams_come_from_group_names(clerk: User, hand: User) -> None:
    assert teams_of(clerk) == ("FIN",)
    assert teams_of(hand) == ("WH",)
    assert teams_of(AnonymousUser()) == ()


@pytest.mark.parametrize(
    ("link", "may"),
    [
        ("/admin/exceptions_queue/exceptioncase/7/change/", True),
        ("/admin/exceptions_queue/exceptioncase/?view=mine", True),
        ("/admin/auth/group/", False),
        ("/admin/auth/group/3/change/#name", False),
        ("/admin/", True),
        ("", False),
        ("javascript:alert(1)", False),
        ("/no/such/page/", False),
    ],
)
def test_a_link_is_followed_by_whoever_may_see_the_record_behind_it(link: str, may: bool, reader: User) -> None:
    assert may_follow(reader, link) is may
