"""The registry's pages on signatures: check one, check a folder, review blind, enrol, judge duplicates."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw
from pypdf import PdfReader

from dashboard.jobs import asking as jobs
from dashboard.jobs import signatures as jobs_verification
from dashboard.shell.wording import Words
from dashboard.verification.crop import read_sheet
from data import queries
from data.calendar.clock import today
from data.consents.consent import record_consent
from data.jobs import table as job_table
from data.signatures.findings import found_codes
from data.store import open_store
from data.trust.accounts import Account, write_accounts
from data.trust.scope import Scope
from data.verification import queries as queries_verification
from data.verification import reviews
from data.verification.custody import custody
from data.verification.duplicates import duplicate_counts, duplicate_findings
from data.verification.write import replace_duplicates
from tests.conftest import name_everybody
from tests.dashboard.pages.test_names_are_text import complaints, hostile
from tests.vision.verification.test_verification_pipeline import apart, drawing
from vision.descriptor.describe_specimens import describe_pending
from vision.recipes.form_detector import synthetic_inks
from vision.recipes.synthetic_forms import make_form
from vision.scans.quality import check_pixels
from vision.verification.forger_share import SYNTHETIC_DOUBT

EN = Words("en")
RINA, SITI = Account("rina", "Rina", "registry"), Account("siti", "Siti", "registry")


def scan(points=((20, 60), (70, 20), (110, 75), (150, 25), (220, 60))) -> bytes:
    sheet = Image.new("L", (240, 96), 245)
    ImageDraw.Draw(sheet).line(points, fill=40, width=3)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", dpi=(300, 300))
    return buffer.getvalue()


@pytest.fixture
def office(small_university, tmp_path, served):
    """A copy of the small university that may be written to; a student with specimens who agrees."""
    shutil.copytree(small_university.store.folder, tmp_path / "office")
    store = open_store(f"sqlite:///{tmp_path / 'office' / 'tepat.db'}", folder=tmp_path / "office")
    served(store)
    specimens = queries.specimen_table(store, "verification")
    key = specimens.groupby("student_key").size().idxmax()
    own = specimens[specimens["student_key"] == key]
    number = queries.student(store, Scope.system(), key).iloc[0]["student_number"]
    yield SimpleNamespace(store=store, key=key, number=number, specimens=own)
    store.close()


@pytest.fixture
def enrolled(office):
    from vision.verification.verification_pipeline import enrol

    enrol(office.store, office.key, actor="rina", specimen_ids=list(office.specimens["specimen_id"]))
    return office


@pytest.fixture
def case(enrolled):
    """A copy of a reference, handed in to Rina: a case for review whatever the scores say."""
    from vision.verification.verification_pipeline import verify

    copied = queries.specimen_image(enrolled.store, enrolled.specimens.iloc[0]["specimen_id"], Scope.system())
    made = verify(enrolled.store, enrolled.key, copied, actor="rina", role="registry")
    assert (made.outcome, made.reason) == ("review", "copy_of_specimen")
    return SimpleNamespace(**vars(enrolled), decision=made)


def pressed(at, key: str):
    return at.button(key=key).click().run()


def test_a_student_is_found_by_number_and_stands_in_the_address_by_key_only(office, screen):
    at = screen.drawn("verification", RINA)
    at.text_input(key="student-search").set_value(office.number).run()
    at.button_group(key="student-matches").set_value(office.key).run()
    assert at.query_params["s"] == office.key
    assert office.number in screen.texts(at)
    assert EN("verification.not_enrolled") in [warning.value for warning in at.warning]


def test_nobody_is_found_by_a_wrong_name(office, screen):
    at = screen.drawn("verification", RINA)
    at.text_input(key="student-search").set_value("nobody of that name").run()
    assert EN("verification.search_none") in screen.texts(at)


def test_an_upload_is_checked_compared_and_kept(enrolled, screen):
    at = screen.drawn("verification", RINA, key=enrolled.key)
    at.file_uploader(key="questioned-file").set_value(("form.png", scan(), "image/png")).run()
    assert EN("signature.all_clear") in screen.texts(at)
    pressed(at, "compare")
    stored = queries_verification.decisions(enrolled.store, Scope.system(), key=enrolled.key)
    assert at.query_params["d"] == stored.iloc[0]["decision_id"]
    shown = screen.texts(at)
    assert EN(f"verification_reason.{stored.iloc[0]['reason']}") in shown
    assert EN("verification.next_title") in shown
    assert EN("signature.footer") in shown
    assert not at.error


def test_the_result_of_one_signature_never_stands_beside_another(enrolled, screen):
    at = screen.drawn("verification", RINA, key=enrolled.key)
    at.file_uploader(key="questioned-file").set_value(("first.png", scan(), "image/png")).run()
    pressed(at, "compare")
    made = at.query_params["d"]
    at.run()
    assert at.query_params["d"] == made
    sheet = io.BytesIO()
    Image.new("L", (400, 160), 255).save(sheet, "PNG")
    at.file_uploader(key="questioned-file").set_value(("second.png", sheet.getvalue(), "image/png")).run()
    assert "d" not in at.query_params
    assert EN("verification.none_yet") in screen.texts(at) and not at.exception


def test_of_a_form_the_piece_in_the_frame_is_compared_wherever_a_person_sets_it(enrolled, screen):
    rng = np.random.default_rng((991, 1))
    buffer = io.BytesIO()
    Image.fromarray(make_form(rng, synthetic_inks(rng, 1)).pixels).save(buffer, "PNG")
    sheet, mark = read_sheet(buffer.getvalue()), hashlib.sha256(buffer.getvalue()).hexdigest()[:12]
    at = screen.drawn("verification", RINA, key=enrolled.key)
    at.file_uploader(key="questioned-file").set_value(("form.png", buffer.getvalue(), "image/png")).run()
    found = EN("crop.found", chance=EN.percent(min(sheet.chance, 0.99)))
    assert any(found in caption.value for caption in at.caption)
    shown = [at.number_input(key=f"crop-{name}-{mark}").value for name in ("left", "top", "width", "height")]
    assert tuple(shown) == sheet.found
    at.number_input(key=f"crop-width-{mark}").set_value(shown[2] - 40).run()
    pressed(at, "compare")
    stored = queries_verification.decision(enrolled.store, Scope.system(), at.query_params["d"])
    assert (stored["width"], stored["height"]) == (shown[2] - 40, shown[3])
    assert not at.error and not at.exception


def test_ink_left_outside_the_found_frame_is_told_and_forbids_an_outcome_until_it_is_corrected(
    enrolled, screen
):
    buffer = io.BytesIO()
    Image.fromarray(apart(drawing(62, 30))).save(buffer, "PNG")
    sheet, mark = read_sheet(buffer.getvalue()), hashlib.sha256(buffer.getvalue()).hexdigest()[:12]
    assert sheet.left_out[0].is_found
    at = screen.drawn("verification", RINA, key=enrolled.key)
    at.file_uploader(key="questioned-file").set_value(("form.png", buffer.getvalue(), "image/png")).run()
    warned = EN("crop.left_out")
    assert warned in [one.value for one in at.warning]
    pressed(at, "compare")
    stored = queries_verification.decision(enrolled.store, Scope.system(), at.query_params["d"])
    assert (stored["outcome"], stored["reason"]) == ("inconclusive", "left_out")
    assert EN("verification.next_left_out").split("\n")[0] in screen.texts(at)
    width = at.number_input(key=f"crop-width-{mark}")
    width.set_value(width.max).run()
    pressed(at, "compare")
    again = queries_verification.decision(enrolled.store, Scope.system(), at.query_params["d"])
    assert again["decision_id"] != stored["decision_id"] and again["reason"] != "left_out"


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_whole_page_is_called_one_and_the_signature_must_be_chosen_before_anything_is_compared(
    enrolled, screen, language
):
    words, buffer = Words(language), io.BytesIO()
    page = make_form(np.random.default_rng((991, 11)), []).pixels  # two inks, if it were a signature
    assert "SIG006" in found_codes(check_pixels(page))
    Image.fromarray(page).save(buffer, "PNG")
    sheet, mark = read_sheet(buffer.getvalue()), hashlib.sha256(buffer.getvalue()).hexdigest()[:12]
    assert sheet.is_page and sheet.found is None
    at = screen.drawn("verification", RINA, key=enrolled.key, language=language)
    at.file_uploader(key="questioned-file").set_value(("form.png", buffer.getvalue(), "image/png")).run()
    assert [one.value for one in at.warning] == [words("crop.none_found")]
    shown = screen.texts(at)
    assert words("check.SIG014") in shown and words("finding_advice.SIG014") in shown
    assert words("finding_advice.SIG006") not in shown and words("check.SIG006") not in shown
    assert at.button(key="compare").disabled
    assert f":material/block: {words('verification.no_compare_SIG014')}" in screen.texts(at)
    assert next(one for one in at.expander if one.label == words("crop.title")).proto.expanded
    at.number_input(key=f"crop-top-{mark}").set_value(1100)
    at.number_input(key=f"crop-height-{mark}").set_value(200)
    at.number_input(key=f"crop-width-{mark}").set_value(500).run()
    assert not at.button(key="compare").disabled
    assert words("check.SIG014") not in screen.texts(at)


def test_of_a_crowded_picture_without_print_the_frame_is_offered_first(enrolled, screen):
    sheet = Image.new("L", (1000, 800), 245)
    for top in (100, 560):
        ImageDraw.Draw(sheet).line([(x, top + (x * 7) % 90) for x in range(200, 800, 25)], fill=40, width=6)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    assert read_sheet(buffer.getvalue()).crowded
    at = screen.drawn("verification", RINA, key=enrolled.key)
    at.file_uploader(key="questioned-file").set_value(("form.png", buffer.getvalue(), "image/png")).run()
    assert [one.value for one in at.info] == [EN("crop.crowded")]
    assert not at.button(key="compare").disabled


def test_an_upload_that_is_no_image_is_refused_in_words(enrolled, screen):
    at = screen.drawn("verification", RINA, key=enrolled.key)
    at.file_uploader(key="questioned-file").set_value(("form.png", b"no image", "image/png")).run()
    assert [error.value for error in at.error] == [EN("refused.SPC005")]
    assert "compare" not in [button.key for button in at.button]


def test_a_blank_sheet_is_told_at_once_with_what_to_do(enrolled, screen):
    blank = Image.new("L", (240, 96), 250)
    buffer = io.BytesIO()
    blank.save(buffer, "PNG")
    at = screen.drawn("verification", RINA, key=enrolled.key)
    at.file_uploader(key="questioned-file").set_value(("form.png", buffer.getvalue(), "image/png")).run()
    assert EN("finding_advice.SIG001") in screen.texts(at)
    assert at.button(key="compare").disabled
    assert f":material/block: {EN('verification.no_compare_SIG001')}" in screen.texts(at)


def test_nothing_is_compared_without_consent_and_the_reason_stands_beside_the_button(office, screen):
    record_consent(office.store, office.key, "verification", "withdrawn", actor="rina")
    buffer = io.BytesIO()
    Image.fromarray(drawing(62, 30)).save(buffer, "PNG")
    at = screen.drawn("verification", RINA, key=office.key)
    at.file_uploader(key="questioned-file").set_value(("form.png", buffer.getvalue(), "image/png")).run()
    assert at.button(key="compare").disabled
    assert f":material/block: {EN('verification.no_compare_consent')}" in screen.texts(at)
    record_consent(office.store, office.key, "verification", "renewed", actor="rina")
    at.run()
    assert not at.button(key="compare").disabled


def test_the_case_file_prints_references_hashes_and_findings(case):
    from dashboard.reports.case_file import case_file
    from dashboard.reports.provenance import Provenance
    from dashboard.verification.case import case_of

    everything = Scope.system()
    row = queries_verification.decision(case.store, everything, case.decision.decision_id)
    references = queries_verification.references(case.store, everything, row["reference_ids"])
    images = {
        one: queries.specimen_image(case.store, one, Scope.system()) for one in references["specimen_id"]
    }
    questioned = queries_verification.questioned_image(case.store, everything, row["decision_id"])
    chain = custody(case.store, everything, row["decision_id"])
    reviews.give_opinion(case.store, _scope(SITI), row["decision_id"], "another_writer", "slow", ["shape"])
    given = reviews.opinions(case.store, everything, row["decision_id"])
    assert set(chain["act"]) == {"reference", "enrolled", "compared"} and chain["at"].is_monotonic_increasing
    how = {"people": {"rina": "Rina Wati"}, "zone": "Asia/Jakarta"}
    made = case_of(row, "somebody", questioned, references, images, given, EN, chain, **how)
    assert made.custody and all(step[0].endswith(" WIB") and step[1] != "rina" for step in made.custody)
    assert "Rina Wati" in {step[1] for step in made.custody}
    assert len(made.custody) == len(row["reference_ids"]) + 2
    assert made.outcome == "review"
    assert [reasons for *_, reasons in made.decisions] == [f"{EN('review.reason_shape')}. slow"]
    assert len(made.references) == len(row["reference_ids"])
    assert [code for code, _, status, _ in made.findings if status == EN("finding.found")] == ["SIG010"]
    assert case_file(made, Provenance(synthetic=True), "en").startswith(b"%PDF")


def test_a_copied_image_has_a_case_file_though_nobody_is_enrolled(office):
    from dashboard.reports.case_file import case_file
    from dashboard.reports.provenance import Provenance
    from dashboard.verification.case import case_of
    from vision.verification.verification_pipeline import verify

    everything = Scope.system()
    copied = queries.specimen_image(office.store, office.specimens.iloc[0]["specimen_id"], everything)
    made = verify(office.store, office.key, copied, actor="rina", role="registry")
    assert (made.outcome, made.reason) == ("review", "copy_of_specimen")
    row = queries_verification.decision(office.store, everything, made.decision_id)
    none = queries_verification.references(office.store, everything, row["reference_ids"])
    assert none.empty
    given = reviews.opinions(office.store, everything, row["decision_id"])
    chain = custody(office.store, everything, row["decision_id"])
    file = case_of(row, "somebody", copied, none, {}, given, EN, chain)
    printed = "\n".join(
        page.extract_text() for page in PdfReader(io.BytesIO(case_file(file, Provenance(), "en"))).pages
    )
    assert "a copy of a specimen on file" in " ".join(printed.split())
    assert "always inconclusive" not in " ".join(printed.split())


def test_the_second_reviewer_sees_no_score_before_giving_an_opinion(case, screen):
    at = screen.drawn("review", SITI)
    shown = screen.texts(at)
    assert EN("review.lead", left=1, all=1) in shown
    assert EN("verification_reason.copy_of_specimen") not in shown
    assert EN("verification.nearest") not in " ".join(at.selectbox[0].options)
    # What lacks stands there before the button is pressed, and until it is there.
    assert any(EN("review.needs_both") in caption.value for caption in at.caption)
    assert next(button for button in at.button if button.label == EN("review.give")).disabled
    at.radio(key="opinion-opinion").set_value("another_writer").run()
    give = next(button for button in at.button if button.label == EN("review.give"))
    assert not give.disabled
    give.click().run()
    assert [warning.value for warning in at.warning] == [EN("review.needs_both")]
    at.radio(key="opinion-opinion").set_value("another_writer").run()
    at.button_group(key="opinion-reasons").set_value(["shape", "slant"])
    next(button for button in at.button if button.label == EN("review.give")).click().run()
    after = screen.texts(at)
    assert EN("verification_reason.copy_of_specimen") in after
    assert EN("review.progress_one") in after
    stored = reviews.opinions(case.store, Scope.system(), case.decision.decision_id).iloc[0]
    assert (stored["opinion"], stored["blind"]) == ("another_writer", True)
    assert (stored["reason_codes"], stored["reasons"]) == (["shape", "slant"], "")


def test_who_made_the_comparison_is_told_that_the_opinion_counts_as_given_after_the_score(case, screen):
    """Before it is given, and at the entry afterwards; nobody else is told so."""
    for person, told in ((SITI, False), (RINA, True)):
        at = screen.drawn("review", person)
        assert (EN("review.known_ran") in [one.value for one in at.info]) == told
    at.radio(key="opinion-opinion").set_value("another_writer").run()
    at.button_group(key="opinion-reasons").set_value(["shape"])
    next(button for button in at.button if button.label == EN("review.give")).click().run()
    after = screen.texts(at)
    assert EN("review.knew_ran") in after and EN("review.known_ran") not in after


def test_the_queue_ends_when_nothing_waits(case, screen):
    reviews.give_opinion(case.store, _scope(SITI), case.decision.decision_id, "another_writer", "", ["shape"])
    reviews.settle(case.store, _scope(SITI), case.decision.decision_id, "ask_again", "first thing to do")
    at = screen.drawn("review", SITI)
    assert EN("review.empty_title") in screen.texts(at)


def test_a_settled_case_is_found_again_with_its_opinions_and_can_no_longer_be_settled(case, screen):
    reviews.give_opinion(case.store, _scope(SITI), case.decision.decision_id, "another_writer", "", ["shape"])
    reviews.settle(case.store, _scope(SITI), case.decision.decision_id, "ask_again", "first thing to do")
    at = screen.drawn("review", RINA)
    (listed,) = (frame.value for frame in at.dataframe)
    assert listed["state"].tolist() == [EN("review.state_settled")]
    at.query_params["case"] = case.decision.decision_id
    at.run()
    told = screen.texts(at)
    assert not at.exception and EN("opinion.another_writer") in told and EN("action_of.ask_again") in told
    assert not [one for one in at.radio if one.key in ("settle-action", "opinion-opinion")]


def test_one_opinion_lets_the_reader_ask_for_another_signature_only(case, screen):
    reviews.give_opinion(case.store, _scope(SITI), case.decision.decision_id, "another_writer", "", ["shape"])
    at = screen.drawn("review", SITI)
    at.query_params["case"] = case.decision.decision_id
    at.run()
    assert at.radio(key="settle-action").options == [EN("action_of.ask_again")]
    next(button for button in at.button if button.label == EN("review.settle_go")).click().run()
    assert EN("review.refused_no_reasons") in [warning.value for warning in at.warning]


def test_an_opinion_is_taken_back_with_a_sentence_and_can_be_given_anew(case, screen):
    reviews.give_opinion(case.store, _scope(SITI), case.decision.decision_id, "another_writer", "", ["shape"])
    at = screen.drawn("review", SITI)
    at.query_params["case"] = case.decision.decision_id
    at.run()
    go = EN("review.withdraw_go")
    next(button for button in at.button if button.label == go).click().run()
    assert EN("review.refused_no_reasons") in [warning.value for warning in at.warning]
    at.text_area(key="withdraw-text").set_value("meant the other one")
    next(button for button in at.button if button.label == go).click().run()
    assert not at.exception and EN("review.known_anew") in [one.value for one in at.info]
    assert EN("verification_reason.copy_of_specimen") not in screen.texts(at)
    at.radio(key="opinion-opinion").set_value("same_writer").run()
    at.button_group(key="opinion-reasons").set_value(["shape"])
    next(button for button in at.button if button.label == EN("review.give")).click().run()
    told = screen.texts(at)
    assert EN("review.withdrawn", opinion=EN("opinion.another_writer")) in told
    assert EN("review.withdrawal") in told and EN("opinion.same_writer") in told
    stored = reviews.opinions(case.store, Scope.system(), case.decision.decision_id)
    assert stored["kind"].tolist() == ["withdrawn", "withdrawal", "opinion"]


def test_an_opinion_that_another_followed_is_no_longer_offered_to_be_taken_back(case, screen):
    reviews.give_opinion(case.store, _scope(SITI), case.decision.decision_id, "another_writer", "", ["shape"])
    reviews.give_opinion(case.store, _scope(RINA), case.decision.decision_id, "another_writer", "", ["shape"])
    at = screen.drawn("review", SITI)
    at.query_params["case"] = case.decision.decision_id
    at.run()
    assert EN("review.withdraw_go") not in [button.label for button in at.button]


def _scope(person: Account) -> Scope:
    from dashboard.shell.access import scope_for

    return scope_for(person)


def test_enrolment_counts_what_is_missing_and_asks_before_it_replaces(office, screen):
    from vision.verification.verify import FEWEST_REFERENCES

    at = screen.drawn("enrolment", RINA, key=office.key)
    used = [toggle.key for toggle in at.toggle if toggle.value]
    assert len(used) >= FEWEST_REFERENCES
    for key in used[FEWEST_REFERENCES - 1 :]:
        at.toggle(key=key).set_value(False)
    at.run()
    missing = EN("enrolment.too_few", n=2, missing=1, needed=3)
    assert [warning.value for warning in at.warning] == [missing]
    pressed(at, "enrol")
    held = queries_verification.enrolments(office.store, Scope.system(), key=office.key)
    assert len(held.iloc[0]["reference_ids"]) == FEWEST_REFERENCES - 1
    at.run()
    assert at.button(key="enrol").disabled
    at.checkbox(key="enrol-confirm").set_value(True).run()
    assert not at.button(key="enrol").disabled


def test_a_student_without_specimens_is_told_to_bring_some(office, screen):
    everybody = queries.students(office.store, Scope.system())["student_key"]
    without = next(
        key for key in everybody if key not in set(queries.specimen_table(office.store)["student_key"])
    )
    at = screen.drawn("enrolment", RINA, key=without)
    assert EN("enrolment.no_specimen_title") in screen.texts(at)


def test_long_work_on_signatures_stays_within_the_programmes_of_whoever_asked(office):
    program = queries.student(office.store, Scope.system(), office.key).iloc[0]["program_code"]
    inside = Account("rina-in", "Rina", "registry", (program,))
    outside = Account("rina-out", "Rina", "registry", ("none of these",))
    write_accounts(office.store, [inside, outside])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{office.number}_form.png", scan())
    results = {}
    for who in (outside, inside):
        made = []
        for kind, run in (("enrol", jobs_verification.enrol), ("verify", jobs_verification.verify)):
            if kind == "enrol":
                jobs.start(office.store, who, kind)
            else:
                jobs_verification.start_folder(office.store, who, "forms.zip", packed.getvalue())
            job = job_table.take(office.store, "worker")
            assert (job.kind, job.actor) == (kind, who.account)
            made.append(run(jobs.Task(office.store, job, lambda *_: None)))
            job_table.finish(office.store, job, "done", result=made[-1])
        results[who.account] = (sum(made[0].values()), made[1]["compared"], made[1]["reach"])
    assert results[outside.account] == (0, 0, ["none of these"])
    tried, compared, reach = results[inside.account]
    owners = queries.students(office.store, Scope.system()).set_index("student_key")["program_code"]
    agreeing = queries.specimen_table(office.store, "verification")["student_key"].unique()
    assert tried == (owners[agreeing] == program).sum() < len(agreeing)
    assert (compared, reach) == (1, [program])


def test_a_folder_is_compared_by_a_job_and_every_file_is_listed(enrolled, screen):
    write_accounts(enrolled.store, [RINA])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{enrolled.number}_form.png", scan())
        archive.writestr("nobody.png", scan())
        archive.writestr(f"{enrolled.number}_broken.png", b"no image")
    job_id = jobs_verification.start_folder(enrolled.store, RINA, "forms.zip", packed.getvalue())
    job = job_table.take(enrolled.store, "worker")
    said = []
    result = jobs_verification.verify(jobs.Task(enrolled.store, job, lambda *step: said.append(step)))
    job_table.finish(enrolled.store, job, "done", result=result)
    assert (result["compared"], result["problems"]) == (1, 2)
    assert said[-1][:2] == (3, 3)
    at = screen.drawn("verification", RINA)
    at.session_state["batch-job"] = job_id
    at.button_group(key="verification-mode").set_value("folder").run()
    table = at.dataframe[0].value
    assert len(table) == 3
    assert table["reason"].isin([EN("refused.no_student"), EN("refused.SPC005")]).sum() == 2
    at.button_group(key="batch-show").set_value("problem").run()
    assert len(at.dataframe[0].value) == 2


def found_before(store, **kinds: dict) -> list[dict]:
    """Findings of a search: kind → what its row holds beside a pair of students, who are two."""
    specimens = queries.specimen_table(store)
    two = specimens.drop_duplicates("student_key").head(2)
    rows = [{"kind": kind, **about} for kind, about in kinds.items()]
    for row in rows:
        for side, one in zip(("first", "second"), two.to_dict("records"), strict=True):
            row |= {f"{side}_student": one["student_key"], f"{side}_specimen": one["specimen_id"]}
    content = {
        "same_image": {"specimens": 9, "pairs": 36, "found": 1},
        "same_hand": {"students": 2, "pairs": 1, "expected": 1.0, "found": 0},
        "foreign_specimen": {"specimens": 9, "students": 2, "pairs": 9, "expected": 1.0, "found": 3},
        "other_name": {"students": 2, "pairs": 1, "expected": 1.0, "found": 1},
    }
    replace_duplicates(store, "d@1", content, pd.DataFrame(rows), actor="rina")
    return rows


def test_the_duplicates_page_shows_a_pair_and_forgets_it_once_explained(office, screen):
    found_before(office.store, same_image={"measure": 0.99, "expected_false": 0.4})
    at = screen.drawn("duplicates", RINA)
    assert EN("duplicates.chance", n="0.40") in screen.texts(at)
    assert EN("duplicates.chance_among", pairs="36", chance="33%") in screen.texts(at)
    assert next(button for button in at.button if button.label == EN("duplicates.save")).disabled
    assert any(EN("duplicates.needs_both") in caption.value for caption in at.caption)
    at.radio(key="duplicate-opinion").set_value("chance").run()
    at.text_area(key="duplicate-text").set_value("twins with short names")
    next(button for button in at.button if button.label == EN("duplicates.save")).click().run()
    assert EN("duplicates.clear_title") in screen.texts(at)
    assert any(one.value.startswith(f"Saved: {EN('opinion.chance')} · ") for one in at.success)
    at.toggle(key="duplicates-open").set_value(False).run()
    assert at.dataframe[0].value["opinion"].tolist() == [EN("opinion.chance")]
    at.button(key="judged-undo").click().run()
    assert not at.exception and not at.success
    assert at.dataframe[0].value["opinion"].tolist() == [None]
    assert duplicate_counts(office.store, _scope(RINA)) == {"same_image": (1, 1)}


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_duplicates_page_promises_no_time_but_tells_what_a_search_has_before_it(office, screen, language):
    words, store = Words(language), office.store
    specimens = len(queries.specimen_table(store, "verification"))
    at = screen.drawn("duplicates", RINA, language=language)
    assert words("duplicates.to_do", n=specimens, new=specimens) in screen.texts(at)
    describe_pending(store)
    at = screen.drawn("duplicates", RINA, language=language)
    assert words("duplicates.to_do", n=specimens, new=0) in screen.texts(at)
    at.button(key="duplicate-search").click().run()
    assert words("duplicates.to_do", n=specimens, new=0) not in screen.texts(at)
    (job,) = job_table.open_jobs(store)
    assert job.kind == "duplicates"


@pytest.mark.parametrize(
    ("page", "kind", "arguments", "button", "account"),
    [
        ("duplicates", "duplicates", {}, "duplicate-search", RINA),
        ("enrolment", "enrol", {}, "enrol-all", RINA),
        ("thresholds", "calibrate", {}, "calibrate", Account("a", "A", "administrator")),
    ],
)
def test_work_under_way_is_found_after_a_reload_and_by_colleagues_and_can_be_stopped(
    office, screen, page, kind, arguments, button, account
):
    job_id = job_table.enqueue(office.store, kind, arguments, actor="colleague", role=account.role)
    at = screen.drawn(page, account)
    assert not at.exception
    assert at.get("progress")
    assert button not in {one.key for one in at.button}
    at.button(key=f"sure-{job_id}").click().run()
    assert button in {one.key for one in at.run().button}


def test_an_erasure_under_way_is_found_and_not_offered_for_the_same_student_again(office, screen):
    store = office.store
    other = next(one for one in queries.students(store, Scope.system())["student_key"] if one != office.key)
    asked = {"student": office.key, "everything": False}
    job_table.enqueue(store, "erase", asked, actor="colleague", role="registry")
    at = screen.drawn("consent", RINA, key=office.key)
    assert not at.exception
    assert at.get("progress")
    assert "erase-now" not in {one.key for one in at.button}
    assert "erase-now" in {one.key for one in screen.drawn("consent", RINA, key=other).button}


def test_an_opinion_on_a_pair_is_taken_back_once_by_whoever_gave_it_and_not_after_another(office):
    found_before(office.store, same_image={"measure": 0.99, "expected_false": 0.4})
    rina, siti = _scope(RINA), _scope(SITI)
    (finding,) = duplicate_findings(office.store, rina)["finding_id"]
    first = reviews.review_duplicate(office.store, rina, int(finding), "chance", "twins")
    for scope, number, code in ((siti, first, "nothing_given"), (rina, first + 99, "nothing_given")):
        with pytest.raises(reviews.Refused) as refused:
            reviews.take_back_duplicate(office.store, scope, number)
        assert refused.value.code == code
    reviews.take_back_duplicate(office.store, rina, first)
    assert duplicate_findings(office.store, rina)["opinion"].isna().all()
    second = reviews.review_duplicate(office.store, rina, int(finding), "cannot_tell", "poor scan")
    reviews.review_duplicate(office.store, siti, int(finding), "same_origin", "one pen")
    for number in (first, second):
        with pytest.raises(reviews.Refused) as refused:
            reviews.take_back_duplicate(office.store, rina, number)
        assert refused.value.code == "followed"
    assert duplicate_findings(office.store, rina)["opinion"].tolist() == ["same_origin"]


def test_each_kind_of_duplicate_has_its_words_its_chance_and_one_count_on_both_pages(office, screen):
    found_before(
        office.store,
        same_image={"measure": 0.99, "expected_false": 1e-9},
        foreign_specimen={"measure": -6.1, "expected_false": 0.02},
        other_name={"measure": -4.0, "expected_false": 0.9},
    )
    at = screen.drawn("duplicates", RINA)
    texts = screen.texts(at)
    for kind, pairs, found in (("same_image", 36, 1), ("foreign_specimen", 9, 1), ("other_name", 1, 1)):
        named = EN(f"duplicates.kind_{kind}")
        assert EN("duplicates.counted", kind=named, n=found, open=found, pairs=str(pairs)) in texts
    assert EN("duplicates.elsewhere", n=2) in texts
    assert at.dataframe[0].value["kind"].tolist() == [
        EN(f"duplicates.kind_{kind}") for kind in ("same_image", "foreign_specimen", "other_name")
    ]
    assert EN("duplicates.chance_below", share="0.1%") in texts
    assert at.dataframe[0].value["strength"].tolist() == ["< 0.01", "0.02", "0.90"]
    assert EN("duplicates.chance", n="< 0.01") in texts  # no more is claimed of a tail that is extrapolated
    at.selectbox(key="duplicate-kind").set_value("other_name").run()
    assert EN("duplicates.kind_other_name_help") in screen.texts(at)
    assert EN("duplicates.chance_among", pairs="1", chance="59%") in screen.texts(at)
    beside = screen.drawn("signatures", RINA)
    day = EN.day(today(office.store))
    assert EN("signatures.searched", day=day, n=1, open=1) in screen.texts(beside)


def test_the_price_of_a_threshold_follows_the_sliders(office, screen):
    at = screen.drawn("thresholds", RINA)
    before = next(text.value for text in at.markdown if text.value.startswith("Of 1,000 forms"))
    at.select_slider(key="threshold").set_value(0.0).run()
    after = next(text.value for text in at.markdown if text.value.startswith("Of 1,000 forms"))
    assert before != after
    lowered = EN.number(10**SYNTHETIC_DOUBT)
    assert EN("thresholds.source_synthetic", version="synthetic-2", times=lowered) in screen.texts(at)
    assert len(at.get("plotly_chart")) == 2


@pytest.mark.parametrize(("role", "offered"), [("registry", False), ("administrator", True)])
def test_only_an_administrator_may_set_thresholds_anew(office, screen, role, offered):
    at = screen.drawn("thresholds", Account("x", "X", role))
    assert ("calibrate" in [button.key for button in at.button]) == offered


# --- what people wrote is read, never obeyed: pages that have something to show ---
def test_no_page_about_a_case_obeys_what_people_wrote(case, screen):
    """Before an opinion, after it, and settled; for who handed it in and for who judges."""
    store, drawn = case.store, []
    with store.writing() as connection:
        name_everybody(connection, hostile("name"))
    write_accounts(store, [Account(one.account, hostile(one.account), "registry") for one in (RINA, SITI)])
    found_before(store, same_image={"measure": 1.0, "expected_false": 0.0})

    def look() -> None:
        for page, person in (("review", SITI), ("review", RINA), ("duplicates", SITI), ("enrolment", RINA)):
            at = screen.drawn(page, person, key=case.key if page == "enrolment" else None)
            assert not at.exception
            drawn.append((page, complaints(at), "example" in screen.texts(at)))

    look()
    reviews.give_opinion(
        store, _scope(SITI), case.decision.decision_id, "another_writer", hostile("why"), ["shape"]
    )
    look()
    reviews.settle(store, _scope(SITI), case.decision.decision_id, "ask_again", hostile("settled"))
    look()
    assert [(page, said) for page, said, _ in drawn if said] == []
    assert {page for page, _, named in drawn if named} >= {"review", "enrolment"}
