"""Who may see what: the one place that turns an account into rows and pages.

Nothing here draws anything. A page exists for a role only if :func:`pages_for` lists it, and every query on
single students takes the :class:`~data.trust.scope.Scope` made here and enforces it in SQL.
"""

from __future__ import annotations

from dataclasses import dataclass

from data.store import Store
from data.trust import accounts, origin, tokens
from data.trust.accounts import Account
from data.trust.scope import Scope
from data.trust.tokens import Token

AGGREGATES, STUDENTS, IDENTITY = "aggregates", "students", "identity"


@dataclass(frozen=True)
class PageEntry:
    """A page of the menu.

    Parameters
    ----------
    name : str
        Module ``dashboard.pages.<name>_page``, URL path and key of the title in the locales.
    icon : str
        Streamlit icon.
    """

    name: str
    icon: str


PAGES = {
    entry.name: entry
    for entry in (
        PageEntry("inbox", ":material/inbox:"),
        PageEntry("overview", ":material/monitoring:"),
        PageEntry("caseload", ":material/groups:"),
        PageEntry("student", ":material/person:"),
        PageEntry("followups", ":material/event_upcoming:"),
        PageEntry("verification", ":material/compare:"),
        PageEntry("review", ":material/gavel:"),
        PageEntry("enrolment", ":material/how_to_reg:"),
        PageEntry("consent", ":material/task_alt:"),
        PageEntry("duplicates", ":material/content_copy:"),
        PageEntry("signatures", ":material/signature:"),
        PageEntry("thresholds", ":material/tune:"),
        PageEntry("reports", ":material/description:"),
        PageEntry("data", ":material/upload_file:"),
        PageEntry("model", ":material/insights:"),
        PageEntry("trial", ":material/casino:"),
        PageEntry("jobs", ":material/manufacturing:"),
        PageEntry("accounts", ":material/manage_accounts:"),
        PageEntry("tokens", ":material/key:"),
        PageEntry("audit", ":material/policy:"),
        PageEntry("glossary", ":material/menu_book:"),
    )
}
_MENU = {  # deny by default: what is not listed does not exist for the role; the first one opens
    "leadership": ("overview", "inbox", "reports", "model", "trial"),
    "advisor": ("caseload", "inbox", "student", "followups", "model"),
    "registry": (
        *("verification", "inbox", "review", "enrolment", "consent", "duplicates", "signatures"),
        *("thresholds", "data", "jobs", "reports"),
    ),
    "accreditation": ("reports", "inbox", "overview", "model", "jobs"),
    "auditor": ("audit", "model", "thresholds"),
    "administrator": (
        *("overview", "inbox", "data", "model", "thresholds", "jobs", "accounts", "tokens", "audit"),
    ),
}
_SEES = {  # what the role's rows may carry
    "leadership": {AGGREGATES},
    "advisor": {AGGREGATES, STUDENTS, IDENTITY},
    "registry": {AGGREGATES, STUDENTS, IDENTITY},
    "accreditation": {AGGREGATES},
    "auditor": set(),
    "administrator": {AGGREGATES},
}

_MAY = {  # acts that a page offers to some of its readers only
    "prepare report": {"accreditation"},
    "approve report": {"leadership", "accreditation"},  # never the one who prepared it
    "list report students": {"registry"},
    "record consent": {"registry"},
    "sign on screen": {"registry"},  # have a student sign, and keep it
    "undo import": {"registry", "administrator"},
    "run import": {"registry", "administrator"},
    "run check": {"registry", "administrator"},
    "run feeder": {"registry", "administrator"},
    "run embed": {"registry", "administrator"},
    "run verify": {"registry"},
    "run enrol": {"registry"},
    "run duplicates": {"registry"},
    "run calibrate": {"administrator"},  # thresholds are set by somebody who does not work with them
    "run train": {"administrator"},
    "decide model": {"administrator"},
    "run score": {"administrator"},
    "run serve": {"administrator"},
    "run reports": {"accreditation"},
    "manage accounts": {"administrator"},
    "run digest": {"leadership", "advisor", "registry", "accreditation", "administrator"},
    "run retention": {"administrator"},  # who sees counts, and nobody's data
    "run erase": {"registry"},
    "decide retention": {"administrator"},
    "manage tokens": {"administrator"},
    "describe institution": {"administrator", "accreditation"},
    "run pack": {"accreditation", "leadership"},  # each step asks for its own right
    "register trial": {"leadership"},
    "approve trial": {"leadership"},  # never the one who registered it
    "draw trial": {"leadership"},
    "stop trial": {"leadership"},
    "read trial": {"leadership"},  # once, on its day
    "see offers": {"advisor"},  # whom a lot offers help; never the other group
}


def demo_seats(store: Store) -> dict[str, list[Account]]:
    """Accounts that one click may enter, by role; none unless everybody in the store was invented.

    Only accounts of a store without a single import of undeclared origin are offered, so that real people's
    rows always need a password.
    """
    if not origin.is_synthetic(store):
        return {}
    seats: dict[str, list[Account]] = {}
    for account in accounts.list_accounts(store):
        if account.active and pages_for(account.role):
            seats.setdefault(account.role, []).append(account)
    return seats


def pages_for(role: str) -> tuple[PageEntry, ...]:
    """The pages of a role in menu order, the first being the one it starts on; none for an unknown role.

    The glossary ends every menu.
    """
    names = _MENU.get(role, ())
    return tuple(PAGES[name] for name in (*names, "glossary")) if names else ()


def may(role: str, act: str) -> bool:
    """Whether a role may do ``act``; an act that nobody lists is refused to all."""
    return role in _MAY.get(act, ())


def may_change_register(person: Account, act: str) -> bool:
    """Whether somebody may do ``act`` ("run import", "run feeder", "run retention", "undo import"): the role
    may, and the account reaches every programme, since a file may hold rows of any."""
    return may(person.role, act) and person.program_codes is None


def may_manage_accounts(person: Account) -> bool:
    """Whether somebody may create and change accounts: the role may, and the account reaches every programme,
    since it could otherwise lift its own limit."""
    return may(person.role, "manage accounts") and person.program_codes is None


def may_give_token(person: Account, program_codes: tuple[str, ...] | None) -> bool:
    """Whether somebody may make a token of that reach: nobody gives more programmes than they have."""
    if not may(person.role, "manage tokens"):
        return False
    own = person.program_codes
    return own is None or (program_codes is not None and set(program_codes) <= set(own))


def may_end_token(person: Account) -> bool:
    """Whether somebody may revoke a token: a danger is ended by whoever sees it first."""
    return may(person.role, "manage tokens")


def scope_for_token(token: Token, act: str) -> Scope:
    """What the queries of a program may return for one act of its token; nothing for an act it may not do.

    Parameters
    ----------
    token : Token
    act : str
        One of :data:`data.trust.tokens.SCOPES`. Of the signature acts the caller names the student, so that
        numbers are looked up; single scores carry numbers with the scope "identify" only.
    """
    if act not in token.scopes:
        return Scope.nothing(token.actor)
    named = act in ("verify", "predict") or (act == "scores" and "identify" in token.scopes)
    return Scope(
        account=token.actor,
        role=tokens.ROLE,
        own_students_only=False,
        program_codes=token.program_codes,
        may_identify=named,
        may_see_students=act in ("verify", "predict", "scores"),
    )


def scope_for(account: Account) -> Scope:
    """What the queries of somebody signed in may return."""
    sees = _SEES.get(account.role, set())
    return Scope(
        account=account.account,
        role=account.role,
        own_students_only=account.role == "advisor",
        program_codes=account.program_codes,
        may_identify=IDENTITY in sees,
        may_see_students=STUDENTS in sees,
    )
