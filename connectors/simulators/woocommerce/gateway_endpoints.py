"""`/payment_gateways`: what the shop's gateways can do.

Source: WooCommerce REST API v3 documentation, "Payment gateways" (`method_supports` names "refunds" where the gateway
can refund). Not recorded from a real store: error code and empty fields as in the plugin's controller.
"""

from connectors.simulators.woocommerce.arguments import Answer, Call
from connectors.simulators.woocommerce.records import Gateway
from connectors.simulators.woocommerce.wire import WooError


def list_gateways(call: Call) -> Answer:
    """GET all: not paged."""
    return Answer(body=[_gateway_json(gateway) for gateway in call.shop.gateways.values()])


def get_gateway(call: Call, gateway_id: str) -> Answer:
    """GET one."""
    gateway = call.shop.gateways.get(gateway_id)
    if gateway is None:
        raise WooError(
            status=404,
            code="woocommerce_rest_payment_gateway_invalid",
            message="Resource does not exist.",
            data={"status": 404},
        )
    return Answer(body=_gateway_json(gateway))


def _gateway_json(gateway: Gateway) -> dict[str, object]:
    return {
        "id": gateway.id,
        "title": gateway.title,
        "description": "",
        "order": "",
        "enabled": True,
        "method_title": gateway.title,
        "method_description": "",
        "method_supports": ["products", "refunds"] if gateway.is_refund_supported else ["products"],
        "settings": {},
    }
