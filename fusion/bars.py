"""The progress bar of a command."""

from __future__ import annotations


class Bar:
    """One progress bar that renames itself; used as ``progress(what, done, total)``."""

    def __init__(self) -> None:
        self.bar = None

    def __call__(self, what: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if self.bar is not None and total != self.bar.total:  # another part of the work begins
            self.bar.reset(total)
        if self.bar is None:
            self.bar = tqdm(total=total, unit="step", mininterval=0.2)
        self.bar.set_description(what)
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, failure, *_) -> None:
        if self.bar is not None:
            if failure is None:
                self.bar.update(self.bar.total - self.bar.n)
            self.bar.close()
