"""Everything that a tab remembers under a fixed name, in one list: all pages share one ``st.session_state``.

A key that stands here is used by its name (``st.session_state[Key.LANGUAGE]``), never as a text, so that two
rooms cannot take the same one. Signing in and out forgets all of it but the language. Filters that stand in
the address too, and keys made of a part that varies, are not listed.
"""

from __future__ import annotations

from enum import StrEnum


class Key(StrEnum):
    """Name of what is remembered."""

    # Who is here
    SESSION = "session"  # number of the session in the store that the tab is bound to
    CAME_WITH = "came_with"  # the cookie of the connection that it was bound by
    TICKET = "ticket"  # after sign-in: what the browser exchanges for a cookie, once
    COOKIE_OVER = "cookie_over"  # after sign-out: whether the browser is to forget its cookie
    PROVIDER_OVER = "provider_over"  # after sign-out: whether the provider is to be told
    PROVIDER_SAID = "provider_said"  # why the institution's sign-in did not let somebody in
    LEFT = "left"  # somebody was signed in here before: the cookie binds no more
    BOUND_TO = "bound_to"  # account of that session
    LEFT_BY = "left_by"  # account whose session ended in the tab without a sign-out
    TO_ROOT = "to_root"  # after sign-out: whether the address is still that of the page before
    ENDED = "ended"  # whether they went because the session was over
    ALIVE_AT = "alive_at"  # when somebody last did something in the tab
    TOLD_AT = "told_at"  # when the store was last told so
    AUDITED = "audited"  # the acts, things and details that are in the audit log for this session already
    PASSWORD_CHANGED = "password_changed"  # to be said on the next run

    INSTITUTION_TOLD = "institution_told"  # that it was saved, on the next run, once
    ACCOUNT_TOLD = "account_told"  # (what was done, a password to be shown) on the next run, once
    ACCOUNT_ROUND = "account_round"  # how often an account was created: the form begins anew

    # The frame
    LANGUAGE = "language"  # code of the language spoken
    LANGUAGE_TOLD = "language_told"  # the code chosen, until the browser was told to keep it
    LANGUAGE_CHOICE = "language_choice"  # widget: the switch between languages
    MENU_PAGE = "menu_page"  # address of the page that was chosen last
    PAGES = "pages"  # name → page, of the menu
    OPENED = "opened"  # whether the tab has drawn a page since sign-in or loading
    LISTED = "listed"  # name of a list → the students that it showed, in its order
    DRAFTS_SAVED = "drafts_saved"  # (form, what it is about) → how often it was saved: its fields begin anew
    PAGE_DRAWN = "page_drawn"  # name of the page that was drawn last
    TOUR_STEP = "tour_step"  # 0 is the first
    TOUR_CLOSED = "tour_closed"  # whether the account has closed the tour
    VIEW_WANTED = "view_wanted"  # number of the saved view that a click asks for
    VIEW_SHOWN = "view_shown"  # number of the saved view that the filters were set to

    # Charts
    COMPARED = "compared"  # widget: the entry cohorts that stand side by side on the overview
    PICK_ROUND = "pick_round"  # how often a group was chosen in a chart: what is chosen there begins anew

    # The inbox
    INBOX_NUMBER = "inbox_number"  # (how much waits, when that was asked)
    JOBS_ENDED = "jobs_ended"  # jobs of the reader's own that have ended since they looked at the inbox
    JOBS_SHOWN = "jobs_shown"  # numbers of jobs of which this tab has said how they ended
    INBOX_SINCE = "inbox_since"  # since when jobs are told on this visit

    # Trials
    TRIAL_TOLD = "trial_told"  # (whether it went well, what to say) on the next run, once

    # Long work asked for in this tab: number of the job
    BATCH_JOB = "batch-job"
    CALIBRATE_JOB = "calibrate-job"
    CHECK_JOB = "check-job"  # (fingerprint of the choices, number of the job that checks large files)
    DUPLICATE_JOB = "duplicate-job"
    ENROL_JOB = "enrol-job"
    ERASE_JOB = "erase-job"
    IMPORT_JOB = "import-job"  # empty: none since sign-in
    IMPORT_OF = "import-of"  # names and digests of its files
    PACK_JOB = "pack-job"
    RETRAIN_JOB = "retrain-job"
    SERVE_JOB = "serve-job"  # of putting a model into service
    JOB_TOLD = "job-told"  # the one begun again after a failure

    # Importing
    GUESSES = "guesses"  # file → the kind that it seems to be
    COLUMNS = "columns"  # file and layout → its columns as read
    SAID_OF_FILES = "said_of_files"  # question and file → what was answered about how it is read
    SHEET_TITLES = "sheet-titles"  # workbook → titles of its sheets
    PLAN = "plan"  # (fingerprint of the choices, what would be written)
    UNDO = "undo"  # widget: whether the popover is open
    UNDO_TOLD = "undo-told"  # (whether it went well, what to say on the next run)

    # Students and cases
    SUBJECTS = "subjects"  # field → whom or what it was shown for, in that order
    STUDENT_KEY = "student_key"  # whose page was open last
    SEVERAL = "several"  # widget: whether several students are chosen at once
    BULK_CONFIRM = "bulk-confirm"  # widget: whether the step for several was confirmed
    BULK_DONE = "bulk_done"  # numbers of the entries just made, for taking them back
    BULK_ROUND = "bulk_round"  # how often several were logged: the list's selection begins anew
    SETTLED_DONE = "settled_done"  # numbers of the entries that settled follow-ups last → students
    SETTLED_UNTIL = "settled_until"  # the day in words to which they were put off
    SETTLED_ROUND = "settled_round"  # how often follow-ups were settled: likewise

    # Verification
    REGISTRY_STUDENT = "registry_student"  # who was searched for last
    CASES_PASSED = "cases_passed"  # cases that the reviewer left for later
    REVIEW_QUEUE = "review-queue"  # widget: the list of cases and its selection
    QUESTIONED = "questioned"  # digest of the signature that was handed in last
    PAIR_JUDGED = "pair_judged"  # number, opinion and both names of what was said about a pair last
    EARLIER = "earlier"  # widget: the list of earlier outcomes and its selection
    MISSING_TABLE = "missing-table"  # widget: the students without an answer and its selection
    LACKING_TABLE = "lacking-table"  # widget: who lacks references
    SIGNED_TOLD = "signed-told"  # what became of a signature on the screen, to be said on the next run
    SIGNED_TIMES = "signed-times"  # how many were kept: the sheet begins anew
    CONSENT_TOLD = "consent-told"  # (kind, text) to be said on the next run

    # Reports
    REPORT_PROFILE = "report-profile"  # widget: the instrument
    REPORT_TOLD = "report-told"  # to be said on the next run
