"""Checks of course grades: marks, repeated rows, names of courses, and the figures of the same terms."""

from __future__ import annotations

import pandas as pd

from data.calendar.term_columns import calendar_index, lookup, starts
from data.files.register_files import ParsedTable
from data.files.text_table import header_key
from data.files.told import Told
from data.records.checks import collect, flag, no_problems, problems
from data.records.course_results import GradeRules, term_figures
from data.records.known import Known
from data.records.marks import read_marks
from data.records.term_checks import entry_was, exit_was

KEY = ["student_number", "course_code", "term_id"]
COMPARED = {  # figure of a term → how far it may lie from what the grades give
    "gpa_term": 0.0101,  # two decimals, rounded or cut
    "credits_attempted": 0.5,
    "credits_passed": 0.5,
    "courses_failed": 0.5,
}
_VERSIONS = Told(
    "changed_mark", "the mark was changed: the newest one holds, the earlier one stays in the history"
)
_TWICE = Told(
    "two_marks",
    "the same course in the same term with two marks: give the day of each in a column of its own, such as "
    "'Tanggal Nilai', name the classes in a column 'Kelas', or delete the row that does not hold",
)
_CLASSES = Told(
    "two_classes", "two classes of one course in one term: kept as two attempts, in the order of the file"
)
_BARE = Told(
    "bare_marks",
    "marks of 100 alone do not say what passes: add letters (Nilai Huruf) or points (Nilai Indeks)",
)


def check_grade_keys(parsed: ParsedTable) -> pd.DataFrame:
    """Rows of one student, course and term: repeated, a changed mark, two classes, or a contradiction."""
    rows = parsed.values.assign(_class=_classes(parsed.values))
    key = [*KEY, "_class"]
    complete = rows[KEY].notna().all(axis=1)
    repeated = rows.duplicated(key, keep=False) & complete
    found = []
    if repeated.any():
        said = rows[repeated].drop(columns="class_name", errors="ignore")
        keys = said.groupby(key, sort=False, dropna=False).ngroup()
        plain = said.astype(object).where(said.notna(), "")
        versions = plain.drop_duplicates().index
        same = keys.map(keys[keys.index.isin(versions)].value_counts()) == 1
        days = said["known_at"] if "known_at" in said else pd.Series(pd.NaT, index=said.index)
        once = ~said.assign(_day=days).duplicated([*key, "_day"], keep=False)
        dated = days.notna() & once
        changed = ~same & dated.groupby(keys).transform("all")
        again = plain.duplicated()
        found += [
            flag(parsed, _spread(same & again, rows), "REC101", "course_code"),
            flag(parsed, _spread(changed, rows), "REC142", "course_code", _VERSIONS),
            flag(parsed, _spread(~same & ~changed & ~again, rows), "REC006", "course_code", _TWICE),
        ]
    classes = rows.duplicated(KEY, keep="first") & complete & ~rows.duplicated(key, keep="first")
    return collect([*found, flag(parsed, classes, "REC143", "course_code", _CLASSES)])


def _spread(mask: pd.Series, rows: pd.DataFrame) -> pd.Series:
    return mask.astype(bool).reindex(rows.index, fill_value=False)


def _classes(rows: pd.DataFrame) -> pd.Series:
    if "class_name" not in rows:
        return pd.Series("", index=rows.index, dtype="str")
    return rows["class_name"].fillna("").str.strip().str.casefold()


def attempt_numbers(rows: pd.DataFrame) -> pd.Series:
    """Number of each row's attempt within its term: 1, and more only where classes tell attempts apart."""
    named = rows[KEY].assign(_class=_classes(rows))
    first = named.drop_duplicates([*KEY, "_class"])
    number = first.groupby(KEY, sort=False, dropna=False).cumcount() + 1
    table = first.assign(attempt=number)
    found = named.merge(table, on=[*KEY, "_class"], how="left")["attempt"]
    return found.set_axis(rows.index).astype("int64")


def check_grades(grades: ParsedTable, cohorts: pd.Series, exits: pd.Series) -> pd.DataFrame:
    """Problems of marks, and of terms against the student's entry and exit."""
    rows, marks = grades.values, read_marks(grades)
    taken_over = marks.frame["result"] == "transferred"
    first = lookup(rows["student_number"], cohorts).astype("Int64")
    early = (calendar_index(first, rows["term_id"]) < 1).fillna(False).astype(bool) & ~taken_over
    left = lookup(rows["student_number"], exits)
    after = (starts(rows["term_id"]) > left).fillna(False).astype(bool)
    known = sorted(marks.usual)
    advice = Told(
        "unknown_mark",
        'no scale knows this mark; say what it means: --set "grade[MARK]=3.5" or open, passed, failed, '
        "withdrawn, transferred; or give the institution's list by --codes",
    )
    usual = _usual_words(marks.usual) if known else ""
    other_points = Told(
        "other_points",
        f"the file usually gives this letter other points{usual}; the points of the row are stored",
        usual=usual,
    )
    found = [
        flag(grades, early, "REC013", "term_id", lambda row: entry_was(first[row])),
        flag(grades, after, "REC108", "term_id", lambda row: exit_was(left[row])),
        flag(grades, marks.unknown, "REC025", "grade", advice),
        flag(grades, marks.bare_marks, "REC026", "score", _BARE),
        flag(
            grades,
            marks.contradicting,
            "REC141",
            "grade_points" if "grade_points" in rows else "grade",
            other_points,
        ),
        _two_names(grades),
    ]
    if marks.assumed:
        named = ", ".join(f"{letter} {points:g}" for letter, points in marks.assumed.items())
        message = (
            f"taken as grade points, as the file does not say them: {named}; institutions differ: give yours "
            'by --codes, or --set "grade[A-]=3.75"'
        )
        message = Told("assumed_points", message, letters=named)
        found.append(problems(grades.file, "REC140", [None], grades.header("grade"), messages=message))
    if marks.score_is_points:
        message = Told("points_not_marks", "no mark is above 4: read as grade points and not as marks of 100")
        found.append(problems(grades.file, "REC140", [None], grades.header("score"), messages=message))
    return collect(found)


def _usual_words(usual: dict[str, float]) -> str:
    signs = {key: key.replace("plus", "+").replace("minus", "-").upper() for key in sorted(usual)}
    return f" ({', '.join(f'{signs[key]} {points:g}' for key, points in sorted(usual.items()))})"


def _two_names(grades: ParsedTable) -> pd.DataFrame:
    """Course codes under which the file has more than one name."""
    rows = grades.values
    if "course_name" not in rows or grades.match.headers.get("course_name") == grades.match.headers.get(
        "course_code"
    ):
        return no_problems()
    named = rows[["course_code", "course_name"]].dropna()
    named = named.assign(key=named["course_name"].map(header_key))
    first = named.drop_duplicates(["course_code", "key"])
    several = first.groupby("course_code").size()
    codes = several[several > 1].index
    named_by = {code: list(first.loc[first["course_code"] == code, "course_name"]) for code in codes}
    words = {code: " and ".join(f"{name!r}" for name in names) for code, names in named_by.items()}
    shown = first.index[first["course_code"].isin(codes) & first.duplicated("course_code")]
    mask = pd.Series(rows.index.isin(shown), index=rows.index)
    return flag(
        grades,
        mask,
        "REC144",
        "course_name",
        lambda row: Told(
            "one_code",
            f"{words[rows.at[row, 'course_code']]} have one code; counted as one course",
            names=named_by[rows.at[row, "course_code"]],
        ),
    )


def check_against_terms(
    terms: ParsedTable | None, grades: ParsedTable | None, incoming: pd.DataFrame | None, known: Known
) -> pd.DataFrame:
    """Terms whose stated figures differ from what their grades give by more than rounding.

    Parameters
    ----------
    terms, grades : ParsedTable or None
        The files of the import; a difference is shown in the file of terms if there is one.
    incoming : DataFrame or None
        The grades of the import that are accepted (:func:`data.records.assembly.grades_of`).
    known : Known
        What the store holds: the terms that the file does not bring, the grades that it does not bring.
    """
    attempts = _all_attempts(incoming, known)
    if attempts.empty:
        return no_problems()
    figures = term_figures(attempts.rename(columns={"student_number": "student_key"}), known.grade_rules)
    figures = figures[figures["open"] == 0].rename(columns={"student_key": "student_number"})
    found = []
    if terms is not None:
        found.append(_differing(terms, terms.values, figures, "term_id"))
    if grades is not None and not known.terms.empty:
        first = grades.values.dropna(subset=["student_number", "term_id"])
        first = first.drop_duplicates(["student_number", "term_id"])[["student_number", "term_id"]]
        if terms is not None:
            key = ["student_number", "term_id"]
            told = pd.MultiIndex.from_frame(terms.values[key].dropna().astype({"term_id": "int64"}))
            first = first[~pd.MultiIndex.from_frame(first.astype({"term_id": "int64"})).isin(told)]
        stored = first.reset_index().merge(known.terms, on=["student_number", "term_id"], how="inner")
        found.append(_differing(grades, stored.set_index(first.index.name or "index"), figures, "term_id"))
    return collect(found)


def _all_attempts(incoming: pd.DataFrame | None, known: Known) -> pd.DataFrame:
    if incoming is None:
        return known.grades
    key = [*KEY, "attempt"]
    newest = incoming.sort_values("known_at", kind="stable", na_position="first")
    both = pd.concat([known.grades, newest.drop_duplicates(key, keep="last")], ignore_index=True)
    return both.drop_duplicates(key, keep="last").astype({"term_id": "int64"})


def _differing(parsed: ParsedTable, rows: pd.DataFrame, figures: pd.DataFrame, column: str) -> pd.DataFrame:
    told = rows[["student_number", "term_id"]].merge(figures, on=["student_number", "term_id"], how="left")
    told = told.set_axis(rows.index)
    words: dict[int, list[str]] = {}
    figures_of: dict[int, list[list]] = {}
    for name, most in COMPARED.items():
        if name not in rows:
            continue
        stated = rows[name].astype("float64")
        differs = ((stated - told[name]).abs() > most) & stated.notna() & told[name].notna()
        for row in rows.index[differs]:
            words.setdefault(row, []).append(
                f"{name} {stated[row]:g}, by its grades {told.at[row, name]:.4g}"
            )
            counted = float(f"{told.at[row, name]:.4g}")
            figures_of.setdefault(row, []).append([name, float(stated[row]), counted])
    mask = pd.Series(parsed.values.index.isin(words), index=parsed.values.index)
    return flag(
        parsed,
        mask,
        "REC145",
        column,
        lambda row: Told(
            "term_says",
            f"the term says {'; '.join(words[row])}; the stated figure stays",
            compared=figures_of[row],
        ),
    )


__all__ = ["KEY", "GradeRules", "attempt_numbers", "check_against_terms", "check_grade_keys", "check_grades"]
