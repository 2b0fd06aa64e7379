"""The meeting pack on the overview: four files, each made when its button is pressed and written down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.cohorts import courses, prospects, summaries
from dashboard.cohorts.meeting import internal_sheets, public_sheets
from dashboard.cohorts.meeting_files import FORMS, Pack, paper, workbook
from dashboard.cohorts.meeting_shape import Shown
from dashboard.cohorts.view import overview as parts
from dashboard.cohorts.view import reasons as why
from dashboard.cohorts.view.given import Given, counted, progress_of, seen_cohorts, terms_shown, told_of
from dashboard.cohorts.view.prospects import group_name, groups_by_code, scenario_table
from dashboard.components.filters import GroupFilter
from dashboard.reports.language import program_label
from dashboard.reports.provenance import provenance_of
from dashboard.shell import auditing, caches, current_session, exports, stores
from dashboard.shell.access import pages_for
from dashboard.shell.wording import Words
from data import queries
from data.trust.scope import Scope

MIME = {"pdf": "application/pdf", "xlsx": exports.MIME["xlsx"]}
ICONS = {"pdf": ":material/picture_as_pdf:", "xlsx": ":material/table_view:"}


@dataclass(frozen=True)
class Asked:
    """What a pack is to be about, and for whom it is made.

    Parameters
    ----------
    chosen : GroupFilter
    compared : tuple of int
        Cohorts that stand side by side; empty: none.
    attribute : str
        By which groups are formed.
    reader : Scope
    language : str
    zone : str
        Whose clock the files tell, as an IANA name; empty: UTC.
    """

    chosen: GroupFilter
    compared: tuple[int, ...]
    attribute: str
    reader: Scope
    language: str
    zone: str = ""


def meeting_pack(given: Given, compared: list[int], attribute: str) -> None:
    """Offer the pack of what the page shows, in two forms and two kinds."""
    words, reader = current_session.words(), current_session.scope()
    asked = Asked(
        given.chosen, tuple(compared), attribute, reader, words.language, current_session.zone_name()
    )
    with st.popover(words("meeting.button"), icon=":material/co_present:", key="meeting-pack"):
        st.caption(words("meeting.help"))
        for form in FORMS:
            st.markdown(words(f"meeting.{form}_about"))
            for kind, mime in MIME.items():
                st.download_button(
                    words(f"meeting.{form}_{kind}"),
                    data=auditing.handed_out(
                        partial(make, asked, form, kind),
                        "export",
                        "overview",
                        what="meeting_pack",
                        form=form,
                        kind=kind,
                        **_narrowed(given.chosen),
                    ),
                    file_name=exports.file_name(
                        "-".join(["meeting-pack", form, *_in_a_name(given.chosen)]),
                        kind,
                        synthetic=stores.is_synthetic(),
                        on=current_session.today(),
                    ),
                    mime=mime,
                    icon=ICONS[kind],
                    key=f"meeting-{form}-{kind}",
                    on_click="ignore",
                    width="stretch",
                )


def _narrowed(chosen: GroupFilter) -> dict[str, object]:
    """To what the page is narrowed, for the audit log."""
    return {name: value for name, value in vars(chosen).items() if value is not None}


def _in_a_name(chosen: GroupFilter) -> list[str]:
    """The same in a file's name: packs of two programmes are told apart."""
    return [re.sub(r"[^0-9A-Za-z]+", "-", str(value)) for value in _narrowed(chosen).values()]


def make(asked: Asked, form: str, kind: str) -> bytes:
    """The file; asked for when no session is at hand, so it is told who reads it and in which language.

    Raises
    ------
    PermissionError
        For a role that has no overview.
    """
    if "overview" not in {page.name for page in pages_for(asked.reader.role)}:
        raise PermissionError(f"role {asked.reader.role!r} has no overview")
    with current_session.as_reader(asked.reader, asked.language, asked.zone), stores.one_run():
        pack = _pack(asked, form)
        return paper(pack) if kind == "pdf" else workbook(pack)


def _pack(asked: Asked, form: str) -> Pack:
    words, given = Words(asked.language), Given(asked.chosen)
    shown = _shown(given, asked)
    if form == "public":
        sheets, left_out = public_sheets(shown, words)
    else:
        sheets, left_out = internal_sheets(shown, words), []
    return Pack(form, sheets, left_out, _about(given, asked, words), _provenance(asked, words))


def _shown(given: Given, asked: Asked) -> Shown:
    code = asked.chosen.program_code
    load = summaries.load_per_advisor(given.of_risk(queries.advisor_load))
    risky, _ = summaries.at_risk(given.cube)
    return Shown(
        kpis=[(one.label, one.value, _change(one), one.note) for one in parts.kpis(given)],
        names=stores.programs(),
        cohorts=given.cohorts,
        by_program=given.outcomes("program_code"),
        progress=given.progress,
        progress_of_program=progress_of(given),
        cube=given.cube,
        reasons=why.commonest(given),
        reasons_by_program=why.by_program(given),
        reason_name=partial(why.reason_words, words=Words(asked.language)),
        courses=_courses(code),
        incidence={
            ripeness: prospects.incidence(given.flow, given.programs, given.last, mature=ripeness == "mature")
            for ripeness in parts.RIPENESS
        },
        scenarios=scenario_table(given),
        attribute=asked.attribute,
        groups=groups_by_code(given, asked.attribute),
        group_name=partial(group_name, asked.attribute),
        counts=counted(given, asked.attribute),
        compared=list(asked.compared),
        compared_terms=terms_shown(given),
        seen=seen_cohorts(given),
        hidden_on_page=told_of(given).hidden,
        newest_told=max(parts.ripe_and_told(given)["cohort_term"].tolist(), default=None),
        reported=given.reported,
        load=(risky / len(load) if load else None, len(load)),
        several=given.flow["program_code"].nunique() > 1,
    )


def _change(kpi) -> str:
    return ": ".join(filter(None, (kpi.delta_note, kpi.delta)))


def _courses(program: str | None) -> pd.DataFrame:
    table = courses.by_course(caches.read_once(queries.course_results))
    return table if program is None else table[table["program_code"] == program]


def _about(given: Given, asked: Asked, words: Words) -> list[tuple[str, str]]:
    """What the pack is about, filters in words."""
    code, names = asked.chosen.program_code, stores.programs()
    cohort = asked.chosen.cohort_term
    known = None if given.last is None else words("meeting.as_of_term", term=words.term(given.last))
    lines = [
        (
            "program",
            words("overview.all_programs") if code is None else program_label(code, names.get(code, "")),
        ),
        ("cohort", words("overview.all_cohorts") if cohort is None else words.term(cohort)),
        ("target", words(f"target.{asked.chosen.target}")),
        ("as_of", known),
        ("compared", ", ".join(map(words.term, asked.compared))),
        ("group_by", words(f"attribute.{asked.attribute}")),
    ]
    return [(words(f"meeting.{key}"), value) for key, value in lines if value]


def _provenance(asked: Asked, words: Words) -> exports.TableProvenance:
    origin = provenance_of(stores.store(), asked.zone)
    return exports.TableProvenance(
        institution=origin.institution,
        synthetic=origin.synthetic,
        time_zone=origin.time_zone,
        made_on=origin.made_on,
        words=words,
        role=asked.reader.role,
        data_version=stores.data_version(),
        model_version=stores.served_version(),
        mixed=stores.is_mixed(),
        about_people=False,
    )
