"""Writes with Shopify's own idempotency key: ``@idempotent`` on the mutation (shopify.md section 4).

The key is a UUIDv5 of the effect's remote key, so it is the same on every try of one generation, and Shopify answers a
repeat with the first result. How long it keeps a key is not published: assumed a day (``idempotency_hours``), and
nothing here rests on it alone. Three answers are about the key itself; the inventory mutations give them as codes, and
how ``refundCreate`` words them is assumed, so both codes and texts are looked for.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from connectors.ports import Contradicted, Intent, Json, Link, OutcomeUnknown, Rejected
from connectors.shopify import client

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://returnsops/shopify/idempotency")
DEFAULT_HOURS: Final = 24
TRIES: Final = 3  # keys of one send whose earlier attempt Shopify says failed

RUNNING: Final = "IDEMPOTENCY_CONCURRENT_REQUEST"
OTHER_CONTENT: Final = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
FAILED_BEFORE: Final = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"

_TEXTS: Final = {  # assumed
    RUNNING: ("concurrent request", "request with the same idempotency key is", "still being processed"),
    OTHER_CONTENT: ("different parameters", "parameter mismatch"),
    FAILED_BEFORE: ("previous attempt",),
}


def key_of(remote_key: str, *, number: int = 1) -> str:
    """The key of an effect; the next numbers are for when Shopify says that the attempt before failed."""
    return str(uuid.uuid5(NAMESPACE, remote_key if number == 1 else f"{remote_key}~{number}"))


def write(link: Link, name: str, root: str, intent: Intent, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payload of a keyed mutation, without user errors.

    Raises Rejected with the shop's code, Contradicted where an earlier request with the key arrived with other content
    (this one did nothing then, and what that one did is not said), and OutcomeUnknown where the same key is still being
    worked on.
    """
    for number in range(1, TRIES + 1):
        key = key_of(intent.remote_key, number=number)
        payload, problem = _tried(link, name, root, {**variables, "key": key})
        if problem == RUNNING:
            raise OutcomeUnknown(f"{name}: the shop is still working on the same request; its result is looked up.")
        if problem == OTHER_CONTENT:
            raise Contradicted(
                f"{name}: an earlier request with this key arrived at the shop with other content, as where a setting"
                " was changed in between. This one did nothing; see in the shop what the earlier one did."
            )
        if problem != FAILED_BEFORE:
            client.refuse_user_errors(payload, name=name)
            return payload
    raise Rejected(f"{name}: the shop says that every earlier attempt failed.", code=FAILED_BEFORE.lower())


def _tried(link: Link, name: str, root: str, variables: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The payload and which of the three problems it has, '' for none; some come as errors of the whole request."""
    try:
        found: Json = client.execute(link, name, variables, is_write=True).get(root)
    except (OutcomeUnknown, Rejected) as failure:
        problem = _problem_in(failure.evidence.get("codes") or (), failure.text)
        if problem:
            return {}, problem
        raise
    payload = found if isinstance(found, Mapping) else {}
    for error in client.user_errors(payload):
        problem = _problem_in((error.code,), error.message)
        if problem:
            return payload, problem
    return payload, ""


def _problem_in(codes: Any, text: str) -> str:
    lowered = text.lower()
    for problem, phrases in _TEXTS.items():
        is_worded = "idempoten" in lowered and any(phrase in lowered for phrase in phrases)
        if problem in codes or is_worded:
            return problem
    return ""
