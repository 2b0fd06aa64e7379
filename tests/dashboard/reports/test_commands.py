"""The command line: files of a report, settings, and the check of a stored report."""

import json
import re
import runpy
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from dashboard.__main__ import app
from dashboard.reports import describe, pipeline
from dashboard.reports.by_hand import read_figures
from dashboard.reports.profile import profile_ids
from dashboard.reports.provenance import today
from data.calendar.study_time import StudyCalendar
from data.settings import get_settings
from data.store import get_fact, open_store, write_records
from data.trust.scope import Scope

APPROVAL = Path(__file__).with_name("test_approval.py")


@pytest.fixture
def filled(sqlite_template, tmp_path, monkeypatch):
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    store = open_store()
    frames = runpy.run_path(str(APPROVAL))["frames"]()
    write_records(store, frames, source="register40.csv", files={}, actor="registry", synthetic=True)
    yield store
    store.close()
    get_settings.cache_clear()


def named(stem: str, state: str = "draf") -> str:
    """A file's name with the state and the day of the one that was just made."""
    begin, audience, rest = re.split("_(internal|external)", stem)
    return f"{begin}_{state}_{today('').replace('-', '')}_{audience}{rest}"


def run(*arguments):
    return CliRunner().invoke(app, [str(part) for part in arguments])


def test_a_public_report_hides_small_cells_and_says_how_many(filled, tmp_path):
    asked = ("report", "iaps40-8c", "--program", "55201", "--ts", "2025", "--out", tmp_path)
    for audience, code in (("assessor", "internal"), ("public", "external")):
        done = run(*asked, "--language", "en", "--audience", audience)
        assert done.exit_code == 0, done.output
        table = pd.read_csv(tmp_path / named(f"iaps40-8c_55201_TS2025_{code}_synthetic.csv", "draft"))
        hidden = table["state"].eq("suppressed").sum()
        assert (hidden > 0) == (audience == "public")


def test_a_report_is_written_as_files_for_the_assessors_by_default(filled, tmp_path):
    done = run("report", "iaps40-8c", "--program", "55201", "--ts", "2025", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    stem = "iaps40-8c_55201_TS2025_internal"
    assert names == sorted(
        [
            named(f"{stem}_en_synthetic.pdf", "draft"),
            named(f"{stem}_en_synthetic.xlsx", "draft"),
            named(f"{stem}_id_synthetic.pdf"),
            named(f"{stem}_id_synthetic.xlsx"),
            named(f"{stem}_synthetic.csv", "draft"),
        ]
    )


def test_ts_is_the_last_full_year_when_none_is_given(filled, tmp_path):
    done = run("report", "abet-public", "--out", tmp_path, "--language", "en", "--audience", "internal")
    assert (
        done.exit_code == 0
        and named("abet-public_all_TS2025_internal_en_synthetic.xlsx", "draft") in done.output
    )


def test_figures_come_from_a_file(filled, tmp_path):
    figures = tmp_path / "figures.csv"
    figures.write_text(
        "profile;program_code;ts;row;column;value;reason;by\n"
        "iaps40-2a;55201;2025;TS;capacity;120;;\n"
        "iaps40-2a;55201;2025;TS;new_regular;31;one more in the archive;siti\n"
        "iaps40-2a;55201;2024;TS;capacity;999;;\n",
        encoding="utf-8",
    )
    asked = ("report", "iaps40-2a", "--program", "55201", "--by-hand", figures, "--audience", "internal")
    done = run(*asked, "--ts", "2025", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    told = pd.read_csv(tmp_path / named("iaps40-2a_55201_TS2025_internal_synthetic.csv", "draft"))
    cells = told[told["part"] == "cell"].set_index(["row", "column"])
    assert cells.loc[("TS", "capacity"), "value"] == 120
    assert cells.loc[("TS", "new_regular"), "value"] == 31 and cells.loc[("TS", "new_regular"), "overridden"]
    figures.write_text(figures.read_text().replace(";31;", ";-31;"), encoding="utf-8")
    refused = run(*asked, "--ts", "2025", "--out", tmp_path)
    assert refused.exit_code == 2 and "line 3" in refused.output and "Traceback" not in refused.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing", "--program", "55201"), "iaps40-8c"),
        (("iaps40-8c", "--program", "99999"), "99999"),
        (("iaps40-8c",), "levels"),
        (("iaps40-8c", "--audience", "everybody"), "everybody"),
        (("abet-public", "--ts", "2999"), "ts must be at most 20"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(filled, tmp_path, arguments, said):
    done = run("report", *arguments, "--out", tmp_path)
    assert done.exit_code != 0 and said in done.output and "Traceback" not in done.output


def test_settings_are_kept_and_printed_in_the_signature_block(filled):
    done = run("report-settings", "--graduation-date", "yudisium", "--university-leader", "Rektor Ani")
    assert "yudisium" in done.output
    register = pipeline.read_register(filled, Scope.system())
    _, provenance = pipeline.build(filled, register, pipeline.Request("iaps40-8c", "55201", 2025))
    assert provenance.signatories == {"university_leader": "Rektor Ani"}
    assert provenance.calendar == {"start_month": 9, "graduation_date": "yudisium"}


def test_the_calendar_is_a_setting_that_every_report_says(filled):
    done = run("report-settings", "--start-month", "10", "--closing-months", "9, 2,8")
    assert done.exit_code == 0 and "closing_months: [2, 8, 9]" in done.output
    register = pipeline.read_register(filled, Scope.system())
    assert register.calendar.study == StudyCalendar(10, (2, 8, 9))
    table, provenance = pipeline.build(filled, register, pipeline.Request("iaps40-8c", "55201", 2025))
    assert provenance.calendar["closing_months"] == [2, 8, 9]
    said = [value for _, value in describe.provenance_pairs(table, provenance, "en")]
    assert (
        "begins on 1 October; exits in February, August, September belong to the term that ended before"
        in said
    )
    back = run("report-settings", "--start-month", "9", "--closing-months", "default")
    assert back.exit_code == 0 and "closing_months" not in back.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--start-month", "7"), "start_month must be 8–12, got 7"),
        (("--closing-months", "2"), "must be [8]"),
        (("--closing-months", "August"), "must be months as numbers"),
        (("--start-month", "8", "--closing-months", "2,8"), "got [8]"),
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused_in_one_line(filled, arguments, said):
    done = run("report-settings", *arguments)
    assert done.exit_code == 2 and "Traceback" not in done.output
    assert said in " ".join(done.output.replace("│", " ").split())
    assert get_fact(filled, "report_settings", {}) == {}


def test_a_stored_report_and_its_files_can_be_checked(filled, tmp_path):
    register = pipeline.read_register(filled, Scope.system())
    built = pipeline.build(filled, register, pipeline.Request("iaps40-8c", "55201", 2025))
    prepared = pipeline.prepare(filled, *built, actor="siti", role="accreditation")
    _, files = pipeline.approve(filled, Scope.system(), prepared.report_id, actor="dekan", role="leadership")
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(next(data for name, data in files.items() if name.endswith(".pdf")))
    said = run("report-verify", prepared.report_id, paper, "--language", "en").output
    assert said.startswith("Unchanged since it was sealed; the audit log agrees. This file is exactly one of")
    assert "Tidak berubah sejak disegel" in run("report-verify", prepared.report_id).output
    paper.write_bytes(b"%PDF-forged")
    found = run("report-verify", prepared.report_id, paper)
    assert found.exit_code == 1 and "file_unknown" not in found.output
    assert "the file is none of those that were approved" in found.output
    assert "berkas ini bukan salah satu yang disetujui" in found.output
    told = json.loads(run("report-verify", prepared.report_id, paper, "--json").output)
    assert told[prepared.report_id] == {"intact": False, "problems": ["file_unknown"], "withdrawn": ""}
    strange = run("report-verify", prepared.report_id, "--language", "fr")
    assert strange.exit_code == 2 and "language must be one of en, id" in strange.output
    assert run("report-verify", "0" * 12).exit_code == 2


def test_the_list_of_reports_says_what_each_is():
    listed = run("report", "list").output.splitlines()
    assert len(listed) == len(profile_ids())
    [line] = [line for line in listed if line.startswith("iaps40-2a ")]
    assert line.split(maxsplit=1)[1] == "BAN-PT IAPS 4.0, 2.a: Seleksi Mahasiswa / Student selection"


def test_a_blank_file_of_figures_can_be_filled_in_and_read(filled, tmp_path):
    asked = ("report", "iaps40-2a", "--program", "55201", "--ts", "2025")
    blank = tmp_path / "figures.csv"
    assert run(*asked, "--blank", blank).exit_code == 0
    lines = pd.read_csv(blank, sep=";", dtype=str, keep_default_na=False)
    assert ("TS", "capacity") in set(zip(lines["row"], lines["column"], strict=True))
    assert lines["label"].str.contains("tidak ada di register").any()
    assert read_figures(blank.read_bytes()) == ()
    lines.loc[(lines["row"] == "TS") & (lines["column"] == "capacity"), "value"] = "120"
    lines.to_csv(blank, sep=";", index=False)
    done = run(*asked, "--by-hand", blank, "--audience", "internal", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    told = pd.read_csv(tmp_path / named("iaps40-2a_55201_TS2025_internal_synthetic.csv", "draft"))
    assert told.set_index(["part", "row", "column"]).loc[("cell", "TS", "capacity"), "value"] == 120


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "iaps40-2a;55201;2025;TS;kapasitas;120",
            "line 2: iaps40-2a has no column 'kapasitas'; its columns are cap",
        ),
        (
            "iaps40-2a;55201;2025;2025;capacity;120",
            "line 2: iaps40-2a has no row '2025'; its rows are TS-4, TS-3",
        ),
        ("iaps40-2z;55201;2025;TS;capacity;120", "line 2: profile must be one of abet-public"),
    ],
)
def test_a_figure_of_no_cell_is_refused_with_those_that_there_are(filled, tmp_path, line, said):
    figures = tmp_path / "figures.csv"
    figures.write_text(f"profile;program_code;ts;row;column;value\n{line}\n", encoding="utf-8")
    asked = ("report", "iaps40-2a", "--program", "55201", "--ts", "2025", "--by-hand", figures)
    done = run(*asked, "--out", tmp_path)
    assert done.exit_code == 2 and said in done.output, done.output


def test_figures_of_other_reports_are_counted(filled, tmp_path):
    figures = tmp_path / "figures.csv"
    figures.write_text(
        "profile;program_code;ts;row;column;value\n"
        "iaps40-2a;55201;2025;TS;capacity;120\niaps40-2a;55201;2024;TS;capacity;110\n",
        encoding="utf-8",
    )
    asked = ("report", "iaps40-2a", "--program", "55201", "--ts", "2025", "--by-hand", figures)
    assert "1 of 2 lines of the figures are of another profile" in run(*asked, "--out", tmp_path).output


def test_place_and_staff_numbers_stand_in_the_signature_block(filled, tmp_path):
    import pypdf

    done = run("report-settings", "--place", "Surabaya", "--head-of-programme", "Dr. Sari")
    assert done.exit_code == 0, done.output
    assert run("report-settings", "--head-of-programme-number", "NIDN 0701018001").exit_code == 0
    asked = ("report", "iaps40-8c", "--program", "55201", "--ts", "2025", "--out", tmp_path)
    assert run(*asked, "--language", "id").exit_code == 0
    [file] = tmp_path.glob("*.pdf")
    text = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(file).pages).split())
    assert "Dr. Sari" in text and "NIDN 0701018001" in text and "Surabaya, Tanggal:" in text
