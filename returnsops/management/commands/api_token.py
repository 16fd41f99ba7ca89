"""``api_token``: make, list and revoke callers of the API (docs/api.md)."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from returnsops.models import ApiToken, Route
from returnsops.models.api import SCOPES
from returnsops.services import api_tokens


class Command(BaseCommand):
    """The screens of Operations, for scripts."""

    help = "Make, list or revoke API tokens. A new secret is printed once; with --secret env:NAME yours is taken."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and with which token."""
        acts = parser.add_subparsers(dest="act", required=True)
        make = acts.add_parser("create", help="make a token")
        make.add_argument("name")
        make.add_argument("--scope", action="append", required=True, choices=SCOPES, help="may be repeated")
        make.add_argument("--route", action="append", default=[], help="limit it to a route; may be repeated")
        make.add_argument("--secret", default="", help="env:NAME: take the secret from this environment variable")
        make.add_argument("--by", default="command line", help="who")
        revoke = acts.add_parser("revoke", help="refuse a token from now on")
        revoke.add_argument("name")
        revoke.add_argument("--reason", default="", help="why")
        revoke.add_argument("--by", default="command line", help="who")
        acts.add_parser("list", help="name, state, scopes, last use")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        try:
            {"create": self._create, "revoke": self._revoke, "list": self._list}[options["act"]](options)
        except api_tokens.TokenError as error:
            raise CommandError(str(error)) from None

    def _create(self, options: dict[str, Any]) -> None:
        routes = [_route(name) for name in options["route"]]
        given = _secret(options["secret"])
        token, secret = api_tokens.create_token(
            name=options["name"],
            scopes=options["scope"],
            routes=routes,
            by=options["by"],
            at=timezone.now(),
            secret=given,
        )
        if given:
            self.stdout.write(f"API token {token.name} made with the secret from the environment.")
        else:
            self.stdout.write(f"API token {token.name} made. Its secret, shown once and kept nowhere here:")
            self.stdout.write(secret)

    def _revoke(self, options: dict[str, Any]) -> None:
        token = ApiToken.objects.filter(name=options["name"]).first()
        if token is None:
            raise CommandError(f"There is no API token {options['name']!r}; see manage.py api_token list.")
        api_tokens.revoke_token(token=token, by=options["by"], at=timezone.now(), why=options["reason"])
        self.stdout.write(f"API token {token.name} revoked.")

    def _list(self, options: dict[str, Any]) -> None:
        for token in ApiToken.objects.prefetch_related("routes"):
            state = "revoked" if token.revoked_at else "live"
            routes = ", ".join(route.name for route in token.routes.all()) or "all routes"
            used = token.last_used_at.isoformat() if token.last_used_at else "never used"
            self.stdout.write(f"{token.name}: {state}; {', '.join(token.scopes)} on {routes}; {used}")


def _route(name: str) -> Route:
    route = Route.objects.filter(name=name).first()
    if route is None:
        known = ", ".join(Route.objects.values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no route {name!r}; known are {known}.")
    return route


def _secret(given: str) -> str:
    """The value of the variable a secret is read from; never a secret on the command line, which others can see."""
    if not given:
        return ""
    variable = given.removeprefix("env:")
    if variable == given:
        raise CommandError("Give the secret as env:NAME, never on the command line, where others can see it.")
    value = os.environ.get(variable, "")
    if not value:
        raise CommandError(f"The environment variable {variable} is not set.")
    return value
