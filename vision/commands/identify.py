"""``python -m vision identify``: whose hand may a signature be, of which nobody says whose it is?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import ACTOR, FOUND, Refusal
from vision.commands.shared import Crop, Turn, cut_out, opened


def identify(
    path: Annotated[Path, typer.Argument(help="An image, a folder or a zip.")],
    best: Annotated[int, typer.Option(min=1, max=50, help="Students to name for each image.")] = 5,
    crop: Crop = "",
    turn: Turn = 0.0,
) -> None:
    """The students on file whose signatures lie nearest. Every search is written down in the audit log.

    Only students who agree to verification are searched. Somebody is always nearest, also where the writer is
    not on file: it is no identification.
    """
    place = cut_out(path, crop, turn)
    one = path.is_file() and path.suffix.lower() != ".zip"
    if (crop or turn) and not one:
        raise Refusal("--crop and --turn are for one image")
    with opened() as (store, bars):
        from data.trust.scope import Scope
        from vision.search.whose_hand import Hands

        hands = Hands.of(store, Scope.system(), progress=bars)
        if one:
            given = {"actor": ACTOR, "best": best, "crop": place, "turn": turn}
            refused, said = 0, [told(hands.likest(path.read_bytes(), **given))]
        else:
            refused, said = _of_folder(hands, path, best)
    for lines in said:
        typer.echo(lines)
    typer.echo(f"{hands.specimens} specimens of {hands.students} students who agree were searched.")
    typer.echo("Distance: 0 for the same image, about 1.41 between two writers.")
    typer.echo("By chance: so many of these specimens would be as near if all were strangers'.")
    typer.echo("Nearest on file, not an identification: compare with `python -m vision verify --student`.")
    typer.echo("Administrative screening, not a forensic opinion.")
    if refused:
        typer.echo(f"not searched for: {refused} of {len(said)} files")
        raise typer.Exit(FOUND)


def _of_folder(hands, path: Path, best: int) -> tuple[int, list[str]]:
    """How many files were refused, and what there is to say of each; a bad one never stops the others."""
    from data.signatures.files import iter_signature_files
    from data.signatures.specimens import RefusedFile

    refused, said = 0, []
    for file in iter_signature_files(path):
        try:
            if file.refused is not None:
                raise file.refused
            lines = told(hands.likest(file.read(), actor=ACTOR, best=best))
        except RefusedFile as refusal:
            refused += 1
            lines = f"    {refusal.reason}"
        said.append(f"{file.name}\n{lines}")
    return refused, said


def told(found) -> str:
    """A line for each student, the nearest first.

    Parameters
    ----------
    found : vision.search.whose_hand.Likenesses
    """
    lines = [_line(place, one) for place, one in enumerate(found.likest, start=1)]
    if not lines:
        return "nobody on file to compare with"
    if not found.proven:
        lines.append("   Only the likeliest specimens were compared in full: a nearer one may be missed.")
    if found.aslant:
        lines.append("   The signature runs aslant: if the sheet lies on its side, give --turn.")
    return "\n".join(lines)


def _line(place: int, one) -> str:
    chance = "chance unknown: too few students" if one.expected is None else f"by chance {one.expected:.2g}"
    whose = f"{one.student_key}  specimen {one.specimen_id[:8]}"
    return f"{place:2d}  {whose}  distance {one.distance:.3f}  {chance}"
