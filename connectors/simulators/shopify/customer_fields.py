"""The fields of customers, their store credit, and gift cards."""

from typing import Any

from connectors.simulators.shopify.after_sales_records import CreditAccount, GiftCard
from connectors.simulators.shopify.amounts import money
from connectors.simulators.shopify.marks import metafield_of
from connectors.simulators.shopify.paging import (
    Args,
    Fields,
    attribute,
    connection,
    global_id,
    legacy_id,
    moment,
    paged,
)
from connectors.simulators.shopify.records import Customer
from connectors.simulators.shopify.state import ShopState, gid, stamp


def _accounts(shop: ShopState, customer: Customer) -> list[CreditAccount]:
    return [account for account in shop.accounts.values() if account.customer_id == customer.id]


CUSTOMER: Fields = {
    "id": global_id("Customer"),
    "legacyResourceId": legacy_id,
    "displayName": attribute("name"),
    "email": attribute("email"),
    "defaultEmailAddress": lambda shop, customer, args: {"emailAddress": customer.email} if customer.email else None,
    "tags": lambda shop, customer, args: sorted(customer.tags),
    "createdAt": moment("created_at"),
    "updatedAt": moment("updated_at"),
    "metafield": metafield_of("Customer"),
    "storeCreditAccounts": paged(_accounts),
}


def _movements(shop: ShopState, account: CreditAccount, args: Args) -> dict[str, Any]:
    rows = [(account, movement) for movement in account.movements]
    is_reversed = bool(args.get("reverse"))
    return connection(rows[::-1] if is_reversed else rows, args, place=lambda row: row[1].id, is_reversed=is_reversed)


ACCOUNT: Fields = {
    "id": global_id("StoreCreditAccount"),
    "balance": lambda shop, account, args: money(account.balance, account.currency),
    "transactions": _movements,
}

CREDIT_MOVEMENT: Fields = {
    "id": lambda shop, row, args: gid("StoreCreditAccountCreditTransaction", row[1].id),
    "amount": lambda shop, row, args: money(row[1].amount, row[0].currency),
    "balanceAfterTransaction": lambda shop, row, args: money(row[1].balance_after, row[0].currency),
    "createdAt": lambda shop, row, args: stamp(row[1].created_at),
    "expiresAt": lambda shop, row, args: stamp(row[1].expires_at),
    "event": lambda shop, row, args: row[1].event,
    "account": lambda shop, row, args: row[0],
}

GIFT_CARD: Fields = {
    "id": global_id("GiftCard"),
    "lastCharacters": lambda shop, card, args: card.code[-4:],
    "maskedCode": lambda shop, card, args: _masked(card),
    "initialValue": lambda shop, card, args: money(card.initial, card.currency),
    "balance": lambda shop, card, args: money(card.balance, card.currency),
    "enabled": lambda shop, card, args: card.deactivated_at is None,
    "createdAt": moment("created_at"),
    "deactivatedAt": moment("deactivated_at"),
    "expiresOn": lambda shop, card, args: None if card.expires_on is None else card.expires_on.isoformat(),
    "customer": lambda shop, card, args: shop.customers.get(card.customer_id or 0),
    "note": attribute("note"),
}


def _masked(card: GiftCard) -> str:
    return "•••• •••• •••• " + card.code[-4:]
