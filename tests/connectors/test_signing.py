"""Signatures: published vectors, rotation, tolerance, and everything a stranger may send."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from connectors.signing import KINDS, sign, verifier_problems, verify

AT = datetime.fromtimestamp(1777889730, tz=UTC)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OTHER = "whsec_" + base64.b64encode(b"another secret of 32 bytes......").decode()
STANDARD = {"kind": "standard_webhooks", "tolerance_s": 300}
REVENI = {"kind": "reveni_v1", "header": "X-REVENI-SIGNATURE", "tolerance_s": 300}
WOO = {"kind": "hmac_sha256_base64", "header": "X-WC-Webhook-Signature"}
HEX = {"kind": "hmac_sha256_hex", "header": "X-Sig", "prefix": "sha256=", "timestamp_header": "X-Time"}
BEARER = {"kind": "bearer"}
BASIC = {"kind": "basic"}

# Vector of reference part C5.
BODY = b'{"type":"return.received","timestamp":"2026-05-04T10:15:30Z","data":{"return":{"id":"ret_1"}}}'
SIGNED = {
    "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    "webhook-timestamp": "1777889730",
    "webhook-signature": "v1,imupEyh5l6N74TaDrzRipchAd6KIHYV/G23k3VerkrA=",
}
# Vector of reference part A2.
A2_KEY = "reveni_test_key_0001"
A2_BODY = (
    b'{"id": "evt1", "event": "return.updated", "created": 1777889730, "data": {"amount": "76.4800", '
    b'"status": "received", "currency": "EUR", "resource": "return", "resource_id": "ret1", "object": {}}}'
)
A2_SIGNED = {
    "x-reveni-signature": "t=1777889730.25,v1=9f7be0c9ac2ad5bf55a9f2f5af72afd36d5668b40bbf3e08e1b03cc8a03ca895"
}


def judged(
    verifier: dict[str, Any], secrets: list[str], headers: dict[str, str], body: bytes, at: datetime = AT
) -> Any:
    return verify(verifier=verifier, secrets=secrets, headers=headers, body=body, now=at)


def lowered(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_published_vectors_are_genuine() -> None:
    woo_body = b'{"id":727,"status":"processing","number":"727"}'
    woo = {"x-wc-webhook-signature": "6+OzHJ5aLePpxad0ffGAL7LccuSLqhKaEnwTGn5+13I="}

    assert judged(STANDARD, [SECRET], SIGNED, BODY).is_genuine
    assert judged(REVENI, [A2_KEY], A2_SIGNED, A2_BODY).is_genuine
    assert judged(WOO, ["whsec-test"], woo, woo_body).is_genuine


def test_published_vectors_are_what_we_sign() -> None:
    standard = sign(verifier=STANDARD, secret=SECRET, body=BODY, at=AT, message_id=SIGNED["webhook-id"])
    reveni = sign(verifier=REVENI, secret=A2_KEY, body=A2_BODY, at=AT + timedelta(milliseconds=250))

    assert standard == SIGNED
    assert lowered(reveni) == A2_SIGNED


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_accepts_what_it_signs_and_nothing_changed(kind: str) -> None:
    verifier = {"kind": kind, "header": "X-Sig"} if kind.startswith("hmac") else {"kind": kind}
    secret = {"standard_webhooks": SECRET, "basic": "shop:pass:word"}.get(kind, "s3cret")
    headers = lowered(sign(verifier=verifier, secret=secret, body=BODY, at=AT, message_id="evt_1"))

    assert judged(verifier, [secret], headers, BODY).is_genuine
    assert not judged(verifier, ["another" if kind != "standard_webhooks" else OTHER], headers, BODY).is_genuine
    assert not judged(verifier, [], headers, BODY).is_genuine
    assert not judged(verifier, [""], headers, BODY).is_genuine
    assert not judged(verifier, [secret], {}, BODY).is_genuine
    if kind not in ("bearer", "basic"):
        assert not judged(verifier, [secret], headers, BODY + b" ").is_genuine


def test_there_is_no_kind_none() -> None:
    for kind in ("none", "", "STANDARD_WEBHOOKS", None):
        verdict = judged({"kind": kind}, [SECRET], SIGNED, BODY)
        assert not verdict.is_genuine
        assert verdict.reason.startswith("This connection has no usable verifier")


def test_several_secrets_live_during_a_rotation() -> None:
    assert judged(STANDARD, [OTHER, SECRET], SIGNED, BODY).is_genuine
    assert judged(REVENI, ["new key", A2_KEY], A2_SIGNED, A2_BODY).is_genuine


def test_one_good_entry_in_the_list_is_enough() -> None:
    ours = SIGNED["webhook-signature"]
    for listed in (f"v1,AAAA {ours}", f"v1a,{ours[3:]} {ours}", f"garbage {ours} v2,x", f"v1, {ours}"):
        assert judged(STANDARD, [SECRET], {**SIGNED, "webhook-signature": listed}, BODY).is_genuine


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"webhook-signature": "v1a,imupEyh5l6N74TaDrzRipchAd6KIHYV/G23k3VerkrA="}, "no v1 signature"),
        ({"webhook-signature": "v1,AAAA"}, "does not match"),
        ({"webhook-signature": "v1,ümläut"}, "does not match"),
        ({"webhook-signature": ""}, "is missing"),
        ({"webhook-id": ""}, "is missing"),
        ({"webhook-id": "msg_other"}, "does not match"),
        ({"webhook-timestamp": "1777889730.0"}, "not whole unix seconds"),
        ({"webhook-timestamp": "soon"}, "not unix seconds"),
        ({"webhook-timestamp": "-1"}, "not unix seconds"),
        ({"webhook-timestamp": "9" * 400}, "not unix seconds"),
        ({"webhook-timestamp": "٣"}, "not unix seconds"),
        ({"webhook-timestamp": "1777889731"}, "does not match"),
    ],
)
def test_standard_webhooks_refuses(changed: dict[str, str], reason: str) -> None:
    verdict = judged(STANDARD, [SECRET], {**SIGNED, **changed}, BODY)

    assert not verdict.is_genuine
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is missing"),
        ("v1=abc", "one t= and a v1="),
        ("t=1777889730.25", "one t= and a v1="),
        ("t=1777889730.25,v0=9f7be0c9", "one t= and a v1="),
        ("t=1777889730.25,t=1777889730.25,v1=9f", "one t= and a v1="),
        ("t=nan,v1=9f", "not unix seconds"),
        (A2_SIGNED["x-reveni-signature"].replace(".25", ".250"), "does not match"),
        (A2_SIGNED["x-reveni-signature"].replace("v1=9f", "v1=9F"), "does not match"),
    ],
)
def test_reveni_v1_refuses(value: str, reason: str) -> None:
    verdict = judged(REVENI, [A2_KEY], {"x-reveni-signature": value}, A2_BODY)

    assert not verdict.is_genuine
    assert reason in verdict.reason


def test_reveni_v1_ignores_other_schemes() -> None:
    value = "v0=old, " + A2_SIGNED["x-reveni-signature"].replace(",", ", ")

    assert judged(REVENI, [A2_KEY], {"x-reveni-signature": value}, A2_BODY).is_genuine


@pytest.mark.parametrize(("off_s", "is_genuine"), [(-300, True), (300, True), (-301, False), (301, False)])
def test_the_tolerance_holds_both_ways(off_s: int, is_genuine: bool) -> None:
    verdict = judged(STANDARD, [SECRET], SIGNED, BODY, AT + timedelta(seconds=off_s))

    assert verdict.is_genuine is is_genuine
    if not is_genuine:
        assert "301 s" in verdict.reason


def test_a_configured_timestamp_is_part_of_what_is_signed() -> None:
    headers = lowered(sign(verifier=HEX, secret="s", body=BODY, at=AT))

    assert headers["x-sig"].startswith("sha256=")
    assert judged(HEX, ["s"], headers, BODY).is_genuine
    assert not judged(HEX, ["s"], {**headers, "x-time": str(1777889731)}, BODY).is_genuine
    assert not judged(HEX, ["s"], headers, BODY, AT + timedelta(hours=1)).is_genuine
    assert not judged(HEX, ["s"], {**headers, "x-sig": headers["x-sig"][7:]}, BODY).is_genuine


@pytest.mark.parametrize("value", ["Basic", "Basic !!!", "Basic /w==", "Bearer c2hvcDpw", "basic c2hvcDpx"])
def test_basic_refuses(value: str) -> None:
    assert not judged(BASIC, ["shop:p"], {"authorization": value}, BODY).is_genuine


@pytest.mark.parametrize("value", ["Bearer", "Bearer  ", "Token s3cret", "s3cret", "Bearer s3cre", "Bearer s3cret s"])
def test_bearer_refuses(value: str) -> None:
    assert not judged(BEARER, ["s3cret"], {"authorization": value}, BODY).is_genuine


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "ümläut"])
def test_an_unusable_secret_is_said_and_never_shown(secret: str) -> None:
    verdict = judged(STANDARD, [secret], SIGNED, BODY)

    assert verdict.reason == "The secret of this connection is not base64 as Standard Webhooks wants it; set it again."


@given(body=st.binary(max_size=200), secret=st.binary(min_size=24, max_size=64), junk=st.text(max_size=40))
def test_our_verifier_agrees_with_the_published_library(body: bytes, secret: bytes, junk: str) -> None:
    text = body.hex()
    key = "whsec_" + base64.b64encode(secret).decode()
    signature = Webhook(key).sign("evt_1", AT, text)
    headers = {"webhook-id": "evt_1", "webhook-timestamp": "1777889730", "webhook-signature": signature}

    assert judged(STANDARD, [key], headers, text.encode()).is_genuine
    assert not judged(STANDARD, [key], {**headers, "webhook-signature": junk}, text.encode()).is_genuine


@given(headers=st.dictionaries(st.sampled_from([*SIGNED, *A2_SIGNED, "x-sig", "x-time", "authorization"]), st.text()))
def test_no_header_raises_and_no_reason_holds_a_secret(headers: dict[str, str]) -> None:
    for verifier in (STANDARD, REVENI, HEX, BEARER, BASIC):
        verdict = judged(verifier, [SECRET], headers, BODY)
        assert not verdict.is_genuine
        assert SECRET not in verdict.reason
        assert SECRET[6:] not in verdict.reason


def test_a_signed_body_that_is_not_text_is_still_genuine() -> None:
    body = b"\xff\xfe\x00"
    key = base64.b64decode(SECRET[6:])
    text = base64.b64encode(hmac.new(key, b"evt_1.1777889730." + body, "sha256").digest()).decode()
    headers = {"webhook-id": "evt_1", "webhook-timestamp": "1777889730", "webhook-signature": f"v1,{text}"}

    assert judged(STANDARD, [SECRET], headers, body).is_genuine


@pytest.mark.parametrize(
    ("verifier", "problem"),
    [
        ({"kind": "none"}, "kind: 'none' is not one of"),
        ({"kind": "hmac_sha256_hex"}, "header: hmac_sha256_hex needs the name of the header"),
        ({"kind": "bearer", "header": "X Y"}, "header: must be a header name"),
        ({"kind": "bearer", "headre": "X"}, "headre: unknown key."),
        ({"kind": "standard_webhooks", "tolerance_s": 0}, "tolerance_s: must be whole seconds from 1 to 86400."),
        ({"kind": "standard_webhooks", "tolerance_s": True}, "tolerance_s: must be whole seconds"),
        ({"kind": "hmac_sha256_hex", "header": "X", "prefix": 3}, "prefix: must be text."),
    ],
)
def test_a_verifier_is_checked_before_it_is_saved(verifier: dict[str, Any], problem: str) -> None:
    (found,) = verifier_problems(verifier)

    assert found.startswith(problem)


def test_good_verifiers_have_no_problem() -> None:
    for verifier in (STANDARD, REVENI, WOO, HEX, BEARER, BASIC):
        assert verifier_problems(verifier) == ()


def test_signing_with_an_unknown_kind_says_so() -> None:
    with pytest.raises(ValueError, match="no signature kind 'none'"):
        sign(verifier={"kind": "none"}, secret="s", body=b"", at=AT)


def test_an_unusable_tolerance_falls_back_to_five_minutes() -> None:
    verifier = {**STANDARD, "tolerance_s": "for ever"}

    assert judged(verifier, [SECRET], SIGNED, BODY, AT + timedelta(seconds=300)).is_genuine
    assert not judged(verifier, [SECRET], SIGNED, BODY, AT + timedelta(seconds=301)).is_genuine
