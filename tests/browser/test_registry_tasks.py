"""The registry's three main tasks in the real app, in both languages: enrol, check a signature, review."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard.shell.wording import Words
from data import queries
from data.store import open_store
from data.trust.scope import Scope
from data.verification import queries as queries_verification
from data.verification import reviews
from vision.verification.reference_choice import choose_references
from vision.verification.verify import FEWEST_REFERENCES

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EVERYBODY = Scope.system()
LANGUAGES = ("en", "id")


@pytest.fixture(scope="module")
def students(site) -> dict[str, dict]:
    """For each language a student who agrees to verification and has enough good specimens."""
    store = open_store(folder=site.folder)
    specimens = queries.specimen_table(store, "verification")
    held = set(queries_verification.enrolments(store, EVERYBODY)["student_key"])
    found = []
    for key, rows in specimens.groupby("student_key", sort=True):
        if key not in held and len(choose_references(rows).references) > FEWEST_REFERENCES:
            found.append(queries.student(store, EVERYBODY, key).iloc[0].to_dict())
        if len(found) == len(LANGUAGES):
            break
    store.close()
    return dict(zip(LANGUAGES, found, strict=True))


def speaking(page, language: str, steps):
    """The sign-in in a language."""
    if language != "en":
        page.locator(".st-key-language_choice").get_by_text(language.upper(), exact=True).click()
        expect(page.get_by_text(Words(language)("app.tagline"))).to_be_visible()
    return steps.enter(page, "registry")


def find_student(page, student: dict, steps) -> None:
    """Search by number and choose the one match."""
    page.locator(".st-key-student-search input").fill(student["student_number"])
    page.locator(".st-key-student-matches button").first.click()
    expect(page.locator(".st-key-chosen-student")).to_contain_text(student["student_number"])
    steps.settled(page)


def copy_of_a_reference(site, key: str) -> bytes:
    """The file of a specimen on file: handed in again it is a case for review, whatever the scores say."""
    store = open_store(folder=site.folder)
    specimens = queries.student_specimens(store, EVERYBODY, key)
    image = queries.specimen_image(store, specimens.iloc[-1]["specimen_id"], Scope.system())
    store.close()
    return image


def newest_case(site, key: str) -> str:
    """The student's newest comparison."""
    store = open_store(folder=site.folder)
    case = queries_verification.decisions(store, EVERYBODY, key=key).iloc[0]["decision_id"]
    store.close()
    return case


def opinions_on(site, key: str) -> list[tuple[str, str]]:
    """What was written down about the student's newest case."""
    case, store = newest_case(site, key), open_store(folder=site.folder)
    given = reviews.opinions(store, EVERYBODY, case)
    store.close()
    return list(zip(given["kind"], given["opinion"], strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_registry_enrols_checks_and_reviews(visitor, steps, site, students, language):
    words, student = Words(language), students[language]
    page = speaking(visitor, language, steps)

    steps.open_page(page, "enrolment")
    find_student(page, student, steps)
    page.locator(".st-key-enrol button").click()
    expect(page.locator(".st-key-card-enrol")).to_contain_text(words("enrolment.done", n="").split(" ")[0])

    page.locator("[data-testid=stSidebarNavLink]").first.click()
    expect(page.locator(".st-key-page-header h1")).to_have_text(words("verification.title"))
    expect(page.locator(".st-key-chosen-student")).to_contain_text(student["student_number"])
    image = copy_of_a_reference(site, student["student_key"])
    page.locator(".st-key-questioned-file input[type=file]").set_input_files(
        {"name": "form.png", "mimeType": "image/png", "buffer": image}
    )
    shown = page.locator(".st-key-paper-questioned img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") > 100
    page.locator(".st-key-compare button").click()
    outcome = page.locator(".st-key-card-decision")
    expect(outcome).to_contain_text(words("verification_reason.copy_of_specimen"))
    expect(outcome).to_contain_text(words("signature.footer"))
    with page.expect_download() as waiting:
        page.locator(".st-key-case-file button").first.click()
    assert Path(waiting.value.path()).read_bytes().startswith(b"%PDF")

    case = newest_case(site, student["student_key"])
    page.goto(f"{site.url}/review?case={case}&lang={language}")
    expect(page.locator(".st-key-card-case")).to_contain_text(student["student_number"])
    page.locator(".st-key-opinion-opinion label").filter(has_text=words("opinion.cannot_tell")).click()
    page.locator(".st-key-opinion-reasons").get_by_text(words("review.reason_shape"), exact=True).click()
    page.get_by_role("button", name=words("review.give")).click()
    expect(page.locator(".st-key-card-opinion")).to_contain_text(words("review.progress_one"))
    page.get_by_role("textbox", name=words("review.settle_text")).fill("a copy")
    page.get_by_role("button", name=words("review.settle_go"), exact=True).click()
    expect(page.get_by_text(words("review.settled_done"), exact=True)).to_be_visible()
    assert opinions_on(site, student["student_key"]) == [
        ("opinion", "cannot_tell"),
        ("settlement", "ask_again"),
    ]


def test_a_signature_is_photographed_checked_and_shown(visitor, steps, students):
    words = Words("en")
    page = steps.enter(visitor, "registry")
    find_student(page, students["en"], steps)
    page.locator(".st-key-questioned-way").get_by_text(words("verification.way_camera"), exact=True).click()
    camera = page.locator(".st-key-questioned-camera")
    expect(camera.locator("video")).to_be_visible()
    expect(camera.locator("video")).to_have_js_property("readyState", 4)  # HAVE_ENOUGH_DATA
    camera.get_by_role("button", name="Take Photo").click()
    shown = page.locator(".st-key-paper-questioned img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") == 640
    findings = page.get_by_text(words("signature.quality"), exact=True)
    expect(findings).to_be_visible()
    assert not page.get_by_text(words("check.SIG001"), exact=True).count()  # the ink of the film is seen
    camera.get_by_role("button", name="Clear photo").click()
    expect(shown).to_have_count(0)
