"""Course grades on the pages: bottlenecks without a single student, and a student's own in words."""

from __future__ import annotations

import pytest

from dashboard.cohorts.view.courses import told_frame
from dashboard.shell.wording import Words
from data import queries
from data.trust.scope import Scope
from data.trust.small_cells import MARK


@pytest.mark.parametrize("language", ["en", "id"])
def test_leadership_sees_where_attempts_fail_and_that_it_is_no_effect(university, screen, language):
    at = screen.drawn("overview", screen.person(university, "leadership"), language)
    words, shown = Words(language), screen.texts(at)
    assert words("courses.title") in shown and words("courses.note") in shown
    for number in queries.identities(university.store, Scope.system(), [university.student])[
        "student_number"
    ]:
        assert number not in shown


def test_what_is_handed_out_hides_the_small_counts(university, screen):
    from dashboard.cohorts.courses import by_course

    screen.drawn("overview", screen.person(university, "leadership"))  # the app is on this store
    table = by_course(queries.course_results(university.store, Scope.system()))
    frame = told_frame(table, Words("en"))
    hidden = (~table["told"]).to_numpy()
    assert hidden.any() and (frame.loc[hidden].iloc[:, 2:] == MARK).all(axis=None)
    assert (frame.loc[~hidden, "Attempts"] != MARK).all()


def test_a_students_courses_stand_on_their_page(university, screen):
    at = screen.drawn("student", screen.person(university, "advisor"), key=university.student)
    assert Words("en")("courses.student_title") in screen.texts(at)
