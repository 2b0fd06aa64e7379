"""The parts of the verification page: what is on file, the comparison, earlier ones, the case file."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import NamedTuple

import pandas as pd
import streamlit as st

from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.reports.case_file import case_file
from dashboard.reports.provenance import provenance_of
from dashboard.shell import auditing, current_session, exports, stores
from dashboard.shell.people import named
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from dashboard.verification.case import case_of
from dashboard.verification.view import consent as consent_parts
from dashboard.verification.view.outcome import outcome_panel
from dashboard.verification.view.questioned_input import Questioned
from data import queries
from data.trust.accounts import list_accounts
from data.verification import queries as queries_verification
from data.verification import reviews
from data.verification.custody import custody
from data.verification.write import NoConsent

MODES = ("one", "folder")


class Evidence(NamedTuple):
    """What :func:`dashboard.verification.view.compare.comparison` takes."""

    questioned: bytes
    references: pd.DataFrame
    nearest: str | None


def mode_choice() -> str:
    """One signature, or a folder of them."""
    words = current_session.words()
    return st.segmented_control(
        words("verification.mode"),
        list(MODES),
        default=MODES[0],
        required=True,
        key="verification-mode",
        format_func=lambda one: words(f"verification.mode_{one}"),
        label_visibility="collapsed",
        persist_state="session",
    )


def on_file(student_key: str) -> None:
    """How many references the student has, and where to get more."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    if consent_parts.lacking(student_key):
        return
    held = queries_verification.enrolments(store, scope, key=student_key)
    if held.empty:
        st.warning(words("verification.not_enrolled"), icon=":material/person_add:")
    else:
        row = held.iloc[0]
        n, day = len(row["reference_ids"]), current_session.day(row["at"])
        st.caption(words("verification.enrolled", n=n, day=day))
    if "enrolment" in current_session.pages():
        st.page_link(
            current_session.pages()["enrolment"],
            label=words("verification.to_enrolment"),
            icon=":material/how_to_reg:",
            query_params={"s": student_key},
        )


def close_result_of_another(questioned: Questioned) -> None:
    """Close the result that is open when another signature is handed in: beside it, it would seem its own."""
    digest = hashlib.sha256(questioned.data).hexdigest()
    if st.session_state.get(Key.QUESTIONED) != digest:
        st.session_state[Key.QUESTIONED] = digest
        st.query_params.pop("d", None)


def compare_button(student: dict, questioned: Questioned) -> None:
    """Compare and keep the decision; its id goes into the address."""
    from vision.verification.verification_pipeline import verify

    words, person = current_session.words(), current_session.person()
    why = _why_not(student["student_key"], questioned)
    st.caption(f":material/block: {why}" if why else words("verification.compare_note"))
    if not st.button(
        words("verification.compare"),
        type="primary",
        icon=":material/compare:",
        key="compare",
        disabled=bool(why),
    ):
        return
    try:
        with st.spinner(words("verification.comparing")):
            made = verify(
                stores.store(),
                student["student_key"],
                questioned.data,
                actor=person.account,
                role=person.role,
                of_page=questioned.of_page,
            )
    except NoConsent:
        st.error(words("verification.no_consent"), icon=":material/block:")
        consent_parts.to_consent("to_record", student["student_key"])
        return
    st.query_params["d"] = made.decision_id


def _why_not(student_key: str, questioned: Questioned) -> str:
    """Why the comparison could give no outcome, in the reader's language; empty where it can."""
    words = current_session.words()
    if questioned.nothing_to_compare:
        return words(f"verification.no_compare_{questioned.nothing_to_compare}")
    if not queries_verification.consents(stores.store(), student_key):
        return words("verification.no_compare_consent")
    return ""


def decision_view(decision_id: str, student: dict) -> Evidence | None:
    """Outcome and case file of a stored decision; what there is to look at, if it may be seen yet."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    try:
        decision = queries_verification.decision(store, scope, decision_id)
    except LookupError:
        return None
    if decision["student_key"] != student["student_key"]:
        return None
    st.caption(
        words(
            "verification.decided",
            day=current_session.day(decision["at"]),
            who=plain(name_of(decision["actor"])),
        )
    )
    if decision["reason"] is None:
        st.info(words("verification.blind"), icon=":material/visibility_off:")
        return None
    outcome_panel(decision, key="decision")
    references = queries_verification.references(store, scope, decision["reference_ids"])
    try:
        image = queries_verification.questioned_image(store, scope, decision_id)
    except LookupError:
        st.caption(words("review.image_gone"))
        return None
    _case_file(decision, student, image, references)
    return Evidence(image, references, decision["nearest_specimen"]) if len(references) else None


def _case_file(decision: dict, student: dict, image: bytes, references: pd.DataFrame) -> None:
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    case, here = decision["decision_id"], current_session.zone_name()

    def printed() -> bytes:
        # Runs when the button is pressed, outside the session: who asks in which language is settled above.
        images = {
            specimen: queries.specimen_image(store, specimen, scope) for specimen in references["specimen_id"]
        }
        given, chain = reviews.opinions(store, scope, case), custody(store, scope, case)
        origin = provenance_of(store, here)
        people = {one.account: one.display_name for one in list_accounts(store)}
        how = {"people": people, "zone": here}
        told = case_of(decision, named(student), image, references, images, given, words, chain, **how)
        return case_file(told, origin, words.language)

    st.download_button(
        words("verification.case_file"),
        data=auditing.handed_out(printed, "export", case, kind="pdf"),
        file_name=exports.file_name(
            f"case-{case[:8]}", "pdf", synthetic=stores.is_synthetic(), on=current_session.today()
        ),
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        help=words("verification.case_file_help"),
        key="case-file",
        on_click="ignore",
    )


def earlier(student_key: str) -> None:
    """Earlier comparisons of the student; selecting a row opens it."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    earlier = queries_verification.decisions(store, scope, key=student_key)
    if earlier.empty:
        return
    section(words("verification.earlier"))
    table = pd.DataFrame(
        {
            words("column.when"): [current_session.day(at) for at in earlier["at"]],
            words("verification.outcome"): [
                words(f"verification.outcome_{one}") for one in earlier["outcome"]
            ],
            words("verification.reason"): [
                words.named("verification_reason", one if isinstance(one, str) else "hidden")
                for one in earlier["reason"]
            ],
            words("column.actor"): [name_of(actor) for actor in earlier["actor"]],
        }
    )
    draw_table(
        table,
        key=Key.EARLIER,
        on_select=partial(_reopen, earlier["decision_id"].tolist()),
        selection_mode="single-row",
        alt=words("verification.earlier"),
    )


def _reopen(ids: list[str]) -> None:
    rows = st.session_state[Key.EARLIER]["selection"]["rows"]
    if rows:
        st.query_params["d"] = ids[rows[0]]
