"""PDF, CSV and the restricted list: tagged, selectable, escaped, and equal to the table."""

import csv
import io
import re
import tomllib
from itertools import pairwise
from types import SimpleNamespace

import openpyxl
import pandas as pd
import pikepdf
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from dashboard.reports import charts, describe
from dashboard.reports.charts import below_its_bars, grouped_bars, lines, table_charts
from dashboard.reports.conditions import Selection
from dashboard.reports.csv_long import to_csv, to_long
from dashboard.reports.pdf import to_pdf
from dashboard.reports.profile import load_profile
from dashboard.reports.provenance import ReportProvenance, canonical, content_hash, from_content, to_content
from dashboard.reports.students_behind import restricted_frame, restricted_xlsx, students_behind
from dashboard.reports.suppress import suppress
from dashboard.reports.table import compute_table
from dashboard.reports.typeset import typeset
from dashboard.reports.words import FILE, figure, say

PROVENANCE = ReportProvenance(
    institution="#show: evil",
    imports=(("i1", "2026-08-15", "a.csv"),),
    synthetic=True,
    content_sha256="ab" * 32,
)


@pytest.fixture(scope="module")
def table(flow, active):
    chosen = Selection(2025, "55201", "*Informatika* $x$ #pagebreak()", "S1")
    return compute_table(load_profile("iaps40-8c", "S1"), flow, chosen, active=active)


@pytest.fixture(scope="module")
def pdf(table):
    return to_pdf(table, PROVENANCE, "id")


def tags(node, found=None):
    """Every structure type below a node of the tag tree."""
    found = [] if found is None else found
    if isinstance(node, pikepdf.Array):
        for child in node:
            tags(child, found)
    elif isinstance(node, pikepdf.Dictionary):
        if "/S" in node:
            found.append(str(node["/S"]))
        if "/K" in node:
            tags(node["/K"], found)
    return found


def test_the_pdf_is_tagged_as_pdf_ua(pdf):
    with pikepdf.open(io.BytesIO(pdf)) as book:
        assert book.Root.MarkInfo.Marked
        assert book.Root.Lang == "id" or str(book.Root.Lang).startswith("id")
        assert book.Root.ViewerPreferences.DisplayDocTitle
        with book.open_metadata() as meta:
            assert meta["pdfuaid:part"] == "1"
            assert "Masa Studi Lulusan" in meta["dc:title"]
        found = tags(book.Root.StructTreeRoot.K)
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= set(found)


def test_every_picture_of_the_pdf_has_an_alternative_text(pdf):
    def figures(node):
        if isinstance(node, pikepdf.Array):
            return [each for child in node for each in figures(child)]
        if not isinstance(node, pikepdf.Dictionary):
            return []
        own = [node] if node.get("/S") == "/Figure" else []
        return own + (figures(node["/K"]) if "/K" in node else [])

    with pikepdf.open(io.BytesIO(pdf)) as book:
        found = figures(book.Root.StructTreeRoot.K)
        assert found and all("Diagram batang" in str(each.Alt) for each in found)


def test_the_text_of_the_pdf_can_be_selected_and_holds_the_figures(pdf):
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    text = "\n".join(page.extract_text() for page in reader.pages)
    for words in (
        "Jumlah Mahasiswa Diterima",
        "TS-6 (2019/2020)",
        "4,35",
        "57,1",
        "1,97",
        "Pengesahan",
        "Asal-usul",
    ):
        assert words in text
    assert f"Halaman 1 dari {len(reader.pages)}" in text
    assert all("Data demo sintetis" in page.extract_text() for page in reader.pages)


def test_text_of_the_data_is_printed_and_never_run_as_markup(pdf):
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert "#show: evil" in text and "*Informatika* $x$ #pagebreak()" in text


def test_pages_are_a4_and_every_font_is_embedded(pdf):
    with pikepdf.open(io.BytesIO(pdf)) as book:
        for page in book.pages:
            sides = sorted(float(side) for side in page.mediabox[2:])
            assert sides == pytest.approx([595.28, 841.89], abs=0.5)
            for font in page.Resources.get("/Font", {}).values():
                descriptor = font.DescendantFonts[0].FontDescriptor
                assert any(name in descriptor for name in ("/FontFile2", "/FontFile3"))


def test_the_same_report_gives_the_same_pdf(table, pdf):
    assert to_pdf(table, PROVENANCE, "id") == pdf


def test_a_template_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="nothing"):
        typeset("nothing", {})


def test_a_chart_marks_what_cannot_be_observed_yet():
    chart = grouped_bars("R", ["2019", "2020"], {"a": [3, None]}, "en", marks={"a": ["", "…"]})
    assert chart.alt == "Bar chart: R. a: 2019 3, 2020 …"


def test_a_chart_says_its_figures_in_words():
    chart = grouped_bars("Rates", ["2019", "2020"], {"a": [0.5, None]}, "en", form="0.0%")
    assert chart.alt == "Bar chart: Rates. a: 2019 50.0%, 2020 —"
    assert chart.svg.startswith("<?xml") and grouped_bars("Rates", ["x"], {"a": [1]}, "en").svg


def axis_of(chart) -> list[float]:
    """The percentages along the axis, of lines without labels of their own."""
    return [float(said) / 100 for said in re.findall(r"<!-- (-?[\d.]+)% -->", chart.svg)]


@pytest.mark.parametrize(
    "values",
    [[1.0, 1.0, 0.99], [1.0, 1.0], [0.0, 0.0], [0.0, 0.02], [0.93, None], [0.4, 1.0], [None, None]],
)
def test_an_axis_of_shares_runs_from_nobody_to_all_at_most(values):
    ticks = axis_of(lines("R", [str(at) for at in range(len(values))], {"a": values}, "en"))
    assert len(ticks) >= 3 and min(ticks) >= 0 and max(ticks) <= 1, ticks
    known = [value for value in values if value is not None]
    assert all(min(ticks) <= value <= max(ticks) for value in known), ticks
    assert max(ticks) - min(ticks) >= 0.19  # no hair's breadth over the whole height
    drawn = axis_of(
        grouped_bars("R", [str(at) for at in range(len(values))], {"a": values}, "en", form="0.0%")
    )
    assert drawn and min(drawn) == 0 and max(drawn) <= 1, drawn


def test_a_ratio_above_one_keeps_its_axis():
    ticks = axis_of(lines("R", ["1", "2"], {"a": [0.9, 1.4]}, "en"))
    assert max(ticks) > 1


def test_a_long_name_leaves_the_bars_their_room_and_stands_whole_in_the_words():
    name = "Pendidikan Profesi Keperawatan Medikal Bedah dan Kesehatan Masyarakat Perdesaan " * 2
    assert below_its_bars("Informatika") == "Informatika"
    written = below_its_bars(name).split("\n")
    assert len(written) == 3 and max(map(len, written)) <= 18 and written[-1].endswith("…")
    assert name in grouped_bars("R", [name], {"a": [3]}, "en").alt


@pytest.mark.parametrize("cohorts", [4, 9, 12])
def test_the_names_of_cohorts_do_not_run_into_each_other(monkeypatch, cohorts):
    drawn = []
    monkeypatch.setattr(charts, "_svg", lambda picture: drawn.append(picture) or "")
    names = [f"Ganjil {2011 + year}/{2012 + year}" for year in range(cohorts)]
    grouped_bars("Tepat waktu", names, {"Persentase": [0.5] * cohorts}, "id", form="0.0%")
    (picture,) = drawn
    FigureCanvasAgg(picture).draw()
    boxes = [label.get_window_extent() for label in picture.axes[0].get_xticklabels()]
    assert len(boxes) == cohorts
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_a_programme_without_students_has_no_chart_of_zeros(flow):
    chosen = Selection(2025, "00000", "", "S1")
    assert table_charts(compute_table(load_profile("iaps40-8c", "S1"), flow, chosen), "en") == []
    chosen = Selection(2025, "55201", "", "S1")
    assert len(table_charts(compute_table(load_profile("iaps40-8c", "S1"), flow, chosen), "en")) == 1


def test_a_series_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 figures"):
        grouped_bars("Rates", ["2019", "2020"], {"a": [0.5]}, "en")


def test_the_long_form_holds_every_figure_once(table):
    frame = to_long(table, PROVENANCE)
    cells = frame[frame["part"] == "cell"].set_index(["row", "column"])
    assert len(cells) == len(table.cells) and cells.index.is_unique
    assert cells.loc[("TS-6", "total"), "value"] == 4
    assert cells.loc[("TS-6", "graduated@TS-6"), "state"] == "closed"
    assert set(frame["profile"]) == {"iaps40-8c"} and set(frame["audience"]) == {"internal"}


def test_the_csv_opens_and_no_cell_begins_like_a_formula(flow):
    chosen = Selection(2025, "55201", "", "S1")
    table = compute_table(load_profile("iaps40-8c", "S1"), flow, chosen)
    data = to_csv(table, ReportProvenance(institution='=cmd|" /C calc"!A0', synthetic=True))
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert len(rows) == len(table.cells) + len(table.lines) + 1
    assert not any(cell[:1] in ("=", "+", "-", "@") for row in rows for cell in row)


def test_counts_in_the_csv_are_whole_numbers(flow):
    chosen = Selection(2025, "55201", "", "S1")
    table = compute_table(load_profile("iaps40-8c", "S1"), flow, chosen)
    rows = list(csv.DictReader(io.StringIO(to_csv(table, PROVENANCE).decode("utf-8-sig"))))
    forms = {column.key: column.format for column in table.columns}
    counts = [row["value"] for row in rows if row["part"] == "cell" and forms[row["column"]] == "0"]
    assert {"", "4"} <= set(counts) and all(value.isdigit() for value in counts if value)


def test_the_list_behind_a_total_is_the_union_of_its_cells(table):
    assert students_behind(table, "TS-6", "graduated@TS-3") == ("s09", "s10")
    assert students_behind(table, "TS-6", "total") == ("s09", "s10", "s11", "s12")


def test_a_suppressed_table_gives_no_list(table):
    with pytest.raises(PermissionError):
        students_behind(suppress(table), "TS-6", "total")


def test_the_restricted_list_says_so_and_names_only_whom_the_reader_may_identify(table, flow):
    known = pd.DataFrame({"student_key": ["s09"], "student_number": ["=2019001"], "name": ["@Budi"]})
    frame = restricted_frame(students_behind(table, "TS-6", "graduated@TS-3"), known, flow)
    assert len(frame) == 2 and frame["name"].notna().sum() == 1
    data = restricted_xlsx(frame, table, ("TS-6", "graduated@TS-3"), PROVENANCE, "id")
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    assert "TERBATAS" in sheet["A1"].value
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert "'=2019001" in texts and "'@Budi" in texts


def test_a_frozen_table_comes_back_equal(table):
    content = to_content(table)
    assert from_content(content) == table
    assert content_hash(to_content(from_content(content))) == content_hash(content)


def test_a_content_of_another_format_is_refused(table):
    with pytest.raises(ValueError, match="format"):
        from_content(to_content(table) | {"format": 99})


@given(
    st.dictionaries(
        st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=5), st.booleans()), max_size=5
    )
)
def test_the_hash_does_not_depend_on_the_order_of_keys(content):
    turned = dict(reversed(list(content.items())))
    assert canonical(content) == canonical(turned)


@pytest.mark.parametrize(
    ("code", "name", "label"),
    [
        ("62201", "Akuntansi", "62201 Akuntansi"),
        ("S1 Akuntansi", "S1 Akuntansi", "S1 Akuntansi"),  # a register without codes
        ("62201", "", "62201"),
    ],
)
def test_a_programme_is_named_once(code, name, label):
    table = SimpleNamespace(selection=Selection(2025, code, name))
    assert describe.program_words(table, "en") == label


def test_both_languages_have_the_same_words():
    texts = tomllib.loads(FILE.read_text(encoding="utf-8"))
    assert texts["id"].keys() == texts["en"].keys()


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="'fr'"):
        say("fr", "table")


@pytest.mark.parametrize(
    ("value", "form", "language", "shown"),
    [(1234.5, "0.00", "id", "1.234,50"), (1234.5, "0.00", "en", "1,234.50"), (0.125, "0.0%", "id", "12,5%")],
)
def test_figures_are_written_as_the_language_writes_them(value, form, language, shown):
    assert figure(value, form, language) == shown
