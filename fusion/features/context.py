"""What a student's row takes from the rest of the register, so that a register can be read part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fusion.features.course_features import CourseCounts


@dataclass(frozen=True)
class Context:
    """The register around a part of it, as it was known at each as-of term.

    Parameters
    ----------
    held : mapping of int to frozenset of int
        As-of index → entry cohorts of whose records of that term the register holds some.
    courses : mapping of int to CourseCounts
        As-of index → what each intake had taken by then; empty without course grades.
    """

    held: Mapping[int, frozenset[int]]
    courses: Mapping[int, CourseCounts]

    def at(self, as_of_index: int) -> tuple[frozenset[int] | None, CourseCounts | None]:
        """Both at an as-of index; None where the register says nothing."""
        return self.held.get(as_of_index), self.courses.get(as_of_index)
