"""What is wrong with a cell or a file, said with the page's own labels in the reader's language.

A check tells what it found as a code with values (:class:`data.files.told.Told`); its words stand in section
``check_said`` of ``dashboard/locales/problems.*.toml``. The name of a value says how it is shown.
"""

from __future__ import annotations

from dashboard.importing.labels import label_of, needed_of, value_of
from dashboard.shell.wording import Words
from data.files.told import told_of

DIGITS = 2  # of figures that are no whole numbers


def said(words: Words, told: str) -> str | None:
    """One sentence.

    Parameters
    ----------
    words : Words
    told : str
        Column ``told`` of a list of problems.

    Returns
    -------
    str or None
        None where the check told no more than its rule, or the language has no words for it.
    """
    code, values = told_of(told)
    if not code or not words.has(f"check_said.{code}"):
        return None
    shown = {name: _shown(words, name, value) for name, value in values.items()}
    if code == "no_column":  # what else would do is part of the sentence
        shown["column"] = needed_of(words, values["column"])
    codes = [text for name, text in shown.items() if name.startswith("values_")]
    return words(f"check_said.{code}", **shown, values=", ".join(codes))


def _shown(words: Words, name: str, value):
    """One value, by what its name says of it."""
    kind, _, about = name.partition("_")
    if kind == "named":
        return words(f"check_word.{value}")
    if kind in ("values", "value"):
        given = value if isinstance(value, list) else [value]
        return ", ".join(value_of(words, about, one) for one in given)
    if kind == "figure":
        return _figure(words, value)
    if about == "day":
        return words.day(value)
    plain = _PLAIN.get(name)
    if plain is not None:
        return plain(words, value)
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _figure(words: Words, value: float) -> str:
    whole = float(value).is_integer()
    return words.number(value, 0 if whole else DIGITS)


def _pairs(words: Words, pairs: list[list[str]]) -> str:
    """Columns with the value that every row gets; no value: each row its own number."""
    told = [(column, value or words("check_said.own_number")) for column, value in pairs]
    return "; ".join(f"{label_of(words, column)}: {value_of(words, column, value)}" for column, value in told)


def _compared(words: Words, figures: list) -> str:
    return "; ".join(
        words(
            "check_said.one_figure",
            column=label_of(words, column),
            stated=_figure(words, stated),
            counted=_figure(words, counted),
        )
        for column, stated, counted in figures
    )


_PLAIN = {
    "column": label_of,
    "columns": lambda words, names: ", ".join(label_of(words, name) for name in names),
    "term": lambda words, term: words.term(term),
    "day": lambda words, day: words.day(day),
    "month": lambda words, month: words.month(month),
    "pairs": _pairs,
    "compared": _compared,
}
