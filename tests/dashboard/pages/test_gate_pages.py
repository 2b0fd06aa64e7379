"""Pages where a risk ends or was never learned: past the normal time, a small register, an empty store."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dashboard.shell.wording import Words
from dashboard.students.whatif import COLUMN_OF, SHARES
from data import queries
from data.calendar.clock import today
from data.store import RecordFrames, save_model, set_fact, write_records, write_scores
from data.trust.accounts import Account
from data.trust.scope import Scope
from fusion.service.sources import served_model

EN, ID = Words("en"), Words("id")
SYSTEM = Scope.system()
ADMIN, LEADER = Account("administrator", "A", "administrator"), Account("rector", "R", "leadership")
CITRA = Account("citra", "Citra", "advisor")


def warnings(at) -> str:
    return "\n".join(str(one.value) for one in at.warning)


def past_student(store) -> pd.Series:
    """Somebody long past the normal time, with scores for being late from before."""
    found = queries.standing(store, SYSTEM, past_normal=True)
    assert len(found), "the invented university must have somebody past the normal time"
    return found.sort_values("cohort_term").iloc[0]


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_caseload_ends_at_the_normal_time_and_shows_the_others_as_a_group_of_their_own(
    university, screen, language
):
    words, row = Words(language), past_student(university.store)
    at = screen.drawn("caseload", Account(row["advisor"], "A", "advisor"), language)
    assert not at.exception
    assert words("standing.title") in screen.texts(at)
    by_risk, group = (frame.value for frame in at.dataframe)
    assert row["name"] not in set(by_risk["student"])
    who = f"{row['name']} · {row['student_number']}"
    assert who in set(group[words("column.student")]) and words("column.band") not in group


@pytest.mark.parametrize("most", [queries.MAX_STANDING, 1])  # 1: the group goes on beyond its list
def test_a_search_finds_in_the_group_past_the_normal_time_whom_the_store_finds(
    university, screen, monkeypatch, most
):
    monkeypatch.setattr(queries, "MAX_STANDING", most)
    row = past_student(university.store)
    own = Scope(row["advisor"], "advisor", True, None, True, True)
    at = screen.drawn("caseload", Account(row["advisor"], "A", "advisor"))
    for text in (row["student_number"], row["name"].split()[0], "  ", "nobody of that name"):
        expected = queries.standing(university.store, own, past_normal=True, search=text)
        at.text_input(key="search").set_value(text).run()
        shown = [frame.value for frame in at.dataframe if frame.key == "past-table"]
        told = set(shown[0][EN("column.student")]) if shown else set()
        assert told == set(expected["name"] + " · " + expected["student_number"])


@pytest.mark.parametrize("target", ["late", "dropout"])
def test_past_the_normal_time_the_risk_of_leaving_is_said_once(university, screen, target):
    """The card above said it, and the page about dropping out said it again in its own card."""
    found = queries.standing(university.store, SYSTEM, past_normal=True)
    row = found[found["dropout_risk"].notna()].iloc[0]
    at = screen.drawn(
        "student", Account(row["advisor"], "A", "advisor"), key=row["student_key"], target=target
    )
    shown = screen.texts(at)
    assert not at.exception and "Past normal time" in shown
    in_short = EN("standing.dropout", risk="", band="").split(":")[0] + ":"
    in_full = "to leave without a degree" in shown or "left without a degree" in shown
    assert (in_short in shown, in_full) == (target == "late", target == "dropout")


@pytest.mark.parametrize("target", ["late", "dropout"])
def test_a_student_past_the_normal_time_is_led_by_what_is_missing_and_by_no_stale_statement(
    university, screen, target
):
    row = past_student(university.store)
    history = queries.score_history(university.store, SYSTEM, row["student_key"])
    assert (history["target"] == "late").any()  # there is an old score to be tempted by
    advisor = Account(row["advisor"], "A", "advisor")
    at = screen.drawn("student", advisor, key=row["student_key"], target=target)
    shown = screen.texts(at)
    assert not at.exception and "Past normal time" in shown and "credits" in shown
    assert "of 100 past students" not in shown.casefold()
    assert "had gone otherwise" not in shown and EN("whatif.note") not in shown
    assert EN("student.reasons_title") not in shown


@pytest.mark.parametrize("language", ["en", "id"])
def test_what_if_is_about_the_term_that_the_score_follows_and_names_it(
    university, screen, language, monkeypatch
):
    """Of a term without figures nothing can be moved: those of an earlier term are not taken in its place."""
    words, store = Words(language), university.store
    listed = queries.caseload(store, SYSTEM, "dropout", 300)
    listed = listed[(listed["as_of_index"] >= 2) & listed["advisor"].notna()]

    def studied(row) -> bool:
        terms = queries.term_rows(store, SYSTEM, row["student_key"])
        return (terms.loc[terms["term_index"] == row["as_of_index"], "status"] == "A").any()

    row = next(row for _, row in listed.iterrows() if studied(row))
    key, index = row["student_key"], int(row["as_of_index"])
    terms = queries.term_rows(store, SYSTEM, key)
    assert (terms["term_index"] == index).any() and (terms["term_index"] < index).any()
    who = (Account(row["advisor"], "A", "advisor"), language)
    term = words.term(row["as_of_term"])
    whole = screen.drawn("student", *who, key=key, target="dropout")
    assert not whole.exception
    assert words("whatif.title", term=term) in screen.texts(whole)
    levers = {one.key.split("-")[1]: one.value for one in whole.select_slider if one.key.startswith("lever-")}
    newest = terms[terms["term_index"] == index]
    stands = {name: float(newest[COLUMN_OF[name]].sum()) * SHARES.get(name, 1.0) for name in levers}
    assert levers and levers == pytest.approx(stands, abs=1e-3)
    monkeypatch.setattr(queries, "term_rows", lambda *_: terms[terms["term_index"] < index])
    without = screen.drawn("student", *who, key=key, target="dropout")
    assert not without.exception
    assert words("whatif.not_recorded", term=term) in screen.texts(without)
    assert not [slider.key for slider in without.select_slider if str(slider.key).startswith("lever-")]


@pytest.mark.parametrize("words", [EN, ID], ids=["en", "id"])
def test_a_term_that_cannot_be_cannot_be_chosen_and_one_button_goes_back_to_the_record(
    university, screen, words
):
    listed = queries.caseload(university.store, SYSTEM, "dropout", 300)
    listed = listed[(listed["as_of_index"] >= 2) & listed["advisor"].notna()]

    def told(row) -> bool:
        terms = queries.term_rows(university.store, SYSTEM, row["student_key"])
        last = terms[terms["term_index"] == row["as_of_index"]]
        return bool(last[["gpa_term", "courses_failed", "credits_passed"]].notna().all(axis=None)) and len(
            last
        )

    row = next(row for _, row in listed.iterrows() if told(row))
    who = (Account(row["advisor"], "A", "advisor"), words.language)
    at = screen.drawn("student", *who, key=row["student_key"], target="dropout")

    def lever(name):
        return next(one for one in at.select_slider if str(one.key).startswith(f"lever-{name}-"))

    def again():
        return next(one for one in at.button if str(one.key).startswith("levers-again-"))

    record = (lever("gpa_last").value, lever("failed_last").value)
    assert again().label == words("whatif.again") and again().disabled
    lever("failed_last").set_value(max(map(float, lever("failed_last").options))).run()
    assert words("whatif.room_one", low=words.number(0, 2)) in screen.texts(at)
    lever("gpa_last").set_value(4.0).run()
    assert not at.exception and (lever("gpa_last").value, lever("failed_last").value) == (4.0, 0.0)
    took = words("whatif.took", name=words("feature.failed_last"), value="0")
    assert took in screen.texts(at) and words(
        "whatif.scale", least=words.number(1, 2), greatest=words.number(4, 2)
    ) in screen.texts(at)
    again().click().run()
    assert not at.exception and (lever("gpa_last").value, lever("failed_last").value) == record
    assert again().disabled and took not in screen.texts(at)


def test_the_overview_counts_who_can_still_be_on_time_and_says_how_many_are_past_it(university, screen):
    at = screen.drawn("overview", LEADER)
    assert not at.exception
    past = int(queries.past_normal_counts(university.store, SYSTEM)["students"].sum())
    assert EN("standing.kpi", n=past) in screen.texts(at)
    cube = queries.cohort_cube(university.store, SYSTEM, "late")
    risky = int(cube.loc[cube["band"].isin(("high", "very_high")), "students"].sum())
    assert at.metric[1].value.startswith(f"{risky} (")
    both = queries.own_students(university.store, SYSTEM)
    assert cube["students"].sum() + past <= both


def test_the_model_page_says_what_the_register_taught(university, screen):
    at = screen.drawn("model", ADMIN)
    shown = screen.texts(at)
    assert not at.exception and EN("fitness.title") in shown
    found = served_model(university.store).manifest.fitness["dropout"]
    assert f"{found.events} of them with the event" in shown


@pytest.fixture
def too_small(small_register, served):
    """A model of before the rule in service: taught by 13 students, drop-out by none of them."""
    store = small_register.store
    manifest = {
        "bands": {"late": [0.2, 0.4, 0.6], "dropout": [0.0, 0.005, 0.01]},
        "trained_on": {"students": 13, "labels": {"on_time": 6, "delayed": 7}},
    }
    save_model(store, "risk-13", "risk-13", manifest, "served")
    frame = pd.DataFrame(
        [(key, target) for key in small_register.keys.values() for target in ("late", "dropout")],
        columns=["student_key", "target"],
    ).assign(as_of_index=1, as_of_term=20232, model_version="risk-13", modality="records")
    frame = frame.assign(risk=0.0, risk_low=0.0, risk_high=0.1, margin=-9.0, band="moderate")
    empty = np.zeros((len(frame), 1), "float32")
    write_scores(store, frame, empty, empty, np.zeros(len(frame)))
    served(store)
    return small_register


@pytest.mark.parametrize(("target", "said"), [("late", "7 of 13"), ("dropout", "Only graduates")])
def test_a_model_of_thirteen_students_shows_no_list_no_band_and_no_tick(too_small, screen, target, said):
    at = screen.drawn("caseload", CITRA, target=target)
    assert not at.exception
    assert said in warnings(at) and EN("fitness.rule") in warnings(at)
    rule, group = (frame.value for frame in at.dataframe)  # S12 by the rule, S10 past the normal time
    assert rule[EN("column.student")].tolist() == ["Student S12 · S12"]
    assert group[EN("column.student")].tolist() == ["Student S10 · S10"]
    assert EN("column.band") not in rule and "band" not in rule
    overview = screen.drawn("overview", LEADER, target=target)
    assert not overview.exception and said in warnings(overview)
    assert overview.metric[1].value == "–"
    assert EN("health.fine") not in screen.texts(overview)
    model = screen.drawn("model", ADMIN, target=target)
    assert not model.exception and said in screen.texts(model)
    student = screen.drawn("student", CITRA, key=too_small.keys["S12"], target=target)
    assert not student.exception and said in warnings(student)
    assert EN("band.moderate") not in screen.texts(student)


def test_the_digest_of_a_target_that_was_never_learned_names_nobody(too_small):

    from dashboard.cases.digest import gather

    reader, day = Scope("citra", "advisor", True, None, True, True), today(too_small.store)
    week = gather(too_small.store, reader, "dropout", day)
    assert week.changed == 0 and week.new.empty and week.waiting.empty


def test_what_the_last_training_lacked_is_said_where_no_model_is_in_service(small_register, served, screen):
    from fusion.validation.fitness import FACT, weigh

    store = small_register.store
    served(store)
    at = screen.drawn("caseload", CITRA)
    assert EN("fitness.no_model") in warnings(at) and EN("fitness.rule") in warnings(at)
    lacking = {target: weigh(target, 7, 2, 2).as_dict() for target in ("late", "dropout")}
    set_fact(store, FACT, lacking)
    assert "2 of 7" in warnings(screen.drawn("caseload", CITRA))
    assert "2 of 7" in warnings(screen.drawn("overview", LEADER))
    model = warnings(screen.drawn("model", ADMIN))
    assert "lateness" in model and "drop-out" in model


def test_without_outcomes_it_is_unknown_who_finished_and_not_zero(
    small_register, store_without_outcomes, screen
):
    at = screen.drawn("overview", LEADER)
    shown = screen.texts(at)
    assert not at.exception
    assert [metric.value for metric in at.metric][2:4] == ["–", "–"]
    assert shown.count(EN("overview.kpi_unknown")) == 2
    assert "0%" not in [metric.value for metric in at.metric]
    assert "Informatics" in shown and "unknown, not zero" in shown


@pytest.fixture
def store_without_outcomes(small_register, served, tmp_path, sqlite_template):
    import shutil

    from data.store import open_store

    folder = tmp_path / "bare"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "tepat.db")
    opened = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    first = small_register.first
    frames = RecordFrames(programs=first.programs, students=first.students, terms=first.terms)
    write_records(opened, frames, source="x", files={}, actor="test", synthetic=True)
    served(opened)
    yield opened
    opened.close()


def test_an_empty_store_leads_from_import_to_training_without_a_command_line(store, served, screen):
    from dashboard.jobs.next_steps import open_steps

    served(store)
    assert open_steps(store) == ["import"]
    for page in ("overview", "jobs", "model"):
        at = screen.drawn(page, ADMIN)
        assert not at.exception
        assert "python -m" not in screen.texts(at) and "make demo" not in screen.texts(at)
    assert EN("steps.import_help") in screen.texts(screen.drawn("jobs", ADMIN))


def test_after_an_import_training_comes_next_and_after_it_nothing_is_left(small_register, served, screen):
    from dashboard.jobs.next_steps import open_steps
    from data.jobs import table

    store = small_register.store
    served(store)
    assert open_steps(store) == ["train"]
    at = screen.drawn("jobs", ADMIN)
    at.button(key="step-jobs-train").click().run()
    assert not at.exception and [job.kind for job in table.open_jobs(store)] == ["train"]
    assert not any(button.key == "step-jobs-train" for button in at.button)  # it is under way
    save_model(store, "m1", "m1", {}, "served")
    assert open_steps(store) == ["score"]
    frame = pd.DataFrame({"student_key": [small_register.keys["S07"]], "target": "late"})
    frame = frame.assign(as_of_index=4, as_of_term=20232, model_version="m1", modality="records", margin=0.0)
    frame = frame.assign(risk=0.5, risk_low=0.4, risk_high=0.6, band="high")
    write_scores(store, frame, np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1))
    assert open_steps(store) == []


def test_the_first_training_asked_for_on_a_page_fills_every_page_without_a_scoring_of_its_own(
    store, served, screen, monkeypatch
):
    from functools import partial

    from benchmarks.registers import make_register
    from dashboard.jobs import worker_child
    from dashboard.jobs.next_steps import open_steps
    from data.jobs import table
    from fusion import pipeline
    from fusion.model.booster import TreeSettings

    register = make_register(200, np.random.default_rng(8), signed=0)
    about = {name: getattr(register, name) for name in ("students", "terms", "outcomes")}
    named = {name: frame.rename(columns={"student_key": "student_number"}) for name, frame in about.items()}
    programs = register.programs.assign(name=register.programs["program_code"])
    frames = RecordFrames(programs=programs, **named)
    write_records(store, frames, source="x", files={}, actor="test", synthetic=True)
    served(store)
    quick = partial(pipeline.train, draws=20, settings=TreeSettings(rounds=10))
    monkeypatch.setattr(pipeline, "train", quick)
    screen.drawn("jobs", ADMIN).button(key="step-jobs-train").click().run()
    job = table.take(store, "a")
    worker_child.do(store, job)
    done = table.find(store, job.job_id)
    assert done.status == "done" and done.result["served"] and done.result["scores"] > 0
    assert open_steps(store) == []
    overview = screen.drawn("overview", LEADER)
    assert not overview.exception and not overview.warning
    assert overview.metric[1].value != "–" and not overview.metric[1].value.startswith("0 (–")


def test_a_training_that_finds_too_little_ends_as_a_job_with_a_reason(small_register, served, screen):
    from dashboard.jobs import asking as jobs
    from dashboard.jobs import worker_child
    from data.jobs import table

    store = small_register.store
    served(store)
    jobs.start(store, ADMIN, "train")
    job = table.take(store, "a")
    worker_child.do(store, job)
    assert table.find(store, job.job_id).problem == "not_trainable"
    assert queries.served_model(store) is None
    assert "2 of 7" in warnings(screen.drawn("model", ADMIN))
