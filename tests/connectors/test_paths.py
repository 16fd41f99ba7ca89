"""The path language of mappings: what it finds, what it refuses."""

from decimal import Decimal
from typing import Any

import pytest

from connectors.paths import PathError, find, parse_path

DOCUMENT: dict[str, Any] = {
    "a": {"b": [{"c": 1}, {"c": 2}], "x y": "spaced", "n": None},
    "t": '{"looks": "like json"}',
    "d": Decimal("1.50"),
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.a.b[0].c", [1]),
        ("$.a.b[*].c", [1, 2]),
        ("$['a']['x y']", ["spaced"]),
        ("$.a.n", [None]),
        ("$.d", [Decimal("1.50")]),
        ("$.missing.deeper", []),
        ("$.a.b[7]", []),
        ("$.a.b.c", []),
        ("$.t.looks", []),
        ("$.t[0]", []),
        ("@.c", [9]),
        ("@", [{"c": 9}]),
        ("$", [DOCUMENT]),
        ("@.<unknown>", []),
    ],
)
def test_paths_find(path: str, found: list[Any]) -> None:
    assert find(path, document=DOCUMENT, here={"c": 9}) == found


@pytest.mark.parametrize(
    "path",
    [
        "$..c",
        "$[?@.a > 1]",
        "$.a.b[0:2]",
        "$.a['b','c']",
        "$.a.b[-1]",
        "a.b",
        "",
        "$.a[",
        "$ .a | $.b",
        "$.a[?match(@.b, 'x')]",
        "$." + "a" * 400,
        "$.a\n.b;drop",
    ],
)
def test_everything_beyond_the_subset_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        parse_path(path)
