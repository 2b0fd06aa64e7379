"""The register of 40 students whose tables were worked out by hand (tests/samples/reports/register40.csv).

One S1 programme, TS = 2025/2026, observed until 2026-08-31. In it: three transfers and one recognised prior
learning, one entry type missing, two deaths, two transfers out, six drop-outs, late graduates, one early
graduate, two students with approved leave, cohorts too young to judge, an entrant of an even term.
"""

from pathlib import Path

import pandas as pd
import pytest

from dashboard.reports.conditions import Selection
from data.calendar.cohorts import build_flow
from data.calendar.term_calendar import term_after, terms_between

REGISTER = Path(__file__).parents[2] / "samples" / "reports" / "register40.csv"
LAST_TERM = 20252


@pytest.fixture(scope="session")
def register() -> pd.DataFrame:
    rows = pd.read_csv(REGISTER, dtype={"leave": str})
    rows = rows.rename(columns={"student": "student_key"}).assign(
        program_code="55201", degree_level="S1", normal_terms=8, observed_until="2026-08-31"
    )
    return rows.astype({"entry_type": object, "exit_type": object})


@pytest.fixture(scope="session")
def leave(register) -> pd.DataFrame:
    pairs = [
        (key, int(term))
        for key, terms in zip(register["student_key"], register["leave"].fillna(""), strict=True)
        for term in terms.split()
    ]
    return pd.DataFrame(pairs, columns=["student_key", "term_id"])


@pytest.fixture(scope="session")
def active(register, leave) -> pd.DataFrame:
    """Years with at least one regular term that was neither after the exit nor a leave."""
    away = set(leave.itertuples(index=False, name=None))
    years = set()
    for row in register.itertuples():
        studied = row.terms_to_exit
        if pd.isna(studied):
            studied = terms_between(row.cohort_term, LAST_TERM) + 1
        for step in range(int(studied)):
            term = term_after(row.cohort_term, step)
            if (row.student_key, term) not in away:
                years.add((row.student_key, term // 10))
    return active_table(sorted(years))


def active_table(pairs) -> pd.DataFrame:
    """Pairs of student and year as reports are given them: a column of bool for each year."""
    rows = pd.DataFrame(pairs, columns=["student_key", "year"])
    table = pd.crosstab(rows["student_key"], rows["year"]).astype(bool)
    return table.rename_axis(columns=None).reset_index()


@pytest.fixture(scope="session")
def flow(register, leave) -> pd.DataFrame:
    return build_flow(register, leave)


@pytest.fixture(scope="session")
def ts2025() -> Selection:
    return Selection(2025, "55201", "Informatika", "S1")
