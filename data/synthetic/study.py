"""Term after term: what every student of the invented university does until it ends.

All students advance together, one study term at a time, as arrays. A term is: the hidden state wanders, the
student takes leave, stays away or takes courses, passes some, works on the thesis, and then may graduate,
leave, or be asked to leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.columns import MAX_TERM_INDEX
from data.synthetic import campus
from data.synthetic.people import People
from data.synthetic.rates import Rates, sigmoid

ACTIVE = ("A", "M", "G")
CREDITS_PER_COURSE = 3
# Repeated courses that failed again; credits of the thesis where it was taken; whether it was passed.
HIDDEN = ("failed_again", "thesis_credits", "thesis_passed")


@dataclass(frozen=True)
class _World:
    """What does not change while the terms pass; arrays of one value per student."""

    people: People
    rates: Rates
    rng: np.random.Generator
    recognised: np.ndarray
    normal_terms: np.ndarray
    max_terms: np.ndarray
    final_credits: np.ndarray
    coursework: np.ndarray  # credits of courses that the degree needs
    difficulty: np.ndarray

    @property
    def size(self) -> int:
        return len(self.recognised)

    def happens(self, chance) -> np.ndarray:
        """True for each student with the given chance."""
        return self.rng.random(self.size) < chance

    def hazard(
        self, name: str, mood: tuple[np.ndarray, np.ndarray], shift: float | np.ndarray = 0.0
    ) -> np.ndarray:
        """Chance of what ``name`` names in the rates, given (engagement, hardship) of now."""
        return getattr(self.rates, name).chance(self.people.ability, *mood, shift)


@dataclass
class _State:
    """Where every student stands; arrays of one value per student."""

    engagement: np.ndarray  # the wandering part
    hardship: np.ndarray
    enrolled: np.ndarray
    passed: np.ndarray  # credits passed, courses and thesis
    course_credits: np.ndarray  # credits of courses passed
    owed: np.ndarray  # courses failed and not yet passed
    points: np.ndarray  # grade points times credits of all passed
    thesis: np.ndarray  # share of the thesis done; passed at 1
    last_gpa: np.ndarray
    absences: np.ndarray  # inactive terms in a row
    leaves: np.ndarray


def simulate(people: People, rng: np.random.Generator, rates: Rates) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run every student through up to fourteen terms, whatever today's date.

    Returns
    -------
    terms : DataFrame
        One row per student and term begun: ``student`` (position), ``term_index``, ``status``, grades,
        credits, courses, ``attendance_rate`` and ``tuition_arrears_days`` without gaps; and :data:`HIDDEN`,
        which the register says by its course grades alone.
    exits : DataFrame
        One row per student whose study ended: ``student``, ``exit_type``, ``last_term`` (index of the last
        term with a row), ``gpa_final``.
    """
    world = _world(people, rng, rates)
    state = _first_day(world)
    rows, exits = [], []
    for term in range(1, MAX_TERM_INDEX + 1):
        table = _study_term(term, world, state)
        ended = _ends(term, world, state)
        rows.append(table[state.enrolled])
        gone = state.enrolled & (ended != "")
        exits.append(
            pd.DataFrame(
                {
                    "student": np.flatnonzero(gone),
                    "exit_type": ended[gone],
                    "last_term": term,
                    "gpa_final": np.where(ended == "graduated", table["gpa_cum"], np.nan)[gone],
                }
            )
        )
        state.enrolled &= ~gone
    return pd.concat(rows, ignore_index=True), pd.concat(exits, ignore_index=True)


def _world(people: People, rng, rates) -> _World:
    of = {
        name: np.array([getattr(item, name) for item in campus.PROGRAMMES])[people.programme]
        for name in ("normal_terms", "max_terms", "final_credits", "required_credits", "difficulty")
    }
    return _World(
        people=people,
        rates=rates,
        rng=rng,
        recognised=people.students["recognized_credits"].to_numpy(float),
        normal_terms=of["normal_terms"],
        max_terms=of["max_terms"],
        final_credits=of["final_credits"],
        coursework=of["required_credits"] - of["final_credits"],
        difficulty=of["difficulty"],
    )


def _first_day(world: _World) -> _State:
    n, rates, rng = world.size, world.rates, world.rng
    return _State(
        engagement=rates.engagement_shock * rng.standard_normal(n) / np.sqrt(1 - rates.engagement_kept**2),
        hardship=rates.hardship_shock * rng.standard_normal(n) / np.sqrt(1 - rates.hardship_kept**2),
        enrolled=np.ones(n, dtype=bool),
        passed=np.zeros(n),
        course_credits=np.zeros(n),
        owed=np.zeros(n),
        points=np.zeros(n),
        thesis=np.zeros(n),
        last_gpa=np.full(n, 3.0),
        absences=np.zeros(n),
        leaves=np.zeros(n),
    )


def _mood(world: _World, state: _State) -> tuple[np.ndarray, np.ndarray]:
    """Engagement and hardship of now: the fixed part and the wandering part."""
    return (
        world.rates.engagement_fixed * world.people.engagement + state.engagement,
        world.rates.hardship_fixed * world.people.hardship + state.hardship,
    )


def _study_term(term: int, world: _World, state: _State) -> pd.DataFrame:
    """Advance everybody by one term; the caller drops the rows of those already gone."""
    rates, rng, n = world.rates, world.rng, world.size
    state.engagement = (
        rates.engagement_kept * state.engagement + rates.engagement_shock * rng.standard_normal(n)
    )
    state.hardship = rates.hardship_kept * state.hardship + rates.hardship_shock * rng.standard_normal(n)
    mood = engagement, hardship = _mood(world, state)
    status = _statuses(term, world, state, mood)
    studying = np.isin(status, ACTIVE)
    state.absences = np.where(status == "N", state.absences + 1, 0)
    state.leaves = state.leaves + (status == "C")

    courses, repeated, on_thesis = _enrolment(term, world, state, studying)
    risk = world.hazard("fail", mood, world.difficulty) * np.where(status == "M", 0.3, 1.0)
    again = rng.binomial(repeated, np.minimum(risk * 1.3, 0.9))
    failed = again + rng.binomial(courses - repeated, risk)
    written = _write_thesis(world, state, mood, on_thesis)
    grades = _grades(term, world, engagement)

    taken, got = courses * CREDITS_PER_COURSE, (courses - failed) * CREDITS_PER_COURSE
    thesis_credits = np.where(on_thesis, world.final_credits, 0)
    passed = got + np.where(written, thesis_credits, 0)
    state.owed = state.owed + failed - repeated
    state.passed = state.passed + passed
    state.course_credits = state.course_credits + got
    state.points = state.points + grades * passed
    gpa_term = _ratio(grades * passed, taken + np.where(written, thesis_credits, 0))
    state.last_gpa = np.where(np.isnan(gpa_term), state.last_gpa, gpa_term)
    attendance = 0.91 + 0.05 * engagement - 0.01 * hardship + 0.045 * rng.standard_normal(n)
    late = world.happens(world.hazard("arrears", mood)) & (status != "C")
    days = np.minimum(rng.gamma(1.6, 28 * np.exp(0.35 * hardship)), 184)
    return pd.DataFrame(
        {
            "student": np.arange(n),
            "term_index": term,
            "status": status,
            "gpa_term": np.round(gpa_term, 2),
            "gpa_cum": np.round(_gpa_so_far(state), 2),
            "credits_attempted": (taken + thesis_credits).astype(int),
            "credits_passed": passed.astype(int),
            "credits_cum": state.passed.astype(int),
            "courses_failed": failed.astype(int),
            "courses_repeated": repeated.astype(int),
            "attendance_rate": np.where(courses > 0, np.clip(attendance, 0.1, 1).round(3), np.nan),
            "tuition_arrears_days": np.where(late, days, 0).astype(int),
            **dict(
                zip(HIDDEN, (again.astype(int), np.where(on_thesis, thesis_credits, 0), written), strict=True)
            ),
        }
    )


def _ratio(above, below) -> np.ndarray:
    """``above / below``, null where there is nothing below: no graded credits, no average."""
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def _gpa_so_far(state: _State) -> np.ndarray:
    """Cumulative GPA: a course failed counts as 0 until it is passed, then only the pass counts."""
    return _ratio(state.points, state.passed + state.owed * CREDITS_PER_COURSE)


def _statuses(term: int, world: _World, state: _State, mood) -> np.ndarray:
    """Leave, inactive, Kampus Merdeka, double degree or plain active."""
    rates, people = world.rates, world.people
    status = np.full(world.size, "A", dtype=object)
    bachelor = world.normal_terms == 8
    if term in (5, 6, 7):
        begun = people.cohort_year + (term - 1) / 2 >= 2020.5  # when the ministry's programme began
        chance = rates.kampus_merdeka * sigmoid(0.6 * people.ability + 0.6 * mood[0])
        status[bachelor & begun & (state.owed < 3) & world.happens(chance)] = "M"
        status[bachelor & world.happens(rates.double_degree)] = "G"
    if term > 1:
        again = rates.inactive_again * (state.absences > 0)
        status[world.happens(world.hazard("leave", mood)) & (state.leaves < 4)] = "C"
        status[world.happens(world.hazard("inactive", mood, again))] = "N"
    return status


def _enrolment(term: int, world: _World, state: _State, studying) -> tuple[np.ndarray, ...]:
    """Courses taken, how many of them repeated, and who works on the thesis."""
    done = state.course_credits + world.recognised
    left = np.maximum(np.ceil((world.coursework - done) / CREDITS_PER_COURSE), 0).astype(int)
    by_gpa = np.digitize(state.last_gpa, (2.0, 2.5, 3.0)) + 5  # five to eight courses by the last term
    capacity = by_gpa if term > 2 else np.full(world.size, 7)
    plan = np.where(world.happens(0.7), 7, 6)
    wanted = np.minimum(state.owed, world.rng.binomial(3, 0.6, size=world.size)).astype(int)
    courses = np.where(studying, np.minimum(np.minimum(capacity, plan + wanted), left), 0).astype(int)
    last_year = (term >= world.normal_terms - 1) | (world.recognised > 0)
    on_thesis = studying & last_year & (left <= 12) & (state.thesis < 1)
    return courses, np.minimum(wanted, courses), on_thesis


def _grades(term: int, world: _World, engagement) -> np.ndarray:
    """Mean grade points of the courses passed, 1.8–4."""
    rates, people = world.rates, world.people
    years = people.cohort_year + (term - 1) / 2 - 2017
    mean = rates.grade_mean + rates.grade_inflation * years + rates.grade_ability * people.ability
    noise = rates.grade_noise * world.rng.standard_normal(world.size)
    return np.clip(mean + rates.grade_engagement * engagement + noise, 1.8, 4.0)


def _write_thesis(world: _World, state: _State, mood, on_thesis) -> np.ndarray:
    """Progress of those who work on the thesis; true where it was passed this term."""
    rates, (engagement, hardship) = world.rates, mood
    progress = (
        rates.thesis_mean
        + np.where(world.normal_terms < 8, rates.final_project, 0.0)
        + rates.thesis_ability * world.people.ability
        + rates.thesis_engagement * engagement
        + rates.thesis_hardship * hardship
        + rates.thesis_noise * world.rng.standard_normal(world.size)
    )
    before = state.thesis
    state.thesis = before + np.where(on_thesis, np.maximum(progress, 0), 0)
    return on_thesis & (before < 1) & (state.thesis >= 1)


def _ends(term: int, world: _World, state: _State) -> np.ndarray:
    """How the study of each student ended with this term; empty where it goes on."""
    rates = world.rates
    total = state.passed + world.recognised
    poor = np.nan_to_num(_gpa_so_far(state), nan=0.0) < 2.0
    shift = rates.resign_early * (term <= 3) + rates.resign_low_gpa * poor
    absent = np.minimum(state.absences, 2).astype(int)
    dropped = np.array([0.0, rates.dropped_when_inactive, rates.dropped_when_inactive_twice])[absent]
    required = world.coursework + world.final_credits
    halfway = (term == world.normal_terms // 2) & (poor | (total < 0.28 * required))
    at_the_end = (term == world.normal_terms) & (total < 0.55 * required)
    early_leaver = rates.transfer_out if 2 <= term <= 5 else 0.0
    return np.select(
        [
            world.happens(rates.death),
            (state.thesis >= 1) & (state.course_credits + world.recognised >= world.coursework),
            (halfway | at_the_end) & world.happens(rates.expelled_when_behind),
            world.happens(early_leaver),
            world.happens(dropped),
            world.happens(world.hazard("resign", _mood(world, state), shift)),
            term >= world.max_terms,
        ],
        ["deceased", "graduated", "expelled", "transferred", "discontinued", "resigned", "discontinued"],
        "",
    )
