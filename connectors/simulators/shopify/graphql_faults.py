"""Faults of an address that serves everything: told by operation, and errors that come inside an HTTP 200."""

import json
import re
from typing import Any

from connectors.simulators.faults import Fault, FaultKind

_OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)")


def operation_path(path: str, body: bytes) -> str:
    """The name of a call for faults: the address and the operation, as in ".../graphql.json#RefundCreate"."""
    try:
        request = json.loads(body)
        named = _OPERATION.search(str(request["query"]))
    except (ValueError, KeyError, TypeError):
        return path
    operation = request.get("operationName") or (named[1] if named else "")
    return f"{path}#{operation}" if operation else path


def internal_error(operation: str, *, is_committed: bool, times: int = 1) -> Fault:
    """INTERNAL_SERVER_ERROR in a 200, before or after the effect: the caller cannot know. The words are assumed."""
    kind = FaultKind.SERVER_ERROR_AFTER_COMMIT if is_committed else FaultKind.SERVER_ERROR
    message = "Internal error. Looks like something went wrong on our end."
    return _inside_200(kind, operation, times, {"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR"}})


def throttled(operation: str, *, times: int = 1) -> Fault:
    """THROTTLED without cost figures, as a proxy may cut them off; nothing is done."""
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    return _inside_200(FaultKind.SERVER_ERROR, operation, times, error)


def _inside_200(kind: FaultKind, operation: str, times: int, error: dict[str, Any]) -> Fault:
    return Fault(
        kind=kind,
        method="POST",
        path_pattern=f"#{operation}$",
        times=times,
        status=200,
        body=json.dumps({"errors": [error]}),
        content_type="application/json; charset=utf-8",
    )
