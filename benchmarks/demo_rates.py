"""What comes out of the synthetic university: outcome shares of the cohorts whose normal time has passed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.report_file import write_result
from data.calendar.labels import label_outcomes
from data.synthetic.cohort import make_university

MATURE = (20171, 20202)  # entry terms, both included


def main(
    students: Annotated[int, typer.Option(min=1000, help="Students to generate.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the generator.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Print the share of on-time, delayed and dropped-out students by degree level."""
    frames = make_university(students, np.random.default_rng(seed)).frames
    people = frames.students.assign(student_key=frames.students["student_number"])
    outcomes = frames.outcomes.assign(student_key=frames.outcomes["student_number"])
    labelled = label_outcomes(people, frames.programs, outcomes).merge(people, on="student_key")
    ripe = labelled[labelled["cohort_term"].between(*MATURE) & (labelled["label"] != "censored")]
    degrees = ripe["program_code"].map(frames.programs.set_index("program_code")["degree_level"])
    degrees = degrees.rename("degree_level")
    shares = ripe["label"].groupby(degrees).value_counts(normalize=True).unstack()
    typer.echo(shares.to_string(float_format="{:.1%}".format))
    write_result(
        {
            "command": f"python -m benchmarks demo-rates --students {students} --seed {seed}",
            "data": f"synthetic demo university, {students} students, seed {seed}",
            "protocol": f"entry terms {MATURE[0]} to {MATURE[1]}, censored students left out",
            "students": {degree: int(count) for degree, count in degrees.value_counts().items()},
            "shares": {degree: row.round(4).to_dict() for degree, row in shares.iterrows()},
        },
        json_file,
    )
