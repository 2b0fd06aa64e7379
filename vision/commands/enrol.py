"""``python -m vision enrol``: references of one student, or of everybody."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import ACTOR, Refusal, student_key
from vision.commands.shared import opened


def enrol(
    student: Annotated[str, typer.Option(help="Student number or key.")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Every consenting student not enrolled.")] = False,
    again: Annotated[bool, typer.Option(help="Whoever was enrolled under another descriptor.")] = False,
) -> None:
    """Choose references from the specimens on file, describe and keep them."""
    if sum((bool(student), everybody, again)) != 1:
        raise Refusal("give one of --student, --all and --again")
    with opened() as (store, bars):
        from data.trust.scope import Scope
        from vision.verification import verification_pipeline as pipeline

        if student:
            made = pipeline.enrol(store, student_key(store, student), actor=ACTOR)
            text = _told(made)
        else:
            about = {"actor": ACTOR, "progress": bars}
            done = (
                pipeline.enrol_all(store, Scope.system(), **about)
                if everybody
                else pipeline.re_enrol(store, **about)
            )
            text = f"{done['enrolled']} students enrolled, {done['left_out']} without a usable specimen"
    typer.echo(text)


def _told(made) -> str:
    from data.signatures.findings import named_code

    lines = [f"{len(made.references)} references by {made.versions['descriptor_id']}"]
    for one, why in made.left_out.items():
        named = ", ".join(named_code(code).replace("_", " ") for code in why)
        lines.append(f"left out  {one[:8]}  {named}")
    lines += [f"look at   {one[:8]}  unlike the other references" for one in made.unlike]
    wishes = {"too_few": "fewer than 3: every verification will be inconclusive", "few": "5 would be better"}
    lines += [wishes[key] for key in made.advice if key in wishes]
    return "\n".join(lines)
