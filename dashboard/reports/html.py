"""A report's table as HTML for the screen: the same cells as on paper, escaped."""

from __future__ import annotations

from html import escape

from dashboard.reports.model import ReportTable
from dashboard.reports.pdf import body_cells, head_cells
from dashboard.reports.profile_parts import Column
from dashboard.reports.words import say

STYLE = """<style>
.report-table{border-collapse:collapse;width:100%;font-size:.86rem}
.report-table td{font-variant-numeric:tabular-nums}
.report-table th,.report-table td{
  border:1px solid rgba(128,128,128,.45);padding:.28rem .5rem;text-align:right}
.report-table thead th{background:rgba(128,128,128,.18);text-align:center;font-weight:600}
.report-table tbody th{text-align:left;font-weight:500;white-space:nowrap}
.report-table .total td,.report-table .total th{font-weight:700}
.report-table .closed{background:rgba(128,128,128,.38)}
.report-table .entry{background:rgba(255,209,26,.28)}
.report-scroll{overflow-x:auto}
</style>"""


def to_html(table: ReportTable, language: str) -> str:
    """The table with merged headers; texts are escaped, so no name in the data becomes markup."""
    caption = escape(table.profile.title[language])
    parts = [STYLE, f'<div class="report-scroll"><table class="report-table" aria-label="{caption}"><thead>']
    parts += [f"<tr>{''.join(row)}</tr>" for row in _head(table, language)]
    parts.append("</thead><tbody>")
    cells, width = body_cells(table, language), len(table.columns) + 1
    for start in range(0, len(cells), width):
        first, *rest = cells[start : start + width]
        mark = ' class="total"' if first["bold"] else ""
        parts.append(f'<tr{mark}><th scope="row">{escape(first["text"])}</th>')
        parts += [f'<td class="{cell.get("fill", "")}">{escape(cell["text"])}</td>' for cell in rest]
        parts.append("</tr>")
    parts.append("</tbody></table></div>")
    return "".join(parts)


def _head(table: ReportTable, language: str) -> list[list[str]]:
    cells = head_cells(table, language)
    upper = 1
    filled = cells[0].get("colspan", 1)
    while filled < len(table.columns) + 1:
        filled += cells[upper].get("colspan", 1)
        upper += 1
    return [
        [
            f'<th scope="col" colspan="{cell.get("colspan", 1)}" rowspan="{cell.get("rowspan", 1)}">'
            f"{escape(cell['text'])}</th>"
            for cell in row
        ]
        for row in (cells[:upper], cells[upper:])
        if row
    ]


def column_words(column: Column, language: str) -> str:
    """A column's name with the header above it."""
    return " · ".join(filter(None, (column.group_label.get(language, ""), column.label[language])))


def lines_html(rows: list[tuple[str, str, str, str]], language: str) -> str:
    """The indicators as a table."""
    titles = [say(language, key) for key in ("indicator", "value", "score", "rule")]
    head = "".join(f'<th scope="col">{escape(words)}</th>' for words in titles)
    body = "".join(
        f'<tr><th scope="row" style="white-space:normal">{escape(label)}</th><td>{escape(value)}</td>'
        f'<td>{escape(score)}</td><td style="text-align:left">{escape(rule)}</td></tr>'
        for label, value, score, rule in rows
    )
    return f'{STYLE}<table class="report-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
