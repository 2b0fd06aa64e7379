"""The weekly message of what waits for somebody: counts and a link, no name; on the day that they chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dashboard.cases.inbox import Waiting, last_look, waiting
from dashboard.jobs import mail
from dashboard.jobs.asking import Refused, Task, start, stop
from dashboard.jobs.nightly import next_night
from dashboard.shell.wording import LANGUAGES, Words
from data.calendar.clock import today
from data.cases.saved_views import get_preference, set_preference
from data.engine.clock import now
from data.jobs import table as jobs
from data.settings import Settings
from data.store import Store
from data.trust import origin
from data.trust.accounts import Account, find_account

KIND = "digest"
PREFERENCE = "digest_mail"


@dataclass(frozen=True)
class Wish:
    """When somebody wants the message, and where.

    Parameters
    ----------
    address : str
        Of the mail.
    weekday : int
        0 (Monday) to 6.
    hour : int
        0 to 23, of the worker's clock.
    language : {"en", "id"}
    """

    address: str
    weekday: int
    hour: int
    language: str

    def __post_init__(self) -> None:
        if not mail.is_address(self.address):
            raise ValueError("address must be one mail address")
        if not 0 <= self.weekday <= 6:
            raise ValueError(f"weekday must be between 0 and 6, got {self.weekday}")
        if not 0 <= self.hour <= 23:
            raise ValueError(f"hour must be between 0 and 23, got {self.hour}")
        if self.language not in LANGUAGES:
            raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {self.language!r}")


def offered(store: Store, settings: Settings) -> bool:
    """Whether messages can be asked for: a server is set, and the store is no demo, where anybody could have
    mail sent to anybody."""
    return mail.is_set_up(settings) and not origin.is_synthetic(store)


def wish_of(store: Store, account: str) -> Wish | None:
    """What an account has chosen; None: no message."""
    kept = get_preference(store, account, PREFERENCE)
    return None if kept is None else Wish(**kept)


def choose(store: Store, person: Account, wish: Wish | None) -> None:
    """Take a wish, or take it back: the job that waits for the old day goes, one for the new day comes.

    The log tells of the jobs, not of the address.
    """
    for job in jobs.open_jobs(store):
        if job.kind == KIND and job.actor == person.account:
            stop(store, person, job)
    set_preference(store, person.account, PREFERENCE, None if wish is None else asdict(wish))
    if wish is not None:
        begins = next_night(wish.hour, now(), wish.weekday).isoformat()
        start(store, person, KIND, hour=wish.hour, weekday=wish.weekday, not_before=begins)


def run(task: Task) -> dict:
    """Send the message if anything waits. ``{"sent": 0 or 1}``.

    Arguments: ``hour``, ``weekday``. Address and language are the account's own preference.
    """
    task.scope  # noqa: B018 (refuses a closed account)
    person = find_account(task.store, task.job.actor)
    wish = wish_of(task.store, task.job.actor)
    if person is None or wish is None:
        return {"sent": 0}
    settings = Settings()  # as the environment is now
    if not offered(task.store, settings):
        raise Refused("mail_not_set")
    parts = waiting(task.store, person, last_look(task.store, person.account), today(task.store))
    if not any(part.items for part in parts):
        return {"sent": 0}
    words = Words(wish.language)
    try:
        mail.send(
            settings, wish.address, words("inbox.mail_subject"), message(parts, settings.address, words)
        )
    except mail.MailProblem as problem:
        raise Refused(f"mail_{problem.code}") from None
    return {"sent": 1}


def message(parts: Sequence[Waiting], address: str, words: Words) -> str:
    """The text of the message: how many of each kind, and where to look."""
    lines = [
        f"- {words(f'inbox.title_{part.kind}')}: {words.number(len(part.items))}"
        for part in parts
        if part.items
    ]
    link = f"{address.rstrip('/')}/inbox"
    return "\n".join([words("inbox.mail_lead"), "", *lines, "", link, "", words("inbox.mail_end")]) + "\n"
