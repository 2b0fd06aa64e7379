"""``python -m data load``: an office's own files into the store that the environment names."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.commands.frame import ACTOR, FOUND, Refusal, opened_store

if TYPE_CHECKING:
    from data.files.reading import Reading
    from data.records.ingest import ImportPlan, Source
    from data.signatures.ingest import SignaturePlan
    from data.store import Store

RETURNED_NAME = "refused-rows.xlsx"
_FILE: dict[str, Any] = {"exists": True, "dir_okay": False, "readable": True}


def load(
    students: Annotated[Path | None, typer.Option(help="Students, CSV or XLSX.", **_FILE)] = None,
    terms: Annotated[Path | None, typer.Option(help="Terms of students, CSV or XLSX.", **_FILE)] = None,
    grades: Annotated[
        Path | None, typer.Option(help="Course grades: KHS, transcript, CSV or XLSX.", **_FILE)
    ] = None,
    outcomes: Annotated[
        Path | None, typer.Option(help="Graduations and other exits, CSV or XLSX.", **_FILE)
    ] = None,
    consents: Annotated[
        Path | None, typer.Option(help="Consents given, refused and withdrawn, CSV or XLSX.", **_FILE)
    ] = None,
    register: Annotated[
        Path | None, typer.Option(help="One file with a row per student: whatever tables it holds.", **_FILE)
    ] = None,
    signatures: Annotated[
        Path | None, typer.Option(help="Folder or zip of signature images.", exists=True)
    ] = None,
    mapping: Annotated[
        str | None, typer.Option(help="siakad, pddikti, english, or a TOML file; default: detected.")
    ] = None,
    codes: Annotated[
        list[Path] | None, typer.Option(help="An institution's own list of codes; repeatable.", **_FILE)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the rest of the rows.")] = False,
    bad_rows: Annotated[
        Path | None, typer.Option(help=f"Where refused rows go; with --skip-bad: {RETURNED_NAME}.")
    ] = None,
    problems: Annotated[Path | None, typer.Option(help="Write every problem to this CSV file.")] = None,
    captured_on: Annotated[
        str | None,
        typer.Option(help="Date of signatures whose name has none: 2024-08-31, or 'file', or 'entry'."),
    ] = None,
    choices: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Decide what a file leaves open: date_order=dmy or mdy, true_dates=stored or swapped, "
            "attendance=percent or fraction, encoding=NAME, zero=empty or grade; COLUMN=HEADER, "
            "COLUMN:=VALUE for every row, COLUMN[CELL]=MEANING, -=HEADER to leave one out; with a table in "
            "front for one file only: outcomes.date_order=mdy. Repeatable.",
        ),
    ] = None,
    sheet: Annotated[
        list[str] | None,
        typer.Option(help="Sheet of a workbook to read, or TABLE:NAME; default: those with equal headers."),
    ] = None,
    remember: Annotated[
        bool, typer.Option("--remember", help="Prefer this mapping in later imports.")
    ] = False,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="The files are invented data: what a demo takes.")
    ] = False,
    actor: Annotated[str, typer.Option(help="Who imports, for the log.")] = ACTOR,
) -> None:
    """Check files and import them: all rows, or none unless --skip-bad.

    Exit code 0: done. 1: refused, nothing written. 2: wrong use. Interrupted, the same command again
    completes the import.
    """
    from data.trust.origin import refuse_in_demo

    given = {"students": students, "terms": terms, "grades": grades}
    given |= {"outcomes": outcomes, "consents": consents}
    files = {table: path for table, path in given.items() if path is not None}
    if register is not None and files.keys() & {"students", "terms", "outcomes"}:
        raise Refusal("--register stands for --students, --terms and --outcomes; give one or the other")
    if not files and register is None and signatures is None:
        options = ", ".join(f"--{name}" for name in (*given, "register", "signatures"))
        raise Refusal(f"give at least one of {options}")
    _protect_inputs([*files.values(), register, signatures], [bad_rows, problems])
    when = _captured_on(captured_on)
    chosen = _mapping(mapping)
    about_files, about_columns = _sorted_choices(choices or [])
    held = [*files, *(("students", "terms", "outcomes") if register is not None else ())]
    said = _choices(about_files, held, sheet or [])
    with opened_store(may_make=True) as store:
        if not synthetic and not dry_run:
            refuse_in_demo(store)
        sources = _sources(files, said)
        sources, chosen = _told(store, sources, register, chosen, about_columns, codes or [], said)
        records, pictures = _plan(store, sources, signatures, chosen, when)
        _report(records, pictures)
        good = (records is None or records.accepted) and (pictures is None or pictures.accepted)
        usable = records is None or not records.unreadable
        writing = usable and (good or skip_bad) and not dry_run
        _give_back(records, pictures, bad_rows or (Path(RETURNED_NAME) if skip_bad else None), problems)
        if writing:
            _write(store, records, pictures, signatures, actor=actor, skip_bad=skip_bad, synthetic=synthetic)
        if remember and chosen is not None and not dry_run:
            from data.records.ingest import remember_mapping

            remember_mapping(store, chosen)
    if dry_run:
        typer.echo("dry run: nothing was written")
    elif not writing:
        raise Refusal(f"nothing was written{'; --skip-bad imports the rest' if usable else ''}", FOUND)
    if not usable or (not good and not skip_bad):
        raise typer.Exit(FOUND)


def _protect_inputs(inputs: list[Path | None], outputs: list[Path | None]) -> None:
    taken = {path.resolve() for path in inputs if path is not None}
    for path in outputs:
        if path is not None and path.resolve() in taken:
            raise Refusal(f"{path} is one of the files to import; it would be overwritten")


def _captured_on(text: str | None) -> date | str | None:
    from data.signatures.ingest import DATE_RULES

    if text is None or text in DATE_RULES:
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        rules = ", ".join(DATE_RULES)
        raise Refusal(f"--captured-on must be a date as 2024-08-31, or {rules}; got {text!r}") from None


def _mapping(name: str | None):
    from data.files.mapping import SHIPPED, load_mapping

    if name is None:
        return None
    if name not in SHIPPED and not Path(name).is_file():
        raise Refusal(f"--mapping must be a TOML file or one of {', '.join(SHIPPED)}; got {name!r}")
    return load_mapping(name)


def _sorted_choices(texts: list[str]) -> tuple[list[str], list[str]]:
    """What is said about how files are read, and what about their columns and cells."""
    from data.files.reading import is_about_reading

    of_files = [text for text in texts if is_about_reading(text)]
    return of_files, [text for text in texts if text not in of_files]


def _choices(texts: list[str], tables: list[str], sheets: list[str]) -> dict[str, Reading]:
    from data.files.reading import readings_from_texts

    return readings_from_texts(texts, tables, sheets)


def _sources(files: dict[str, Path], said: dict[str, Reading]) -> list[Source]:
    from data.records.ingest import Source

    return [Source.from_path(table, path, said[table]) for table, path in files.items()]


def _told(store, sources, register: Path | None, mapping, choices: list[str], codes: list[Path], reading):
    """The sources, those of a file with everything in it included, and the mapping with what was chosen."""
    from data.files.choices import read_choice
    from data.records.ingest import Source, chosen_mapping, register_sources

    said = [read_choice(text) for text in choices]
    lists = [Source.from_path("students", path) for path in codes]
    if register is not None:
        whole = Source.from_path("students", register, reading["students"])
        sources = [*register_sources(store, whole, mapping, said, lists), *sources]
    if said or lists:
        mapping = chosen_mapping(store, sources, mapping, said, lists)
    return sources, mapping


def _plan(store: Store, sources, signatures: Path | None, mapping, when):
    from data.commands.bars import Bars
    from data.engine.progress import renamed
    from data.records.ingest import plan_import
    from data.signatures.ingest import plan_signatures

    records = pictures = None
    with Bars() as bars:
        if sources:
            steps = renamed(bars, "checking files")
            records = plan_import(sources, mapping, store=store, progress=steps)
        if signatures is not None and (records is None or not records.unreadable):
            pictures = plan_signatures(
                signatures,
                signatures.name,
                store,
                records=records,
                captured_on=when,
                progress=bars,
            )
    return records, pictures


def _report(records: ImportPlan | None, pictures: SignaturePlan | None) -> None:
    from data.commands.load_report import report_records, report_signatures

    lines = report_records(records) if records is not None else []
    lines += report_signatures(pictures) if pictures is not None else []
    for line in lines:
        typer.echo(line)


def _give_back(records, pictures, bad_rows: Path | None, problems: Path | None) -> None:
    from data.files.returned import returned_csv, returned_files
    from data.records.advice import with_advice
    from data.records.checks import collect

    if bad_rows is not None and records is not None:
        for name, contents in returned_files(records.returned, bad_rows.name).items():
            bad_rows.with_name(name).write_bytes(contents)
            typer.echo(f"refused rows are in {bad_rows.with_name(name)}")
    if problems is not None:
        found = collect([plan.problems for plan in (records, pictures) if plan is not None])
        problems.write_bytes(returned_csv(with_advice(found).astype("str").replace("<NA>", "")))
        typer.echo(f"{len(found)} problems are in {problems}")


def _write(store: Store, records, pictures, signatures: Path | None, *, actor, skip_bad, synthetic) -> None:
    from data.commands.bars import Bars
    from data.commands.load_report import said_of
    from data.records.frames import told_counts
    from data.records.ingest import apply_import
    from data.signatures.ingest import apply_signatures

    import_id, counts = None, {}
    how = {"actor": actor, "role": "system", "skip_bad": skip_bad, "synthetic": synthetic}
    with Bars() as bars:
        if records is not None:
            planned = {} if pictures is None else {"signatures": pictures.counts}
            result = apply_import(store, records, planned=planned, progress=bars, **how)
            import_id, counts = result.import_id, result.counts
        if pictures is not None:
            written = apply_signatures(store, pictures, signatures, import_id=import_id, progress=bars, **how)
            import_id = written.import_id
            same = pictures.counts["same"] + written.same
            counts = {**counts, "signatures": {"new": written.new, "changed": 0, "same": same}}
            if written.erased:
                typer.echo(f"{written.erased} signature files left out: erased at the student's wish")
    typer.echo("written:")
    for table, number in told_counts(counts).items():
        typer.echo(
            f"  {said_of(table):<10} {number['new']:>9,} new {number['changed']:>9,} changed "
            f"{number['same']:>9,} same"
        )
