"""A stateful double of a WooCommerce shop (REST API v3 as version 11.0.1 was seen to behave)."""

from connectors.simulators.woocommerce.order_writing import CartLine
from connectors.simulators.woocommerce.records import ApiKey, Gateway, Order, Payout, Product, Refund
from connectors.simulators.woocommerce.refund_writing import RefundLine
from connectors.simulators.woocommerce.shop import WooShop
from connectors.simulators.woocommerce.state import ShopSettings

__all__ = [
    "ApiKey",
    "CartLine",
    "Gateway",
    "Order",
    "Payout",
    "Product",
    "Refund",
    "RefundLine",
    "ShopSettings",
    "WooShop",
]
