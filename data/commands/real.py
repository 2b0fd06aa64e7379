"""``python -m data real``: the benchmark on real public data in the store that the environment names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import opened_store


def real(
    data: Annotated[Path, typer.Option(help="Folder with students/uci697 and signatures/cedar.")],
    folder: Annotated[Path | None, typer.Option(help="Where the store lies; default: the settings'.")] = None,
    money_flags: Annotated[
        bool, typer.Option(help="Use the debtor and tuition flags, which have no date.")
    ] = False,
) -> None:
    """Import 4,424 real students (UCI 697) and pair CEDAR signatures with 1,320 of them at random."""
    from data.commands.bars import Bars
    from data.loaders.paired import LABEL, write_benchmark
    from data.settings import get_settings

    settings = get_settings()
    url = settings.database_url and settings.url or None
    with opened_store(may_make=True, url=url, folder=folder or settings.folder) as store, Bars() as bars:
        result = write_benchmark(store, data, money_flags=money_flags, progress=bars)
    typer.echo(
        f"{store.url}: {result.students} real students, {result.terms} terms, {result.paired} signatures of "
        f"{result.writers} writers, {LABEL}: the right answer is that signatures add nothing"
    )
