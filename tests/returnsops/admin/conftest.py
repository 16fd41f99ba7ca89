"""People of each team, signed in."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from returnsops import roles
from tests import factories as make

SignIn = Callable[[str], Client]


class People(dict[str, User]):
    """One person of each team, by team, hired when asked for: most tests need one of the five."""

    def __missing__(self, team: str) -> User:
        """Hire the person of a team."""
        assert team in roles.TEAMS
        self[team] = make.UserFactory(username=team.lower(), team=team)
        return self[team]


@pytest.fixture
def people(db: None) -> dict[str, User]:
    """One person of each team, by team."""
    return People()


@pytest.fixture
def sign_in(people: dict[str, User]) -> SignIn:
    """A session of the person of a team."""

    def as_team(team: str) -> Client:
        client = Client()
        client.force_login(people[team])
        return client

    return as_team
