"""Options that the benchmarks of signatures share."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.signature_sets import INKS

DataFolder = Annotated[Path, typer.Option(help="Folder with one folder per writer.")]
DescriptorName = Annotated[str, typer.Option(help="signature, covariance or an encoder.")]
InkName = Annotated[str, typer.Option(help=" or ".join(INKS))]
Minutes = Annotated[float, typer.Option(min=0, help="Train the paper's own network for so long.")]
Reproduced = Annotated[
    Path | None, typer.Option(help="Take its figures from this result of `benchmarks reproduced`.")
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")]
