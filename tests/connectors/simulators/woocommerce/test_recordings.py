"""The simulator answers what a real WooCommerce 11.0.1 answered: status, headers of lists, code, shape, arithmetic.

Bodies are compared whole. What is left out of the comparison, or not simulated at all, is listed here with its
reason, and tests hold those lists to be exact: they cannot grow, nor keep an entry that is no longer needed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from connectors.simulators.woocommerce.app import ROUTES
from tests.connectors.simulators.woocommerce.recorded import FOLDER, GIVEN, Outcome, load_all, new_replay
from tests.connectors.simulators.woocommerce.sequence import SEQUENCE

# Values of which only the type is compared.
NOT_COMPARED = {
    "date_created": "the hand-made steps between recordings are not kept to the second",
    "date_created_gmt": "as date_created",
    "date_modified": "as date_created",
    "date_modified_gmt": "as date_created",
    "date_paid": "as date_created",
    "date_paid_gmt": "as date_created",
    "date_completed": "as date_created",
    "date_completed_gmt": "as date_created",
    "order_key": "a random string",
    "payment_url": "holds the order key",
    "price_html": "HTML of the theme",
    "related_ids": "a recommendation, chosen at random",
    "total_sales": "counts sales of requests that were not kept",
    "average_rating": '"0" or "0.00", by the age of a cache',
    "id of meta": "numbers rows of tables the simulator has not",
    "refunds order": "refunds of one second come in either order from the real database",
}

# Routes near ours which the real server declares and the simulator does not serve.
ROUTES_NOT_COVERED = {
    "POST /orders/batch": "orders are never written in batches",
    "GET /products/custom-fields/names": "for the product editor",
    "POST /products/<id>": "PUT is what a client sends",
    "PATCH /products/<id>": "as POST /products/<id>",
    "PUT /products/batch": "POST is what a client sends",
    "PATCH /products/batch": "as PUT /products/batch",
    "GET /products/<id>/related": "recommendations",
    "GET /products/suggested-products": "recommendations",
    "POST /products/<id>/duplicate": "for the product editor",
    "POST /products/<id>/variations/<id>": "PUT is what a client sends",
    "PATCH /products/<id>/variations/<id>": "as POST",
    "DELETE /products/<id>/variations/<id>": "WooShop.delete_product does it",
    "PUT /products/<id>/variations/batch": "POST is what a client sends",
    "PATCH /products/<id>/variations/batch": "as PUT",
    "POST /products/<id>/variations/generate": "for the product editor",
    "GET /reports/orders/totals": "reports are not read",
    "GET /reports/products/totals": "reports are not read",
    "POST /webhooks/<id>": "PUT is what a client sends",
    "PATCH /webhooks/<id>": "as POST",
    "POST /webhooks/batch": "webhooks are few",
    "PUT /webhooks/batch": "as POST",
    "PATCH /webhooks/batch": "as POST",
    "PUT /orders/batch": "as POST /orders/batch",
    "PATCH /orders/batch": "as POST /orders/batch",
    "GET /orders/<id>/receipt": "receipts for customers",
    "POST /orders/<id>/receipt": "receipts for customers",
    "GET /orders/<id>/actions/email_templates": "mail to customers",
    "POST /orders/<id>/actions/send_email": "mail to customers",
    "POST /orders/<id>/actions/send_order_details": "mail to customers",
    "GET /orders/statuses": "a list for screens",
}

# Arguments of lists that are accepted and ignored.
ARGUMENTS_NOT_COVERED = {
    "context": "view and edit differ in nothing the connector reads",
    "order_item_display_meta": "changes how item meta is shown",
    "include_meta": "limits what is shown; not used, because other keys appeared too",
    "exclude_meta": "as include_meta",
}


@cache
def outcomes() -> dict[str, Outcome]:
    """Every recording replayed once, in order."""
    replay, recordings = new_replay(), load_all()
    found = {}
    for name in SEQUENCE:
        if name in GIVEN:
            GIVEN[name](replay)
        found[name] = replay.send(recordings[name])
    return found


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where two JSON values differ (a place like `.line_items[].total`); only a `value` may be left out."""

    place: str
    kind: str
    text: str


def differences(ours: Any, theirs: Any, place: str = "") -> Iterator[Difference]:
    """Every difference of two JSON values."""
    both_numbers = isinstance(ours, int | float) and isinstance(theirs, int | float)
    if type(ours) is not type(theirs) and not both_numbers:
        yield Difference(place=place, kind="type", text=f"{ours!r} is not {theirs!r}")
    elif isinstance(theirs, dict):
        for name in ours.keys() ^ theirs.keys():
            yield Difference(place=f"{place}.{name}", kind="field", text="is on one side only")
        for name in ours.keys() & theirs.keys():
            is_meta = name == "id" and "key" in theirs
            yield from differences(
                ours[name], theirs[name], f"{place}.{name} of meta" if is_meta else f"{place}.{name}"
            )
    elif isinstance(theirs, list):
        yield from _list_differences(ours, theirs, place)
    elif ours != theirs:
        yield Difference(place=place, kind="value", text=f"{ours!r} is not {theirs!r}")


def _list_differences(ours: list[Any], theirs: list[Any], place: str) -> Iterator[Difference]:
    if len(ours) != len(theirs) and not place.endswith(".related_ids"):
        yield Difference(place=place, kind="length", text=f"{len(ours)} entries are not {len(theirs)}")
    if place.endswith(".related_ids") and ours != theirs:
        yield Difference(place=place, kind="value", text=f"{ours} is not {theirs}")
        return
    if place.endswith(".refunds"):
        if [row["id"] for row in ours] != [row["id"] for row in theirs]:
            yield Difference(place=f"{place} order", kind="value", text="differs")
        ours, theirs = (sorted(rows, key=lambda row: row["id"]) for rows in (ours, theirs))
    for mine, real in zip(ours, theirs, strict=False):
        yield from differences(mine, real, f"{place}[]")


def left_out(difference: Difference) -> str:
    """The entry of NOT_COMPARED that covers a difference of two values of one type, "" for none."""
    name = difference.place.rpartition(".")[2]
    return name if difference.kind == "value" and name in NOT_COMPARED else ""


@cache
def compared(name: str) -> list[Difference]:
    """All differences between recording and simulator."""
    return list(differences(outcomes()[name].body, load_all()[name].response["body"]))


def test_every_recording_is_replayed_once() -> None:
    assert sorted(SEQUENCE) == sorted(load_all())
    assert len(SEQUENCE) == 175


@pytest.mark.parametrize("name", SEQUENCE)
def test_the_simulator_answers_as_recorded(name: str) -> None:
    recorded, answered = load_all()[name].response, outcomes()[name]
    assert answered.status == recorded["status"]
    for header in ("X-WP-Total", "X-WP-TotalPages", "Location"):
        assert answered.headers.get(header) == recorded["headers"].get(header), header
    assert [difference for difference in compared(name) if not left_out(difference)] == []


def test_nothing_is_left_out_of_the_comparison_without_need() -> None:
    used = {left_out(difference) for name in SEQUENCE for difference in compared(name)}
    assert used - {""} == set(NOT_COMPARED)


def _declared() -> dict[str, Any]:
    content = json.loads((FOLDER / "_routes_and_arguments.json").read_text())
    routes: dict[str, Any] = content["routes"]
    return routes


def test_the_list_of_routes_not_covered_is_exact() -> None:
    served = {f"{method} {re.sub('<int:[a-z_]+>', '<id>', path)}" for path in ROUTES for method in ROUTES[path]}
    declared = {
        f"{method} {re.sub(r'[(][?]P<[a-z_]+>.*?[)]', '<id>', path.removeprefix('/wc/v3'))}"
        for path, handlers in _declared().items()
        for handler in handlers
        for method in handler["methods"]
    }
    assert declared - served == set(ROUTES_NOT_COVERED)


def test_the_list_of_order_list_arguments_not_covered_is_exact() -> None:
    declared = set(_declared()["/wc/v3/orders"][0]["args"])
    handled = {
        "page", "per_page", "offset", "search", "after", "before", "modified_after", "modified_before",
        "dates_are_gmt", "include", "exclude", "order", "orderby", "parent", "parent_exclude", "status",
        "customer", "product", "dp", "created_via",
    }  # fmt: skip
    assert declared - handled == set(ARGUMENTS_NOT_COVERED)
