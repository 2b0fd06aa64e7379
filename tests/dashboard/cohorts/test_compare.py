"""Cohorts side by side, worked out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.charts.side_by_side import side_by_side_chart
from dashboard.cohorts import compare, summaries
from dashboard.cohorts.counted import STATES, Counts, Told
from dashboard.shell.wording import NOT_YET, Words
from data.trust.small_cells import MARK

PROGRAMS = pd.DataFrame({"program_code": ["IF"], "normal_terms": [8]})
LAST = 20242  # cohort 20201 has completed ten terms by then, cohort 20231 four
REPORTED = frozenset({"IF"})
RULES = ("page", "joint")  # of the page and its file; of what is given out with other tables
#        cohort, state, terms to exit, what they did in terms 1–8, students
ALIKE = [
    (20201, "graduated", 8, "22222222", 20),
    (20201, "resigned", 2, "22000000", 6),
    (20201, "enrolled", -1, "22222222", 9),
    (20201, "enrolled", -1, "22122222", 5),  # on leave in the third term
    (20231, "enrolled", -1, "22220000", 28),
    (20231, "resigned", 1, "20000000", 2),
]
#        cohort, term, entrants, mean, students behind it
PROGRESS = [
    *(
        (20201, term, 40, 3.0 + term / 100, 40 if term < 3 else 29 if term == 3 else 34)
        for term in range(1, 9)
    ),
    (20231, 1, 30, 2.5, 30),
    (20231, 2, 30, 2.75, 28),
    (20231, 3, 30, 2.85, 4),  # four have grades yet
    (20231, 4, 30, float("nan"), 0),
]


def alike(rows=tuple(ALIKE), terms: int = 8) -> pd.DataFrame:
    """Rows of ``queries.counted_alike``."""
    return pd.DataFrame(
        [
            {
                "program_code": "IF",
                "cohort_term": cohort,
                "state": state,
                "terms_to_exit": left,
                "group": "",
                "band": "",
                **{f"term_{term}": int(did[term - 1]) for term in range(1, terms + 1)},
                "students": n,
            }
            for cohort, state, left, did, n in rows
        ]
    )


def progress(rows=tuple(PROGRESS)) -> pd.DataFrame:
    """Rows of ``queries.retention``."""
    frame = pd.DataFrame(rows, columns=["cohort_term", "term_index", "entrants", "gpa_mean", "gpa_rows"])
    return frame.assign(program_code="IF")


def compared(rule: str) -> pd.DataFrame:
    counts, cohorts = Counts(alike(), PROGRAMS, LAST, REPORTED), [20201, 20231]
    seen = compare.seen_cohorts(alike(), progress(), LAST, 8)
    compare.add_side_by_side(counts, cohorts, seen, 8)
    told = {
        "all": counts.everything,
        "page": lambda: compare.told_on_page(counts.values(), cohorts, 8),
        "joint": counts.public,
    }[rule]()
    table = compare.side_by_side(counts, told, cohorts, progress(), seen, 8, REPORTED)
    return table.set_index(["cohort_term", "term"])


def test_two_cohorts_stand_side_by_side():
    table = compared("all")
    old, new = table.loc[20201], table.loc[20231]
    assert old["entered"].tolist() == [40] * 8 and new["entered"].tolist() == [30] * 8
    assert old["kept"].tolist() == [1.0, 1.0, *[34 / 40] * 6]
    assert old["active"].tolist() == [1.0, 1.0, 29 / 40, *[34 / 40] * 5]
    assert old["on_time"].tolist() == [0.0] * 7 + [20 / 40]
    assert old["left"].tolist() == [0.0, *[6 / 40] * 7]
    assert new["kept"].tolist()[:4] == [1.0, *[28 / 30] * 3]
    assert new["left"].tolist()[:4] == [2 / 30] * 4
    assert new["gpa"].tolist()[:2] == [2.5, 2.75]


def test_a_term_that_a_cohort_has_not_reached_is_not_yet_observed_and_never_zero():
    for rule in ("all", *RULES):
        later = compared(rule).loc[20231].loc[5:]
        assert (later[list(compare.MEASURES)] == NOT_YET).all(axis=None)
        assert compare.numbers(later, "kept").isna().all()


@pytest.mark.parametrize("rule", RULES)
def test_small_counts_and_what_would_give_them_away_are_hidden(rule):
    table = compared(rule)
    new = table.loc[20231]
    # Two resigned: their share is hidden, and so are the 28 who are still here, as 30 less 28 would tell.
    assert new["left"].tolist()[:4] == [MARK] * 4
    assert new["kept"].tolist()[:4] == [1.0, MARK, MARK, MARK]
    assert new["active"].tolist()[:4] == [1.0, MARK, MARK, MARK]
    assert new["entered"].tolist() == [30] * 8
    assert new["on_time"].tolist()[:4] == [0.0] * 4  # nobody: an empty cell concerns nobody
    # A mean of four students is one of few; that of 28 would tell that they were 28.
    assert new["gpa"].tolist()[:4] == [2.5, MARK, MARK, None]
    assert (table.loc[20201][list(compare.MEASURES)] != MARK).all(axis=None)


def test_a_cohort_is_seen_as_far_as_each_of_its_programmes():
    # MI's lists end two terms before those of IF: nobody knows yet who of MI leaves after its second term.
    rows = pd.concat([alike(), alike().assign(program_code="MI")])
    both = pd.concat([progress(), progress(PROGRESS[8:10]).assign(program_code="MI")])

    def told(*about, terms=8):
        found = compare.seen_cohorts(*about, LAST, terms)
        return {cohort: (sorted(one.terms), one.closed) for cohort, one in found.items()}

    eight = list(range(1, 9))
    assert told(alike(), progress()) == {20201: (eight, 10), 20231: (eight[:4], 4)}
    assert told(rows, both) == {20201: (eight, 8), 20231: (eight[:2], 2)}
    # A programme without a single term is seen as far as the others, and its entrants are not followed.
    assert told(rows, progress()) == {20201: (eight, 10), 20231: (eight[:4], 4)}
    assert compare.seen_cohorts(rows, progress(), LAST, 8)[20201].followed == {"IF"}


def test_once_everybody_has_gone_nobody_is_registered_and_that_is_known():
    # The register follows cohort 20201 to its eighth term; by 20242 it has completed ten.
    gone = alike([row for row in ALIKE if row[1] != "enrolled"])
    for who, terms in ((gone, 10), (alike(), 8)):
        known = summaries.followed(progress(), who, LAST)
        assert compare.seen_cohorts(who, known, LAST, 14)[20201].terms == set(range(1, terms + 1))
    late = progress([row for row in PROGRESS if row[1] > 2])  # the lists begin with its third term
    assert min(compare.seen_cohorts(alike(), late, LAST, 8)[20201].terms) == 3


def test_a_programme_without_exits_has_no_rate_of_them():
    counts = Counts(alike(), PROGRAMS, LAST, frozenset())
    seen = compare.seen_cohorts(alike(), progress(), LAST, 8)
    compare.add_side_by_side(counts, [20201], seen, 8)
    table = compare.side_by_side(counts, counts.everything(), [20201], progress(), seen, 8, frozenset())
    assert table["left"].tolist() == [None] * 8 and table["kept"].tolist()[0] == 1.0


def test_a_cohort_without_terms_is_not_zero():
    counts = Counts(alike(), PROGRAMS, None, REPORTED)
    seen = compare.seen_cohorts(alike(), progress(()), None, 8)
    compare.add_side_by_side(counts, [20231], seen, 8)
    table = compare.side_by_side(counts, counts.everything(), [20231], progress(()), seen, 8, REPORTED)
    assert (table[list(compare.MEASURES)] == NOT_YET).all(axis=None)


def test_on_leave_of_few_is_not_told_by_those_who_are_registered():
    few = [(cohort, state, left, did, 3 if did == "22122222" else n) for cohort, state, left, did, n in ALIKE]
    counts = Counts(alike(few), PROGRAMS, LAST, REPORTED)
    seen = compare.seen_cohorts(alike(few), progress(), LAST, 8)
    compare.add_side_by_side(counts, [20201], seen, 8)
    told = compare.told_on_page(counts.values(), [20201], 8)
    # Term 3: 32 are still here, 29 of them registered, three on leave.
    assert told.count(("kept", 20201, 3)) == 32 and told.count(("active", 20201, 3)) == MARK
    assert told.count(("active", 20201, 2)) == 38


def test_a_share_that_leaves_four_of_fifteen_is_not_told():
    few = [
        (20201, "graduated", 8, "22222222", 11),
        (20201, "resigned", 8, "22222220", 2),
        (20201, "enrolled", -1, "22222221", 2),
    ]
    counts = Counts(alike(few), PROGRAMS, LAST, REPORTED)
    rows = progress([(20201, term, 15, 3.0, 15) for term in range(1, 9)])
    seen = compare.seen_cohorts(alike(few), rows, LAST, 8)
    compare.add_side_by_side(counts, [20201], seen, 8)
    for told in (compare.told_on_page(counts.values(), [20201], 8), counts.public()):
        table = compare.side_by_side(counts, told, [20201], rows, seen, 8, REPORTED)
        last = table[table["term"] == 8].iloc[0]
        # Registered 11 and on time 11 of 15: each leaves four, beside whom a star would hide nothing.
        assert last["active"] == MARK and last["on_time"] == MARK and last["left"] == MARK
        assert table[table["term"] == 7].iloc[0]["on_time"] == 0


def today_and_by_term(rows) -> tuple[Counts, Told]:
    """Where cohort 20201 stands today, beside its figures by study term."""
    counts = Counts(alike(rows), PROGRAMS, LAST, REPORTED)
    counts.add_cohorts([20201])
    seen = compare.seen_cohorts(alike(rows), progress(), LAST, 8)
    compare.add_side_by_side(counts, [20201], seen, 8)
    return counts, compare.told_on_page(counts.values(), [20201], 8)


def test_what_is_hidden_by_term_is_hidden_where_the_cohort_stands_today():
    rows = [(20201, "graduated", 8, "22222222", 20), (20201, "resigned", 3, "22200000", 2)]
    rows.append((20201, "enrolled", -1, "22222222", 18))
    _, told = today_and_by_term(rows)
    for name in (("left", 20201, 8), ("cohort", 20201, "left")):
        assert told.count(name) == MARK
    # One star alone would be the difference from the total.
    assert sum(not told.shown(("cohort", 20201, state)) for state in STATES) >= 2
    assert told.count(("cohort", 20201, "entered")) == 40


def test_a_count_of_today_that_hides_another_hides_it_by_term_too():
    # Three study on: today a second count hides them, and it is no other by the end of the last term.
    rows = [(20201, "graduated", 8, "22222222", 30), (20201, "resigned", 3, "22200000", 7)]
    rows.append((20201, "enrolled", -1, "22222222", 3))
    _, told = today_and_by_term(rows)
    for state in ("on_time", "left"):
        assert told.shown((state, 20201, 8)) == told.shown(("cohort", 20201, state))
    assert not told.shown(("cohort", 20201, "studying"))
    assert told.shown(("left", 20201, 1))  # nobody yet


def test_of_a_cohort_of_few_nothing_is_told_not_even_zeros():
    few = [(20201, "enrolled", -1, "22222222", 4)]
    counts = Counts(alike(few), PROGRAMS, LAST, REPORTED)
    rows = progress([(20201, term, 4, 3.0, 4) for term in range(1, 9)])
    seen = compare.seen_cohorts(alike(few), rows, LAST, 8)
    compare.add_side_by_side(counts, [20201], seen, 8)
    for told in (compare.told_on_page(counts.values(), [20201], 8), counts.public()):
        table = compare.side_by_side(counts, told, [20201], rows, seen, 8, REPORTED)
        assert (table[["entered", *compare.MEASURES]] == MARK).all(axis=None)


def test_what_is_hidden_and_what_is_told_is_counted_apart_from_what_is_not_known():
    table = pd.DataFrame(
        [[20241, 1, 30, 0.5, MARK, None, MARK, compare.NOT_YET]],
        columns=["cohort_term", "term", "entered", *compare.MEASURES],
        dtype=object,
    )
    assert compare.hidden_and_told(table) == (2, 1)


def test_nobody_is_no_share():
    assert Told({("a",): 0}).share(("a",), ("a",)) is None


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("measure", compare.MEASURES)
def test_the_chart_draws_only_what_is_told_and_says_the_rest_in_its_table(language, measure):
    words = Words(language)
    frame = compared("page").reset_index()
    chart = side_by_side_chart(frame, measure, words)
    assert [trace.name for trace in chart.figure.data] == [words.term(20201), words.term(20231)]
    assert len({trace.line.dash for trace in chart.figure.data}) == 2  # not by colour alone
    assert len({trace.marker.symbol for trace in chart.figure.data}) == 2
    drawn = [value for value in chart.figure.data[1].y if value is not None and value == value]
    assert len(drawn) == {"kept": 1, "active": 1, "gpa": 1, "on_time": 4, "left": 0}[measure]
    assert chart.alt and words.term(20201) in chart.alt
    assert chart.table.iloc[1].tolist()[5:] == [NOT_YET] * 4
