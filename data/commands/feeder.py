"""``python -m data feeder pull``: the register of the institution's PDDikti Neo Feeder into the store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands.frame import ACTOR, FOUND, NO_ANSWER, WRONG, Refusal, note, opened_store

if TYPE_CHECKING:
    from data.feeder.pull import Pulled

MOST_LINES = 60  # of a table on the screen; --report has them all

feeder = typer.Typer(no_args_is_help=True, help="The line to PDDikti Neo Feeder.")


@feeder.callback()
def about() -> None:
    """The line to PDDikti Neo Feeder."""


@feeder.command()
def pull(
    url: Annotated[
        str | None, typer.Option(help="http://HOST:PORT/ws/live2.php; default: TEPAT_FEEDER_URL.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Account of Feeder; default: TEPAT_FEEDER_USER.")] = None,
    cohorts: Annotated[str | None, typer.Option(help="Entry years, such as 2019-2026; default: all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the rest of the rows.")] = False,
    people: Annotated[
        bool, typer.Option("--people", help="Also region, parents' education and income, special needs.")
    ] = False,
    grades: Annotated[
        bool, typer.Option("--grades/--no-grades", help="Course grades, some fifty rows a student.")
    ] = True,
    mapping: Annotated[
        str | None, typer.Option(help="siakad, pddikti, english, or a TOML file; default: detected.")
    ] = None,
    remember: Annotated[
        bool, typer.Option("--remember", help="Prefer this mapping in later pulls and imports.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Folder for the tables: counts, who is missing, refused rows.")
    ] = None,
    page: Annotated[int, typer.Option(min=2, max=10_000, help="Rows asked for at a time.")] = 500,
    seconds: Annotated[float, typer.Option(min=1, help="After which an answer is given up.")] = 120,
    actor: Annotated[str, typer.Option(help="Who pulls, for the log.")] = ACTOR,
) -> None:
    """Read Feeder, check every row, write all rows or none unless --skip-bad, and compare both registers.

    The password is TEPAT_FEEDER_PASSWORD or is asked for, and never kept. Exit code 0: done. 1: rows refused,
    nothing written. 2: wrong use. 4: Feeder could not be read; the same command goes on where it stopped.
    """
    from data.feeder.lists import Cohorts
    from data.feeder.protocol import FeederClient, FeederError, is_plain
    from data.feeder.pull import Wanted
    from data.feeder.pull import pull as run
    from data.settings import get_settings

    settings = get_settings()
    url, user = url or settings.feeder_url, user or settings.feeder_user
    if not url or not user:
        raise Refusal("give --url and --user, or set TEPAT_FEEDER_URL and TEPAT_FEEDER_USER")
    try:
        wanted = Wanted(Cohorts.read(cohorts), people, page, grades)
    except ValueError as problem:
        raise Refusal(str(problem)) from None
    chosen = _mapping(mapping)
    with opened_store() as store:
        password = _password(settings)
        try:
            about = {"ca": settings.feeder_ca or None, "seconds": seconds, "tell": _tell}
            with FeederClient(url, user, password, **about) as client:
                if is_plain(client.url):
                    note(
                        "http: password and records travel readable; use it only within the office's network"
                    )
                how = {"actor": actor, "skip_bad": skip_bad, "dry_run": dry_run, "mapping": chosen}
                with _Shown() as progress:
                    pulled = run(store, client, wanted, progress=progress, **how)
        except FeederError as problem:
            raise _unread(problem) from None
        if remember and chosen is not None and not dry_run:
            from data.records.ingest import remember_mapping

            remember_mapping(store, chosen)
    _say(pulled)
    if report is not None:
        _write_tables(pulled, report)
    if dry_run:
        typer.echo("dry run: nothing was written")
    elif not pulled.written:
        hint = "" if pulled.plan.unreadable else "; --skip-bad imports the rest"
        typer.echo(f"refused: nothing was written{hint}", err=True)
    if not pulled.plan.accepted and not (skip_bad and not pulled.plan.unreadable):
        raise typer.Exit(FOUND)


def _tell(said: str) -> None:
    typer.echo(said, err=True)


def _unread(problem) -> typer.Exit:
    typer.echo(f"error: {problem}", err=True)
    wrong_use = problem.code in ("address", "redirect", "certificate", "sign_in")
    if not wrong_use:
        typer.echo("nothing was written; the same command goes on where this one stopped", err=True)
    return typer.Exit(WRONG if wrong_use else NO_ANSWER)


def _password(settings) -> str:
    given = settings.feeder_password.get_secret_value()
    if given:
        return given
    if not _is_attended():
        raise Refusal("set TEPAT_FEEDER_PASSWORD: there is nobody to ask for the password")
    return typer.prompt("Password of the Feeder account", hide_input=True)


def _is_attended() -> bool:
    return sys.stdin.isatty()


def _mapping(name: str | None):
    from data.files.mapping import SHIPPED, MappingError, load_mapping

    if name is None:
        return None
    if name not in SHIPPED and not Path(name).is_file():
        raise Refusal(f"--mapping must be a TOML file or one of {', '.join(SHIPPED)}; got {name!r}")
    try:
        return load_mapping(name)
    except MappingError as error:
        raise Refusal(str(error)) from error


class _Shown:
    """A counter while Feeder is read, whose length nobody knows; then the bars of an import."""

    def __enter__(self):
        from tqdm import tqdm

        from data.commands.bars import Bars

        self._reading = tqdm(desc="reading Feeder", unit=" rows", mininterval=0.5)
        self._bars = Bars()
        return self

    def __call__(self, done: int, total: int, what: str) -> None:
        if what.startswith("asking feeder"):
            self._reading.update(done - self._reading.n)
        elif total:
            self._reading.close()
            self._bars(done, total, what)

    def __exit__(self, *problem) -> None:
        self._reading.close()
        self._bars.__exit__(*problem)


def _say(pulled: Pulled) -> None:
    from data.commands.load_report import report_records, said_of

    for act, rows in pulled.read.items():
        gone = "  (this Feeder does not know it)" if act in pulled.without else ""
        typer.echo(f"  {act:<34} {rows:>9,} rows{gone}")
    if pulled.resumed:
        typer.echo("an earlier pull was gone on with")
    if pulled.erased:
        typer.echo(f"{pulled.erased:,} students left out: erased here at their wish")
    for line in report_records(pulled.plan):
        typer.echo(line)
    if pulled.written:
        typer.echo("written:" if pulled.import_id else "written: nothing, all is as it was")
        for table, number in pulled.counts.items():
            typer.echo(
                f"  {said_of(table):<10} {number['new']:>9,} new {number['changed']:>9,} changed "
                f"{number['same']:>9,} same"
            )
    _say_reconciliation(pulled)


def _say_reconciliation(pulled: Pulled) -> None:
    from data.feeder.reconcile import NOT_REPORTED, VANISHED

    both = pulled.reconciliation
    told = both.counts[(both.counts["difference"] != 0) | (both.counts["not_reported"] != 0)]
    agreeing = len(both.counts) - len(told)
    typer.echo(f"beside Feeder: {agreeing:,} of {len(both.counts):,} programmes and terms agree")
    if len(told):
        typer.echo(
            f"  {'programme':<12} {'term':>6} {'ours':>8} {'Feeder':>8} {'difference':>11} "
            f"{'not reported':>13}"
        )
    for row in told[:MOST_LINES].itertuples():
        typer.echo(
            f"  {row.program_code:<12} {row.term_id:>6} {row.ours:>8,} {row.feeder:>8,} "
            f"{row.difference:>+11,} {row.not_reported:>13,}"
        )
    if len(told) > MOST_LINES:
        typer.echo(f"  … and {len(told) - MOST_LINES:,} more; --report writes all of them")
    graded = both.counts.dropna(subset=["grades_ours", "grades_feeder"])
    if len(graded) and graded[["grades_ours", "grades_feeder"]].to_numpy().any():
        alike = int((graded["grades_ours"] == graded["grades_feeder"]).sum())
        typer.echo(f"course grades: {alike:,} of {len(graded):,} programmes and terms agree")
    for state, words in (
        (NOT_REPORTED, "not reported to Feeder yet"),
        (VANISHED, "gone from Feeder, kept here"),
    ):
        found = both.missing[both.missing["state"] == state]["what"].value_counts()
        if len(found):
            parts = ", ".join(f"{number:,} {what}s" for what, number in found.items())
            typer.echo(f"{words}: {parts}; --report lists them")


def _write_tables(pulled: Pulled, folder: Path) -> None:
    from data.feeder.handing_out import files_of

    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files_of(pulled, identified=True):
        path = folder / name
        path.write_bytes(content)
        typer.echo(f"{path} is written")
