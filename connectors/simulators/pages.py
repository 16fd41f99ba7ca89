"""The read-only page of a simulator: plain tables, everything escaped, nothing from another host."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1b1f24;background:#fff}
a{color:inherit}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .7rem;border-bottom:1px solid #d8dde3}
th{font-weight:600;background:#f3f5f7}.empty{color:#59636e}div{overflow-x:auto}
@media (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th{background:#1a2029}
td,th{border-color:#30363d}}
"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One section: a title, column names, and rows of plain text."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


def render_page(*, title: str, intro: str, tables: Sequence[Table], is_part: bool = False) -> str:
    """A whole HTML document; every value is escaped. A part of what the simulator has links to the whole."""
    body = "".join(_section(table) for table in tables)
    body += '<p><a href="/">Everything that is here</a></p>' if is_part else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1><p>{escape(intro)}</p>{body}</main></body></html>"
    )


def _section(table: Table) -> str:
    if not table.rows:
        return f'<h2>{escape(table.title)}</h2><p class="empty">Nothing yet.</p>'
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in table.rows)
    return (
        f"<h2>{escape(table.title)}</h2><div><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
