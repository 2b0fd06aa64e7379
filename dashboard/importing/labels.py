"""What columns and codes of a register are called on the pages about importing. No Streamlit here."""

from __future__ import annotations

from dashboard.shell.wording import Words
from data.files.mapping import TABLES, shipped_mappings

_SECTIONS = {  # column → where the meanings of its codes stand
    "exit_type": "code_meaning",
    "status": "status",
    "sex": "code_meaning",
    "entry_type": "entry_type",
}
NAMES = frozenset(column.name for columns in TABLES.values() for column in columns)


def label_of(words: Words, column: str) -> str:
    """What a column of the common layout is called, in the reader's language."""
    own = f"import_column.{column}"
    return words(own) if words.has(own) else words.named("column", column)


def needed_of(words: Words, column: str) -> str:
    """A column that a file cannot do without, with whatever else is taken in its place."""
    own = f"import_needs.{column}"
    return words(own) if words.has(own) else label_of(words, column)


def layout_of(words: Words, title: str) -> str:
    """What a layout of headers is called: in the reader's language if it ships, else by its title."""
    name = next((one.name for one in shipped_mappings() if one.title == title), None)
    return title if name is None else words(f"layout.{name}")


def value_of(words: Words, column: str, value: str) -> str:
    """What a value of a column means, with its code in brackets; the value itself where no word is known."""
    if column == "grade":
        return words.named("courses", f"result_{value}") if words.has(f"courses.result_{value}") else value
    if column.endswith("purpose"):
        return words(f"consent.purpose_{value}") if words.has(f"consent.purpose_{value}") else value
    named = f"{_SECTIONS.get(column)}.{value}"
    return f"{words(named)} ({value})" if column in _SECTIONS and words.has(named) else value


def heading_of(words: Words, column: str, headers: frozenset[str] | set[str] = frozenset()) -> str:
    """A column as a list of problems names it: by its header in the office's file, else by its label."""
    return label_of(words, column) if column in NAMES and column not in headers else column
