"""``python -m data status``: what the store holds."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import DONE, FOUND, opened_store

HELD = {
    "real": "an institution's own records",
    "invented": "synthetic demo data",
    "mixed": "synthetic demo data and imported records, mixed: no seat without a password, no reports",
}
READY = typer.Option("--ready", help="Print nothing; exit 0 when there is something to serve, else 1.")


def status(ready: Annotated[bool, READY] = False) -> None:
    """Print facts, row counts, the served model and the newest imports."""
    from data import queries
    from data.engine.migrate import current_revision
    from data.store import get_fact
    from data.trust.origin import origin

    if ready:
        raise typer.Exit(DONE if _ready() else FOUND)
    with opened_store() as store:
        typer.echo(f"store        {store.url} at revision {current_revision(store.engine)}")
        typer.echo(f"institution  {get_fact(store, 'institution', '-')}")
        typer.echo(f"data         {HELD[origin(store)]}")
        model = queries.served_model(store)
        typer.echo(f"model        {model.version if model else 'none is served'}")
        for row in queries.counts(store).itertuples():
            if row.rows:
                typer.echo(f"  {row.table:22s} {row.rows:>12,}")
        for row in queries.imports(store).head(5).itertuples():
            ended = "cut off" if row.finished_at is None or row.finished_at != row.finished_at else "complete"
            typer.echo(f"  import {row.started_at:%Y-%m-%d %H:%M} {ended:8s} {row.source} by {row.actor}")


def _ready() -> bool:
    """Whether the app has something to show: scored students, or a store that is an institution's own, even
    an empty one (no demo may be built there)."""
    from data import queries
    from data.store import NoStore
    from data.trust import origin

    try:
        with opened_store() as store:
            rows = queries.counts(store).set_index("table")["rows"]
            own = origin.is_begun(store) or (rows["students"] and origin.origin(store) == origin.REAL)
            return bool(rows["risk_current"] or own)
    except NoStore:
        return False
