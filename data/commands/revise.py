"""``python -m data revise``: write the next migration from ``data/schema.py``."""

from __future__ import annotations

from typing import Annotated

import typer


def revise(message: Annotated[str, typer.Argument(help="What changes, in a few words.")]) -> None:
    """For developers: compare an empty migrated database with the schema and write the difference."""
    import tempfile
    from pathlib import Path

    from data.engine.database import connect
    from data.engine.migrate import migrate
    from data.engine.migrate import revise as write_revision

    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'empty.db'}")
        migrate(engine)
        path = write_revision(engine, message)
        engine.dispose()
    typer.echo(f"wrote {path.name}: read it, and run the tests on both databases")
