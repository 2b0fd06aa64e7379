"""What ``python -m data load`` says about the files, in plain lines."""

from __future__ import annotations

import pandas as pd

from data.columns import MAX_TERM_INDEX
from data.files.guess_words import guess_line
from data.records.advice import on_command_line
from data.records.causes import Cause, causes, to_mend
from data.records.checks import CHECKS
from data.records.frames import told_counts
from data.records.ingest import ImportPlan
from data.signatures.ingest import SignaturePlan, specimens_per_student

_ASSUMED = {True: "read as ", False: "assumed "}
TAKEN = ("SPC104", "SPC105")  # warnings about files that are taken all the same
MOST_STUDENTS = 20  # lines about terms without figures
MOST_ERRORS = 200  # lines; the rest is counted, and --problems writes all


def said_of(table: str) -> str:
    """What a table's rows are called in a line of counts."""
    return "grades" if table == "course_attempts" else table


def report_records(plan: ImportPlan) -> list[str]:
    """Lines about the tables: mapping, rows, what would change, every error, warnings by rule."""
    lines = []
    for table, match in plan.matches.items():
        read, refused = plan.read[table], plan.refused[table]
        lines.append(
            f"{table}: {read:,} rows, {refused:,} refused; {match.mapping.title}; "
            f"{len(match.headers)} columns understood"
        )
        if match.left_out:
            lines.append(f"  never stored: {', '.join(match.left_out)}")
        if match.elsewhere:
            lines.append(f"  of the students table, left out: {', '.join(match.elsewhere)}")
        if match.unknown:
            lines.append(f"  not understood, left out: {', '.join(match.unknown)}")
        lines += [
            f"  {_ASSUMED[guess.proven]} {guess_line(guess, table)}" for guess in plan.guesses.get(table, ())
        ]
    lines += _without_figures(plan)
    if "grades" in plan.matches:
        rules = plan.grade_rules
        lines.append(
            f"  of several attempts at a course the {rules.counts} counts; {rules.pass_points:g} grade "
            "points pass; python -m data grade-rules changes that"
        )
    for table, counts in told_counts(plan.counts).items():
        lines.append(
            f"  {said_of(table):<10} {counts['new']:>9,} new {counts['changed']:>9,} changed "
            f"{counts['same']:>9,} same"
        )
    return lines + _problem_lines(plan.problems)


def _without_figures(plan: ImportPlan) -> list[str]:
    """Whose terms have neither average nor credits; by the student's own number where the file counts so."""
    told = list(plan.without_figures.items())

    def named(term: int) -> str:
        return f"semester {term}" if term <= MAX_TERM_INDEX else str(term)

    lines = [f"    {number!r}: {', '.join(map(named, terms))}" for number, terms in told[:MOST_STUDENTS]]
    return lines + (
        [f"    … and {len(told) - MOST_STUDENTS:,} more students"] if len(told) > len(lines) else []
    )


def report_signatures(plan: SignaturePlan) -> list[str]:
    """Lines about the signature files: how many, what would change, everything left out."""
    counts = plan.counts
    students = int(specimens_per_student(plan).sum())
    lines = [
        f"signatures: {plan.read:,} files, {len(plan.specimens):,} of {students:,} students taken",
        f"  {'signatures':<10} {counts['new']:>9,} new {0:>9,} changed {counts['same']:>9,} same",
    ]
    warnings = plan.problems[plan.problems["severity"] == "warning"]
    taken = warnings["rule"].isin(TAKEN)
    left_out = warnings[~taken]
    lines += [
        f"  warning    {row.rule} {row.file}: {row.message}"
        for row in warnings[taken][:MOST_ERRORS].itertuples()
    ]
    lines += [f"  left out   {row.file}: {row.message}" for row in left_out[:MOST_ERRORS].itertuples()]
    if len(left_out) > MOST_ERRORS:
        lines.append(f"  … and {len(left_out) - MOST_ERRORS:,} more left out; --problems writes all of them")
    return lines + _error_lines(plan.problems[plan.problems["severity"] == "error"])


def _problem_lines(found: pd.DataFrame) -> list[str]:
    errors = found[found["severity"] == "error"]
    warnings = found[found["severity"] == "warning"]
    lines = _error_lines(errors)
    for (rule, file), rows in warnings.groupby(["rule", "file"], sort=False):
        whole, single = rows[rows["row"].isna()], rows[rows["row"].notna()]
        lines += [f"  warning {rule} {file}: the whole file: {text}" for text in whole["message"].unique()]
        if len(single):
            count = f"{len(single):,} rows, the first is row {single['row'].min()}"
            lines.append(f"  warning {rule} {file}: {count}: {CHECKS[rule].title}")
    return lines


def _error_lines(errors: pd.DataFrame) -> list[str]:
    """What there is to mend, one cause after the other, and then every cell."""
    lines = _cause_lines(errors)
    errors = errors.sort_values("row", key=pd.notna, kind="stable")  # about a whole file first
    lines += [
        f"  error   {error.rule} {_place(error)}: {error.message}"
        for error in errors[:MOST_ERRORS].itertuples()
    ]
    if len(errors) > MOST_ERRORS:
        lines.append(f"  … and {len(errors) - MOST_ERRORS:,} more errors; --problems writes all of them")
    return lines


def _cause_lines(errors: pd.DataFrame) -> list[str]:
    if errors.empty:
        return []
    listed = errors.reset_index(drop=True)
    found = causes(listed)
    examples = listed.iloc[[one.example for one in found]]
    lines = [f"to mend: {_counted(to_mend(listed, found), 'mistake')}, in {_counted(len(listed), 'cell')}"]
    for cause, example in zip(found, examples.itertuples(), strict=True):
        values = f" ({cause.values:,} different values)" if cause.values > 1 else ""
        lines += [
            f"  {_extent(cause)}: {CHECKS[example.rule].title} ({example.rule})",
            f"    such as {_place(example)}: {example.message}{values}",
            f"    what to do: {on_command_line(example.rule)}",
        ]
    return [*lines, "every cell:"]


def _extent(cause: Cause) -> str:
    return _counted(cause.rows, "row") if cause.rows else "the whole file"


def _counted(n: int, of: str) -> str:
    return f"{n:,} {of if n == 1 else f'{of}s'}"


def _place(error) -> str:
    """File, row and cell of a problem."""
    row = "" if pd.isna(error.row) else f" row {error.row}"
    cell = f" {error.column} {error.value!r}" if error.column else ""
    return f"{error.file}{row}{cell}"
