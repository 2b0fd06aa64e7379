"""The meeting pack on a register worked out by hand: what each form says, and what nobody can work out."""

from __future__ import annotations

import io
import re
import textwrap
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pypdf
import pytest
from scipy.optimize import linprog

from dashboard.cohorts import compare, prospects, summaries
from dashboard.cohorts.counted import Counts
from dashboard.cohorts.meeting import OF_A_COHORT, internal_sheets, judged, public_sheets
from dashboard.cohorts.meeting_files import Pack, paper, sheet_names, workbook
from dashboard.cohorts.meeting_shape import Shown
from dashboard.shell.exports import TableProvenance
from dashboard.shell.wording import Words
from data.files.safe_cells import FORMULA_STARTS
from data.trust.small_cells import MARK, THRESHOLD

PROGRAMS = pd.DataFrame({"program_code": ["IF", "MI"], "normal_terms": [8, 6]})
NAMES = {"IF": "Informatics", "MI": "Management"}
LAST, REPORTED = 20242, frozenset({"IF", "MI"})
#  programme, cohort, state, terms to exit, group, band, what they did in terms 1–8, students
ALIKE = [
    ("IF", 20191, "graduated", 8, "L", "", "22222222", 20),
    ("IF", 20191, "graduated", 8, "P", "", "22222222", 12),
    ("IF", 20191, "graduated", 9, "L", "", "22222222", 8),
    ("IF", 20191, "resigned", 3, "L", "", "22200000", 7),
    ("IF", 20191, "transferred", 2, "P", "", "22000000", 2),
    ("MI", 20191, "graduated", 6, "P", "", "22222200", 15),
    ("MI", 20191, "expelled", 2, "L", "", "22000000", 3),
    ("IF", 20231, "enrolled", -1, "L", "low", "22220000", 30),
    ("IF", 20231, "enrolled", -1, "P", "high", "22220000", 11),
    ("IF", 20231, "enrolled", -1, "P", "very_high", "22220000", 3),
    ("IF", 20231, "resigned", 2, "L", "", "22000000", 6),
]
COLUMNS = ["program_code", "cohort_term", "state", "terms_to_exit", "group", "band", "did", "students"]
REACHED = {("IF", 20191): 8, ("MI", 20191): 8, ("IF", 20231): 4}


def alike() -> pd.DataFrame:
    frame = pd.DataFrame(ALIKE, columns=COLUMNS)
    for term in range(1, 9):
        frame[f"term_{term}"] = [int(did[term - 1]) for did in frame["did"]]
    return frame.drop(columns="did")


def progress() -> pd.DataFrame:
    """What ``queries.retention`` says of these students."""
    rows = []
    frame = alike()
    for (code, cohort), reached in REACHED.items():
        own = frame[(frame["program_code"] == code) & (frame["cohort_term"] == cohort)]
        for term in range(1, reached + 1):
            active = int(own.loc[own[f"term_{term}"] == 2, "students"].sum())
            before = (own["state"] == "graduated") & (own["terms_to_exit"] < term)
            kept = active + int(own.loc[before, "students"].sum())
            entrants = int(own["students"].sum())
            rows.append((code, cohort, term, entrants, kept, active, 3.0, active))
    names = ["program_code", "cohort_term", "term_index", "entrants", "retained", "active", "gpa_mean"]
    names.append("gpa_rows")
    return pd.DataFrame(rows, columns=names)


def shown(compared=(20191, 20231)) -> Shown:
    frame = alike()
    flow = frame.assign(entry_type="")
    cube = frame[frame["band"] != ""]
    risky = pd.DataFrame({"reason": ["progress"], "n": [14], "rate": [0.5], "low": [0.3], "high": [0.7]})
    course = {"program_code": "IF", "course_code": "C1", "course_name": "Algorithms", "attempts": 40}
    course |= {"students": 38, "rate": 0.3, "low": 0.2, "high": 0.4, "told": True, "narrow": True}
    course |= {"delayed_share": 0.5, "on_time_share": np.nan}
    return Shown(
        kpis=[
            ("Students now", "44", "", ""),
            ("At high risk now", "14 (32%)", "vs last term: +2", ""),
            ("Graduated on time", "69%", "", ""),
            ("Dropped out", "15%", "", ""),
            ("At risk per advisor", "7.0", "", "2 advisors, at most 11"),
        ],
        names=NAMES,
        cohorts=summaries.outcomes(flow, PROGRAMS, "cohort_term", LAST, REPORTED),
        by_program=summaries.outcomes(flow, PROGRAMS, "program_code", LAST, REPORTED),
        progress=progress(),
        progress_of_program=progress(),
        cube=cube,
        reasons=risky,
        reasons_by_program=risky.assign(program_code="IF"),
        reason_name=str.title,
        courses=pd.DataFrame([course]),
        incidence={"mature": prospects.incidence(flow, PROGRAMS, LAST, mature=True)},
        scenarios=pd.DataFrame(
            {"cohort_term": [20231], "n": [50], "rate": [0.7], "low": [0.5], "high": [0.8]}
        ),
        attribute="sex",
        groups=prospects.groups(flow, PROGRAMS, LAST),
        group_name={"L": "Men", "P": "Women"}.get,
        counts=Counts(frame, PROGRAMS, LAST, REPORTED),
        compared=list(compared),
        compared_terms=8,
        seen=(seen := compare.seen_cohorts(frame, progress(), LAST, 8)),
        hidden_on_page=on_page(flow, seen).hidden,
        newest_told=20191,
        reported=REPORTED,
        load=(7.0, 2),
        several=True,
    )


def on_page(flow: pd.DataFrame, seen) -> compare.Told:
    """What the page tells of these students."""
    values = compare.values_of_cubes(flow, progress(), PROGRAMS, seen, 8)
    return compare.told_on_page(values, sorted(seen), 8)


def by_key(sheets) -> dict:
    return {sheet.key: sheet for sheet in sheets}


def test_the_internal_form_has_every_figure_of_the_page():
    sheets = by_key(internal_sheets(shown(), Words("en")))
    assert list(sheets) == [
        *("kpis", "bands", "bands_program", "retention", "on_time", "on_time_program", "funnel", "compare"),
        *("why", "why_program", "courses", "incidence", "scenarios", "groups"),
    ]
    old, new = "Odd 2019/20", "Odd 2023/24"
    # Entered 67: on time 20 + 12 + 15, later 8, left 7 + 3, moved 2.
    assert sheets["funnel"].rows == ((old, 67, 47, 8, 0, 10, 2), (new, 50, 0, 0, 44, 6, 0))
    assert sheets["bands"].rows == ((new, 30, 0, 11, 3, 44),)
    n, on_time, rate, _, _, left, left_rate = sheets["on_time"].rows[0][1:]
    assert (n, on_time, rate, left, left_rate) == (65, 47, 47 / 65, 10, 10 / 65)
    assert sheets["on_time"].rows[1][1:] == ("…",) * 7
    # Term 3: gone are 3 expelled and 2 moved. Term 7: MI's 15 have their degree.
    assert sheets["retention"].rows[0][1:] == (67, 1.0, 1.0, 62 / 67, *[55 / 67] * 5)
    assert sheets["retention"].rows[1][1:] == (50, 1.0, 1.0, 44 / 50, 44 / 50, "…", "…", "…", "…")
    assert sheets["courses"].rows[0][2:5] == (40, 38, 0.3) and sheets["courses"].rows[0][-1] == MARK


def test_one_programme_has_no_sheets_by_programme():
    alone = {sheet.key for sheet in internal_sheets(Shown(**vars(shown()) | {"several": False}), Words("en"))}
    assert not alone & {"bands_program", "on_time_program", "why_program"} and "funnel" in alone


def test_the_public_form_tells_no_small_count_and_says_what_it_leaves_out():
    sheets, left_out = public_sheets(shown(), Words("en"))
    assert set(left_out) == {"bands_program", "on_time_program", "why_program", "incidence", "scenarios"}
    for sheet in sheets:
        for row in sheet.rows:
            for head, form, value in zip(sheet.head, sheet.forms, row, strict=True):
                if form == "0" and head != "Study term" and not isinstance(value, str) and value is not None:
                    assert value == 0 or value >= THRESHOLD, (sheet.key, row)
    funnel = by_key(sheets)["funnel"].rows[0]
    assert funnel[-1] == MARK  # two moved
    assert funnel.count(MARK) >= 2  # or the others would tell
    bands = by_key(sheets)["bands"].rows[0]
    assert bands[4] == MARK and bands.count(MARK) >= 2  # three at very high risk


class Attacker:
    """What a reader writes down: every printed figure as a sum over the rows of students, read off the
    finished cells and worked out here, without the product's own counts."""

    def __init__(self, sheets) -> None:
        self.told, self.frame = by_key(sheets), alike()
        frame = self.frame
        self.own = {
            "Odd 2019/20": (frame["cohort_term"] == 20191).to_numpy(),
            "Odd 2023/24": (frame["cohort_term"] == 20231).to_numpy(),
        }
        normal = frame["program_code"].map({"IF": 8, "MI": 6}).to_numpy()
        self.left_at = frame["terms_to_exit"].to_numpy()
        self.graduated = self.state("graduated")
        self.on_time = self.graduated & (self.left_at <= normal)
        self.left = self.state("resigned") | self.state("expelled")
        self.everybody = np.ones(len(frame), bool)
        self.known: list[tuple[np.ndarray, float]] = []
        for read in (self.funnel, self.rates, self.bands, self.retention, self.side_by_side, self.kpis):
            read()

    def state(self, name: str) -> np.ndarray:
        return (self.frame["state"] == name).to_numpy()

    def band(self, *names: str) -> np.ndarray:
        return self.frame["band"].isin(names).to_numpy()

    def kept(self, term: int) -> np.ndarray:
        return (self.frame[f"term_{term}"] > 0).to_numpy() | (self.graduated & (self.left_at < term))

    def note(self, which: np.ndarray, value, of=1) -> None:
        if not isinstance(value, str) and value is not None and not isinstance(of, str):
            self.known.append((which.astype(float), float(round(value * of))))

    def funnel(self) -> None:
        late = self.graduated & ~self.on_time
        parts = (self.everybody, self.on_time, late, self.state("enrolled"), self.left)
        for row in self.told["funnel"].rows:
            for which, value in zip((*parts, self.state("transferred")), row[1:], strict=True):
                self.note(self.own[row[0]] & which, value)

    def rates(self) -> None:
        mature = self.own["Odd 2019/20"]
        for row in self.told["on_time"].rows:
            for which, value in ((self.everybody, row[1]), (self.on_time, row[2]), (self.left, row[6])):
                self.note(self.own[row[0]] & which & mature, value)
        groups = {"Men": "L", "Women": "P"}
        for row in self.told["groups"].rows:
            here = mature & (self.frame["group"] == groups[row[0]]).to_numpy()
            self.note(here, row[1])
            self.note(here & self.on_time, row[2])

    def bands(self) -> None:
        names = ("low", "moderate", "high", "very_high")
        for row in self.told["bands"].rows:
            for name, value in zip(names, row[1:5], strict=True):
                self.note(self.own[row[0]] & self.band(name), value)
            self.note(self.own[row[0]] & self.band(*names), row[5])

    def retention(self) -> None:
        for row in self.told["retention"].rows:
            self.note(self.own[row[0]], row[1])
            for term, share in enumerate(row[2:], 1):
                self.note(self.own[row[0]] & self.kept(term), share, row[1])

    def side_by_side(self) -> None:
        for name, term, entered, kept, active, _, on_time, left in self.told["compare"].rows:
            gone, here = (self.left_at >= 0) & (self.left_at <= term), self.own[name]
            self.note(here & self.kept(term), kept, entered)
            self.note(here & (self.frame[f"term_{term}"] == 2).to_numpy(), active, entered)
            self.note(here & gone & self.on_time, on_time, entered)
            self.note(here & gone & self.left, left, entered)

    def kpis(self) -> None:
        told = {row[0]: row[1] for row in self.told["kpis"].rows if row[1] != MARK}
        if "Students now" in told:
            self.note(self.state("enrolled"), int(told["Students now"].split()[0]))
        if "At high risk now" in told:
            self.note(self.band("high", "very_high"), int(told["At high risk now"].split()[0]))

    def room(self, which: np.ndarray) -> float:
        """How many values a count can have, less one, given all that is printed."""
        left, right = (np.array(part) for part in zip(*self.known, strict=True))
        ends = []
        for sign in (1.0, -1.0):
            answer = linprog(sign * which, A_eq=left, b_eq=right, bounds=(0, None), method="highs")
            ends.append(sign * answer.fun if answer.status == 0 else sign * -np.inf)
        return ends[1] - ends[0]


def small_counts(attacker: Attacker) -> dict[str, np.ndarray]:
    """Counts of one to four students that the sheets are about."""
    found = {"moved": attacker.state("transferred"), "expelled": attacker.state("expelled")}
    found["very high"] = attacker.band("very_high")
    students = attacker.frame["students"].to_numpy()
    assert [int(which @ students) for which in found.values()] == [2, 3, 3]
    return found


def test_no_small_count_comes_out_by_subtracting_one_sheet_from_another():
    attacker = Attacker(public_sheets(shown(), Words("en"))[0])
    students = attacker.frame["students"].to_numpy()
    assert len(attacker.known) > 20
    assert all(which @ students == value for which, value in attacker.known)  # the reader reads what is true
    for name, which in small_counts(attacker).items():
        assert attacker.room(which) >= THRESHOLD - 1 - 1e-6, name


def test_the_same_attack_on_the_internal_form_finds_them():
    attacker = Attacker(internal_sheets(shown(), Words("en")))
    attacker.known = [(w, v) for w, v in attacker.known if w @ attacker.frame["students"] == v]
    assert [attacker.room(which) for which in small_counts(attacker).values()] == pytest.approx([0, 0, 0])


def test_rates_of_groups_hide_a_group_of_which_nobody_finished():
    about = shown(())
    frame = about.counts.alike.copy()
    frame.loc[(frame["group"] == "P") & (frame["state"] == "graduated"), ["state", "terms_to_exit"]] = [
        "enrolled",
        -1,
    ]
    counts = Counts(frame, PROGRAMS, LAST, REPORTED)
    groups = prospects.groups(frame.assign(entry_type=""), PROGRAMS, LAST)
    sheets, _ = public_sheets(Shown(**vars(about) | {"counts": counts, "groups": groups}), Words("en"))
    women = next(row for row in by_key(sheets)["groups"].rows if row[0] == "Women")
    assert women[1:] == (MARK,) * 5


def test_reasons_stay_out_where_the_number_at_risk_is_hidden():
    told = public_sheets(shown(), Words("en"))[0]
    assert by_key(told)["why"].rows[0][1] == 14
    other = shown().reasons.assign(n=13)  # not the students whom the other sheets count
    assert "why" in public_sheets(Shown(**vars(shown()) | {"reasons": other}), Words("en"))[1]


def made(form: str, language: str, synthetic: bool = True) -> Pack:
    words = Words(language)
    about = {"role": "leadership", "data_version": "7", "model_version": "m1", "about_people": False}
    provenance = TableProvenance("Universitas Ṡ", synthetic, made_on="2026-09-30", words=words, **about)
    sheets, left_out = (
        public_sheets(shown(), words) if form == "public" else (internal_sheets(shown(), words), [])
    )
    facts = [
        (words("meeting.program"), "IF Informatics 测试"),
        (words("meeting.as_of"), words.term(20242)),
    ]
    return Pack(form, sheets, left_out, facts, provenance)


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("form", ["internal", "public"])
def test_the_workbook_has_a_sheet_for_each_table_and_says_what_it_is(form, language):
    pack, words = made(form, language), Words(language)
    book = openpyxl.load_workbook(io.BytesIO(workbook(pack)))
    assert len(book.sheetnames) == 1 + len(pack.sheets)
    assert [book[name]["A1"].value for name in book.sheetnames[1:]] == [sheet.title for sheet in pack.sheets]
    banner = words(f"meeting.banner_{'internal' if form == 'internal' else 'external'}", minimum=THRESHOLD)
    assert all(book[name]["A2"].value == banner for name in book.sheetnames[1:])
    assert all(words("app.synthetic").upper() in book[name]["A3"].value for name in book.sheetnames[1:])
    told = "\n".join(str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row)
    for needed in (banner, "Universitas Ṡ", "IF Informatics 测试", words.term(20242), "m1"):
        assert needed in told
    assert ("*" in told) == (form == "public")
    funnel = book[sheet_names([words("meeting.sheet_funnel")])[0]]
    assert funnel["A6"].value == words.term(20191)
    assert funnel["B6"].value == 67 or form == "public"
    rate = book[sheet_names([words("meeting.sheet_on_time")])[0]]["D6"]
    assert rate.number_format == "0.0%" or rate.value == MARK


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("form", ["internal", "public"])
def test_headings_of_the_workbook_stand_over_their_figures_and_are_whole(form, language):
    pack = made(form, language)
    book = openpyxl.load_workbook(io.BytesIO(workbook(pack)))
    for name, sheet in zip(book.sheetnames[1:], pack.sheets, strict=True):
        page = book[name]
        wide = {
            place: group.width
            for group in page.column_dimensions.values()
            for place in range(group.min, group.max + 1)
        }
        for at, (head, kind) in enumerate(zip(sheet.head, sheet.forms, strict=True), 1):
            cell = page.cell(5, at)
            assert cell.value == head and cell.alignment.wrap_text
            assert cell.alignment.horizontal == (None if kind == "text" else "right"), (name, head)
            lines = textwrap.wrap(head, int(wide[at]) - 2, break_long_words=False)
            assert max(map(len, lines)) <= wide[at] - 1, (name, head)
            assert page.row_dimensions[5].height >= 15 * len(lines), (name, head)
        merged = {str(area).partition(":")[0]: area for area in page.merged_cells.ranges}
        for place in ("A2", "A3"):
            area, said = merged[place], page[place].value or ""
            width = sum(wide.get(column, 8) for column in range(area.min_col, area.max_col + 1))
            lines = textwrap.wrap(said, int(width) - 2)
            assert page[place].alignment.wrap_text, (name, place)
            assert (page.row_dimensions[int(place[1:])].height or 15) >= 15 * len(lines), (name, place)


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_share_of_one_cohort_names_it_in_both_forms(language):
    words = Words(language)
    for sheets in (internal_sheets(shown(), words), public_sheets(shown(), words)[0]):
        rows = {row[0]: row for row in by_key(sheets)["kpis"].rows}
        for label in ("Graduated on time", "Dropped out"):
            assert rows[label][-1] == words.term(20191)


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_cohort_that_the_page_names_beside_its_share_is_named_once(language):
    """Where one cohort alone has a known outcome the page says which; the pack says it as the page does."""
    words, given = Words(language), shown()
    term = words.term(20191)
    kpis = [(*row[:3], term) if at in OF_A_COHORT else row for at, row in enumerate(given.kpis)]
    rows = by_key(internal_sheets(replace(given, kpis=kpis), words))["kpis"].rows
    assert [rows[at][-1] for at in OF_A_COHORT] == [term, term]


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_public_form_says_that_a_mark_may_stand_for_more_and_beside_what_it_is_not_judged(language):
    words, told = Words(language), " ".join(made("public", language).notes())
    assert words("meeting.mark_hidden", mark=MARK, minimum=THRESHOLD) in told
    assert "9" in told and words("meeting.judged_alone") in told


def test_every_larger_figure_that_is_hidden_would_tell_of_few():
    """Of each star of five and more: were it told with its like, a small count would come out."""
    about = shown(())
    told, _ = judged(about)
    larger = {name for name in told.hidden if told.values[name] >= THRESHOLD}
    assert larger and {told.values[name] for name in larger} & set(range(5, 16))
    students = about.counts.students
    for name in larger:
        known = [
            (about.counts._rows[other], value)
            for other, value in told.values.items()
            if other not in told.hidden or other == name or told.values[other] >= THRESHOLD
        ]
        small = [other for other in told.hidden if 0 < told.values[other] < THRESHOLD]
        left, right = (np.array(part, float) for part in zip(*known, strict=True))
        assert (left @ students == right).all()
        rooms = []
        for other in small:
            ends = [
                linprog(sign * about.counts._rows[other], A_eq=left, b_eq=right, bounds=(0, None)).fun * sign
                for sign in (1.0, -1.0)
            ]
            rooms.append(ends[1] - ends[0])
        assert min(rooms) < THRESHOLD - 1, name


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("form", ["internal", "public"])
def test_the_paper_has_the_same_tables_and_charts_with_their_alternative(form, language):
    pack, words = made(form, language), Words(language)
    data = paper(pack)
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    text = " ".join(" ".join(pages).split())
    assert [sheet.title for sheet in pack.sheets if sheet.title not in text] == []
    assert all(pack.banner.split(":")[0] in page for page in pages)
    assert words.term(20191) in text and not re.search(r"\b20191\b", text)
    assert "测试" in text or "\ufffd" in text  # a name in any script prints
    if form == "public":
        assert words("meeting.left_out", sheets="").rstrip(" .")[:40] in text


FORMULA = '=HYPERLINK("http://h.example","x")'


def test_no_cell_of_the_workbook_is_run_whatever_names_the_register_holds():
    """Names of programmes, courses, groups and the institution, and what the pack is about."""
    words, hostile = Words("en"), shown()
    courses = hostile.courses.assign(course_name=f"@{FORMULA}", course_code="+1;-1")
    hostile = replace(
        hostile, names={"IF": FORMULA, "MI": "-2+3"}, courses=courses, group_name=lambda _: FORMULA
    )
    about = {"role": "leadership", "data_version": FORMULA, "model_version": "m1", "about_people": False}
    provenance = TableProvenance(FORMULA, False, made_on="2026-09-30", words=words, **about)
    pack = Pack("internal", internal_sheets(hostile, words), [], [(FORMULA, FORMULA)], provenance)
    book = openpyxl.load_workbook(io.BytesIO(workbook(pack)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert sum("h.example" in text for text in texts) > 5
    assert [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
    assert [text for text in texts if text.startswith(FORMULA_STARTS)] == []


def test_names_of_sheets_are_short_different_and_allowed():
    names = sheet_names(["A" * 40, "a" * 40, "Rates: on/off?", "About"], "About")
    assert [len(name) <= 31 for name in names] == [True] * 4
    assert len({name.lower() for name in names} | {"about"}) == 5
    assert names[2] == "Rates  on off"
