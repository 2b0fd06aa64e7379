"""Which rows an account may read; made by ``dashboard.shell.access`` and enforced inside every query."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """The rows that one account may read. What is not granted here is denied.

    Parameters
    ----------
    account : str
        Account name; an advisor's students are those whose ``students.advisor`` equals it.
    role : str
        One of :data:`data.columns.ROLES`, or "system" for command lines.
    own_students_only : bool
        Whether single students and aggregates are restricted to the account's own students.
    program_codes : tuple of str or None
        Programmes that the account may read; None means every programme, an empty tuple none.
    may_identify : bool
        Whether names and student numbers are joined to rows and can be searched.
    may_see_students : bool
        Whether rows of single students are returned at all; aggregates do not need it.
    """

    account: str
    role: str
    own_students_only: bool
    program_codes: tuple[str, ...] | None
    may_identify: bool
    may_see_students: bool

    @property
    def reach(self) -> tuple:
        """Two scopes of the same reach are given the same rows: whose account it is tells only where own
        students are meant."""
        own = self.account if self.own_students_only else ""
        return own, self.program_codes, self.may_identify, self.may_see_students

    @classmethod
    def system(cls, account: str = "command line") -> Scope:
        """The scope of a command line run by the operator of the machine: every row."""
        return cls(account, "system", False, None, True, True)

    @classmethod
    def nothing(cls, account: str = "") -> Scope:
        """The scope of somebody who is not signed in: no row, no aggregate."""
        return cls(account, "none", True, (), False, False)
