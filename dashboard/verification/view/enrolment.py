"""The parts of the enrolment page: which specimens become references, why others do not, what is missing."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.kpis import Kpi, kpi_row
from dashboard.components.layout import section
from dashboard.jobs import asking as jobs
from dashboard.jobs.view.job_progress import any_open, follow
from dashboard.shell import caches, current_session, stores
from dashboard.shell.access import may
from dashboard.shell.session_keys import Key
from dashboard.students.view.specimen_panel import scan, specimen_name
from dashboard.verification.view import consent as consent_parts
from dashboard.verification.view.lacking import lacking_list
from data import queries
from data.columns import SCREEN
from data.signatures.findings import CHECKS
from data.verification import queries as queries_verification
from data.verification.write import NoConsent


def overview() -> None:
    """How far the register is, and one button to enrol everybody who can be."""
    words, person = current_session.words(), current_session.person()
    counts = caches.read_once(queries.specimen_counts)
    held = caches.read_once(queries_verification.enrolments)
    decisive = int((held["reference_ids"].str.len() >= fewest()).sum()) if len(held) else 0
    kpi_row(
        [
            Kpi(words("enrolment.kpi_students"), words.number(counts["students"])),
            Kpi(
                words("enrolment.kpi_enrolled"), words.number(len(held)), words("enrolment.kpi_enrolled_help")
            ),
            Kpi(
                words("enrolment.kpi_decisive"), words.number(decisive), words("enrolment.kpi_decisive_help")
            ),
        ]
    )
    if not may(person.role, "run enrol") or not counts["students"]:
        return lacking_list(fewest())
    if not any_open(follow("enrol", Key.ENROL_JOB)):
        label = words("enrolment.enrol_all")
        st.button(label, icon=":material/group_add:", key="enrol-all", on_click=_start)
    st.caption(words("enrolment.enrol_all_help"))
    consent_parts.to_consent("to_missing")
    lacking_list(fewest())


def _start() -> None:
    st.session_state[Key.ENROL_JOB] = jobs.start(stores.store(), current_session.person(), "enrol")


def fewest() -> int:
    """References that a comparison needs."""
    from vision.verification.verify import FEWEST_REFERENCES

    return FEWEST_REFERENCES


def standing(held: pd.DataFrame) -> None:
    """Whether the student is enrolled, since when, with how many references."""
    words = current_session.words()
    if held.empty:
        st.info(words("enrolment.none"), icon=":material/person_add:")
        return
    row = held.iloc[0]
    n, day = len(row["reference_ids"]), current_session.day(row["at"])
    st.markdown(f":material/how_to_reg: {words('verification.enrolled', n=n, day=day)}")


def choose(specimens: pd.DataFrame, held: pd.DataFrame) -> list[str]:
    """Every specimen with its scan, whether it is used, and why not.

    Parameters
    ----------
    specimens : DataFrame
        From :func:`data.queries.student_specimens`.
    held : DataFrame
        The enrolment in force, or no row.

    Returns
    -------
    list of str
        The specimens that the reader wants as references.
    """
    from vision.verification.reference_choice import OTHER_MEDIUM, choose_references

    words = current_session.words()
    choice = choose_references(specimens)
    suggested = set(held.iloc[0]["reference_ids"] if len(held) else choice.references)
    section(words("enrolment.choose_title"), words("enrolment.choose_help"))
    wanted, grid = [], st.grid(3, min_column_width=230, gap="small", key="specimens")
    for place, row in enumerate(specimens.to_dict("records"), start=1):
        one = row["specimen_id"]
        why = choice.left_out.get(one, ())
        spoilt = any(code in CHECKS or code == OTHER_MEDIUM for code in why)
        with grid.cell(), st.container(border=True, key=f"specimen-{place}"):
            scan(one, words.day(row["captured_on"]), key=f"scan-{place}")
            label = words("enrolment.use", n=place)
            used = st.toggle(label, value=one in suggested, disabled=spoilt, key=f"use-{one}")
            st.caption(specimen_name(pd.Series(row)))
            for code in () if used else why:
                st.caption(f":material/info: {left_out_reason(code)}")
        if used and not spoilt:
            wanted.append(one)
    if len(specimens) and set(specimens.set_index("specimen_id").loc[wanted, "medium"]) == {SCREEN}:
        st.warning(words("enrolment.only_screen"), icon=":material/help:")
    return wanted


def left_out_reason(code: str) -> str:
    """Why a specimen is no reference."""
    words = current_session.words()
    if code in CHECKS:
        return words("enrolment.left_out_finding", finding=words(f"check.{code}").lower())
    return words(f"enrolment.left_out_{code}")


def guidance(wanted: list[str]) -> None:
    """How many references there would be, and how many are missing."""
    from vision.verification.reference_choice import ADVISED

    words, n, needed = current_session.words(), len(wanted), fewest()
    if n < needed:
        st.warning(words("enrolment.too_few", n=n, missing=needed - n, needed=needed), icon=":material/help:")
    elif n < ADVISED:
        st.info(words("enrolment.few", n=n, advised=ADVISED), icon=":material/info:")
    else:
        st.success(words("enrolment.enough", n=n), icon=":material/check_circle:")
    if n < ADVISED:
        st.markdown("\n".join(f"- {line}" for line in words("enrolment.how_to").split("\n")))


def enrol_button(student_key: str, wanted: list[str], held: pd.DataFrame) -> None:
    """Enrol, or enrol anew once that is confirmed."""
    from vision.verification.verification_pipeline import enrol

    words, person = current_session.words(), current_session.person()
    again = len(held) > 0
    sure = not again or st.checkbox(
        words("enrolment.confirm"), key=current_session.field_of("enrol-confirm", student_key)
    )
    label = words("enrolment.again" if again else "enrolment.enrol", n=len(wanted))
    if not st.button(
        label, type="primary", icon=":material/how_to_reg:", key="enrol", disabled=not wanted or not sure
    ):
        return
    try:
        with st.spinner(words("enrolment.working")):
            made = enrol(
                stores.store(), student_key, actor=person.account, role=person.role, specimen_ids=wanted
            )
    except NoConsent:
        st.error(words("verification.no_consent"), icon=":material/block:")
        consent_parts.to_consent("to_record", student_key)
        return
    st.success(words("enrolment.done", n=len(made.references)), icon=":material/check_circle:")
    if made.unlike:
        days = ", ".join(_day_of(one, student_key) for one in made.unlike)
        st.warning(words("enrolment.unlike", days=days), icon=":material/visibility:")


def _day_of(specimen_id: str, student_key: str) -> str:
    words = current_session.words()
    rows = queries.student_specimens(stores.store(), current_session.scope(), student_key)
    return words.day(rows.set_index("specimen_id").at[specimen_id, "captured_on"])
