"""The parts of the review queue: a case without its score, the opinion, what came after, the list."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.components.drafts import Draft
from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.shell import current_session, stores
from dashboard.shell.people import named
from dashboard.shell.plain import plain, shown
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from dashboard.verification.reviews import may_settle, may_withdraw, progress_of, told_act, told_reasons
from dashboard.verification.view.compare import comparison
from dashboard.verification.view.outcome import outcome_panel
from data.verification import queries as queries_verification
from data.verification import reviews
from data.verification.reviews import ACTIONS, OPINIONS, REASON_CODES, Refused

ICONS = {"same_writer": "check", "cannot_tell": "help", "another_writer": "close"}


def case_header(case: dict, passed: list[str]) -> None:
    """Whose signature it is, since when it waits, and the ways on."""
    words = current_session.words()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            f"**{plain(named(case))}** · {words('review.since', day=current_session.day(case['at']))}",
            width="content",
        )
        label = "review.later" if case["mine_to_do"] else "review.next"
        if st.button(words(label), icon=":material/arrow_forward:", type="tertiary", key="next-case"):
            if case["mine_to_do"]:
                passed[:] = [earlier for earlier in passed if earlier != case["decision_id"]] + [
                    case["decision_id"]
                ]
            st.query_params.pop("case", None)
            st.rerun()


def evidence(case: dict) -> None:
    """The signature in question beside the references; which one is closest stays hidden from the blind."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    references = queries_verification.references(store, scope, case["reference_ids"])
    try:
        image = queries_verification.questioned_image(store, scope, case["decision_id"])
    except LookupError:
        st.warning(words("review.image_gone"), icon=":material/auto_delete:")
        return
    if references.empty:
        st.warning(words("review.references_gone"), icon=":material/auto_delete:")
        return
    comparison(image, references, case["nearest_specimen"])


def opinion_form(case: dict) -> None:
    """What the reader sees, with reasons; writing it down opens the score."""
    words = current_session.words()
    known = _why_known(case)
    section(words("review.opinion_title"), words(f"review.opinion_help{'_known' if known else ''}"))
    if known:  # before it is given, and not only beside it afterwards
        st.info(words(f"review.known_{known}"), icon=":material/visibility:")
    draft = Draft("opinion", case["decision_id"])
    with draft.form_here():
        opinion = st.radio(
            words("review.opinion"),
            OPINIONS,
            index=None,
            format_func=lambda name: f":material/{ICONS[name]}: {words(f'opinion.{name}')}",
            **draft.field("opinion"),
        )
        codes, text = _reasons(draft)
        about = {"type": "primary", "icon": ":material/gavel:", "key": "opinion-give"}
        sent = st.button(words("review.give"), disabled=opinion is None, **about)
    if opinion is None or not (codes or text.strip()):
        return lacks(words("review.needs_both"), draft, pressed=sent)
    if not sent:
        return draft.note()
    try:
        reviews.give_opinion(
            stores.store(), current_session.scope(), case["decision_id"], opinion, text, codes
        )
    except Refused as refused:
        st.warning(words(f"review.refused_{refused.code}"), icon=":material/block:")
        return
    draft.saved()
    st.query_params["case"] = case["decision_id"]
    st.session_state.pop(Key.INBOX_NUMBER, None)
    st.rerun()


def lacks(said: str, draft: Draft, *, pressed: bool) -> None:
    """Say below its button what a form still lacks, before it is pressed too: the run that a press asks for
    takes its time."""
    if pressed:
        st.warning(said, icon=":material/edit:")
        return
    st.caption(f":material/edit: {said}")
    draft.note()


def _why_known(case: dict) -> str:
    """Why the reader has seen the score before giving an opinion; empty where they have not."""
    if case["withdrew"]:
        return "anew"
    return "ran" if case["actor"] == current_session.scope().account else ""


def _reasons(draft: Draft) -> tuple[list[str], str]:
    words = current_session.words()
    codes = st.pills(
        words("review.reasons"),
        REASON_CODES,
        selection_mode="multi",
        format_func=lambda reason: words(f"review.reason_{reason}"),
        wrap=True,
        **draft.field("reasons"),
    )
    text = st.text_area(words("review.text"), height=84, max_chars=1000, **draft.field("text"))
    return list(codes), text


def after_opinion(case: dict) -> None:
    """The score and everybody's opinion, once the reader has given theirs; and how the case may end."""
    words = current_session.words()
    given = reviews.opinions(stores.store(), current_session.scope(), case["decision_id"])
    left, right = st.columns(2, gap="large")
    with left:
        known = _why_known(case)
        section(words("review.method_title"), words(f"review.method_help{'_known' if known else ''}"))
        outcome_panel(case, key=case["decision_id"], steps=False)
    with right:
        section(words("review.people_title"), words("review.people_help"))
        for row in given.to_dict("records"):
            _entry(row, case)
        if not case["settled"]:
            st.markdown(words(f"review.progress_{progress_of(given)}"))
            if may_withdraw(given, current_session.scope().account):
                _withdrawal(case)
    actions = () if case["settled"] else may_settle(given)
    if actions:
        _settlement(case, actions)


def _entry(row: dict, case: dict) -> None:
    words = current_session.words()
    is_act = row["kind"] in ("settlement", "withdrawal")
    ran = not row["blind"] and row["reviewer"] == case["actor"]
    known = "" if is_act else words("review.blind" if row["blind"] else f"review.knew{'_ran' if ran else ''}")
    st.markdown(f"**{told_act(row['kind'], row['opinion'], words)}**")
    st.text(shown(told_reasons(row["reason_codes"], row["reasons"], words)))
    st.caption(
        " · ".join(
            part for part in (current_session.day(row["at"]), plain(name_of(row["reviewer"])), known) if part
        )
    )


def _withdrawal(case: dict) -> None:
    words = current_session.words()
    with st.popover(words("review.withdraw"), icon=":material/undo:", key="withdraw"):
        draft = Draft("withdraw", case["decision_id"])
        with draft.form_here():
            st.markdown(words("review.withdraw_help"))
            about = {"height": 84, "max_chars": 1000}
            text = st.text_area(words("review.withdraw_text"), **about, **draft.field("text"))
            sent = st.button(words("review.withdraw_go"), icon=":material/undo:", key="withdraw-go")
        if not sent:
            return draft.note()
        try:
            reviews.withdraw_opinion(stores.store(), current_session.scope(), case["decision_id"], text)
        except Refused as refused:
            st.warning(words(f"review.refused_{refused.code}"), icon=":material/block:")
            return
    draft.saved()
    st.query_params["case"] = case["decision_id"]
    st.session_state.pop(Key.INBOX_NUMBER, None)  # the case waits for the reader again
    st.toast(words("review.withdrawn_done"), icon=":material/undo:")
    st.rerun()


def _settlement(case: dict, actions: tuple[str, ...]) -> None:
    words = current_session.words()
    title = "review.ask_again_title" if actions == ("ask_again",) else "review.settle_title"
    section(words(title), words("review.settle_help"))
    draft = Draft("settle", case["decision_id"])
    with draft.form_here():
        action = st.radio(
            words("review.settle"),
            [way for way in ACTIONS if way in actions],
            format_func=lambda way: words(f"action_of.{way}"),
            captions=[words(f"action_of.{way}_help") for way in ACTIONS if way in actions],
            **draft.field("action"),
        )
        text = st.text_area(words("review.settle_text"), height=84, max_chars=1000, **draft.field("text"))
        about = {"type": "primary", "icon": ":material/done_all:", "key": "settle-go"}
        sent = st.button(words("review.settle_go"), **about)
    if not text.strip():
        return lacks(words("review.refused_no_reasons"), draft, pressed=sent)
    if not sent:
        return draft.note()
    try:
        reviews.settle(stores.store(), current_session.scope(), case["decision_id"], action, text)
    except Refused as refused:
        st.warning(words(f"review.refused_{refused.code}"), icon=":material/block:")
        return
    draft.saved()
    st.query_params.pop("case", None)
    st.toast(words("review.settled_done"), icon=":material/check:")
    st.rerun()


def which_list(queue: pd.DataFrame, settled: pd.DataFrame) -> pd.DataFrame:
    """The open cases or those that are settled, as the reader chooses; where there is one kind only, that."""
    words = current_session.words()
    kinds = {"open": queue, "settled": settled}
    there = [kind for kind, rows in kinds.items() if len(rows)]
    if len(there) == 1:
        return kinds[there[0]]
    chosen = st.segmented_control(
        words("review.list_which"),
        there,
        default=there[0],
        required=True,
        format_func=lambda kind: f"{words(f'review.list_{kind}')} · {words.number(len(kinds[kind]))}",
        key="review-list",
        label_visibility="collapsed",
    )
    return kinds[chosen]


def queue_list(table: pd.DataFrame, ids: list[str]) -> None:
    """The cases; selecting a row opens one.

    Parameters
    ----------
    table : DataFrame
        From :func:`dashboard.verification.reviews.queue_table`.
    ids : list of str
        The case of each row.
    """
    words, config = current_session.words(), st.column_config
    section(words("review.list_title"), words("review.list_help"))
    draw_table(
        table,
        key=Key.REVIEW_QUEUE,
        on_select=partial(_open, ids),
        selection_mode="single-row",
        alt=words("review.list_title"),
        written={"when": words.day},
        column_config={
            "student": config.TextColumn(words("column.student"), width="medium"),
            "when": config.DateColumn(words("column.when")),
            "state": config.TextColumn(words("review.state"), width="medium"),
            "opinions": config.NumberColumn(words("review.opinions"), format="%d"),
            "case": config.TextColumn(words("review.case")),
        },
    )


def _open(ids: list[str]) -> None:
    rows = st.session_state[Key.REVIEW_QUEUE]["selection"]["rows"]
    if rows:
        st.query_params["case"] = ids[rows[0]]


def for_export(table: pd.DataFrame) -> pd.DataFrame:
    """The list with headings in the reader's language."""
    words = current_session.words()
    names = {"student": "column.student", "when": "column.when", "case": "review.case"}
    names |= {"state": "review.state", "opinions": "review.opinions"}
    return table.assign(when=table["when"].astype(str).str[:10]).rename(
        columns={name: words(key) for name, key in names.items()}
    )
