"""``python -m dashboard demo-work``: the first days of work in a demo store."""

from __future__ import annotations

import typer

from data.commands.bars import Bars
from data.commands.frame import Refusal, opened_store


def demo_work() -> None:
    """Add to a demo what its people would have done: references, reviews, steps, a report to approve."""
    with opened_store() as store, Bars() as bars:
        from dashboard.jobs.demo_work import NotADemo, add_demo_work
        from data.settings import get_settings
        from vision.threads import use_threads

        use_threads(get_settings().threads)
        try:
            left = add_demo_work(store, bars)
        except NotADemo as problem:
            raise Refusal(str(problem)) from None
    typer.echo(
        f"{left.enrolled} students enrolled, {left.reviews} signatures under review, "
        f"{left.steps} steps due, {left.reports} reports to approve"
    )
