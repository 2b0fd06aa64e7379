"""``python -m vision verify``: one questioned signature, or a folder of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import ACTOR, Refusal, student_key
from vision.commands.shared import Crop, Turn, cut_out, opened


def verify(
    path: Annotated[Path, typer.Argument(help="An image (with --student), a folder or a zip.")],
    student: Annotated[str, typer.Option(help="Student number or key, for one image.")] = "",
    crop: Crop = "",
    turn: Turn = 0.0,
) -> None:
    """Compare questioned signatures with the references on file; every outcome is kept in the store.

    In a folder the student's number stands in the name of the file or of its folder.
    """
    place = cut_out(path, crop, turn)
    if (crop or turn) and not student:
        raise Refusal("--crop and --turn are for one image, with --student")
    with opened() as (store, bars):
        from data.trust.scope import Scope
        from vision.verification.verification_pipeline import verify as compare
        from vision.verification.verification_pipeline import verify_folder

        if student:
            made = compare(
                store, student_key(store, student), path.read_bytes(), actor=ACTOR, crop=place, turn=turn
            )
            text = _told(made)
        else:
            table = verify_folder(store, path, Scope.system(), actor=ACTOR, progress=bars)
            text = _summary(table)
    typer.echo(text)
    typer.echo("Administrative screening, not a forensic opinion.")


def _told(made) -> str:
    ratio = "" if made.log10_lr is None else f", log10 likelihood ratio {made.log10_lr:+.2f} ({made.words})"
    from data.signatures.findings import read_findings

    found = [one.line for one in read_findings(list(made.findings)) or () if one.is_found]
    lines = [f"{made.outcome} ({_why(made.reason)}){ratio}", f"decision {made.decision_id}"]
    lines += [f"against {len(made.reference_ids)} references, {made.versions['calibration_version']}"]
    if made.crop is not None:
        at = made.crop
        chance = "" if at.chance == 1 else f", found with chance {at.chance:.2f}"
        lines.append(f"crop {at.left},{at.top},{at.width},{at.height}{chance}")
    return "\n".join([*lines, *(f"finding  {line}" for line in found)])


def _why(reason: str) -> str:
    """The reason of an outcome, with the check's code and title where a finding is the reason."""
    from data.signatures.findings import named_code
    from vision.verification.conditions import REASON_OF

    plain = str(reason).replace("_", " ")
    code = next((code for code, name in REASON_OF.items() if name == reason), None)
    return plain if code is None else f"{plain}: {named_code(code)}"


def _summary(table) -> str:
    lines = []
    for row in table.itertuples():
        said = row.message if isinstance(row.problem, str) else f"{row.outcome} ({_why(row.reason)})"
        lines.append(f"{row.file}: {said}")
    lines += [f"{count:6d}  {outcome}" for outcome, count in table["outcome"].value_counts().items()]
    return "\n".join([*lines, f"{len(table)} files, {int(table['problem'].notna().sum())} not compared"])
