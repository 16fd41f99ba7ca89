"""A stateful double of a Shopify shop (GraphQL Admin API 2026-07, as reference and recordings describe it)."""

from connectors.simulators.shopify.order_writing import CartLine, Payment
from connectors.simulators.shopify.records import Customer, Location, Order, Refund, Staff, Transaction, Variant
from connectors.simulators.shopify.shop import STATIC_TOKEN, ShopifyShop
from connectors.simulators.shopify.state import ShopSettings

__all__ = [
    "STATIC_TOKEN",
    "CartLine",
    "Customer",
    "Location",
    "Order",
    "Payment",
    "Refund",
    "ShopSettings",
    "ShopifyShop",
    "Staff",
    "Transaction",
    "Variant",
]
