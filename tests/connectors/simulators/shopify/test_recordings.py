"""The simulator answers what a real store answered: data, userErrors, error codes, amounts (2025-01 and 2026-04).

Recordings are read from the folder that SHOPIFY_RECORDINGS names. What is not replayed, and where the simulator
answers otherwise, is listed with its reason, and the lists are held to be exact.
"""

import re
from typing import Any

import pytest
from graphql import FieldsOnCorrectTypeRule, KnownArgumentNamesRule, validate

from connectors.simulators.shopify.graph import executable_schema
from tests.connectors.simulators.shopify import given, recorded

BULK_WRITES = "bulk mutations: returnsops makes none"
BEFORE = "the order was made before the recording began and never shown with its payments"
ELSEWHERE = "asks for things that the simulator has no records of: "
ORDER_OF_FILE = "stands in the file at another place than it was sent at"

# Whole recordings that are not replayed.
NOT_REPLAYED = {
    "2025-01/products/inventory-node-read-after-write.json": ELSEWHERE + "inventory transfers and shipments",
    "2026-04/bulk-operations/bulk-operation-run-mutation-allowed-roots.json": BULK_WRITES,
    "2026-04/bulk-operations/bulk-operation-run-mutation-client-identifier-validation.json": BULK_WRITES,
    "2026-04/bulk-operations/bulk-operation-run-mutation-concurrency-limit.json": BULK_WRITES,
}

# Requests that the simulator answers otherwise, by recording and place.
OTHERWISE = {
    ("2025-01/gift-cards/gift-card-create-validation.json", "/operations/createValidation"): "a code drawn at random",
    ("2025-01/orders/money-bag-presentment-parity.json", "/refund"): (
        "the store converts at the day's rate, the simulator at the payment's"
    ),
    ("2025-01/orders/order-create-line-item-fields.json", "/mutation"): ELSEWHERE + "vendors, products of custom lines",
    ("2025-01/orders/order-create-line-item-fields.json", "/downstreamRead"): ELSEWHERE + "as above",
    ("2025-01/orders/order-create-math-matrix.json", "/cases/fixedDiscount"): "discount codes of orderCreate",
    ("2025-01/orders/order-create-parity.json", "/mutation"): "discount codes of orderCreate",
    ("2025-01/orders/order-create-parity.json", "/downstreamRead"): "reads the order before it",
    ("2025-01/orders/order-create-validation-matrix-extended.json", "/mutation"): "four questions of which one is ours",
    ("2025-01/orders/order-edit-residual-live-capture.json", "/steps/commit"): (
        "successMessages was not in 2025-01 yet: the store committed nothing, the simulator does"
    ),
    ("2025-01/orders/order-edit-residual-live-capture.json", "/steps/downstreamRead"): "reads the order after it",
    ("2025-01/orders/order-edit-residual-live-capture.json", "/steps/afterDeleteRead"): "orders are not deleted here",
    ("2025-01/orders/order-refund-fulfillment-usererror-no-code.json", "/codeSelection"): (
        "seven mutations of which one is ours; test_app asks that one"
    ),
    ("2025-01/orders/refund-create-full-parity.json", "/mutation"): (
        "the store shows a line's subtotal as 0.0 in the answer to a whole refund; the simulator what it cost"
    ),
    ("2025-01/products/inventory-adjust-quantities-parity.json", "/mutation"): "who adjusted is not asked for",
    ("2026-04/admin-platform/fulfillment-return-node-read-after-write.json", "/nodeReads/fulfillmentOrderNodeRead"): (
        ELSEWHERE + "fulfilment orders and holds"
    ),
    ("2026-04/admin-platform/fulfillment-return-node-read-after-write.json", "/nodeReads/fulfillmentNodeRead"): (
        ELSEWHERE + "events of fulfilments"
    ),
    (
        "2026-04/admin-platform/fulfillment-return-node-read-after-write.json",
        "/nodeReads/returnableFulfillmentNodeRead",
    ): "returnable fulfilments are read by order, not by id",
    ("2026-04/admin-platform/fulfillment-return-node-read-after-write.json", "/nodeReads/returnReverseNodeRead"): (
        "graphql-core forbids two kinds of status in one place, the store's engine does not"
    ),
    ("2026-04/admin-platform/fulfillment-return-node-read-after-write.json", "/nodeReads/returnClosedNodeRead"): (
        ORDER_OF_FILE
    ),
    **{
        ("2026-04/bulk-operations/bulk-operation-run-query-concurrency-limit.json", f"/cancelAttempts[{number}]"): (
            "the store had counted objects by then, or was done"
        )
        for number in range(5)
    },
    (
        "2026-04/customers/store-credit-account-parity.json",
        "/validations/resultOnlyUsdcCredit",
    ): "no such currency here",
    ("2026-04/customers/store-credit-account-parity.json", "/validations/resultOnlyXxxCredit"): "no such currency here",
    ("2026-04/customers/store-credit-account-parity.json", "/downstreamRead"): "accounts are listed without a query",
    ("2026-04/customers/store-credit-account-parity.json", "/coldExisting/customerReadback"): "as above",
    **{
        ("2026-04/orders/orderCancel-error-messages.json", f"/expected/refund{value}AndRefundMethodConflict"): (
            "the argument `refund` is deprecated and not here"
        )
        for value in ("True", "False")
    },
    ("2026-04/orders/orderUpdate-input-validation.json", "/mutation"): "the texts of four questions were not kept",
    ("2026-04/orders/orderUpdate-input-validation.json", "/downstreamRead"): "reads what those did",
    ("2026-04/orders/refund-create-attribution-validation.json", "/downstreamRead"): BEFORE,
    (
        "2026-04/orders/return-reverse-logistics-recorded.json",
        "/reverseDeliveryCreateValidation/unrelatedReverseFulfillmentOrderLine",
    ): ORDER_OF_FILE,
    ("2026-04/payments/order-payment-transaction-void-live.json", "/voidFlow/readAfterVoid"): "voids are not made",
    ("2026-04/webhooks/webhook-subscription-conformance.json", "/schemaAndAccess"): "the scopes of another app",
    ("2026-04/webhooks/webhook-subscription-conformance.json", "/filterValidation/createInvalidFilter"): (
        "filters are kept and not read"
    ),
    ("2026-04/webhooks/webhook-subscription-conformance.json", "/graphqlValidation/missingCreateTopic"): (
        "the text of the question was not kept"
    ),
    ("2026-04/webhooks/webhook-subscription-conformance.json", "/graphqlValidation/nullUpdateInput"): "as above",
    **{
        ("2026-04/webhooks/webhook-subscription-topic-enum-validation.json", f"/validation/{case}"): (
            "the words for a wrong value in the text of a document"
        )
        for case in ("createBogusTopicRejected", "createHiddenTopicRejected", "createBogusVariableTopicRejected")
    },
}

# Root fields of the recordings that the simulator neither has nor does by hand.
ROOTS_LACKING = {
    "bulk writes": {"stagedUploadsCreate", "bulkOperationRunMutation", "currentBulkOperation"},
    "fulfilment": {
        "fulfillmentCancel",
        "fulfillmentCreateV2",
        "fulfillmentEventCreate",
        "fulfillmentOrderHold",
        "fulfillmentOrderReleaseHold",
        "fulfillmentTrackingInfoUpdate",
        "fulfillmentTrackingInfoUpdateV2",
        "locationsAvailableForDeliveryProfilesConnection",
    },
    "catalogue and stock of others": {
        "inventorySetOnHandQuantities",
        "inventoryShipmentCreate",
        "inventoryShipmentDelete",
        "inventoryShipmentSetTracking",
        "inventoryTransferCreate",
        "inventoryTransferCreateAsReadyToShip",
        "inventoryTransferDelete",
        "locationAdd",
        "productCreate",
        "productSet",
        "productVariantsBulkUpdate",
    },
    "orders and customers of others": {
        "customerDelete",
        "draftOrder",
        "giftCardConfiguration",
        "orderCreateMandatePayment",
        "orderDelete",
        "ordersCount",
        "returnCalculate",
        "transactionVoid",
    },
    "webhooks: subscriptions are made, listed and deleted": {
        "webhookSubscription",
        "webhookSubscriptionUpdate",
        "webhookSubscriptionsCount",
    },
    "asked under another name, and the text was not kept": {
        "createMissingUri",
        "deleteUnknown",
        "filteredCount",
        "unknown",
        "updateUnknown",
        "webhookSubscriptionEndpoint",
        "webhookSubscriptionInput",
        "webhookSubscriptionTopic",
    },
}

# Fields and arguments of the recordings that the simulator's schema lacks: taken out of a question before it is sent.
FIELDS_LACKING = {
    "who a customer is": {
        f"Customer.{name}"
        for name in (
            "addressesV2", "canDelete", "dataSaleOptOut", "defaultAddress", "defaultPhoneNumber", "firstName",
            "lastName", "locale", "note", "phone", "state", "taxExempt", "taxExemptions", "verifiedEmail",
        )
    } | {"MailingAddress.country", "MailingAddress.province", "Order.phone"},
    "fulfilment orders, holds and events": {"Fulfillment.events", "Order.events", "Order.fulfillmentOrders"},
    "capture: orders here are paid or not": {"Order.capturable", "Order.totalCapturable", "Order.totalCapturableSet"},
    "texts that nothing follows from": {
        "BulkOperation.query", "GiftCard.recipientAttributes", "GiftCard.templateSuffix", "GiftCard.updatedAt",
        "LineItem.customAttributes",
        "ShippingLine.code", "ShippingLine.source", "StoreCreditAccountCreditTransaction.origin",
    },
    "discount codes, and fees of returns": {"Order.discountCodes", "Return.returnShippingFees"},
    "read from the other end": {"StoreCreditAccount.owner"},
    "tax of the catalogue": {"ProductVariant.taxable"},
    "deprecated": {"Mutation.orderCancel(refund)", "OrderCancelPayload.userErrors"},
    "searches inside a record": {"Customer.storeCreditAccounts(query)", "Order.returns(query)"},
    "asked to see it refused; test_app does": {"UserError.code"},
}  # fmt: skip

_LACKING = {
    r"Cannot query field '(\w+)' on type '(\w+)'": "{1}.{0}",
    r"Unknown argument '(\w+)' on field '(\w+\.\w+)'": "{1}({0})",
}

pytestmark = pytest.mark.shopify_files


def test_the_simulator_answers_as_the_store_did_but_for_what_is_listed() -> None:
    found = {(name, place): apart for name in recorded.names() for place, apart in differing(name).items()}
    unlisted = {key: apart for key, apart in found.items() if key not in OTHERWISE}
    assert unlisted == {}
    assert set(OTHERWISE) - set(found) == set()


def test_what_is_not_replayed_is_listed_and_most_is_replayed() -> None:
    assert set(NOT_REPLAYED) - set(recorded.names()) == set()
    asked = [
        exchange
        for name in recorded.names()
        if name not in NOT_REPLAYED
        for exchange in recorded.exchanges(name)
        if set(exchange.roots) - set(exchange.unknown_roots)
    ]
    assert len(recorded.names()) - len(NOT_REPLAYED) >= 65
    assert len(asked) >= 250


def test_root_fields_the_simulator_lacks_are_listed() -> None:
    lacking = {root for name in recorded.names() for one in recorded.exchanges(name) for root in one.unknown_roots}
    assert lacking - given.BY_HAND == set().union(*ROOTS_LACKING.values())


def test_fields_and_arguments_the_simulator_lacks_are_listed() -> None:
    replayed = [name for name in recorded.names() if name not in NOT_REPLAYED]
    lacking = set().union(*(lacking_in(one) for name in replayed for one in recorded.exchanges(name)))
    assert lacking == set().union(*FIELDS_LACKING.values())


def lacking_in(exchange: recorded.Exchange) -> set[str]:
    """What a question names that our schema lacks, but for root fields; below these nothing is looked at."""
    rules = [FieldsOnCorrectTypeRule, KnownArgumentNamesRule]
    problems = validate(executable_schema(), recorded.parsed(exchange.document), rules) if exchange.document else []
    found = {
        said.format(*match.groups())
        for problem in problems
        for pattern, said in _LACKING.items()
        if (match := re.match(pattern, problem.message))
    }
    return {one for one in found if "(" in one or not one.startswith(("QueryRoot.", "Mutation."))}


def differing(name: str) -> dict[str, list[str]]:
    """What the simulator answers otherwise, by the place of the request in its recording."""
    if name in NOT_REPLAYED:
        return {}
    replay = recorded.new_replay(name)
    given.prepare(replay, name)
    found: dict[str, list[str]] = {}
    for exchange in recorded.exchanges(name):
        if given.by_hand(replay, exchange) or not set(exchange.roots) - set(exchange.unknown_roots):
            continue
        answer = replay.send(given.filled(replay, exchange))
        apart = replay.apart(exchange.answer.get("data"), answer.get("data"), "data")
        theirs, ours = codes_of(replay.ours(exchange.answer)), codes_of(answer)
        if theirs != ours:
            apart.append(f"errors: {theirs} recorded, {ours} of ours")
        if apart:
            found[exchange.path] = apart
    return found


def codes_of(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and message of each top-level error, without the list of an enum's values: ours are fewer."""
    found = []
    for error in answer.get("errors") or []:
        message = error["message"].partition(" to be one of: ")[0]
        found.append(((error.get("extensions") or {}).get("code", ""), message))
    return found
