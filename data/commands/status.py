"""``python -m data status``: what the store holds."""

from __future__ import annotations

from typing import Annotated

import typer

READY = typer.Option("--ready", help="Print nothing; exit 0 when there is something to serve, else 1.")


def status(ready: Annotated[bool, READY] = False) -> None:
    """Print facts, row counts, the served model and the newest imports."""
    from data import queries
    from data.commands.opening import opened_store
    from data.migrate import current_revision
    from data.store import get_fact

    with opened_store() as store:
        if ready:
            raise typer.Exit(0 if _ready(store) else 1)
        typer.echo(f"store        {store.url} at revision {current_revision(store.engine)}")
        typer.echo(f"institution  {get_fact(store, 'institution', '-')}")
        typer.echo(
            f"data         {'synthetic demo data' if get_fact(store, 'synthetic') else 'real records'}"
        )
        model = queries.served_model(store)
        typer.echo(f"model        {model.version if model else 'none is served'}")
        for row in queries.counts(store).itertuples():
            if row.rows:
                typer.echo(f"  {row.table:22s} {row.rows:>12,}")
        for row in queries.imports(store).head(5).itertuples():
            ended = "cut off" if row.finished_at is None or row.finished_at != row.finished_at else "complete"
            typer.echo(f"  import {row.started_at:%Y-%m-%d %H:%M} {ended:8s} {row.source} by {row.actor}")


def _ready(store) -> bool:
    """Whether the app has something to show: scored students, or an institution's own records."""
    from data import queries
    from data.store import get_fact

    rows = queries.counts(store).set_index("table")["rows"]
    return bool(rows["risk_current"]) or bool(rows["students"] and not get_fact(store, "synthetic"))
