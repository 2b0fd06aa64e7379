"""``python -m data erase``: a student's signatures, or the student."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import ACTOR, Refusal, opened_store, student_key


def erase(
    student: Annotated[str, typer.Option(help="Student number or student key.")] = "",
    everything: Annotated[bool, typer.Option(help="The whole student, not only the signatures.")] = False,
    expired: Annotated[
        bool, typer.Option(help="Signatures and questioned images whose retention has ended.")
    ] = False,
    receipt: Annotated[Path | None, typer.Option(help="Write the receipts into this file.")] = None,
    yes: Annotated[bool, typer.Option(help="Do not ask.")] = False,
) -> None:
    """Erase, and print a receipt."""
    from data.trust import erase as erasing

    if bool(student) == expired or (expired and everything):
        raise Refusal("give either --student (with --everything or without) or --expired")
    with opened_store() as store:
        if expired:
            texts = _expired(store, yes)
        else:
            key = _key_of(store, student)
            if not yes:
                what = "every trace" if everything else "the signatures"
                typer.confirm(f"Erase {what} of 1 student(s)? This cannot be undone.", abort=True)
            act = erasing.erase_student if everything else erasing.erase_student_signatures
            texts = [act(store, key).as_text()]
    text = "\n\n".join(texts) or "nothing to erase"
    typer.echo(text)
    if receipt is not None:
        receipt.write_text(text + "\n", encoding="utf-8")


def _expired(store, yes: bool) -> list[str]:
    """Erase what the dates say, and nothing else: the records of who has left are ``data retention``'s."""
    from data.calendar.clock import today
    from data.keeping.retention import due
    from data.trust import erase as erasing

    day = today(store)
    what = due(store, day)
    if what.specimens and not yes:
        typer.confirm(
            f"Erase {what.signatures} signature(s) of {len(what.specimens)} student(s)? It cannot be undone.",
            abort=True,
        )
    texts = [erasing.erase_specimens(store, key, ids).as_text() for key, ids in what.specimens.items()]
    if gone := erasing.erase_questioned(store, day, actor=ACTOR):
        texts.append(f"deleted       {gone} × questioned images; the decisions about them stay")
    return texts


def _key_of(store, student: str) -> str:
    from data.trust.erase import receipts

    # Erased before: erasing again completes what a kill may have left.
    return student if receipts(store, student) else student_key(store, student)
