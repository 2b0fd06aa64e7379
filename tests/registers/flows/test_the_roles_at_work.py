"""Every role of the second university at its main task, in the real app, with account and password.

In the order of a year: a late list comes in, a student is asked and enrolled, forms are checked, talks are
held, a report is prepared, signed and taken along, and the auditor finds all of it.
"""

from __future__ import annotations

import csv
import io
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from dashboard.shell.wording import Words
from data import queries, schema
from data.trust import audit
from data.trust.scope import Scope
from data.verification import queries as queries_verification
from tests.registers.second_university.names import ADDED_AT
from tests.registers.second_university.office import image_of
from tests.registers.second_university.plan import SEED
from tests.registers.second_university.truth import graduates_table

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN = Words("en")
EVERYBODY = Scope.system()
ADVISORS = ("dosen.rahayu", "dosen.wibowo", "dosen.lestari")
JOINER = "\u2060"  # not seen; it keeps an address in a name from being read as one
SPECIAL = [name for cohort, kind, name in ADDED_AT if (cohort, kind) == (2024, "within")]


def taken(page, key: str) -> bytes:
    """What arrives when a download button is pressed."""
    with page.expect_download() as waiting:
        page.locator(f".st-key-{key} button[data-testid^=stBaseButton]:visible").click()
    return Path(waiting.value.path()).read_bytes()


def find_student(page, nim: str, steps) -> None:
    """Search by number and choose the one match."""
    page.locator(".st-key-student-search input").fill(nim)
    page.locator(".st-key-student-matches button").first.click()
    expect(page.locator(".st-key-chosen-student")).to_contain_text(nim)
    steps.settled(page)


def text_of(pdf: bytes, folder: Path) -> str:
    """The text of a PDF, as poppler reads it."""
    path = folder / "read.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode()


def reports_kept(university) -> list[tuple]:
    """(id, status, who prepared it, who approved it) of every stored report, the oldest first."""
    table = schema.reports
    columns = (table.c.report_id, table.c.status, table.c.prepared_by, table.c.approved_by)
    with university.store() as store, store.reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(table.c.prepared_at))]


def entries(university) -> str:
    """The newest acts in the log, as text: who did what."""
    with university.store() as store:
        found = audit.entries(store, limit=500)
    return "\n".join(f"{row.actor} {row.action}" for row in found.itertuples())


def test_the_administrator_imports_a_late_list(signed_in, steps, university):
    page = signed_in("admin.ti")
    expect(page.locator(".st-key-page-header h1")).to_have_text(EN("overview.title"))
    steps.open_page(page, "data")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files([university.office.intake])
    page.locator(".st-key-check button").wait_for()
    page.locator(".st-key-check button").click()
    page.locator(".st-key-apply button").wait_for()
    steps.settled(page)
    page.locator(".st-key-apply button").click()
    expect(page.get_by_text(EN("data.applied"))).to_be_visible()
    with university.store() as store:
        added = [queries.find_student(store, EVERYBODY, nim) for nim in ("F1D260007", "F1D260014")]
    assert None not in added
    assert "synthetic" not in university.run("data", "status").stdout.lower()


def test_the_registry_asks_for_consent_enrols_and_checks_a_form(signed_in, steps, university):
    form = university.office.unasked
    page = steps.open_page(signed_in("biro.satu"), "consent")
    find_student(page, form.nim, steps)
    page.locator(".st-key-consent-purposes").get_by_text(
        EN("consent.purpose_verification"), exact=True
    ).click()
    page.locator(".st-key-consent-record-source input").fill("formulir 12/2026")
    page.locator(".st-key-consent-save button").click()
    expect(page.get_by_text(EN("consent.record_done"), exact=True)).to_be_visible()

    steps.open_page(page, "enrolment")
    page.locator(".st-key-enrol button").click()
    expect(page.locator(".st-key-card-enrol")).to_contain_text(EN("enrolment.done", n="").split(" ")[0])
    page.locator("[data-testid=stSidebarNavLink]").first.click()
    expect(page.locator(".st-key-page-header h1")).to_have_text(EN("verification.title"))
    page.locator(".st-key-questioned-file input[type=file]").set_input_files(form.path)
    page.locator(".st-key-compare button").click()
    outcome = page.locator(".st-key-card-decision")
    expect(outcome).to_contain_text(EN("signature.footer"))
    with university.store() as store:
        made = queries_verification.decisions(store, EVERYBODY, key=university.key_of(form.nim))
    assert made["outcome"].tolist() in (["consistent"], ["inconclusive"])  # the student's own hand
    assert taken(page, "case-file").startswith(b"%PDF")


def test_a_copy_handed_in_again_is_reviewed_by_a_second_person(signed_in, steps, university, site):
    nim = university.office.unasked.nim
    page = steps.open_page(signed_in("biro.satu"), "enrolment")
    page.locator("[data-testid=stSidebarNavLink]").first.click()
    find_student(page, nim, steps)
    copy = image_of(university.truth.specimens[nim][0], SEED)
    page.locator(".st-key-questioned-file input[type=file]").set_input_files(
        {"name": "formulir.png", "mimeType": "image/png", "buffer": copy}
    )
    page.locator(".st-key-compare button").click()
    expect(page.locator(".st-key-card-decision")).to_contain_text(EN("verification_reason.copy_of_specimen"))
    with university.store() as store:
        case = queries_verification.decisions(store, EVERYBODY, key=university.key_of(nim)).iloc[0]

    second = signed_in("biro.dua")
    second.goto(f"{site.url}/review?case={case['decision_id']}")
    expect(second.locator(".st-key-card-case")).to_contain_text(nim)
    second.locator(".st-key-opinion-opinion label").filter(has_text=EN("opinion.cannot_tell")).click()
    second.locator(".st-key-opinion-reasons").get_by_text(EN("review.reason_shape"), exact=True).click()
    second.get_by_role("button", name=EN("review.give")).click()
    expect(second.locator(".st-key-card-opinion")).to_contain_text(EN("review.progress_one"))


def test_a_scan_is_shown_to_the_registry_and_to_no_one_without_a_session(signed_in, steps):
    page = steps.open_page(signed_in("biro.satu"), "signatures")
    scan = page.locator(".st-key-paper-scan img")
    expect(scan).to_be_visible()
    assert scan.evaluate("image => image.naturalWidth") > 100
    address = scan.evaluate("image => image.src")
    if address.startswith("http"):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(address, timeout=30)


def test_the_head_of_a_programme_sees_its_figures_and_no_single_student(signed_in, university, steps):
    page = signed_in("kaprodi")
    expect(page.locator(".st-key-page-header h1")).to_have_text(EN("overview.title"))
    with university.store() as store:
        late_list = queries.find_student(store, EVERYBODY, "F1D260007") is not None
    enrolled = 97 + 30 + (2 if late_list else 0)
    expect(page.locator(".st-key-kpis [data-testid=stMetricValue]").first).to_have_text(str(enrolled))
    steps.settled(page)  # the charts and cards below the figures too
    shown = page.locator("[data-testid=stMain]").inner_text()
    assert "Peternakan" in page.content()
    assert "Ilmu Hukum" not in shown
    assert not [nim for nim in university.truth.names if nim in page.content()]
    assert page.locator("[data-testid=stSidebarNavLink][href*=student]").count() == 0


@pytest.mark.parametrize("advisor", ADVISORS)
def test_an_advisor_opens_own_students_under_the_names_they_have(
    signed_in, steps, university, site, tmp_path, advisor
):
    own = {
        nim: name
        for nim, name in university.truth.names.items()
        if name in SPECIAL and university.truth.advised_by[nim] == advisor
    }
    assert len(own) >= 3
    page = signed_in(advisor)
    expect(page.locator("[data-testid=stDataFrame]").first).to_be_visible()
    for nim, name in own.items():
        page.goto(f"{site.url}/student?s={university.key_of(nim)}")
        header = page.locator(".st-key-page-header")
        heading = header.locator("h1").inner_text().replace(JOINER, "")
        assert heading.strip() == " ".join(name.split())
        assert header.locator("a[href^=http], img, .katex, em, strong").count() == 0, name
        assert nim in text_of(taken(page, "student-pdf"), tmp_path)


def test_an_advisor_logs_a_talk_and_never_sees_a_colleagues_student(signed_in, steps, university, site):
    within = [nim for nim, label in university.truth.labels.items() if label == "censored"]
    mine = next(nim for nim in within if university.truth.advised_by[nim] == "dosen.rahayu")
    other = next(nim for nim in within if university.truth.advised_by[nim] == "dosen.wibowo")
    page = signed_in("dosen.rahayu")
    page.goto(f"{site.url}/student?s={university.key_of(mine)}")
    page.locator(".st-key-event-kind").get_by_text(EN("event.contact"), exact=True).click()
    page.get_by_role("textbox", name=EN("event.text")).fill("Membahas rencana studi")
    page.get_by_role("button", name=EN("event.save")).click()
    expect(page.get_by_text("Membahas rencana studi")).to_be_visible()
    page.goto(f"{site.url}/student?s={university.key_of(other)}")
    expect(page.get_by_text(EN("student.denied_title"))).to_be_visible()
    assert university.truth.names[other] not in page.content()


def test_a_half_written_follow_up_survives_leaving_its_page(signed_in, steps, university, site):
    within = [nim for nim, label in university.truth.labels.items() if label == "censored"]
    one = next(nim for nim in within if university.truth.advised_by[nim] == "dosen.wibowo")
    page = signed_in("dosen.wibowo")
    page.goto(f"{site.url}/student?s={university.key_of(one)}")
    text, note = page.get_by_role("textbox", name=EN("event.text")), page.get_by_text(EN("state.draft"))
    text.press_sequentially("Menunggu kabar orang tuanya")
    for way in ("followups", "inbox"):
        steps.open_page(page, way)
        steps.open_page(page, "student")
        expect(text).to_have_value("Menunggu kabar orang tuanya")
        expect(note).to_be_visible()
    page.get_by_role("button", name=EN("event.save"), exact=True).click()
    log = page.locator(".st-key-card-log")
    expect(log.get_by_text("Menunggu kabar orang tuanya", exact=True)).to_be_visible()
    expect(text).to_have_value("")
    expect(note).to_have_count(0)


def test_the_advisor_of_a_programme_that_fell_silent_is_not_told_that_there_is_nobody(signed_in):
    """Sixteen were enrolled when the last list came, two years ago: they are assigned, at no known risk."""
    page = signed_in("dosen.akuntansi")
    expect(page.locator(".st-key-page-header h1")).to_have_text(EN("caseload.title"))
    main = page.locator("[data-testid=stMain]")
    expect(main).to_contain_text(EN.count("students", 16))
    expect(main).not_to_contain_text(EN("caseload.none_title"))
    expect(main).not_to_contain_text(EN("state.error_title"))


def choose_report(page, steps) -> None:
    """BAN-PT's table of graduates of the S1, TS 2025."""
    steps.choose(page, "report-program-True", "54231 Peternakan (S1)")
    expect(page.locator(".report-table").first).to_be_visible()
    expect(page.locator("[class*='st-key-report-ts'] input")).to_have_value("2025")


def open_version(page, steps) -> None:
    """Open the first version; the list of a select box closes when the page scrolls, so that comes before."""
    key = "report-version-iaps40-8c-54231-2025"
    page.locator(f".st-key-{key}").scroll_into_view_if_needed()
    page.mouse.wheel(0, 4000)  # what comes late below has its height by now
    page.wait_for_timeout(800)
    page.locator(f".st-key-{key}").scroll_into_view_if_needed()
    page.wait_for_timeout(800)
    steps.choose(page, key, f"{EN('reports.version')} 1")


def test_accreditation_prepares_and_the_dean_signs(signed_in, steps, university):
    office = signed_in("mutu")
    choose_report(office, steps)
    office.get_by_role("button", name=EN("reports.prepare")).click()
    expect(office.get_by_text(EN("reports.prepared_done", version=1))).to_be_visible()

    dean = steps.open_page(signed_in("dekan"), "reports")
    choose_report(dean, steps)
    open_version(dean, steps)
    dean.locator(".st-key-report-approve button").click()
    expect(dean.get_by_text(EN("reports.approved_done", version=1))).to_be_visible()
    assert [kept[1:] for kept in reports_kept(university)] == [("approved", "mutu", "dekan")]


def test_the_signed_report_is_taken_along_proved_and_right(signed_in, steps, university):
    signed = reports_kept(university)[0][0]
    page = signed_in("mutu")
    choose_report(page, steps)
    open_version(page, steps)
    page.locator(f".st-key-report-{signed}-audience").get_by_text(
        EN("reports.audience_internal"), exact=True
    ).click()
    book, table = taken(page, f"report-{signed}-xlsx"), taken(page, f"report-{signed}-csv")
    assert taken(page, f"report-{signed}-pdf").startswith(b"%PDF")
    cells = {
        (row["row"], row["column"]): float(row["value"])
        for row in csv.DictReader(io.StringIO(table.decode("utf-8-sig")))
        if row["part"] == "cell" and row["value"]
    }
    right = graduates_table("54231", 2025, back=6)
    assert {cell: cells.get(cell) for cell in right} == right
    page.locator(f".st-key-report-check-{signed} input[type=file]").set_input_files(
        {"name": "laporan.xlsx", "mimeType": "application/octet-stream", "buffer": book}
    )
    expect(page.get_by_text(EN("reports.check_file_good"))).to_be_visible()
    said = university.run("dashboard", "report-verify", signed, "--language", "en")
    assert (said.returncode, said.stdout.strip()) == (0, EN("reports.intact"))


def test_the_auditor_finds_who_did_what(signed_in, university):
    page = signed_in("spi")
    expect(page.get_by_text("each proven with the store")).to_be_visible()
    page.locator(".st-key-export-audit button").first.click()
    rows = list(csv.reader(io.StringIO(taken(page, "export-audit-csv").decode("utf-8-sig"))))
    told = {" ".join(row) for row in rows}
    for actor in ("admin.ti", "biro.satu", "biro.dua", "dosen.rahayu", "mutu", "dekan"):
        assert any(actor in line for line in told), actor
    acts = entries(university)
    prepared, talked = "mutu prepare report", "dosen.rahayu log_event"
    for act in (prepared, "dekan approve report", talked, "biro.satu record consent"):
        assert act in acts, act
    assert university.run("data", "audit").returncode == 0


def test_who_signs_out_is_out(signed_in, site):
    page = signed_in("dekan")
    page.locator(".st-key-sign-out button").click()
    page.get_by_label(EN("sign_in.password")).first.wait_for()
    page.reload()
    page.get_by_label(EN("sign_in.password")).first.wait_for()
    assert page.locator(".st-key-page-header").count() == 0
