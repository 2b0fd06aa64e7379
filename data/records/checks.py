"""Record checks REC001… (and file checks SPC001…): what may be wrong, found for every row at once.

Errors stand in the way of an import; warnings (REC1xx, SPC1xx) do not. Checks of single cells are pandera
schemas built from :mod:`data.columns`; checks across rows and files are in :mod:`data.records.row_checks`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import String

from data import schema
from data.columns import OF_CONSENT, Column
from data.engine.texts import distinct, one_of
from data.files.cells import NEWEST_YEAR, OLDEST_YEAR, looks_damaged
from data.files.dates import MONTH_NAMES, days_of, no_such_day
from data.files.mapping import TABLES
from data.files.matching import ROW_NUMBER, detect_mapping, graduation_header, tells_exits
from data.files.register_files import IDLE, YEAR_ALONE, ParsedTable
from data.files.student_numbers import is_course_total, is_summary, why_none
from data.files.told import Told, data_of

if TYPE_CHECKING:
    import pandera.pandas as pa

TEXT_LIMITS = {  # column → characters that the store keeps
    **{c.name: schema.longest(c) for c in schema.students.columns if type(c.type) is String},
    "student_number": schema.longest(schema.identities.c.student_number),
    "name": schema.longest(schema.identities.c.name),
    "program_name": schema.longest(schema.programs.c.name),
    "course_code": schema.longest(schema.course_attempts.c.course_code),
    "course_name": schema.longest(schema.course_attempts.c.course_name),
    **{
        f"{prefix}{name}": schema.longest(schema.consents.c[name])
        for name in ("source", "text_version")
        for prefix in ("", OF_CONSENT)
    },
}
CODES = {"program_code": (is_summary, "programme"), "course_code": (is_course_total, "course")}
PROBLEM_COLUMNS = ("file", "row", "column", "rule", "value", "severity", "message", "told")


@dataclass(frozen=True)
class Check:
    """A rule with its code, a title for lists, and whether it stops an import."""

    code: str
    title: str
    severity: str


_ERRORS = {
    "REC001": "A required column is missing",
    "REC002": "A required cell is empty",
    "REC003": "A cell cannot be read",
    "REC004": "A number is outside its range",
    "REC005": "A value is not one of those allowed",
    "REC006": "The same key twice, with different contents",
    "REC007": "A row has more or fewer cells than the header",
    "REC008": "A student number was damaged by a spreadsheet",
    "REC009": "The programme is unknown",
    "REC010": "A programme is described in two ways",
    "REC011": "The student is not in the register",
    "REC012": "The student's own row was refused",
    "REC013": "A term before the student's entry",
    "REC014": "A date in the future",
    "REC015": "An exit before the entry",
    "REC016": "An exit without date, term and number of terms",
    "REC017": "More credits passed than attempted",
    "REC018": "A grade average without graded credits",
    "REC019": "The file cannot be read as a table",
    "REC020": "A text is too long",
    "REC021": "A student number or code that is none",
    "REC022": "A formula without a stored result",
    "REC023": "A true date that may hold day and month exchanged",
    "REC024": "A fraction in a column of per cents",
    "REC025": "A mark that no scale knows",
    "REC026": "A mark of 100 without letter and without grade points",
    "CON001": "A yes and a no of the same day for the same purpose",
    "REC030": "A grade average of 0 of which nobody has said what it means",
    "REC031": "The student's semester number and the academic year contradict each other",
    "SPC001": "An archive that would unpack to far more than its size",
    "SPC002": "A symbolic link or a special file",
    "SPC003": "A path that climbs out of its folder",
    "SPC004": "An image of too many pixels",
    "SPC005": "A file that is no image, whatever its name says",
    "SPC006": "A damaged or cut-off image",
    "SPC007": "An animated image, or one of several pages",
    "SPC008": "An encrypted file",
    "SPC009": "An archive inside an archive",
    "SPC010": "A file of too many bytes",
    "SPC011": "An image of too few pixels",
    "SPC012": "No date of capture",
    "SPC013": "A date of capture that cannot be right",
    "SPC014": "An archive or folder that cannot be read",
    "SPC015": "An image file of too many notes beside its pixels",
}
_WARNINGS = {
    "REC101": "The same row twice; kept once",
    "REC102": "A grade average of 0 without graded credits; stored as empty",
    "REC103": "Cumulative credits fall",
    "REC104": "The term index differs from the calendar; the calendar's is stored",
    "REC105": "The number of terms differs from the calendar; the calendar's is stored",
    "REC106": "Exit date and exit term disagree; the exit term decides how long a student studied",
    "REC107": "Credits in a term of leave or inactivity",
    "REC108": "A term after the exit",
    "REC109": "An implausible age at entry",
    "REC110": "The entry type is missing",
    "REC111": "A student without any term",
    "REC112": "Programme or entry term differs from the store's",
    "REC113": "A header that no mapping understands; the column is left out",
    "REC114": "A term beyond the fourteenth",
    "REC115": "Two student numbers that differ only in leading zeros",
    "REC116": "Observed until a day before the exit; the exit date is stored",
    "REC117": "An exit date or term without an exit type; left out",
    "CON101": "A yes beside a no that stands; the no holds",
    "CON102": "A word for a purpose that can be read in two ways; the narrower one is taken",
    "REC118": "A whole kind of exit is missing",
    "REC119": "Nothing shows whether day or month comes first; assumed",
    "REC120": "An error of a spreadsheet in place of a value; stored as empty",
    "REC121": "The scale of a column differs from what its header says; read by its values",
    "REC122": "A name serves as a code and is shortened",
    "REC123": "A sheet of the workbook was not read",
    "REC124": "Bytes of another encoding; read as Windows-1252",
    "REC131": "A value is taken for every row",
    "REC132": "Terms are placed by the student's own semester numbers",
    "REC133": "An exit is told by its year alone",
    "REC134": "A second header row; left out",
    "REC135": "The file tells of exits too",
    "REC136": "Columns about all terms together; left out",
    "REC138": "A status of a student who has left, in a row of a term",
    "REC139": "A term without a grade average and without credits; nothing says whether it was a leave",
    "REC140": "Grade points are assumed",
    "REC141": "A letter with other grade points than usual in the file",
    "REC142": "A mark that was changed; the newest holds",
    "REC143": "Two classes of one course in one term",
    "REC144": "One course code with two names",
    "REC145": "A term's figures differ from those of its grades; the stated ones stay",
    "REC146": "A code that Feeder's own list gives another meaning than expected; the list holds",
    "REC147": "Rows of a list that were left out",
    "REC148": "Two headers for one column; one was read",
    "REC149": "A programme's name or level differs from the store's",
    "REC150": "Graduated and dropped out look exchanged",
    "REC137": "Whoever has a date of graduation is taken as graduated",
    "SPC101": "No student has the number in this name; left out",
    "SPC102": "Two students may be meant; left out",
    "SPC103": "Not an image file; left out",
    "SPC104": "A signature from before the student's entry; taken",
    "SPC105": "A camera's or archive's clock that cannot be right; another date was taken",
}
CHECKS = {
    **{code: Check(code, title, "error") for code, title in _ERRORS.items()},
    **{code: Check(code, title, "warning") for code, title in _WARNINGS.items()},
}


def problems(
    file: str,
    rule: str,
    rows: Iterable[int | None],
    column: str | Iterable[str] = "",
    values: str | Iterable[str] = "",
    messages: str | Iterable[str] = "",
) -> pd.DataFrame:
    """Problems of one rule in one file.

    Parameters
    ----------
    file : str
        File name.
    rule : str
        Code in :data:`CHECKS`.
    rows : sequence of int, or [None] for the whole file
        Row numbers as a spreadsheet shows them.
    column, values, messages : str or sequence of str
        Header and cell as the file writes them; what is wrong, in words: a :class:`data.files.told.Told`
        carries it as data too. One text serves every row.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`PROBLEM_COLUMNS`.
    """
    rows = list(rows)
    if not rows:
        return no_problems()
    return _problem_frame(file, rule, rows, column, values, messages or CHECKS[rule].title)


@lru_cache
def no_problems() -> pd.DataFrame:
    """An empty frame of problems."""
    return _problem_frame("", "REC001", [], "", "", "")


def _problem_frame(file: str, rule: str, rows: list, column, values, messages) -> pd.DataFrame:
    def text(given) -> pd.Series:
        return pd.Series([given] * len(rows) if isinstance(given, str) else list(given), dtype="str")

    messages = messages if isinstance(messages, str) else list(messages)
    cells = {
        "file": text(file),
        "row": pd.Series(rows, dtype="Int64"),
        "column": text(column),
        "rule": text(rule),
        "value": text(values),
        "severity": text(CHECKS[rule].severity),
        "message": text(messages),
        "told": text(data_of(messages) if isinstance(messages, str) else map(data_of, messages)),
    }
    return pd.DataFrame(cells)


def collect(found: list[pd.DataFrame]) -> pd.DataFrame:
    """Many frames of problems → one, errors first, in the order of the files."""
    found = [frame for frame in found if len(frame)]
    if not found:
        return no_problems().copy()
    together = pd.concat(found, ignore_index=True)
    order = pd.Series(pd.factorize(together["file"])[0], index=together.index)
    keys = pd.DataFrame({"file": order, "severity": together["severity"], "row": together["row"]})
    return together.loc[keys.sort_values(list(keys), kind="stable").index].reset_index(drop=True)


def flag(
    parsed: ParsedTable,
    mask: pd.Series,
    rule: str,
    column: str,
    messages: str | Callable[[int], str] = "",
) -> pd.DataFrame:
    """Problems at the rows where ``mask`` holds, with the cells of ``column`` as written; ``messages`` says
    what is wrong, for every row or by the row."""
    holds = mask.to_numpy(dtype=bool)
    if not holds.any():
        return no_problems()
    rows = mask.index[holds]
    if column in parsed.raw:
        values = parsed.raw.loc[rows, column].fillna("").astype("str")
    else:
        values = ""
    said = messages if isinstance(messages, str) else [messages(row) for row in rows]
    return problems(parsed.file, rule, rows, parsed.header(column), values, said)


def check_columns(parsed: ParsedTable) -> pd.DataFrame:
    """Problems of headers, row widths and single cells of one file."""
    found = [
        problems(
            parsed.file,
            "REC001",
            [None] * len(parsed.match.missing),
            messages=[
                Told(
                    "no_column",
                    f"no column for {name}; headers are {', '.join(map(repr, parsed.text.frame.columns))}",
                    column=name,
                    headers=list(map(str, parsed.text.frame.columns)),
                )
                for name in parsed.match.missing
            ],
        )
    ]
    unknown = parsed.match.unknown
    messages = [
        Told(
            "unknown_header",
            f"the header {header!r} is not understood; its column is left out",
            header=str(header),
        )
        for header in unknown
    ]
    found.append(problems(parsed.file, "REC113", [None] * len(unknown), unknown, messages=messages))
    found.append(_check_text(parsed))
    found.append(assumptions(parsed))
    ragged = parsed.text.ragged
    width = len(parsed.text.frame.columns)
    messages = [
        Told("ragged", f"{count} cells, but the header has {width}", cells=int(count), width=width)
        for count in ragged.values()
    ]
    found.append(problems(parsed.file, "REC007", ragged, messages=messages))
    index = parsed.values.index
    for remark in parsed.remarks:
        if remark.rows is None:
            header = parsed.header(remark.column)
            found.append(problems(parsed.file, remark.rule, [None], header, messages=remark.message))
        else:
            mask = pd.Series(index.isin(remark.rows), index=index)
            found.append(flag(parsed, mask, remark.rule, remark.column, remark.message))
    for name, expected in parsed.expected.items():
        told = [remark.rows for remark in parsed.remarks if remark.column == name and _stops(remark.rule)]
        unread = parsed.unreadable[name]
        for rows in told:
            unread = unread & ~index.isin(rows)
        found.append(flag(parsed, unread, "REC003", name, _expected(parsed, name, expected)))
    found.append(_check_student_numbers(parsed))
    found.append(_check_codes(parsed))
    found += [_check_length(parsed, name) for name in parsed.values if name in TEXT_LIMITS]
    found.append(_schema_problems(parsed))
    return collect(found)


def _expected(parsed: ParsedTable, name: str, expected: str):
    """What a cell should hold; with a hint where it looks like something that a spreadsheet made of it."""
    about = json.loads(data_of(expected) or '{"code": "text"}')
    code = f"expected_{about.pop('code')}"

    def said(row: int) -> str:
        cell = str(parsed.raw.at[row, name]).strip() if name in parsed.raw else ""
        impossible = _no_such_day(parsed, name, cell)
        if impossible is not None:
            return impossible
        if code == "expected_two_orders":
            return Told(code, f"expected {expected}", **about)
        if "date" in expected and cell.isdecimal() and len(cell) == 5:
            day = (pd.Timestamp(1899, 12, 30) + pd.Timedelta(days=int(cell))).date().isoformat()
            words = f"as a spreadsheet counts days it is {day}: format the column as dates"
            return Told("expected_days", f"expected {expected}; {words}", day=day)
        if "date" in expected and any(len(part) == 4 for part in re.findall(r"\d+", cell)):
            words = f"expected {expected}, of a year from {OLDEST_YEAR} to {NEWEST_YEAR}"
            return Told(f"{code}_of_years", words, **about, oldest=str(OLDEST_YEAR), newest=str(NEWEST_YEAR))
        if "number" in expected and any(char.isdecimal() for char in cell):
            return Told(f"{code}_only", f"expected {expected}, and nothing else in the cell", **about)
        return Told(code, f"expected {expected}", **about)

    return said


def _no_such_day(parsed: ParsedTable, name: str, cell: str) -> Told | None:
    """The sentence about a cell that is written as a date of which there is no such day."""
    if name not in parsed.date_orders:
        return None
    texts = (cell, cell.rpartition(",")[2]) if name == "birth_year" else (cell,)
    found = next((day for one in texts if (day := no_such_day(one, parsed.date_orders[name]))), None)
    if found is None:
        return None
    year, month, day = found
    if not days_of(year, month):
        words = f"there is no month {month}: look the date up and correct the cell"
        return Told("no_such_month", words, number=str(month))
    length = days_of(year, month)
    words = f"there is no such day ({MONTH_NAMES[month - 1]} has {length} days in {year})"
    words += ": look it up and correct the cell"
    return Told("no_such_day", words, month=month, days=length, year=str(year))


def _out_of_range(parsed: ParsedTable, column: Column):
    """What range a number must be in; with a hint where it has lost its decimal sign."""

    def said(row: int) -> str:
        value, message = parsed.values.at[row, column.name], _message("REC004", column)
        if column.kind == "number" and column.high and value > column.high:
            moved = next(
                (value / by for by in (10, 100, 1000) if column.low <= value / by <= column.high), None
            )
            if moved is not None and float(value).is_integer():
                words = f"{message}; if the decimal sign was lost it is {moved:g}: write it again"
                bounds = {"figure_low": column.low, "figure_high": column.high}
                return Told("range_moved", words, **bounds, figure_moved=float(moved))
        return message

    return said


def assumptions(parsed: ParsedTable) -> pd.DataFrame:
    """What was taken for granted to read a file, as problems: a question, or warnings."""
    text, match, file = parsed.text, parsed.match, parsed.file
    found = []
    if text.zeros:
        message = (
            f"{text.zeros:,} term averages are 0 and no credits stand beside them: say once whether that "
            "means no grade (--set terms.zero=empty), that everything was failed (terms.zero=grade), a leave "
            "(terms.zero=leave) or no registration (terms.zero=inactive)"
        )
        found.append(problems(file, "REC030", [None], messages=Told("zeros", message, n=int(text.zeros))))
    fixed = match.mapping.table(match.table).fixed
    taken = {column: said for column, said in fixed.items() if column not in match.headers}
    if taken:
        named = [
            f"{column} {'its own number' if said == ROW_NUMBER else repr(said)}"
            for column, said in taken.items()
        ]
        found.append(problems(file, "REC131", [None], messages=_taken(taken, named, parsed)))
    graduated = graduation_header(match.headers) if match.table == "outcomes" else None
    if graduated is not None and "exit_type" not in taken:
        message = f"no column for the kind of exit: whoever has a {graduated!r} is taken as graduated"
        message = Told("taken_as_graduated", message, header=graduated)
        found.append(problems(file, "REC137", [None], graduated, messages=message))
    for rows, code, what in (
        (parsed.left, "gone_left_out", "the row is left out"),
        (parsed.studied, "gone_studied", "with an average it counts as A"),
    ):
        message = Told(code, f"a status of who has left, which belongs in a file of exits; {what}")
        found.append(problems(file, "REC138", rows, parsed.header("status"), messages=message))
    if text.second_header is not None:
        found.append(problems(file, "REC134", [text.second_header]))
    for column, header, left in _twice(parsed):
        message = (
            f"{header!r} was read and {left!r} left out, which means the same; if that is wrong: "
            f"--set {match.table}.{column}={shlex.quote(left)}"
        )
        message = Told("same_meaning", message, header=header, left=left, column=column)
        found.append(problems(file, "REC148", [None], header, left, message))
    if text.beside:
        message = f"left out, as they say one thing for all terms: {', '.join(text.beside)}"
        message = Told("beside", message, headers=list(text.beside))
        found.append(problems(file, "REC136", [None], messages=message))
    if "exit_term" in parsed.raw:
        by_year = parsed.raw["exit_term"].fillna("").str.fullmatch(YEAR_ALONE)
        message = Told("year_alone", "only the year of the exit: the even term that ends in it is taken")
        mask = by_year.astype(bool) & parsed.values["exit_term"].notna()
        found.append(flag(parsed, mask, "REC133", "exit_term", message))
    return collect(found)


def _taken(taken: dict[str, str], named: list[str], parsed: ParsedTable) -> Told:
    """The sentence about values that every row gets, with the terms to which the office gave another one."""
    words = f"not in the file and taken for every row: {', '.join(named)}"
    pairs = [[column, "" if said == ROW_NUMBER else said] for column, said in taken.items()]
    other = next((one for one in parsed.guesses if one.what == "empty_terms"), None)
    if "status" not in taken or other is None or other.value not in IDLE:
        return Told("taken", words, pairs=pairs)
    count, status = int(other.cell), IDLE[other.value]
    words += f"; but {status!r} for the {count:,} terms without average and credits, as you said"
    return Told("taken_but", words, pairs=pairs, n=count, value_status=status)


def _twice(parsed: ParsedTable) -> list[tuple[str, str, str]]:
    """Column, header read and header left out, where two headers mean one column and their cells differ."""
    cells, told = parsed.text.own_rows, []
    for column, others in parsed.match.twice.items():
        header = parsed.match.headers[column]
        for left in others:
            if header not in cells or left not in cells or not cells[header].equals(cells[left]):
                told.append((column, header, left))
    return told


def tells_of_exits_too(students: ParsedTable) -> pd.DataFrame:
    """A warning where a file of students has columns of exits that nobody reads."""
    match = detect_mapping(list(students.text.own_rows.columns), "outcomes")
    told = [
        match.headers[name] for name in ("exit_date", "exit_term", "terms_to_exit") if name in match.headers
    ]
    if not tells_exits(match):
        return no_problems()
    message = f"{', '.join(told)}: give the file as one of outcomes too, or as a register, to read the exits"
    message = Told("exits_too", message, headers=told)
    return problems(students.file, "REC135", [None], told[0], messages=message)


def _stops(rule: str) -> bool:
    return CHECKS[rule].severity == "error"


def _check_text(parsed: ParsedTable) -> pd.DataFrame:
    """Sheets that were left, and cells with bytes of another encoding."""
    text = parsed.text
    messages = [
        Told(f"sheet_{why}", f"the sheet {title!r} was not read: {LEFT_WORDS[why]}", title=title)
        for title, why in text.left
    ]
    left = [title for title, _ in text.left]
    found = [problems(parsed.file, "REC123", [None] * len(left), "", left, messages)]
    columns = [header for _, header, _ in text.repaired]
    cells = [cell for _, _, cell in text.repaired]
    rows = [row for row, _, _ in text.repaired]
    message = (
        "bytes here are no UTF-8, unlike the rest of the file; read as Windows-1252: look whether it is right"
    )
    message = Told("other_bytes", message)
    found.append(problems(parsed.file, "REC124", rows, columns, cells, message))
    return collect(found)


LEFT_WORDS = {
    "hidden": "it is hidden; name it by --sheet to read it",
    "empty": "its first rows are empty",
    "other": "its headers differ from those of the sheet that was read; name it by --sheet to read it",
    "unasked": "other sheets were asked for",
}


def _check_length(parsed: ParsedTable, name: str) -> pd.DataFrame:
    limit = TEXT_LIMITS[name]
    long = (parsed.values[name].str.len() > limit).fillna(False)
    message = Told("too_long", f"at most {limit} characters are stored", limit=limit)
    return flag(parsed, long, "REC020", name, message)


def _check_student_numbers(parsed: ParsedTable) -> pd.DataFrame:
    if "student_number" not in parsed.values:
        return no_problems()
    numbers = parsed.values["student_number"]
    every = distinct(numbers)
    damaged = {number for number in every if looks_damaged(number)}
    mask = pd.Series(one_of(numbers, damaged), index=numbers.index)
    message = "a spreadsheet stored this number as a quantity; format the column as text and export it again"
    message = Told("quantity", message)
    dates = parsed.text.true_dates.get(parsed.header("student_number"), ())
    why = {number: told for number in every if (told := why_none(number)) is not None}
    typed = "a date of the spreadsheet; format the column as text and type it again"
    of_row = {row: why[number] for row, number in numbers[one_of(numbers, why)].items()}
    of_row |= {row: Told("date_of_sheet", typed) for row in numbers.index[numbers.index.isin(dates)]}
    none = pd.Series(numbers.index.isin(list(of_row)), index=numbers.index, dtype=bool)
    return collect(
        [
            flag(parsed, mask, "REC008", "student_number", message),
            flag(parsed, none, "REC021", "student_number", of_row.__getitem__),
        ]
    )


def _check_codes(parsed: ParsedTable) -> pd.DataFrame:
    return collect([_check_code(parsed, name) for name in CODES if name in parsed.values])


def _check_code(parsed: ParsedTable, name: str) -> pd.DataFrame:
    codes = parsed.values[name]
    is_none, what = CODES[name]
    mask = codes.map({code: is_none(code) for code in codes.dropna().unique()}).fillna(False).astype(bool)
    message = Told(f"no_{what}_code", f"a total, a caption or a note, not a {what}; delete the row")
    return flag(parsed, mask, "REC021", name, message)


def _schema_problems(parsed: ParsedTable) -> pd.DataFrame:
    import pandera.pandas as pa

    schema = column_schema(parsed.table, tuple(parsed.values.columns))
    try:
        schema.validate(parsed.values, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return no_problems()
    columns = {column.name: column for column in TABLES[parsed.table]}
    found = []
    for (name, check), group in cases.groupby(["column", "check"], sort=False):
        rule = "REC002" if check == "not_nullable" else str(check)
        rows = pd.Index(group["index"])
        if rule == "REC002" and name in parsed.derived:
            continue  # nothing to derive it from is said of its own
        if rule == "REC002":  # an unreadable or ragged cell is missing too; say it once
            unread = parsed.unreadable[name]
            rows = rows[~unread.loc[rows].to_numpy() & ~rows.isin(list(parsed.text.ragged))]
        mask = pd.Series(parsed.values.index.isin(rows), index=parsed.values.index)
        column = columns[name]
        message = _out_of_range(parsed, column) if rule == "REC004" else _message(rule, column)
        found.append(flag(parsed, mask, rule, name, message))
    return collect(found)


def _message(rule: str, column: Column) -> str:
    unit = f" {column.unit}" if column.unit else ""
    if rule == "REC004":
        words = f"must be between {column.low:g} and {column.high:g}{unit}"
        return Told("range", words, figure_low=column.low, figure_high=column.high)
    allowed = {f"values_{column.name}": list(column.allowed)}
    if rule == "REC005" and column.listed:
        words = f"must name {', '.join(column.allowed)}, or all ('semua')"
        words = f"{words}; a yes or no alone does not say for what; a mapping can translate other words"
        return Told("none_of_purposes", words, **allowed)
    if rule == "REC005":
        words = f"must be one of {', '.join(column.allowed)}; a mapping can translate other words"
        return Told("none_of", words, **allowed)
    words = f"{column.name} must not be empty, nor hold a word or an error that means nothing"
    return Told("empty", words, column=column.name)


def _all_among(cell: str, allowed: frozenset[str]) -> bool:
    return set(cell.split(", ")) <= allowed


@lru_cache
def column_schema(table: str, names: tuple[str, ...]) -> pa.DataFrameSchema:
    """The pandera schema of the given columns of a table, built from :mod:`data.columns`.

    The checks are named by their rule, so that failures can be told apart.
    """
    import pandera.pandas as pa

    columns = {}
    for column in TABLES[table]:
        if column.name not in names:
            continue
        checks = []
        if column.low is not None and column.high is not None:
            checks.append(pa.Check.in_range(column.low, column.high, name="REC004", error="REC004"))
        if column.listed:
            named = partial(_all_among, allowed=frozenset(column.allowed))
            checks.append(pa.Check(named, element_wise=True, name="REC005", error="REC005"))
        elif column.allowed:
            checks.append(pa.Check.isin(list(column.allowed), name="REC005", error="REC005"))
        columns[column.name] = pa.Column(checks=checks, nullable=column.nullable, required=False)
    return pa.DataFrameSchema(columns)
