"""Store credit and gift cards: credit given without an order behind it (shopify.md section 9)."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from secrets import choice
from typing import Any

from connectors.simulators.shopify.after_sales_records import CreditAccount, CreditMovement, GiftCard
from connectors.simulators.shopify.paging import Args
from connectors.simulators.shopify.refusals import Refused, problem, refuse_all
from connectors.simulators.shopify.state import ShopState, number_of

CODE_LETTERS = "abcdefghjkmnpqrtvwxyz2346789"
SHORTEST_CODE, LONGEST_CODE, CODE_LENGTH = 8, 20, 16


def account_of(shop: ShopState, customer_id: int, currency: str) -> CreditAccount | None:
    """The account of a customer in a currency."""
    return next((a for a in shop.accounts.values() if (a.customer_id, a.currency) == (customer_id, currency)), None)


def credit_customer(
    shop: ShopState,
    *,
    customer_id: int,
    currency: str,
    amount: Decimal,
    event: str,
    expires_at: datetime | None = None,
) -> tuple[CreditAccount, CreditMovement]:
    """Give credit (or take it, with a negative amount); the account is opened where there is none."""
    account = account_of(shop, customer_id, currency)
    if account is None:
        account = CreditAccount(id=shop.next_id("StoreCreditAccount"), customer_id=customer_id, currency=currency)
        shop.accounts[account.id] = account
    movement = CreditMovement(
        id=shop.next_id("StoreCreditAccountTransaction"),
        amount=amount,
        balance_after=account.balance + amount,
        created_at=shop.now(),
        event=event,
        expires_at=expires_at,
    )
    account.movements.append(movement)
    return account, movement


def store_credit(shop: ShopState, args: Args) -> dict[str, Any]:
    """storeCreditAccountCredit: by customer or by account."""
    given = args["creditInput"]
    amount, currency = Decimal(given["creditAmount"]["amount"]), given["creditAmount"]["currencyCode"]
    customer_id, account = _owner(shop, args["id"])
    expires_at = _moment(given.get("expiresAt"))
    if account is not None and account.currency != currency:
        message = "The currency provided does not match the currency of the store credit account"
        raise Refused(["creditInput", "creditAmount", "currencyCode"], message, "MISMATCHING_CURRENCY")
    path = ["creditInput", "creditAmount", "amount"]
    if expires_at is not None and expires_at <= shop.now():
        message = "The expiry date must be in the future"
        raise Refused(["creditInput", "expiresAt"], message, "EXPIRES_AT_IN_PAST")
    if amount <= 0:
        message = "A positive amount must be used to credit a store credit account"
        raise Refused(path, message, "NEGATIVE_OR_ZERO_AMOUNT")
    known = account or account_of(shop, customer_id, currency)
    if (known.balance if known else 0) + amount > shop.settings.credit_limit:
        message = "The operation would cause the account's credit limit to be exceeded"
        raise Refused(path, message, "CREDIT_LIMIT_EXCEEDED")
    account, movement = credit_customer(
        shop, customer_id=customer_id, currency=currency, amount=amount, event="ADJUSTMENT", expires_at=expires_at
    )
    return {"storeCreditAccountTransaction": (account, movement)}


def _owner(shop: ShopState, given: str) -> tuple[int, CreditAccount | None]:
    if number_of("StoreCreditAccount", given):
        account = shop.accounts.get(number_of("StoreCreditAccount", given))
        if account is None:
            raise Refused(["id"], "Store credit account does not exist", "ACCOUNT_NOT_FOUND")
        return account.customer_id, account
    customer_id = number_of("Customer", given)
    if customer_id not in shop.customers:
        raise Refused(["id"], "Owner does not exist", "OWNER_NOT_FOUND")
    return customer_id, None


def _moment(given: Any) -> datetime | None:
    if given is None:
        return None
    found = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def gift_card_create(shop: ShopState, args: Args) -> dict[str, Any]:
    """giftCardCreate: a code the caller chose may be used once only, which makes it a guard against a second card."""
    given = args["input"]
    amount, currency = _initial(shop, given)
    code = (given.get("code") or "").lower()
    customer_id = number_of("Customer", given.get("customerId")) or None
    if given.get("customerId") and customer_id not in shop.customers:
        raise Refused(["input", "customerId"], "The customer could not be found.", "CUSTOMER_NOT_FOUND")
    refuse_all(_amount_problems(shop, given, amount) + (_code_problems(shop, code) if given.get("code") else []))
    card = GiftCard(
        id=shop.next_id("GiftCard"),
        code=code or "".join(choice(CODE_LETTERS) for _ in range(CODE_LENGTH)),
        currency=currency,
        initial=amount,
        balance=amount,
        created_at=shop.now(),
        customer_id=customer_id,
        note=given.get("note"),
        expires_on=date.fromisoformat(str(given["expiresOn"])) if given.get("expiresOn") else None,
    )
    shop.gift_cards[card.id] = card
    return {"giftCard": card, "giftCardCode": card.code}


def _initial(shop: ShopState, given: Args) -> tuple[Decimal, str]:
    money = given.get("initialAmount")
    if money is not None:
        return Decimal(money["amount"]), money["currencyCode"]
    return Decimal(given.get("initialValue") or 0), shop.settings.currency


def _amount_problems(shop: ShopState, given: Args, amount: Decimal) -> list[dict[str, Any]]:
    path = ["input", "initialAmount" if given.get("initialAmount") else "initialValue"]
    if amount <= 0:
        return [problem(path, "must be greater than 0", "GREATER_THAN")]
    if amount > shop.settings.gift_card_limit:
        limit = f"${shop.settings.gift_card_limit:,.2f} {shop.settings.currency}"
        return [problem(path, f"can't exceed {limit}", "GIFT_CARD_LIMIT_EXCEEDED")]
    return []


def _code_problems(shop: ShopState, code: str) -> list[dict[str, Any]]:
    path = ["input", "code"]
    if len(code) < SHORTEST_CODE:
        return [problem(path, f"Code must be at least {SHORTEST_CODE} characters long", "TOO_SHORT")]
    if len(code) > LONGEST_CODE:
        return [problem(path, f"Code must be at most {LONGEST_CODE} characters long", "TOO_LONG")]
    if not re.fullmatch(r"[a-z0-9]+", code):
        return [problem(path, "Code can only contain letters(a-z) and numbers(0-9)", "INVALID")]
    if any(card.code == code for card in shop.gift_cards.values()):
        return [problem(path, "Code has already been taken", None)]
    return []


def gift_card_deactivate(shop: ShopState, args: Args) -> dict[str, Any]:
    """giftCardDeactivate: for good."""
    card = shop.gift_cards.get(number_of("GiftCard", args["id"]))
    if card is None:
        raise Refused(["id"], "The gift card could not be found.", "GIFT_CARD_NOT_FOUND")
    card.deactivated_at = card.deactivated_at or shop.now()
    return {"giftCard": card}
