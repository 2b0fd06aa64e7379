"""What is missing for the degree, in the second university: its totals hold what was recognised at entry."""

from __future__ import annotations

from data import queries
from data.trust.scope import Scope

SYSTEM = Scope.system()


def test_credits_recognised_at_entry_are_not_counted_twice(university):
    records = queries.records_until(university)
    newest = records.terms.sort_values("term_id").groupby("student_key")["credits_cum"].last()
    recognised = records.students.set_index("student_key")["recognized_credits"].fillna(0)
    found = queries.standing(university, SYSTEM, limit=10_000).set_index("student_key")
    found = found[found["credits"].notna()]
    assert (recognised.reindex(found.index) > 0).sum() >= 3
    assert (found["credits"] == newest.reindex(found.index)).all()
