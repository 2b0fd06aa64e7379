"""The meeting pack as files: a workbook with one sheet per table, and a paper with the same."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.cohorts.meeting_shape import COUNT, MEAN, SHARE, TEXT, Sheet
from dashboard.reports import documents
from dashboard.reports.charts import Chart, grouped_bars, lines
from dashboard.shell.exports import TableProvenance
from dashboard.shell.wording import EMPTY, NOT_YET, Words
from data.files.safe_cells import safe_cell
from data.trust.small_cells import MARK, THRESHOLD

FORMS = ("internal", "public")
HEAD = {"bold": True, "bg_color": "#e4e7eb", "text_wrap": True, "valign": "top"}
XLSX_FORM = {COUNT: "#,##0", SHARE: "0.0%", MEAN: "0.00"}
LONGEST_NAME = 31  # of a sheet of a workbook
LINE = 15  # points: the height of a line of a sheet; not every program finds that of a wrapped text
LEAST, MOST = 11, 60  # letters of a column
PAGE = 60  # letters in the lines above a table that is narrower


@dataclass(frozen=True)
class Pack:
    """What both files hold.

    Parameters
    ----------
    form : {"internal", "public"}
    sheets : sequence of Sheet
    left_out : sequence of str
        Keys of sheets that only the internal form has.
    about : sequence of (str, str)
        What the pack is about: programme, cohort, target, as of.
    provenance : TableProvenance
    """

    form: str
    sheets: Sequence[Sheet]
    left_out: Sequence[str]
    about: Sequence[tuple[str, str]]
    provenance: TableProvenance

    @property
    def words(self) -> Words:
        """The language."""
        return self.provenance.words

    @property
    def banner(self) -> str:
        """The line that every page and sheet bears: for whom it is."""
        key = "internal" if self.form == "internal" else "external"
        return self.words(f"meeting.banner_{key}", minimum=THRESHOLD)

    def facts(self) -> list[tuple[str, str]]:
        """What the pack is about, and where its figures come from."""
        rows, institution = sum(len(sheet.rows) for sheet in self.sheets), self.provenance.institution
        named = [(self.words("meeting.institution"), institution)] if institution else []
        return [(self.words("meeting.form"), self.banner), *named, *self.about, *self.provenance.rows(rows)]

    def notes(self) -> list[str]:
        """How to read the marks, and what is left out."""
        words, cells = self.words, {cell for sheet in self.sheets for row in sheet.rows for cell in row}
        said = [words("meeting.mark_not_yet", mark=NOT_YET)] * (NOT_YET in cells)
        said += [words("meeting.mark_unknown", mark=EMPTY)] * (None in cells)
        if self.form == "public":
            said.append(words("meeting.mark_hidden", mark=MARK, minimum=THRESHOLD))
            said.append(words("meeting.judged_alone"))
        if self.left_out:
            names = "; ".join(words(f"meeting.sheet_{key}") for key in self.left_out)
            said.append(words("meeting.left_out", sheets=names))
        return said


def workbook(pack: Pack) -> bytes:
    """The XLSX: what it is, then one sheet per table, numbers as numbers."""
    import xlsxwriter

    words, buffer = pack.words, io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False}
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as book:
        book.set_properties({"title": words("meeting.title"), "author": pack.provenance.institution})
        looks = {
            "bold": book.add_format({"bold": True}),
            "title": book.add_format({"bold": True, "font_size": 14}),
            "banner": book.add_format(
                {"bold": True, "font_color": "#9c0006", "text_wrap": True, "valign": "top"}
            ),
            "head": book.add_format(HEAD),
            "head_right": book.add_format(HEAD | {"align": "right"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
            "mark": book.add_format({"align": "right"}),
        }
        looks |= {form: book.add_format({"num_format": style}) for form, style in XLSX_FORM.items()}
        _about_sheet(book, pack, looks)
        names = sheet_names([sheet.title for sheet in pack.sheets], words("meeting.about"))
        for name, sheet in zip(names, pack.sheets, strict=True):
            _table_sheet(book, name, sheet, pack, looks)
    return buffer.getvalue()


def sheet_names(titles: Sequence[str], *taken: str) -> list[str]:
    """Titles as names of sheets: at most 31 characters, none of those that a workbook refuses, each once."""
    names, used = [], {name.lower() for name in taken}
    for title in titles:
        plain = "".join(" " if sign in "[]:*?/\\'" else sign for sign in title).strip() or "–"
        name, at = plain[:LONGEST_NAME], 2
        while name.lower() in used:
            ending = f" {at}"
            name, at = plain[: LONGEST_NAME - len(ending)] + ending, at + 1
        used.add(name.lower())
        names.append(name)
    return names


def _page(book, name: str):
    page = book.add_worksheet(name)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.hide_gridlines(2)
    return page


def _about_sheet(book, pack: Pack, looks: dict) -> None:
    words = pack.words
    page = _page(book, words("meeting.about"))
    page.set_column(0, 0, 34)
    page.set_column(1, 1, 96)
    page.write_string(0, 0, words("meeting.title"), looks["title"])
    row = 2
    for label, value in pack.facts():
        page.write_string(row, 0, safe_cell(label), looks["bold"])
        page.write_string(row, 1, safe_cell(value), looks["wrap"])
        row += 1
    for head, texts in (("contents", [sheet.title for sheet in pack.sheets]), ("notes", pack.notes())):
        for at, text in enumerate(texts):
            page.write_string(row + 1 + at, 0, words(f"meeting.{head}") if not at else "", looks["bold"])
            page.write_string(row + 1 + at, 1, safe_cell(text), looks["wrap"])
            page.set_row(row + 1 + at, LINE * (1 + len(text) // 90))
        row += 1 + len(texts)


def _table_sheet(book, name: str, sheet: Sheet, pack: Pack, looks: dict) -> None:
    page = _page(book, name)
    wide = [_width(sheet, column) for column in range(len(sheet.head))]
    for column, width in enumerate(wide):
        page.set_column(column, column, width)
    page.write_string(0, 0, safe_cell(sheet.title), looks["title"])
    said = " · ".join(filter(None, (pack.provenance.notice, sheet.note)))
    for row, text, look in ((1, pack.banner, "banner"), (2, said, "wrap")):
        _across(page, row, safe_cell(text), wide, looks[look])
    first = 4
    heads = [_lines_of(head, width) for head, width in zip(sheet.head, wide, strict=True)]
    page.set_row(first, LINE * max([2, *heads]))
    for column, (head, form) in enumerate(zip(sheet.head, sheet.forms, strict=True)):
        page.write_string(first, column, safe_cell(head), looks["head" if form == TEXT else "head_right"])
    for at, row in enumerate(sheet.rows, first + 1):
        for column, (value, form) in enumerate(zip(row, sheet.forms, strict=True)):
            if value is None:
                page.write_string(at, column, EMPTY, looks["mark"])
            elif isinstance(value, str):
                page.write_string(at, column, safe_cell(value), looks["wrap" if form == TEXT else "mark"])
            else:
                page.write_number(at, column, value, looks[form])
    page.freeze_panes(first + 1, 1)
    page.repeat_rows(first)


def _width(sheet: Sheet, column: int) -> int:
    """Letters of a column: its longest text, or the longest word of its heading."""
    texts = [str(row[column]) for row in sheet.rows if sheet.forms[column] == TEXT and row[column]]
    words = [len(word) + 3 for word in sheet.head[column].split()]
    return min(max([LEAST, *words, *(len(text) + 2 for text in texts)]), MOST)


def _lines_of(text: str, width: int) -> int:
    """Lines that a bold text takes in a cell of so many letters."""
    return max(len(textwrap.wrap(text, max(width - 2, 1))), 1)


def _across(page, row: int, text: str, wide: Sequence[int], look) -> None:
    """A text over the whole table, wrapped, as high as it needs."""
    widths = list(wide)
    while sum(widths) < PAGE or len(widths) < 2:
        widths.append(8)  # of a column that nothing sets
    page.merge_range(row, 0, row, len(widths) - 1, text, look)
    page.set_row(row, LINE * _lines_of(text, sum(widths)))


def paper(pack: Pack) -> bytes:
    """The PDF: the same tables, with charts of what is compared over cohorts or terms."""
    words = pack.words
    blocks = [documents.facts(pack.facts())]
    blocks += [documents.note(" ".join(pack.notes()))] if pack.notes() else []
    for sheet in pack.sheets:
        blocks.append(documents.heading(sheet.title))
        blocks += [documents.note(sheet.note)] if sheet.note else []
        drawn = _chart(sheet, words)
        blocks += [documents.chart(drawn)] if drawn is not None else []
        blocks.append(_table(sheet, words))
    title = words("meeting.title")
    if pack.provenance.mixed:
        blocks.insert(0, documents.note(pack.provenance.notice))
    return documents.document(
        title, blocks, pack.provenance, words.language, footer=pack.banner, landscape=True
    )


def _table(sheet: Sheet, words: Words) -> dict:
    rows = [
        [written(value, form, words) for value, form in zip(row, sheet.forms, strict=True)]
        for row in sheet.rows
    ]
    widths = [2.4 if form == TEXT else 1.0 for form in sheet.forms]
    return documents.table(
        sheet.head, rows, right=[form != TEXT for form in sheet.forms], widths=widths, size=8
    )


def written(value: object, form: str, words: Words) -> str:
    """A cell as the paper prints it."""
    if value is None:
        return EMPTY
    if isinstance(value, str):
        return value
    if form == SHARE:
        return words.percent(float(value), 1)
    return words.number(float(value), 2 if form == MEAN else 0)


def _figure(value: object) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def _chart(sheet: Sheet, words: Words) -> Chart | None:
    """A picture of a sheet: lines over terms, or bars over cohorts; None where nothing can be drawn."""
    if sheet.key == "retention":
        series = {row[0]: [_figure(value) for value in row[2:]] for row in sheet.rows}
        title = words("meeting.chart_terms", measure=sheet.title)
        return _lines(title, [str(n) for n in range(1, len(sheet.head) - 1)], series, words)
    if sheet.key == "compare":
        terms = sorted({row[1] for row in sheet.rows})
        series = {
            cohort: [_figure(row[3]) for row in sheet.rows if row[0] == cohort]
            for cohort in dict.fromkeys(row[0] for row in sheet.rows)
        }
        title = words("meeting.chart_terms", measure=sheet.head[3])
        return _lines(title, [str(term) for term in terms], series, words)
    if sheet.key == "on_time":
        values = [_figure(row[3]) for row in sheet.rows]
        if not any(value is not None for value in values):
            return None
        marks = {sheet.head[3]: [row[3] if isinstance(row[3], str) else "" for row in sheet.rows]}
        groups = [row[0] for row in sheet.rows]
        title = words("meeting.chart_on_time")
        return grouped_bars(title, groups, {sheet.head[3]: values}, words.language, form=SHARE, marks=marks)
    return None


def _lines(title: str, places: list[str], series: dict, words: Words) -> Chart | None:
    if not any(value is not None for values in series.values() for value in values):
        return None
    return lines(title, places, series, words.language, form=SHARE, axis=words("compare.term"))
