"""The OpenAPI document at ``/api/schema/``, kept as docs/openapi.yaml by a test."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from .fields import ErrorSerializer

_WORDS: Final = {
    400: "The body is not JSON.",
    401: "No token, or one that is not known.",
    403: "The token does not have the scope.",
    404: "Not found.",
    409: "It contradicts what is there.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "Fields are wrong; all of them are listed, and nothing was done.",
    429: "Too many calls; Retry-After says when to come back, in seconds.",
    503: "The shop cannot be asked now; Retry-After says when to come back, in seconds.",
}


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """The error answers of a call, for its schema."""
    return {status: OpenApiResponse(response=ErrorSerializer, description=_WORDS[status]) for status in statuses}


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How callers say who they are."""

    target_class = "returnsops.api.access.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """An API token made in the staff screens or by ``manage.py api_token``."""
        return {"type": "http", "scheme": "bearer"}
