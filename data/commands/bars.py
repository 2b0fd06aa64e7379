"""Progress in the terminal."""

from __future__ import annotations

from types import TracebackType

from tqdm import tqdm


class Bars:
    """A bar for the work at hand: a :class:`data.engine.progress.Progress` that ends with its block.

    A step of as many parts as the one before renames the bar where it goes on, and begins a bar of its own
    otherwise. Nothing is shown before the first word.
    """

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __call__(self, done: int, total: int, what: str, /) -> None:
        """Show that ``done`` of ``total`` are done of the step ``what``."""
        if self._bar is None or total != self._bar.total or done < self._bar.n:
            self._close()
            self._bar = tqdm(total=total, desc=what, unit="", mininterval=0.5)
        self._bar.set_description(what, refresh=False)
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if self._bar is not None and failure is None and self._bar.total:
            self._bar.update(self._bar.total - self._bar.n)
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
