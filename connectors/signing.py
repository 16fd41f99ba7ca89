"""Is this delivery genuine? Pure verifiers for every signature scheme in use, and their counterparts for senders.

Sources: Standard Webhooks ``spec/standard-webhooks.md``; reveni.readme.io/reference/security; WooCommerce webhooks.
There is no "none". Reasons are for people and logs: they never hold a secret or a signature.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from standardwebhooks.webhooks import Webhook

DEFAULT_TOLERANCE_S: Final = 300
MAX_TOLERANCE_S: Final = 86_400
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a public marker, not a secret
REVENI_HEADER: Final = "X-REVENI-SIGNATURE"
_UNIX_SECONDS: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a delivery is genuine and, if not, what was wrong with it, in words."""

    is_genuine: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class _Delivery:
    verifier: Mapping[str, Any]
    secrets: Sequence[str]
    headers: Mapping[str, str]
    body: bytes
    now: datetime


def verify(
    *,
    verifier: Mapping[str, Any],
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> Verdict:
    """Judge one delivery by its raw bytes.

    ``verifier`` holds ``kind`` and, where the kind uses them, ``header``, ``prefix``, ``timestamp_header`` and
    ``tolerance_s``. ``secrets`` are all live values (during a rotation there are several); ``headers`` have lower-case
    names. Never raises for what the sender did.
    """
    kind = str(verifier.get("kind", ""))
    judge = _JUDGES.get(kind)
    if judge is None:
        return _refused(f"This connection has no usable verifier (kind {kind[:40]!r}).")
    live = [secret for secret in secrets if secret]
    if not live:
        return _refused("This connection has no secret to check deliveries with; set one with apply_config.")
    return judge(_Delivery(verifier=verifier, secrets=live, headers=headers, body=body, now=now))


def verifier_problems(verifier: Mapping[str, Any]) -> tuple[str, ...]:
    """What is wrong with a verifier somebody wants to save, as sentences; empty if nothing is."""
    kind = verifier.get("kind")
    if kind not in _JUDGES:
        return (f"kind: {str(kind)[:40]!r} is not one of {', '.join(sorted(_JUDGES))}.",)
    problems = [f"{name}: unknown key." for name in sorted(set(verifier) - _KEYS)]
    if kind in _NEEDS_HEADER and not verifier.get("header"):
        problems.append(f"header: {kind} needs the name of the header that holds the signature.")
    for name in ("header", "timestamp_header"):
        value = verifier.get(name, "")
        if value and not (isinstance(value, str) and _HEADER_NAME.fullmatch(value)):
            problems.append(f"{name}: must be a header name (letters, digits and dashes).")
    if not isinstance(verifier.get("prefix", ""), str):
        problems.append("prefix: must be text.")
    if not _is_tolerance(verifier.get("tolerance_s", DEFAULT_TOLERANCE_S)):
        problems.append(f"tolerance_s: must be whole seconds from 1 to {MAX_TOLERANCE_S}.")
    return tuple(problems)


def sign(
    *, verifier: Mapping[str, Any], secret: str, body: bytes, at: datetime, message_id: str = ""
) -> dict[str, str]:
    """Headers that make ``body`` genuine for ``verifier``, as the sender would write them at ``at``.

    Used by simulators and ``send_sample``. Raises ValueError for an unknown kind, or a body that is not UTF-8 under
    ``standard_webhooks`` (the published library signs text).
    """
    signer = _SIGNERS.get(str(verifier.get("kind", "")))
    if signer is None:
        raise ValueError(f"There is no signature kind {str(verifier.get('kind'))[:40]!r}.")
    return signer(verifier, secret, body, at, message_id)


# --- Standard Webhooks --------------------------------------------------------------------------------------------


def _judge_standard(delivery: _Delivery) -> Verdict:
    message_id = delivery.headers.get("webhook-id", "")
    sent_at = delivery.headers.get("webhook-timestamp", "")
    listed = delivery.headers.get("webhook-signature", "")
    if not (message_id and sent_at and listed):
        return _refused("One of the headers webhook-id, webhook-timestamp and webhook-signature is missing.")
    if "." in sent_at:
        return _refused("webhook-timestamp is not whole unix seconds.")
    late = _stale(sent_at, delivery)
    if late:
        return _refused(late)
    given = [entry.removeprefix("v1,") for entry in listed.split() if entry.startswith("v1,")]
    if not given:
        return _refused("webhook-signature holds no v1 signature.")
    signed = f"{message_id}.{sent_at}.".encode() + delivery.body
    keys = [key for key in map(_standard_key, delivery.secrets) if key]
    if not keys:
        return _refused("The secret of this connection is not base64 as Standard Webhooks wants it; set it again.")
    return _matched(given, [_base64(key, signed) for key in keys])


def _standard_key(secret: str) -> bytes:
    """The decoded key, b'' where the secret is not base64 (library: padding may be missing)."""
    text = secret.strip().removeprefix(SECRET_PREFIX).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _sign_standard(_: Mapping[str, Any], secret: str, body: bytes, at: datetime, message_id: str) -> dict[str, str]:
    # The published library signs here and our own code verifies, so neither can hide a mistake of the other.
    # It cannot verify for us: it takes neither a clock nor a tolerance nor several secrets nor bytes.
    at = at.astimezone(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body.decode()),
    }


# --- Reveni v1 ----------------------------------------------------------------------------------------------------


def _judge_reveni(delivery: _Delivery) -> Verdict:
    header = str(delivery.verifier.get("header") or REVENI_HEADER)
    value = delivery.headers.get(header.lower(), "")
    if not value:
        return _refused(f"Header {header} is missing.")
    parts = [part.strip().partition("=") for part in value.split(",")]
    times = [text for scheme, _, text in parts if scheme == "t"]
    given = [text for scheme, _, text in parts if scheme == "v1"]
    if len(times) != 1 or not given:
        return _refused(f"Header {header} does not hold one t= and a v1= signature.")
    late = _stale(times[0], delivery)
    if late:
        return _refused(late)
    # t goes into the message as sent: reprinting the fraction would break the signature.
    signed = f"{times[0]}.".encode() + delivery.body
    return _matched(given, [_hex(secret.encode(), signed) for secret in delivery.secrets])


def _sign_reveni(verifier: Mapping[str, Any], secret: str, body: bytes, at: datetime, _: str) -> dict[str, str]:
    sent_at = f"{at.timestamp():.2f}"
    header = str(verifier.get("header") or REVENI_HEADER)
    return {header: f"t={sent_at},v1={_hex(secret.encode(), f'{sent_at}.'.encode() + body)}"}


# --- plain HMAC of the body ---------------------------------------------------------------------------------------


def _judge_hmac(delivery: _Delivery, digest: Callable[[bytes, bytes], str]) -> Verdict:
    header = str(delivery.verifier.get("header", ""))
    value = delivery.headers.get(header.lower(), "").strip()
    if not value:
        return _refused(f"Header {header or '(none configured)'} is missing.")
    prefix = str(delivery.verifier.get("prefix", ""))
    if not value.startswith(prefix):
        return _refused(f"Header {header} does not start with the expected prefix.")
    signed = delivery.body
    timestamp_header = str(delivery.verifier.get("timestamp_header", ""))
    if timestamp_header:
        sent_at = delivery.headers.get(timestamp_header.lower(), "")
        late = _stale(sent_at, delivery)
        if late:
            return _refused(late)
        signed = f"{sent_at}.".encode() + signed
    return _matched([value.removeprefix(prefix)], [digest(secret.encode(), signed) for secret in delivery.secrets])


def _judge_hmac_base64(delivery: _Delivery) -> Verdict:
    return _judge_hmac(delivery, _base64)


def _judge_hmac_hex(delivery: _Delivery) -> Verdict:
    return _judge_hmac(delivery, _hex)


def _signer_of(digest: Callable[[bytes, bytes], str]) -> Callable[..., dict[str, str]]:
    def signer(verifier: Mapping[str, Any], secret: str, body: bytes, at: datetime, _: str) -> dict[str, str]:
        headers, signed = {}, body
        if verifier.get("timestamp_header"):
            headers[str(verifier["timestamp_header"])] = sent_at = str(int(at.timestamp()))
            signed = f"{sent_at}.".encode() + body
        headers[str(verifier["header"])] = str(verifier.get("prefix", "")) + digest(secret.encode(), signed)
        return headers

    return signer


# --- shared secrets in the header ---------------------------------------------------------------------------------


def _judge_bearer(delivery: _Delivery) -> Verdict:
    header = str(delivery.verifier.get("header") or "Authorization")
    scheme, _, token = delivery.headers.get(header.lower(), "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return _refused(f"Header {header} holds no bearer token.")
    return _matched([token.strip()], delivery.secrets, what="token")


def _sign_bearer(verifier: Mapping[str, Any], secret: str, _b: bytes, _at: datetime, _id: str) -> dict[str, str]:
    return {str(verifier.get("header") or "Authorization"): f"Bearer {secret}"}


def _judge_basic(delivery: _Delivery) -> Verdict:
    scheme, _, coded = delivery.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or not coded.strip():
        return _refused("Header Authorization holds no Basic credentials.")
    try:
        given = base64.b64decode(coded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return _refused("The Basic credentials cannot be read.")
    return _matched([given], delivery.secrets, what="user name and password")


def _sign_basic(_: Mapping[str, Any], secret: str, _b: bytes, _at: datetime, _id: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


# --- shared pieces ------------------------------------------------------------------------------------------------


def _stale(sent_at: str, delivery: _Delivery) -> str:
    """Why a time is not acceptable, '' where it is."""
    if not _UNIX_SECONDS.fullmatch(sent_at):
        return "The time of the delivery is missing or not unix seconds."
    tolerance_s = delivery.verifier.get("tolerance_s", DEFAULT_TOLERANCE_S)
    if not _is_tolerance(tolerance_s):
        tolerance_s = DEFAULT_TOLERANCE_S
    off_s = Decimal(sent_at) - Decimal(repr(delivery.now.timestamp()))
    if abs(off_s) <= tolerance_s:
        return ""
    side = "in the future" if off_s > 0 else "old"
    return f"The delivery is {abs(off_s):.0f} s {side}; {tolerance_s} s are allowed. Check both clocks."


def _matched(given: Sequence[str], expected: Sequence[str], *, what: str = "signature") -> Verdict:
    """Compare all with all, each in constant time."""
    is_genuine = False
    for left in given:
        for right in expected:
            is_genuine |= hmac.compare_digest(left.encode("utf-8", "replace"), right.encode())
    if is_genuine:
        return Verdict(is_genuine=True, reason="")
    return _refused(f"The {what} does not match any live secret of this connection.")


def _refused(reason: str) -> Verdict:
    return Verdict(is_genuine=False, reason=reason)


def _is_tolerance(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_TOLERANCE_S


def _hex(key: bytes, signed: bytes) -> str:
    return hmac.new(key, signed, "sha256").hexdigest()


def _base64(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()


_KEYS: Final = frozenset({"kind", "header", "prefix", "timestamp_header", "tolerance_s", "secret"})
_NEEDS_HEADER: Final = frozenset({"hmac_sha256_base64", "hmac_sha256_hex"})
_JUDGES: Final[dict[str, Callable[[_Delivery], Verdict]]] = {
    "standard_webhooks": _judge_standard,
    "reveni_v1": _judge_reveni,
    "hmac_sha256_base64": _judge_hmac_base64,
    "hmac_sha256_hex": _judge_hmac_hex,
    "bearer": _judge_bearer,
    "basic": _judge_basic,
}
_SIGNERS: Final[dict[str, Callable[..., dict[str, str]]]] = {
    "standard_webhooks": _sign_standard,
    "reveni_v1": _sign_reveni,
    "hmac_sha256_base64": _signer_of(_base64),
    "hmac_sha256_hex": _signer_of(_hex),
    "bearer": _sign_bearer,
    "basic": _sign_basic,
}
KINDS: Final = tuple(_JUDGES)
