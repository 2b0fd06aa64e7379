"""How a student is called on a page: by name and number where the reader may know them."""

from __future__ import annotations

from collections.abc import Mapping


def named(student: Mapping) -> str:
    """Name and number, or the beginning of the opaque key where they may not be seen.

    Examples
    --------
    >>> named({"name": "Ani", "student_number": "17", "student_key": "ab12cd34ef56"})
    'Ani · 17'
    >>> named({"name": None, "student_key": "ab12cd34ef56"})
    'ab12cd34'
    """
    known = [student.get("name"), student.get("student_number")]
    shown = " · ".join(part for part in known if isinstance(part, str) and part)
    return shown or student["student_key"][:8]
