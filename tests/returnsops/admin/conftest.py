"""People of each team, signed in."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from returnsops import roles
from tests import factories as make

SignIn = Callable[[str], Client]


@pytest.fixture
def people(db: None) -> dict[str, User]:
    """One person of each team, by team."""
    return {team: make.UserFactory(username=team.lower(), team=team) for team in roles.TEAMS}


@pytest.fixture
def sign_in(people: dict[str, User]) -> SignIn:
    """A session of the person of a team."""

    def as_team(team: str) -> Client:
        client = Client()
        client.force_login(people[team])
        return client

    return as_team
