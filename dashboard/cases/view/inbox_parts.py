"""The parts of the inbox."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial

import streamlit as st

from dashboard.cases import inbox
from dashboard.cases.calendar_file import calendar_file
from dashboard.cases.followups import owned, who
from dashboard.cases.inbox import Waiting
from dashboard.components.layout import card, section
from dashboard.jobs import digest_mail
from dashboard.jobs.view.job_progress import shown_jobs
from dashboard.jobs.words import outcome_words
from dashboard.reporting.view.preview import profile_name
from dashboard.reports.language import program_label
from dashboard.shell import auditing, current_session, stores
from dashboard.shell.people import named
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from data import queries
from data.engine.clock import now
from data.settings import Settings, get_settings

SHOWN = 20  # of each kind
AHEAD = timedelta(days=60)  # of the calendar file


def since() -> datetime:
    """Since when jobs are told on this visit: the look before; from now on this one counts."""
    store, account = stores.store(), current_session.person().account
    if current_session.arrived() or Key.INBOX_SINCE not in st.session_state:
        st.session_state[Key.INBOX_SINCE] = inbox.last_look(store, account)
        inbox.looked(store, account)
        st.session_state.pop(Key.INBOX_NUMBER, None)
    return st.session_state[Key.INBOX_SINCE]


def one_kind(part: Waiting) -> None:
    """How many, and a link for each of the oldest."""
    words, page = current_session.words(), current_session.pages().get(inbox.PAGE_OF[part.kind])
    with card(f"inbox-{part.kind}"):
        # The number stays beside the last word, whatever the width.
        section(f"{words(f'inbox.title_{part.kind}')}\u00a0·\u00a0{words.number(len(part.items))}")
        for item in part.items[:SHOWN]:
            label, query, icon = LINES[part.kind](item)
            if page is None:
                st.markdown(f"{icon} {label}")
            else:
                st.page_link(page, label=label, icon=icon, query_params=query)
        if len(part.items) > SHOWN:
            st.caption(words("inbox.more", n=len(part.items) - SHOWN))


def _report(item: dict) -> tuple[str, dict, str]:
    words = current_session.words()
    about = {"instrument": profile_name(item["profile"], words.language), "version": item["version"]}
    about |= {"program": _program(item["program_code"]), "ts": str(item["ts_year"])}
    text = words("inbox.report", **about, day=current_session.day(item["prepared_at"]))
    return plain(text), {"report": item["report_id"]}, ":material/approval:"


def _program(code: str | None) -> str:
    """A programme as the reports name it; one that the register has no more stays a code."""
    if not code:
        return current_session.words()("reports.all_programs")
    return program_label(code, stores.programs().get(code, ""))


def _trial(item: dict) -> tuple[str, dict, str]:
    words, trial = current_session.words(), item["trial"]
    text = words("inbox.trial", title=trial.protocol.title, day=current_session.day(trial.registered_at))
    return plain(text), {}, ":material/casino:"


def _opinion(item: dict) -> tuple[str, dict, str]:
    words = current_session.words()
    text = f"{named(item)} · {words('review.since', day=current_session.day(item['at']))}"
    return plain(text), {"case": item["decision_id"]}, ":material/gavel:"


def _step(item: dict) -> tuple[str, dict, str]:
    words = current_session.words()
    text = f"{who(item)} · {words.named('event', item['kind'])} · {words.day(item['due_on'])}"
    return plain(text), {}, ":material/event_upcoming:"


def _job(item: dict) -> tuple[str, dict, str]:
    words, job = current_session.words(), item["job"]
    shown_jobs().add(job.job_id)
    parts = [words(f"job_kind.{job.kind}"), words(f"job_status.{job.status}"), outcome_words(job, words)]
    text = " · ".join(parts)
    icon = ":material/error:" if job.status == "failed" else ":material/check_circle:"
    return plain(text), {}, icon


LINES = {"approvals": _report, "trials": _trial, "opinions": _opinion, "steps": _step, "jobs": _job}


def calendar_download() -> None:
    """The steps of the next weeks as a calendar file, without names."""
    words, account = current_session.words(), current_session.person().account
    make = partial(_calendar, current_session.scope(), account, words)
    st.download_button(
        words("inbox.calendar"),
        data=auditing.handed_out(make, "export", "calendar", kind="ics"),
        file_name="tepat.ics",
        mime="text/calendar",
        icon=":material/calendar_add_on:",
        help=words("inbox.calendar_help"),
        key="inbox-calendar",
        on_click="ignore",
    )


def _calendar(scope, account: str, words) -> bytes:
    due = owned(
        queries.followups_due(stores.store(), scope, current_session.today() + AHEAD), "mine", account
    )
    address = get_settings().address.rstrip("/")
    link = f"{address}/followups" if address else ""
    return calendar_file(map(date.fromisoformat, due["due_on"]), account, link, words, now())


def weekly_message() -> None:
    """Whether, when and where the weekly message goes."""
    words, store, person = current_session.words(), stores.store(), current_session.person()
    with st.expander(words("inbox.mail_title"), icon=":material/mail:", key="inbox-mail"):
        if not digest_mail.offered(store, Settings()):
            st.caption(words("inbox.mail_demo" if stores.is_synthetic() else "inbox.mail_not_set"))
            return
        wish = digest_mail.wish_of(store, person.account)
        st.caption(words("inbox.mail_help"))
        with st.form("weekly-message", border=False):
            address = st.text_input(words("inbox.mail_address"), wish.address if wish else "", max_chars=254)
            days = words("inbox.weekdays").split()
            weekday = st.selectbox(
                words("inbox.mail_day"),
                range(7),
                index=wish.weekday if wish else 0,
                format_func=lambda day: days[day],
            )
            clock = words("feeder.hour_help", now=f"{datetime.now():%H:%M}")
            hour = st.number_input(words("inbox.mail_hour"), 0, 23, wish.hour if wish else 6, help=clock)
            sent = st.form_submit_button(words("inbox.mail_save"), type="primary")
        if sent:
            try:
                fresh = digest_mail.Wish(address.strip(), int(weekday), int(hour), words.language)
            except ValueError:
                st.error(words("inbox.mail_wrong"))
                return
            digest_mail.choose(store, person, fresh)
            st.success(words("inbox.mail_saved", day=days[weekday], hour=f"{int(hour):02d}:00"))
        elif wish and st.button(words("inbox.mail_end_it"), key="weekly-message-off", type="tertiary"):
            digest_mail.choose(store, person, None)
            st.rerun()
