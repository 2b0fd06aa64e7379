"""The parts of the duplicates page: the search, filters, the list, one pair side by side, its judgement."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from dashboard.components.drafts import Draft
from dashboard.components.layout import section
from dashboard.components.paper import filters_in_force
from dashboard.components.table import draw_table
from dashboard.jobs import asking as jobs
from dashboard.jobs.view.job_progress import any_open, follow
from dashboard.shell import current_session, stores
from dashboard.shell.access import may
from dashboard.shell.people import named
from dashboard.shell.plain import plain, shown
from dashboard.shell.session_keys import Key
from dashboard.students.view.specimen_panel import paper, picture
from dashboard.verification.view.comparison_pictures import superposed
from dashboard.verification.view.review import lacks
from data import queries
from data.columns import DUPLICATE_KINDS
from data.verification import reviews
from data.verification.duplicates import duplicate_counts, to_search
from data.verification.reviews import DUPLICATE_OPINIONS, Refused

LEAST_TOLD = 0.01  # expected pairs
WIDTHS = {"kind": 250, "first": 240, "second": 240, "strength": "small", "opinion": "medium"}


def search_bar(search: dict | None) -> bool:
    """When the register was searched last, what was found and what chance alone would give, and a new
    search; whether one is at work."""
    words, person = current_session.words(), current_session.person()
    if search is not None:
        images = search["content"]["same_image"]
        st.markdown(
            words("duplicates.searched", day=current_session.day(search["at"]), n=images["specimens"])
        )
        counts = duplicate_counts(stores.store(), current_session.scope())
        for kind in DUPLICATE_KINDS:
            if kind in search["content"]:
                st.markdown(_kind_told(kind, search["content"][kind], counts.get(kind, (0, 0))))
    if not may(person.role, "run duplicates"):
        return False
    if any_open(follow("duplicates", Key.DUPLICATE_JOB)):
        return True
    label = words("duplicates.search" if search is None else "duplicates.search_again")
    st.button(label, icon=":material/search:", key="duplicate-search", on_click=_start)
    st.caption(_before_it())
    return False


def _start() -> None:
    job_id = jobs.start(stores.store(), current_session.person(), "duplicates")
    st.session_state[Key.DUPLICATE_JOB] = job_id


def _before_it() -> str:
    """What a search would have to do, from what is stored now; how long that takes its bar tells."""
    from vision.descriptor.describe_specimens import descriptor_in_use, id_of_descriptor
    from vision.descriptor.outlines import Outlines

    words, ids = current_session.words(), [id_of_descriptor(one) for one in (descriptor_in_use(), Outlines())]
    every, new = to_search(stores.store(), ids)
    return words("duplicates.to_do", n=every, new=new)


def _kind_told(kind: str, about: dict, counts: tuple[int, int]) -> str:
    """What one kind's search came to, in a sentence or two."""
    words, (found, unjudged) = current_session.words(), counts
    told = words(
        "duplicates.counted",
        kind=words(f"duplicates.kind_{kind}"),
        n=found,
        open=unjudged,
        pairs=words.number(about["pairs"]),
    )
    if "expected" in about:
        told += " " + words("duplicates.expected", expected=words.number(about["expected"], 1))
    if about["found"] > found:
        told += " " + words("duplicates.elsewhere", n=about["found"] - found)
    return told


def filters() -> tuple[str | None, bool]:
    """Kind of finding or None, and whether only pairs that nobody has judged are listed."""
    words = current_session.words()
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        kind = st.selectbox(
            words("duplicates.kind"),
            [None, *DUPLICATE_KINDS],
            format_func=lambda name: words(f"duplicates.kind_{name}" if name else "duplicates.any_kind"),
            key="duplicate-kind",
            persist_state="session",
        )
    with right:
        open_only = st.toggle(
            words("duplicates.open_only"), value=True, key="duplicates-open", persist_state="session"
        )
    filters_in_force(
        {
            words("duplicates.kind"): kind and words(f"duplicates.kind_{kind}"),
            words("duplicates.open_only"): words("answer.true") if open_only else None,
        }
    )
    return kind, open_only


def as_table(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs as listed and exported."""
    words = current_session.words()
    rows = pairs.to_dict("records")
    return pd.DataFrame(
        {
            "kind": [words(f"duplicates.kind_{row['kind']}") for row in rows],
            "first": [side_name(row, "first") for row in rows],
            "second": [side_name(row, "second") for row in rows],
            "strength": [_expected(row) for row in rows],
            "opinion": [
                words(f"opinion.{row['opinion']}") if isinstance(row["opinion"], str) else "" for row in rows
            ],
        }
    )


def side_name(row: dict, side: str) -> str:
    """Name and number of one of the pair, or the beginning of the key where they may not be seen."""
    keys = {"name": "name", "student_number": "number", "student_key": "student"}
    return named({name: row.get(f"{side}_{short}") for name, short in keys.items()})


def strength(row: dict) -> str:
    """How many pairs as alike as this chance would give in the whole register."""
    words = current_session.words()
    return words("duplicates.chance", n=_expected(row))


def _expected(row: dict) -> str:
    """The number alone; far out the tail is extrapolated, so no more is told than that it is small."""
    words, expected = current_session.words(), row["expected_false"]
    least = words.number(LEAST_TOLD, 2)
    return f"< {least}" if expected < LEAST_TOLD else words.number(expected, 2 if expected < 1 else 0)


def pair_table(table: pd.DataFrame) -> int | None:
    """Draw the list; the position of the selected row."""
    words, config = current_session.words(), st.column_config
    event = draw_table(
        table,
        key="duplicates",
        on_select="rerun",
        selection_mode="single-row-required",
        alt=words("duplicates.list_title"),
        column_config={
            name: config.TextColumn(words(f"duplicates.column_{name}"), width=WIDTHS[name]) for name in table
        },
    )
    rows = event["selection"]["rows"]
    return rows[0] if rows else None


def pair_view(row: dict, search: dict) -> None:
    """The two signatures side by side and on one sheet, and what chance there is of it."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    section(words(f"duplicates.kind_{row['kind']}"))
    st.caption(words(f"duplicates.kind_{row['kind']}_help"))
    images = [queries.specimen_image(store, row[f"{side}_specimen"], scope) for side in ("first", "second")]
    left, right = st.columns(2, gap="small")
    for column, side, image in zip((left, right), ("first", "second"), images, strict=True):
        with column:
            who = side_name(row, side)
            st.caption(plain(who))
            with paper(f"pair-{side}"):
                picture(image, words("alt.pair", student=shown(who)))
    pair = superposed(images[0], row["second_specimen"])
    if pair is not None:
        with paper("pair-sheet"):
            picture(pair.mixed(0.5), words("alt.pair_sheet"))
        st.caption(words("duplicates.sheet_legend"))
    st.markdown(strength(row))
    pairs = search["content"].get(row["kind"], {}).get("pairs")
    if pairs:
        st.markdown(words("duplicates.chance_among", pairs=words.number(pairs), chance=_chance(row)))


def _chance(row: dict) -> str:
    """That strangers bring at least one pair so alike, from how many they are expected to bring."""
    words = current_session.words()
    share = -math.expm1(-row["expected_false"])
    if share < 0.001:
        return words("duplicates.chance_below", share=words.percent(0.001, 1))
    return words.percent(share, 1 if share < 0.1 else 0)


def opinion_form(row: dict) -> None:
    """Dismiss a pair with a reason, or say that it is to be followed up."""
    words = current_session.words()
    draft = Draft("duplicate", row["finding_id"])
    with draft.form_here():
        opinion = st.radio(
            words("duplicates.opinion"),
            DUPLICATE_OPINIONS,
            index=None,
            format_func=lambda name: words(f"opinion.{name}"),
            **draft.field("opinion"),
        )
        text = st.text_area(words("duplicates.text"), height=84, max_chars=1000, **draft.field("text"))
        about = {"type": "primary", "icon": ":material/save:", "key": "duplicate-save"}
        sent = st.button(words("duplicates.save"), disabled=opinion is None, **about)
    if opinion is None or not text.strip():
        return lacks(words("duplicates.needs_both"), draft, pressed=sent)
    if not sent:
        return draft.note()
    try:
        number = reviews.review_duplicate(
            stores.store(), current_session.scope(), int(row["finding_id"]), opinion, text
        )
    except Refused as refused:
        st.warning(words(f"review.refused_{refused.code}"), icon=":material/block:")
        return
    draft.saved()
    st.session_state[Key.PAIR_JUDGED] = (number, opinion, side_name(row, "first"), side_name(row, "second"))
    st.rerun()


def judged_receipt() -> None:
    """What was just said about a pair, with the way back; until something else is said."""
    words, judged = current_session.words(), st.session_state.get(Key.PAIR_JUDGED)
    if judged is None:
        return
    _, opinion, first, second = judged
    about = {"opinion": words(f"opinion.{opinion}"), "first": plain(first), "second": plain(second)}
    with st.container(horizontal=True, vertical_alignment="center", key="judged-receipt"):
        st.success(words("duplicates.judged", **about), width="stretch")
        st.button(words("bulk.undo"), icon=":material/undo:", key="judged-undo", on_click=_take_back)


def _take_back() -> None:
    words, judged = current_session.words(), st.session_state.pop(Key.PAIR_JUDGED)
    try:
        reviews.take_back_duplicate(stores.store(), current_session.scope(), judged[0])
    except Refused as refused:
        st.toast(words(f"review.refused_{refused.code}"), icon=":material/block:")
        return
    st.toast(words("bulk.undone"), icon=":material/undo:")


def for_export(table: pd.DataFrame) -> pd.DataFrame:
    """The list with headings in the reader's language."""
    words = current_session.words()
    return table.rename(columns={name: words(f"duplicates.column_{name}") for name in table})
