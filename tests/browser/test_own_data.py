"""From the demo to an institution's own store, and what people write in it: the real app in Chromium."""

import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from dashboard.shell.wording import Words
from data import queries
from data.store import open_store
from data.trust.scope import Scope

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples"
EN = Words("en")
NAMES = (  # what a register may hold, and what somebody may put into one
    "[tautan](http://x.example)",
    "M. $alim$ & $b$",
    "Adi *Bintang* _garis_",
    "![x](http://127.0.0.1:9/x.png) :smile: **tebal** www.x.example",
    "<img src=http://127.0.0.1:9/y.png> :red[x] :material/home:",
)
PROGRAMME = "![p](http://127.0.0.1:9/p.png) <a href='http://x.example'>Informatika</a>"
OBEYED = "a[href*=example], img[src^=http], .katex, strong, em, [data-testid=stIconMaterial]"


def test_an_empty_store_asks_for_a_password_and_greets_with_the_import(own_visitor, steps, own_site):
    page = own_visitor
    assert page.locator("[class*=st-key-enter-]").count() == page.locator(".st-key-own-data").count() == 0
    steps.sign_in(page, "kepala", own_site.password)
    expect(page.locator(".st-key-page-header h1")).to_have_text(EN("data.title"))
    page.wait_for_url(f"{own_site.url}/data")  # to which a reload comes back once the store is filled
    expect(page.locator(".st-key-own-hello")).to_contain_text(EN("own.hello_title"))
    expect(page.locator("[data-testid=stFileUploader]")).to_be_visible()
    assert page.get_by_text(EN("app.synthetic")).count() == 0


@pytest.mark.parametrize("role", ["registry", "administrator"])
def test_the_demo_offers_ones_own_store_and_takes_no_files(visitor, steps, role):
    page, card = visitor, visitor.locator(".st-key-own-data")
    expect(card).to_contain_text("make run OWN=1 PORT=")
    steps.open_page(steps.enter(page, role), "data")
    expect(page.get_by_text(EN("own.refused_title"))).to_be_visible()
    expect(card).to_be_visible()
    assert page.locator("[data-testid=stFileUploader]").count() == 0


def stored_rows(folder: Path) -> dict[str, int]:
    """Rows of the record tables in the store behind the app."""
    store = open_store(folder=folder)
    rows = queries.counts(store).set_index("table")["rows"]
    store.close()
    return {table: int(rows[table]) for table in ("students", "terms", "outcomes", "row_history")}


def test_the_registry_imports_the_sample_files_and_twice_changes_nothing(own_visitor, steps, own_site):
    page = steps.sign_in(own_visitor, "petugas", own_site.password)
    seen = [stored_rows(own_site.folder)]
    for _ in ("first", "again"):
        page.goto(f"{own_site.url}/data")  # the wizard begins anew
        page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(
            [SAMPLES / f"siakad_{table}.csv" for table in ("students", "terms", "outcomes")]
        )
        page.locator(".st-key-check button").wait_for()
        page.locator(".st-key-check button").click()
        page.locator(".st-key-apply button").wait_for()
        steps.settled(page)
        if page.locator(".st-key-skip-bad label").count():
            page.locator(".st-key-skip-bad label").click()
        page.locator(".st-key-apply button").click()
        expect(page.get_by_text(EN("data.applied"))).to_be_visible()
        seen.append(stored_rows(own_site.folder))
    assert seen[1]["students"] == seen[0]["students"] + 30
    assert seen[2] == seen[1]
    page.get_by_role("tab", name=EN("data.tab_history")).click()
    expect(page.locator("[data-testid=stDataFrame]").last).to_be_visible()


def large_register(students: int = 5_000) -> bytes:
    """A file of students above the size that is checked by the worker; most of it is a column left out."""
    filling = "x" * 1_000
    head = "NIM;Nama;Kode Prodi;Jenjang;Angkatan;Status Awal;Keterangan Panjang"
    lines = [f"3799{n:05d};Nama {n};YY;S1;2021;Baru;{filling}" for n in range(students)]
    return "\n".join([head, *lines, "TOTAL;;;;;;"]).encode()


def test_a_large_file_is_checked_elsewhere_and_the_page_stays_usable(own_visitor, steps, own_site, tmp_path):
    page = steps.sign_in(own_visitor, "petugas", own_site.password)
    before, path = stored_rows(own_site.folder), tmp_path / "besar.csv"
    path.write_bytes(large_register())
    page.goto(f"{own_site.url}/data")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files([path])
    page.locator(".st-key-check button").wait_for()
    page.locator(".st-key-check button").click()
    running = page.get_by_text(EN("data.check_large"))
    expect(running).to_be_visible()
    page.get_by_role("tab", name=EN("data.tab_history")).click()  # while the worker reads
    page.get_by_role("tab", name=EN("data.tab_import")).click()
    expect(page.locator("[class*=st-key-stop-] button").first).to_be_visible()
    expect(page.locator(".st-key-apply button")).to_be_visible()
    expect(running).to_have_count(0)
    expect(page.locator(".st-key-apply button")).to_be_disabled()  # the total is an error
    assert stored_rows(own_site.folder) == before


def test_odd_files_of_an_office_are_understood_on_the_page(own_visitor, steps, own_site, tmp_path):
    page, book = steps.sign_in(own_visitor, "petugas", own_site.password), openpyxl.Workbook()
    for line in (
        ["Daftar Mahasiswa"],
        ["No", "Mahasiswa", None, "Program Studi", None, "Angkatan", "Status Awal"],
        [None, "NIM", "Nama", "Kode Prodi", "Jenjang", None, None],
        [1, "4799001", "Ani", "ZZ", "S1", "2021", "Baru"],
        [2, "4799002", "Budi", "ZZ", "S1", "2021", "Baru"],
    ):
        book.active.append(line)
    book.active.merge_cells("F2:F3")
    students, terms = tmp_path / "mahasiswa.xlsm", tmp_path / "semester.csv"
    book.save(students)
    text = "sep=;\r\nNIM;Nama;Semester;Status;IPS;SKS\r\n4799001;Ani;20211;Aktif;3,45;20\r\n"
    terms.write_bytes(text.encode("utf-16"))
    page.goto(f"{own_site.url}/data")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files([students, terms])
    page.locator(".st-key-check button").wait_for()
    page.locator(".st-key-check button").click()
    expect(page.locator(".st-key-apply button")).to_be_enabled()
    for label in page.locator("[data-testid=stExpander] summary").all():
        if "SIAKAD" in label.inner_text() and EN("data.kind_terms") in label.inner_text():
            label.click()
    expect(page.get_by_text(EN("data.elsewhere", names="Nama")).first).to_be_visible()
    assert page.get_by_text(EN("data.unknown", names="Nama")).count() == 0


def load(own_site, tmp_path: Path) -> dict[str, str]:
    """Write students with such names; name → key."""
    head = "NIM;Nama;Kode Prodi;Program Studi;Jenjang;Angkatan;Status Awal;Dosen Wali"
    lines = [f"2799{n};{name};XX;{PROGRAMME};S1;2021;Baru;dosen.wali" for n, name in enumerate(NAMES)]
    path = tmp_path / "nama.csv"
    path.write_text("\n".join([head, *lines]), encoding="utf-8")
    env = os.environ | {"TEPAT_FOLDER": str(own_site.folder), "DATABASE_URL": ""}
    command = [sys.executable, "-m", "data", "load", "--students", str(path)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    store = open_store(folder=own_site.folder)
    found = queries.search_students(store, Scope.system(), "2799", 20)
    store.close()
    return dict(zip(found["name"], found["student_key"], strict=True))


def test_names_are_shown_as_they_were_written_and_fetch_nothing(own_visitor, steps, own_site, tmp_path):
    page, asked = own_visitor, []
    page.on("request", lambda request: asked.append(request.url))
    keys = load(own_site, tmp_path)
    assert set(keys) == set(NAMES)
    steps.sign_in(page, "dosen.wali", own_site.password)
    for name, key in keys.items():
        page.goto(f"{own_site.url}/student?s={key}")
        header = page.locator(".st-key-page-header")
        expect(header.locator("h1")).to_be_visible()
        assert header.locator("h1").inner_text().replace("\u2060", "") == name
        caption = page.locator("[data-testid=stMain] [data-testid=stCaptionContainer]").first
        assert PROGRAMME in caption.inner_text().replace("\u2060", "")
        for place in (header, caption):
            assert place.locator(OBEYED).count() == 0
    page.context.clear_cookies()
    page.goto(own_site.url)
    steps.sign_in(page, "petugas", own_site.password)
    page.locator(".st-key-student-search input").fill("2799")
    matches = page.locator(".st-key-student-matches button")
    expect(matches).to_have_count(len(NAMES))
    shown = {one.replace("\u2060", "").split(" · ")[0] for one in matches.all_inner_texts()}
    assert shown == set(NAMES) and page.locator(".st-key-student-matches").locator(OBEYED).count() == 0
    assert [url for url in asked if not url.startswith((own_site.url, "data:", "blob:"))] == []
