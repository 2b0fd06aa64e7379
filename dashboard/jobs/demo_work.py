"""The first days of work in a demo: what its people would have left, so that no page is empty.

References of one programme, signatures under review, steps that are due, a report that waits for approval.
All of it goes through the doors that the pages use, under the accounts of the seats, and stands in the log.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dashboard.shell.access import scope_for
from data.calendar.clock import today
from data.trust.accounts import Account, find_account, list_accounts, write_accounts
from data.trust.audit import Entry
from data.trust.origin import is_synthetic
from data.trust.scope import Scope

if TYPE_CHECKING:
    from data.engine.progress import Progress
    from data.store import Store

SECOND = Account("registry.second", "Bagian Akademik, loket 2 (demo)", "registry")
UNDER_REVIEW = 2  # signatures, one of them with an opinion already
FOREIGN = 6  # signatures of somebody else that are tried for the second
EDGE = 8  # pixels of paper around a signature, as another scan of it has
PROFILE = "iaps40-8c"
STEPS = (  # kind, detail, days until it is due; for one of an advisor's students each, most at risk first
    ("contact", {"how": "Ditelepon, akan datang ke kampus."}, 0),
    ("intervention", {"what": "Menyusun rencana SKS semester depan bersama."}, 3),
)


class NotADemo(ValueError):
    """The store holds, or may hold, real people."""


@dataclass(frozen=True)
class Left:
    """What was added; nothing is where it stood already.

    Parameters
    ----------
    enrolled, reviews, steps, reports : int
    """

    enrolled: int
    reviews: int
    steps: int
    reports: int


def add_demo_work(store: Store, progress: Progress) -> Left:
    """Add each kind of which there is nothing yet; what a run that was ended left of a kind stays as it is.

    Raises
    ------
    NotADemo
        When not everybody in the store was invented.
    """
    if not is_synthetic(store):
        raise NotADemo("this is no demo store: nothing was added")
    from data.records.queries import programs
    from vision.verification.verification_pipeline import enrol_all

    if find_account(store, SECOND.account) is None:
        told = {"role": SECOND.role, "demo": True}
        write_accounts(store, [SECOND], Entry("system", "system", "write account", SECOND.account, told))
    enrolled = 0
    for code in programs(store)["program_code"].iloc[:1]:  # one: what the others lack stands on a list
        office = scope_for(Account("registry", "", "registry", (code,)))
        enrolled = enrol_all(store, office, actor="registry", progress=progress)["enrolled"]
    return Left(enrolled, _reviews(store), _steps(store, today(store)), _report(store))


def _reviews(store: Store) -> int:
    """A copy of an earlier signature, and one that another student signed; what goes to review of them."""
    from data.verification.queries import decisions
    from data.verification.reviews import give_opinion
    from vision.verification.verification_pipeline import verify

    if not decisions(store, Scope.system(), limit=1).empty:
        return 0
    sent = 0
    for student_key, image in _handed_in(store):
        found = verify(store, student_key, image, actor="registry", role="registry")
        if found.outcome != "review":
            continue
        sent += 1
        if sent == 1:
            mine = scope_for(find_account(store, "registry"))
            give_opinion(store, mine, found.decision_id, "cannot_tell", "", ("image",))  # the copy
        if sent == UNDER_REVIEW:
            break
    return sent


def _handed_in(store: Store) -> Iterator[tuple[str, bytes]]:
    """A student with references, and a scan: a copy, then others' signatures, then copies again, since a
    small register tells few of the others' apart."""
    from data.signatures.queries import specimen_image
    from data.verification.queries import enrolments

    system = Scope.system()
    held = enrolments(store, system).sort_values("student_key")
    own = dict(zip(held["student_key"], held["reference_ids"], strict=True))
    keys = [key for key, references in own.items() if len(references) >= 3]
    for place, key in enumerate(keys):
        signer = keys[place - 1] if 0 < place <= FOREIGN and place < len(keys) - 1 else key
        yield key, _scanned_anew(specimen_image(store, own[signer][0], system))


def _scanned_anew(image: bytes) -> bytes:
    """The picture with an edge of paper: another file, as a scan of another day is."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(image)) as opened:
        framed = ImageOps.expand(opened.convert("L"), EDGE, fill=255)
    file = io.BytesIO()
    framed.save(file, "PNG", dpi=(300, 300))
    return file.getvalue()


def _steps(store: Store, today: date) -> int:
    """A contact and an agreed step for two students of each advisor."""
    from data.cases.events import add_case_event
    from data.cases.queries import last_events
    from data.scores.queries import caseload

    if not last_events(store, Scope.system()).empty:
        return 0
    logged = 0
    for advisor in list_accounts(store):
        if advisor.role != "advisor" or not advisor.active:
            continue
        reach = scope_for(advisor)
        listed = caseload(store, reach, "late", limit=len(STEPS))
        for student_key, (kind, detail, days) in zip(listed["student_key"], STEPS, strict=False):
            due = {"due_on": (today + timedelta(days=days)).isoformat(), "owner": advisor.account}
            add_case_event(store, student_key, advisor.account, kind, detail | due, scope=reach)
            logged += 1
    return logged


def _report(store: Store) -> int:
    """One programme's table of study time, prepared and waiting for somebody else's approval."""
    from dashboard.reports import pipeline
    from data.records.queries import programs
    from data.trust.reports_store import next_version

    codes = programs(store)["program_code"]
    if codes.empty:
        return 0
    code = codes.iloc[0]
    register = pipeline.read_register(store, Scope.system())
    year = register.last_full_year(code)
    if next_version(store, PROFILE, code, year) > 1:
        return 0
    table, provenance = pipeline.build(store, register, pipeline.Request(PROFILE, code, year))
    pipeline.prepare(store, table, provenance, actor="accreditation", role="accreditation")
    return 1
