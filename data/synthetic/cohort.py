"""An invented university, whole: register, corrections, consents, accounts and a plan of signatures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.calendar.term_calendar import term_on
from data.columns import CONSENT_PURPOSES
from data.records.frames import RecordFrames
from data.synthetic import campus
from data.synthetic.courses import course_rows
from data.synthetic.names import draw_names
from data.synthetic.people import make_people
from data.synthetic.rates import Rates
from data.synthetic.records import outcome_rows, term_rows
from data.synthetic.signature_plan import plan_signatures
from data.synthetic.study import simulate

SNAPSHOT = date(2026, 8, 31)
COHORTS = 9
STUDENTS_PER_ADVISOR = 40
SIGNATURE_LINK = 0.15
CONSENT_TEXT = "demo-1"
GRANTED = {"verification": 0.95, "outcome_model": 0.90, "research": 0.55}  # the latter two of those who sign
WITHDRAWN = 0.01
BLOCK = 100_000
"""Students that are invented together: of a larger university one block after the other, so that memory is
bounded."""
STAFF = {
    "leadership": "Wakil Rektor (demo)",
    "registry": "Bagian Akademik (demo)",
    "accreditation": "Tim Akreditasi (demo)",
    "auditor": "Auditor (demo)",
    "administrator": "Administrator (demo)",
}


@dataclass(frozen=True)
class University:
    """Everything known about the invented university on the day of its snapshot.

    Attributes
    ----------
    frames : RecordFrames
        Programmes, students, terms and course attempts as first booked, and outcomes, keyed by
        ``student_number``.
    corrections : DataFrame
        Later versions of some term rows; to be written after ``frames``.
    changed_marks : DataFrame
        Later versions of some course attempts, those of the same terms.
    student_keys : dict
        ``student_number`` → opaque key of 16 hexadecimal digits.
    signatures : DataFrame
        See :func:`data.synthetic.signature_plan.plan_signatures`.
    consents : DataFrame
        ``student_key``, ``purpose``, ``granted``, ``text_version``, ``recorded_at``, ``recorded_by``.
    accounts : DataFrame
        ``account``, ``display_name``, ``role``: one per role, and the advisors.
    traits : DataFrame
        Hidden truth for tests and benchmarks, never written to a store: ``student_number``, ``ability``,
        ``engagement``, ``hardship``, ``style``.
    snapshot : date
        Nothing later is known.
    """

    frames: RecordFrames
    corrections: pd.DataFrame
    changed_marks: pd.DataFrame
    student_keys: dict[str, str]
    signatures: pd.DataFrame
    consents: pd.DataFrame
    accounts: pd.DataFrame
    traits: pd.DataFrame
    snapshot: date

    def terms_now(self) -> pd.DataFrame:
        """The terms table with the corrections applied."""
        key = ["student_number", "term_id"]
        both = pd.concat([self.frames.terms, self.corrections], ignore_index=True)
        return both.drop_duplicates(key, keep="last").sort_values(key, ignore_index=True)


def make_university(
    n: int,
    rng: np.random.Generator,
    signature_link: float = SIGNATURE_LINK,
    *,
    snapshot: date = SNAPSHOT,
    rates: Rates | None = None,
    block: int = 0,
) -> University:
    """Invent a university of ``n`` students in nine cohorts and six programmes.

    Parameters
    ----------
    n : int
        Students ever registered, at least 1.
    rng : Generator
        Source of randomness; the same generator state gives the same university.
    signature_link : float
        Correlation, 0–1, between a student's engagement, which drives every outcome, and how far the
        student's signatures lean. 0: signatures carry nothing.
    snapshot : date
        The day on which the register is read. The newest cohort has completed two terms by then when it is
        the last day of August.
    rates : Rates, optional
        Other rates than the default ones.
    block : int
        Which block of at most :data:`BLOCK` students of a larger university this is: numbers of students and
        accounts of advisors follow those of the blocks before, and only the first has the other accounts.

    Raises
    ------
    ValueError
        When ``n`` or ``signature_link`` is out of range.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if not 0 <= signature_link <= 1:
        raise ValueError(f"signature_link must be between 0 and 1, got {signature_link}")
    rates = rates or Rates()
    at_entry, studying, booking, signing, staff, marking = rng.spawn(6)
    newest = (term_on(snapshot) // 10) - 1 if snapshot.month >= 8 else term_on(snapshot) // 10
    years = tuple(range(newest - COHORTS + 1, newest + 1))
    people = make_people(n, at_entry, years, rates, signature_link, numbered_after=block * BLOCK)
    simulated, exits = simulate(people, studying, rates)
    outcomes = outcome_rows(exits, people, snapshot, booking)
    terms, corrections = term_rows(simulated, people, snapshot, booking, rates)
    attempts, changed_marks = course_rows(simulated, people, terms, corrections, marking)
    students, accounts = _with_advisors(people.students, outcomes, staff, block)
    keys = _student_keys(students["student_number"], staff)
    agreed = _agreements(n, staff)
    plan = plan_signatures(
        students,
        terms,
        outcomes,
        style=people.style,
        signing=agreed["verification"],
        snapshot=snapshot,
        rng=signing,
    )
    traits = pd.DataFrame(
        {
            "student_number": students["student_number"],
            **{name: getattr(people, name) for name in ("ability", "engagement", "hardship", "style")},
        }
    )
    return University(
        frames=RecordFrames(
            programs=campus.programs_frame(),
            students=students,
            terms=terms,
            outcomes=outcomes,
            course_attempts=attempts,
        ),
        corrections=corrections,
        changed_marks=changed_marks,
        student_keys=keys,
        signatures=plan,
        consents=_consent_rows(students, keys, agreed, snapshot, staff),
        accounts=accounts,
        traits=traits,
        snapshot=snapshot,
    )


def _student_keys(numbers: pd.Series, rng) -> dict[str, str]:
    """Distinct random keys."""
    count, keys = len(numbers), {}
    while len(keys) < count:
        text = rng.bytes(8 * count).hex()
        keys.update(dict.fromkeys(text[start : start + 16] for start in range(0, len(text), 16)))
    return dict(zip(numbers, keys, strict=False))


def _with_advisors(students, outcomes, rng, block) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give every student an advisor of the programme, about forty enrolled students to each."""
    enrolled = outcomes["exit_type"].isna().to_numpy()
    advisor = np.empty(len(students), dtype=object)
    first = count = block * (BLOCK // STUDENTS_PER_ADVISOR + len(campus.PROGRAMMES))
    for code in campus.programs_frame()["program_code"]:
        members = np.flatnonzero((students["program_code"] == code).to_numpy())
        here = max(1, round(enrolled[members].sum() / STUDENTS_PER_ADVISOR))
        mixed = members[np.lexsort((rng.random(len(members)), ~enrolled[members]))]
        advisor[mixed] = [f"advisor.{count + 1 + place % here:04d}" for place in range(len(mixed))]
        count += here
    people = draw_names(rng, rng.choice(["L", "P"], size=count - first))
    rows = [] if block else [(role, name, role) for role, name in STAFF.items()]
    numbered = enumerate(people, first + 1)
    rows += [(f"advisor.{number:04d}", f"{name} (demo)", "advisor") for number, name in numbered]
    accounts = pd.DataFrame(rows, columns=["account", "display_name", "role"])
    return students.assign(advisor=advisor), accounts


def _agreements(n: int, rng) -> dict[str, np.ndarray]:
    """Who agreed to what on enrolment; the model and research need the signature in the first place."""
    verification = rng.random(n) < GRANTED["verification"]
    later = {name: verification & (rng.random(n) < GRANTED[name]) for name in ("outcome_model", "research")}
    return {"verification": verification, **later}


def _consent_rows(students, keys, agreed, snapshot, rng) -> pd.DataFrame:
    """The consents as recorded at enrolment, and a few withdrawn in a later year."""
    entered = pd.to_datetime(students["cohort_term"].astype(int).floordiv(10).astype(str) + "-07-01")
    key = students["student_number"].map(keys)
    rows = pd.concat(
        [
            pd.DataFrame(
                {"student_key": key, "purpose": purpose, "granted": agreed[purpose], "recorded_at": entered}
            )
            for purpose in CONSENT_PURPOSES
        ],
        ignore_index=True,
    )
    withdrawn = rows[rows["granted"] & (rng.random(len(rows)) < WITHDRAWN)].assign(granted=False)
    days = pd.to_timedelta(rng.integers(60, 900, size=len(withdrawn)), unit="D")
    withdrawn["recorded_at"] = withdrawn["recorded_at"] + days
    rows = pd.concat([rows, withdrawn[withdrawn["recorded_at"] <= pd.Timestamp(snapshot)]], ignore_index=True)
    return rows.assign(text_version=CONSENT_TEXT, recorded_by="registry")
