"""Random cohorts: nothing comes out by subtraction of what a page tells, and it tells what is given out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from dashboard.cohorts import compare, summaries
from dashboard.cohorts.counted import Counts, Told
from dashboard.cohorts.meeting import judged
from dashboard.cohorts.meeting_shape import Shown
from data.trust.small_cells import THRESHOLD

PROGRAMS = pd.DataFrame({"program_code": ["IF"], "normal_terms": [8]})
LAST, TERMS, COHORTS = 20242, 8, (20191, 20211)
REPORTED = frozenset({"IF"})
EXITS = ("graduated", "resigned", "expelled", "transferred", "enrolled")


def register(seed: int) -> pd.DataFrame:
    """Two cohorts of random students, as ``queries.counted_alike`` counts them."""
    draw = np.random.default_rng(seed)
    rows = []
    for cohort in COHORTS:
        many = int(draw.choice([3, 12, 40, 90, 300]))
        for state in draw.choice(EXITS, many, p=draw.dirichlet(np.ones(len(EXITS)) * 0.7)):
            gone = int(draw.integers(6, 11)) if state == "graduated" else int(draw.integers(1, 9))
            gone = -1 if state == "enrolled" else gone
            did = [
                int(draw.choice([2, 2, 2, 2, 1, 0])) if gone < 0 or at <= gone else 0 for at in range(1, 9)
            ]
            rows.append(("IF", cohort, str(state), gone, "L", "", *did))
    names = ["program_code", "cohort_term", "state", "terms_to_exit", "group", "band"]
    names += [f"term_{term}" for term in range(1, TERMS + 1)]
    return pd.DataFrame(rows, columns=names).value_counts().rename("students").reset_index()


def progress(alike: pd.DataFrame) -> pd.DataFrame:
    """What ``queries.retention`` says of these students."""
    rows = []
    for cohort, own in alike.groupby("cohort_term"):
        for term in range(1, TERMS + 1):
            there = own[f"term_{term}"] > 0
            before = (own["state"] == "graduated") & (own["terms_to_exit"] < term)
            n, active = own["students"], own[f"term_{term}"] == 2
            kept = int(n[there | before].sum())
            rows.append(
                ("IF", cohort, term, int(n.sum()), kept, int(n[active].sum()), 3.0, int(n[active].sum()))
            )
    columns = ["program_code", "cohort_term", "term_index", "entrants", "retained", "active", "gpa_mean"]
    return pd.DataFrame(rows, columns=[*columns, "gpa_rows"])


def told(alike: pd.DataFrame) -> tuple[Told, dict]:
    held = progress(alike)
    seen = compare.seen_cohorts(alike, held, LAST, TERMS)
    values = compare.values_of_cubes(alike, held, PROGRAMS, seen, TERMS)
    return compare.told_on_page(values, sorted(seen), TERMS), seen


OF_ALL = (("kept",), ("active",), ("on_time",), ("left",), ("kept", "left"), ("on_time", "left"))
OF_ALL += (("active", "left"), ("active", "on_time"), ("active", "on_time", "left"))
OF_KEPT = (("active",), ("on_time",), ("active", "on_time"))


def differences(page: Told, cohort: int) -> dict[str, int]:
    """What a reader gets by subtraction of the figures of a cohort that are told, each with its reason."""
    shown = {name: n for name, n in page.values.items() if name not in page.hidden and cohort in name}
    today = {name[2]: n for name, n in shown.items() if name[0] == "cohort"}
    whole = today.pop("entered", None)
    by_term = {
        measure: {name[2]: n for name, n in shown.items() if name[0] == measure}
        for measure in ("kept", "active", "on_time", "left")
    }
    found = {}
    for name, at in by_term.items():
        known = at | ({"today": today[name]} if name in today else {})
        found |= {f"{name}, {a} and {b}": abs(known[a] - known[b]) for a, b in combinations(known, 2)}
    if whole is not None:
        found["today"] = whole - sum(today.values())
        for term in range(1, TERMS + 1):
            row = {name: at[term] for name, at in by_term.items() if term in at}
            found |= of_a_row(row, whole, by_term["left"].get(term - 1), term)
    return found


def of_a_row(row: dict[str, int], whole: int, left_before: int | None, term: int) -> dict[str, int]:
    found = {}
    for parts in (parts for parts in OF_ALL if row.keys() >= set(parts)):
        found[f"{parts} of all, {term}"] = whole - sum(row[part] for part in parts)
    for parts in (parts for parts in OF_KEPT if row.keys() >= {"kept", *parts}):
        found[f"{parts} of those here, {term}"] = row["kept"] - sum(row[part] for part in parts)
    if "kept" in row and left_before is not None:
        found[f"kept and left before, {term}"] = whole - row["kept"] - left_before
    return found


@pytest.mark.parametrize("seed", range(60))
def test_nothing_of_few_comes_out_by_subtraction(seed):
    alike = register(seed)
    page, _ = told(alike)
    for name, n in page.values.items():
        assert name in page.hidden or not 0 < n < THRESHOLD, name
    for cohort in COHORTS:
        if cohort in set(alike["cohort_term"]):
            found = differences(page, cohort)
            assert not {why: n for why, n in found.items() if 0 < n < THRESHOLD}


@pytest.mark.parametrize("seed", range(60))
def test_what_is_hidden_between_two_told_terms_has_room(seed):
    page, seen = told(register(seed))
    for cohort in seen:
        for name in ("left", "on_time"):  # they only ever grow
            at = [(name, cohort, term) for term in range(1, TERMS + 1) if (name, cohort, term) in page.values]
            known = [page.values[one] for one in at if one not in page.hidden]
            for low, high in zip(known, known[1:], strict=False):
                assert low == high or high - low >= THRESHOLD


@pytest.mark.parametrize("seed", range(12))
def test_the_page_never_hides_more_than_what_is_given_out(seed):
    alike = register(seed)
    page, seen = told(alike)
    held = progress(alike)
    cohorts = summaries.outcomes(alike, PROGRAMS, "cohort_term", LAST, REPORTED)
    empty = pd.DataFrame(columns=["program_code", "reason", "n", "group", "cohort_term"])
    shown = Shown(
        **dict.fromkeys(Shown.__dataclass_fields__)
        | {
            "cohorts": cohorts,
            "progress": held,
            "cube": empty,
            "reasons": empty,
            "reasons_by_program": empty,
            "groups": empty,
            "counts": Counts(alike, PROGRAMS, LAST, REPORTED),
            "compared": sorted(seen),
            "compared_terms": TERMS,
            "seen": seen,
            "hidden_on_page": page.hidden,
            "newest_told": None,
        }
    )
    public, _ = judged(shown)
    both = public.values.keys() & page.values.keys()
    assert len(both) > 20 and not (page.hidden & both) - public.hidden
