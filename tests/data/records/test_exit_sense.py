"""Whether graduated and dropped out were exchanged: told by what they had reached, the boundary by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.columns import DROPOUT_EXITS
from data.records.exit_sense import Turned, turned_exits
from data.synthetic.cohort import make_university
from tests.data.records.test_checks import found

PLAN = {"graduated": (144, 3.3), "resigned": (40, 2.1)}  # credits and average at the end


def register(rows, programme="IF", **columns):
    """Students with one row of a term each: kind of exit, credits, average."""
    numbers = [f"{programme}{n}" for n in range(len(rows))]
    students = pd.DataFrame({"student_key": numbers, "program_code": programme, "cohort_term": 20201})
    terms = pd.DataFrame(rows, columns=["exit_type", "credits_cum", "gpa_cum"]).assign(student_key=numbers)
    outcomes = terms[["student_key", "exit_type"]]
    return students.assign(**columns), terms.assign(term_id=20201), outcomes


def rows(graduates, dropped):
    """So many graduates and drop-outs, each a little apart from the next."""
    made = []
    for kind, count in (("graduated", graduates), ("resigned", dropped)):
        credits, gpa = PLAN[kind]
        made += [(kind, credits + n, gpa + n / 1000) for n in range(count)]
    return made


def exchanged(frame):
    other = {"graduated": "resigned", "resigned": "graduated"}
    return frame.assign(exit_type=frame["exit_type"].replace(other))


def test_exchanged_kinds_are_found_and_right_ones_are_not():
    students, terms, outcomes = register(rows(20, 5))
    assert turned_exits(students, terms, outcomes) is None
    assert turned_exits(students, terms, exchanged(outcomes)) == Turned(5, 20, 1.0, 1.0)


@pytest.mark.parametrize("kinds", [DROPOUT_EXITS, ("resigned",)])
def test_the_demo_is_right_and_exchanged_it_is_found(kinds):
    frames = make_university(300, np.random.default_rng(4)).frames
    register = (frames.students, frames.terms)
    assert turned_exits(*register, frames.outcomes, "student_number") is None
    kind = frames.outcomes["exit_type"]
    turned = kind.mask(kind == "graduated", "resigned").mask(kind.isin(kinds), "graduated")
    told = turned_exits(*register, frames.outcomes.assign(exit_type=turned), "student_number")
    assert told is not None and told.told_by == "both"


def test_too_few_to_tell_from_chance_say_nothing():
    """Two of either kind, all the wrong way round, may be chance; four are not."""
    for count, said in ((2, False), (4, True)):
        students, terms, outcomes = register(rows(count, count))
        assert (turned_exits(students, terms, exchanged(outcomes)) is not None) == said


def test_half_of_the_pairs_is_not_more_than_half():
    even = [("graduated", credits, 3.0) for credits in range(100, 140)]
    even += [("resigned", credits, 3.0) for credits in range(100, 140)]
    assert turned_exits(*register(even)) is None


def test_a_drop_out_of_the_last_allowed_term_has_many_credits_and_a_poor_average():
    late = [("graduated", 140, 3.2)] * 20 + [("resigned", 141, 1.9)] * 20
    assert turned_exits(*register(late)) is None


def test_programmes_are_compared_within_themselves():
    """Drop-outs of a bachelor's programme have more credits than graduates of a diploma of a year."""
    short = register([("graduated", 36, 3.0)] * 30 + [("resigned", 8, 2.0)] * 2, "D1")
    long = register([("graduated", 144, 3.0)] * 2 + [("resigned", 90, 3.4)] * 30, "S1")
    assert (
        turned_exits(*(pd.concat(pair, ignore_index=True) for pair in zip(short, long, strict=True))) is None
    )


def test_without_credits_the_average_decides_and_without_either_nothing_does():
    students, terms, outcomes = register(rows(20, 5))
    graded = turned_exits(students, terms.drop(columns="credits_cum"), exchanged(outcomes))
    assert graded == Turned(5, 20, None, 1.0) and graded.told_by == "gpa"
    bare = terms.drop(columns=["credits_cum", "gpa_cum"])
    assert turned_exits(students, bare, exchanged(outcomes)) is None


def test_credits_of_some_terms_are_no_total():
    """Only the last of several terms is in the file: what it brought is not what was reached."""
    students, terms, outcomes = register([("graduated", 6, 3.0)] * 10 + [("resigned", 20, 3.1)] * 10)
    later = terms.rename(columns={"credits_cum": "credits_passed"}).assign(term_id=20211, gpa_cum=None)
    assert turned_exits(students, later, outcomes) is None
    assert turned_exits(students, later.assign(term_id=20201), outcomes).told_by == "credits"


def test_credits_recognised_at_entry_leave_a_student_out():
    students, terms, outcomes = register(rows(20, 5), recognized_credits=40)
    assert turned_exits(students, terms, exchanged(outcomes)) is None


@pytest.mark.parametrize(
    ("graduated", "dropped", "said"), [("Lulus", "Mengundurkan diri", 0), ("Mengundurkan diri", "Lulus", 1)]
)
def test_an_import_of_exchanged_kinds_is_a_finding_about_the_whole_file(graduated, dropped, said):
    ends = [(f"{n:03d}", graduated, 40, "3,4") for n in range(1, 11)]
    ends += [(f"{n:03d}", dropped, 20, "1,9") for n in range(11, 21)]
    problems = found(
        students="".join(f"{number};55;S1;2019;Baru\n" for number, *_ in ends),
        terms="".join(f"{n};20191;Aktif;{g};{g};20;20;{c};\n" for n, _, c, g in ends),
        outcomes="".join(f"{n};{kind};20192;15/07/2020;2\n" for n, kind, *_ in ends),
    )
    turned = problems[problems["rule"] == "REC150"]
    assert len(turned) == said
    if said:
        row = turned.iloc[0]
        assert row["severity"] == "warning" and pd.isna(row["row"]) and row["column"] == "Jenis Keluar"
        assert "10 drop-outs and 10 graduates look exchanged" in row["message"]
