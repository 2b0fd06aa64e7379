"""What a mark says: letters, points, words for passes without points, marks of 100. Frames in, frames out.

A file's own points come first: a letter that stands beside points somewhere in the file has those everywhere.
Where a file has letters alone, their points are those of :data:`data.files.mark_words.SCALE`; letters whose
points differ between institutions are named as assumed. An institution gives its own by ``--codes`` or
``--set "grade[A-]=3.75"``.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from data.files.mark_words import DIFFER, MOST, OF_KEY, mark_meaning
from data.files.register_files import ParsedTable
from data.files.text_table import cell_key

_ALIKE = 0.005  # grade points that two decimals cannot tell apart


@dataclass(frozen=True)
class Marks:
    """The marks of a file, read.

    Parameters
    ----------
    frame : DataFrame
        ``grade`` (as written, missing where nothing is), ``grade_points`` (0–4 or missing) and ``result``
        (one of :data:`data.columns.GRADE_RESULTS`); index as the file's rows.
    unknown : Series of bool
        Rows with a mark that no scale knows.
    bare_marks : Series of bool
        Rows with nothing but a mark of 100.
    contradicting : Series of bool
        Rows whose points differ from those that the file usually gives the letter.
    assumed : dict of str to float
        Letters whose points neither the file nor the institution has said, as written → points taken.
    score_is_points : bool
        Whether the column of marks holds grade points.
    usual : dict of str to float
        Letter by :func:`data.files.text_table.cell_key` → the points that the file usually gives it.
    """

    frame: pd.DataFrame
    unknown: pd.Series
    bare_marks: pd.Series
    contradicting: pd.Series
    assumed: dict[str, float]
    score_is_points: bool
    usual: dict[str, float]


def read_marks(parsed: ParsedTable) -> Marks:
    """Read the marks of a file of grades, columns ``grade``, ``grade_points``, ``score`` and ``origin``."""
    rows = parsed.values
    none = pd.Series(float("nan"), index=rows.index)
    said = rows["grade"] if "grade" in rows else pd.Series(pd.NA, index=rows.index, dtype="str")
    written = parsed.raw["grade"].fillna("").astype("str").str.strip() if "grade" in parsed.raw else said
    points = rows["grade_points"] if "grade_points" in rows else none
    score = rows["score"] if "score" in rows else none
    as_points = "grade_points" not in rows and score.notna().any() and bool(score.max() <= MOST)
    if as_points:
        points = score

    distinct = {mark: mark_meaning(str(mark)) for mark in said.dropna().unique()}
    word = said.map({mark: meaning for mark, meaning in distinct.items() if isinstance(meaning, str)})
    number = said.map({mark: meaning for mark, meaning in distinct.items() if isinstance(meaning, float)})
    number = number.astype("float64")
    # What a mapping or a list of codes makes of a letter is the institution's word for it.
    told = {mark for mark in distinct if cell_key(str(mark)) not in OF_KEY}
    own = said.isin(told) & number.notna()
    key = written.map({mark: cell_key(str(mark)) for mark in written.dropna().unique()})
    usual = _usual(key[word.isna()], points)
    by_file = key.map(usual).astype("float64")
    letter = number.where(own | by_file.isna(), by_file)
    taken = points.where(points.notna(), letter)
    assumed = number.notna() & points.isna() & by_file.isna() & ~own & key.isin(DIFFER)

    result = pd.Series("graded", index=rows.index, dtype="str")
    result = result.mask(taken.isna(), "open").mask(word.notna(), word)
    empty = said.isna() & points.isna()
    if "origin" in rows:
        result = result.mask((rows["origin"] == "transferred") & taken.isna() & word.isna(), "transferred")
    unknown = said.notna() & word.isna() & number.isna() & points.isna()
    bare = empty & score.notna() & (not as_points)
    frame = pd.DataFrame(
        {
            "grade": said.where(said.isna(), written.str.upper().str.slice(0, 16)),
            "grade_points": taken.where(result == "graded"),
            "result": result,
        }
    )
    contradicting = points.notna() & letter.notna() & word.isna() & ((points - letter).abs() > _ALIKE)
    contradicting &= own | by_file.notna()
    names = {str(mark): float(OF_KEY[cell_key(str(mark))]) for mark in sorted(set(said[assumed]))}
    return Marks(frame, unknown, bare, contradicting, names, as_points, usual)


def _usual(keys: pd.Series, points: pd.Series) -> dict[str, float]:
    """Letter → the points that most rows give it, where rows give any; the higher of two on a tie."""
    pairs = pd.DataFrame({"key": keys, "points": points}).dropna()
    pairs = pairs[(pairs["key"] != "") & pairs["key"].isin(OF_KEY)]
    if pairs.empty:
        return {}
    counted = pairs.groupby(["key", "points"]).size().reset_index(name="n")
    counted = counted.sort_values(["n", "points"], kind="stable").drop_duplicates("key", keep="last")
    return dict(zip(counted["key"], counted["points"], strict=True))
