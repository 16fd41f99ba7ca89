"""Telling the platform what it has to know, by calls that the merchant described (issue 3, "Write-back").

No write interface is published: method, path, body and what counts as done come from the connection's settings, and
without a template nothing is sent at all. Whether a call was carried out is read from the platform's return where the
settings name the place (``write_back_seen`` with ``pull_api``). Where it cannot be seen, a call whose outcome is not
known is made again only if the platform promises to do one key once; otherwise a person has to look.
"""

from collections.abc import Sequence
from typing import Any, Final

from connectors import call_templates
from connectors.call_templates import CallTemplate, Seen
from connectors.ports import (
    Answer,
    AuthFailed,
    Found,
    Intent,
    Link,
    Lookup,
    OutcomeUnknown,
    Rejected,
    Sent,
)
from connectors.reveni import client
from connectors.reveni.links import return_url
from connectors.reveni.polling import is_pull_on
from connectors.reveni.shown import seen_for

_MAY_BE_DONE: Final = frozenset({408, 425})


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the platform knows already. Raises Rejected where it does not know the return."""
    template = _template(link, intent)
    if any(_is_among(intent, field, values) for field, values in intent.shown.items()):
        return Lookup(found=Found.COMPLETE, remote_id=_remote_id(intent), evidence={"told_by": "the platform's return"})
    seen = seen_for(link.config.settings, _message(intent))
    if seen is not None and is_pull_on(link.config.settings):
        return _looked_up(link, intent, seen)
    if intent.first_attempt_at is None or template.idempotency_header:
        return Lookup(found=Found.ABSENT)
    return Lookup(
        found=Found.AMBIGUOUS,
        text="It was sent, the answer was lost, and this connection has no place where the platform shows it. Look at "
        "the return there, then say whether it is done.",
        evidence={"message": _message(intent), "return": intent.return_id},
    )


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """One call. Raises the classes of connectors.ports by the status; only the template's own answers mean done."""
    template = _template(link, intent)
    session = client.open_session(link)
    document = document_of(intent)
    try:
        path = call_templates.render_path(template, document)
        body = call_templates.render_body(template, document)
    except call_templates.TemplateError as error:
        text = f"The call template of {_message(intent)} cannot carry this message. {error}"
        raise Rejected(text, code="bad_template") from None
    headers = dict(session.headers)
    if template.idempotency_header:
        headers[template.idempotency_header] = intent.remote_key
    answer = link.call(
        template.method,
        link.config.base_url.rstrip("/") + path,
        json=body,
        headers=headers,
        auth=session.basic,
        timeout_s=client.CALL_DEADLINE_S,
        is_write=True,
    )
    return _sent(link, intent, template, answer)


def document_of(intent: Intent) -> dict[str, Any]:
    """The message with what every template may use besides."""
    return {**intent.payload, "return_id": intent.return_id, "key": intent.remote_key}


def _looked_up(link: Link, intent: Intent, seen: Seen) -> Lookup:
    document = client.get_return(client.open_session(link), intent.return_id)
    if document is None:
        text = f"The platform does not know return {intent.return_id}, so it cannot be told anything about it."
        raise Rejected(text, code="return_not_found")
    if _is_among(intent, seen.field, call_templates.shown_values(seen, document)):
        return Lookup(found=Found.COMPLETE, remote_id=_remote_id(intent), evidence={"seen": seen.path})
    return Lookup(found=Found.ABSENT, evidence={"not_seen": seen.path})


def _is_among(intent: Intent, field: str, values: Sequence[str]) -> bool:
    """Whether what we tell stands there: our key, of any generation, or the value of a field."""
    if field == "key":
        return bool({intent.remote_key, *intent.earlier_remote_keys} & set(values))
    return str(intent.payload.get(field, "")) in values


def _sent(link: Link, intent: Intent, template: CallTemplate, answer: Answer) -> Sent:
    evidence = {"status": answer.status, "message": _message(intent)}
    if answer.status in template.success:
        url = return_url(link.config, intent.return_id)
        return Sent(remote_id=_remote_id(intent), evidence=evidence, remote_url=url)
    label = f"telling the platform {_message(intent).replace('_', ' ')}"
    if answer.status in (401, 403):
        text = (
            f"The platform refused our credentials (HTTP {answer.status}) when {label}; check api_key and its rights."
        )
        raise AuthFailed(text, evidence=evidence)
    if answer.status < 300 or answer.status >= 500 or answer.status in _MAY_BE_DONE:
        text = f"The platform answered HTTP {answer.status} when {label}; whether it took it is not known."
        raise OutcomeUnknown(text, evidence=evidence)
    code = client.error_code(answer.json) or f"http_{answer.status}"
    text = (
        f"The platform refused (HTTP {answer.status}, {code}) when {label}; compare the call template with its manual."
    )
    raise Rejected(text, code=code, evidence={**evidence, "code": code})


def _template(link: Link, intent: Intent) -> CallTemplate:
    template = call_templates.template_of(link.config.settings, _message(intent))
    if template is None:
        text = f"Connection {link.config.name} has no call template for {_message(intent)} any more; nothing was sent."
        raise Rejected(text, code="no_template")
    return template


def _message(intent: Intent) -> str:
    return str(intent.payload["message"])


def _remote_id(intent: Intent) -> str:
    """Messages have no record of their own there: the return and what it was told."""
    return f"{intent.return_id}/{_message(intent)}"[:200]
