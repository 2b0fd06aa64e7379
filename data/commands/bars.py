"""Progress bars in the terminal for work that reports what, how far and of how much."""

from __future__ import annotations

from tqdm import tqdm


class Bars:
    """One bar per piece of work; a context manager, so that no bar is left open after an error."""

    def __init__(self) -> None:
        self._bars: dict[tuple[str, int], tqdm] = {}

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_) -> None:
        for bar in self._bars.values():
            bar.close()

    def show(self, what: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` rows of ``what`` are done."""
        if (what, total) not in self._bars:
            self._bars[what, total] = tqdm(total=total, desc=what, unit=" rows", mininterval=0.5)
        bar = self._bars[what, total]
        bar.update(done - bar.n)
        if done >= total:
            bar.close()
