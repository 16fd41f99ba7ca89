"""A caller of our API, over its WSGI application."""

import json
from collections.abc import Sequence
from typing import Any

import requests

from connectors.simulators.wsgi_transport import mounted_session
from returnsops.models import Route
from returnsops.models.api import SCOPES
from returnsops.services.api_tokens import create_token
from returnsops.wsgi import application
from tests.journeys.world import OPS_URL, World


def token(w: World, *, name: str = "portal", scopes: Sequence[str] = SCOPES, routes: Sequence[Route] = ()) -> str:
    """A new caller's secret."""
    _, secret = create_token(name=name, scopes=scopes, routes=routes, by="ops", at=w.now())
    return secret


def call(path: str, body: Any, *, secret: str, headers: dict[str, str] | None = None) -> requests.Response:
    """POST to the API; ``body`` is JSON, or bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", **(headers or {})}
    session = mounted_session(application, OPS_URL)
    return session.post(f"{OPS_URL}/api/v1/{path}/", data=data, headers=sent, timeout=10)
