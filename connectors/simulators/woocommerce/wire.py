"""How WooCommerce puts things on the wire: JSON as PHP writes it, money strings, dates in two zones, errors."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.simulators.woocommerce.pricing import quantised


class WooError(Exception):
    """A refusal. `data` is {"status": n} unless given: refunds hand over a bare integer and so become HTTP 500."""

    def __init__(self, *, status: int, code: str, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.data = {"status": status} if data is None else data

    def body(self) -> dict[str, Any]:
        """The JSON body of the error."""
        return {"code": self.code, "message": self.message, "data": self.data}


def refund_refusal(code: str, message: str, data: int) -> WooError:
    """An error of the refund endpoint: HTTP 500 with `data` a bare integer (woocommerce-observed.md section 4.1)."""
    return WooError(status=500, code=code, message=message, data=data)


def invalid_parameter(name: str, message: str, detail_code: str, data: Any = None) -> WooError:
    """WordPress's refusal of one argument: 400 rest_invalid_param."""
    details = {name: {"code": detail_code, "message": message, "data": data}}
    return WooError(
        status=400,
        code="rest_invalid_param",
        message=f"Invalid parameter(s): {name}",
        data={"status": 400, "params": {name: message}, "details": details},
    )


def invalid_type(name: str, type_name: str) -> WooError:
    """400 rest_invalid_param for a value of the wrong type."""
    message = f"{name} is not of type {type_name}."
    return invalid_parameter(name, message, "rest_invalid_type", {"param": name})


def php_json(value: Any) -> bytes:
    """JSON as PHP's json_encode writes it: no spaces, ASCII only, slashes escaped."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def money(amount: Decimal, decimals: int) -> str:
    """A money string with this many decimals; a zero never carries a minus sign."""
    rounded = quantised(amount, decimals)
    return f"{abs(rounded) if rounded == 0 else rounded:f}"


def json_price(total: Decimal, quantity: int) -> float | int:
    """`line_items[].price`: a JSON number, total divided by quantity without rounding, 0 for no quantity."""
    if quantity == 0:
        return 0
    price = float(total) / quantity
    return int(price) if price == int(price) else price


def local(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """Shop-local time without offset."""
    return None if moment is None else moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")


def gmt(moment: datetime | None) -> str | None:
    """UTC without Z."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def links(base: str, path: str, *, allow: list[str], collection: str, up: str = "") -> dict[str, Any]:
    """The `_links` of a resource."""
    found: dict[str, Any] = {
        "self": [{"href": f"{base}/{path}", "targetHints": {"allow": allow}}],
        "collection": [{"href": f"{base}/{collection}"}],
    }
    return found | {"up": [{"href": f"{base}/{up}"}]} if up else found
