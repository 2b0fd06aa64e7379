"""``python docs/importing_reference.py`` writes the tables of ``importing-reference.md`` from our lists."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "importing-reference.md"
MOST = 14  # headers of a column; the mappings have the rest
CONSENT_MOST = 3  # where one sentence has many forms


def written(page: str) -> str:
    """The page with the tables that the program's lists make."""
    for name, text in (("columns", columns()), ("rules", rules())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
    return page


def columns() -> str:
    """A table of columns for each table of a register."""
    from data.files.mapping import TABLES

    parts = []
    for table, own in TABLES.items():
        parts.append(f"**{table}**\n\n| column | holds | headers, for example |\n|---|---|---|")
        parts[-1] += "".join(f"\n{_line(table, column)}" for column in own)
    return "\n\n".join(parts) + "\n"


def _line(table: str, column) -> str:
    need = "" if column.nullable else " **needed**"
    return f"| `{column.name}`{need} | {_holds(column)} | {_headers(table, column.name)} |"


def _holds(column) -> str:
    kinds = {"term": "a term", "date": "a date", "integer": "a whole number", "number": "a number"}
    if column.allowed:
        return ", ".join(f"`{value}`" for value in column.allowed)
    said = kinds.get(column.kind, "text")
    if column.low is not None:
        said += f", {column.low:g}–{column.high:g}"
    return said + (f" {column.unit}" if column.unit not in ("", "year") and column.kind != "date" else "")


def _headers(table: str, name: str) -> str:
    from data.columns import OF_CONSENT
    from data.files.mapping import shipped_mappings
    from data.files.text_table import header_key

    found: dict[str, str] = {}
    for mapping in shipped_mappings():
        for header in mapping.table(table).columns.get(name, ()):
            found.setdefault(header_key(header), header)
    most = CONSENT_MOST if name.startswith(OF_CONSENT) or table == "consents" else MOST
    shown = ", ".join(f"*{header}*" for header in list(found.values())[:most])
    return shown + (" …" if len(found) > most else "")


def rules() -> str:
    """Every rule of a table or a signature file, with what it does and what helps."""
    from data.records.advice import ADVICE
    from data.records.checks import CHECKS

    lines = ["| rule | meaning | what to do |", "|---|---|---|"]
    for severity, does in (("error", "stops the import"), ("warning", "is said; nothing is refused")):
        lines.append(f"| | ***{does}*** | |")
        lines += [
            f"| {one.code} | {one.title} | {ADVICE[one.code]} |"
            for one in CHECKS.values()
            if one.severity == severity
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
