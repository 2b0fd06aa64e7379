"""What an overview counts quickly is what plain sums of the same rows say, whatever the rows are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dashboard.charts.bands import bands_by_group
from dashboard.cohorts import prospects, summaries
from dashboard.cohorts.band_counts import BY, counts_of
from dashboard.shell.wording import Words
from data.columns import BANDS, DROPOUT_EXITS
from data.trust.small_cells import TOTAL, hidden_of_group

SEEDS = range(25)
PROGRAMS = ("11201", "55201", "Law", "é")
COHORTS = (20191, 20192, 20201, 20231, 20241)
STATES = ("enrolled", "graduated", *DROPOUT_EXITS, *summaries.OUTSIDE)


def cube(seed: int, **columns) -> pd.DataFrame:
    """Random rows of programmes and cohorts; now and then none, or of one programme only."""
    random = np.random.default_rng(seed)
    n = int(random.choice([0, 1, 2, 7, 40, 200]))
    programs = PROGRAMS[: int(random.integers(1, len(PROGRAMS) + 1))]
    frame = pd.DataFrame(
        {
            "program_code": pd.array(random.choice(programs, n), dtype="str"),
            "cohort_term": random.choice(COHORTS, n).astype(int),
            "students": random.choice([0, 1, 3, 4, 5, 30, 800], n).astype(int),
        }
    )
    return frame.assign(**{name: make(random, n) for name, make in columns.items()})


def texts(*choices: str):
    return lambda random, n: pd.array(random.choice(choices, n), dtype="str")


def numbers(low: int, high: int):
    return lambda random, n: random.integers(low, high, n)


def followed(seed: int) -> pd.DataFrame:
    rows = cube(seed, term_index=numbers(1, 12), left=numbers(0, 4)).rename(columns={"students": "entrants"})
    rows = rows.drop_duplicates(["program_code", "cohort_term", "term_index"])
    whole = rows.groupby(["program_code", "cohort_term"])["entrants"].transform("max")
    return rows.assign(entrants=whole, retained=(whole - rows["left"]).clip(lower=0))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cut_gives_the_rows_of_a_programme_and_a_cohort_in_their_order(seed):
    frame = cube(seed, state=texts(*STATES))
    cut = summaries.Cut(frame)
    for program in (None, *PROGRAMS, "unknown"):
        for cohort in (None, *COHORTS, 19991):
            expected = summaries.chosen(frame, program, cohort)
            pd.testing.assert_frame_equal(cut.chosen(program, cohort), expected, check_dtype=False)


def test_a_row_without_a_programme_belongs_to_all_of_them_only():
    frame = pd.DataFrame(
        {"program_code": ["a", None, "b"], "cohort_term": [20191] * 3, "students": [1, 2, 3]}
    )
    cut = summaries.Cut(frame)
    assert cut.chosen("a", None)["students"].tolist() == [1]
    assert cut.chosen(None, 20191)["students"].tolist() == [1, 2, 3]


def test_whoever_changes_what_was_cut_changes_it_for_nobody_else():
    frame = pd.DataFrame({"program_code": ["a", "b"], "cohort_term": [20191] * 2, "students": [1, 2]})
    cut = summaries.Cut(frame)
    for program in (None, "a"):
        rows = cut.chosen(program, None)
        rows["students"] = 0
        assert cut.chosen(program, None)["students"].tolist() == ([1] if program else [1, 2])


def retention_of(progress: pd.DataFrame, cohorts: int, longest: int) -> pd.DataFrame:
    newest = sorted(progress["cohort_term"].unique())[-cohorts:]
    rows = progress[progress["cohort_term"].isin(newest) & (progress["term_index"] <= longest)]
    sums = rows.groupby(["cohort_term", "term_index"])[["entrants", "retained"]].sum().reset_index()
    whole = sums.groupby("cohort_term")["entrants"].transform("max")
    sums = sums[sums["entrants"] == whole]
    table = pd.DataFrame(
        {
            "cohort_term": sums["cohort_term"],
            "terms_completed": sums["term_index"],
            "share": sums["retained"] / sums["entrants"],
            "n": sums["entrants"],
        }
    )
    entry = table.drop_duplicates("cohort_term").assign(terms_completed=0, share=1.0)
    return pd.concat([entry, table]).sort_values(["cohort_term", "terms_completed"], ignore_index=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_stayed_is_the_sum_over_programmes_term_by_term(seed):
    progress = followed(seed)
    progress = progress[progress["entrants"] > 0]
    for cohorts, longest in ((7, 8), (2, 5)):
        found = summaries.retention(progress, cohorts, longest)
        expected = retention_of(progress, cohorts, longest)
        pd.testing.assert_frame_equal(found, expected, check_dtype=len(expected) > 0, check_exact=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_at_risk_of_each_cohort_and_advisor_are_plain_sums(seed):
    frame = cube(seed, band=texts(*BANDS), advisor=texts("a", "b", "c"))
    expected = {int(one): summaries.at_risk(rows) for one, rows in frame.groupby("cohort_term", sort=True)}
    assert summaries.at_risk_by_cohort(frame) == expected
    load = frame.assign(at_risk=frame["students"], advisor=frame["advisor"].where(frame.index % 5 != 4))
    sums = load.groupby("advisor")["at_risk"].sum().sort_values(ascending=False)
    assert summaries.load_per_advisor(load) == sums.astype(int).tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bands_of_two_groupings_are_plain_sums_and_so_is_their_chart(seed):
    frame = cube(seed, band=texts(*BANDS)).rename(columns={"program_code": "program"})
    frame = frame.assign(cohort=[f"Odd {one // 10}" for one in frame["cohort_term"]])
    frame["program"] = frame["program"].where(frame["program"] != "Law", None)  # one that no table names
    counts = counts_of(frame)
    for by in BY:
        wide = frame.groupby([by, "band"])["students"].sum().unstack("band")
        wide = wide.reindex(columns=list(BANDS)).fillna(0).astype(int)
        assert counts[by] == wide.to_dict("index") and list(counts[by]) == wide.index.tolist()
        random = np.random.default_rng(seed)
        some = {name: frozenset(random.choice([*BANDS, TOTAL], 2).tolist()) for name in counts[by]}
        itself = {name: hidden_of_group(parts) for name, parts in counts[by].items()}
        for hidden, few in ((None, itself), (some, some)):
            chart = bands_by_group(counts[by], by, Words("id"), hidden)
            share, order = shares_of(wide, few)
            assert list(chart.picks) == order
            bars = chart.sent.to_dict()["data"][: len(BANDS)]
            assert [bar["x"] for bar in bars] == [share.loc[order, band].tolist() for band in BANDS]


def shares_of(wide: pd.DataFrame, hidden) -> tuple[pd.DataFrame, list[str]]:
    total = wide.sum(axis=1)
    share = wide.astype(float).div(total.where(total > 0), axis=0).fillna(0)
    for name, few in hidden.items():
        share.loc[name, list(BANDS) if TOTAL in few else [band for band in BANDS if band in few]] = 0.0
    return share, share[["high", "very_high"]].sum(axis=1).sort_values(kind="stable").index.tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_cohorts_under_way_may_come_to_is_the_sum_over_programmes(seed):
    flow = cube(seed, state=texts(*STATES), terms_to_exit=numbers(-1, 12))
    programs = pd.DataFrame({"program_code": PROGRAMS, "normal_terms": [8, 8, 6, 8]})
    cohorts = summaries.outcomes(flow, programs, "cohort_term", 20241)
    random = np.random.default_rng(seed)
    scored = cube(seed + 1000).rename(columns={"students": "scored"})
    late = {name: scored["scored"] * random.random(len(scored)) for name in ("late", "late_low", "late_high")}
    found = prospects.scenarios(cohorts, scored.assign(**late))
    expected = scenarios_of(cohorts, scored.assign(**late))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12, atol=0)


def scenarios_of(cohorts: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    sums = expected.groupby("cohort_term")[["scored", "late", "late_low", "late_high"]].sum().reset_index()
    rows = cohorts[~cohorts["mature"]].merge(sums, on="cohort_term", how="inner")
    rows = rows[rows["scored"] > 0]
    n = rows["entered"] - rows["outside"]
    result = rows[["cohort_term"]].assign(
        n=n, done=rows["on_time"], enrolled=rows["studying"], scored=rows["scored"].astype(int)
    )
    for name, late in (("rate", "late"), ("low", "late_high"), ("high", "late_low")):
        on_time = rows["studying"] * (1 - rows[late] / rows["scored"])
        result[name] = ((rows["on_time"] + on_time) / n.where(n > 0)).clip(0, 1)
    return result.reset_index(drop=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_interval_of_wilson_is_worked_out_row_by_row(seed):
    random = np.random.default_rng(seed)
    n = pd.Series(random.integers(0, 50, 9), index=random.permutation(9))
    hits = (n * random.random(9)).astype(int)
    low, high = summaries.wilson(hits, n)
    for row in n.index:
        alone = summaries.wilson(hits.loc[[row]], n.loc[[row]])
        assert [low[row], high[row]] == pytest.approx([alone[0].iloc[0], alone[1].iloc[0]], nan_ok=True)
    assert low.isna().tolist() == (n == 0).tolist()
