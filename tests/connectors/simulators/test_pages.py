"""The read-only page: escaped, self-contained."""

from connectors.simulators.pages import Table, render_page


def test_everything_is_escaped_and_nothing_comes_from_elsewhere() -> None:
    html = render_page(
        title="<b>Shop</b>",
        intro="a & b",
        tables=[Table(title="Orders", columns=("Id",), rows=[("<script>alert(1)</script>",)])],
    )
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;b&gt;Shop&lt;/b&gt;" in html
    assert "a &amp; b" in html
    assert "http" not in html


def test_an_empty_table_says_so() -> None:
    html = render_page(title="t", intro="", tables=[Table(title="Refunds", columns=("Id",), rows=[])])
    assert "Nothing yet." in html
    assert "<table" not in html
