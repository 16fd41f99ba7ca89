"""Gift cards: a code that our key gives, so that the shop itself refuses a second card (shopify.md section 9).

``giftCardCreate`` takes no idempotency key. The code is an HMAC of the effect's key with a secret of the connection:
the shop answers a second card of it with "Code has already been taken", and nobody can guess it. A card is looked for
by its customer or its day, in a search index that lags, and recognised by our key in its note: that none is shown
counts only after that lag, and sending again makes none. The code is worth money: it is never part of evidence, history
or logs.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.ports import CreditSeen, Found, Intent, Json, Link, Lookup, OutcomeUnknown, Rejected, Sent
from connectors.shopify import client
from connectors.shopify.links import number_of, shop_url
from connectors.shopify.reading import required_order, snapshot_of
from connectors.shopify.refunds import plain
from connectors.shopify.timing import CLOCK_SKEW, INDEX_SETTLE_S
from returnsops import states
from returnsops.facts import OrderSnapshot
from returnsops.money import parse_amount

KEY_SECRET: Final = "gift_card_key"  # noqa: S105  the name of a secret, not its value
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read for something else
LENGTH: Final = 16  # of at most 20; some 79 bits
TAKEN: Final = "already been taken"


def code_of(secret: str, remote_key: str) -> str:
    """The code of an effect's card."""
    digest = hmac.new(secret.encode(), f"gift card:{remote_key}".encode(), hashlib.sha256).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:LENGTH])


def look_up(link: Link, intent: Intent) -> Lookup:
    """Whether the card exists, by our key in its note. Raises Rejected('order_not_found')."""
    order = snapshot_of(link, required_order(link, intent.order_id))
    found = [_card(link, intent.remote_id)] if intent.remote_id else _cards_of(link, intent, order)
    ours = [card for card in found if card is not None]
    if not ours:
        return Lookup(found=Found.ABSENT, evidence={"cards_of_our_key": 0}, order=order, settle_s=INDEX_SETTLE_S)
    if len(ours) > 1:
        return _ambiguous(order, ours, "More than one gift card carries our key")
    wrong = _differences(intent, ours[0])
    if wrong:
        return _ambiguous(order, ours, f"The gift card with our key differs in {', '.join(wrong)}")
    return Lookup(found=Found.COMPLETE, remote_id=str(ours[0]["id"]), evidence=seen(ours[0]), order=order)


def send(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Make the card. Raises OutcomeUnknown where the code is taken: then ours is there, and a look-up finds it."""
    order = lookup.order or snapshot_of(link, required_order(link, intent.order_id))
    code = code_of(link.config.secret(KEY_SECRET), intent.remote_key)
    given = {"input": card_input(link, intent, order, code=code)}
    payload = client.execute(link, "GiftCardCreate", given, is_write=True).get("giftCardCreate")
    if any(TAKEN in error.message for error in client.user_errors(payload)):
        raise OutcomeUnknown("The shop has a gift card of our code already; it is looked for.")
    client.refuse_user_errors(payload, name="GiftCardCreate")
    card = (payload or {}).get("giftCard")
    if not isinstance(card, Mapping) or _differences(intent, card):
        raise OutcomeUnknown("The shop answered with another gift card than was asked for.")
    return Sent(remote_id=str(card["id"]), evidence=seen(card), remote_url=card_url(link, str(card["id"])))


def card_input(link: Link, intent: Intent, order: OrderSnapshot, *, code: str) -> dict[str, Any]:
    """The request; guests have no record, so that theirs is tied to nobody."""
    payload = intent.payload
    given: dict[str, Any] = {
        "initialAmount": {"amount": plain(parse_amount(str(payload["amount"]))), "currencyCode": intent.currency},
        "code": code,
        "note": f"{intent.remote_key} {payload.get('reason') or ''}".strip(),
    }
    if order.customer_id:
        given["customerId"] = order.customer_id
    if payload.get("valid_days"):
        given["expiresOn"] = (_today(link) + timedelta(days=int(payload["valid_days"]))).isoformat()
    return given


def read_credit(link: Link, card_id: str) -> CreditSeen:
    """A card as it is now, with its code worked out again. Raises Rejected where it is gone or is none."""
    card = _card(link, card_id) if "/GiftCard/" in card_id else None
    if card is None:
        text = "This credit has no code: the customer spends it when signed in, or its card is gone from the shop."
        raise Rejected(text, code="no_code")
    first, left = (parse_amount(str(card[name]["amount"])) for name in ("initialValue", "balance"))
    return CreditSeen(
        code=_code_by_key(link, card),
        amount=left,
        expires_at=_expires_at(link, card),
        usage_count=int(left < first),
        is_usable=card.get("enabled") is True and left > 0 and not _is_over(link, card),
    )


# --- making it worthless ---------------------------------------------------------------------------------------------


def look_up_void(link: Link, intent: Intent) -> Lookup:
    """Whether the card can no longer be spent, and was not.

    Raises Rejected('credit_spent') where some of it was spent before we touched it; spent since is ambiguous.
    """
    card_id = str(intent.payload["remote_credit_id"])
    if "/GiftCard/" not in card_id:
        text = "Store credit on a customer's account is not taken back by itself. Debit it in the shop's admin."
        raise Rejected(text, code="not_supported")
    card = _card(link, card_id)
    if card is None:
        return Lookup(found=Found.COMPLETE, remote_id=card_id, evidence={"gift_card": card_id, "state": "gone"})
    if key_in(card) not in intent.payload["credit_keys"]:
        text = f"Gift card {number_of(card_id)} does not carry the key of this credit."
        return Lookup(found=Found.AMBIGUOUS, text=text, evidence=seen(card))
    if _is_spent(card):
        text = (
            f"The credit was spent already: {card['balance']['amount']} of {card['initialValue']['amount']} are left."
        )
        if intent.first_attempt_at is None:
            raise Rejected(text, code=states.CASE_CREDIT_SPENT, evidence=seen(card))
        return Lookup(found=Found.AMBIGUOUS, text=text, evidence=seen(card))
    found = Found.COMPLETE if card.get("enabled") is False else Found.ABSENT
    return Lookup(found=found, remote_id=card_id, evidence=seen(card))


def send_void(link: Link, intent: Intent, lookup: Lookup) -> Sent:
    """Deactivate the card, for good. Raises OutcomeUnknown where it was spent in between."""
    card_id = str(intent.payload["remote_credit_id"])
    payload = client.execute(link, "GiftCardDeactivate", {"id": card_id}, is_write=True).get("giftCardDeactivate")
    client.refuse_user_errors(payload, name="GiftCardDeactivate")
    card = (payload or {}).get("giftCard")
    if not isinstance(card, Mapping) or card.get("enabled") is not False or _is_spent(card):
        raise OutcomeUnknown(f"Gift card {number_of(card_id)} was spent meanwhile, or can still be spent.")
    evidence = {"gift_card": card_id, "state": "deactivated"}
    return Sent(remote_id=card_id, evidence=evidence, remote_url=card_url(link, card_id))


# --- small parts -----------------------------------------------------------------------------------------------------


def key_in(card: Json) -> str:
    """The first word of a card's note: our key, where it is ours."""
    return str(card.get("note") or "").partition(" ")[0]


def seen(card: Json) -> dict[str, Any]:
    """What may be kept of a card: never its code, nor whose it is."""
    return {
        "gift_card": str(card["id"]),
        "code_last4": str(card.get("lastCharacters") or "").upper(),
        "amount": str((card.get("initialValue") or {}).get("amount") or ""),
        "left": str((card.get("balance") or {}).get("amount") or ""),
        "expires": str(card.get("expiresOn") or ""),
    }


def card_url(link: Link, card_id: str) -> str:
    """The card in the shop's admin."""
    return f"{shop_url(link.config)}/admin/gift_cards/{number_of(card_id)}"


def _cards_of(link: Link, intent: Intent, order: OrderSnapshot) -> list[Json]:
    since = ((intent.first_attempt_at or intent.planned_at) - CLOCK_SKEW).astimezone(UTC)
    asked = f"created_at:>='{since.strftime('%Y-%m-%dT%H:%M:%SZ')}'"
    if order.customer_id:
        asked = f"customer_id:{number_of(order.customer_id)}"
    rows = client.nodes_to_end(link, "GiftCards", {"query": asked}, path=("giftCards",))
    keys = (intent.remote_key, *intent.earlier_remote_keys)
    return [row for row in rows if key_in(row) in keys]


def _card(link: Link, card_id: str) -> Json | None:
    card = client.execute(link, "GiftCardById", {"id": card_id}).get("giftCard")
    return card if isinstance(card, Mapping) else None


def _differences(intent: Intent, card: Json) -> list[str]:
    first = card.get("initialValue") or {}
    same = {
        "key": key_in(card) in (intent.remote_key, *intent.earlier_remote_keys),
        "amount": parse_amount(str(first.get("amount") or "0")) == parse_amount(str(intent.payload["amount"])),
        "currency": first.get("currencyCode") == intent.currency,
    }
    return [name for name, is_same in same.items() if not is_same]


def _code_by_key(link: Link, card: Json) -> str:
    """By every secret there ever was; the last characters, which the shop shows, say which one made it."""
    last, key = str(card.get("lastCharacters") or "").lower(), key_in(card)
    codes = (code_of(secret, key) for secret in link.config.secrets.get(KEY_SECRET, ()))
    found = next((code for code in codes if last and code.endswith(last)), "")
    if not found:
        raise Rejected("The code of this card cannot be worked out: its secret is not stored any more.", code="no_code")
    return found.upper()


def _is_spent(card: Json) -> bool:
    first, left = (parse_amount(str(card[name]["amount"])) for name in ("initialValue", "balance"))
    return left < first


def _today(link: Link) -> date:
    return link.now().astimezone(ZoneInfo(link.config.time_zone)).date()


def _is_over(link: Link, card: Json) -> bool:
    return bool(card.get("expiresOn")) and _today(link) > date.fromisoformat(str(card["expiresOn"]))


def _expires_at(link: Link, card: Json) -> datetime | None:
    if not card.get("expiresOn"):
        return None
    last = date.fromisoformat(str(card["expiresOn"]))
    return datetime.combine(last, time(23, 59, 59), tzinfo=ZoneInfo(link.config.time_zone))


def _ambiguous(order: OrderSnapshot, cards: list[Json], text: str) -> Lookup:
    ids = [str(card["id"]) for card in cards]
    return Lookup(
        found=Found.AMBIGUOUS,
        remote_ids={f"card_{index}": card_id for index, card_id in enumerate(ids, start=1)},
        text=f"{text} ({', '.join(number_of(card_id) for card_id in ids)}).",
        evidence={"candidates": ids},
        order=order,
    )
