"""What several commands take and do: options, an assessment, a decision about the model in service."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from data.columns import MOST_STUDENTS
from data.commands.bars import Bars
from data.commands.frame import ACTOR, NOTHING_TO_LEARN, Refusal, note_invented, opened_store

RULE = "Until then the caseload lists students by the credits-and-GPA rule."
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")]
Served = Annotated[str, typer.Option("--model", help="Model version; default: the served one.")]
MostStudents = Annotated[
    int, typer.Option(min=1000, help="Of more students with a known outcome, so many, drawn by lot.")
]
Reason = Annotated[str, typer.Option(help="Why; written to the audit log.")]
Actor = Annotated[str, typer.Option(help="Account that decides.")]


@contextmanager
def learning() -> Iterator[None]:
    """Within it, a register that nothing can be learned from is a refusal with a code of its own."""
    from fusion.pipeline import NotTrainable

    try:
        yield
    except NotTrainable as problem:
        said = f"nothing can be learned from this register yet.\n{problem}\n{RULE}"
        raise Refusal(said, NOTHING_TO_LEARN) from None


def assessed(seed: int, json_file: Path | None, most_students: int = MOST_STUDENTS):
    """The :class:`fusion.validation.assess.Assessment` of the method on the store; its figures written to a
    file when one is named."""
    from fusion.pipeline import NotTrainable, evaluate

    with opened_store() as store, learning():
        with Bars() as bars:
            found = evaluate(store, seed=seed, most_students=most_students, progress=bars)
        if found is None:
            raise NotTrainable({})
        note_invented(store)
    if json_file is not None:
        from fusion.model.plain_json import to_plain

        json_file.write_text(json.dumps(to_plain(found.examination()), indent=1), encoding="utf-8")
    return found


def decide(step: Callable[..., str], actor: str, reason: str, done: str) -> None:
    """Take a decision about the model in service and say which model serves now."""
    with opened_store() as store, Bars() as bars:
        who = actor or os.environ.get("USER", ACTOR)
        version = step(store, actor=who, role="administrator", reason=reason, progress=bars)
    typer.echo(f"{done}: {version}")
