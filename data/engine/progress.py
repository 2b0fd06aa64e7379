"""How work says how far it has come: one shape for commands, jobs, pages and pipelines."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called by work with how far it has come."""

    def __call__(self, done: int, total: int, what: str, /) -> None:
        """Say that ``done`` of ``total`` are done of the step named ``what``.

        ``done`` grows up to ``total`` within a step. Steps are named in English, in a few words;
        :func:`dashboard.jobs.words.step_words` translates them.
        """


class Steps:
    """Work of several steps that take about as long: calling it says which one begins.

    Parameters
    ----------
    progress : Progress or None
        Who is told.
    total : int
        How many steps there will be; more are counted as the last.
    """

    def __init__(self, progress: Progress | None, total: int):
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self, what: str) -> None:
        """Say that the step ``what`` begins, and the one before it is done."""
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total, what)
        self.done += 1


def renamed(progress: Progress, what: str) -> Progress:
    """``progress`` under one name for all steps, where their own must not be shown."""
    return lambda done, total, _, /: progress(done, total, what)
