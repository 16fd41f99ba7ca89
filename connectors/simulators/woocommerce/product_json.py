"""Products, variations and tax rates as the REST API v3 shows them."""

from typing import Any

from connectors.simulators.woocommerce.order_writing import catalogue_price
from connectors.simulators.woocommerce.records import Product, TaxRate
from connectors.simulators.woocommerce.state import ShopState
from connectors.simulators.woocommerce.wire import gmt, links, local, money

ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


_EMPTY_SHOP_WINDOW: dict[str, Any] = {
    "average_rating": "0.00",
    "rating_count": 0,
    "upsell_ids": [],
    "cross_sell_ids": [],
    "purchase_note": "",
    "brands": [],
    "tags": [],
    "images": [],
}


def shown_sku(shop: ShopState, product: Product) -> str:
    """The SKU as shown: a variation without its own shows its parent's (section 5)."""
    parent = shop.products.get(product.parent_id)
    return product.own_sku or (parent.own_sku if parent else "")


def product_json(shop: ShopState, product: Product, *, base: str, is_edited: bool = False) -> dict[str, Any]:
    """A product, or a variation read through /products (type "variation"); an answer to a write shows a little more."""
    is_variation = product.parent_id != 0
    parent = shop.products.get(product.parent_id)
    return {
        "id": product.id,
        "name": f"{parent.name} - {product.name}" if parent else product.name,
        "slug": f"{parent.slug}-{product.slug}" if parent else product.slug,
        **_dates(shop, product, base),
        "type": product.type,
        "status": "publish",
        "featured": False,
        "catalog_visibility": "visible",
        "description": "",
        "short_description": "",
        **_prices(shop, product),
        "purchasable": product.type != "variable" or catalogue_price(shop, product) > 0,
        "total_sales": "0" if is_variation else product.total_sales,
        **_download(product),
        "external_url": "",
        "button_text": "",
        "tax_status": "taxable",
        "tax_class": product.tax_class,
        **_stock(product),
        "sold_individually": False,
        **_shipping(),
        "shipping_required": True,
        "shipping_taxable": True,
        "reviews_allowed": not is_variation,
        **_EMPTY_SHOP_WINDOW,
        "parent_id": product.parent_id,
        "categories": [] if is_variation else [{"id": 15, "name": "Uncategorized", "slug": "uncategorized"}],
        "attributes": list(product.attributes),
        "default_attributes": [],
        "variations": list(product.variation_ids),
        "grouped_products": [],
        "menu_order": 0,
        "price_html": _price_html(shop, product),
        "related_ids": [],
        "meta_data": [],
        "stock_status": stock_status(shop, product),
        "has_options": product.type == "variable",
        "post_password": "",
        "global_unique_id": "",
        **(_edit_fields(base, product) if is_edited else {}),
        "_links": links(
            base,
            f"products/{product.id}",
            allow=ALL_METHODS,
            collection="products",
            up=f"products/{product.parent_id}" if is_variation else "",
        ),
    }


def _edit_fields(base: str, product: Product) -> dict[str, str]:
    home = base.removesuffix("/wp-json/wc/v3")
    return {"permalink_template": f"{home}/product/%pagename%/", "generated_slug": product.slug}


def variation_json(shop: ShopState, product: Product, *, base: str, is_edited: bool = False) -> dict[str, Any]:
    """A variation through its own endpoint; an answer to a write names an inherited tax class "parent"."""
    path = f"products/{product.parent_id}/variations"
    return {
        "id": product.id,
        "type": "variation",
        **_dates(shop, product, base),
        "description": "",
        "global_unique_id": "",
        **_prices(shop, product),
        "status": "publish",
        "purchasable": True,
        **_download(product),
        "tax_status": "taxable",
        "tax_class": product.tax_class or ("parent" if is_edited else ""),
        **_stock(product),
        "stock_status": stock_status(shop, product),
        **_shipping(),
        "image": None,
        "gallery_image_ids": [],
        "attributes": list(product.attributes),
        "menu_order": 0,
        "meta_data": [],
        "name": product.name,
        "parent_id": product.parent_id,
        "_links": links(
            base,
            f"{path}/{product.id}",
            allow=ALL_METHODS,
            collection=path,
            up=f"products/{product.parent_id}",
        ),
    }


def _dates(shop: ShopState, product: Product, base: str) -> dict[str, Any]:
    home = base.removesuffix("/wp-json/wc/v3")
    parent = shop.products.get(product.parent_id)
    query = "&".join(f"attribute_{a['slug']}={a['option']}" for a in product.attributes) if parent else ""
    permalink = f"{home}/product/{parent.slug}/?{query}" if parent else f"{home}/product/{product.slug}/"
    return {
        "permalink": permalink,
        "date_created": local(product.created_at, shop.zone),
        "date_created_gmt": gmt(product.created_at),
        "date_modified": local(product.modified_at, shop.zone),
        "date_modified_gmt": gmt(product.modified_at),
    }


def _prices(shop: ShopState, product: Product) -> dict[str, Any]:
    regular = "" if product.regular_price is None else money(product.regular_price, shop.decimals)
    price = catalogue_price(shop, product)
    return {
        "sku": shown_sku(shop, product),
        "price": money(price, shop.decimals) if price or regular else "",
        "regular_price": regular,
        "sale_price": "",
        "date_on_sale_from": None,
        "date_on_sale_from_gmt": None,
        "date_on_sale_to": None,
        "date_on_sale_to_gmt": None,
        "on_sale": False,
    }


def _price_html(shop: ShopState, product: Product) -> str:
    price = catalogue_price(shop, product)
    return f'<span class="woocommerce-Price-amount amount">{money(price, shop.decimals)}</span>' if price else ""


def _download(product: Product) -> dict[str, Any]:
    return {
        "virtual": product.is_virtual,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
    }


def _stock(product: Product) -> dict[str, Any]:
    return {
        "manage_stock": product.is_stock_managed,
        "stock_quantity": product.stock_quantity if product.is_stock_managed else None,
        "backorders": "no",
        "backorders_allowed": False,
        "backordered": False,
        "low_stock_amount": None,
    }


def _shipping() -> dict[str, Any]:
    return {
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "",
        "shipping_class_id": 0,
    }


def stock_status(shop: ShopState, product: Product) -> str:
    """instock or outofstock; a variable product without own stock follows its variations."""
    if product.is_stock_managed:
        return "instock" if (product.stock_quantity or 0) > 0 else "outofstock"
    if product.type != "variable":
        return "instock"
    children = [shop.products[child] for child in product.variation_ids if child in shop.products]
    is_any = any(stock_status(shop, child) == "instock" for child in children)
    return "instock" if is_any else "outofstock"


def tax_json(rate: TaxRate, *, base: str) -> dict[str, Any]:
    """A tax rate."""
    return {
        "id": rate.id,
        "country": rate.country,
        "state": "",
        "postcode": "",
        "city": "",
        "rate": f"{rate.rate:.4f}",
        "name": rate.name,
        "priority": 1,
        "compound": False,
        "shipping": rate.is_for_shipping,
        "order": 0,
        "class": rate.tax_class or "standard",
        "postcodes": [],
        "cities": [],
        "_links": links(base, f"taxes/{rate.id}", allow=ALL_METHODS, collection="taxes"),
    }
