"""Who enters the invented university: hidden traits, and what the register says about each at entry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.synthetic import campus
from data.synthetic.names import draw_names
from data.synthetic.rates import Rates

_LEVEL_STEPS = (-1.3, -0.5, 0.7, 1.05, 1.9)  # where a standard normal is cut into parents' schooling
_INCOME_STEPS = (-0.7, 0.3, 1.1, 1.8)


@dataclass(frozen=True)
class People:
    """Students at entry; all arrays have one value per student.

    Attributes
    ----------
    programme : ndarray of int
        Index into :data:`data.synthetic.campus.PROGRAMMES`.
    cohort_year : ndarray of int
        Year of entry; everyone enters in the odd term.
    ability, engagement, hardship : ndarray of float
        Hidden standard-normal traits; no file ever holds them.
    style : ndarray of float
        Hidden standard-normal trait of the handwriting, correlated with engagement by ``signature_link``.
    scholarship : ndarray of bool
        Whether tuition is paid by a scholarship.
    students : DataFrame
        The register's students table, keyed by ``student_number``.
    """

    programme: np.ndarray
    cohort_year: np.ndarray
    ability: np.ndarray
    engagement: np.ndarray
    hardship: np.ndarray
    style: np.ndarray
    scholarship: np.ndarray
    students: pd.DataFrame


def make_people(
    n: int,
    rng: np.random.Generator,
    years: tuple[int, ...],
    rates: Rates,
    signature_link: float,
    *,
    numbered_after: int = 0,
) -> People:
    """Draw ``n`` entrants of the given years.

    Parameters
    ----------
    n : int
        Number of students, at least 1.
    rng : Generator
        Source of randomness.
    years : tuple of int
        Years of entry, each as likely as another but for a slight growth.
    rates : Rates
        Rates of transfers and prior learning.
    signature_link : float
        Correlation of the handwriting trait with engagement, 0–1.
    numbered_after : int
        Running numbers of students that are given already.
    """
    shares = np.array([programme.share for programme in campus.PROGRAMMES])
    programme = rng.choice(len(shares), size=n, p=shares / shares.sum())
    growth = np.linspace(0.9, 1.1, len(years))
    cohort_year = np.asarray(years)[np.sort(rng.choice(len(years), size=n, p=growth / growth.sum()))]
    style = rng.standard_normal(n)
    ability = rng.standard_normal(n)
    own = 0.35 * ability + np.sqrt(1 - 0.35**2) * rng.standard_normal(n)
    engagement = signature_link * style + np.sqrt(1 - signature_link**2) * own
    hardship = rng.standard_normal(n)
    numbers = student_numbers(programme, cohort_year, numbered_after)
    scholarship, students = _register(
        rng, rates, numbers, programme=programme, cohort_year=cohort_year, ability=ability, hardship=hardship
    )
    return People(programme, cohort_year, ability, engagement, hardship, style, scholarship, students)


def _register(
    rng, rates, numbers, *, programme, cohort_year, ability, hardship
) -> tuple[np.ndarray, pd.DataFrame]:
    """What the register says at entry, with the gaps that registers have."""
    n = len(programme)
    wealth = -0.75 * hardship + np.sqrt(1 - 0.75**2) * rng.standard_normal(n)
    paths, entry_type, recognised = _entry(rng, rates, ability, cohort_year)
    funding, scholarship = _funding(rng, ability, wealth, cohort_year)
    band = np.clip(np.searchsorted((-1.6, -0.9, -0.3, 0.3, 0.9, 1.5, 2.1), wealth) + 1, 1, 8)
    women = np.array([item.women for item in campus.PROGRAMMES])[programme]
    sex = np.where(rng.random(n) < women, "P", "L")
    age = rng.choice([17, 18, 19, 20, 21, 23, 27], size=n, p=[0.11, 0.48, 0.25, 0.08, 0.04, 0.025, 0.015])
    age = np.where(entry_type == "new", age, age + 3)
    education = _cut(wealth + 0.6 * rng.standard_normal(n), _LEVEL_STEPS, campus.PARENTAL_EDUCATION)
    income = _cut(wealth + 0.4 * rng.standard_normal(n), _INCOME_STEPS, campus.PARENTAL_INCOME)
    frame = pd.DataFrame(
        {
            "student_number": numbers,
            "name": draw_names(rng, sex),
            "program_code": np.array([item.code for item in campus.PROGRAMMES])[programme],
            "cohort_term": cohort_year * 10 + 1,
            "entry_type": entry_type,
            "admission_path": _with_gaps(rng, paths, 0.01),
            "recognized_credits": pd.array(recognised, dtype="Int64"),
            "funding_at_entry": _with_gaps(rng, funding, 0.005),
            "tuition_band": pd.array(np.where(rng.random(n) < 0.02, None, band), dtype="Int64"),
            "sex": sex,
            "birth_year": pd.array(np.where(rng.random(n) < 0.005, None, cohort_year - age), dtype="Int64"),
            "region": _with_gaps(rng, _drawn(rng, n, campus.REGIONS), 0.02),
            "parental_education": _with_gaps(rng, education, 0.15),
            "parental_income": _with_gaps(rng, income, 0.24),
            "special_needs": np.array([None, "ada"], dtype=object)[(rng.random(n) < 0.008).astype(int)],
        }
    )
    return scholarship, frame


def student_numbers(programme: np.ndarray, cohort_year: np.ndarray, after: int) -> np.ndarray:
    """Student numbers: two digits of the year, programme code, running number within both after ``after``."""
    codes = np.array([item.code for item in campus.PROGRAMMES])[programme]
    running = pd.DataFrame({"code": codes, "year": cohort_year}).groupby(["code", "year"]).cumcount() + 1
    running += after
    width = max(4, len(str(int(running.max()))))
    return np.array(
        [
            f"{year % 100:02d}{code}{number:0{width}d}"
            for year, code, number in zip(cohort_year, codes, running, strict=True)
        ],
        dtype=object,
    )


def _entry(rng, rates, ability, cohort_year) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Admission path, entry type and recognised credits."""
    n = len(ability)
    rank = ability + 1.1 * rng.standard_normal(n)
    edges = np.quantile(rank, np.cumsum(list(campus.ADMISSION_PATHS.values()))[:-1])
    paths = np.array(list(campus.ADMISSION_PATHS), dtype=object)[np.searchsorted(edges, rank)]
    old = cohort_year < 2023
    for new_name, old_name in campus.OLD_PATH_NAMES.items():
        paths[old & (paths == new_name)] = old_name
    draw = rng.random(n)
    entry_type = np.full(n, "new", dtype=object)
    entry_type[draw < rates.transfer_in + rates.prior_learning] = "recognised_prior_learning"
    entry_type[draw < rates.transfer_in] = "transfer"
    paths[entry_type != "new"] = "Mandiri"
    recognised = np.where(entry_type == "new", 0, 3 * rng.integers(6, 20, size=n))
    return paths, entry_type, recognised


def _funding(rng, ability, wealth, cohort_year) -> tuple[np.ndarray, np.ndarray]:
    """Funding at entry, and whether a scholarship pays the tuition."""
    n = len(ability)
    poor = rng.random(n) < np.where(wealth < -0.6, 0.42, 0.02)
    merit = ~poor & (ability > 1.0) & (rng.random(n) < 0.15)
    funding = np.full(n, campus.SELF_FUNDED, dtype=object)
    funding[poor] = np.where(cohort_year[poor] < 2020, campus.OLD_SCHOLARSHIP, campus.SCHOLARSHIP)
    funding[merit] = campus.MERIT_SCHOLARSHIP
    return funding, poor | merit


def _cut(values, steps, names) -> np.ndarray:
    return np.array(names, dtype=object)[np.searchsorted(steps, values / max(float(np.std(values)), 1e-9))]


def _drawn(rng, n, shares: dict[str, float]) -> np.ndarray:
    weights = np.array(list(shares.values()))
    return np.array(list(shares), dtype=object)[rng.choice(len(shares), size=n, p=weights / weights.sum())]


def _with_gaps(rng, values, share) -> np.ndarray:
    values = np.array(values, dtype=object)
    values[rng.random(len(values)) < share] = None
    return values
