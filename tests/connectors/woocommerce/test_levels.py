"""Shelf figures: of the article itself, or none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.ports import Answer
from connectors.woocommerce.levels import read_levels
from returnsops.facts import StockLevel
from tests.connectors.woocommerce.recordings import answer_of
from tests.connectors.woocommerce.scripted import answered, scripted_link

VARIATION = answer_of("catalog/get_variation_through_products_route")
GONE = answered(404, {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID.", "data": {"status": 404}})


def level(product: dict[str, Any] | None) -> StockLevel:
    """The figure of variation 16 of product 13, where the shop answers this."""

    def respond(method: str, path: str, params: Any, body: Any) -> Answer:
        assert (method, path) == ("GET", "/products/16")
        return GONE if product is None else answered(200, product)

    link, asked = scripted_link(respond)
    levels = read_levels(link, [("13", "16"), ("13", "16")])
    assert len(asked) == 1
    return levels["13", "16"]


def test_the_figure_and_when_the_article_changed() -> None:
    changed_at = datetime.fromisoformat(VARIATION["date_modified_gmt"]).replace(tzinfo=UTC)
    assert level({**VARIATION, "manage_stock": True, "stock_quantity": 7}) == StockLevel(
        quantity=7, changed_at=changed_at
    )


@pytest.mark.parametrize(
    "product", [None, {**VARIATION, "manage_stock": False}, {**VARIATION, "manage_stock": "parent"}]
)
def test_no_figure_of_its_own(product: dict[str, Any] | None) -> None:
    assert level(product).quantity is None
